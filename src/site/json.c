/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Digits of a number: scores are decimal fractions, and 3.3 is to look like 3.3. */
#define REAL_DIGITS 9

struct json_writer {
    json_t *open[JSONOUT_DEPTH_MAX + 1]; /* [0] is the whole, and owns the others */
    unsigned depth;
    bool nomem; /* something is missing */
};

struct json_writer *json_writer_new(void)
{
    struct json_writer *json = calloc(1, sizeof *json);
    if (json == NULL)
        return NULL;
    json->open[0] = json_object();
    if (json->open[0] == NULL) {
        free(json);
        return NULL;
    }
    return json;
}

void json_writer_free(struct json_writer *json)
{
    if (json == NULL)
        return;
    json_decref(json->open[0]);
    free(json);
}

/* Takes value, NULL too. */
static bool add(struct json_writer *json, const char *key, json_t *value)
{
    json_t *open = json->open[json->depth];
    int failed = value == NULL || json->nomem;
    if (failed)
        json_decref(value);
    else if (json_is_array(open))
        failed = json_array_append_new(open, value);
    else
        failed = json_object_set_new(open, key, value);
    if (failed)
        json->nomem = true;
    return !failed;
}

/* The text as valid UTF-8, malloc'ed. */
static char *make_valid(const char *text, bool keep_backslash)
{
    size_t size = 4 * strlen(text) + 1;
    char *out = malloc(size), *to = out;
    if (out == NULL)
        return NULL;
    while (*text != '\0') {
        size_t length = utf8_printable(text);
        if (length == 0 || (*text == '\\' && !keep_backslash)) {
            to += snprintf(to, size - (size_t)(to - out), "\\x%02x", (unsigned char)*text);
            text++;
        } else {
            memcpy(to, text, length);
            to += length;
            text += length;
        }
    }
    *to = '\0';
    return out;
}

static void put_text(struct json_writer *json, const char *key, const char *text,
                     bool keep_backslash)
{
    if (text == NULL) {
        add(json, key, json_null());
        return;
    }
    char *valid = make_valid(text, keep_backslash);
    add(json, key, valid == NULL ? NULL : json_string(valid));
    free(valid);
}

void json_writer_text(struct json_writer *json, const char *key, const char *text)
{
    put_text(json, key, text, false);
}

void json_writer_sentence(struct json_writer *json, const char *key, const char *sentence)
{
    put_text(json, key, sentence, true);
}

void json_writer_int(struct json_writer *json, const char *key, int64_t value)
{
    add(json, key, json_integer(value));
}

void json_writer_real(struct json_writer *json, const char *key, double value)
{
    add(json, key, json_real(isfinite(value) ? value : 0.0));
}

void json_writer_bool(struct json_writer *json, const char *key, bool value)
{
    add(json, key, json_boolean(value));
}

static void begin(struct json_writer *json, const char *key, json_t *value)
{
    if (json->depth == JSONOUT_DEPTH_MAX) {
        json_decref(value);
        json->nomem = true;
        return;
    }
    /* Without memory the members still need a place, where they are ignored. */
    json->open[json->depth + 1] = add(json, key, value) ? value : json->open[json->depth];
    json->depth++;
}

void json_writer_begin_object(struct json_writer *json, const char *key)
{
    begin(json, key, json_object());
}

void json_writer_begin_list(struct json_writer *json, const char *key)
{
    begin(json, key, json_array());
}

void json_writer_end(struct json_writer *json)
{
    if (json->depth > 0)
        json->depth--;
}

char *json_writer_line(const struct json_writer *json)
{
    return json->nomem ? NULL
                       : json_dumps(json->open[0], JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
}

/* --- reading -------------------------------------------------------------------------------- */

/* A struct json_value is a json_t whose name stays in this file. */
static const json_t *of(const struct json_value *value)
{
    return (const json_t *)(const void *)value;
}

static const struct json_value *as_value(const json_t *value)
{
    return (const struct json_value *)(const void *)value;
}

enum result json_value_parse(const char *text, size_t length, struct json_value **out,
                             char error[JSONIN_ERROR_MAX])
{
    json_error_t why;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        (void)snprintf(error, JSONIN_ERROR_MAX, "byte %d: %.120s", why.position, why.text);
        return json_error_code(&why) == json_error_out_of_memory ? RESULT_NOMEM : RESULT_INVALID;
    }
    if (!json_is_object(root)) {
        (void)snprintf(error, JSONIN_ERROR_MAX, "an object is wanted");
        json_decref(root);
        return RESULT_INVALID;
    }
    *out = (struct json_value *)(void *)root;
    return RESULT_OK;
}

void json_value_free(struct json_value *document)
{
    json_decref((json_t *)(void *)document);
}

char *json_value_line(const struct json_value *document)
{
    return json_dumps(of(document), JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
}

const struct json_value *json_value_member(const struct json_value *object, const char *key)
{
    return as_value(json_object_get(of(object), key));
}

size_t json_value_count(const struct json_value *list)
{
    return json_array_size(of(list));
}

const struct json_value *json_value_item(const struct json_value *list, size_t i)
{
    return as_value(json_array_get(of(list), i));
}

void json_value_each(const struct json_value *object,
                     void (*visit)(void *arg, const char *key, const struct json_value *value),
                     void *arg)
{
    json_t *members =
        (json_t *)(uintptr_t)of(object); /* the iterator wants it so, and only reads */
    for (void *at = json_object_iter(members); at != NULL; at = json_object_iter_next(members, at))
        visit(arg, json_object_iter_key(at), as_value(json_object_iter_value(at)));
}

const char *json_value_text(const struct json_value *value)
{
    return json_string_value(of(value));
}

bool json_value_int(const struct json_value *value, int64_t *out)
{
    if (!json_is_integer(of(value)))
        return false;
    *out = json_integer_value(of(value));
    return true;
}

bool json_value_real(const struct json_value *value, double *out)
{
    if (!json_is_number(of(value)))
        return false;
    *out = json_number_value(of(value));
    return true;
}

bool json_value_bool(const struct json_value *value, bool *out)
{
    if (!json_is_boolean(of(value)))
        return false;
    *out = json_is_true(of(value));
    return true;
}

const char *json_value_text_of(const struct json_value *object, const char *key)
{
    return json_value_text(json_value_member(object, key));
}

int64_t json_value_int_of(const struct json_value *object, const char *key)
{
    int64_t value = 0;
    (void)json_value_int(json_value_member(object, key), &value);
    return value;
}

bool json_value_bool_of(const struct json_value *object, const char *key)
{
    bool value = false;
    (void)json_value_bool(json_value_member(object, key), &value);
    return value;
}
