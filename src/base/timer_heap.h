/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers in the order in which they are due: a binary heap, the first one on top.  For loop.c.  One
 * thread.
 */
#ifndef IPREVD_TIMER_HEAP_H
#define IPREVD_TIMER_HEAP_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One timer; zero at first. */
struct heap_timer {
    int64_t due_ms;
    uint64_t arming; /* its number: of two due at one time the one armed first comes first */
    size_t place;    /* in the heap */
    bool armed;
};

/* Zero at first. */
struct timer_heap {
    struct heap_timer **list;
    size_t count, room;
    uint64_t armings; /* so far */
};

/*
 * Put in a timer that is not armed (borrowed).  RESULT_NOMEM: it is not in; one that has just been
 * taken out goes in again without memory.
 */
enum result timer_heap_add(struct timer_heap *heap, struct heap_timer *timer,
                           int64_t due_ms) MUST_CHECK;

/* Take out a timer, if it is armed. */
void timer_heap_remove(struct timer_heap *heap, struct heap_timer *timer);

/* The first one due; NULL: none is armed. */
struct heap_timer *timer_heap_first(const struct timer_heap *heap);

/* Gives the memory back; the timers are not touched. */
void timer_heap_clear(struct timer_heap *heap);

#endif
