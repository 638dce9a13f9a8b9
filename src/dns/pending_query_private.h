/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pending_query.c (pending questions and who waits for them), pending_share.c (whose question
 * is asked when) and pending_outage.c (servers that do not answer, and that come back) know of each
 * other.  Nobody else includes this.
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
    uint64_t network; /* resolver_network() of the client */
    uint64_t hash;    /* of the question: its place in the table */
    struct question question;
};

TAILQ_HEAD(waiters, resolver_request);

struct pending_query {
    LIST_ENTRY(pending_query) link;
    TAILQ_ENTRY(pending_query) recent; /* if under way, unless `missed` */
    bool missed;                       /* the breaker has heard that no answer comes */
    unsigned sent_again;               /* at this recovery */
    struct pending_queries *queries;
    struct question question;          /* as asked */
    struct question target;            /* at the end of the CNAME chain so far */
    struct source *source;             /* a user of it */
    void *handle;                      /* of the source's question under way */
    TAILQ_ENTRY(pending_query) shared; /* in its network's queries, the oldest first */
    TAILQ_ENTRY(pending_query) turn;   /* if `waiting` */
    struct share_network *network;     /* of the first asker */
    bool waiting;                      /* for its turn: nothing is under way */
    bool postponed, dropped;           /* why the source was asked to cancel */
    int64_t sent_ms;                   /* when it got its turn */
    bool background;                   /* the cache wants the answer even if nobody waits */
    bool abandoned;                    /* the source was asked to cancel */
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

/* A network of clients with pending questions. */
struct share_network {
    LIST_ENTRY(share_network) link; /* in the table */
    TAILQ_ENTRY(share_network) all;
    uint64_t key;              /* resolver_network() */
    unsigned count, under_way; /* of its questions: pending, and not waiting for their turn */
    struct pending_queue queries;
};

#define SHARE_LISTS 1021

/* A question that was given up may live on in the resolver for so long: five seconds. */
#define SHARE_GIVEN_UP_SLOTS   25
#define SHARE_GIVEN_UP_SLOT_MS 200

/* What pending_share.c keeps. */
struct pending_share {
    LIST_HEAD(share_list, share_network) table[SHARE_LISTS];
    TAILQ_HEAD(share_queue, share_network) networks;
    struct pending_queue waiting; /* for their turn, the newest last */
    unsigned network_count, waiting_count, under_way;
    unsigned window;                         /* questions under way at most */
    int64_t reduced_ms;                      /* when it was made smaller */
    unsigned given_up[SHARE_GIVEN_UP_SLOTS]; /* questions, by when: a ring */
    int64_t given_up_slot;                   /* the last one */
    unsigned drops;                          /* not logged yet */
    struct loop_timer *turn;
};

struct pending_queries {
    struct pending_query_services use;
    struct pending_share share;
    atomic_uint max_queries, max_cname_hops; /* any thread may change them */
    struct pending_list *table;              /* by question */
    size_t table_size;                       /* a power of two */
    unsigned count;
    struct pending_queue recent; /* under way since PENDING_MISSED_MS ago, the oldest first */
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

/* Ask the source, for a query that got its turn.  It may be gone afterwards. */
void pending_ask_source(struct pending_query *query);

/* The query's end: its answer (taken) goes to the cache and to all who wait. */
void pending_complete(struct pending_query *query, struct answer *answer);

/* --- pending_share.c ------------------------------------------------------------------------- */

/* A query begins, for a client of this network.  False: out of memory. */
bool pending_share_join(struct pending_query *query, uint64_t network) MUST_CHECK;
/* Then: may it be asked now?  Else pending_ask_source() is called when it is its turn. */
bool pending_share_admit(struct pending_query *query) MUST_CHECK;
/* The source has cancelled a `postponed` one. */
void pending_share_postponed(struct pending_query *query);
/* It ends. */
void pending_share_leave(struct pending_query *query);

/* A question was not answered for long; one was answered: the window is adapted. */
void pending_share_silent(struct pending_queries *queries);
void pending_share_answered(struct pending_queries *queries, const struct answer *answer);

/* Drop the oldest question of the network that has most. */
void pending_share_drop(struct pending_queries *queries);

/* False: out of memory. */
bool pending_share_open(struct pending_queries *queries) MUST_CHECK;
void pending_share_close(struct pending_queries *queries);

/* --- pending_outage.c ------------------------------------------------------------------------ */

/* A query is under way, it is no more (waits or ends), somebody waits, he is answered. */
void pending_watch_query(struct pending_query *query);
void pending_unwatch_query(struct pending_query *query);
void pending_watch_request(struct resolver_request *request);
void pending_unwatch_request(struct resolver_request *request);

/* The timers.  False: out of memory. */
bool pending_watch_open(struct pending_queries *queries) MUST_CHECK;
void pending_watch_close(struct pending_queries *queries);

#endif
