/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of many patterns can match at all?  Most name patterns contain a piece of plain text
 * (".dsl.example.net") without which they cannot match; an index over such pieces leaves a handful
 * of patterns to run out of thousands.  A built index is immutable: thread safe.
 */
#ifndef IPREVD_LITERAL_INDEX_H
#define IPREVD_LITERAL_INDEX_H

#include "base/result.h"

#include <stddef.h>
#include <stdint.h>

#define LITERAL_MAX 48 /* bytes of a piece that are kept: more does not select better */
#define LITERAL_MIN 3  /* shorter pieces select nothing */

/*
 * A piece of text, in lower case, that every subject must contain that the PCRE2 pattern matches
 * (caseless or not; without PCRE2_EXTENDED).  "" when none was found: then always run it.
 */
void literal_index_of_pattern(const char *pattern, char out[LITERAL_MAX + 1]);

struct literal_index;

/* literals[i] belongs to pattern i; "" are not indexed.  Copied. */
enum result literal_index_new(const char (*literals)[LITERAL_MAX + 1], size_t count,
                              struct literal_index **out) MUST_CHECK;
void literal_index_free(struct literal_index *index);

/* Set bit i of `bits` for every indexed pattern whose piece is in the lower-case subject. */
void literal_index_mark(const struct literal_index *index, const char *subject, size_t length,
                        uint64_t *bits);

#endif
