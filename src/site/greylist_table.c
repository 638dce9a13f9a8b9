/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/greylist_table.h"

#include "base/block_file.h"
#include "site/client_table.h"

#include <stdlib.h>

/* Entries of a bucket. */
#define WAYS 8

/* In the lowest bit of a hash. */
#define PASSED UINT32_C(1)

struct grey_entry {
    uint32_t high, low; /* the hash, whose lowest bit is PASSED; high 0: the place is free */
    uint32_t when_s;
};
#define BUCKET_BYTES (WAYS * sizeof(struct grey_entry))

struct greylist_table {
    struct client_table table; /* of struct grey_entry; its lock guards all of it */
    unsigned keep_s;
    bool kept;
    uint64_t networks;
};

/* --- life ----------------------------------------------------------------------------------- */

struct greylist_table *greylist_table_new(size_t size_bytes, unsigned keep_s,
                                          const uint8_t key[SIPHASH_KEY_LENGTH])
{
    size_t size = size_bytes > GREYLIST_TABLE_SIZE_MIN ? size_bytes : GREYLIST_TABLE_SIZE_MIN;
    struct greylist_table *greylist = calloc(1, sizeof *greylist);
    if (greylist == NULL)
        return NULL;
    if (!client_table_begin(&greylist->table, size, BUCKET_BYTES, key)) {
        free(greylist);
        return NULL;
    }
    greylist->keep_s = keep_s;
    greylist->kept = true;
    return greylist;
}

void greylist_table_free(struct greylist_table *greylist)
{
    if (greylist == NULL)
        return;
    client_table_end(&greylist->table);
    free(greylist);
}

void greylist_table_keep(struct greylist_table *greylist, unsigned keep_s)
{
    pthread_mutex_lock(&greylist->table.lock);
    greylist->keep_s = keep_s;
    pthread_mutex_unlock(&greylist->table.lock);
}

void greylist_table_is_kept(struct greylist_table *greylist, bool kept)
{
    pthread_mutex_lock(&greylist->table.lock);
    greylist->kept = kept;
    pthread_mutex_unlock(&greylist->table.lock);
}

/* --- the table, with the lock held ----------------------------------------------------------- */

static uint64_t hash_of(const struct greylist_table *greylist, const struct ipaddr *client)
{
    bool v6 = client->family == IP_V6;
    uint64_t hash =
        client_table_hash(&greylist->table, client, v6 ? GREYLIST_NETWORK_V6 : GREYLIST_NETWORK_V4);
    return hash >> 32 != 0 ? hash : hash | UINT64_C(1) << 32;
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

static struct grey_entry *find(const struct greylist_table *greylist, uint64_t hash)
{
    struct grey_entry *bucket = client_table_bucket(&greylist->table, hash);
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].high == (uint32_t)(hash >> 32) &&
            (bucket[i].low | PASSED) == ((uint32_t)hash | PASSED))
            return &bucket[i];
    return NULL;
}

/* A place for a newcomer: a free one, or that of one that is over.  NULL: there is none. */
static struct grey_entry *place_of(struct greylist_table *greylist, uint64_t hash, int64_t wall_s)
{
    struct grey_entry *bucket = client_table_bucket(&greylist->table, hash);
    for (size_t i = 0; i < WAYS; i++) {
        const struct greylisted known = unpack(&bucket[i]);
        bool is_free = bucket[i].high == 0;
        if (!is_free && !greylist_is_over(&known, greylist->keep_s, wall_s))
            continue;
        greylist->networks += is_free;
        bucket[i] = (struct grey_entry){.high = (uint32_t)(hash >> 32), .low = (uint32_t)hash};
        return &bucket[i];
    }
    return NULL;
}

static enum greylist_answer seen(struct greylist_table *greylist, uint64_t hash, unsigned delay_s,
                                 int64_t wall_s)
{
    struct grey_entry *entry = find(greylist, hash);
    struct greylisted known;
    enum greylist_answer answer = GREYLIST_FIRST;
    if (entry != NULL) {
        known = unpack(entry);
        answer = greylist_again(&known, delay_s, greylist->keep_s, wall_s);
    } else if ((entry = place_of(greylist, hash, wall_s)) != NULL) {
        greylist_begin(&known, wall_s);
    } else {
        return GREYLIST_NO_ROOM;
    }
    pack(entry, &known);
    return answer == GREYLIST_PASSED || greylist->kept ? answer : GREYLIST_NO_ROOM;
}

enum greylist_answer greylist_table_seen(struct greylist_table *greylist,
                                         const struct ipaddr *client, unsigned delay_s,
                                         int64_t wall_s)
{
    if (greylist == NULL || client->family == IP_NONE)
        return GREYLIST_NOT_ASKED;
    pthread_mutex_lock(&greylist->table.lock);
    enum greylist_answer answer = seen(greylist, hash_of(greylist, client), delay_s, wall_s);
    pthread_mutex_unlock(&greylist->table.lock);
    return answer;
}

/* What is known here, or there, and is not over. */
static bool merge(struct greylist_table *greylist, uint64_t hash, const struct greylisted *other,
                  int64_t wall_s, struct greylisted *both)
{
    struct grey_entry *entry = find(greylist, hash);
    const struct greylisted known = entry != NULL ? unpack(entry) : (struct greylisted){0};
    bool here = entry != NULL && !greylist_is_over(&known, greylist->keep_s, wall_s);
    bool there = other != NULL && !greylist_is_over(other, greylist->keep_s, wall_s);
    if (!here && !there)
        return false;
    *both = !there ? known : !here ? *other : greylist_merge(&known, other);
    if (entry == NULL)
        entry = place_of(greylist, hash, wall_s);
    if (entry != NULL)
        pack(entry, both);
    return true;
}

bool greylist_table_merge(struct greylist_table *greylist, const struct ipaddr *client,
                          const struct greylisted *other, int64_t wall_s, struct greylisted *both)
{
    if (greylist == NULL || client->family == IP_NONE)
        return false;
    pthread_mutex_lock(&greylist->table.lock);
    bool known = merge(greylist, hash_of(greylist, client), other, wall_s, both);
    pthread_mutex_unlock(&greylist->table.lock);
    return known;
}

void greylist_table_stats(struct greylist_table *greylist, struct greylist_stats *out)
{
    pthread_mutex_lock(&greylist->table.lock);
    *out = (struct greylist_stats){.networks = greylist->networks,
                                   .size = greylist->table.bucket_count * WAYS};
    pthread_mutex_unlock(&greylist->table.lock);
}

/* --- its file -------------------------------------------------------------------------------- */

static uint8_t *put_entry(uint8_t *at, const void *place)
{
    const struct grey_entry *entry = place;
    if (entry->high == 0)
        return at;
    at = block_file_put(at, entry->high, 4);
    at = block_file_put(at, entry->low, 4);
    return block_file_put(at, entry->when_s, 4);
}

static bool take_entry(void *owner, const uint8_t *at, int64_t wall_s)
{
    struct greylist_table *greylist = owner;
    uint64_t hash = block_file_get(&at, 8);
    uint32_t when_s = (uint32_t)block_file_get(&at, 4);
    if (hash >> 32 == 0)
        return false;
    struct grey_entry *entry = find(greylist, hash);
    if (entry == NULL)
        entry = place_of(greylist, hash, wall_s);
    if (entry != NULL)
        *entry = (struct grey_entry){(uint32_t)(hash >> 32), (uint32_t)hash, when_s};
    return true;
}

static const struct client_table_form form = {
    .magic = GREYLIST_TABLE_MAGIC,
    .is_not = "is not a file of greylisted networks",
    .version = GREYLIST_TABLE_VERSION,
    .entry_bytes = sizeof(struct grey_entry),
    .put = put_entry,
    .take = take_entry,
};
_Static_assert(sizeof(struct grey_entry) == 12, "as the manual says");

enum result greylist_table_save(struct greylist_table *greylist, const char *path, int64_t wall_s)
{
    return client_table_save(&greylist->table, &form, path, wall_s);
}

enum result greylist_table_load(struct greylist_table *greylist, const char *path, int64_t wall_s,
                                const char **why)
{
    return client_table_load(&greylist->table, &form, greylist, path, wall_s, why);
}
