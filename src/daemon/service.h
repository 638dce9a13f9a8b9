/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as one context: configuration in force, cache, DNS thread, resolver, counters, the
 * management loop; and what happens at reload and stop.
 */
#ifndef IPREVD_SERVICE_H
#define IPREVD_SERVICE_H

#include "dns/dns_service.h"
#include "site/conf.h"

struct service;

#define SERVICE_ERROR_MAX DNS_SERVICE_ERROR_MAX

/*
 * Seconds from SIGTERM to the end at most: 10 for sessions to end, then 25 (the largest deadline)
 * for a callback that still waits for DNS, 3 for the log, 10 for a disk that saves.  The packaged
 * unit's TimeoutStopSec is more (tests/unit-file.sh).
 */
#define SERVICE_STOP_MAX_S 48

/*
 * Build everything but the listener for a configuration (a reference is taken), and read what was
 * saved.  No thread is made yet, so privileges can still be dropped.  NULL: `error` says why.
 */
struct service *service_new(struct conf *conf, char error[SERVICE_ERROR_MAX]) MUST_CHECK;

/*
 * Make the threads, take over the signals, say to the service manager that we are ready.  On the
 * thread that will call service_run().  `listener` is borrowed until that returns, `sockets` are
 * taken.  On failure `error` says why, and nothing but service_free() is left to do.
 */
struct listener;
struct control_sockets;
enum result service_start(struct service *service, struct listener *listener,
                          const struct control_sockets *sockets,
                          char error[SERVICE_ERROR_MAX]) MUST_CHECK;

/*
 * Serve through libmilter until SIGTERM, drain, stop, save.  False: libmilter gave up.
 */
bool service_run(struct service *service);

/* NULL is fine. */
void service_free(struct service *service);

#endif
