/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON object, built from the outside in and written as one line.  The one place where jansson is
 * used.  Memory that runs out is remembered and shows when the line is asked for, so that callers
 * need not check every step.  One owner at a time.
 */
#ifndef IPREVD_JSON_H
#define IPREVD_JSON_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;

#define JSONOUT_DEPTH_MAX 8 /* of objects and lists inside of each other */

/* An empty object, in which everything goes until something is begun.  NULL: out of memory. */
struct json_writer *json_writer_new(void) MUST_CHECK;
void json_writer_free(struct json_writer *json); /* NULL is fine */

/*
 * Add a member to what is open; `key` is ignored in a list.  _text is untrusted: a byte that is not
 * part of valid UTF-8, a control character and DEL become a backslash, x and two hex digits, and a
 * backslash becomes \x5c, as in the log; NULL becomes null.  _sentence is ours, with untrusted
 * parts escaped already: backslashes stay as they are.
 */
void json_writer_text(struct json_writer *json, const char *key, const char *text);
void json_writer_sentence(struct json_writer *json, const char *key, const char *sentence);
void json_writer_int(struct json_writer *json, const char *key, int64_t value);
void json_writer_real(struct json_writer *json, const char *key, double value);
void json_writer_bool(struct json_writer *json, const char *key, bool value);

/* Open an object or a list inside of what is open; what is added goes there until _end(). */
void json_writer_begin_object(struct json_writer *json, const char *key);
void json_writer_begin_list(struct json_writer *json, const char *key);
void json_writer_end(struct json_writer *json);

/* The whole as one line without a line feed, malloc'ed: the caller frees.  NULL: out of memory. */
char *json_writer_line(const struct json_writer *json) MUST_CHECK;

/*
 * Reading.  A value is borrowed from its document and lives as long as that.  A text holds no NUL.
 * Thread safe as long as nobody frees the document.
 */
struct json_value; /* a document, or a value in it */

#define JSONIN_ERROR_MAX 160

/*
 * Read one JSON object, with nothing but white space around it, in which no key appears twice.
 * RESULT_INVALID: `error` says why and where; untrusted text in it is not escaped yet.
 * RESULT_NOMEM.  The caller frees; free(NULL) is fine.
 */
enum result json_value_parse(const char *text, size_t length, struct json_value **out,
                             char error[JSONIN_ERROR_MAX]) MUST_CHECK;
void json_value_free(struct json_value *document);

/* The document as one line without a line feed, malloc'ed: the caller frees.  NULL: out of memory.
 */
char *json_value_line(const struct json_value *document) MUST_CHECK;

/* The member of an object; NULL when there is none, or `object` is NULL or no object. */
const struct json_value *json_value_member(const struct json_value *object, const char *key);

/* The text, the number or the truth of a member: NULL, 0 and false when there is none of that kind.
 */
const char *json_value_text_of(const struct json_value *object, const char *key);
int64_t json_value_int_of(const struct json_value *object, const char *key);
bool json_value_bool_of(const struct json_value *object, const char *key);

/* Items of a list, and the i-th; 0 and NULL when `list` is NULL or no list. */
size_t json_value_count(const struct json_value *list);
const struct json_value *json_value_item(const struct json_value *list, size_t i);

/* Visit the members of an object in their order. */
void json_value_each(const struct json_value *object,
                     void (*visit)(void *arg, const char *key, const struct json_value *value),
                     void *arg);

/* The value itself: NULL, or false and *out untouched, when it is of another kind or NULL. */
const char *json_value_text(const struct json_value *value);
bool json_value_int(const struct json_value *value, int64_t *out);
bool json_value_real(const struct json_value *value, double *out); /* an integer, too */
bool json_value_bool(const struct json_value *value, bool *out);

#endif
