/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* sigwait() has no argument to hang it on. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;         /* guarded */
    pthread_t listener; /* written before there are threads */
} libmilter_signals = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Delivering it is all that is wanted. */
static void on_wake(int number)
{
    (void)number;
}

void libmilter_signals_init(void)
{
    const struct sigaction wake = {.sa_handler = on_wake}; /* no SA_RESTART: that is the point */
    (void)sigaction(SIGUSR2, &wake, NULL);
    libmilter_signals.listener = pthread_self();
}

void libmilter_stop(void)
{
    (void)pthread_mutex_lock(&libmilter_signals.lock);
    libmilter_signals.ended = true;
    (void)pthread_cond_broadcast(&libmilter_signals.changed);
    (void)pthread_mutex_unlock(&libmilter_signals.lock);
}

void libmilter_wake_listener(void)
{
    (void)pthread_kill(libmilter_signals.listener, SIGUSR2);
}

/* In place of the C library's: called by libmilter's signal thread only. */
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
    (void)set;
    (void)pthread_mutex_lock(&libmilter_signals.lock);
    while (!libmilter_signals.ended)
        (void)pthread_cond_wait(&libmilter_signals.changed, &libmilter_signals.lock);
    (void)pthread_mutex_unlock(&libmilter_signals.lock);
    *sig = SIGTERM;
    return 0;
}
