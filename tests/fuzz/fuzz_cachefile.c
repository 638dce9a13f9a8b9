/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever stands where the cache's file should be.  Input that begins with an even byte is the
 * file; else the rest is the records of one block, in a file whose sums are right: a sum that must
 * be guessed first would keep everything behind it untested.  What was loaded must be usable, and
 * must save and load again to as many records.
 */
#include "fuzz.h"

#include "base/block_file.h"
#include "base/hash.h"
#include "dns/cache.h"
#include "dns/cache_file.h"

#include <string.h>

#define NOW_MS 1000000
#define WALL_S 1700000000

enum place { LOADED, REFUSED, KEPT, PART };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [KEPT] = "records-kept",
            [PART] = "kept-before-damage");

/* A file under construction. */
struct file {
    uint8_t bytes[1 << 20];
    size_t length;
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static void put(uint8_t *at, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        *at++ = (uint8_t)(number >> (8 * bytes));
}

static void add(struct file *file, const uint8_t *bytes, size_t length)
{
    CHECK(length <= sizeof file->bytes - file->length);
    if (length > 0)
        memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

static void add_block(struct file *file, uint64_t *sum, const uint8_t *records, size_t length)
{
    uint8_t header[BLOCK_FILE_BLOCK_HEADER];
    put(header, length, 4);
    *sum = hash64_bytes(*sum, header, 4);
    *sum = hash64_bytes(*sum, records, length);
    put(header + 4, *sum, 8);
    add(file, header, sizeof header);
    add(file, records, length);
}

static void add_sound(struct file *file, const uint8_t *records, size_t length)
{
    uint8_t header[BLOCK_FILE_HEADER_LENGTH] = {0};
    memcpy(header, CACHE_FILE_MAGIC, BLOCK_FILE_MAGIC_LENGTH);
    put(header + 8, CACHE_FILE_VERSION, 4);
    put(header + 16, WALL_S, 8);
    uint64_t sum = hash64_bytes(HASH64_START, header, 24);
    put(header + 24, sum, 8);
    add(file, header, sizeof header);
    if (length > 0)
        add_block(file, &sum, records, length);
    add_block(file, &sum, records, 0);
}

/* Read all that an answer has: the sanitizers watch. */
static bool use(void *arg, const struct question *question, const struct answer *answer,
                int64_t expires_in_ms)
{
    char text[NAME_TEXT_MAX];
    (void)expires_in_ms;
    (void)wirename_text(question->name, question->length, text);
    for (size_t i = 0; i < answer->count; i++) {
        struct ipaddr addr;
        size_t length;
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            answer_address(answer, i, &addr);
        } else {
            const uint8_t *name = answer_name(answer, i, &length);
            (void)wirename_text(name, length, text);
        }
    }
    ++*(size_t *)arg;
    return true;
}

static struct cache *new_cache(void)
{
    static const struct cache_limits limits = {.size_bytes = 16 << 20,
                                               .max_ttl_s = 86400,
                                               .negative_max_ttl_s = 300,
                                               .failure_ttl_s = 30,
                                               .stale_s = 86400};
    return must(cache_new(&limits, 1));
}

static void check_again(struct cache *cache, size_t records)
{
    char path[128];
    const char *why = "";
    size_t again = 0;
    (void)snprintf(path, sizeof path, "%s/cache", fuzz_directory());
    struct cache *other = new_cache();
    CHECK(cache_save(cache, path, NOW_MS, WALL_S) == RESULT_OK);
    CHECK(cache_load(other, path, NOW_MS, WALL_S, &why) == RESULT_OK);
    cache_each(other, NOW_MS, use, &again);
    CHECK(again == records);
    cache_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct file file;
    struct fuzz_file there;
    const char *why = NULL;
    size_t records = 0;
    file.length = 0;
    if (size > sizeof file.bytes / 2)
        return 0;
    if (size > 0 && data[0] % 2 == 1)
        add_sound(&file, data + 1, size - 1);
    else if (size > 0)
        add(&file, data + 1, size - 1);
    fuzz_file_open(&there, file.bytes, file.length);
    struct cache *cache = new_cache();
    enum result status = cache_load(cache, there.path, NOW_MS, WALL_S, &why);
    CHECK(status == RESULT_OK || (status == RESULT_INVALID && why != NULL));
    cache_each(cache, NOW_MS, use, &records);
    fuzz_reach(status == RESULT_OK ? LOADED : REFUSED);
    if (records > 0) {
        fuzz_reach(status == RESULT_OK ? KEPT : PART);
        check_again(cache, records);
    }
    cache_free(cache);
    fuzz_file_close(&there);
    return 0;
}
