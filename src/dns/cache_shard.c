/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "dns/cache_shard.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(HAVE_MALLOC_USABLE_SIZE) && defined(HAVE_MALLOC_H)
#include <malloc.h>
#elif defined(HAVE_MALLOC_USABLE_SIZE) && defined(HAVE_MALLOC_NP_H) /* FreeBSD */
#include <malloc_np.h>
#else
#undef HAVE_MALLOC_USABLE_SIZE
#endif

/* Buckets come and go in pieces of this size; a shard has at least one. */
#define SEGMENT_BUCKETS 64

/* The small queue's share of a shard's bytes. */
#define SMALL_PERCENT 10

/*
 * Hits that lead from the small queue to the main one.  One is not enough: a client whose EHLO name
 * is its PTR name asks for that name twice in its one visit.
 */
#define PROMOTE_USES 2

/*
 * Answers from this size on, and their share, one of so many parts.  What malloc() has once had for
 * small answers it does not give back while some of them live, and large ones do not fit into the
 * holes: so resident memory is the limit and twice this share at most.
 */
#define LARGE_BYTES 4096
#define LARGE_PARTS 16

/* Bytes of cache for which one fingerprint of a record that left is kept. */
#define BYTES_A_GHOST 256

/* What malloc() keeps beside a block, and the step of its sizes where it does not tell them. */
#define MALLOC_OVERHEAD sizeof(size_t)
#define MALLOC_STEP     16

/* --- memory --------------------------------------------------------------------------------- */

/* What a block for which `size` bytes were asked takes. */
static size_t block_bytes(const void *block, size_t size)
{
#ifdef HAVE_MALLOC_USABLE_SIZE
    (void)size;
    return malloc_usable_size((void *)(uintptr_t)block) + MALLOC_OVERHEAD;
#else
    (void)block;
    return (size + MALLOC_OVERHEAD + MALLOC_STEP - 1) / MALLOC_STEP * MALLOC_STEP;
#endif
}

/* A record's block: its name follows the struct, and may end in the struct's padding. */
static size_t entry_size(size_t name_length)
{
    size_t size = offsetof(struct cache_entry, name) + name_length;
    return size > sizeof(struct cache_entry) ? size : sizeof(struct cache_entry);
}

static size_t entry_bytes(const struct cache_entry *entry)
{
    const struct answer *answer = entry->answer;
    return block_bytes(entry, entry_size(entry->length)) +
           block_bytes(answer, sizeof *answer + answer->payload_length);
}

size_t shard_bytes(const struct shard *shard)
{
    size_t segment = SEGMENT_BUCKETS * sizeof(struct cache_entry *) + MALLOC_OVERHEAD;
    return shard->bytes + shard->segment_count * segment +
           shard->segment_room * sizeof *shard->segments +
           shard->large_room * sizeof *shard->large + shard->ghost_count * sizeof *shard->ghosts;
}

/* --- the table ------------------------------------------------------------------------------ */

/*
 * Linear hashing (Litwin, 1980): the table grows and shrinks by one bucket at a time, whose chain
 * is split from, or joined to, that of its partner.  So no insertion ever waits for a whole table
 * to move, and the memory follows the number of records.  Buckets are numbered up to bucket_count;
 * a hash whose number would lie beyond is still in the partner's.
 */

/* The largest power of two that is not above n (n > 0). */
static size_t power_of_two_up_to(size_t n)
{
    return (size_t)1 << (8 * sizeof n - 1 - (size_t)__builtin_clzl(n));
}

static struct cache_entry **bucket_at(const struct shard *shard, size_t i)
{
    return &shard->segments[i / SEGMENT_BUCKETS][i % SEGMENT_BUCKETS];
}

static struct cache_entry **bucket_of(const struct shard *shard, uint32_t hash)
{
    size_t half = power_of_two_up_to(shard->bucket_count);
    size_t i = hash & (2 * half - 1);
    return bucket_at(shard, i < shard->bucket_count ? i : i - half);
}

struct cache_entry *shard_bucket(const struct shard *shard, uint32_t hash)
{
    return *bucket_of(shard, hash);
}

struct cache_entry *shard_bucket_at(const struct shard *shard, size_t i)
{
    return *bucket_at(shard, i);
}

/* Room for one more bucket.  False: out of memory, and chains get longer instead. */
static bool add_segment(struct shard *shard)
{
    if (shard->segment_count == shard->segment_room) {
        size_t room = shard->segment_room == 0 ? 1 : shard->segment_room * 2;
        struct cache_entry ***segments = realloc(shard->segments, room * sizeof *segments);
        if (segments == NULL)
            return false;
        shard->segments = segments;
        shard->segment_room = room;
    }
    struct cache_entry **segment = calloc(SEGMENT_BUCKETS, sizeof(struct cache_entry *));
    if (segment == NULL)
        return false;
    shard->segments[shard->segment_count++] = segment;
    return true;
}

/* One bucket more, with those of its partner's entries that belong there. */
static void split(struct shard *shard)
{
    size_t fresh = shard->bucket_count, half = power_of_two_up_to(fresh);
    if (fresh == shard->segment_count * SEGMENT_BUCKETS && !add_segment(shard))
        return;
    shard->bucket_count++;
    struct cache_entry **from = bucket_at(shard, fresh - half), **to = bucket_at(shard, fresh);
    *to = NULL;
    while (*from != NULL) {
        struct cache_entry *entry = *from;
        if ((entry->hash & (2 * half - 1)) == fresh) {
            *from = entry->chain;
            entry->chain = *to;
            *to = entry;
        } else {
            from = &entry->chain;
        }
    }
}

/* One bucket less: its entries go to its partner. */
static void merge(struct shard *shard)
{
    size_t last = --shard->bucket_count;
    struct cache_entry **end = bucket_at(shard, last - power_of_two_up_to(last));
    while (*end != NULL)
        end = &(*end)->chain;
    *end = *bucket_at(shard, last);
    if (last % SEGMENT_BUCKETS == 0)
        free(shard->segments[--shard->segment_count]);
}

static void fit_table(struct shard *shard)
{
    if (shard->records > shard->bucket_count)
        split(shard);
    /* One record less is two buckets less, so two steps keep up. */
    for (int i = 0; i < 2; i++)
        if (shard->bucket_count > SEGMENT_BUCKETS && shard->bucket_count > 2 * shard->records)
            merge(shard);
}

bool entry_is(const struct cache_entry *entry, const uint8_t *name, size_t length)
{
    return entry->length == length && memcmp(entry->name, name, length) == 0;
}

struct cache_entry *shard_find(const struct shard *shard, uint32_t hash, uint16_t type,
                               const uint8_t *name, size_t length)
{
    for (struct cache_entry *entry = shard_bucket(shard, hash); entry != NULL; entry = entry->chain)
        if (entry->hash == hash && entry->type == type && entry_is(entry, name, length))
            return entry;
    return NULL;
}

/* --- large answers -------------------------------------------------------------------------- */

/* Of the entry's answer; 0: it is a small one. */
static size_t large_size(const struct cache_entry *entry)
{
    size_t size = sizeof *entry->answer + entry->answer->payload_length;
    return size < LARGE_BYTES ? 0 : size;
}

/* False: out of memory. */
static bool note_large(struct shard *shard, struct cache_entry *entry)
{
    size_t bytes = large_size(entry);
    if (bytes == 0)
        return true;
    if (shard->large_count == shard->large_room) {
        size_t room = shard->large_room == 0 ? 8 : 2 * shard->large_room;
        struct cache_entry **large = realloc(shard->large, room * sizeof *large);
        if (large == NULL)
            return false;
        shard->large = large;
        shard->large_room = room;
    }
    shard->large[shard->large_count++] = entry;
    shard->large_bytes += bytes;
    return true;
}

/* Its answer is to be another, or to go. */
static void forget_large(struct shard *shard, const struct cache_entry *entry)
{
    size_t i = 0;
    if (large_size(entry) == 0)
        return;
    while (i < shard->large_count && shard->large[i] != entry)
        i++;
    if (i == shard->large_count)
        return; /* it could not be noted, and goes for that */
    shard->large_count--;
    memmove(shard->large + i, shard->large + i + 1,
            (shard->large_count - i) * sizeof *shard->large);
    shard->large_bytes -= large_size(entry);
}

/* --- queues --------------------------------------------------------------------------------- */

static void enqueue(struct shard *shard, struct cache_entry *entry, bool in_main)
{
    entry->in_main = in_main;
    entry->uses = 0;
    TAILQ_INSERT_TAIL(in_main ? &shard->main : &shard->small, entry, order);
    if (!in_main)
        shard->small_bytes += entry_bytes(entry);
}

static void dequeue(struct shard *shard, struct cache_entry *entry)
{
    TAILQ_REMOVE(entry->in_main ? &shard->main : &shard->small, entry, order);
    if (!entry->in_main)
        shard->small_bytes -= entry_bytes(entry);
}

void shard_remove(struct shard *shard, struct cache_entry *entry)
{
    struct cache_entry **at = bucket_of(shard, entry->hash);
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    dequeue(shard, entry);
    forget_large(shard, entry);
    shard->bytes -= entry_bytes(entry);
    shard->records--;
    answer_unref(entry->answer);
    free(entry);
    fit_table(shard);
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

/* The memory for it is taken when the first record must leave: without it, it works less well. */
static void remember(struct shard *shard, uint32_t hash)
{
    size_t count = shard->limits.size_bytes / BYTES_A_GHOST;
    if (shard->ghost_count == 0 && count > 0) {
        shard->ghost_count = power_of_two_up_to(count);
        shard->ghosts = calloc(shard->ghost_count, sizeof *shard->ghosts);
        if (shard->ghosts == NULL)
            shard->ghost_count = 0;
    }
    struct ghost *ghost = ghost_of(shard, hash);
    if (ghost != NULL)
        *ghost = (struct ghost){hash, shard->insertions == 0 ? 1 : shard->insertions};
}

bool shard_is_dead(const struct shard *shard, const struct cache_entry *entry, int64_t now_ms)
{
    int64_t stale_ms =
        entry->answer->outcome == DNS_TEMPERROR ? 0 : (int64_t)shard->limits.stale_s * 1000;
    return now_ms >= entry->expires_ms + stale_ms;
}

/* One step towards fewer bytes: something leaves, or moves on. */
static void evict_step(struct shard *shard, int64_t now_ms)
{
    bool from_small = TAILQ_EMPTY(&shard->main) ||
                      (shard->small_bytes > shard->limits.size_bytes * SMALL_PERCENT / 100 &&
                       !TAILQ_EMPTY(&shard->small));
    struct cache_entry *entry = TAILQ_FIRST(from_small ? &shard->small : &shard->main);
    uint8_t uses = entry->uses;
    if (uses >= (from_small ? PROMOTE_USES : 1) && !shard_is_dead(shard, entry, now_ms)) {
        dequeue(shard, entry);
        enqueue(shard, entry, true);
        entry->uses = from_small ? 0 : (uint8_t)(uses - 1);
        return;
    }
    if (from_small)
        remember(shard, entry->hash);
    shard->stats.evictions++;
    shard_remove(shard, entry);
}

static void evict(struct shard *shard, int64_t now_ms)
{
    while (shard->large_bytes > shard->limits.size_bytes / LARGE_PARTS) {
        shard->stats.evictions++;
        shard_remove(shard, shard->large[0]);
    }
    while (shard->records > 0 && shard_bytes(shard) > shard->limits.size_bytes)
        evict_step(shard, now_ms);
}

/* --- records -------------------------------------------------------------------------------- */

void shard_insert(struct shard *shard, const struct shard_record *record, int64_t now_ms)
{
    struct cache_entry *entry = malloc(entry_size(record->length));
    if (entry == NULL)
        return; /* not kept: it will be asked for again */
    *entry = (struct cache_entry){.answer = answer_ref(record->answer),
                                  .expires_ms = record->expires_ms,
                                  .ttl_s = record->ttl_s,
                                  .hash = record->hash,
                                  .type = record->type,
                                  .length = record->length};
    memcpy(entry->name, record->name, record->length);
    struct cache_entry **bucket = bucket_of(shard, record->hash);
    entry->chain = *bucket;
    *bucket = entry;
    shard->records++;
    shard->insertions++;
    shard->bytes += entry_bytes(entry);
    enqueue(shard, entry, record->keep || was_here(shard, record->hash));
    fit_table(shard);
    if (note_large(shard, entry))
        evict(shard, now_ms);
    else
        shard_remove(shard, entry);
}

void shard_replace(struct shard *shard, struct cache_entry *entry, struct answer *answer,
                   uint32_t ttl_s, int64_t now_ms)
{
    size_t before = entry_bytes(entry);
    struct answer *old = entry->answer;
    forget_large(shard, entry);
    entry->answer = answer_ref(answer);
    answer_unref(old);
    size_t after = entry_bytes(entry);
    shard->bytes += after - before;
    if (!entry->in_main)
        shard->small_bytes += after - before;
    entry->expires_ms = now_ms + (int64_t)ttl_s * 1000;
    entry->failed_until_ms = 0;
    entry->ttl_s = ttl_s;
    entry->refresh_reported = false;
    entry->hits = 0;
    if (note_large(shard, entry))
        evict(shard, now_ms);
    else
        shard_remove(shard, entry);
}

size_t shard_remove_all(struct shard *shard)
{
    size_t gone = shard->records;
    while (!TAILQ_EMPTY(&shard->small))
        shard_remove(shard, TAILQ_FIRST(&shard->small));
    while (!TAILQ_EMPTY(&shard->main))
        shard_remove(shard, TAILQ_FIRST(&shard->main));
    return gone;
}

/* --- life ----------------------------------------------------------------------------------- */

void shard_set_limits(struct shard *shard, const struct cache_limits *limits)
{
    size_t rest = sizeof(struct cache);
    shard->limits = *limits;
    shard->limits.size_bytes =
        limits->size_bytes < rest ? 0 : (limits->size_bytes - rest) / CACHE_SHARDS;
    free(shard->ghosts); /* their number depends on the size */
    shard->ghosts = NULL;
    shard->ghost_count = 0;
    evict(shard, INT64_MIN);
}

enum result shard_init(struct shard *shard, const struct cache_limits *limits)
{
    TAILQ_INIT(&shard->small);
    TAILQ_INIT(&shard->main);
    if (!add_segment(shard) || pthread_mutex_init(&shard->lock, NULL) != 0) {
        if (shard->segment_count > 0)
            free(shard->segments[0]);
        free(shard->segments);
        shard->segments = NULL;
        return RESULT_NOMEM;
    }
    shard->bucket_count = SEGMENT_BUCKETS;
    shard_set_limits(shard, limits);
    return RESULT_OK;
}

void shard_clear(struct shard *shard)
{
    if (shard->segments == NULL)
        return; /* was never made */
    (void)shard_remove_all(shard);
    for (size_t i = 0; i < shard->segment_count; i++)
        free(shard->segments[i]);
    free(shard->segments);
    free(shard->ghosts);
    free(shard->large);
    (void)pthread_mutex_destroy(&shard->lock);
}
