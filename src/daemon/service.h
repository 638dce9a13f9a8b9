/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as one context: configuration in force, cache, DNS thread, resolver, counters; and
 * what happens at reload and stop.
 */
#ifndef IPREVD_SERVICE_H
#define IPREVD_SERVICE_H

#include "site/engine.h"

struct service;

#define SERVICE_ERROR_MAX ENGINE_ERROR_MAX

/*
 * Build everything but the listener for a configuration (a reference is taken).  No thread is made
 * yet, so privileges can still be dropped.  NULL: `error` says why.
 */
struct service *service_new(struct conf *conf, char error[SERVICE_ERROR_MAX]) MUST_CHECK;

/*
 * Start the DNS thread, tell the service manager, serve through libmilter until SIGTERM, drain,
 * stop. signals_init() is called by it.  False: libmilter gave up.
 */
struct listener;
bool service_run(struct service *service, struct listener *listener);

void service_free(struct service *service);

#endif
