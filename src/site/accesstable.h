/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's own lookup tables, used as they are: cidr_table(5), pcre_table(5), regexp_table(5) and
 * texthash: with their if/endif, negation, flags, comments and continuation lines.  A loaded table
 * is immutable and thread safe; reloading makes a new one.
 */
#ifndef IPREVD_ACCESSTABLE_H
#define IPREVD_ACCESSTABLE_H

#include "core/ipaddr.h"

enum accesstable_type { TABLE_CIDR, TABLE_PCRE, TABLE_REGEXP, TABLE_TEXTHASH };

#define ACCESSTABLE_ERROR_MAX 512

struct accesstable;

/* True, *type set and *path into `spec` for "cidr:/path" and the like. */
bool accesstable_spec(const char *spec, enum accesstable_type *type, const char **path);

/*
 * Read a table.  `error` (ACCESSTABLE_ERROR_MAX bytes) gets "file:line: what, and what is allowed".
 * STATUS_IO, STATUS_INVALID, STATUS_NOMEM, STATUS_LIMIT.  Every rejected line is an error, not a
 * skip.
 */
enum status accesstable_load(enum accesstable_type type, const char *path, struct accesstable **out,
                             char error[ACCESSTABLE_ERROR_MAX]) MUST_CHECK;
void accesstable_free(struct accesstable *table);

/*
 * Look up.  Returns the right-hand side of the entry that matches ("REJECT ...", "DUNNO", "OK",
 * "permit"), or NULL; lives as long as the table.  _addr: cidr only (others look up the address's
 * text).  _name: name tables: pcre and regexp match the text; texthash looks up the name, then its
 * parent domains as ".parent" (Postfix access(5)). First match wins, as in Postfix.
 */
const char *accesstable_addr(const struct accesstable *table, const struct ipaddr *addr);
const char *accesstable_name(const struct accesstable *table, const char *name);

/* Does a right-hand side mean "this one is listed"?  DUNNO and an empty side do not; everything
 * else does. */
bool accesstable_lists(const char *value);

size_t accesstable_entries(const struct accesstable *table);

/* Has the file changed since it was read (identity, size or mtime)? Does I/O. */
bool accesstable_changed(const struct accesstable *table);

#endif
