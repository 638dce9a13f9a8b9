/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON object, built from the outside in and written as one line.  The one place where jansson is
 * used.  Memory that runs out is remembered and shows when the line is asked for, so that callers
 * need not check every step.  One owner at a time.
 */
#ifndef IPREVD_JSON_H
#define IPREVD_JSON_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonout;

#define JSONOUT_DEPTH_MAX 8 /* of objects and lists inside of each other */

/* An empty object, in which everything goes until something is begun.  NULL: out of memory. */
struct jsonout *jsonout_new(void) MUST_CHECK;
void jsonout_free(struct jsonout *json); /* NULL is fine */

/*
 * Add a member to what is open; `key` is ignored in a list.  _text is foreign: a byte that is not
 * part of valid UTF-8, a control character and DEL become a backslash, x and two hex digits, and a
 * backslash becomes \x5c, as in the log; NULL becomes null.  _sentence is ours, with foreign parts
 * escaped already: backslashes stay as they are.
 */
void jsonout_text(struct jsonout *json, const char *key, const char *text);
void jsonout_sentence(struct jsonout *json, const char *key, const char *sentence);
void jsonout_int(struct jsonout *json, const char *key, int64_t value);
void jsonout_real(struct jsonout *json, const char *key, double value);
void jsonout_bool(struct jsonout *json, const char *key, bool value);

/* Open an object or a list inside of what is open; what is added goes there until _end(). */
void jsonout_begin_object(struct jsonout *json, const char *key);
void jsonout_begin_list(struct jsonout *json, const char *key);
void jsonout_end(struct jsonout *json);

/* The whole as one line without a line feed, malloc'ed: the caller frees.  NULL: out of memory. */
char *jsonout_line(const struct jsonout *json) MUST_CHECK;

/*
 * Reading.  A value is borrowed from its document and lives as long as that.  A text holds no NUL.
 * Thread safe as long as nobody frees the document.
 */
struct jsonin; /* a document, or a value in it */

#define JSONIN_ERROR_MAX 160

/*
 * Read one JSON object, with nothing but white space around it, in which no key appears twice.
 * STATUS_INVALID: `error` says why and where; foreign text in it is not escaped yet.
 * STATUS_NOMEM.  The caller frees; free(NULL) is fine.
 */
enum status jsonin_parse(const char *text, size_t length, struct jsonin **out,
                         char error[JSONIN_ERROR_MAX]) MUST_CHECK;
void jsonin_free(struct jsonin *document);

/* The document as one line without a line feed, malloc'ed: the caller frees.  NULL: out of memory.
 */
char *jsonin_line(const struct jsonin *document) MUST_CHECK;

/* The member of an object; NULL when there is none, or `object` is NULL or no object. */
const struct jsonin *jsonin_member(const struct jsonin *object, const char *key);

/* Items of a list, and the i-th; 0 and NULL when `list` is NULL or no list. */
size_t jsonin_count(const struct jsonin *list);
const struct jsonin *jsonin_item(const struct jsonin *list, size_t i);

/* Visit the members of an object in their order. */
void jsonin_each(const struct jsonin *object,
                 void (*visit)(void *arg, const char *key, const struct jsonin *value), void *arg);

/* The value itself: NULL, or false and *out untouched, when it is of another kind or NULL. */
const char *jsonin_text(const struct jsonin *value);
bool jsonin_int(const struct jsonin *value, int64_t *out);
bool jsonin_real(const struct jsonin *value, double *out); /* an integer, too */
bool jsonin_bool(const struct jsonin *value, bool *out);

#endif
