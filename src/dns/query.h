/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question on its way through the servers: sent to the first, after a while to the next, over
 * TCP where that is needed, until one of them answers or none is left.  A server that was
 * asked is listened to until the end, so a slow answer is not lost.  The loop's thread.
 */
#ifndef IPREVD_QUERY_H
#define IPREVD_QUERY_H

#include "dns/servers.h"
#include "dns/source.h"

#include <pthread.h>
#include <sys/queue.h>

/*
 * Milliseconds that a question waits after it was sent for the last time: a resolver that starts
 * from nothing may need them, as the C library knows (RES_TIMEOUT).
 */
#define QUERY_PATIENCE_MS 5000
#define QUERY_TCP_MS      3000 /* over TCP, before the next server is asked too */
#define QUERY_LOCAL_MS    100  /* before a try that failed for lack of descriptors is repeated */
/* Strays on one socket, then TCP: who sends them guesses port and ID (RFC 5452 9.2). */
#define QUERY_STRAYS_MAX  100
#define QUERY_TCP_DEFAULT 64 /* connections at a time */
#define QUERY_ATTEMPTS    2  /* tries per server */

struct query;
struct lane; /* one server of a query */

/* Counters; NULL where there is no registry. */
struct query_metrics {
    struct metric *mismatched, *tcp, *tcp_waits, *timeouts, *seconds;
};

/* What all queries of one source share. */
struct query_pool {
    struct loop *loop;
    pthread_mutex_t lock; /* held where a server's numbers change: others read them */
    unsigned timeout_ms;  /* first try; 0: as measured */
    unsigned attempts;    /* tries per server that is up */
    bool use_tcp;         /* from the start */
    unsigned tcp_max;     /* connections at a time; more wait for their turn */
    unsigned tcp_open;
    struct query_metrics metrics;
    struct loop_timer *tcp_turn;
    TAILQ_HEAD(lane_queue, lane) tcp_waiting;
    LIST_HEAD(query_list, query) running;
    uint16_t ids[64]; /* random, not used yet */
    unsigned id_count;
};

/* The settings are the caller's to fill.  STATUS_NOMEM. */
enum status query_pool_init(struct query_pool *pool, struct loop *loop) MUST_CHECK;
/* Cancels what is running. */
void query_pool_clear(struct query_pool *pool);

/*
 * Ask servers in this order, of which the first `up` are up (references are taken).  The rules for
 * `done` and the handle are those of source_ops.ask.
 */
struct query *query_start(struct query_pool *pool, const struct question *question,
                          struct server *const *servers, unsigned up, unsigned count,
                          int64_t deadline_ms, source_done *done, void *arg);
void query_cancel(struct query *query);

/* Ask one server that is down, for nobody: an answer brings it back. */
void query_probe(struct query_pool *pool, const struct question *question, struct server *server);

#endif
