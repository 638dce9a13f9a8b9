/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache, single flight and CNAME chains in front of a source, for any number of
 * threads.  A cache hit is answered on the calling thread; a miss goes to the loop's
 * thread, where one flight per name and type serves all who ask meanwhile.
 */
#ifndef IPREVD_RESOLVER_H
#define IPREVD_RESOLVER_H

#include "base/clock.h"
#include "base/metrics.h"
#include "dns/cache.h"
#include "dns/loop.h"
#include "dns/source.h"

struct resolver;
struct resolver_request; /* one waiter of a flight */

struct resolver_limits {
    unsigned max_flights;    /* questions in flight; beyond: PROBLEM_LIMIT, counted */
    unsigned max_cname_hops; /* default 8 */
};

/* The outage breaker's state, for logs and metrics. */
struct resolver_health {
    bool down; /* outage: lookups of many different zones fail */
    int64_t since_ms;
};

/*
 * `source` is taken (freed with the resolver) and `cache`, `clock`, `loop` are borrowed.  With
 * `loop` NULL everything runs on the calling thread (single-threaded use: tests, and sources that
 * answer at once). `metrics` may be NULL.  NULL: out of memory.
 */
struct resolver *resolver_new(struct source *source, struct cache *cache, struct loop *loop,
                              const struct clock *clock, const struct resolver_limits *limits,
                              struct metrics *metrics) MUST_CHECK;

/*
 * Ends every flight (waiters get PROBLEM_CANCELLED), then frees.  The loop must have been stopped
 * (loop_stop()), or be NULL; the lookups may end later only if they ended their requests.
 */
void resolver_free(struct resolver *resolver);

/*
 * Replace the source (reload).  Flights under way end with the old one.  Takes `source`.
 */
enum status resolver_set_source(struct resolver *resolver, struct source *source) MUST_CHECK;

/* How an answer reached the asker. */
struct resolver_answer {
    struct answer
        *answer; /* borrowed in the callback; owned after resolver_ask() == STATUS_OK; never NULL */
    enum dns_origin origin; /* of this delivery: NETWORK, CACHE, STALE, ZONE */
    uint32_t ttl_left_s;
    uint32_t took_ms; /* waited by this asker */
};

/* Called exactly once, on the loop's thread. */
typedef void resolver_done(void *arg, const struct resolver_answer *answer);

/*
 * Ask.  STATUS_OK: *now holds the answer (one reference for the caller), done will not be called.
 * STATUS_PENDING: done is called exactly once, whatever happens, on the loop's thread (without a
 * loop possibly before this returns); *request is a handle that the caller gives back by exactly
 * one resolver_cancel(), before or after that.  Others (NOMEM, CLOSED): nothing is under way.
 * deadline_ms: nobody needs the answer later (monotonic).  Thread safe.  No lock that `done` takes
 * may be held by the caller.
 */
enum status resolver_ask(struct resolver *resolver, const struct question *question,
                         int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request) MUST_CHECK;

/*
 * Give the handle back.  If the answer has not come, the asker has gone: done is called with
 * PROBLEM_CANCELLED, from the loop's thread (without a loop: before this returns), and a flight
 * without askers is dropped.  Thread safe, never blocks on the network; no lock that `done` takes
 * may be held by the caller.  NULL is fine.
 */
void resolver_cancel(struct resolver *resolver, struct resolver_request *request);

/* Without a loop: what timers would do.  Call when time has passed. */
void resolver_poll(struct resolver *resolver);

struct resolver_health resolver_health(struct resolver *resolver);

/* Text of answer->server ("127.0.0.1:53"), or NULL; lives as long as the resolver.  Thread safe. */
const char *resolver_server_text(struct resolver *resolver, unsigned server);

struct cache *resolver_cache(struct resolver *resolver);
const struct clock *resolver_clock(const struct resolver *resolver);

#endif
