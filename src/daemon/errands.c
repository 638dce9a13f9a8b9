/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/errands.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct errand {
    STAILQ_ENTRY(errand) link;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

STAILQ_HEAD(errand_list, errand);

struct errands {
    struct loop *loop;
    void (*wake)(void);
    pthread_mutex_t lock;
    struct errand_list waiting; /* guarded */
};

struct errands *errands_new(struct loop *loop, void (*wake)(void))
{
    struct errands *errands = calloc(1, sizeof *errands);
    if (errands == NULL)
        return NULL;
    errands->loop = loop;
    errands->wake = wake;
    (void)pthread_mutex_init(&errands->lock, NULL);
    STAILQ_INIT(&errands->waiting);
    return errands;
}

static struct errand *take(struct errands *errands)
{
    pthread_mutex_lock(&errands->lock);
    struct errand *errand = STAILQ_FIRST(&errands->waiting);
    if (errand != NULL)
        STAILQ_REMOVE_HEAD(&errands->waiting, link);
    pthread_mutex_unlock(&errands->lock);
    return errand;
}

void errands_free(struct errands *errands)
{
    if (errands == NULL)
        return;
    for (struct errand *errand; (errand = take(errands)) != NULL;)
        free(errand);
    (void)pthread_mutex_destroy(&errands->lock);
    free(errands);
}

enum result errands_give(struct errands *errands, void (*run)(void *arg), void (*done)(void *arg),
                         void *arg)
{
    struct errand *errand = malloc(sizeof *errand);
    if (errand == NULL)
        return RESULT_NOMEM;
    *errand = (struct errand){.run = run, .done = done, .arg = arg};
    pthread_mutex_lock(&errands->lock);
    STAILQ_INSERT_TAIL(&errands->waiting, errand, link);
    pthread_mutex_unlock(&errands->lock);
    errands->wake();
    return RESULT_OK;
}

void errands_run(struct errands *errands)
{
    for (struct errand *errand; (errand = take(errands)) != NULL; free(errand)) {
        errand->run(errand->arg);
        /* When the loop has been stopped, nobody waits for the outcome any more; without memory for
           the message the asker's own time limit ends the wait. */
        if (loop_post(errands->loop, errand->done, errand->arg) != RESULT_OK)
            continue;
    }
}
