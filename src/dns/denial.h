/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which denials (NXDOMAIN, NODATA) are believed.  A resolver that denies everything, or an answer
 * that was lost on its way to us, looks like a name that does not exist; what a real denial has is
 * the SOA record of the zone that denies (RFC 2308 3).  Pure; thread safe.
 */
#ifndef IPREVD_DENIAL_H
#define IPREVD_DENIAL_H

#include "dns/answer.h"

/* What a message that denies says of it.  Names are in lower-case wire form. */
struct denial {
    uint8_t name_length;
    uint8_t apex_length;         /* 0: the authority section has no SOA */
    uint8_t name[WIRE_NAME_MAX]; /* that is denied: the last one of the CNAME chain */
    uint8_t apex[WIRE_NAME_MAX]; /* the owner of the SOA */
};

enum denial_proof {
    DENIAL_PROVED,
    DENIAL_WITHOUT_SOA, /* an SOA can still be asked for: denial_question() */
    DENIAL_OTHER_SOA,   /* of a zone that cannot speak for the name */
};

/*
 * Is the denial proved, of records of that type?  The SOA's owner has to be the name or an ancestor
 * of it.  For names below in-addr.arpa and ip6.arpa it has to lie at or below these.  The root's
 * proves nothing for PTR records, and for other types only NXDOMAIN below a top-level domain that
 * the Public Suffix List does not know: resolvers with a root of their own deny all others so, too.
 */
enum denial_proof denial_judge(const struct denial *denial, uint16_t type,
                               enum dns_outcome outcome);

/*
 * The question whose answer may bring the missing SOA: number 0 is for the SOA of the name itself,
 * the next are for those of its parents, the longest first (/24, /16, /8; of IPv6 /48, /32; of
 * other names at most DENIAL_PARENTS_MAX).  False: there is none of that number.
 */
#define DENIAL_PARENTS_MAX 5
bool denial_question(const struct denial *denial, uint16_t type, enum dns_outcome outcome,
                     unsigned number, struct question *out);

/*
 * A question that any resolver answers by NODATA with an SOA: one that leaves it out strips it from
 * all its denials.
 */
void denial_control_question(struct question *out);

#endif
