/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that take no signal, and waiting by the clock that nobody sets.  Thread safe. */
#ifndef IPREVD_THREAD_H
#define IPREVD_THREAD_H

#include "base/result.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/*
 * Run run(arg) on a new thread with all signals blocked.  `name` (at most 15 bytes; NULL: none) is
 * shown by ps where the system has names for threads.  RESULT_IO with errno.
 */
enum result thread_start(pthread_t *out, void *(*run)(void *arg), void *arg,
                         const char *name) MUST_CHECK;

/* A condition whose timed waits go by the monotonic clock.  RESULT_IO with errno. */
enum result thread_condition_init(pthread_cond_t *condition) MUST_CHECK;

/* The same with its mutex: both or neither. */
enum result thread_lock_init(pthread_mutex_t *lock, pthread_cond_t *condition) MUST_CHECK;

/* An absolute deadline in monotonic milliseconds (base/clock.h) for pthread_cond_timedwait(). */
struct timespec thread_deadline(int64_t deadline_ms);

#endif
