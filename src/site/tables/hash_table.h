/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * texthash: tables of Postfix: "key value" lines in the input format of postmap(1), keys compared
 * without case.  Immutable once made: thread safe.
 */
#ifndef IPREVD_HASH_TABLE_H
#define IPREVD_HASH_TABLE_H

#include "site/tables/table_lines.h"

struct hash_table;

/* Keys and values point into `text`, which must live as long as the table. */
enum result hash_table_new(struct table_text *text, struct hash_table **out,
                           struct table_error *error) MUST_CHECK;
void hash_table_free(struct hash_table *table);

/* The value of the first line with the key of `length` bytes (lower case), or NULL. */
const char *hash_table_find(const struct hash_table *table, const char *key, size_t length);
/* The right-hand side of an entry, counted from 0 in any order; NULL: there are no more. */
const char *hash_table_value(const struct hash_table *table, size_t i);

#endif
