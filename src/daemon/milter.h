/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmilter, behind the events of session.h.  The only module that includes its header.
 */
#ifndef IPREVD_MILTER_H
#define IPREVD_MILTER_H

#include "daemon/session.h"

/* What the callbacks need; libmilter hands none of it through, so it is set once before
 * milter_run(). */
struct milter_services {
    const struct session_services *session;
    /* The configuration for a new session, with one reference for the caller. */
    struct conf *(*conf)(void *arg);
    /* A session begins (false: there are too many, it is deferred) and ends.  On libmilter's
     * threads. */
    bool (*opened)(void *arg);
    void (*closed)(void *arg);
    /* A callback has waited since `since_ms` (monotonic) and goes on: see rouse.h. */
    void (*waits)(void *arg, int64_t since_ms);
    void *arg;
};

/* smfi_register(), smfi_setconn(), smfi_opensocket().  False: errno may say why. */
bool milter_open_socket(const char *spec, unsigned backlog);

/* Let milter_run() return when libmilter looks next; from any thread. */
void milter_stop(void);

/*
 * Serve until milter_stop().  When it returns no callback is under way and none will begin, so that
 * what they use may be freed; sessions that were cut off are not closed any more.
 * False: libmilter gave up.
 */
bool milter_run(const struct milter_services *services);

/* "1.0.2": libmilter's version at run time. */
void milter_version(char *out, size_t size);

#endif
