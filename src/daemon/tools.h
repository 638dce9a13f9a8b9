/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator has of the running daemon besides mail: control socket, metrics, exceptions,
 * decision log, and the files that survive a restart.  None of it, when it fails, costs mail.
 */
#ifndef IPREVD_TOOLS_H
#define IPREVD_TOOLS_H

#include "daemon/toolsockets.h"
#include "dns/dns_service.h"
#include "site/conf.h"
#include "site/decision.h"

struct tools;

#define TOOLS_ERROR_MAX 1024

/* Everything is borrowed and outlives the tools. */
struct tools_services {
    struct dns_service *dns;
    struct metrics *metrics;
    /* The configuration in force, with one reference for the caller.  Thread safe. */
    struct conf *(*conf)(void *arg);
    bool (*stopping)(void *arg); /* thread safe */
    /* Read the configuration again (on the signal thread).  False: `error` says why not. */
    bool (*reload)(void *arg, char error[TOOLS_ERROR_MAX]);
    /* Have tools_errands() called soon, from any thread. */
    void (*wake)(void);
    void *arg;
};

/* No thread is made yet; files are read.  NULL: out of memory.  `services` is copied. */
struct tools *tools_new(const struct tools_services *services, const struct conf *conf) MUST_CHECK;

/* Serve on the sockets (taken); before the loop runs.  What cannot be is logged. */
void tools_serve(struct tools *tools, const struct toolsockets *sockets);

/* Make threads.  What cannot be is logged. */
void tools_start(struct tools *tools);

/* As struct session_services has them; thread safe. */
bool tools_exempt(struct tools *tools, const struct facts *facts, int64_t wall_s, char *out,
                  size_t size);
void tools_decided(struct tools *tools, const struct decision *decision,
                   const struct transaction *transaction);

/* The signal thread's: a new configuration is in force; files are to be reopened; work is waiting;
 * a second has passed. */
void tools_reloaded(struct tools *tools, const struct conf *conf);
void tools_rotate(struct tools *tools);
void tools_errands(struct tools *tools);
void tools_tick(struct tools *tools);

/* Saves what is to survive and frees.  Sessions and loop have ended, and the signal thread does
 * nothing more.  NULL is fine. */
void tools_free(struct tools *tools);

#endif
