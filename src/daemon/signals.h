/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals, taken on one thread.  libmilter makes a thread that waits for SIGHUP, SIGTERM and SIGINT
 * by sigwait() and ends the filter at any of them, SIGHUP too.  This module defines sigwait() for
 * the process, so that this very thread serves the handler below, and libmilter hears of a signal
 * only when the daemon is to end.
 */
#ifndef IPREVD_SIGNALS_H
#define IPREVD_SIGNALS_H

#include <stdbool.h>

enum signal_event {
    SIGNAL_RELOAD, /* SIGHUP */
    SIGNAL_ROTATE, /* SIGUSR1: reopen files */
    SIGNAL_STOP,   /* SIGTERM, SIGINT */
    SIGNAL_ERRAND, /* signals_errand() */
    SIGNAL_TICK,   /* none: a second has passed */
};

/*
 * Block the signals in this and every later thread, so that one which comes before there is
 * somebody to handle it waits; SIGPIPE is ignored.  Call once, before there is anything to clean
 * up.
 */
void signals_block(void);

/*
 * handle() is called on the signal thread, one call at a time; it returns true when libmilter is to
 * end.  Call once on the main thread, after signals_block() and before any other thread is made.
 */
void signals_init(bool (*handle)(void *arg, enum signal_event event), void *arg);

/*
 * Interrupt the system call that the main thread waits in, if it does: libmilter's listener looks
 * only every 5 seconds what has changed.  From any thread.
 */
void signals_wake(void);

/* Let the signal thread have a SIGNAL_ERRAND soon.  From any thread. */
void signals_errand(void);

#endif
