/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/cache_file.h"

#include "base/block_file.h"
#include "dns/cache_shard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A block is written when it has grown to so many bytes. */
#define BLOCK_BYTES 65536

/* Buckets that are copied out under one lock: about as many records. */
#define BUCKETS_A_LOCK 64

/* A record before its name: see put_record(). */
#define RECORD_FIXED 36

#define FLAG_SECURE  1U
#define FLAG_IN_MAIN 2U
#define FLAGS_KNOWN  (FLAG_SECURE | FLAG_IN_MAIN)

/* --- saving --------------------------------------------------------------------------------- */

struct writer {
    struct cache *cache;
    struct block_writer blocks;
    uint8_t *block; /* room for the block's header, then its records */
    size_t used, room;
    int64_t now_ms;
};

static size_t record_size(const struct cache_entry *entry)
{
    return RECORD_FIXED + entry->length + entry->answer->payload_length;
}

static uint8_t *put_record(uint8_t *at, const struct cache_entry *entry, int64_t now_ms)
{
    const struct answer *answer = entry->answer;
    unsigned flags = (answer->secure ? FLAG_SECURE : 0) | (entry->in_main ? FLAG_IN_MAIN : 0);
    at = block_file_put(at, record_size(entry) - 4, 4);
    at = block_file_put(at, answer->type, 2);
    at = block_file_put(at, answer->outcome, 1);
    at = block_file_put(at, flags, 1);
    at = block_file_put(at, (uint64_t)(entry->expires_ms - now_ms), 8);
    at = block_file_put(at, answer->ttl_s, 4);
    at = block_file_put(at, answer->took_ms, 4);
    at = block_file_put(at, answer->count, 2);
    at = block_file_put(at, answer->dropped, 2);
    at = block_file_put(at, answer->payload_length, 4);
    at = block_file_put(at, entry->length, 4);
    memcpy(at, entry->name, entry->length);
    at += entry->length;
    memcpy(at, answer->payload, answer->payload_length);
    return at + answer->payload_length;
}

/* A zone file is read anew at every start, and a failure is old by then. */
static bool is_worth_saving(const struct writer *writer, const struct shard *shard,
                            const struct cache_entry *entry)
{
    return entry->answer->outcome != DNS_TEMPERROR && entry->answer->origin == DNS_FROM_NETWORK &&
           !shard_is_dead(shard, entry, writer->now_ms) &&
           !cache_has_forgotten(writer->cache, entry);
}

static enum result make_room(struct writer *writer, size_t size)
{
    size_t room = writer->room;
    if (room - writer->used >= size)
        return RESULT_OK;
    while (room - writer->used < size)
        room *= 2;
    uint8_t *block = realloc(writer->block, room);
    if (block == NULL)
        return RESULT_NOMEM;
    writer->block = block;
    writer->room = room;
    return RESULT_OK;
}

/* Copy records of buckets from *bucket on, under one lock, until there is enough for a while. */
static enum result copy_some(struct writer *writer, struct shard *shard, size_t *bucket)
{
    enum result status = RESULT_OK;
    pthread_mutex_lock(&shard->lock);
    size_t end = *bucket + BUCKETS_A_LOCK;
    for (; status == RESULT_OK && *bucket < end && writer->used < BLOCK_BYTES; ++*bucket) {
        if (*bucket >= shard->bucket_count) {
            *bucket = SIZE_MAX;
            break;
        }
        for (const struct cache_entry *entry = shard_bucket_at(shard, *bucket);
             entry != NULL && status == RESULT_OK; entry = entry->chain) {
            if (!is_worth_saving(writer, shard, entry) ||
                writer->used + record_size(entry) > BLOCK_FILE_BLOCK_MAX)
                continue;
            status = make_room(writer, record_size(entry));
            if (status == RESULT_OK)
                writer->used =
                    (size_t)(put_record(writer->block + writer->used, entry, writer->now_ms) -
                             writer->block);
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return status;
}

/* Write the block, which may be the empty one at the end, and begin another. */
static enum result write_block(struct writer *writer)
{
    size_t length = writer->used - BLOCK_FILE_BLOCK_HEADER;
    writer->used = BLOCK_FILE_BLOCK_HEADER;
    return block_write(&writer->blocks, writer->block, length);
}

static enum result write_records(struct writer *writer)
{
    enum result status = RESULT_OK;
    for (size_t i = 0; i < CACHE_SHARDS && status == RESULT_OK; i++)
        for (size_t bucket = 0; bucket != SIZE_MAX && status == RESULT_OK;) {
            status = copy_some(writer, &writer->cache->shards[i], &bucket);
            if (status == RESULT_OK && writer->used >= BLOCK_BYTES)
                status = write_block(writer);
        }
    if (status == RESULT_OK && writer->used > BLOCK_FILE_BLOCK_HEADER)
        status = write_block(writer);
    return status == RESULT_OK ? write_block(writer) : status;
}

static enum result write_file(struct cache *cache, struct replace_file *file, int64_t now_ms,
                              int64_t wall_s)
{
    struct writer writer = {
        .cache = cache, .used = BLOCK_FILE_BLOCK_HEADER, .room = 2 * BLOCK_BYTES, .now_ms = now_ms};
    writer.block = malloc(writer.room);
    if (writer.block == NULL)
        return RESULT_NOMEM;
    enum result status =
        block_write_header(&writer.blocks, file, CACHE_FILE_MAGIC, CACHE_FILE_VERSION, wall_s);
    if (status == RESULT_OK)
        status = write_records(&writer);
    free(writer.block);
    return status;
}

enum result cache_save(struct cache *cache, const char *path, int64_t now_ms, int64_t wall_s)
{
    struct replace_file file;
    enum result status = replace_file_begin(&file, path, S_IRUSR | S_IWUSR);
    if (status != RESULT_OK)
        return status;
    return replace_file_end(&file, write_file(cache, &file, now_ms, wall_s));
}

/* --- loading -------------------------------------------------------------------------------- */

struct reader {
    struct cache *cache;
    struct block_reader blocks;
    int64_t now_ms;
    int64_t age_ms; /* of the file; -1: the clock went backwards */
    bool unproved;  /* its denials do not count */
};

/* A lower-case uncompressed name at `at`, `left` bytes before the end: its length, or 0. */
static size_t name_length(const uint8_t *at, size_t left)
{
    size_t used = 0;
    while (used < left && at[used] != 0) {
        size_t end = used + 1 + at[used];
        if (at[used] > 63 || end >= left || end >= WIRE_NAME_MAX)
            return 0;
        for (used++; used < end; used++)
            if (at[used] >= 'A' && at[used] <= 'Z')
                return 0;
    }
    return used < left ? used + 1 : 0;
}

/* Are there `count` names in these bytes, and nothing else? */
static bool are_names(const uint8_t *bytes, size_t length, size_t count)
{
    for (; count > 0; count--) {
        size_t used = name_length(bytes, length);
        if (used == 0)
            return false;
        bytes += used;
        length -= used;
    }
    return length == 0;
}

static bool is_payload(uint16_t type, enum dns_outcome outcome, const uint8_t *bytes, size_t length,
                       size_t count)
{
    if (outcome != DNS_FOUND)
        return (outcome == DNS_NODATA || outcome == DNS_NXDOMAIN) && length == 0 && count == 0;
    if (count == 0)
        return false;
    switch (type) {
    case RR_A:
        return length == count * 4;
    case RR_AAAA:
        return length == count * 16;
    default:
        return are_names(bytes, length, count);
    }
}

static bool is_type(uint64_t type)
{
    return type == RR_A || type == RR_AAAA || type == RR_PTR || type == RR_MX;
}

/* What a record says, after checks. */
struct saved {
    struct answer *answer; /* one reference */
    const uint8_t *name;
    uint8_t length;
    int64_t expires_in_ms; /* when it was saved */
    bool in_main;
};

/* `at`: behind the record's length; `length`: of the rest. */
static enum result read_record(struct reader *reader, const uint8_t *at, size_t length,
                               struct saved *out)
{
    uint64_t type = block_file_get(&at, 2), outcome = block_file_get(&at, 1),
             flags = block_file_get(&at, 1);
    out->expires_in_ms = (int64_t)block_file_get(&at, 8);
    uint64_t answer_ttl_s = block_file_get(&at, 4), took_ms = block_file_get(&at, 4);
    uint64_t count = block_file_get(&at, 2), dropped = block_file_get(&at, 2);
    size_t payload = (size_t)block_file_get(&at, 4), name = (size_t)block_file_get(&at, 4);
    length -= RECORD_FIXED - 4;
    if (!is_type(type) || (flags & ~(uint64_t)FLAGS_KNOWN) != 0 || name > WIRE_NAME_MAX ||
        payload > length || name != length - payload || name_length(at, name) != name ||
        !is_payload((uint16_t)type, (enum dns_outcome)outcome, at + name, payload, (size_t)count))
        return block_read_damaged(&reader->blocks);
    struct answer *answer = answer_new((uint16_t)type, (enum dns_outcome)outcome, payload);
    if (answer == NULL)
        return RESULT_NOMEM;
    answer->origin = DNS_FROM_NETWORK;
    answer->secure = (flags & FLAG_SECURE) != 0;
    answer->server = ANSWER_NO_SERVER; /* numbers are of one run of the program */
    answer->count = (uint16_t)count;
    answer->dropped = (uint16_t)dropped;
    answer->ttl_s = (uint32_t)answer_ttl_s;
    answer->took_ms = (uint32_t)took_ms;
    memcpy(answer->payload, at + name, payload);
    out->answer = answer;
    out->name = at;
    out->length = (uint8_t)name;
    out->in_main = (flags & FLAG_IN_MAIN) != 0;
    return RESULT_OK;
}

/* Does the cache know the answer, or another one that contradicts it?  See cache_store(). */
static bool is_known(struct shard *shard, const struct shard_record *record)
{
    for (const struct cache_entry *entry = shard_bucket(shard, record->hash); entry != NULL;
         entry = entry->chain)
        if (entry->hash == record->hash &&
            (entry->type == record->type || entry->type == CACHE_TYPE_NXDOMAIN ||
             record->type == CACHE_TYPE_NXDOMAIN) &&
            entry_is(entry, record->name, record->length))
            return true;
    return false;
}

/* Seconds that the file claims are bounded by the limits of today. */
static void keep_record(struct reader *reader, const struct saved *saved)
{
    uint64_t hash = cache_name_hash(reader->cache, saved->name, saved->length);
    struct shard *shard = cache_shard_of(reader->cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct shard_record record = {
        .hash = (uint32_t)hash,
        .type = saved->answer->outcome == DNS_NXDOMAIN ? CACHE_TYPE_NXDOMAIN : saved->answer->type,
        .name = saved->name,
        .length = saved->length,
        .answer = saved->answer,
        .ttl_s = cache_capped_ttl(&shard->limits, saved->answer),
        .keep = saved->in_main};
    int64_t left_ms = saved->expires_in_ms;
    if (left_ms > (int64_t)record.ttl_s * 1000)
        left_ms = (int64_t)record.ttl_s * 1000;
    if (reader->age_ms < 0 && left_ms > 0)
        left_ms = 0;
    else if (reader->age_ms >= 0)
        left_ms = left_ms < INT64_MIN / 4 ? INT64_MIN / 4 : left_ms - reader->age_ms;
    record.expires_ms = reader->now_ms + left_ms;
    int64_t dead_ms = record.expires_ms + (int64_t)shard->limits.stale_s * 1000;
    bool believed = saved->answer->outcome == DNS_FOUND || !reader->unproved;
    if (believed && !is_known(shard, &record) && reader->now_ms < dead_ms)
        shard_insert(shard, &record, reader->now_ms);
    pthread_mutex_unlock(&shard->lock);
}

/* The records of the block that was read. */
static enum result read_records(struct reader *reader)
{
    const uint8_t *at = reader->blocks.block;
    for (size_t left = reader->blocks.length; left > 0;) {
        if (left < RECORD_FIXED)
            return block_read_damaged(&reader->blocks);
        size_t size = (size_t)block_file_get(&at, 4);
        if (size < RECORD_FIXED - 4 || size > left - 4)
            return block_read_damaged(&reader->blocks);
        struct saved saved;
        enum result status = read_record(reader, at, size, &saved);
        if (status != RESULT_OK)
            return status;
        keep_record(reader, &saved);
        answer_unref(saved.answer);
        at += size;
        left -= 4 + size;
    }
    return RESULT_OK;
}

static enum result read_header(struct reader *reader, int64_t wall_s)
{
    enum result status = block_read_header(&reader->blocks, CACHE_FILE_MAGIC, "is not a cache file",
                                           CACHE_FILE_VERSION_UNPROVED, CACHE_FILE_VERSION);
    if (status != RESULT_OK)
        return status;
    int64_t saved_s = reader->blocks.saved_s;
    reader->unproved = reader->blocks.version == CACHE_FILE_VERSION_UNPROVED;
    bool backwards = saved_s < 0 || wall_s < saved_s;
    reader->age_ms = backwards                      ? -1
                     : wall_s - saved_s < INT32_MAX ? (wall_s - saved_s) * 1000
                                                    : (int64_t)INT32_MAX * 1000;
    return RESULT_OK;
}

static enum result read_file(struct reader *reader, int64_t wall_s)
{
    enum result status = read_header(reader, wall_s);
    while (status == RESULT_OK) {
        status = block_read_next(&reader->blocks);
        if (status == RESULT_OK && reader->blocks.length == 0)
            break;
        if (status == RESULT_OK)
            status = read_records(reader);
    }
    return status;
}

enum result cache_load(struct cache *cache, const char *path, int64_t now_ms, int64_t wall_s,
                       const char **why)
{
    struct reader reader = {.cache = cache, .now_ms = now_ms};
    enum result status = block_read_open(&reader.blocks, path);
    if (status != RESULT_OK)
        return status;
    status = read_file(&reader, wall_s);
    if (status == RESULT_INVALID)
        *why = reader.blocks.why;
    block_read_close(&reader.blocks);
    return status;
}
