/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/calendar.h"
#include "site/client_memory_table.h"

#include <stdlib.h>

#define BUCKET_BYTES (CLIENT_MEMORY_WAYS * sizeof(struct client_entry))

/* --- life ----------------------------------------------------------------------------------- */

static size_t size_of(const struct client_memory_limits *limits)
{
    return limits->size_bytes > CLIENT_MEMORY_SIZE_MIN ? limits->size_bytes
                                                       : CLIENT_MEMORY_SIZE_MIN;
}

struct client_memory *client_memory_new(const struct client_memory_limits *limits,
                                        const uint8_t key[SIPHASH_KEY_LENGTH])
{
    struct client_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return NULL;
    if (!client_table_begin(&memory->table, size_of(limits), BUCKET_BYTES, key)) {
        free(memory);
        return NULL;
    }
    memory->keep_s = limits->keep_s;
    return memory;
}

void client_memory_free(struct client_memory *memory)
{
    if (memory == NULL)
        return;
    client_table_end(&memory->table);
    free(memory);
}

/* --- the table ------------------------------------------------------------------------------ */

/* An IPv4 address, or the network of 64 bits: a host may have any address of it (RFC 8981). */
static uint64_t hash_of(const struct client_memory *memory, const struct ipaddr *client)
{
    uint64_t hash = client_table_hash(&memory->table, client, client->family == IP_V6 ? 64 : 32);
    hash &= ~CLIENT_PASSED_SINCE;
    return hash != 0 ? hash : 2;
}

static struct client_entry *find(const struct client_memory *memory, uint64_t hash)
{
    struct client_entry *bucket = client_table_bucket(&memory->table, hash);
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

static unsigned last_seen(const struct client_entry *entry)
{
    const struct history history = unpack(entry);
    return history_seen_day(&history);
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
    entry =
        least_of(client_table_bucket(&memory->table, hash), memory->keep_s / CALENDAR_DAY_S, today);
    if (entry == NULL)
        return NULL;
    if (entry->word == 0)
        memory->clients++;
    else
        memory->replaced++;
    *entry = (struct client_entry){.word = hash};
    return entry;
}

/* A place in any case: where there is none for a newcomer, that of the one not seen for longest. */
static struct client_entry *place_for_known(struct client_memory *memory, uint64_t hash,
                                            unsigned today)
{
    struct client_entry *entry = client_memory_place(memory, hash, today);
    if (entry != NULL)
        return entry;
    struct client_entry *bucket = client_table_bucket(&memory->table, hash);
    entry = bucket;
    for (size_t i = 1; i < CLIENT_MEMORY_WAYS; i++)
        if (last_seen(&bucket[i]) < last_seen(entry))
            entry = &bucket[i];
    memory->replaced++;
    *entry = (struct client_entry){.word = hash};
    return entry;
}

/* Into a table of another size; what makes room there was not driven out by newcomers. */
static void move_to(struct client_memory *memory, void *buckets, size_t bucket_count)
{
    const struct client_entry *old = memory->table.buckets;
    size_t old_count = memory->table.bucket_count * CLIENT_MEMORY_WAYS;
    uint64_t replaced = memory->replaced;
    memory->table.buckets = buckets;
    memory->table.bucket_count = bucket_count;
    memory->clients = 0;
    for (size_t i = 0; i < old_count; i++) {
        struct client_entry *entry =
            old[i].word == 0 ? NULL : client_memory_place(memory, client_entry_hash(&old[i]), 0);
        if (entry != NULL)
            *entry = old[i];
    }
    memory->replaced = replaced;
}

enum result client_memory_set_limits(struct client_memory *memory,
                                     const struct client_memory_limits *limits)
{
    size_t count = client_table_bucket_count(size_of(limits), BUCKET_BYTES);
    void *buckets = NULL, *old = NULL;
    if (count != memory->table.bucket_count &&
        (buckets = client_table_new_buckets(count, BUCKET_BYTES)) == NULL)
        return RESULT_NOMEM;
    pthread_mutex_lock(&memory->table.lock);
    memory->keep_s = limits->keep_s;
    if (buckets != NULL) {
        old = memory->table.buckets;
        move_to(memory, buckets, count);
    }
    pthread_mutex_unlock(&memory->table.lock);
    free(old);
    return RESULT_OK;
}

/* --- use ------------------------------------------------------------------------------------- */

static struct history note(struct client_memory *memory, uint64_t hash, enum history_event event,
                           int64_t wall_s, bool *changed)
{
    struct history history = {0};
    *changed = false;
    struct client_entry *entry = event == HISTORY_PASS
                                     ? client_memory_place(memory, hash, history_day(wall_s))
                                     : find(memory, hash);
    memory->left_out += event == HISTORY_PASS && entry == NULL;
    if (entry == NULL)
        return history;
    history = unpack(entry);
    *changed = (event == HISTORY_PASS && history_pass(&history, wall_s)) ||
               (event == HISTORY_FAILURE && history_fail(&history, wall_s));
    if (*changed)
        pack(entry, &history);
    return history;
}

struct history client_memory_note(struct client_memory *memory, const struct ipaddr *client,
                                  enum history_event event, int64_t wall_s, bool *changed)
{
    bool ignored;
    bool *says = changed != NULL ? changed : &ignored;
    *says = false;
    if (memory == NULL || client->family == IP_NONE)
        return (struct history){0};
    pthread_mutex_lock(&memory->table.lock);
    struct history history = note(memory, hash_of(memory, client), event, wall_s, says);
    pthread_mutex_unlock(&memory->table.lock);
    return history;
}

struct history client_memory_merge(struct client_memory *memory, const struct ipaddr *client,
                                   const struct history *other, int64_t wall_s)
{
    const struct history nothing = {0};
    if (memory == NULL || client->family == IP_NONE)
        return *other;
    pthread_mutex_lock(&memory->table.lock);
    uint64_t hash = hash_of(memory, client);
    struct client_entry *entry = find(memory, hash);
    struct history known = entry != NULL ? unpack(entry) : nothing;
    struct history both = history_merge(&known, other);
    if (!history_equal(&both, &known)) {
        if (entry == NULL)
            entry = place_for_known(memory, hash, history_day(wall_s));
        pack(entry, &both);
    }
    pthread_mutex_unlock(&memory->table.lock);
    return both;
}

void client_memory_stats(struct client_memory *memory, struct client_memory_stats *out)
{
    pthread_mutex_lock(&memory->table.lock);
    *out = (struct client_memory_stats){
        .clients = memory->clients,
        .bytes = memory->clients * sizeof(struct client_entry),
        .size_bytes = memory->table.bucket_count * BUCKET_BYTES,
        .replaced = memory->replaced,
        .left_out = memory->left_out,
    };
    pthread_mutex_unlock(&memory->table.lock);
}
