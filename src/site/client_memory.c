/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/client_memory_table.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* --- life ----------------------------------------------------------------------------------- */

static size_t buckets_of(size_t size_bytes)
{
    size_t size = size_bytes > CLIENT_MEMORY_SIZE_MIN ? size_bytes : CLIENT_MEMORY_SIZE_MIN;
    size_t count = size / (CLIENT_MEMORY_WAYS * sizeof(struct client_entry));
    return count < UINT32_MAX ? count : UINT32_MAX;
}

/* Pages that nobody has written to take no memory. */
static struct client_entry *new_entries(size_t bucket_count)
{
    return calloc(bucket_count, CLIENT_MEMORY_WAYS * sizeof(struct client_entry));
}

struct client_memory *client_memory_new(const struct client_memory_limits *limits,
                                        const uint8_t key[SIPHASH_KEY_LENGTH])
{
    struct client_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return NULL;
    memory->bucket_count = buckets_of(limits->size_bytes);
    memory->entries = new_entries(memory->bucket_count);
    if (memory->entries == NULL) {
        free(memory);
        return NULL;
    }
    memory->keep_s = limits->keep_s;
    memcpy(memory->key, key, sizeof memory->key);
    (void)pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void client_memory_free(struct client_memory *memory)
{
    if (memory == NULL)
        return;
    (void)pthread_mutex_destroy(&memory->lock);
    free(memory->entries);
    free(memory);
}

/* --- the table ------------------------------------------------------------------------------ */

/* An IPv4 address, or the network of 64 bits: a host may have any address of it (RFC 8981). */
static uint64_t hash_of(const struct client_memory *memory, const struct ipaddr *client)
{
    uint64_t hash = siphash(memory->key, client->bytes, client->family == IP_V6 ? 8 : 4);
    hash &= ~CLIENT_PASSED_SINCE;
    return hash != 0 ? hash : 2;
}

static struct client_entry *bucket_of(const struct client_memory *memory, uint64_t hash)
{
    size_t bucket = (size_t)((hash >> 32) * memory->bucket_count >> 32);
    return &memory->entries[bucket * CLIENT_MEMORY_WAYS];
}

static struct client_entry *find(const struct client_memory *memory, uint64_t hash)
{
    struct client_entry *bucket = bucket_of(memory, hash);
    for (size_t i = 0; i < CLIENT_MEMORY_WAYS; i++)
        if (client_entry_hash(&bucket[i]) == hash)
            return &bucket[i];
    return NULL;
}

static struct history unpack(const struct client_entry *entry)
{
    return (struct history){.failed_s = entry->failed_s,
                            .last_day = entry->last_day,
                            .previous_day = entry->previous_day,
                            .passed_since = (entry->word & CLIENT_PASSED_SINCE) != 0};
}

static void pack(struct client_entry *entry, const struct history *history)
{
    entry->failed_s = history->failed_s;
    entry->last_day = history->last_day;
    entry->previous_day = history->previous_day;
    entry->word = client_entry_hash(entry) | (history->passed_since ? CLIENT_PASSED_SINCE : 0);
}

/* What an entry is worth to us: those that are worth less make room first. */
enum worth { WORTH_FREE, WORTH_FORGOTTEN, WORTH_ONCE, WORTH_OLD, WORTH_KEEPING };

struct rank {
    enum worth worth;
    unsigned seen_day;
};

static struct rank rank_of(const struct client_entry *entry, unsigned keep_days, unsigned today)
{
    if (entry->word == 0)
        return (struct rank){WORTH_FREE, 0};
    struct history history = unpack(entry);
    unsigned seen_day = history_seen_day(&history);
    unsigned age_days = seen_day < today ? today - seen_day : 0;
    enum worth worth = age_days > keep_days        ? WORTH_FORGOTTEN
                       : history.previous_day == 0 ? WORTH_ONCE
                       : 2 * age_days >= keep_days ? WORTH_OLD
                                                   : WORTH_KEEPING;
    return (struct rank){worth, seen_day};
}

/* The entry of a bucket that makes room for a newcomer, or NULL. */
static struct client_entry *least_of(struct client_entry *bucket, unsigned keep_days,
                                     unsigned today)
{
    struct client_entry *least[WORTH_KEEPING + 1] = {NULL};
    unsigned seen_day[WORTH_KEEPING + 1] = {0}, count[WORTH_KEEPING + 1] = {0};
    for (size_t i = 0; i < CLIENT_MEMORY_WAYS; i++) {
        struct rank rank = rank_of(&bucket[i], keep_days, today);
        if (count[rank.worth]++ == 0 || rank.seen_day < seen_day[rank.worth]) {
            least[rank.worth] = &bucket[i];
            seen_day[rank.worth] = rank.seen_day;
        }
    }
    if (least[WORTH_FREE] != NULL)
        return least[WORTH_FREE];
    if (least[WORTH_FORGOTTEN] != NULL)
        return least[WORTH_FORGOTTEN];
    /* Without room for some newcomers none of them would ever come a second time. */
    if (least[WORTH_OLD] != NULL && count[WORTH_ONCE] < CLIENT_MEMORY_NEWCOMERS)
        return least[WORTH_OLD];
    return least[WORTH_ONCE];
}

struct client_entry *client_memory_place(struct client_memory *memory, uint64_t hash,
                                         unsigned today)
{
    struct client_entry *entry = find(memory, hash);
    if (entry != NULL)
        return entry;
    entry = least_of(bucket_of(memory, hash), memory->keep_s / DAY_S, today);
    if (entry == NULL) {
        memory->left_out++;
        return NULL;
    }
    if (entry->word == 0)
        memory->clients++;
    else
        memory->replaced++;
    *entry = (struct client_entry){.word = hash};
    return entry;
}

enum result client_memory_set_limits(struct client_memory *memory,
                                     const struct client_memory_limits *limits)
{
    size_t count = buckets_of(limits->size_bytes), old_count;
    struct client_entry *entries = NULL, *old;
    if (count != memory->bucket_count && (entries = new_entries(count)) == NULL)
        return RESULT_NOMEM;
    pthread_mutex_lock(&memory->lock);
    memory->keep_s = limits->keep_s;
    old = entries != NULL ? memory->entries : NULL;
    old_count = memory->bucket_count * CLIENT_MEMORY_WAYS;
    if (entries != NULL) {
        uint64_t replaced = memory->replaced, left_out = memory->left_out;
        memory->entries = entries;
        memory->bucket_count = count;
        memory->clients = 0;
        for (size_t i = 0; i < old_count; i++) {
            struct client_entry *entry =
                old[i].word == 0 ? NULL
                                 : client_memory_place(memory, client_entry_hash(&old[i]), 0);
            if (entry != NULL)
                *entry = old[i];
        }
        memory->replaced = replaced;
        memory->left_out = left_out;
    }
    pthread_mutex_unlock(&memory->lock);
    free(old);
    return RESULT_OK;
}

/* --- use ------------------------------------------------------------------------------------- */

static struct history note(struct client_memory *memory, uint64_t hash, enum history_event event,
                           int64_t wall_s)
{
    struct history history = {0};
    struct client_entry *entry = event == HISTORY_PASS
                                     ? client_memory_place(memory, hash, history_day(wall_s))
                                     : find(memory, hash);
    if (entry == NULL)
        return history;
    history = unpack(entry);
    if ((event == HISTORY_PASS && history_pass(&history, wall_s)) ||
        (event == HISTORY_FAILURE && history_fail(&history, wall_s)))
        pack(entry, &history);
    return history;
}

struct history client_memory_note(struct client_memory *memory, const struct ipaddr *client,
                                  enum history_event event, int64_t wall_s)
{
    if (memory == NULL || client->family == IP_NONE)
        return (struct history){0};
    pthread_mutex_lock(&memory->lock);
    struct history history = note(memory, hash_of(memory, client), event, wall_s);
    pthread_mutex_unlock(&memory->lock);
    return history;
}

void client_memory_stats(struct client_memory *memory, struct client_memory_stats *out)
{
    pthread_mutex_lock(&memory->lock);
    *out = (struct client_memory_stats){
        .clients = memory->clients,
        .bytes = memory->clients * sizeof(struct client_entry),
        .size_bytes = memory->bucket_count * CLIENT_MEMORY_WAYS * sizeof(struct client_entry),
        .replaced = memory->replaced,
        .left_out = memory->left_out,
    };
    pthread_mutex_unlock(&memory->lock);
}
