/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cache takes of the machine's memory, fragments and all, and gives back. */
#include "dns/cache.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB   ((size_t)1 << 20)
#define NAMES 2000000U

/* The cache has 64 MiB, or so many times as $CACHE_MEMORY_TIMES says: 16 is a gigabyte. */
static unsigned times(void)
{
    const char *text = getenv("CACHE_MEMORY_TIMES");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static size_t resident(void)
{
    unsigned long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    ck_assert_int_eq(fscanf(file, "%lu %lu", &size, &pages), 2);
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Since then; 0 where it cannot be known. */
static size_t grown(size_t before)
{
    size_t now = resident();
    return before > 0 && now > before ? now - before : 0;
}

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One answer of so many is large, 3 to 60 KB; 0: none is. */
static void store(struct cache *cache, uint32_t *state, unsigned large_part, int64_t now_ms)
{
    char name[64];
    struct question question;
    bool is_large = large_part > 0 && next(state) % large_part == 0;
    size_t large = is_large ? 3000 + next(state) % 57000 : 0;
    size_t length = large > 0 ? large : 4 + next(state) % 60;
    struct answer *answer = answer_new(RR_A, DNS_FOUND, length / 4 * 4);
    unsigned customer = next(state) % 1000, host = next(state) % NAMES;
    (void)snprintf(name, sizeof name, "host%u.customer%u.example", host, customer);
    ck_assert_ptr_nonnull(answer);
    ck_assert_int_eq(question_from_name(name, RR_A, &question), RESULT_OK);
    answer->count = (uint16_t)(length / 4);
    answer->ttl_s = 3600;
    memset(answer->payload, 1, answer->payload_length);
    cache_store(cache, &question, answer, now_ms);
    answer_unref(answer);
}

/* At its size for long, as what is asked changes, it takes 1.15 of that at most. */
START_TEST(resident_memory)
{
    static const struct {
        unsigned answers, large_part;
    } phases[] = {{400000, 0}, {3000, 1}, {400000, 0}, {60000, 20}, {100000, 200}, {3000, 1}};

    const size_t size = times() * 64 * MIB;
    const struct cache_limits limits = {.size_bytes = size, .max_ttl_s = 86400, .stale_s = 86400};
    struct cache *cache = cache_new(&limits, 1);
    uint32_t state = 1;
    ck_assert_ptr_nonnull(cache);
    size_t before = resident();
    for (unsigned phase = 0; phase < sizeof phases / sizeof phases[0]; phase++) {
        for (unsigned i = 0; i < times() * phases[phase].answers; i++)
            store(cache, &state, phases[phase].large_part, 1000000 + i);
        size_t full = grown(before);
        ck_assert_msg(full <= size / 100 * 115, "phase %u: %zu MiB of %zu", phase, full / MIB,
                      size / MIB);
    }
    (void)cache_flush_all(cache);
    size_t flushed = grown(before);
    ck_assert_msg(flushed <= size / 10, "%zu MiB after a flush", flushed / MIB);
    cache_free(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache memory");
    TCase *tcase = tcase_create("cache memory");
    tcase_set_timeout(tcase, 120 * times());
    tcase_add_test(tcase, resident_memory);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
