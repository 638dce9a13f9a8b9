/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as one context: configuration in force, cache, DNS thread, resolver, counters; and
 * what happens at reload and stop.
 */
#ifndef IPREVD_SERVICE_H
#define IPREVD_SERVICE_H

#include "dns/dns_service.h"
#include "site/conf.h"

struct service;

#define SERVICE_ERROR_MAX DNS_SERVICE_ERROR_MAX

/*
 * Build everything but the listener for a configuration (a reference is taken).  No thread is made
 * yet, so privileges can still be dropped.  NULL: `error` says why.
 */
struct service *service_new(struct conf *conf, char error[SERVICE_ERROR_MAX]) MUST_CHECK;

/*
 * Start the DNS thread and take over the signals (signals_init()); `listener` is borrowed until
 * service_run() returns, `sockets` are taken.  On failure `error` says why, and nothing but
 * service_free() is left to do.
 */
struct listener;
struct toolsockets;
enum result service_start(struct service *service, struct listener *listener,
                          const struct toolsockets *sockets,
                          char error[SERVICE_ERROR_MAX]) MUST_CHECK;

/*
 * Tell the service manager, serve through libmilter until SIGTERM, drain, stop.  False: libmilter
 * gave up.
 */
bool service_run(struct service *service);

void service_free(struct service *service);

#endif
