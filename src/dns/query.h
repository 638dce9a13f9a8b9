/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question on its way through the servers: sent to the first, after a while to the next, over
 * TCP where that is needed, until one of them answers or none is left.  A server that was
 * asked is listened to until the end, so a slow answer is not lost.  The loop's thread.
 */
#ifndef IPREVD_QUERY_H
#define IPREVD_QUERY_H

#include "dns/querypool.h"
#include "dns/source.h"

/*
 * Milliseconds that a question waits after it was sent for the last time: a resolver that starts
 * from nothing may need them, as the C library knows (RES_TIMEOUT).
 */
#define QUERY_PATIENCE_MS 5000
#define QUERY_TCP_MS      3000 /* over TCP, before the next server is asked too */
#define QUERY_LOCAL_MS    100  /* before a try that failed for lack of descriptors is repeated */
/* Strays on one socket, then TCP: who sends them guesses port and ID (RFC 5452 9.2). */
#define QUERY_STRAYS_MAX 100

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

/* For query_pool_init(): connect those who wait for a TCP connection. */
void query_turn(void *pool);

#endif
