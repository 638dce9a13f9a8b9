/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "dns/cache_shard.h"
#include "dns/dnsrr.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

/* Hits since it was stored that make a record worth asking for ahead of its end, and how much of
   the TTL is left then. */
#define REFRESH_HITS    2
#define REFRESH_PERCENT 10

/* RFC 8767 5: after a failure, a stale answer serves for so long before anybody is asked again. */
#define STALE_RECHECK_S 30

/* --- life ----------------------------------------------------------------------------------- */

struct cache *cache_new(const struct cache_limits *limits, uint64_t seed)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->seed = seed;
    atomic_init(&cache->forgotten_ms, INT64_MIN);
    atomic_init(&cache->denials_forgotten_ms, INT64_MIN);
    for (size_t i = 0; i < CACHE_SHARDS; i++)
        if (shard_init(&cache->shards[i], limits) != RESULT_OK) {
            cache_free(cache);
            return NULL;
        }
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < CACHE_SHARDS; i++)
        shard_clear(&cache->shards[i]);
    free(cache);
}

uint64_t cache_hash(const struct cache *cache, const struct question *question)
{
    return question_hash(question, cache->seed);
}

uint64_t cache_name_hash(const struct cache *cache, const uint8_t *name, size_t length)
{
    return wirename_hash(name, length, cache->seed);
}

struct shard *cache_shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 32 & (CACHE_SHARDS - 1)];
}

/* --- lookup --------------------------------------------------------------------------------- */

static uint32_t seconds_left(int64_t until_ms, int64_t now_ms)
{
    int64_t left_s = (until_ms - now_ms + 999) / 1000;
    return left_s <= 0 ? 0 : (uint32_t)left_s;
}

/* The record that answers the question: of its type, or the NXDOMAIN of its name. */
static struct cache_entry *find(const struct shard *shard, uint32_t hash,
                                const struct question *question)
{
    struct cache_entry *entry =
        shard_find(shard, hash, question->type, question->name, question->length);
    /* NXDOMAIN at the end of aliases is no denial of the first. */
    return entry != NULL || question->type == RR_CNAME
               ? entry
               : shard_find(shard, hash, CACHE_TYPE_NXDOMAIN, question->name, question->length);
}

static bool wants_refresh(const struct cache_entry *entry, int64_t now_ms)
{
    int64_t left_ms = entry->expires_ms - now_ms;
    return !entry->refresh_reported && entry->hits >= REFRESH_HITS &&
           now_ms >= entry->failed_until_ms && entry->answer->outcome != DNS_TEMPERROR &&
           left_ms * 100 <= (int64_t)entry->ttl_s * 1000 * REFRESH_PERCENT;
}

/* What a record that is not dead is worth now. */
static struct cache_found describe(const struct cache_entry *entry, int64_t now_ms)
{
    return (struct cache_found){
        .hit = now_ms >= entry->expires_ms ? CACHE_STALE : CACHE_FRESH,
        .answer = answer_ref(entry->answer),
        .ttl_left_s = seconds_left(entry->expires_ms, now_ms),
        .failed_recently = now_ms < entry->failed_until_ms,
    };
}

bool cache_has_forgotten(const struct cache *cache, const struct cache_entry *entry)
{
    const _Atomic int64_t *forgotten_ms = &cache->denials_forgotten_ms;
    if (entry->answer->outcome == DNS_FOUND)
        return false;
    if (entry->answer->outcome == DNS_TEMPERROR)
        forgotten_ms = &cache->forgotten_ms;
    return entry->expires_ms - (int64_t)entry->ttl_s * 1000 <=
           atomic_load_explicit(forgotten_ms, memory_order_relaxed);
}

static int64_t pause_ms(const struct shard *shard)
{
    uint32_t pause_s = shard->limits.failure_ttl_s;
    return (int64_t)(pause_s < STALE_RECHECK_S ? STALE_RECHECK_S : pause_s) * 1000;
}

/* The same for one that was noted beside an answer. */
static void forget_note(const struct shard *shard, struct cache_entry *entry, int64_t forgotten_ms)
{
    if (entry->failed_until_ms != 0 && entry->failed_until_ms - pause_ms(shard) <= forgotten_ms)
        entry->failed_until_ms = 0;
}

static void count(struct shard *shard, enum cache_hit hit)
{
    if (hit == CACHE_MISS)
        shard->stats.misses++;
    else if (hit == CACHE_STALE)
        shard->stats.stale_hits++;
    else
        shard->stats.hits++;
    if (hit == CACHE_REFRESH)
        shard->stats.refreshes++;
}

static struct cache_found look(struct cache *cache, const struct question *question, int64_t now_ms,
                               bool use)
{
    struct cache_found found = {.hit = CACHE_MISS};
    uint64_t hash = cache_name_hash(cache, question->name, question->length);
    struct shard *shard = cache_shard_of(cache, hash);
    int64_t forgotten_ms = atomic_load_explicit(&cache->forgotten_ms, memory_order_relaxed);
    pthread_mutex_lock(&shard->lock);
    struct cache_entry *entry = find(shard, (uint32_t)hash, question);
    if (entry != NULL &&
        (shard_is_dead(shard, entry, now_ms) || cache_has_forgotten(cache, entry))) {
        shard_remove(shard, entry);
        entry = NULL;
    }
    if (entry != NULL) {
        forget_note(shard, entry, forgotten_ms);
        found = describe(entry, now_ms);
    }
    if (entry != NULL && use) {
        entry->uses = (uint8_t)(entry->uses + (entry->uses < CACHE_USES_MAX));
        entry->hits = (uint8_t)(entry->hits + (entry->hits < CACHE_USES_MAX));
        if (found.hit == CACHE_FRESH && wants_refresh(entry, now_ms)) {
            entry->refresh_reported = true;
            found.hit = CACHE_REFRESH;
        }
    }
    if (use)
        count(shard, found.hit);
    pthread_mutex_unlock(&shard->lock);
    return found;
}

struct cache_found cache_lookup(struct cache *cache, const struct question *question,
                                int64_t now_ms)
{
    return look(cache, question, now_ms, true);
}

struct cache_found cache_peek(struct cache *cache, const struct question *question, int64_t now_ms)
{
    return look(cache, question, now_ms, false);
}

/* --- store ---------------------------------------------------------------------------------- */

uint32_t cache_capped_ttl(const struct cache_limits *limits, const struct answer *answer)
{
    uint32_t cap = limits->max_ttl_s;
    if (answer->outcome == DNS_TEMPERROR)
        return limits->failure_ttl_s;
    if (answer_is_denial(answer))
        cap = limits->negative_max_ttl_s;
    return answer->ttl_s < cap ? answer->ttl_s : cap;
}

static void put(struct shard *shard, uint32_t hash, uint16_t type, const struct question *question,
                struct answer *answer, int64_t now_ms)
{
    struct cache_entry *entry = shard_find(shard, hash, type, question->name, question->length);
    uint32_t ttl_s = cache_capped_ttl(&shard->limits, answer);
    if (entry != NULL && ttl_s > 0) {
        shard_replace(shard, entry, answer, ttl_s, now_ms);
    } else if (entry != NULL) {
        shard_remove(shard, entry); /* not to be kept, and the older answer is not true any more */
    } else if (ttl_s > 0) {
        const struct shard_record record = {.hash = hash,
                                            .type = type,
                                            .name = question->name,
                                            .length = question->length,
                                            .answer = answer,
                                            .ttl_s = ttl_s,
                                            .expires_ms = now_ms + (int64_t)ttl_s * 1000};
        shard_insert(shard, &record, now_ms);
    }
}

/* Remove the other records of the name that the new one contradicts. */
static void remove_contradicted(struct shard *shard, uint32_t hash, uint16_t type,
                                const struct question *question)
{
    struct cache_entry *next;
    for (struct cache_entry *entry = shard_bucket(shard, hash); entry != NULL; entry = next) {
        next = entry->chain;
        if (entry->hash == hash && entry->type != type &&
            (type == CACHE_TYPE_NXDOMAIN || entry->type == CACHE_TYPE_NXDOMAIN) &&
            entry_is(entry, question->name, question->length))
            shard_remove(shard, entry);
    }
}

/* A failure: noted beside an answer that may still serve, else a record of its own. */
static void put_failure(struct shard *shard, uint32_t hash, const struct question *question,
                        struct answer *answer, int64_t now_ms)
{
    struct cache_entry *entry = find(shard, hash, question);
    if (entry != NULL && shard_is_dead(shard, entry, now_ms)) {
        shard_remove(shard, entry);
        entry = NULL;
    }
    if (entry == NULL || entry->answer->outcome == DNS_TEMPERROR) {
        put(shard, hash, question->type, question, answer, now_ms);
        return;
    }
    entry->failed_until_ms = now_ms + pause_ms(shard);
    entry->refresh_reported = false; /* after the pause it is worth another try */
}

void cache_store(struct cache *cache, const struct question *question, struct answer *answer,
                 int64_t now_ms)
{
    uint64_t hash = cache_name_hash(cache, question->name, question->length);
    struct shard *shard = cache_shard_of(cache, hash);
    uint16_t type = answer->outcome == DNS_NXDOMAIN ? CACHE_TYPE_NXDOMAIN : question->type;
    pthread_mutex_lock(&shard->lock);
    if (answer->outcome == DNS_TEMPERROR) {
        put_failure(shard, (uint32_t)hash, question, answer, now_ms);
    } else {
        remove_contradicted(shard, (uint32_t)hash, type, question);
        put(shard, (uint32_t)hash, type, question, answer, now_ms);
    }
    pthread_mutex_unlock(&shard->lock);
}

/* --- flush, limits, figures ----------------------------------------------------------------- */

/* What is free now goes back to the system: malloc() keeps it otherwise, for the next answers. */
static void give_back(void)
{
#ifdef HAVE_MALLOC_TRIM
    (void)malloc_trim(0);
#endif
}

void cache_forget_failures(struct cache *cache, int64_t now_ms)
{
    atomic_store(&cache->forgotten_ms, now_ms);
}

void cache_forget_denials(struct cache *cache, int64_t now_ms)
{
    atomic_store(&cache->denials_forgotten_ms, now_ms);
}

/* `type` < 0: all types. */
static size_t flush(struct cache *cache, const uint8_t *name, size_t length, int type)
{
    uint64_t hash = cache_name_hash(cache, name, length);
    struct shard *shard = cache_shard_of(cache, hash);
    size_t gone = 0;
    pthread_mutex_lock(&shard->lock);
    struct cache_entry *next;
    for (struct cache_entry *entry = shard_bucket(shard, (uint32_t)hash); entry != NULL;
         entry = next) {
        next = entry->chain;
        if (entry->hash == (uint32_t)hash && entry_is(entry, name, length) &&
            (type < 0 || entry->type == type || entry->type == CACHE_TYPE_NXDOMAIN)) {
            shard_remove(shard, entry);
            gone++;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return gone;
}

size_t cache_flush(struct cache *cache, const struct question *question)
{
    return flush(cache, question->name, question->length, question->type);
}

size_t cache_flush_name(struct cache *cache, const uint8_t *name, size_t length)
{
    return length > WIRE_NAME_MAX ? 0 : flush(cache, name, length, -1);
}

size_t cache_flush_all(struct cache *cache)
{
    size_t gone = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        gone += shard_remove_all(&cache->shards[i]);
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    give_back();
    return gone;
}

void cache_set_limits(struct cache *cache, const struct cache_limits *limits)
{
    size_t before = 0, after = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        before += shard_bytes(&cache->shards[i]);
        shard_set_limits(&cache->shards[i], limits);
        after += shard_bytes(&cache->shards[i]);
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    if (after < before)
        give_back();
}

void cache_stats(struct cache *cache, struct cache_stats *out)
{
    *out = (struct cache_stats){.bytes = sizeof *cache};
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        out->records += shard->records;
        out->bytes += shard_bytes(shard);
        out->hits += shard->stats.hits;
        out->misses += shard->stats.misses;
        out->stale_hits += shard->stats.stale_hits;
        out->evictions += shard->stats.evictions;
        out->refreshes += shard->stats.refreshes;
        pthread_mutex_unlock(&shard->lock);
    }
}

/* Visit one queue; false: the visitor has enough. */
static bool visit_queue(const struct cache *cache, const struct queue *queue, int64_t now_ms,
                        bool (*visit)(void *arg, const struct question *question,
                                      const struct answer *answer, int64_t expires_in_ms),
                        void *arg)
{
    const struct cache_entry *entry;
    TAILQ_FOREACH(entry, queue, order)
    {
        struct question question = {.type = entry->answer->type, .length = entry->length};
        if (cache_has_forgotten(cache, entry))
            continue;
        memcpy(question.name, entry->name, entry->length);
        if (!visit(arg, &question, entry->answer, entry->expires_ms - now_ms))
            return false;
    }
    return true;
}

static bool visit_shard(struct cache *cache, unsigned part, int64_t now_ms,
                        bool (*visit)(void *arg, const struct question *question,
                                      const struct answer *answer, int64_t expires_in_ms),
                        void *arg)
{
    struct shard *shard = &cache->shards[part];
    pthread_mutex_lock(&shard->lock);
    bool more = visit_queue(cache, &shard->small, now_ms, visit, arg) &&
                visit_queue(cache, &shard->main, now_ms, visit, arg);
    pthread_mutex_unlock(&shard->lock);
    return more;
}

void cache_each(struct cache *cache, int64_t now_ms,
                bool (*visit)(void *arg, const struct question *question,
                              const struct answer *answer, int64_t expires_in_ms),
                void *arg)
{
    for (unsigned i = 0; i < CACHE_SHARDS; i++)
        if (!visit_shard(cache, i, now_ms, visit, arg))
            break;
}

bool cache_each_part(struct cache *cache, unsigned part, int64_t now_ms,
                     bool (*visit)(void *arg, const struct question *question,
                                   const struct answer *answer, int64_t expires_in_ms),
                     void *arg)
{
    if (part >= CACHE_SHARDS)
        return false;
    (void)visit_shard(cache, part, now_ms, visit, arg);
    return true;
}
