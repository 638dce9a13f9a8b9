/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2() */
#endif

#include "daemon/work_queue.h"

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

STAILQ_HEAD(work_list, work);

struct work_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct work_list waiting, finished; /* guarded */
    bool finishing;                     /* guarded: the thread ends when nothing waits */
    bool ended;                         /* guarded: the thread runs nothing more */
    bool started;                       /* life cycle only */
    pthread_t thread;
    int wake_fd[2]; /* a byte: something has finished */
    struct loop_watch *watch;
};

static struct work *take(struct work_list *list)
{
    struct work *work = STAILQ_FIRST(list);
    if (work != NULL)
        STAILQ_REMOVE_HEAD(list, link);
    return work;
}

static void *work_on(void *arg)
{
    struct work_queue *queue = arg;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        struct work *work = take(&queue->waiting);
        if (work == NULL && queue->finishing)
            break;
        if (work == NULL) {
            pthread_cond_wait(&queue->changed, &queue->lock);
            continue;
        }
        pthread_mutex_unlock(&queue->lock);
        work->run(work->arg);
        pthread_mutex_lock(&queue->lock);
        STAILQ_INSERT_TAIL(&queue->finished, work, link);
        if (write(queue->wake_fd[1], "", 1) < 0) {
            /* the pipe is full: there are bytes in it that the loop has not read yet */
        }
    }
    queue->ended = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

static void on_finished(void *arg, unsigned ready)
{
    struct work_queue *queue = arg;
    struct work_list list = STAILQ_HEAD_INITIALIZER(list);
    char bytes[64];
    (void)ready;
    while (read(queue->wake_fd[0], bytes, sizeof bytes) > 0)
        ;
    pthread_mutex_lock(&queue->lock);
    STAILQ_CONCAT(&list, &queue->finished);
    pthread_mutex_unlock(&queue->lock);
    for (struct work *work; (work = take(&list)) != NULL;) {
        work->busy = false;
        work->done(work->arg);
    }
}

struct work_queue *work_queue_new(struct loop *loop)
{
    struct work_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    if (thread_lock_init(&queue->lock, &queue->changed) != RESULT_OK) {
        free(queue);
        return NULL;
    }
    STAILQ_INIT(&queue->waiting);
    STAILQ_INIT(&queue->finished);
    if (pipe2(queue->wake_fd, O_CLOEXEC | O_NONBLOCK) != 0)
        queue->wake_fd[0] = queue->wake_fd[1] = -1;
    else
        queue->watch = loop_watch_new(loop, queue->wake_fd[0], LOOP_READ, on_finished, queue);
    if (queue->watch == NULL) {
        work_queue_free(queue);
        return NULL;
    }
    return queue;
}

enum result work_queue_start(struct work_queue *queue, const char *name)
{
    enum result status = thread_start(&queue->thread, work_on, queue, name);
    queue->started = status == RESULT_OK;
    return status;
}

void work_queue_give(struct work_queue *queue, struct work *work)
{
    work->busy = true;
    pthread_mutex_lock(&queue->lock);
    STAILQ_INSERT_TAIL(&queue->waiting, work, link);
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* Needs the lock.  False: the time is over. */
static bool wait_for_end(struct work_queue *queue, int64_t timeout_ms)
{
    const struct timespec until = thread_deadline(clock_ms(&clock_system) + timeout_ms);
    while (!queue->ended)
        if (pthread_cond_timedwait(&queue->changed, &queue->lock, &until) == ETIMEDOUT)
            return queue->ended;
    return true;
}

bool work_queue_finish(struct work_queue *queue, struct work *last, int64_t timeout_ms)
{
    if (!queue->started) {
        if (last != NULL)
            last->run(last->arg);
        return true;
    }
    pthread_mutex_lock(&queue->lock);
    if (!queue->finishing) {
        STAILQ_INIT(&queue->waiting);
        if (last != NULL)
            STAILQ_INSERT_TAIL(&queue->waiting, last, link);
        queue->finishing = true;
    }
    pthread_cond_broadcast(&queue->changed);
    bool ended = wait_for_end(queue, timeout_ms);
    pthread_mutex_unlock(&queue->lock);
    if (ended) {
        (void)pthread_join(queue->thread, NULL);
        queue->started = false;
    }
    return ended;
}

void work_queue_free(struct work_queue *queue)
{
    if (queue == NULL)
        return;
    loop_watch_free(queue->watch);
    for (int i = 0; i < 2; i++)
        if (queue->wake_fd[i] >= 0)
            (void)close(queue->wake_fd[i]);
    (void)pthread_cond_destroy(&queue->changed);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}
