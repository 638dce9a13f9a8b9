/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps sessions from waiting for each other in libmilter's pool of workers.  The pool counts a
 * worker as idle until it has woken, and leaves to it the sessions of all who come in that moment.
 * Those that the worker does not get to, because the callback of the first one blocks, would wait
 * until that one returns.  A session of our own, on which something is sent, has libmilter wake or
 * make a worker, which then looks for all that are left.
 */
#ifndef IPREVD_ROUSE_H
#define IPREVD_ROUSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct rouse {
    int listener_fd;
    pthread_mutex_t lock;
    int fd; /* connected to the listener; -1: not yet, or no more */
    _Atomic int64_t last_ms;
};

/* `listener_fd` is borrowed: a socket that listens, whatever its address. */
void rouse_init(struct rouse *rouse, int listener_fd);

/* When nobody calls rouse_worker() any more. */
void rouse_clear(struct rouse *rouse);

/*
 * For a callback that has blocked since `since_ms` and goes on, now_ms being the time (monotonic).
 * Does nothing where somebody else has done it since.  Never blocks for long; thread safe.
 */
void rouse_worker(struct rouse *rouse, int64_t since_ms, int64_t now_ms);

#endif
