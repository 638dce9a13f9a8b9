/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS lists of addresses (RFC 5782): the name that is asked for, and what the addresses of the
 * answer mean.  A list says something of a client by addresses in 127.0.0.0/8 only.  Pure; thread
 * safe.
 */
#ifndef IPREVD_DNSLIST_H
#define IPREVD_DNSLIST_H

#include "core/facts.h"

/* Bytes of a list's zone, at most: 64 stand before it for an IPv6 address. */
#define DNSLIST_ZONE_MAX (HOSTNAME_MAX - 64)

/* The addresses that count: four sets of numbers, one a byte. */
struct dnslist_filter {
    bool any; /* none was given: see dnslist_fits() */
    uint32_t sets[4][8];
};

/*
 * "ZONE" or "ZONE=D.D.D.D", as in postscreen_dnsbl_sites of Postfix: each D is a number of 0 to
 * 255, or "[...]" with numbers and ranges "N..N" between semicolons.  `zone` (canonical) has
 * DNSLIST_ZONE_MAX + 1 bytes.  NULL: it is sound; else what is wrong with it, static.
 */
const char *dnslist_parse(const char *text, char zone[DNSLIST_ZONE_MAX + 1],
                          struct dnslist_filter *filter);

/*
 * The name that is asked for: "7.100.51.198.ZONE", of IPv6 nibbles (RFC 5782 2.4).  Canonical.
 * `client` is not IP_NONE.  Returns out.
 */
const char *dnslist_name(const struct ipaddr *client, const char *zone, char out[HOSTNAME_MAX + 1]);

/* What a list says, whatever is looked for. */
enum dnslist_state {
    DNSLIST_NOT_ASKED,
    DNSLIST_AWAITED,
    DNSLIST_LISTED,
    DNSLIST_NOT_LISTED,
    /* It refuses to say, by 127.255.255.0/24 or 127.0.0.255, or is no list: its answer has an
       address outside of 127.0.0.0/8. */
    DNSLIST_REFUSES,
    DNSLIST_FAILS, /* a temporary failure, or an answer past its time */
    DNSLIST_STATE_COUNT
};
enum dnslist_state dnslist_state(const struct list_facts *list);

/* "not-asked", "awaited", "listed", "not-listed", "refuses", "fails".  Static. */
const char *dnslist_state_text(enum dnslist_state state);

/* Did it not say what it was asked, so that nothing follows? */
static inline bool dnslist_is_silent(enum dnslist_state state)
{
    return state == DNSLIST_REFUSES || state == DNSLIST_FAILS;
}

/*
 * Is the client listed, with one address that the filter holds?  Without a filter all addresses
 * count but 127.0.0.1, which RFC 5782 5 keeps for tests and lists for errors.
 */
bool dnslist_fits(const struct dnslist_filter *filter, const struct list_facts *list);

/* Does `wide` hold all that `narrow` holds? */
bool dnslist_filter_covers(const struct dnslist_filter *wide, const struct dnslist_filter *narrow);

#endif
