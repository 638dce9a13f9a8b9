/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/greylist_table.h"

#include "base/block_file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Entries of a bucket: a network is in the bucket of its hash or nowhere. */
#define WAYS 8

/* In the lowest bit of a hash. */
#define PASSED UINT32_C(1)

#define FILE_MAGIC    "\x8diprevg\n"
#define FILE_VERSION  1U
#define FILE_ENTRY    12
#define BLOCK_ENTRIES 4096 /* of a block, which are copied out under one lock */

struct grey_entry {
    uint32_t high, low; /* the hash, whose lowest bit is PASSED; high 0: the place is free */
    uint32_t when_s;
};
_Static_assert(sizeof(struct grey_entry) == FILE_ENTRY, "as the manual says");

struct greylist_table {
    pthread_mutex_t lock; /* guards all of it */
    uint8_t key[SIPHASH_KEY_LENGTH];
    struct grey_entry *entries; /* bucket_count * WAYS */
    size_t bucket_count;
    unsigned keep_s;
    bool kept;
    uint64_t networks;
};

/* --- life ----------------------------------------------------------------------------------- */

struct greylist_table *greylist_table_new(size_t size_bytes, unsigned keep_s,
                                          const uint8_t key[SIPHASH_KEY_LENGTH])
{
    size_t size = size_bytes > GREYLIST_TABLE_SIZE_MIN ? size_bytes : GREYLIST_TABLE_SIZE_MIN;
    size_t bucket_count = size / (WAYS * sizeof(struct grey_entry));
    struct greylist_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->bucket_count = bucket_count < UINT32_MAX ? bucket_count : UINT32_MAX;
    /* Pages that nobody has written to take no memory. */
    table->entries = calloc(table->bucket_count, WAYS * sizeof *table->entries);
    if (table->entries == NULL) {
        free(table);
        return NULL;
    }
    table->keep_s = keep_s;
    table->kept = true;
    memcpy(table->key, key, sizeof table->key);
    (void)pthread_mutex_init(&table->lock, NULL);
    return table;
}

void greylist_table_free(struct greylist_table *table)
{
    if (table == NULL)
        return;
    (void)pthread_mutex_destroy(&table->lock);
    free(table->entries);
    free(table);
}

void greylist_table_keep(struct greylist_table *table, unsigned keep_s)
{
    pthread_mutex_lock(&table->lock);
    table->keep_s = keep_s;
    pthread_mutex_unlock(&table->lock);
}

void greylist_table_is_kept(struct greylist_table *table, bool kept)
{
    pthread_mutex_lock(&table->lock);
    table->kept = kept;
    pthread_mutex_unlock(&table->lock);
}

/* --- the table, with the lock held ----------------------------------------------------------- */

static uint64_t hash_of(const struct greylist_table *table, const struct ipaddr *client)
{
    bool v6 = client->family == IP_V6;
    uint64_t hash =
        siphash(table->key, client->bytes, (v6 ? GREYLIST_NETWORK_V6 : GREYLIST_NETWORK_V4) / 8);
    return hash >> 32 != 0 ? hash : hash | UINT64_C(1) << 32;
}

static struct grey_entry *bucket_of(const struct greylist_table *table, uint32_t high)
{
    return &table->entries[(size_t)((uint64_t)high * table->bucket_count >> 32) * WAYS];
}

static struct greylisted unpack(const struct grey_entry *entry)
{
    return (struct greylisted){.passed = (entry->low & PASSED) != 0, .when_s = entry->when_s};
}

static void pack(struct grey_entry *entry, const struct greylisted *known)
{
    entry->low = (entry->low & ~PASSED) | (known->passed ? PASSED : 0);
    entry->when_s = known->when_s;
}

static struct grey_entry *find(const struct greylist_table *table, uint64_t hash)
{
    struct grey_entry *bucket = bucket_of(table, (uint32_t)(hash >> 32));
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].high == (uint32_t)(hash >> 32) &&
            (bucket[i].low | PASSED) == ((uint32_t)hash | PASSED))
            return &bucket[i];
    return NULL;
}

/* A place for a newcomer: a free one, or that of one that is over.  NULL: there is none. */
static struct grey_entry *place(struct greylist_table *table, uint64_t hash, int64_t wall_s)
{
    struct grey_entry *bucket = bucket_of(table, (uint32_t)(hash >> 32));
    for (size_t i = 0; i < WAYS; i++) {
        const struct greylisted known = unpack(&bucket[i]);
        bool is_free = bucket[i].high == 0;
        if (!is_free && !greylist_is_over(&known, table->keep_s, wall_s))
            continue;
        table->networks += is_free;
        bucket[i] = (struct grey_entry){.high = (uint32_t)(hash >> 32), .low = (uint32_t)hash};
        return &bucket[i];
    }
    return NULL;
}

static enum greylist_answer seen(struct greylist_table *table, uint64_t hash, unsigned delay_s,
                                 int64_t wall_s)
{
    struct grey_entry *entry = find(table, hash);
    struct greylisted known;
    enum greylist_answer answer = GREYLIST_FIRST;
    if (entry != NULL) {
        known = unpack(entry);
        answer = greylist_again(&known, delay_s, table->keep_s, wall_s);
    } else if ((entry = place(table, hash, wall_s)) != NULL) {
        greylist_begin(&known, wall_s);
    } else {
        return GREYLIST_NO_ROOM;
    }
    pack(entry, &known);
    return answer == GREYLIST_PASSED || table->kept ? answer : GREYLIST_NO_ROOM;
}

enum greylist_answer greylist_table_seen(struct greylist_table *table, const struct ipaddr *client,
                                         unsigned delay_s, int64_t wall_s)
{
    if (table == NULL || client->family == IP_NONE)
        return GREYLIST_NOT_ASKED;
    pthread_mutex_lock(&table->lock);
    enum greylist_answer answer = seen(table, hash_of(table, client), delay_s, wall_s);
    pthread_mutex_unlock(&table->lock);
    return answer;
}

void greylist_table_stats(struct greylist_table *table, struct greylist_stats *out)
{
    pthread_mutex_lock(&table->lock);
    *out = (struct greylist_stats){.networks = table->networks, .size = table->bucket_count * WAYS};
    pthread_mutex_unlock(&table->lock);
}

/* --- saving --------------------------------------------------------------------------------- */

/* Copy the entries from *index on that are in use; returns how many bytes they take. */
static size_t copy_some(struct greylist_table *table, size_t *index, uint8_t *out)
{
    uint8_t *at = out;
    size_t count = table->bucket_count * WAYS;
    pthread_mutex_lock(&table->lock);
    size_t end = count - *index > BLOCK_ENTRIES ? *index + BLOCK_ENTRIES : count;
    for (; *index < end; ++*index) {
        const struct grey_entry *entry = &table->entries[*index];
        if (entry->high == 0)
            continue;
        at = block_file_put(at, entry->high, 4);
        at = block_file_put(at, entry->low, 4);
        at = block_file_put(at, entry->when_s, 4);
    }
    pthread_mutex_unlock(&table->lock);
    if (*index == count)
        *index = SIZE_MAX;
    return (size_t)(at - out);
}

static enum result write_blocks(struct greylist_table *table, struct block_writer *writer,
                                uint8_t *block)
{
    uint8_t *bytes = block + BLOCK_FILE_BLOCK_HEADER;
    memcpy(bytes, table->key, sizeof table->key);
    enum result status = block_write(writer, block, sizeof table->key);
    for (size_t index = 0; index != SIZE_MAX && status == RESULT_OK;) {
        size_t length = copy_some(table, &index, bytes);
        if (length > 0)
            status = block_write(writer, block, length);
    }
    return status == RESULT_OK ? block_write(writer, block, 0) : status;
}

enum result greylist_table_save(struct greylist_table *table, const char *path, int64_t wall_s)
{
    struct replace_file file;
    struct block_writer writer;
    enum result status = replace_file_begin(&file, path, S_IRUSR | S_IWUSR);
    if (status != RESULT_OK)
        return status;
    uint8_t *block = malloc(BLOCK_FILE_BLOCK_HEADER + BLOCK_ENTRIES * FILE_ENTRY);
    status = block == NULL ? RESULT_NOMEM
                           : block_write_header(&writer, &file, FILE_MAGIC, FILE_VERSION, wall_s);
    if (status == RESULT_OK)
        status = write_blocks(table, &writer, block);
    free(block);
    return replace_file_end(&file, status);
}

/* --- loading -------------------------------------------------------------------------------- */

static enum result read_key(struct greylist_table *table, struct block_reader *reader)
{
    enum result status = block_read_next(reader);
    if (status != RESULT_OK)
        return status;
    if (reader->length != sizeof table->key)
        return block_read_damaged(reader);
    memcpy(table->key, reader->block, sizeof table->key);
    return RESULT_OK;
}

static enum result read_entries(struct greylist_table *table, struct block_reader *reader,
                                int64_t wall_s)
{
    const uint8_t *at = reader->block, *end = at + reader->length;
    if (reader->length % FILE_ENTRY != 0)
        return block_read_damaged(reader);
    while (at < end) {
        uint64_t hash = block_file_get(&at, 4) << 32;
        hash |= block_file_get(&at, 4);
        uint32_t when_s = (uint32_t)block_file_get(&at, 4);
        if (hash >> 32 == 0)
            return block_read_damaged(reader);
        struct grey_entry *entry = find(table, hash);
        if (entry == NULL)
            entry = place(table, hash, wall_s);
        if (entry != NULL)
            *entry = (struct grey_entry){(uint32_t)(hash >> 32), (uint32_t)hash, when_s};
    }
    return RESULT_OK;
}

static enum result read_file(struct greylist_table *table, struct block_reader *reader,
                             int64_t wall_s)
{
    enum result status = block_read_header(
        reader, FILE_MAGIC, "is not a file of greylisted networks", FILE_VERSION, FILE_VERSION);
    if (status == RESULT_OK)
        status = read_key(table, reader);
    while (status == RESULT_OK) {
        status = block_read_next(reader);
        if (status == RESULT_OK && reader->length == 0)
            break;
        if (status == RESULT_OK)
            status = read_entries(table, reader, wall_s);
    }
    return status;
}

enum result greylist_table_load(struct greylist_table *table, const char *path, int64_t wall_s,
                                const char **why)
{
    struct block_reader reader;
    enum result status = block_read_open(&reader, path);
    if (status != RESULT_OK)
        return status;
    pthread_mutex_lock(&table->lock);
    status = read_file(table, &reader, wall_s);
    pthread_mutex_unlock(&table->lock);
    if (status == RESULT_INVALID)
        *why = reader.why;
    block_read_close(&reader);
    return status;
}
