/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread for what may block: reading the configuration and tables, saving.  The loop that hands
 * the work out never waits for a disk.  Handing over allocates nothing, so that a finished piece of
 * work is always heard of.
 */
#ifndef IPREVD_WORK_QUEUE_H
#define IPREVD_WORK_QUEUE_H

#include "base/loop.h"

#include <sys/queue.h>

struct work_queue;

/* A piece of work, the caller's to keep until done() was called or the queue was stopped. */
struct work {
    void (*run)(void *arg);  /* on the queue's thread */
    void (*done)(void *arg); /* afterwards on the loop's thread; may give the same work again */
    void *arg;
    bool busy; /* given, and done() was not called yet: on the loop's thread, the queue sets it */
    STAILQ_ENTRY(work) link; /* the queue's own */
};

/* `loop` is borrowed.  NULL: out of memory or descriptors. */
struct work_queue *work_queue_new(struct loop *loop) MUST_CHECK;

/* Make the thread (`name`: as shown by ps).  RESULT_IO with errno. */
enum result work_queue_start(struct work_queue *queue, const char *name) MUST_CHECK;

/* Have it run after all that was given before.  It must not be busy.  On the loop's thread. */
void work_queue_give(struct work_queue *queue, struct work *work);

/*
 * After the loop was stopped: what waits is dropped, what runs may end, then `last` (NULL: nothing)
 * runs; no done() is called any more, and what was dropped stays busy.  False: timeout_ms have
 * passed and the thread still works; it is left alone, and the queue must not be freed, nor what
 * the work uses.  Called again it waits again.
 */
bool work_queue_finish(struct work_queue *queue, struct work *last, int64_t timeout_ms) MUST_CHECK;

/* After work_queue_finish(), or before work_queue_start().  free(NULL) is fine. */
void work_queue_free(struct work_queue *queue);

#endif
