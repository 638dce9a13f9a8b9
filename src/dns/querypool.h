/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the questions under way share: settings, random numbers, the turn for TCP connections,
 * counters, and the one way by which they change what is known about servers.  The loop's thread,
 * but for the numbers of servers, which others may read while they hold `lock`.
 */
#ifndef IPREVD_QUERYPOOL_H
#define IPREVD_QUERYPOOL_H

#include "dns/servers.h"
#include "dns/transport_udp.h"

#include <pthread.h>
#include <sys/queue.h>

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
    struct udp_spare spare;
    struct loop_timer *spare_timer;
    bool spare_ends;  /* it is armed */
    uint16_t ids[64]; /* random, not used yet */
    unsigned id_count;
};

/* The settings are the caller's to change.  `turn`: called with the pool when a TCP connection may
 * have become free. */
enum result query_pool_init(struct query_pool *pool, struct loop *loop,
                            void (*turn)(void *pool)) MUST_CHECK;
/* Only when nothing is running. */
void query_pool_clear(struct query_pool *pool);

/* No question is under way: spare sockets go if that stays so for a moment. */
void query_pool_rest(struct query_pool *pool);

/* 16 bits from the system's generator, each used once.  RESULT_IO. */
enum result query_pool_id(struct query_pool *pool, uint16_t *out) MUST_CHECK;

/*
 * A time to wait, made up to a quarter longer: questions that were lost together, as by a burst
 * that overflowed the server's buffer, must not be sent again all at once.
 */
int64_t query_pool_spread(struct query_pool *pool, int64_t wait_ms);

/* What happened to a server: see servers.h.  Changes between up and down are logged. */
typedef bool query_pool_note(struct server *server, int64_t now_ms);
void query_pool_asked(struct query_pool *pool, struct server *server);
void query_pool_answered(struct query_pool *pool, struct server *server, int64_t rtt_ms, bool good);
void query_pool_failed(struct query_pool *pool, struct server *server, query_pool_note *note);
/* A packet that answered no question of ours. */
void query_pool_stray(struct query_pool *pool, struct server *server);

#endif
