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

/* Ends every flight (waiters get PROBLEM_CANCELLED), then frees.  The loop must still run, or be
 * NULL. */
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
 * STATUS_PENDING: done will be called exactly once, whatever happens; *request is for
 * resolver_cancel(). Others (NOMEM, CLOSED): nothing is under way.  deadline_ms: nobody needs the
 * answer later (monotonic). Thread safe.
 */
enum status resolver_ask(struct resolver *resolver, const struct question *question,
                         int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request) MUST_CHECK;

/*
 * The asker has gone: done is called soon with PROBLEM_CANCELLED (unless it has been called); a
 * flight without askers is dropped.  The request must not be used after its done was called: the
 * caller serialises that with its own lock.  Thread safe, never blocks on the network.
 */
void resolver_cancel(struct resolver *resolver, struct resolver_request *request);

struct resolver_health resolver_health(const struct resolver *resolver);

/* Text of answer->server ("127.0.0.1:53"), or NULL; lives as long as the resolver. Thread safe. */
const char *resolver_server_text(const struct resolver *resolver, unsigned server);

struct cache *resolver_cache(struct resolver *resolver);
const struct clock *resolver_clock(const struct resolver *resolver);

#endif
