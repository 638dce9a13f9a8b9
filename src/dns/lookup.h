/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is asked of the DNS about one client: PTR, then the addresses of
 * every name, the addresses (or MX) of the EHLO name, and DNS lists, side by side.  Starts at
 * connect, runs while the dialogue goes on, and is waited for only where the verdict is
 * delivered.  One lookup belongs to one session; its functions are called by one thread at a
 * time (libmilter may change threads between calls), while answers arrive on the resolver's.
 */
#ifndef IPREVD_LOOKUP_H
#define IPREVD_LOOKUP_H

#include "core/facts.h"
#include "dns/resolver.h"

#define LOOKUP_MAX_PTR_LIMIT 100 /* upper limit of the option max-ptr */

struct lookup;

/*
 * Start with the PTR of `client` (not IP_NONE).  Of its names the first max_ptr are looked up, in
 * their canonical order; `preferred` (canonical, copied; "": none), where the PTR has it, takes the
 * last place of them if it stands behind.  They are looked up a few at a time (lookup_favour()),
 * and once one leads back only those of lookup_ask_names().  deadline_ms: absolute, monotonic; what
 * is not known then is DNS_TEMPERROR "deadline".  NULL: out of memory.
 */
struct lookup *lookup_start(struct resolver *resolver, const struct ipaddr *client,
                            unsigned max_ptr, const char *preferred,
                            int64_t deadline_ms) MUST_CHECK;

/*
 * (Re)start the EHLO part: an earlier one is dropped.  Asks only if helo->name is not "", and if
 * `now` is false not before lookup_go_on().
 * deadline_ms: absolute, monotonic, for this part: an EHLO after STARTTLS may come late; the
 * reverse part keeps its own.  RESULT_NOMEM: nothing started, and lookup_facts() says RESULT_NOMEM
 * too.
 */
enum result lookup_helo(struct lookup *lookup, const struct helo *helo, bool now,
                        int64_t deadline_ms) MUST_CHECK;

/*
 * Ask `count` DNS lists about the client, once a lookup; `zones` (canonical, at most
 * DNSLIST_ZONE_MAX) are borrowed until lookup_free().  RESULT_NOMEM: nothing started, and
 * lookup_facts() says RESULT_NOMEM too.
 */
enum result lookup_lists(struct lookup *lookup, const char *const *zones, size_t count,
                         int64_t deadline_ms) MUST_CHECK;

/* Are there, or may there be, so many PTR names that their order matters? */
bool lookup_orders_names(struct lookup *lookup);

/*
 * PTR names in one of these domains (canonical, copied; NULL or "": none) are looked up before the
 * others; the EHLO name and the preferred one are before all.
 */
void lookup_favour(struct lookup *lookup, const char *helo_domain, const char *sender_domain);

/*
 * Look up names although another one leads back: those for which `wanted` says so.  It is called
 * under a lock of the lookup, at once, for names that have not been looked up.  Where there are
 * some, the PTR and its names have until deadline_ms, if that is later than the deadline they had.
 */
void lookup_ask_names(struct lookup *lookup, int64_t deadline_ms,
                      bool (*wanted)(void *arg, const char *name), void *arg);

/*
 * Nobody waits for what is under way: it is given up, as if it had not been asked.  Go on: ask
 * again what is not known, with another deadline for what was held.
 */
void lookup_hold(struct lookup *lookup);
void lookup_go_on(struct lookup *lookup, int64_t deadline_ms);

/* Ask again what failed while the servers were down, if they have come back since. */
void lookup_ask_again(struct lookup *lookup);

/*
 * Somebody else is asked about the client beside the DNS, by the caller: other hosts' memory.  It
 * is waited for, for so many milliseconds at most, and for its answer,
 * lookup_elsewhere_came(), which is to be called once, by any thread, before or after
 * lookup_free().
 */
void lookup_await_elsewhere(struct lookup *lookup, unsigned within_ms);
void lookup_elsewhere_came(struct lookup *lookup, bool answered);

enum lookup_elsewhere {
    LOOKUP_ELSEWHERE_NOT_ASKED,
    LOOKUP_ELSEWHERE_AWAITED,
    LOOKUP_ELSEWHERE_SILENT,
    LOOKUP_ELSEWHERE_ANSWERED
};
enum lookup_elsewhere lookup_elsewhere(struct lookup *lookup);

/*
 * Everything known that was asked, or the deadlines of what is not past?  Does
 * lookup_ask_again(), and asks about more PTR names when it is their turn.
 */
bool lookup_ready(struct lookup *lookup);

/* Was something answered since lookup_facts()?  And: that, or ready? */
bool lookup_has_changed(struct lookup *lookup);
bool lookup_has_news(struct lookup *lookup);

/*
 * Block until lookup_ready(), until lookup_has_news(), or until every name was looked up, whatever
 * it is good for.  Only with a resolver that has a loop.
 */
void lookup_wait(struct lookup *lookup);
void lookup_wait_for_news(struct lookup *lookup);
void lookup_wait_for_all(struct lookup *lookup);

/* Until lookup_has_news(), but for at most `most_ms`.  False: it has none. */
bool lookup_wait_ms(struct lookup *lookup, unsigned most_ms) MUST_CHECK;

/*
 * A PTR name that is the EHLO name counts as looked up though it stands behind max_ptr: the EHLO
 * part has asked for its addresses.
 *
 * Fill the DNS part of facts (client, ptr, names, names_over, helo_name, helo_other, helo_mx,
 * lists, resolver_down, awaited); the rest is left alone.  What is still open is awaited, and
 * DNS_TEMPERROR; a PTR name that is not asked about as another one leads back is DNS_NOT_ASKED.
 * Pointers in facts live until the next lookup_helo(), lookup_facts() or lookup_free().
 * RESULT_NOMEM: facts not filled.
 */
enum result lookup_facts(struct lookup *lookup, struct facts *facts) MUST_CHECK;

/*
 * Milliseconds that the DNS took: from the start of a part, reverse, EHLO or lists, to its last
 * answer (or so far), of these the most; a client that is slow to say EHLO does not count.  And
 * whether every answer came from the cache, and fresh.
 */
int64_t lookup_took_ms(struct lookup *lookup);
bool lookup_all_cached(struct lookup *lookup);

/* Drop what is under way and free (late answers are discarded safely).  free(NULL) is fine. */
void lookup_free(struct lookup *lookup);

#endif
