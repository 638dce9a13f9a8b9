/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/cache_file.h"

#include "base/replace_file.h"
#include "dns/cache_shard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A block is written when it has grown to so many bytes. */
#define BLOCK_BYTES 65536

/* Buckets that are copied out under one lock: about as many records. */
#define BUCKETS_A_LOCK 64

/* A record before its name: see put_record(). */
#define RECORD_FIXED 36

#define FLAG_SECURE  1U
#define FLAG_IN_MAIN 2U
#define FLAGS_KNOWN  (FLAG_SECURE | FLAG_IN_MAIN)

uint64_t cache_file_sum(uint64_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* --- numbers -------------------------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        *at++ = (uint8_t)(number >> (8 * i));
    return at;
}

static uint64_t get_number(const uint8_t **at, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | *(*at)++;
    return number;
}

/* --- saving --------------------------------------------------------------------------------- */

struct writer {
    struct cache *cache;
    struct replace_file *file;
    uint64_t sum;
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
    at = put_number(at, record_size(entry) - 4, 4);
    at = put_number(at, answer->type, 2);
    at = put_number(at, answer->outcome, 1);
    at = put_number(at, flags, 1);
    at = put_number(at, (uint64_t)(entry->expires_ms - now_ms), 8);
    at = put_number(at, answer->ttl_s, 4);
    at = put_number(at, answer->took_ms, 4);
    at = put_number(at, answer->count, 2);
    at = put_number(at, answer->dropped, 2);
    at = put_number(at, answer->payload_length, 4);
    at = put_number(at, entry->length, 4);
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
                writer->used + record_size(entry) > CACHE_FILE_BLOCK_MAX)
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
    size_t length = writer->used - CACHE_FILE_BLOCK_HEADER;
    (void)put_number(writer->block, length, 4);
    writer->sum = cache_file_sum(writer->sum, writer->block, 4);
    writer->sum = cache_file_sum(writer->sum, writer->block + CACHE_FILE_BLOCK_HEADER, length);
    (void)put_number(writer->block + 4, writer->sum, 8);
    size_t used = writer->used;
    writer->used = CACHE_FILE_BLOCK_HEADER;
    return replace_file_write(writer->file, writer->block, used);
}

static enum result write_header(struct writer *writer, int64_t wall_s)
{
    uint8_t header[CACHE_FILE_HEADER_LENGTH];
    uint8_t *at = header;
    memcpy(at, CACHE_FILE_MAGIC, CACHE_FILE_MAGIC_LENGTH);
    at = put_number(at + CACHE_FILE_MAGIC_LENGTH, CACHE_FILE_VERSION, 4);
    at = put_number(at, 0, 4);
    at = put_number(at, (uint64_t)wall_s, 8);
    writer->sum = cache_file_sum(CACHE_FILE_SUM_START, header, (size_t)(at - header));
    (void)put_number(at, writer->sum, 8);
    return replace_file_write(writer->file, header, sizeof header);
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
    if (status == RESULT_OK && writer->used > CACHE_FILE_BLOCK_HEADER)
        status = write_block(writer);
    return status == RESULT_OK ? write_block(writer) : status;
}

static enum result write_file(struct cache *cache, struct replace_file *file, int64_t now_ms,
                              int64_t wall_s)
{
    struct writer writer = {.cache = cache,
                            .file = file,
                            .used = CACHE_FILE_BLOCK_HEADER,
                            .room = 2 * BLOCK_BYTES,
                            .now_ms = now_ms};
    writer.block = malloc(writer.room);
    if (writer.block == NULL)
        return RESULT_NOMEM;
    enum result status = write_header(&writer, wall_s);
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

static const char cut_short[] = "is cut short";
static const char damaged[] = "is damaged";

struct reader {
    struct cache *cache;
    FILE *file;
    uint64_t sum;
    int64_t now_ms;
    int64_t age_ms;  /* of the file; -1: the clock went backwards */
    bool unproved;   /* its denials do not count */
    uint8_t *record; /* room for a block */
    size_t room;
    const char *why;
};

static enum result invalid(struct reader *reader, const char *why)
{
    reader->why = why;
    return RESULT_INVALID;
}

static enum result read_all(struct reader *reader, uint8_t *bytes, size_t length)
{
    if (fread(bytes, 1, length, reader->file) == length)
        return RESULT_OK;
    return ferror(reader->file) ? RESULT_IO : invalid(reader, cut_short);
}

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
    uint64_t type = get_number(&at, 2), outcome = get_number(&at, 1), flags = get_number(&at, 1);
    out->expires_in_ms = (int64_t)get_number(&at, 8);
    uint64_t answer_ttl_s = get_number(&at, 4), took_ms = get_number(&at, 4);
    uint64_t count = get_number(&at, 2), dropped = get_number(&at, 2);
    size_t payload = (size_t)get_number(&at, 4), name = (size_t)get_number(&at, 4);
    length -= RECORD_FIXED - 4;
    if (!is_type(type) || (flags & ~(uint64_t)FLAGS_KNOWN) != 0 || name > WIRE_NAME_MAX ||
        payload > length || name != length - payload || name_length(at, name) != name ||
        !is_payload((uint16_t)type, (enum dns_outcome)outcome, at + name, payload, (size_t)count))
        return invalid(reader, damaged);
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

/* The records of a block whose checksum was right. */
static enum result read_records(struct reader *reader, size_t length)
{
    const uint8_t *at = reader->record;
    for (size_t left = length; left > 0;) {
        if (left < RECORD_FIXED)
            return invalid(reader, damaged);
        size_t size = (size_t)get_number(&at, 4);
        if (size < RECORD_FIXED - 4 || size > left - 4)
            return invalid(reader, damaged);
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

/* One block; *length 0: it was the end. */
static enum result read_block(struct reader *reader, size_t *length)
{
    uint8_t header[CACHE_FILE_BLOCK_HEADER];
    enum result status = read_all(reader, header, sizeof header);
    if (status != RESULT_OK)
        return status;
    const uint8_t *at = header;
    size_t size = (size_t)get_number(&at, 4);
    uint64_t sum = get_number(&at, 8);
    if (size > CACHE_FILE_BLOCK_MAX)
        return invalid(reader, damaged);
    if (size > reader->room) {
        uint8_t *record = realloc(reader->record, size);
        if (record == NULL)
            return RESULT_NOMEM;
        reader->record = record;
        reader->room = size;
    }
    status = size == 0 ? RESULT_OK : read_all(reader, reader->record, size);
    if (status != RESULT_OK)
        return status;
    reader->sum = cache_file_sum(reader->sum, header, 4);
    reader->sum = size == 0 ? reader->sum : cache_file_sum(reader->sum, reader->record, size);
    if (reader->sum != sum)
        return invalid(reader, damaged);
    *length = size;
    return RESULT_OK;
}

static enum result read_header(struct reader *reader, int64_t wall_s)
{
    uint8_t header[CACHE_FILE_HEADER_LENGTH];
    enum result status = read_all(reader, header, CACHE_FILE_MAGIC_LENGTH + 4);
    if (status == RESULT_IO)
        return status;
    if (status != RESULT_OK || memcmp(header, CACHE_FILE_MAGIC, CACHE_FILE_MAGIC_LENGTH) != 0)
        return invalid(reader, "is not a cache file");
    const uint8_t *at = header + CACHE_FILE_MAGIC_LENGTH;
    uint64_t version = get_number(&at, 4);
    if (version != CACHE_FILE_VERSION && version != CACHE_FILE_VERSION_UNPROVED)
        return invalid(reader, "is of another version");
    reader->unproved = version == CACHE_FILE_VERSION_UNPROVED;
    size_t rest = sizeof header - CACHE_FILE_MAGIC_LENGTH - 4;
    status = read_all(reader, header + CACHE_FILE_MAGIC_LENGTH + 4, rest);
    if (status != RESULT_OK)
        return status;
    at += 4;
    int64_t saved_s = (int64_t)get_number(&at, 8);
    reader->sum = cache_file_sum(CACHE_FILE_SUM_START, header, sizeof header - 8);
    if (get_number(&at, 8) != reader->sum)
        return invalid(reader, damaged);
    bool backwards = saved_s < 0 || wall_s < saved_s;
    reader->age_ms = backwards                      ? -1
                     : wall_s - saved_s < INT32_MAX ? (wall_s - saved_s) * 1000
                                                    : (int64_t)INT32_MAX * 1000;
    return RESULT_OK;
}

static enum result read_file(struct reader *reader, int64_t wall_s)
{
    size_t length = 0;
    enum result status = read_header(reader, wall_s);
    while (status == RESULT_OK) {
        status = read_block(reader, &length);
        if (status == RESULT_OK && length == 0)
            break;
        if (status == RESULT_OK)
            status = read_records(reader, length);
    }
    if (status == RESULT_OK && fgetc(reader->file) != EOF)
        return invalid(reader, "goes on after its end");
    return status;
}

/* A pipe or device in the file's place must not hold up the start. */
static FILE *open_regular(const char *path)
{
    struct stat info;
    FILE *file = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0) {
        errno = EINVAL;
        if (S_ISREG(info.st_mode))
            file = fdopen(fd, "r");
    }
    if (file == NULL) {
        int error = errno;
        (void)close(fd);
        errno = error;
    }
    return file;
}

enum result cache_load(struct cache *cache, const char *path, int64_t now_ms, int64_t wall_s,
                       const char **why)
{
    struct reader reader = {.cache = cache, .now_ms = now_ms};
    reader.file = open_regular(path);
    if (reader.file == NULL)
        return errno == ENOENT ? RESULT_NOTFOUND : errno == ENOMEM ? RESULT_NOMEM : RESULT_IO;
    enum result status = read_file(&reader, wall_s);
    if (status == RESULT_INVALID)
        *why = reader.why;
    int error = errno;
    free(reader.record);
    (void)fclose(reader.file);
    errno = error;
    return status;
}
