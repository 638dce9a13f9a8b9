/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cidr_table(5): networks, first match wins, with negation and if/endif.  One hash probe for each
 * prefix length that occurs, so a lookup costs the same in a table of ten lines and of 100,000.
 * Immutable once made: thread safe.
 */
#ifndef IPREVD_CIDR_TABLE_H
#define IPREVD_CIDR_TABLE_H

#include "core/ipaddr.h"
#include "site/tables/table_lines.h"

struct cidr_table;

/* The values point into `text`, which must live as long as the table. */
enum result cidr_table_new(struct table_text *text, struct cidr_table **out,
                           struct table_error *error) MUST_CHECK;
void cidr_table_free(struct cidr_table *table);

/* The value of the first line that matches, or NULL. */
const char *cidr_table_find(const struct cidr_table *table, const struct ipaddr *addr);
/* The right-hand side of an entry, counted from 0 in any order; NULL: there are no more. */
const char *cidr_table_value(const struct cidr_table *table, size_t i);

#endif
