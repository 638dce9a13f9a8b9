/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One shard of the cache: records in a hash table and in the two queues of S3-FIFO (Yang et al.,
 * SOSP 2023).  Newcomers enter a small queue and reach the main one only when they are asked for
 * again, so that a scan of one-time clients passes through a tenth of the shard.  What left the
 * small queue unasked is remembered by a fingerprint and goes to the main queue when it comes back.
 * A hit changes no list, only a counter.
 *
 * For cache.c and cache_file.c only.  The caller holds the shard's lock throughout.
 */
#ifndef IPREVD_CACHE_SHARD_H
#define IPREVD_CACHE_SHARD_H

#include "dns/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

/* Shards: at a gigabyte a shard still has but a hundred thousand records. */
#define CACHE_SHARDS 64

/* The type under which NXDOMAIN is kept: it speaks for all types of a name (RFC 2308 5, RFC 8020).
 */
#define CACHE_TYPE_NXDOMAIN 0

/* Counters of hits saturate here. */
#define CACHE_USES_MAX 3

struct cache_entry {
    struct cache_entry *chain;      /* of its bucket */
    TAILQ_ENTRY(cache_entry) order; /* of its queue, oldest first */
    struct answer *answer;
    int64_t expires_ms;
    int64_t failed_until_ms; /* asking again failed: do not ask before; 0: it did not */
    uint32_t ttl_s;
    uint32_t hash;
    uint16_t type;
    uint8_t uses; /* hits since it entered its queue, for eviction */
    uint8_t hits; /* since it was stored, for refreshing ahead */
    bool in_main : 1;
    bool refresh_reported : 1;
    uint8_t length;
    uint8_t name[];
};

TAILQ_HEAD(queue, cache_entry);

/* A record that left the small queue, and when, counted in insertions. */
struct ghost {
    uint32_t fingerprint;
    uint32_t inserted;
};

struct shard {
    pthread_mutex_t lock;
    struct cache_limits limits;     /* size_bytes: this shard's part */
    struct cache_entry ***segments; /* the table: see cache_shard.c */
    size_t segment_count, segment_room;
    size_t bucket_count;
    size_t records;
    struct queue small, main;
    size_t bytes, small_bytes; /* of entries and answers */
    struct ghost *ghosts;
    size_t ghost_count; /* a power of two, or 0 */
    uint32_t insertions;
    struct cache_entry **large; /* those with large answers, the oldest first */
    size_t large_count, large_room;
    size_t large_bytes; /* of their answers */
    struct cache_stats stats;
};

struct cache {
    uint64_t seed;
    /* Failures, and denials, that were stored until then count no more. */
    _Atomic int64_t forgotten_ms, denials_forgotten_ms;
    struct shard shards[CACHE_SHARDS];
};

/* All types of a name share shard and bucket: one walk finds a type, NXDOMAIN, or all of them. */
uint64_t cache_name_hash(const struct cache *cache, const uint8_t *name, size_t length);
struct shard *cache_shard_of(struct cache *cache, uint64_t hash);

/* Make and end a shard, zeroed before.  The lock is made too; it need not be held. */
enum result shard_init(struct shard *shard, const struct cache_limits *limits) MUST_CHECK;
void shard_clear(struct shard *shard);

/* The shard's part of the cache's limits; evicts at once. */
void shard_set_limits(struct shard *shard, const struct cache_limits *limits);

/* Everything that the shard has allocated, in bytes. */
size_t shard_bytes(const struct shard *shard);

struct cache_entry *shard_find(const struct shard *shard, uint32_t hash, uint16_t type,
                               const uint8_t *name, size_t length);

/* The first entry of the bucket in which a hash's entries are, and of the i-th bucket. */
struct cache_entry *shard_bucket(const struct shard *shard, uint32_t hash);
struct cache_entry *shard_bucket_at(const struct shard *shard, size_t i);

/* Is it this name's? */
bool entry_is(const struct cache_entry *entry, const uint8_t *name, size_t length);

/* Past all use, fresh or stale? */
bool shard_is_dead(const struct shard *shard, const struct cache_entry *entry, int64_t now_ms);

/*
 * Keep a new record (one more reference to the answer is taken); `keep`: straight into the main
 * queue.  The entry may be evicted before this returns.  Out of memory: not kept.
 */
struct shard_record {
    uint32_t hash;
    uint16_t type;
    const uint8_t *name;
    uint8_t length;
    struct answer *answer;
    uint32_t ttl_s;
    int64_t expires_ms;
    bool keep;
};
void shard_insert(struct shard *shard, const struct shard_record *record, int64_t now_ms);

/* A newer answer in the place of an older one: the record keeps its place in the queues. */
void shard_replace(struct shard *shard, struct cache_entry *entry, struct answer *answer,
                   uint32_t ttl_s, int64_t now_ms);

void shard_remove(struct shard *shard, struct cache_entry *entry);
size_t shard_remove_all(struct shard *shard);

/* A failure that is a record of its own, or a denial, from before servers came to their senses. */
bool cache_has_forgotten(const struct cache *cache, const struct cache_entry *entry);

/* The TTL under which an answer is kept: its own, capped by its kind. */
uint32_t cache_capped_ttl(const struct cache_limits *limits, const struct answer *answer);

#endif
