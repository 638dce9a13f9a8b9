/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/jsonout.h"

#include "base/textbuf.h"

#include <jansson.h>

/* Bytes of one foreign text in its escaped form. */
#define TEXT_MAX 2048

/* Digits of a score: 3.5, not 3.5000000000000004. */
#define REAL_DIGITS 6

void jsonout_begin(struct jsonout *out)
{
    out->root = json_object();
    out->failed = out->root == NULL;
}

/* Put `value` (taken) into an object under a key, or into an array without one. */
static json_t *put(struct jsonout *out, json_t *container, const char *key, json_t *value)
{
    int result = key != NULL ? json_object_set_new(container, key, value)
                             : json_array_append_new(container, value);
    if (value == NULL || result != 0) {
        out->failed = true;
        return NULL;
    }
    return value;
}

static json_t *foreign(const char *text)
{
    if (text == NULL)
        return json_null();
    char memory[TEXT_MAX + 1];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_foreign(&buf, text, TEXT_MAX);
    return json_string(memory);
}

struct json_t *jsonout_object(struct jsonout *out, struct json_t *object, const char *key)
{
    return put(out, object, key, json_object());
}

struct json_t *jsonout_array(struct jsonout *out, struct json_t *object, const char *key)
{
    return put(out, object, key, json_array());
}

void jsonout_text(struct jsonout *out, struct json_t *object, const char *key, const char *text)
{
    (void)put(out, object, key, foreign(text));
}

void jsonout_integer(struct jsonout *out, struct json_t *object, const char *key, int64_t value)
{
    (void)put(out, object, key, json_integer(value));
}

void jsonout_number(struct jsonout *out, struct json_t *object, const char *key, double value)
{
    (void)put(out, object, key, json_real(value));
}

void jsonout_boolean(struct jsonout *out, struct json_t *object, const char *key, bool value)
{
    (void)put(out, object, key, json_boolean(value));
}

struct json_t *jsonout_add_object(struct jsonout *out, struct json_t *array)
{
    return put(out, array, NULL, json_object());
}

void jsonout_add_text(struct jsonout *out, struct json_t *array, const char *text)
{
    (void)put(out, array, NULL, foreign(text));
}

char *jsonout_finish(struct jsonout *out)
{
    char *text =
        out->failed ? NULL : json_dumps(out->root, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    json_decref(out->root);
    out->root = NULL;
    out->failed = true;
    return text;
}
