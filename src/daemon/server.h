/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as one context: configuration in force, cache, DNS thread, resolver, counters; and
 * what happens at reload and stop.
 */
#ifndef IPREVD_SERVER_H
#define IPREVD_SERVER_H

#include "site/engine.h"

struct server;

#define SERVER_ERROR_MAX ENGINE_ERROR_MAX

/*
 * Build everything but the listener for a configuration (a reference is taken).  No thread is made
 * yet, so privileges can still be dropped.  NULL: `error` says why.
 */
struct server *server_new(struct conf *conf, char error[SERVER_ERROR_MAX]) MUST_CHECK;

/*
 * Start the DNS thread, tell the service manager, serve through libmilter until SIGTERM, drain,
 * stop. signals_init() is called by it.  False: libmilter gave up.
 */
struct listener;
bool server_run(struct server *server, struct listener *listener);

void server_free(struct server *server);

#endif
