/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many organizational domains an address has said in EHLO within a day.  A mail server says its
 * one name; what says another one each time is a bot, or many machines behind one address.
 *
 * An address (a /64 of IPv6) has four hashes under a secret key and the time of the first; a day
 * later it begins anew.  It has that of its last name, too: who says the same again, as nearly all
 * do, costs no search for its domain, which takes a fifth of a session's instructions.  The table
 * has a fixed size: who comes takes the place of one that is over, or else of the oldest.  What is
 * forgotten, at a restart too, only makes counts smaller.
 *
 * Thread safe: one mutex, held for a few hundred instructions.
 */
#ifndef IPREVD_HELO_DOMAINS_H
#define IPREVD_HELO_DOMAINS_H

#include "base/siphash.h"
#include "core/ipaddr.h"
#include "core/orgdomain.h"

struct helo_domains;

/* Domains that are told apart; with one more of them there are "more". */
#define HELO_DOMAINS_MAX 4

#define HELO_DOMAINS_SIZE_MIN 4096 /* bytes */

/* NULL when memory is out.  The key is copied.  free(NULL) is fine. */
struct helo_domains *helo_domains_new(size_t size_bytes,
                                      const uint8_t key[SIPHASH_KEY_LENGTH]) MUST_CHECK;
void helo_domains_free(struct helo_domains *domains);

/*
 * The client said EHLO `name`, canonical, now: of how many different domains by `list` (NULL: none
 * is known) has it said names within a day?  HELO_DOMAINS_MAX + 1 is that or more.  0: domains
 * NULL, IP_NONE, or a name that belongs to nobody.
 */
unsigned helo_domains_note(struct helo_domains *domains, const struct orgdomain *list,
                           const struct ipaddr *client, const char *name, int64_t wall_s);

#endif
