/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever stands where the file of remembered clients should be.  Input that begins with an even
 * byte is the file; else the rest is the entries of one block, behind a key and in a file whose
 * sums are right.  What was loaded must be usable at any time of the clock, and must save and load
 * again to as many clients with the same histories.
 */
#include "fuzz.h"

#include "base/block_file.h"
#include "base/hash.h"
#include "site/client_memory.h"
#include "site/client_memory_file.h"
#include "site/client_memory_table.h"

#include <string.h>

#define DAY    86400
#define WALL_S (INT64_C(20000) * DAY)
#define KEEP_S (35U * DAY)

enum place { LOADED, REFUSED, KEPT, PART, GIVEN, OVER };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [KEPT] = "clients-kept",
            [PART] = "kept-before-damage", [GIVEN] = "grace-given", [OVER] = "grace-over");

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

static void add_sound(struct clients_file *file, const uint8_t *entries, size_t length)
{
    uint8_t header[BLOCK_FILE_HEADER_LENGTH] = {0};
    const uint8_t key[SIPHASH_KEY_LENGTH] = {1};
    memcpy(header, CLIENT_MEMORY_FILE_MAGIC, BLOCK_FILE_MAGIC_LENGTH);
    (void)block_file_put(header + 8, CLIENT_MEMORY_FILE_VERSION, 4);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct clients_file file;
    struct fuzz_file there;
    const char *why = NULL;
    file.length = 0;
    if (size > sizeof file.bytes / 2)
        return 0;
    if (size > 0 && data[0] % 2 == 1)
        add_sound(&file, data + 1, size - 1);
    else if (size > 0)
        add(&file, data + 1, size - 1);
    fuzz_file_open(&there, file.bytes, file.length);
    struct client_memory *memory = new_memory();
    enum result status = client_memory_load(memory, there.path, WALL_S, &why);
    CHECK(status == RESULT_OK || (status == RESULT_INVALID && why != NULL));
    fuzz_reach(status == RESULT_OK ? LOADED : REFUSED);
    if (use_all(memory) > 0) {
        fuzz_reach(status == RESULT_OK ? KEPT : PART);
        check_again(memory);
    }
    client_memory_free(memory);
    fuzz_file_close(&there);
    return 0;
}
