/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terms of an SPF record (RFC 7208 4.6.1, 12), to find the single hosts that it names: nothing
 * is evaluated, and macros are not expanded.  Pure; thread safe.
 */
#ifndef IPREVD_SPF_RECORD_H
#define IPREVD_SPF_RECORD_H

#include "core/hostname.h"

#define SPF_TERM_MAX    255 /* bytes of a term that are kept */
#define SPF_LOOKUPS_MAX 10  /* terms that need lookups (RFC 7208 4.6.4), and MX hosts of one term  \
                             */
#define SPF_VOID_MAX 2      /* lookups that find nothing, as there */

enum spf_kind {
    SPF_ADDRESS, /* ip4 or ip6 without a prefix, or with that of a single address */
    SPF_NETWORK, /* ip4, ip6, a or mx with a shorter one */
    SPF_A,
    SPF_MX,
    SPF_ELSEWHERE, /* include, redirect: another record */
    SPF_DYNAMIC,   /* exists, ptr, and whatever has macros: it depends on the client */
    SPF_ALL,
    SPF_MODIFIER, /* exp and unknown ones: no senders */
    SPF_BROKEN,   /* `flaw` says why; for a receiver the whole record is (permerror) */
};

struct spf_term {
    enum spf_kind kind;
    char qualifier;                /* '+', '-', '~' or '?'; modifiers: '+' */
    bool needs_lookup;             /* it counts for SPF_LOOKUPS_MAX */
    struct ipaddr address;         /* SPF_ADDRESS */
    char domain[HOSTNAME_MAX + 1]; /* A, MX, ELSEWHERE: canonical; "": that of the record */
    const char *flaw;              /* SPF_BROKEN: static */
    char text[SPF_TERM_MAX + 1];   /* as it stands there: untrusted, cut */
};

/* "v=spf1", alone or with terms behind it (RFC 7208 4.5). */
bool spf_record_is(const char *text);

/* The next term; *at is the record at first.  False: there is none. */
bool spf_record_next(const char **at, struct spf_term *out);

#endif
