/* SPDX-License-Identifier: BSD-2-Clause */
#include "lru.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define SEED 12345

struct item {
    struct item *chain;
    TAILQ_ENTRY(item) order; /* least recently used first */
    struct answer *answer;
    int64_t expires_ms[2]; /* as much of a record as the real one keeps */
    uint64_t hash;
    uint16_t type;
    uint8_t length;
    uint8_t name[];
};

struct lru {
    pthread_mutex_t lock;
    TAILQ_HEAD(, item) items;
    struct item **buckets;
    size_t bucket_count, size_bytes, bytes;
};

static size_t item_bytes(struct item *item)
{
    return malloc_usable_size(item) + malloc_usable_size(item->answer) + 2 * sizeof(size_t) +
           sizeof item;
}

struct lru *lru_new(size_t size_bytes)
{
    struct lru *lru = calloc(1, sizeof *lru);
    if (lru == NULL)
        return NULL;
    lru->size_bytes = size_bytes;
    lru->bucket_count = 64;
    while (lru->bucket_count < size_bytes / 256)
        lru->bucket_count *= 2;
    lru->buckets = calloc(lru->bucket_count, sizeof(struct item *));
    if (lru->buckets == NULL) {
        free(lru);
        return NULL;
    }
    (void)pthread_mutex_init(&lru->lock, NULL);
    TAILQ_INIT(&lru->items);
    return lru;
}

static struct item **bucket_of(struct lru *lru, uint64_t hash)
{
    return &lru->buckets[hash & (lru->bucket_count - 1)];
}

static void forget(struct lru *lru, struct item *item)
{
    struct item **at = bucket_of(lru, item->hash);
    while (*at != item)
        at = &(*at)->chain;
    *at = item->chain;
    TAILQ_REMOVE(&lru->items, item, order);
    lru->bytes -= item_bytes(item);
    answer_unref(item->answer);
    free(item);
}

void lru_free(struct lru *lru)
{
    while (!TAILQ_EMPTY(&lru->items))
        forget(lru, TAILQ_FIRST(&lru->items));
    (void)pthread_mutex_destroy(&lru->lock);
    free(lru->buckets);
    free(lru);
}

struct answer *lru_lookup(struct lru *lru, const struct question *question)
{
    uint64_t hash = question_hash(question, SEED);
    struct answer *answer = NULL;
    pthread_mutex_lock(&lru->lock);
    struct item *item = *bucket_of(lru, hash);
    while (item != NULL && (item->hash != hash || item->type != question->type ||
                            item->length != question->length ||
                            memcmp(item->name, question->name, item->length) != 0))
        item = item->chain;
    if (item != NULL) {
        TAILQ_REMOVE(&lru->items, item, order);
        TAILQ_INSERT_TAIL(&lru->items, item, order);
        answer = answer_ref(item->answer);
    }
    pthread_mutex_unlock(&lru->lock);
    return answer;
}

void lru_store(struct lru *lru, const struct question *question, struct answer *answer)
{
    struct item *item = malloc(sizeof *item + question->length);
    if (item == NULL)
        return;
    *item = (struct item){.answer = answer_ref(answer),
                          .hash = question_hash(question, SEED),
                          .type = question->type,
                          .length = question->length};
    memcpy(item->name, question->name, question->length);
    pthread_mutex_lock(&lru->lock);
    struct item **bucket = bucket_of(lru, item->hash);
    item->chain = *bucket;
    *bucket = item;
    TAILQ_INSERT_TAIL(&lru->items, item, order);
    lru->bytes += item_bytes(item);
    while (lru->bytes + lru->bucket_count * sizeof item > lru->size_bytes)
        forget(lru, TAILQ_FIRST(&lru->items));
    pthread_mutex_unlock(&lru->lock);
}
