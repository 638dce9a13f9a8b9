/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache, pending queries and CNAME chains in front of a source, for any number of threads.  A cache
 * hit is answered on the calling thread; a miss goes to the loop's thread, where one query per name
 * and type serves all who ask meanwhile.
 */
#ifndef IPREVD_RESOLVER_H
#define IPREVD_RESOLVER_H

#include "base/clock.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "dns/cache.h"
#include "dns/source.h"

struct resolver;
struct resolver_request; /* one that waits for an answer */

/* Milliseconds for which an asker waits in an outage, at most: long enough to notice its end. */
#define RESOLVER_OUTAGE_WAIT_MS 1000

struct resolver_limits {
    unsigned max_queries; /* questions under way; beyond: PROBLEM_LIMIT, counted */
    /*
     * Questions that may follow one another for the CNAMEs of one chain; beyond: PROBLEM_CHAIN.
     * What arrived in one message costs one, however many CNAMEs it has.
     */
    unsigned max_cname_hops;
    struct ipaddr control; /* has a PTR record in any case: see breaker.h; IP_NONE: none */
};

/* The outage breaker's state, for logs and metrics. */
struct resolver_health {
    bool down;        /* outage: lookups of many different zones fail, or all are denied */
    bool denies;      /* it is the latter */
    int64_t since_ms; /* monotonic; 0: it never was down */
};

/*
 * `source` is taken (freed with the resolver, or at once on failure); `cache` and `loop`, whose
 * clock is the resolver's, are borrowed.  `metrics` may be NULL.  NULL: out of memory.
 */
struct resolver *resolver_new(struct source *source, struct cache *cache, struct loop *loop,
                              const struct resolver_limits *limits,
                              struct metrics *metrics) MUST_CHECK;

/*
 * Ends every query (waiters get PROBLEM_CANCELLED), then frees.  The loop must have been stopped
 * (loop_stop()).  Requests may still be given back by resolver_cancel() later.
 */
void resolver_free(struct resolver *resolver);

/*
 * Replace the source (reload), which empties the cache.  Queries under way end with the old one,
 * and their answers are not kept.  Takes `source` (freed at once on failure).  Thread safe.
 */
enum result resolver_set_source(struct resolver *resolver, struct source *source) MUST_CHECK;

/*
 * Look at the present source, as network_health() does: it is not freed meanwhile.  Under a lock
 * of the resolver: `look` must be quick and not call the resolver.  Thread safe.
 */
void resolver_look_at_source(struct resolver *resolver,
                             void (*look)(void *arg, const struct source *source), void *arg);

/* Other limits (reload): for what is asked from now on.  Thread safe. */
void resolver_set_limits(struct resolver *resolver, const struct resolver_limits *limits);

/* How an answer reached the asker. */
struct resolver_answer {
    struct answer
        *answer; /* borrowed in the callback; owned after resolver_ask() == RESULT_OK; never NULL */
    enum dns_origin origin; /* of this delivery: NETWORK, CACHE, STALE, ZONE */
    uint32_t ttl_left_s;
    uint32_t took_ms; /* waited by this asker */
};

/*
 * The network of clients in whose name is asked, for resolver_ask(), and back.  0: nobody's.  Those
 * that have most pending give way when the servers have enough to do: pending_share.c.
 */
#define RESOLVER_NETWORK_V4 24 /* bits */
#define RESOLVER_NETWORK_V6 48
uint64_t resolver_network(const struct ipaddr *client);
void resolver_network_of(uint64_t network, struct ipnet *out);

/* The answer is there: see resolver_ask(). */
typedef void resolver_done(void *arg, const struct resolver_answer *answer);

/*
 * Ask.  RESULT_OK: *now holds the answer (one reference for the caller), done will not be called.
 * RESULT_PENDING: done is called exactly once, whatever happens: on the loop's thread, which may be
 * the caller's own, then possibly before this returns.  *request is a handle
 * that the caller gives back by exactly one resolver_cancel(), before or after that; it is set
 * when this returns.  Others (NOMEM, CLOSED): nothing is under way, done will not be called.
 * deadline_ms: nobody needs the answer later (monotonic); done is not called at it, but when the
 * source gives up, at the latest 30 s after the first asker came.
 *
 * In an outage done is called with a failure (PROBLEM_TIMEOUT) or the stale answer after
 * RESOLVER_OUTAGE_WAIT_MS; the servers are asked on, for the cache.
 *
 * A stale answer (RFC 8767) is had at once while the last failure is fresh; else the servers are
 * asked, and it is given when they fail, after 1.8 s, or shortly before deadline_ms.
 *
 * Thread safe.  Locks: no lock that `done` takes may be held by the caller; inside, one lock at a
 * time is held (a cache shard's, the loop's, the resolver's), and none while done or the source
 * runs.
 */
enum result resolver_ask(struct resolver *resolver, const struct question *question,
                         uint64_t network, int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request) MUST_CHECK;

/*
 * Give the handle back.  If the answer has not come, the asker has gone: done is called with
 * PROBLEM_CANCELLED (or with the answer, if that comes first) on the loop's thread, which may be
 * the caller's own, then before this returns; and a query without askers is abandoned.  `arg` must
 * live until then.  Never blocks on the network.  NULL is fine.  Thread safe; locks as for
 * resolver_ask().
 */
void resolver_cancel(struct resolver *resolver, struct resolver_request *request);

/* Bring the cache's figures in the metrics up to date now.  Thread safe. */
void resolver_update_figures(struct resolver *resolver);

struct resolver_health resolver_health(struct resolver *resolver);

/* Its `down` alone, without a lock. */
bool resolver_is_down(const struct resolver *resolver);

/*
 * How often a server or the whole DNS has come back so far: what failed before a change of this
 * number may be asked again.  Thread safe, without a lock.
 */
unsigned resolver_recoveries(const struct resolver *resolver);

/* Text of answer->server ("127.0.0.1:53"), or NULL; lives as long as the resolver.  Thread safe. */
const char *resolver_server_text(struct resolver *resolver, unsigned server);

struct cache *resolver_cache(struct resolver *resolver);
const struct clock *resolver_clock(const struct resolver *resolver);

#endif
