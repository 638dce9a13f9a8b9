/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#ifdef HAVE_PTHREAD_NP_H
#include <pthread_np.h>
#endif

static enum result result_of(int error)
{
    if (error == 0)
        return RESULT_OK;
    errno = error;
    return RESULT_IO;
}

enum result thread_start(pthread_t *out, void *(*run)(void *arg), void *arg, const char *name)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(out, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
#ifdef HAVE_PTHREAD_SETNAME_NP
    if (error == 0 && name != NULL)
        (void)pthread_setname_np(*out, name);
#else
    (void)name;
#endif
    return result_of(error);
}

enum result thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0)
        return result_of(error);
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return result_of(error);
}

enum result thread_lock_init(pthread_mutex_t *lock, pthread_cond_t *condition)
{
    enum result status = thread_condition_init(condition);
    if (status != RESULT_OK)
        return status;
    int error = pthread_mutex_init(lock, NULL);
    if (error != 0)
        (void)pthread_cond_destroy(condition);
    return result_of(error);
}

struct timespec thread_deadline(int64_t deadline_ms)
{
    return (struct timespec){.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
}
