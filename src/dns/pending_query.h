/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pending queries: the questions under way, one for each name and type, and the requests that wait
 * for each.  For resolver.c only.  Everything runs on the loop's thread and needs no lock, except
 * where it says so; other threads get there through loop_post().
 */
#ifndef IPREVD_PENDING_QUERY_H
#define IPREVD_PENDING_QUERY_H

#include "dns/breaker.h"
#include "dns/resolver.h"
#include "dns/resolver_metrics.h"

struct pending_queries;

/* All are borrowed. */
struct pending_query_services {
    struct cache *cache;
    struct loop *loop;
    struct sources *sources;
    struct breaker *breaker;
    const struct resolver_metrics *metrics;
    struct finding_log *findings;
};

/* NULL: out of memory. */
struct pending_queries *pending_queries_new(const struct pending_query_services *services,
                                            const struct resolver_limits *limits) MUST_CHECK;

/* Cancels every query: all waiters are answered.  NULL is fine. */
void pending_queries_free(struct pending_queries *queries);

/* Any thread. */
void pending_queries_set_limits(struct pending_queries *queries,
                                const struct resolver_limits *limits);

/*
 * A request that waits for nothing yet, with `refs` references; `done` NULL: for the cache alone.
 * `stale` is taken and may be NULL.  Any thread.  NULL: out of memory, and `stale` is left alone.
 */
struct resolver_request *pending_request_new(struct pending_queries *queries,
                                             const struct question *question, uint64_t network,
                                             int64_t deadline_ms, resolver_done *done, void *arg,
                                             struct answer *stale, unsigned refs) MUST_CHECK;

/* Any thread. */
void pending_request_unref(struct resolver_request *request);
bool pending_request_is_answered(const struct resolver_request *request);

/*
 * The breaker has opened: who has waited for RESOLVER_OUTAGE_WAIT_MS is answered.  If the servers
 * deny everything, denials in the cache are forgotten, and those to come are temporary failures.
 */
void pending_queries_outage(struct pending_queries *queries);

/*
 * The DNS, or a server, has come back: failures in the cache are forgotten, and all questions under
 * way are sent again, some at a time.
 */
void pending_queries_recovered(struct pending_queries *queries);

/* How often that was so.  Any thread. */
unsigned pending_queries_recoveries(const struct pending_queries *queries);

/*
 * Calls for loop_post(), with the request.  Ask: it joins the query for its question, or begins
 * one; its done may be called before this returns.  Leave: its asker has gone; done is called if it
 * was not.  Each takes one reference.
 */
void pending_request_ask(void *request);
void pending_request_leave(void *request);

#endif
