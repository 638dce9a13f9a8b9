/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building one JSON value (jansson).  Foreign text becomes printable ASCII, with other bytes as
 * \xNN, so that what comes out is valid UTF-8 whatever went in.  A builder that ran out of memory
 * stays failed, so only jsonout_finish() need be checked.  One builder is used by one thread.
 */
#ifndef IPREVD_JSONOUT_H
#define IPREVD_JSONOUT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object or array under construction inside a builder: borrowed from it. */
struct json_t;

struct jsonout {
    struct json_t *root;
    bool failed;
};

/* Start with an empty object as root. */
void jsonout_begin(struct jsonout *out);

/* Members of `object` (the root or what jsonout_object()/jsonout_array() returned; NULL after a
 * failure). */
struct json_t *jsonout_object(struct jsonout *out, struct json_t *object, const char *key);
struct json_t *jsonout_array(struct jsonout *out, struct json_t *object, const char *key);
void jsonout_text(struct jsonout *out, struct json_t *object, const char *key,
                  const char *text); /* NULL: null */
void jsonout_integer(struct jsonout *out, struct json_t *object, const char *key, int64_t value);
void jsonout_number(struct jsonout *out, struct json_t *object, const char *key, double value);
void jsonout_boolean(struct jsonout *out, struct json_t *object, const char *key, bool value);

/* Elements of `array`. */
struct json_t *jsonout_add_object(struct jsonout *out, struct json_t *array);
void jsonout_add_text(struct jsonout *out, struct json_t *array, const char *text);

/*
 * The text on one line, malloc'ed: the caller frees.  NULL: memory ran out somewhere.  Ends the
 * builder.
 */
char *jsonout_finish(struct jsonout *out) MUST_CHECK;

#endif
