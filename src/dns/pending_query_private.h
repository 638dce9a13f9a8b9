/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pending_query.c (questions under way and who waits for them) and pending_outage.c (servers
 * that do not answer, and that come back) know of each other.  Nobody else includes this.
 */
#ifndef IPREVD_PENDING_QUERY_PRIVATE_H
#define IPREVD_PENDING_QUERY_PRIVATE_H

#include "dns/pending_query.h"

#include <sys/queue.h>

/* Names of a CNAME chain that are remembered, to see it go in a circle. */
#define CHAIN_SEEN_MAX 32

/*
 * One asker.  It has two owners, its query (until done) and the asker's handle (until
 * resolver_cancel()), and a reference for each call posted about it.
 */
struct resolver_request {
    TAILQ_ENTRY(resolver_request) link;    /* in its query's waiters */
    TAILQ_ENTRY(resolver_request) waiting; /* among all who wait, if there is a `done` */
    atomic_uint refs;
    atomic_bool answered; /* done was called: set on the loop's thread */
    struct pending_queries *queries;
    struct pending_query *query; /* NULL: not begun, or done */
    resolver_done *done;         /* NULL: a refresh in the background */
    void *arg;
    struct answer *stale; /* to fall back on, or NULL */
    int64_t stale_due_ms; /* when to fall back on it at the latest */
    int64_t asked_ms, deadline_ms;
    uint64_t hash; /* of the question: its place in the table */
    struct question question;
};

TAILQ_HEAD(waiters, resolver_request);

struct pending_query {
    LIST_ENTRY(pending_query) link;
    TAILQ_ENTRY(pending_query) recent; /* unless `missed` */
    bool missed;                       /* the breaker has heard that no answer comes */
    unsigned sent_again;               /* at this recovery */
    struct pending_queries *queries;
    struct question question; /* as asked */
    struct question target;   /* at the end of the CNAME chain so far */
    struct source *source;    /* a user of it */
    void *handle;             /* of the source's question under way */
    bool background;          /* the cache wants the answer even if nobody waits */
    bool abandoned;           /* the source was asked to cancel */
    struct waiters waiters;
    struct loop_timer *timer; /* for stale answers; NULL until needed */
    int64_t started_ms, deadline_ms;
    unsigned hops, seen_count;
    uint64_t seen[CHAIN_SEEN_MAX]; /* hashes of earlier targets */
    uint32_t chain_ttl_s;
    bool secure, aliased;
};

LIST_HEAD(pending_list, pending_query);
TAILQ_HEAD(pending_queue, pending_query);

struct pending_queries {
    struct pending_query_services use;
    atomic_uint max_queries, max_cname_hops; /* any thread may change them */
    struct pending_list *table;              /* by question */
    size_t table_size;                       /* a power of two */
    unsigned count;
    struct pending_queue recent; /* begun since PENDING_MISSED_MS ago, the oldest first */
    struct loop_timer *missed_timer;
    bool missed_armed;
    struct waiters waiting; /* all who wait, the first asker first */
    struct loop_timer *outage_timer;
    bool outage_armed;
    atomic_uint recoveries;
    struct loop_timer *again_timer;
    size_t again_list; /* of the table: those before it have been sent again */
    bool closing;      /* nothing begins any more */
    int64_t figures_ms;
    /* Answers for when there is no memory to make one. */
    struct answer *refused, *cancelled, *nomem, *outage;
};

static inline int64_t now_ms(const struct pending_queries *queries)
{
    return loop_now_ms(queries->use.loop);
}

/* Give the asker this answer, or its stale one where there is one and this is a failure. */
void pending_deliver(struct pending_queries *queries, struct resolver_request *request,
                     struct answer *answer);

/* Packets may have been lost since the question was sent.  The query may be gone afterwards. */
void pending_nudge(struct pending_query *query);

/* --- pending_outage.c ------------------------------------------------------------------------ */

/* A query begins, it ends, somebody waits, he is answered. */
void pending_watch_query(struct pending_query *query);
void pending_unwatch_query(struct pending_query *query);
void pending_watch_request(struct resolver_request *request);
void pending_unwatch_request(struct resolver_request *request);

/* The timers.  False: out of memory. */
bool pending_watch_open(struct pending_queries *queries) MUST_CHECK;
void pending_watch_close(struct pending_queries *queries);

#endif
