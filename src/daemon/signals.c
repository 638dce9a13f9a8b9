/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two SIGNAL_TICK. */
#define TICK_S 1

/* Written once before there are threads: sigwait() has no argument to hang them on. */
static struct {
    bool (*handle)(void *arg, enum signal_event event);
    void *arg;
    sigset_t set;
    pthread_t main;
} receiver;

/* Delivering it is all that is wanted. */
static void on_wake(int signal_number)
{
    (void)signal_number;
}

void signals_block(void)
{
    (void)sigemptyset(&receiver.set);
    (void)sigaddset(&receiver.set, SIGHUP);
    (void)sigaddset(&receiver.set, SIGUSR1);
    (void)sigaddset(&receiver.set, SIGTERM);
    (void)sigaddset(&receiver.set, SIGINT);
    (void)sigaddset(&receiver.set, SIGURG);
    (void)pthread_sigmask(SIG_BLOCK, &receiver.set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

void signals_init(bool (*handle)(void *arg, enum signal_event event), void *arg)
{
    receiver.handle = handle;
    receiver.arg = arg;
    const struct sigaction wake = {.sa_handler = on_wake}; /* no SA_RESTART: that is the point */
    (void)sigaction(SIGUSR2, &wake, NULL);
    receiver.main = pthread_self();
}

void signals_wake(void)
{
    (void)pthread_kill(receiver.main, SIGUSR2);
}

void signals_errand(void)
{
    /* SIGURG: nobody else means anything by it, and where it is not waited for it is ignored. */
    (void)kill(getpid(), SIGURG);
}

static enum signal_event wait_for_event(void)
{
    const struct timespec tick = {.tv_sec = TICK_S};
    switch (sigtimedwait(&receiver.set, NULL, &tick)) {
    case SIGHUP:
        return SIGNAL_RELOAD;
    case SIGUSR1:
        return SIGNAL_ROTATE;
    case SIGTERM:
    case SIGINT:
        return SIGNAL_STOP;
    case SIGURG:
        return SIGNAL_ERRAND;
    default:
        return SIGNAL_TICK;
    }
}

/* In place of the C library's: called by libmilter's signal thread only. */
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
    (void)set;
    while (!receiver.handle(receiver.arg, wait_for_event()))
        ;
    *sig = SIGTERM;
    return 0;
}
