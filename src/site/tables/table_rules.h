/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of rules, if and endif that cidr_table(5), regexp_table(5) and pcre_table(5) have in
 * common, whatever a rule is made of.
 */
#ifndef IPREVD_TABLE_RULES_H
#define IPREVD_TABLE_RULES_H

#include "base/result.h"
#include "site/tables/table_lines.h"

#include <stddef.h>
#include <stdint.h>

/* Nesting of if; deeper is a mistake, and every level costs a test a lookup. */
#define TABLE_NESTING_MAX 64

/* The guard of a rule that no if is around. */
#define TABLE_UNGUARDED UINT32_MAX

/*
 * What a kind of table does with its lines; `text` stays valid as long as the table's text.
 * RESULT_INVALID: the line is passed over, `error` says why and becomes a warning.  RESULT_LIMIT:
 * `error` says why.
 */
struct table_rules {
    /* After `if`: keep the condition; *guard is the guard around it and becomes its own. */
    enum result (*open)(void *table, char *text, unsigned line, uint32_t *guard,
                        struct table_error *error);
    /* A rule, inside `guard`. */
    enum result (*add)(void *table, char *text, unsigned line, uint32_t guard,
                       struct table_error *error);
};

/*
 * All lines of `text` into the table.  RESULT_INVALID (not text), RESULT_LIMIT (nested too deep):
 * `error` says where; else what open or add returned.
 */
enum result table_rules_read(const struct table_rules *rules, void *table, struct table_text *text,
                             struct table_error *error) MUST_CHECK;

/*
 * Room for one more in an array of `count` elements of `size` bytes; *room is how many it holds.
 * The array, moved perhaps, or NULL: out of memory, and the old one stays valid.
 */
void *table_rules_grown(void *array, size_t *room, size_t count, size_t size) MUST_CHECK;

#endif
