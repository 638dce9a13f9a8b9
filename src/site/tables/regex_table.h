/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcre_table(5) and regexp_table(5): patterns, first match wins, with flags, negation and
 * if/endif.  The one place where PCRE2 is used.  Matching is bounded in time and memory; a pattern
 * that reaches a limit on some subject does not match it, which is logged once a table and counted.
 * Immutable once made but for that count: thread safe.
 */
#ifndef IPREVD_REGEX_TABLE_H
#define IPREVD_REGEX_TABLE_H

#include "site/tables/table_lines.h"

#include <stdint.h>

#define REGEX_RULES_MAX   65536 /* lines of a table: each costs kilobytes of machine code */
#define REGEX_SUBJECT_MAX 1024  /* bytes: longer ones than any name or address match nothing */

struct regex_table;

/* `perl`: pcre_table(5), else regexp_table(5).  `path` is for the log; copied.  The values point
 * into `text`, which must live as long as the table. */
enum result regex_table_new(struct table_text *text, bool perl, const char *path,
                            struct regex_table **out, struct table_error *error) MUST_CHECK;
void regex_table_free(struct regex_table *table);

/* The value of the first line that matches, or NULL. */
const char *regex_table_find(const struct regex_table *table, const char *subject);
/* The right-hand side of an entry, counted from 0 in any order; NULL: there are no more. */
const char *regex_table_value(const struct regex_table *table, size_t i);

/* How often a limit was reached. */
uint64_t regex_table_limit_hits(const struct regex_table *table);

#endif
