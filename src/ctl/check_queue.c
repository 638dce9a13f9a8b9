/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_queue.h"

#include "ctl/progress.h"

#include <stdlib.h>
#include <string.h>

struct check_queue {
    const struct check_run *run;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t printer;
    STAILQ_HEAD(check_items, check_item) items; /* in order; the first is printed next */
    unsigned count;
    bool closed; /* nothing more is added */
    enum result status;
    uint64_t finished; /* items with work that were done */
    struct progress progress;
    /* The printer's alone. */
    struct check_sums sums;
    bool begun;
};

void check_queue_drop(struct check_item *item)
{
    if (item->part.out != NULL)
        (void)fclose(item->part.out);
    if (item->part.err != NULL)
        (void)fclose(item->part.err);
    free(item->out_text);
    free(item->err_text);
    free(item);
}

/* --- printing ------------------------------------------------------------------------------- */

static bool print(struct check_queue *queue, const struct check_item *item)
{
    if (item->part.begun && queue->begun)
        (void)putchar('\n');
    queue->begun = queue->begun || item->part.begun;
    (void)fwrite(item->out_text, 1, item->out_length, stdout);
    /* Who writes line by line wants the answers so. */
    if (fflush(stdout) != 0)
        return false;
    (void)fwrite(item->err_text, 1, item->err_length, stderr);
    check_client_add(&queue->sums, &item->part.sums);
    return true;
}

/* The first item, when it is ready; NULL: there is none left.  The lock is held. */
static struct check_item *next_ready(struct check_queue *queue)
{
    for (;;) {
        struct check_item *item = STAILQ_FIRST(&queue->items);
        if (item != NULL && item->done)
            return item;
        if (item == NULL && queue->closed)
            return NULL;
        progress_show(&queue->progress, queue->finished, queue->finished, "clients");
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    }
}

static void *print_all(void *arg)
{
    struct check_queue *queue = arg;
    struct check_item *item;
    (void)pthread_mutex_lock(&queue->lock);
    while ((item = next_ready(queue)) != NULL) {
        enum result status = queue->status;
        progress_wipe(&queue->progress);
        (void)pthread_mutex_unlock(&queue->lock);
        if (item->threaded)
            (void)pthread_join(item->thread, NULL);
        if (status == RESULT_OK && !item->ok)
            status = RESULT_NOMEM;
        if (status == RESULT_OK && !print(queue, item))
            status = RESULT_IO;
        (void)pthread_mutex_lock(&queue->lock);
        queue->status = status;
        STAILQ_REMOVE_HEAD(&queue->items, link);
        queue->count--;
        (void)pthread_cond_broadcast(&queue->changed);
        check_queue_drop(item);
    }
    progress_end(&queue->progress);
    (void)pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* --- working -------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    struct check_item *item = arg;
    struct check_queue *queue = item->queue;
    bool ok = item->work == NULL || item->work(item);
    ok = fflush(item->part.out) == 0 && fflush(item->part.err) == 0 && ok;
    (void)pthread_mutex_lock(&queue->lock);
    item->ok = ok;
    item->done = true;
    queue->finished += item->work != NULL;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->lock);
    return NULL;
}

struct check_queue *check_queue_new(const struct check_run *run)
{
    struct check_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->run = run;
    queue->status = RESULT_OK;
    STAILQ_INIT(&queue->items);
    if (thread_lock_init(&queue->lock, &queue->changed) != RESULT_OK) {
        free(queue);
        return NULL;
    }
    if (thread_start(&queue->printer, print_all, queue, "printer") != RESULT_OK) {
        (void)pthread_cond_destroy(&queue->changed);
        (void)pthread_mutex_destroy(&queue->lock);
        free(queue);
        return NULL;
    }
    return queue;
}

void check_queue_expect(struct check_queue *queue, uint64_t total)
{
    (void)pthread_mutex_lock(&queue->lock);
    progress_begin(&queue->progress, total);
    (void)pthread_mutex_unlock(&queue->lock);
}

const struct check_run *check_queue_run(const struct check_queue *queue)
{
    return queue->run;
}

struct check_item *check_queue_item(struct check_queue *queue)
{
    struct check_item *item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->queue = queue;
    item->part.run = queue->run;
    item->part.out = open_memstream(&item->out_text, &item->out_length);
    item->part.err = open_memstream(&item->err_text, &item->err_length);
    if (item->part.out != NULL && item->part.err != NULL)
        return item;
    check_queue_drop(item);
    return NULL;
}

void check_item_say(struct check_item *item, const char *helo)
{
    item->has_helo = helo != NULL;
    (void)snprintf(item->helo, sizeof item->helo, "%s", helo != NULL ? helo : "");
}

const char *check_item_helo(const struct check_item *item)
{
    return item->has_helo ? item->helo : NULL;
}

bool check_queue_add(struct check_queue *queue, struct check_item *item)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->count >= CHECK_QUEUE_MAX)
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    if (item == NULL && queue->status == RESULT_OK)
        queue->status = RESULT_NOMEM;
    bool ok = queue->status == RESULT_OK;
    if (ok) {
        STAILQ_INSERT_TAIL(&queue->items, item, link);
        queue->count++;
        /* The printer looks at it when it is done, not before. */
        item->threaded =
            item->work != NULL && thread_start(&item->thread, work, item, "check") == RESULT_OK;
    }
    bool threaded = ok && item->threaded;
    (void)pthread_mutex_unlock(&queue->lock);
    if (ok && !threaded)
        (void)work(item);
    if (!ok && item != NULL)
        check_queue_drop(item);
    return ok;
}

enum result check_queue_finish(struct check_queue *queue, struct check_sums *sums)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->lock);
    (void)pthread_join(queue->printer, NULL);
    enum result status = queue->status;
    memcpy(sums, &queue->sums, sizeof *sums);
    (void)pthread_cond_destroy(&queue->changed);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
    return status;
}
