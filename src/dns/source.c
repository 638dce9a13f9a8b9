/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Texts of servers that are ever shown; a site has a handful. */
#define SERVER_TEXTS_MAX 250

SLIST_HEAD(source_list, source);

struct sources {
    struct loop *loop;
    struct source *present; /* one of its users is this; guarded by lock for other threads */
    struct source_list retired;
    bool sweeping; /* sweep() was posted */

    pthread_mutex_t lock; /* guards what follows, too */
    char *texts[SERVER_TEXTS_MAX];
    unsigned text_count;
};

struct sources *sources_new(struct source *first, struct loop *loop)
{
    struct sources *sources = calloc(1, sizeof *sources);
    if (sources == NULL || pthread_mutex_init(&sources->lock, NULL) != 0) {
        free(sources);
        first->ops->free(first);
        return NULL;
    }
    sources->loop = loop;
    sources->present = first;
    first->users = 1;
    SLIST_INIT(&sources->retired);
    return sources;
}

static void free_retired(struct sources *sources)
{
    while (!SLIST_EMPTY(&sources->retired)) {
        struct source *source = SLIST_FIRST(&sources->retired);
        SLIST_REMOVE_HEAD(&sources->retired, link);
        source->ops->free(source);
    }
}

void sources_free(struct sources *sources)
{
    if (sources == NULL)
        return;
    sources->present->ops->free(sources->present);
    free_retired(sources);
    for (unsigned i = 0; i < sources->text_count; i++)
        free(sources->texts[i]);
    (void)pthread_mutex_destroy(&sources->lock);
    free(sources);
}

struct source *sources_use(struct sources *sources)
{
    sources->present->users++;
    return sources->present;
}

static void sweep(void *arg)
{
    struct sources *sources = arg;
    sources->sweeping = false;
    free_retired(sources);
}

void sources_release(struct sources *sources, struct source *source)
{
    if (--source->users > 0)
        return;
    SLIST_INSERT_HEAD(&sources->retired, source, link);
    /* Where the post fails, the next one or sources_free() does it. */
    if (!sources->sweeping)
        sources->sweeping = loop_post(sources->loop, sweep, sources) == RESULT_OK;
}

bool sources_is_present(const struct sources *sources, const struct source *source)
{
    return source == sources->present;
}

struct replacement {
    struct sources *sources;
    struct source *source;
    void (*replaced)(void *arg);
    void *arg;
};

static void replace(void *arg)
{
    struct replacement *replacement = arg;
    struct sources *sources = replacement->sources;
    struct source *old = sources->present;
    replacement->source->users = 1;
    pthread_mutex_lock(&sources->lock);
    sources->present = replacement->source;
    pthread_mutex_unlock(&sources->lock);
    sources_release(sources, old);
    replacement->replaced(replacement->arg);
    free(replacement);
}

enum result sources_replace(struct sources *sources, struct source *source,
                            void (*replaced)(void *arg), void *arg)
{
    struct replacement *replacement = malloc(sizeof *replacement);
    enum result status = RESULT_NOMEM;
    if (replacement != NULL) {
        *replacement = (struct replacement){sources, source, replaced, arg};
        status = loop_post(sources->loop, replace, replacement);
    }
    if (status != RESULT_OK) {
        free(replacement);
        source->ops->free(source);
    }
    return status;
}

void sources_look(struct sources *sources, void (*look)(void *arg, const struct source *source),
                  void *arg)
{
    pthread_mutex_lock(&sources->lock);
    look(arg, sources->present);
    pthread_mutex_unlock(&sources->lock);
}

/* With the lock held. */
static uint8_t number_of(struct sources *sources, const char *text)
{
    unsigned i = 0;
    while (i < sources->text_count && strcmp(sources->texts[i], text) != 0)
        i++;
    if (i < sources->text_count)
        return (uint8_t)i;
    char *copy = i < SERVER_TEXTS_MAX ? strdup(text) : NULL;
    if (copy == NULL)
        return ANSWER_NO_SERVER;
    sources->texts[sources->text_count++] = copy;
    return (uint8_t)i;
}

uint8_t sources_server(struct sources *sources, const struct source *source, unsigned server)
{
    const char *text =
        source->ops->server_text == NULL ? NULL : source->ops->server_text(source, server);
    if (text == NULL)
        return ANSWER_NO_SERVER;
    pthread_mutex_lock(&sources->lock);
    uint8_t number = number_of(sources, text);
    pthread_mutex_unlock(&sources->lock);
    return number;
}

const char *sources_server_text(struct sources *sources, unsigned number)
{
    pthread_mutex_lock(&sources->lock);
    const char *text = number < sources->text_count ? sources->texts[number] : NULL;
    pthread_mutex_unlock(&sources->lock);
    return text;
}
