/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * S3-FIFO (Yang et al., SOSP 2023) in every shard: newcomers enter a small queue and reach the main
 * one only when they are asked for again, so that a scan of one-time clients passes through a tenth
 * of the cache.  What left the small queue unasked is remembered by a fingerprint and goes to
 * the main queue when it comes back.  A hit changes no list, only a two-bit counter.
 */
#include "dns/cache.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define SHARDS        64
#define BUCKETS_START 64

/* The small queue's share of a shard's bytes. */
#define SMALL_PERCENT 10

/* A counter of hits saturates here. */
#define USES_MAX 3

/* Hits since it was stored that make a record worth asking for ahead of its end, and how much of
   the TTL is left then. */
#define REFRESH_USES    2
#define REFRESH_PERCENT 10

/* Bytes of cache for which one fingerprint of a record that left is kept. */
#define BYTES_A_GHOST 256

/* What malloc() keeps beside a block. */
#define MALLOC_OVERHEAD sizeof(size_t)

/* The type under which NXDOMAIN is kept: it speaks for all types of a name (RFC 2308 5, RFC 8020).
 */
#define TYPE_NXDOMAIN 0

struct entry {
    struct entry *chain;      /* of its bucket */
    TAILQ_ENTRY(entry) order; /* of its queue, oldest first */
    struct answer *answer;
    int64_t expires_ms;
    int64_t failed_until_ms; /* a failure since: do not ask before; 0: none */
    uint32_t ttl_s;
    uint32_t hash;
    uint16_t type;
    uint8_t uses;
    bool in_main : 1;
    bool refresh_told : 1;
    uint8_t length;
    uint8_t name[];
};

TAILQ_HEAD(queue, entry);

/* A record that left the small queue, by the time in insertions. */
struct ghost {
    uint32_t fingerprint;
    uint32_t inserted;
};

struct shard {
    pthread_mutex_t lock;
    struct cache_limits limits; /* size_bytes: this shard's part */
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t records;
    struct queue small, main;
    size_t bytes, small_bytes;
    struct ghost *ghosts;
    size_t ghost_count; /* a power of two, or 0 */
    uint32_t insertions;
    struct cache_stats stats;
};

struct cache {
    uint64_t seed;
    struct shard shards[SHARDS];
};

/* --- memory --------------------------------------------------------------------------------- */

static size_t block_bytes(const void *block)
{
    return malloc_usable_size((void *)(uintptr_t)block) + MALLOC_OVERHEAD;
}

static size_t entry_bytes(const struct entry *entry)
{
    return block_bytes(entry) + block_bytes(entry->answer);
}

static size_t table_bytes(const struct shard *shard)
{
    return shard->bucket_count * sizeof *shard->buckets +
           shard->ghost_count * sizeof *shard->ghosts;
}

static size_t power_of_two_up_to(size_t n)
{
    size_t power = 1;
    while (power * 2 <= n)
        power *= 2;
    return power;
}

/* Give the shard its part of the limits.  Without memory for the ghosts it does without. */
static void shard_set_limits(struct shard *shard, const struct cache_limits *limits)
{
    shard->limits = *limits;
    shard->limits.size_bytes = limits->size_bytes / SHARDS;
    free(shard->ghosts);
    shard->ghost_count = power_of_two_up_to(shard->limits.size_bytes / BYTES_A_GHOST);
    shard->ghosts = calloc(shard->ghost_count, sizeof *shard->ghosts);
    if (shard->ghosts == NULL)
        shard->ghost_count = 0;
}

struct cache *cache_new(const struct cache_limits *limits, uint64_t seed)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->seed = seed;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        TAILQ_INIT(&shard->small);
        TAILQ_INIT(&shard->main);
        shard->buckets = calloc(BUCKETS_START, sizeof *shard->buckets);
        if (shard->buckets == NULL || pthread_mutex_init(&shard->lock, NULL) != 0) {
            free(shard->buckets);
            shard->buckets = NULL;
            cache_free(cache);
            return NULL;
        }
        shard->bucket_count = BUCKETS_START;
        shard_set_limits(shard, limits);
    }
    return cache;
}

/* --- the table ------------------------------------------------------------------------------ */

/* All types of a name share a bucket, so that one walk finds a type, NXDOMAIN, or all of them. */
static uint64_t name_hash(const struct cache *cache, const uint8_t *name, size_t length)
{
    struct question question = {.type = TYPE_NXDOMAIN, .length = (uint8_t)length};
    memcpy(question.name, name, length);
    return question_hash(&question, cache->seed);
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 32 & (SHARDS - 1)];
}

static struct entry **bucket_of(const struct shard *shard, uint32_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

static bool entry_is(const struct entry *entry, const uint8_t *name, size_t length)
{
    return entry->length == length && memcmp(entry->name, name, length) == 0;
}

static struct entry *find(const struct shard *shard, uint32_t hash, uint16_t type,
                          const uint8_t *name, size_t length)
{
    for (struct entry *entry = *bucket_of(shard, hash); entry != NULL; entry = entry->chain)
        if (entry->hash == hash && entry->type == type && entry_is(entry, name, length))
            return entry;
    return NULL;
}

/*
 * Double the buckets when there are more records than buckets.  At a million records a shard has
 * 16,000, whose links are moved in about 0.1 ms; that happens once while the shard doubles.
 */
static void grow_table(struct shard *shard)
{
    if (shard->records < shard->bucket_count)
        return;
    size_t count = shard->bucket_count * 2;
    struct entry **buckets = calloc(count, sizeof *buckets);
    if (buckets == NULL)
        return; /* longer chains instead */
    for (size_t i = 0; i < shard->bucket_count; i++)
        for (struct entry *entry = shard->buckets[i]; entry != NULL;) {
            struct entry *next = entry->chain;
            entry->chain = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
            entry = next;
        }
    free(shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
}

/* --- queues --------------------------------------------------------------------------------- */

static void enqueue(struct shard *shard, struct entry *entry, bool in_main)
{
    entry->in_main = in_main;
    TAILQ_INSERT_TAIL(in_main ? &shard->main : &shard->small, entry, order);
    if (!in_main)
        shard->small_bytes += entry_bytes(entry);
}

static void dequeue(struct shard *shard, struct entry *entry)
{
    TAILQ_REMOVE(entry->in_main ? &shard->main : &shard->small, entry, order);
    if (!entry->in_main)
        shard->small_bytes -= entry_bytes(entry);
}

static void remove_entry(struct shard *shard, struct entry *entry)
{
    struct entry **at = bucket_of(shard, entry->hash);
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    dequeue(shard, entry);
    shard->bytes -= entry_bytes(entry);
    shard->records--;
    answer_unref(entry->answer);
    free(entry);
}

static struct ghost *ghost_of(const struct shard *shard, uint32_t hash)
{
    return shard->ghost_count == 0 ? NULL : &shard->ghosts[hash & (shard->ghost_count - 1)];
}

static bool was_here(const struct shard *shard, uint32_t hash)
{
    const struct ghost *ghost = ghost_of(shard, hash);
    return ghost != NULL && ghost->fingerprint == hash && ghost->inserted != 0 &&
           shard->insertions - ghost->inserted < shard->ghost_count;
}

static void remember(struct shard *shard, uint32_t hash)
{
    struct ghost *ghost = ghost_of(shard, hash);
    if (ghost != NULL)
        *ghost = (struct ghost){hash, shard->insertions == 0 ? 1 : shard->insertions};
}

/* One step towards fewer bytes: something leaves, or moves on. */
static void evict_step(struct shard *shard)
{
    bool from_small = TAILQ_EMPTY(&shard->main) ||
                      (shard->small_bytes > shard->limits.size_bytes * SMALL_PERCENT / 100 &&
                       !TAILQ_EMPTY(&shard->small));
    struct entry *entry = TAILQ_FIRST(from_small ? &shard->small : &shard->main);
    if (entry->uses > 0) {
        dequeue(shard, entry);
        entry->uses = from_small ? 0 : (uint8_t)(entry->uses - 1);
        enqueue(shard, entry, true);
        return;
    }
    if (from_small)
        remember(shard, entry->hash);
    shard->stats.evictions++;
    remove_entry(shard, entry);
}

static void evict(struct shard *shard)
{
    while (shard->records > 0 && shard->bytes + table_bytes(shard) > shard->limits.size_bytes)
        evict_step(shard);
}

/* --- lookup --------------------------------------------------------------------------------- */

static uint32_t seconds_left(int64_t until_ms, int64_t now_ms)
{
    int64_t left_s = (until_ms - now_ms + 999) / 1000;
    return left_s <= 0 ? 0 : (uint32_t)left_s;
}

static bool wants_refresh(struct entry *entry, int64_t now_ms)
{
    if (entry->refresh_told || entry->uses < REFRESH_USES || entry->failed_until_ms > now_ms ||
        entry->answer->outcome == DNS_TEMPERROR ||
        (entry->expires_ms - now_ms) * 100 > (int64_t)entry->ttl_s * 1000 * REFRESH_PERCENT)
        return false;
    entry->refresh_told = true;
    return true;
}

/* What a record is worth now; CACHE_MISS when it is past all use. */
static enum cache_hit judge(const struct shard *shard, struct entry *entry, int64_t now_ms)
{
    if (now_ms < entry->expires_ms)
        return wants_refresh(entry, now_ms) ? CACHE_REFRESH : CACHE_FRESH;
    bool may_be_stale = entry->answer->outcome != DNS_TEMPERROR;
    if (may_be_stale && now_ms < entry->expires_ms + (int64_t)shard->limits.stale_s * 1000)
        return CACHE_STALE;
    return CACHE_MISS;
}

static void count_hit(struct shard *shard, enum cache_hit hit)
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

struct cache_found cache_lookup(struct cache *cache, const struct question *question,
                                int64_t now_ms)
{
    struct cache_found found = {.hit = CACHE_MISS};
    uint64_t hash = name_hash(cache, question->name, question->length);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry =
        find(shard, (uint32_t)hash, question->type, question->name, question->length);
    if (entry == NULL)
        entry = find(shard, (uint32_t)hash, TYPE_NXDOMAIN, question->name, question->length);
    if (entry != NULL) {
        if (entry->uses < USES_MAX)
            entry->uses++;
        found.hit = judge(shard, entry, now_ms);
        if (found.hit == CACHE_MISS) {
            remove_entry(shard, entry);
        } else {
            found.answer = answer_ref(entry->answer);
            found.ttl_left_s = seconds_left(entry->expires_ms, now_ms);
            found.failed_recently = now_ms < entry->failed_until_ms;
        }
    }
    count_hit(shard, found.hit);
    pthread_mutex_unlock(&shard->lock);
    return found;
}

/* --- store ---------------------------------------------------------------------------------- */

static uint32_t capped_ttl(const struct cache_limits *limits, const struct answer *answer)
{
    uint32_t cap = limits->max_ttl_s;
    if (answer->outcome == DNS_TEMPERROR)
        return limits->failure_ttl_s;
    if (answer->outcome == DNS_NXDOMAIN || answer->outcome == DNS_NODATA)
        cap = limits->negative_max_ttl_s;
    return answer->ttl_s < cap ? answer->ttl_s : cap;
}

/* Remove the other records of the name that the new one contradicts. */
static void remove_contradicted(struct shard *shard, uint32_t hash, uint16_t type,
                                const struct question *question)
{
    struct entry *next;
    for (struct entry *entry = *bucket_of(shard, hash); entry != NULL; entry = next) {
        next = entry->chain;
        if (entry->hash == hash && entry->type != type &&
            (type == TYPE_NXDOMAIN || entry->type == TYPE_NXDOMAIN) &&
            entry_is(entry, question->name, question->length))
            remove_entry(shard, entry);
    }
}

static void insert(struct shard *shard, uint32_t hash, uint16_t type,
                   const struct question *question, struct answer *answer, uint32_t ttl_s,
                   int64_t now_ms)
{
    struct entry *entry = malloc(sizeof *entry + question->length);
    if (entry == NULL)
        return; /* not kept: it will be asked for again */
    *entry = (struct entry){.answer = answer_ref(answer),
                            .expires_ms = now_ms + (int64_t)ttl_s * 1000,
                            .ttl_s = ttl_s,
                            .hash = hash,
                            .type = type,
                            .length = question->length};
    memcpy(entry->name, question->name, question->length);
    grow_table(shard);
    struct entry **bucket = bucket_of(shard, hash);
    entry->chain = *bucket;
    *bucket = entry;
    shard->records++;
    shard->insertions++;
    shard->bytes += entry_bytes(entry);
    enqueue(shard, entry, was_here(shard, hash));
    evict(shard);
}

/* A newer answer in the place of an older one: the record keeps its place in the queues. */
static void replace(struct shard *shard, struct entry *entry, struct answer *answer, uint32_t ttl_s,
                    int64_t now_ms)
{
    size_t before = entry_bytes(entry);
    answer_unref(entry->answer);
    entry->answer = answer_ref(answer);
    size_t after = entry_bytes(entry);
    shard->bytes += after - before;
    if (!entry->in_main)
        shard->small_bytes += after - before;
    entry->expires_ms = now_ms + (int64_t)ttl_s * 1000;
    entry->failed_until_ms = 0;
    entry->ttl_s = ttl_s;
    entry->refresh_told = false;
    entry->uses = entry->uses > 1 ? 1 : entry->uses;
    evict(shard);
}

void cache_store(struct cache *cache, const struct question *question, struct answer *answer,
                 int64_t now_ms)
{
    uint64_t hash = name_hash(cache, question->name, question->length);
    uint16_t type = answer->outcome == DNS_NXDOMAIN ? TYPE_NXDOMAIN : question->type;
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    uint32_t ttl_s = capped_ttl(&shard->limits, answer);
    struct entry *entry = find(shard, (uint32_t)hash, type, question->name, question->length);
    if (answer->outcome == DNS_TEMPERROR) {
        if (entry == NULL) /* an old NXDOMAIN may serve stale, too */
            entry = find(shard, (uint32_t)hash, TYPE_NXDOMAIN, question->name, question->length);
        if (entry != NULL && entry->answer->outcome != DNS_TEMPERROR) {
            entry->failed_until_ms = now_ms + (int64_t)ttl_s * 1000;
            ttl_s = 0;
        }
    } else {
        remove_contradicted(shard, (uint32_t)hash, type, question);
    }
    if (ttl_s > 0 && entry == NULL)
        insert(shard, (uint32_t)hash, type, question, answer, ttl_s, now_ms);
    else if (ttl_s > 0)
        replace(shard, entry, answer, ttl_s, now_ms);
    else if (entry != NULL && answer->outcome != DNS_TEMPERROR)
        remove_entry(shard, entry); /* TTL 0: the older answer is not true any more */
    pthread_mutex_unlock(&shard->lock);
}

/* --- flush, limits, figures ----------------------------------------------------------------- */

static size_t flush(struct cache *cache, const uint8_t *name, size_t length, int type)
{
    uint64_t hash = name_hash(cache, name, length);
    struct shard *shard = shard_of(cache, hash);
    size_t gone = 0;
    pthread_mutex_lock(&shard->lock);
    struct entry *next;
    for (struct entry *entry = *bucket_of(shard, (uint32_t)hash); entry != NULL; entry = next) {
        next = entry->chain;
        if (entry->hash == (uint32_t)hash && entry_is(entry, name, length) &&
            (type < 0 || entry->type == type || entry->type == TYPE_NXDOMAIN)) {
            remove_entry(shard, entry);
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

static size_t shard_clear(struct shard *shard)
{
    size_t gone = shard->records;
    while (!TAILQ_EMPTY(&shard->small))
        remove_entry(shard, TAILQ_FIRST(&shard->small));
    while (!TAILQ_EMPTY(&shard->main))
        remove_entry(shard, TAILQ_FIRST(&shard->main));
    return gone;
}

size_t cache_flush_all(struct cache *cache)
{
    size_t gone = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        gone += shard_clear(&cache->shards[i]);
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return gone;
}

void cache_set_limits(struct cache *cache, const struct cache_limits *limits)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        shard_set_limits(&cache->shards[i], limits);
        evict(&cache->shards[i]);
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
}

void cache_stats(struct cache *cache, struct cache_stats *out)
{
    *out = (struct cache_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        out->records += shard->records;
        out->bytes += shard->bytes + table_bytes(shard);
        out->hits += shard->stats.hits;
        out->misses += shard->stats.misses;
        out->stale_hits += shard->stats.stale_hits;
        out->evictions += shard->stats.evictions;
        out->refreshes += shard->stats.refreshes;
        pthread_mutex_unlock(&shard->lock);
    }
}

/* Visit one queue; false: the visitor has enough. */
static bool visit_queue(const struct queue *queue, int64_t now_ms,
                        bool (*visit)(void *arg, const struct question *question,
                                      const struct answer *answer, int64_t expires_in_ms),
                        void *arg)
{
    const struct entry *entry;
    TAILQ_FOREACH(entry, queue, order)
    {
        struct question question = {.type = entry->answer->type, .length = entry->length};
        memcpy(question.name, entry->name, entry->length);
        if (!visit(arg, &question, entry->answer, entry->expires_ms - now_ms))
            return false;
    }
    return true;
}

void cache_each(struct cache *cache, int64_t now_ms,
                bool (*visit)(void *arg, const struct question *question,
                              const struct answer *answer, int64_t expires_in_ms),
                void *arg)
{
    bool more = true;
    for (size_t i = 0; i < SHARDS && more; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        more = visit_queue(&shard->small, now_ms, visit, arg) &&
               visit_queue(&shard->main, now_ms, visit, arg);
        pthread_mutex_unlock(&shard->lock);
    }
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < SHARDS && cache->shards[i].buckets != NULL; i++) {
        struct shard *shard = &cache->shards[i];
        (void)shard_clear(shard);
        (void)pthread_mutex_destroy(&shard->lock);
        free(shard->buckets);
        free(shard->ghosts);
    }
    free(cache);
}
