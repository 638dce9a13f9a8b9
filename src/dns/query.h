/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question on its way through the servers: sent to the first, after a while to the next, over
 * TCP where that is needed, again and again with longer pauses, until one of them answers or the
 * deadline comes.  A server that was asked is listened to until the end, so that a slow answer is
 * not lost.  The loop's thread.
 */
#ifndef IPREVD_QUERY_H
#define IPREVD_QUERY_H

#include "base/loop.h"
#include "base/metrics.h"
#include "dns/source.h"

/* Rounds of the servers that are up before those that are down are asked, too. */
#define QUERY_ROUNDS_UP 2
/*
 * Milliseconds before a server that could not be reached is asked again, from another port: twice
 * as long each time.  It may be restarting, or somebody who guessed the port sent the ICMP message.
 */
#define QUERY_AGAIN_MIN_MS 100
#define QUERY_AGAIN_MAX_MS 500
#define QUERY_TCP_TRIES    5    /* connections of one question to a server that breaks them off */
#define QUERY_NUDGE_MS     250  /* a new asker is worth a packet when the last is as old as this */
#define QUERY_TCP_MS       3000 /* over TCP, before the next server is asked too */
/* ... on a connection with others, of which it is not known that they do not hold it up. */
#define QUERY_TCP_SHARED_MS 1000
#define QUERY_LOCAL_MS      100 /* before a try that failed for lack of descriptors is repeated */
/* Strays on one socket, then TCP: a sender of strays guesses port and ID (RFC 5452 9.2). */
#define QUERY_STRAYS_MAX 100
#define QUERY_TCP_MAX    64 /* connections at a time, unless set */

struct query;
struct server;

struct query_settings {
    unsigned timeout_ms; /* of the first try; 0: as measured, but ... */
    unsigned most_ms;    /* ... no longer than this; 0: no such limit */
    unsigned attempts;   /* tries per server that is up; 0: until the deadline */
    bool use_tcp;        /* from the start */
    bool authoritative;  /* the servers are asked without recursion */
    unsigned tcp_max;    /* connections at a time, others wait for their turn; 0: QUERY_TCP_MAX */
};

/*
 * What the questions under way share: settings, random numbers, spare sockets, the turn for TCP
 * connections and counters.  Every change of what is known about a server goes through it.  `loop`
 * is borrowed, `metrics` may be NULL.  NULL: out of memory.
 */
struct query_pool;
struct query_pool *query_pool_new(struct loop *loop, struct metrics *metrics) MUST_CHECK;

/* Cancels what is under way.  NULL is fine. */
void query_pool_free(struct query_pool *pool);

void query_pool_set(struct query_pool *pool, const struct query_settings *settings);

/* True once after a server that had been given up has answered again.  The loop's thread only. */
bool query_pool_came_back(struct query_pool *pool);

/* While it is held the servers' numbers do not change.  Any thread. */
void query_pool_lock(struct query_pool *pool);
void query_pool_unlock(struct query_pool *pool);

/*
 * Ask the servers in this order, of which the first `up` are up (references are taken).  The rules
 * for `done` and the handle are those of source_ops.ask.
 */
struct query *query_start(struct query_pool *pool, const struct question *question,
                          struct server *const *servers, unsigned up, unsigned count,
                          int64_t deadline_ms, source_done *done, void *arg);
void query_cancel(struct query *query);

/*
 * Somebody else waits for the answer, until deadline_ms: a packet is sent if the last one is old.
 * The query may end by it.
 */
void query_nudge(struct query *query, int64_t deadline_ms);

/* Ask one server that is down, with no asker to answer: an answer brings it back. */
void query_probe(struct query_pool *pool, const struct question *question, struct server *server);

#endif
