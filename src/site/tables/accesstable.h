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
#define ACCESSTABLE_SIZE_MAX  (64U << 20) /* bytes of a table file */

struct accesstable;

/* True, *type set and *path into `spec` for "cidr:/path" and the like. */
bool accesstable_spec(const char *spec, enum accesstable_type *type, const char **path);

/*
 * Read a table.  `error` (ACCESSTABLE_ERROR_MAX bytes) gets "file:line: what, and what is allowed".
 * RESULT_IO, RESULT_INVALID, RESULT_NOMEM, RESULT_LIMIT.  A line that cannot be read is passed over
 * with a warning, as Postfix does: it stops nobody's start.
 */
enum result accesstable_load(enum accesstable_type type, const char *path, struct accesstable **out,
                             char error[ACCESSTABLE_ERROR_MAX]) MUST_CHECK;
void accesstable_free(struct accesstable *table);

/*
 * Look up.  Returns the right-hand side of the entry that matches ("REJECT ...", "DUNNO", "OK",
 * "permit"), or NULL; lives as long as the table.  First match wins, as in Postfix.
 *
 * _addr: cidr matches the address; pcre and regexp match its text; texthash looks up its text, then
 * the networks that access(5) writes by cutting it at dots or colons ("192.0.2").
 * _name: pcre and regexp match the text; texthash looks up the name, then each parent domain, as
 * "parent" (access(5) with Postfix's default parent_domain_matches_subdomains) and as ".parent";
 * cidr matches a name that is an address, in brackets or not.
 * _mail: a mail address; the null sender "" is looked up as "<>".  As _name, but texthash looks up
 * "user@domain", then the domain and its parents, then "user@".
 */
const char *accesstable_addr(const struct accesstable *table, const struct ipaddr *addr);
const char *accesstable_name(const struct accesstable *table, const char *name);
const char *accesstable_mail(const struct accesstable *table, const char *address);

/* What a table is asked for. */
enum accesstable_sense {
    SENSE_ANY,     /* who is listed */
    SENSE_PERMITS, /* who is exempted: an entry that refuses (REJECT, DISCARD, DEFER..., 4nn, 5nn)
                      does not mean that */
    SENSE_REFUSES, /* who is suspect: an entry that permits (OK, PERMIT, all digits) does not mean
                      that */
};

/* Does a right-hand side mean "this one is listed"?  DUNNO and an empty side do not; everything
 * else does, but for what the sense excludes. */
bool accesstable_lists(const char *value, enum accesstable_sense sense);

/* How many entries are not listed because of the sense. */
size_t accesstable_excluded(const struct accesstable *table, enum accesstable_sense sense);

/* What in the file is hardly meant as it is written; NULL: there are no more. */
struct accesstable_warning {
    char *text; /* "file:line: ..."; the table's */
    bool lost;  /* the line cannot be read, or its if or endif is missing */
};
const struct accesstable_warning *accesstable_warning(const struct accesstable *table, size_t i);

/* How often a pattern was given up because it reached a limit of time or memory. */
uint64_t accesstable_limit_hits(const struct accesstable *table);

/*
 * Has the file changed since it was read (identity, size or mtime)?  0: no; else a number that
 * stands for the version that is there now.  A file that cannot be seen is no new version: 0, and
 * *unseen becomes true, else it is left as it is.  Does I/O.
 */
uint64_t accesstable_changed(const struct accesstable *table, bool *unseen);

/* One number for two versions of tables; 0, "not changed", only for two of those. */
static inline uint64_t tables_version(uint64_t a, uint64_t b)
{
    return b == 0 ? a : ((a * UINT64_C(0x100000001b3)) ^ b) | 1;
}

#endif
