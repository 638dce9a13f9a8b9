/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and addresses that cannot do what somebody hoped for: what replies and advice say of them.
 * Names are canonical (core/hostname.h).  Pure; thread safe.
 */
#ifndef IPREVD_NAMEKIND_H
#define IPREVD_NAMEKIND_H

#include "core/hostname.h"

/* What software says when nobody gave it a name: localhost, localhost.localdomain and the like. */
bool namekind_is_placeholder(const char *name);

/*
 * Is the name one that only its own network can know: below .local (RFC 6762), .internal,
 * .home.arpa (RFC 8375), .lan and the like?  Returns that ending with its dot (static), or NULL.
 */
const char *namekind_local_ending(const char *name);

/*
 * Is a PTR's name below in-addr.arpa or ip6.arpa, since its final dot was forgotten in the reverse
 * zone's file?  Then *meant is the name without the zone's labels, "" when that is no host name.
 */
bool namekind_lacks_dot(const char *name, char meant[HOSTNAME_MAX + 1]);

/* Has the name an underscore, which host names must not have (RFC 1123 2.1)? */
bool namekind_has_underscore(const char *name);

/* "a private address", "an unspecified address", ...: why nobody on the Internet reaches it.  NULL
   for all others.  Static. */
const char *namekind_private_address(const struct ipaddr *addr);

#endif
