/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the DNS says besides the facts, for evidence and advice only: aliases on the way, whose zone
 * a name is in, whether neighbours have the same PTR name.  Nothing of it judges.  What is not
 * known is empty or false.
 */
#ifndef IPREVD_INQUIRY_H
#define IPREVD_INQUIRY_H

#include "core/checks.h"
#include "ctl/check_now.h"

#define INQUIRY_V6_SKIP 16 /* labels below a /64, in which nobody begins a zone */

struct inquiry {
    const struct orgdomain *orgdomains; /* borrowed; may be NULL */
    /* The reverse name's aliases (RFC 2317), in order. */
    size_t chain_count;
    char chain[HOSTLOOKUP_CHAIN_MAX][NAME_TEXT_MAX];
    char zone[NAME_TEXT_MAX]; /* the zone in which the PTR record is, or should be */
    /* Of the PTR name that matters, by inquiry_subject(). */
    char alias[NAME_TEXT_MAX];   /* what it is an alias for */
    bool other_family;           /* it has addresses, but of the other family */
    bool shared;                 /* a neighbour of the client has the same PTR name */
    const struct check_now *now; /* what the zones' own servers say; NULL: not asked */
    /* Of the EHLO name. */
    char helo_alias[NAME_TEXT_MAX];
    bool other_in_order; /* its address of the other family has reverse DNS that is in order */
    struct ipaddr other; /* that address */
};

/* The PTR name that evidence and advice speak about: the confirmed one, else the EHLO name if it is
   among them, else the first that is a host name; NULL: none. */
const struct name_facts *inquiry_subject(const struct evidence *evidence);

/* Where the PTR record is, or should be: the reverse name, or what that is an alias for. */
const char *inquiry_owner(const struct inquiry *inquiry, const char *reverse);

/* Ask.  Blocks until deadline_ms at the latest.  RESULT_NOMEM. */
enum result inquiry_make(struct resolver *resolver, const struct evidence *evidence,
                         const struct orgdomain *orgdomains, int64_t deadline_ms,
                         struct inquiry *out) MUST_CHECK;

#endif
