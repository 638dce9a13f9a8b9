/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever stands where the file of remembered clients, or that of greylisted networks, should be.
 * The first byte says which (bit 1), and whether the rest is the file, or the entries of one block,
 * behind a key and in a file whose sums are right (bit 0).  What was loaded must be usable at any
 * time of the clock, and must save and load again to the same: as many clients with the same
 * histories, as many networks.
 */
#include "fuzz.h"

#include "base/block_file.h"
#include "base/hash.h"
#include "site/client_memory.h"
#include "site/client_memory_file.h"
#include "site/client_memory_table.h"
#include "site/greylist_table.h"

#include <string.h>

#define DAY    86400
#define WALL_S (INT64_C(20000) * DAY)
#define KEEP_S (35U * DAY)

#define SOUND    1
#define NETWORKS 2

enum place { LOADED, REFUSED, KEPT, PART, GIVEN, OVER, NETS_REFUSED, NETS_KEPT, NETS_PART };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [KEPT] = "clients-kept",
            [PART] = "kept-before-damage", [GIVEN] = "grace-given", [OVER] = "grace-over",
            [NETS_REFUSED] = "networks-refused", [NETS_KEPT] = "networks-kept",
            [NETS_PART] = "networks-kept-before-damage");

/* A file under construction. */
struct clients_file {
    uint8_t bytes[1 << 18];
    size_t length;
    uint64_t sum;
};

static void add(struct clients_file *file, const uint8_t *bytes, size_t length)
{
    CHECK(length <= sizeof file->bytes - file->length);
    if (length > 0)
        memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

static void add_block(struct clients_file *file, const uint8_t *bytes, size_t length)
{
    uint8_t header[BLOCK_FILE_BLOCK_HEADER];
    (void)block_file_put(header, length, 4);
    file->sum = hash64_bytes(file->sum, header, 4);
    file->sum = hash64_bytes(file->sum, bytes, length);
    (void)block_file_put(header + 4, file->sum, 8);
    add(file, header, sizeof header);
    add(file, bytes, length);
}

static void add_sound(struct clients_file *file, bool networks, const uint8_t *entries,
                      size_t length)
{
    uint8_t header[BLOCK_FILE_HEADER_LENGTH] = {0};
    const uint8_t key[SIPHASH_KEY_LENGTH] = {1};
    memcpy(header, networks ? GREYLIST_TABLE_MAGIC : CLIENT_MEMORY_FILE_MAGIC,
           BLOCK_FILE_MAGIC_LENGTH);
    (void)block_file_put(header + 8, networks ? GREYLIST_TABLE_VERSION : CLIENT_MEMORY_FILE_VERSION,
                         4);
    (void)block_file_put(header + 16, WALL_S, 8);
    file->sum = hash64_bytes(HASH64_START, header, 24);
    (void)block_file_put(header + 24, file->sum, 8);
    add(file, header, sizeof header);
    add_block(file, key, sizeof key);
    if (length > 0)
        add_block(file, entries, length);
    add_block(file, entries, 0);
}

static struct client_memory *new_memory(void)
{
    const struct client_memory_limits limits = {CLIENT_MEMORY_SIZE_MIN, KEEP_S};
    const uint8_t key[SIPHASH_KEY_LENGTH] = {2};
    struct client_memory *memory = client_memory_new(&limits, key);
    if (memory == NULL)
        abort();
    return memory;
}

/* At any time of the clock, and after anything that is noted. */
static void use_history(struct history history)
{
    static const int64_t clocks[] = {INT64_MIN,    0,        WALL_S - 3 * DAY, WALL_S,
                                     WALL_S + DAY, INT64_MAX};
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        struct history other = history;
        char date[CALENDAR_DATE_SIZE];
        struct grace grace = history_grace(&other, KEEP_S, 3 * DAY, clocks[i]);
        if (clocks[i] == WALL_S && grace.state != GRACE_NONE)
            fuzz_reach(grace.state == GRACE_GIVEN ? GIVEN : OVER);
        CHECK(strlen(history_date(grace.right_s, date)) == CALENDAR_DATE_SIZE - 1);
        CHECK(strlen(history_date(grace.until_s, date)) == CALENDAR_DATE_SIZE - 1);
        CHECK(grace.state == GRACE_NONE || grace.until_s == grace.failed_s + 3 * DAY);
        (void)history_fail(&other, clocks[i]);
        CHECK(!other.passed_since && other.failed_s != 0);
        (void)history_pass(&other, clocks[i]);
        CHECK(other.last_day == history_day(clocks[i]));
        CHECK(other.previous_day <= other.last_day);
    }
}

static size_t use_all(const struct client_memory *memory)
{
    size_t used = 0;
    const struct client_entry *entries = memory->table.buckets;
    for (size_t i = 0; i < memory->table.bucket_count * CLIENT_MEMORY_WAYS; i++) {
        const struct client_entry *entry = &entries[i];
        if (entry->word == 0)
            continue;
        used++;
        use_history((struct history){entry->failed_s, entry->last_day, entry->previous_day,
                                     (entry->word & CLIENT_PASSED_SINCE) != 0});
    }
    CHECK(used == memory->clients);
    return used;
}

static void check_again(struct client_memory *memory)
{
    char path[128];
    const char *why = "";
    (void)snprintf(path, sizeof path, "%s/clients", fuzz_directory());
    struct client_memory *other = new_memory();
    CHECK(client_memory_save(memory, path, WALL_S) == RESULT_OK);
    CHECK(client_memory_load(other, path, WALL_S, &why) == RESULT_OK);
    CHECK(other->clients == memory->clients);
    CHECK(memcmp(other->table.key, memory->table.key, sizeof memory->table.key) == 0);
    const struct client_entry *one = memory->table.buckets, *two = other->table.buckets;
    size_t buckets = memory->table.bucket_count * CLIENT_MEMORY_WAYS;
    uint64_t sum = 0, again = 0;
    for (size_t i = 0; i < buckets; i++) { /* in a bucket their order may be another one */
        sum += one[i].word ^ one[i].failed_s;
        again += two[i].word ^ two[i].failed_s;
    }
    CHECK(sum == again);
    client_memory_free(other);
}

static void try_clients(const char *path)
{
    const char *why = NULL;
    struct client_memory *memory = new_memory();
    enum result status = client_memory_load(memory, path, WALL_S, &why);
    CHECK(status == RESULT_OK || (status == RESULT_INVALID && why != NULL));
    fuzz_reach(status == RESULT_OK ? LOADED : REFUSED);
    if (use_all(memory) > 0) {
        fuzz_reach(status == RESULT_OK ? KEPT : PART);
        check_again(memory);
    }
    client_memory_free(memory);
}

static struct greylist_table *new_greylist(void)
{
    const uint8_t key[SIPHASH_KEY_LENGTH] = {2};
    struct greylist_table *greylist = greylist_table_new(GREYLIST_TABLE_SIZE_MIN, KEEP_S, key);
    if (greylist == NULL)
        abort();
    return greylist;
}

static uint64_t networks_of(struct greylist_table *greylist)
{
    struct greylist_stats stats;
    greylist_table_stats(greylist, &stats);
    CHECK(stats.networks <= stats.size);
    return stats.networks;
}

static void check_networks_again(struct greylist_table *greylist)
{
    char path[128];
    const char *why = "";
    (void)snprintf(path, sizeof path, "%s/networks", fuzz_directory());
    struct greylist_table *other = new_greylist();
    CHECK(greylist_table_save(greylist, path, WALL_S) == RESULT_OK);
    CHECK(greylist_table_load(other, path, WALL_S, &why) == RESULT_OK);
    CHECK(networks_of(other) == networks_of(greylist));
    greylist_table_free(other);
}

/* Who comes is told something at any time of the clock, and the same again at once. */
static void see_some(struct greylist_table *greylist)
{
    static const int64_t clocks[] = {0, WALL_S - 3 * DAY, WALL_S, WALL_S + DAY, INT64_MAX};
    for (uint8_t i = 0; i < 200; i++)
        for (size_t c = 0; c < sizeof clocks / sizeof clocks[0]; c++) {
            const struct ipaddr client = {.family = IP_V4, .bytes = {192, 0, i, 1}};
            enum greylist_answer first = greylist_table_seen(greylist, &client, 300, clocks[c]);
            enum greylist_answer again = greylist_table_seen(greylist, &client, 300, clocks[c]);
            CHECK(first != GREYLIST_NOT_ASKED && first != GREYLIST_UNKNOWN);
            CHECK(again == (first == GREYLIST_FIRST ? GREYLIST_EARLY : first));
            (void)networks_of(greylist);
        }
}

static void try_networks(const char *path)
{
    const char *why = NULL;
    struct greylist_table *greylist = new_greylist();
    enum result status = greylist_table_load(greylist, path, WALL_S, &why);
    CHECK(status == RESULT_OK || (status == RESULT_INVALID && why != NULL));
    if (status != RESULT_OK)
        fuzz_reach(NETS_REFUSED);
    if (networks_of(greylist) > 0) {
        fuzz_reach(status == RESULT_OK ? NETS_KEPT : NETS_PART);
        check_networks_again(greylist);
    }
    see_some(greylist);
    greylist_table_free(greylist);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct clients_file file;
    struct fuzz_file there;
    file.length = 0;
    if (size == 0 || size > sizeof file.bytes / 2)
        return 0;
    bool networks = (data[0] & NETWORKS) != 0;
    if (data[0] & SOUND)
        add_sound(&file, networks, data + 1, size - 1);
    else
        add(&file, data + 1, size - 1);
    fuzz_file_open(&there, file.bytes, file.length);
    if (networks)
        try_networks(there.path);
    else
        try_clients(there.path);
    fuzz_file_close(&there);
    return 0;
}
