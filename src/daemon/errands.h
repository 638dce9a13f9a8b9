/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that may block (files, the configuration), handed from the DNS thread, which must not, to
 * the signal thread, and its outcome handed back.
 */
#ifndef IPREVD_ERRANDS_H
#define IPREVD_ERRANDS_H

#include "base/loop.h"

struct errands;

/* `loop` is borrowed; wake() makes the other thread call errands_run() soon.  NULL: out of memory.
 */
struct errands *errands_new(struct loop *loop, void (*wake)(void)) MUST_CHECK;

/* What has not been run by now never is.  The loop must have been stopped.  free(NULL) is fine. */
void errands_free(struct errands *errands);

/*
 * Have run(arg) called by errands_run(), in the order of giving, and then done(arg) on the loop's
 * thread.  Thread safe.  RESULT_NOMEM: neither will be.
 */
enum result errands_give(struct errands *errands, void (*run)(void *arg), void (*done)(void *arg),
                         void *arg) MUST_CHECK;

/* Run all that was given so far.  One thread at a time. */
void errands_run(struct errands *errands);

#endif
