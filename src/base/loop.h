/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event loop on a thread of its own: the one place where libevent's core is used.
 * Except loop_post(), loop_stop(), loop_now_ms(), loop_timer_new() and the life cycle, everything
 * runs on the loop's thread.
 */
#ifndef IPREVD_LOOP_H
#define IPREVD_LOOP_H

#include "base/clock.h"
#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

/* A loop that does not run yet, or NULL.  loop_free() after loop_stop(); free(NULL) is fine. */
struct loop *loop_new(void) MUST_CHECK;

/* The same with a clock of the caller's (borrowed) in the place of clock_system. */
struct loop *loop_new_with(const struct clock *clock) MUST_CHECK;
void loop_free(struct loop *loop);

/* Start the thread (`name`: as shown by ps); RESULT_IO when it cannot be. */
enum result loop_start(struct loop *loop, const char *name) MUST_CHECK;

/* Stop the thread and wait for it. Posted calls that have not run yet do run. Idempotent. */
void loop_stop(struct loop *loop);

/*
 * Instead of loop_start(), for programs that move the clock by hand: run what was posted, the
 * timers that are due and the watches that are ready, without waiting.  The caller's thread is the
 * loop's meanwhile.  True: something ran.
 */
bool loop_step(struct loop *loop);

/* When the first timer is due; INT64_MAX: none is armed. */
int64_t loop_due_ms(const struct loop *loop);

/*
 * Run call(arg) on the loop's thread, in order of posting.  From any thread.  RESULT_NOMEM or
 * RESULT_CLOSED: it will not run.
 */
enum result loop_post(struct loop *loop, void (*call)(void *arg), void *arg) MUST_CHECK;

bool loop_is_here(const struct loop *loop);

/*
 * Monotonic milliseconds, the clock of all deadlines.  While the loop calls somebody: when that
 * call began.  Any thread.
 */
int64_t loop_now_ms(const struct loop *loop);

/* The clock by which it goes.  Any thread. */
const struct clock *loop_clock(const struct loop *loop);

/*
 * One-shot timers, re-armable: call runs at due_ms.  New: any thread; NULL: out of memory.  Arm:
 * RESULT_NOMEM: it is not armed.  Free disarms, and free(NULL) is fine: the loop's thread, or any
 * for a timer that is not armed.
 */
struct loop_timer *loop_timer_new(struct loop *loop, void (*call)(void *arg), void *arg) MUST_CHECK;
enum result loop_timer_arm(struct loop_timer *timer, int64_t due_ms) MUST_CHECK;
void loop_timer_disarm(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* Readiness of a descriptor (not owned).  LOOP_READ and LOOP_WRITE or together; persistent. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned what,
                                  void (*call)(void *arg, unsigned ready), void *arg) MUST_CHECK;
enum result loop_watch_change(struct loop_watch *watch, unsigned what) MUST_CHECK;
void loop_watch_free(struct loop_watch *watch);

/*
 * A signal as an event: call runs on the loop's thread, once for each time that the signal came.
 * Made before loop_start(): the loop's thread then takes the signal, and all others must block it.
 * Only one loop of a process has signals (libevent's limit).  NULL: out of memory. free(NULL) is
 * fine; the signal then has its default action again.
 */
struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*call)(void *arg),
                                    void *arg) MUST_CHECK;
void loop_signal_free(struct loop_signal *signal);

#endif
