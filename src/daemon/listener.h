/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket on which MTAs reach us.  libmilter opens it and does not hand it out; here it is
 * checked before, found again afterwards, and made what libmilter does not make it: without Nagle's
 * delay on inet, with the configured mode and group on unix, and closable before libmilter ends.
 * Used on the main thread; listener_quiesce() from one other.
 */
#ifndef IPREVD_LISTENER_H
#define IPREVD_LISTENER_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LISTENER_ERROR_MAX 256

struct listener {
    int fd;
    const char *path; /* of a unix socket, into the specification; NULL: inet */
};

struct listener_settings {
    const char
        *spec;     /* libmilter's syntax: "inet:8896@localhost", "unix:/run/iprevd/iprevd.sock" */
    unsigned mode; /* of a unix socket */
    const char *group; /* of a unix socket; NULL: gid */
    uid_t uid; /* owner and group of a unix socket: of whom we shall become; -1 leaves them */
    gid_t gid;
    unsigned backlog;
};

/*
 * Open by libmilter (smfi_setconn() and smfi_opensocket()).  A stale unix socket is replaced, one
 * on which somebody answers never.  On failure `error` says what and why.  `settings->spec` is
 * borrowed for the listener's life.
 */
enum result listener_open(const struct listener_settings *settings, struct listener *out,
                          char error[LISTENER_ERROR_MAX]) MUST_CHECK;

/* Before libmilter runs, or after it has ended: the socket and its name go. */
void listener_abandon(struct listener *listener);

/*
 * Take no more connections while libmilter goes on with those that it has: the port is free, the
 * unix socket's name gone.
 */
void listener_quiesce(struct listener *listener);

#endif
