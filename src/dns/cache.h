/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local cache: question to answer, sharded, bounded in bytes, resistant to
 * scans.  Thread safe throughout: one mutex a shard, held for a few hundred
 * instructions, never across a call out.
 */
#ifndef IPREVD_CACHE_H
#define IPREVD_CACHE_H

#include "base/metrics.h"
#include "dns/answer.h"

#include <stdio.h>

struct cache;

/* All that an administrator may set; see iprevd.conf(5). */
struct cache_limits {
    size_t size_bytes;           /* everything the cache allocates */
    uint32_t max_ttl_s;          /* positive answers */
    uint32_t negative_max_ttl_s; /* NXDOMAIN and NODATA (RFC 2308, held short: they are repaired) */
    uint32_t failure_ttl_s;      /* TEMPERROR (RFC 9520: 1 s to 5 min) */
    uint32_t stale_s;            /* kept after expiry, for outages (RFC 8767); 0: off */
};

enum cache_hit {
    CACHE_MISS,
    CACHE_FRESH,
    CACHE_REFRESH, /* fresh, and in use, and near its end: ask again in the background (reported
                    * once)
                    */
    CACHE_STALE,   /* expired, within stale_s: only if the servers fail */
};

struct cache_found {
    enum cache_hit hit;
    struct answer *answer; /* one reference for the caller; NULL on a miss */
    uint32_t ttl_left_s;   /* 0 when stale */
    bool failed_recently;  /* asking again has failed: do not ask yet */
};

/* NULL when memory is out.  `seed` keys the hash against chosen names.  free(NULL) is fine. */
struct cache *cache_new(const struct cache_limits *limits, uint64_t seed) MUST_CHECK;
void cache_free(struct cache *cache);

/* New limits (reload): a smaller size evicts at once. */
void cache_set_limits(struct cache *cache, const struct cache_limits *limits);

/* The cache's keyed hash, for other tables that strangers fill. */
uint64_t cache_hash(const struct cache *cache, const struct question *question);

struct cache_found cache_lookup(struct cache *cache, const struct question *question,
                                int64_t now_ms);

/* The same, but nobody uses the answer: no hit or miss is counted, and CACHE_REFRESH is not
 * reported.
 */
struct cache_found cache_peek(struct cache *cache, const struct question *question, int64_t now_ms);

/*
 * Keep an answer (takes its own reference) under a question, replacing an older one.  TTLs are
 * capped by kind; ttl 0 is not kept, and ends an older answer.  NXDOMAIN is kept for all types of
 * the name (RFC 2308 5), and what is found of a type ends it.  A TEMPERROR never replaces a
 * positive or negative answer that may still serve, if only stale: it is noted beside it for
 * failure_ttl_s, 30 s at least (RFC 8767 5), in which the answer says failed_recently.  With no
 * such answer the failure itself is kept, and is CACHE_FRESH for failure_ttl_s (RFC 9520).  Out of
 * memory: silently not kept.
 */
void cache_store(struct cache *cache, const struct question *question, struct answer *answer,
                 int64_t now_ms);

/*
 * Servers have come back at now_ms: failures stored until then say nothing any more, and the next
 * lookup asks.  Costs one store, however many records there are.  Thread safe.
 */
void cache_forget_failures(struct cache *cache, int64_t now_ms);

/* The same of denials: the servers denied everything.  Thread safe. */
void cache_forget_denials(struct cache *cache, int64_t now_ms);

/* Forget one question, or every type of a name, or all.  Returns how many records went. */
size_t cache_flush(struct cache *cache, const struct question *question);
size_t cache_flush_name(struct cache *cache, const uint8_t *name, size_t length);
size_t cache_flush_all(struct cache *cache);

struct cache_stats {
    uint64_t records, bytes, hits, misses, stale_hits, evictions, refreshes;
};
void cache_stats(struct cache *cache, struct cache_stats *out);

/*
 * Visit every record that is not forgotten, shard by shard; visit runs under the shard's lock and
 * must be quick.
 */
void cache_each(struct cache *cache, int64_t now_ms,
                bool (*visit)(void *arg, const struct question *question,
                              const struct answer *answer, int64_t expires_in_ms),
                void *arg);

/*
 * The same for one part of many, so that a caller can do something else between the parts.  False:
 * there is no such part, the one before was the last.  Parts are numbered from 0.
 */
bool cache_each_part(struct cache *cache, unsigned part, int64_t now_ms,
                     bool (*visit)(void *arg, const struct question *question,
                                   const struct answer *answer, int64_t expires_in_ms),
                     void *arg);

/*
 * Save to a file, one caller at a time: atomic (PATH.new, fsync, rename), and readers wait for
 * short locks only.  What is kept: answers of servers, fresh or stale, but no failures.  RESULT_IO:
 * errno says why, and an older file is untouched.
 *
 * Load into a cache in use or not; what it knows already wins.  RESULT_NOTFOUND: no file.
 * RESULT_IO: errno.  RESULT_INVALID: the file is damaged, cut short, of another program, or of
 * another version, *why says which (a static phrase: "is cut short"), and what came before the
 * damage under a good checksum is loaded.  Denials of a file of iprevd 1.0 are left out: nothing
 * proved them. Ages are kept by the wall clock; if that went backwards since the file was written,
 * all answers count as expired just now.  The cache's present limits apply.
 */
enum result cache_save(struct cache *cache, const char *path, int64_t now_ms,
                       int64_t wall_s) MUST_CHECK;
enum result cache_load(struct cache *cache, const char *path, int64_t now_ms, int64_t wall_s,
                       const char **why) MUST_CHECK;

#endif
