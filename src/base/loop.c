/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2() */
#endif

#include "base/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/timer_heap.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

struct posted {
    STAILQ_ENTRY(posted) link;
    void (*call)(void *arg);
    void *arg;
};

STAILQ_HEAD(posted_list, posted);

struct loop {
    const struct clock *clock;
    struct event_base *base;
    struct event *wake;
    int wake_fd[2]; /* at most one byte is under way: see `woken` */
    pthread_mutex_t lock;
    struct posted_list posted; /* guarded by lock */
    bool woken;                /* guarded: a byte is in the pipe */
    bool closed;               /* guarded: no more posts */
    bool running;              /* guarded: `runner` is a thread inside the loop */
    pthread_t runner;
    bool started; /* life cycle only: there is a thread to join */
    pthread_t thread;
    sigset_t signals;         /* that the loop's thread takes; before it starts */
    struct timer_heap timers; /* those armed; loop's thread */
    unsigned ready_calls;     /* of watches, so far */
    struct event *alarm;      /* wakes the loop for the first timer */
    int64_t alarm_ms;         /* when; INT64_MAX: not at all */
    /* When the call under way began, 0 when none is.  Set by the loop's thread, read by any. */
    _Atomic int64_t call_ms;
};

struct loop_timer {
    struct heap_timer entry; /* first: the heap's timers are these */
    struct loop *loop;
    void (*call)(void *arg);
    void *arg;
};

struct loop_watch {
    struct loop *loop;
    struct event *event;
    int fd;
    void (*call)(void *arg, unsigned ready);
    void *arg;
    bool added;
};

struct loop_signal {
    struct loop *loop;
    struct event *event;
    void (*call)(void *arg);
    void *arg;
};

/* Around each call: what it does takes place at one time, and the clock is read once for it. */
static void call_begins(struct loop *loop)
{
    atomic_store_explicit(&loop->call_ms, clock_ms(loop->clock), memory_order_relaxed);
}

static void call_ends(struct loop *loop)
{
    atomic_store_explicit(&loop->call_ms, 0, memory_order_relaxed);
}

/* Take everything that was posted; what is posted meanwhile waits for the next turn. */
static bool take_posted(struct loop *loop, struct posted_list *out)
{
    bool closed;

    STAILQ_INIT(out);
    pthread_mutex_lock(&loop->lock);
    STAILQ_CONCAT(out, &loop->posted);
    if (loop->woken) {
        char byte;
        /* NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): the pipe does not block */
        ssize_t ignored = read(loop->wake_fd[0], &byte, 1);

        (void)ignored; /* empty already: the flag is what counts */
        loop->woken = false;
    }
    closed = loop->closed;
    pthread_mutex_unlock(&loop->lock);
    return closed;
}

/* Returns how many ran; *closed: no more will come. */
static unsigned run_posted(struct loop *loop, bool *closed)
{
    struct posted_list list;
    unsigned ran = 0;

    *closed = take_posted(loop, &list);
    for (; !STAILQ_EMPTY(&list); ran++) {
        struct posted *posted = STAILQ_FIRST(&list);

        STAILQ_REMOVE_HEAD(&list, link);
        call_begins(loop);
        posted->call(posted->arg);
        call_ends(loop);
        free(posted);
    }
    return ran;
}

/* The alarm rings in time for the first timer; it may ring too soon, which does no harm. */
static bool set_alarm(struct loop *loop)
{
    int64_t due_ms = loop_due_ms(loop), left_ms;
    struct timeval left;

    if (due_ms >= loop->alarm_ms)
        return true;
    left_ms = due_ms - loop_now_ms(loop);
    if (left_ms < 0)
        left_ms = 0;
    left.tv_sec = (time_t)(left_ms / 1000);
    left.tv_usec = (suseconds_t)(left_ms % 1000 * 1000);
    if (event_add(loop->alarm, &left) != 0)
        return false;
    loop->alarm_ms = due_ms;
    return true;
}

/* Those that are due now; one that is armed meanwhile waits for the next turn. */
static unsigned run_timers(struct loop *loop)
{
    int64_t now_ms = clock_ms(loop->clock);
    uint64_t armings = loop->timers.armings;
    struct heap_timer *first;
    unsigned ran = 0;

    for (; (first = timer_heap_first(&loop->timers)) != NULL; ran++) {
        struct loop_timer *timer = (struct loop_timer *)first;

        if (first->due_ms > now_ms || first->arming >= armings)
            break;
        loop_timer_disarm(timer);
        call_begins(loop);
        timer->call(timer->arg); /* which may free the timer */
        call_ends(loop);
    }
    return ran;
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    loop->alarm_ms = INT64_MAX;
    (void)run_timers(loop);
    if (!set_alarm(loop))
        log_error("out of memory: a timer is late");
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    bool closed;

    (void)fd;
    (void)what;
    (void)run_posted(loop, &closed);
    if (closed)
        event_base_loopbreak(loop->base);
}

static bool wake_open(struct loop *loop)
{
    if (pipe2(loop->wake_fd, O_CLOEXEC | O_NONBLOCK) != 0) {
        loop->wake_fd[0] = loop->wake_fd[1] = -1;
        return false;
    }
    loop->wake = event_new(loop->base, loop->wake_fd[0], EV_READ | EV_PERSIST, on_wake, loop);
    return loop->wake != NULL && event_add(loop->wake, NULL) == 0;
}

/* Everything but loop_post() stays on one thread, so libevent needs no locks of its own. */
static struct event_base *base_open(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return base;
}

struct loop *loop_new(void)
{
    return loop_new_with(&clock_system);
}

struct loop *loop_new_with(const struct clock *clock)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return NULL;
    loop->clock = clock;
    loop->alarm_ms = INT64_MAX;
    loop->wake_fd[0] = loop->wake_fd[1] = -1;
    STAILQ_INIT(&loop->posted);
    (void)sigemptyset(&loop->signals);
    if (pthread_mutex_init(&loop->lock, NULL) != 0) {
        free(loop);
        return NULL;
    }
    loop->base = base_open();
    if (loop->base == NULL || !wake_open(loop) ||
        (loop->alarm = event_new(loop->base, -1, 0, on_alarm, loop)) == NULL) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    loop_stop(loop);
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->alarm != NULL)
        event_free(loop->alarm);
    if (loop->base != NULL)
        event_base_free(loop->base);
    for (int i = 0; i < 2; i++)
        if (loop->wake_fd[i] >= 0)
            close(loop->wake_fd[i]);
    pthread_mutex_destroy(&loop->lock);
    timer_heap_clear(&loop->timers);
    free(loop);
}

static void enter(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->runner = pthread_self();
    loop->running = true;
    pthread_mutex_unlock(&loop->lock);
}

static void leave(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->running = false;
    pthread_mutex_unlock(&loop->lock);
}

static void *thread_main(void *arg)
{
    struct loop *loop = arg;
    bool closed;

    enter(loop);
    (void)pthread_sigmask(SIG_UNBLOCK, &loop->signals, NULL);
    (void)event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    (void)run_posted(loop, &closed);
    leave(loop);
    return NULL;
}

/* The thread itself unblocks the signals of loop_signal_new(). */
enum result loop_start(struct loop *loop, const char *name)
{
    if (loop->started)
        return RESULT_INVALID;
    enum result status = thread_start(&loop->thread, thread_main, loop, name);
    loop->started = status == RESULT_OK;
    return status;
}

/* Needs the lock. */
static void wake(struct loop *loop)
{
    ssize_t ignored;

    if (loop->woken)
        return;
    loop->woken = true;
    ignored = write(loop->wake_fd[1], "", 1); /* the pipe is empty: it cannot be full */
    (void)ignored;
}

void loop_stop(struct loop *loop)
{
    bool here = loop_is_here(loop), closed;

    pthread_mutex_lock(&loop->lock);
    loop->closed = true;
    if (loop->wake_fd[1] >= 0)
        wake(loop);
    pthread_mutex_unlock(&loop->lock);
    if (here) /* a callback ended the loop: what was posted runs on the way out */
        return;
    if (loop->started) {
        pthread_join(loop->thread, NULL);
        loop->started = false;
    }
    enter(loop);
    (void)run_posted(loop, &closed); /* never started, or posted between last turn and end */
    leave(loop);
}

bool loop_step(struct loop *loop)
{
    unsigned before, ran;
    bool closed;

    enter(loop);
    before = loop->ready_calls;
    ran = run_posted(loop, &closed);
    ran += run_timers(loop);
    (void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
    ran += loop->ready_calls - before;
    leave(loop);
    return ran > 0;
}

enum result loop_post(struct loop *loop, void (*call)(void *arg), void *arg)
{
    struct posted *posted = malloc(sizeof *posted);
    enum result status = RESULT_OK;

    if (posted == NULL)
        return RESULT_NOMEM;
    posted->call = call;
    posted->arg = arg;
    pthread_mutex_lock(&loop->lock);
    if (loop->closed) {
        status = RESULT_CLOSED;
    } else {
        STAILQ_INSERT_TAIL(&loop->posted, posted, link);
        wake(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    if (status != RESULT_OK)
        free(posted);
    return status;
}

bool loop_is_here(const struct loop *loop)
{
    struct loop *self = (struct loop *)loop; /* only the lock is touched */
    bool here;

    pthread_mutex_lock(&self->lock);
    here = loop->running && pthread_equal(loop->runner, pthread_self());
    pthread_mutex_unlock(&self->lock);
    return here;
}

int64_t loop_now_ms(const struct loop *loop)
{
    int64_t now_ms = atomic_load_explicit(&loop->call_ms, memory_order_relaxed);

    return now_ms != 0 ? now_ms : clock_ms(loop->clock);
}

const struct clock *loop_clock(const struct loop *loop)
{
    return loop->clock;
}

/* --- timers --------------------------------------------------------------------------------- */

struct loop_timer *loop_timer_new(struct loop *loop, void (*call)(void *arg), void *arg)
{
    struct loop_timer *timer = malloc(sizeof *timer);

    if (timer != NULL)
        *timer = (struct loop_timer){.loop = loop, .call = call, .arg = arg};
    return timer;
}

enum result loop_timer_arm(struct loop_timer *timer, int64_t due_ms)
{
    struct loop *loop = timer->loop;
    enum result status;

    loop_timer_disarm(timer);
    status = timer_heap_add(&loop->timers, &timer->entry, due_ms);
    if (status != RESULT_OK)
        return status;
    if (set_alarm(loop))
        return RESULT_OK;
    loop_timer_disarm(timer);
    return RESULT_NOMEM;
}

void loop_timer_disarm(struct loop_timer *timer)
{
    timer_heap_remove(&timer->loop->timers, &timer->entry);
}

int64_t loop_due_ms(const struct loop *loop)
{
    const struct heap_timer *first = timer_heap_first(&loop->timers);

    return first != NULL ? first->due_ms : INT64_MAX;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    loop_timer_disarm(timer);
    free(timer);
}

/* --- descriptors ---------------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct loop_watch *watch = arg;
    struct loop *loop = watch->loop; /* the call may free the watch */
    unsigned ready = 0;

    (void)fd;
    if (what & EV_READ)
        ready |= LOOP_READ;
    if (what & EV_WRITE)
        ready |= LOOP_WRITE;
    loop->ready_calls++;
    call_begins(loop);
    watch->call(watch->arg, ready);
    call_ends(loop);
}

static void watch_remove(struct loop_watch *watch)
{
    if (!watch->added)
        return;
    event_del(watch->event);
    watch->added = false;
}

static enum result watch_add(struct loop_watch *watch)
{
    if (event_add(watch->event, NULL) != 0)
        return RESULT_NOMEM;
    watch->added = true;
    return RESULT_OK;
}

static short event_flags(unsigned what)
{
    return (short)(EV_PERSIST | (what & LOOP_READ ? EV_READ : 0) |
                   (what & LOOP_WRITE ? EV_WRITE : 0));
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned what,
                                  void (*call)(void *arg, unsigned ready), void *arg)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->loop = loop;
    watch->fd = fd;
    watch->call = call;
    watch->arg = arg;
    watch->event = event_new(loop->base, fd, event_flags(what), on_ready, watch);
    if (watch->event == NULL || (what != 0 && watch_add(watch) != RESULT_OK)) {
        loop_watch_free(watch);
        return NULL;
    }
    return watch;
}

enum result loop_watch_change(struct loop_watch *watch, unsigned what)
{
    watch_remove(watch);
    if (what == 0)
        return RESULT_OK;
    if (event_assign(watch->event, watch->loop->base, watch->fd, event_flags(what), on_ready,
                     watch) != 0)
        return RESULT_INVALID;
    return watch_add(watch);
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    watch_remove(watch);
    if (watch->event != NULL)
        event_free(watch->event);
    free(watch);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct loop_signal *signal = arg;
    struct loop *loop = signal->loop; /* the call may free the signal */

    (void)number;
    (void)what;
    call_begins(loop);
    signal->call(signal->arg);
    call_ends(loop);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*call)(void *arg),
                                    void *arg)
{
    struct loop_signal *signal = calloc(1, sizeof *signal);

    if (signal == NULL)
        return NULL;
    *signal = (struct loop_signal){.loop = loop, .call = call, .arg = arg};
    signal->event = evsignal_new(loop->base, number, on_signal, signal);
    if (signal->event == NULL || event_add(signal->event, NULL) != 0) {
        loop_signal_free(signal);
        return NULL;
    }
    (void)sigaddset(&loop->signals, number);
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (signal == NULL)
        return;
    if (signal->event != NULL)
        event_free(signal->event);
    free(signal);
}
