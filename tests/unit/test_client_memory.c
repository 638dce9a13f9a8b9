/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/client_memory.h"

#include "failing_alloc.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY  86400
#define NOW  (INT64_C(20000) * DAY + 3600)
#define KEEP (35 * DAY)

static const uint8_t key[SIPHASH_KEY_LENGTH] = {1, 2, 3};
static const uint8_t other_key[SIPHASH_KEY_LENGTH] = {9};

static char directory[] = "/tmp/iprevd-test-XXXXXX";
static char path[64];

static void setup(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/iprevd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/clients", directory);
}

static void teardown(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0); /* no temporary file is left */
}

static struct client_memory *new_memory(size_t size)
{
    struct client_memory_limits limits = {.size_bytes = size, .keep_s = KEEP};
    struct client_memory *memory = client_memory_new(&limits, key);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static struct ipaddr address(const char *text)
{
    struct ipaddr out;
    ck_assert_int_eq(ipaddr_parse(text, &out), RESULT_OK);
    return out;
}

/* The i-th of very many. */
static struct ipaddr numbered(uint32_t i)
{
    const uint8_t bytes[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                              (uint8_t)i};
    struct ipaddr out;
    ck_assert_int_eq(ipaddr_from_bytes(bytes, 4, &out), RESULT_OK);
    return out;
}

static void pass(struct client_memory *memory, struct ipaddr client, int64_t wall_s)
{
    (void)client_memory_note(memory, &client, HISTORY_PASS, wall_s, NULL);
}

static struct history ask(struct client_memory *memory, struct ipaddr client, int64_t wall_s)
{
    return client_memory_note(memory, &client, HISTORY_NOTHING, wall_s, NULL);
}

static bool in_grace(struct client_memory *memory, struct ipaddr client, int64_t wall_s)
{
    struct history history = client_memory_note(memory, &client, HISTORY_FAILURE, wall_s, NULL);
    return history_grace(&history, KEEP, 3 * DAY, wall_s).state == GRACE_GIVEN;
}

static struct client_memory_stats stats_of(struct client_memory *memory)
{
    struct client_memory_stats stats;
    client_memory_stats(memory, &stats);
    return stats;
}

START_TEST(test_who_is_one)
{
    struct client_memory *memory = new_memory(1 << 20);
    pass(memory, address("192.0.2.1"), NOW);
    pass(memory, address("2001:db8::1"), NOW);
    ck_assert_uint_eq(stats_of(memory).clients, 2);
    ck_assert_uint_eq(ask(memory, address("192.0.2.1"), NOW).last_day, 20000);
    ck_assert_uint_eq(ask(memory, address("192.0.2.2"), NOW).last_day, 0);
    ck_assert_uint_eq(ask(memory, address("2001:db8::ffff:2"), NOW).last_day, 20000);
    ck_assert_uint_eq(ask(memory, address("2001:db8:0:1::1"), NOW).last_day, 0);
    /* No address of one family is one of the other. */
    ck_assert_uint_eq(ask(memory, address("c000:201::"), NOW).last_day, 0);
    client_memory_free(memory);
}
END_TEST

START_TEST(test_only_passes_enter)
{
    struct client_memory *memory = new_memory(1 << 20);
    struct ipaddr client = address("192.0.2.1"), nobody = {.family = IP_NONE};
    (void)client_memory_note(memory, &client, HISTORY_FAILURE, NOW, NULL);
    (void)client_memory_note(memory, &client, HISTORY_NOTHING, NOW, NULL);
    (void)client_memory_note(memory, &nobody, HISTORY_PASS, NOW, NULL);
    ck_assert_uint_eq(stats_of(memory).clients, 0);
    ck_assert_uint_eq(client_memory_note(NULL, &client, HISTORY_PASS, NOW, NULL).last_day, 0);
    client_memory_free(memory);
    client_memory_free(NULL);
}
END_TEST

START_TEST(test_grace)
{
    struct client_memory *memory = new_memory(1 << 20);
    struct ipaddr client = address("192.0.2.1");
    pass(memory, client, NOW);
    ck_assert(!in_grace(memory, client, NOW + DAY));
    pass(memory, client, NOW + 2 * DAY);
    pass(memory, client, NOW + 3 * DAY);
    ck_assert(in_grace(memory, client, NOW + 4 * DAY));
    ck_assert(in_grace(memory, client, NOW + 7 * DAY - 1));
    ck_assert(!in_grace(memory, client, NOW + 7 * DAY));
    client_memory_free(memory);
}
END_TEST

/* --- a full memory ---------------------------------------------------------------------------- */

/* Every other place is a regular's; a million come once, on one day and over many. */
START_TEST(test_scan)
{
    struct client_memory *memory = new_memory(1 << 20);
    const uint32_t regulars = (1 << 20) / 16 / 2;
    for (int day = 0; day < 3; day++)
        for (uint32_t i = 0; i < regulars; i++)
            pass(memory, numbered(i), NOW + day * DAY);
    uint64_t before = 0, after = 0;
    for (uint32_t i = 0; i < regulars; i++)
        before += ask(memory, numbered(i), NOW).previous_day != 0;
    /* At this filling very few buckets are full of regulars. */
    ck_assert_uint_ge(before, regulars - regulars / 50);
    for (uint32_t i = 0; i < 1000000; i++)
        pass(memory, numbered(0x40000000 + i), NOW + 3 * DAY + (_i == 0 ? 0 : i / 100000 * DAY));
    for (uint32_t i = 0; i < regulars; i++)
        after += in_grace(memory, numbered(i), NOW + 13 * DAY);
    ck_assert_uint_eq(after, before);
    struct client_memory_stats stats = stats_of(memory);
    ck_assert_uint_le(stats.bytes, stats.size_bytes);
    ck_assert_uint_eq(stats.size_bytes, 1 << 20);
    ck_assert_uint_gt(stats.replaced, 0);
    ck_assert_uint_gt(stats.left_out, 0);
    client_memory_free(memory);
}
END_TEST

/* Regulars that came no more make room for new ones. */
START_TEST(test_generations)
{
    struct client_memory *memory = new_memory(CLIENT_MEMORY_SIZE_MIN);
    const uint32_t places = CLIENT_MEMORY_SIZE_MIN / 16;
    uint64_t known = 0;
    for (int day = 0; day < 4; day++)
        for (uint32_t i = 0; i < places; i++)
            pass(memory, numbered(i), NOW + day * DAY);
    for (int day = 22; day < 28; day++)
        for (uint32_t i = 0; i < places; i++)
            pass(memory, numbered(0x10000000 + i), NOW + day * DAY);
    for (uint32_t i = 0; i < places; i++)
        known += in_grace(memory, numbered(0x10000000 + i), NOW + 28 * DAY);
    ck_assert_uint_ge(known, places / 2);
    client_memory_free(memory);
}
END_TEST

START_TEST(test_limits)
{
    struct client_memory *memory = new_memory(1 << 20);
    const uint32_t regulars = 400;
    for (int day = 0; day < 2; day++)
        for (uint32_t i = 0; i < regulars; i++)
            pass(memory, numbered(i), NOW + day * DAY);
    static const size_t sizes[] = {CLIENT_MEMORY_SIZE_MIN, 4 << 20, 1 << 20, 0};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct client_memory_limits limits = {.size_bytes = sizes[s], .keep_s = KEEP};
        ck_assert_int_eq(client_memory_set_limits(memory, &limits), RESULT_OK);
        ck_assert_uint_eq(stats_of(memory).clients, regulars);
        for (uint32_t i = 0; i < regulars; i++)
            ck_assert_uint_eq(ask(memory, numbered(i), NOW).previous_day, 20000);
    }
    struct client_memory_limits limits = {.size_bytes = 1 << 22, .keep_s = KEEP};
    alloc_fail_at(1, false);
    ck_assert_int_eq(client_memory_set_limits(memory, &limits), RESULT_NOMEM);
    alloc_fail_at(0, false);
    ck_assert_uint_eq(stats_of(memory).clients, regulars);
    client_memory_free(memory);
}
END_TEST

START_TEST(test_no_memory)
{
    struct client_memory_limits limits = {.size_bytes = 1 << 20, .keep_s = KEEP};
    for (long n = 1; n <= 2; n++) {
        alloc_fail_at(n, false);
        ck_assert_ptr_null(client_memory_new(&limits, key));
    }
    alloc_fail_at(0, false);
}
END_TEST

/* --- the file --------------------------------------------------------------------------------- */

static struct client_memory *saved_memory(uint32_t clients)
{
    struct client_memory *memory = new_memory(1 << 20);
    for (int day = 0; day < 2; day++)
        for (uint32_t i = 0; i < clients; i++)
            pass(memory, numbered(i), NOW + day * DAY);
    for (uint32_t i = 0; i < clients; i += 2)
        ck_assert(in_grace(memory, numbered(i), NOW + 2 * DAY));
    for (uint32_t i = 0; i < clients; i += 4)
        pass(memory, numbered(i), NOW + 3 * DAY);
    ck_assert_int_eq(client_memory_save(memory, path, NOW + 3 * DAY), RESULT_OK);
    return memory;
}

static enum result load(size_t size, struct client_memory **out, const char **why)
{
    struct client_memory_limits limits = {.size_bytes = size, .keep_s = KEEP};
    *out = client_memory_new(&limits, other_key);
    *why = NULL;
    return client_memory_load(*out, path, NOW + 3 * DAY, why);
}

START_TEST(test_file)
{
    static const size_t sizes[] = {1 << 20, 1 << 22, 1 << 19};
    struct client_memory *memory = saved_memory(5000), *again;
    struct stat info;
    const char *why;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    ck_assert_int_le(info.st_size, 5000 * 16 + 1000);
    ck_assert_int_eq(load(sizes[_i], &again, &why), RESULT_OK);
    ck_assert_uint_eq(stats_of(again).clients, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        struct history a = ask(memory, numbered(i), NOW), b = ask(again, numbered(i), NOW);
        ck_assert(a.last_day == b.last_day && a.previous_day == b.previous_day &&
                  a.failed_s == b.failed_s && a.passed_since == b.passed_since);
    }
    client_memory_free(memory);
    client_memory_free(again);
}
END_TEST

START_TEST(test_no_file)
{
    struct client_memory *memory;
    const char *why;
    ck_assert_int_eq(load(1 << 20, &memory, &why), RESULT_NOTFOUND);
    client_memory_free(memory);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(load(1 << 20, &memory, &why), RESULT_IO);
    client_memory_free(memory);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

static void write_file(const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

/* Cut at every length, and with every byte changed: what is whole is known, and nothing is wrong.
 */
START_TEST(test_damage)
{
    struct client_memory *memory = saved_memory(20), *again;
    uint8_t bytes[1024];
    const char *why;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_uint_lt(length, sizeof bytes);
    uint64_t known = 0;
    for (size_t at = 0; at <= length; at++) {
        write_file(bytes, at);
        ck_assert_int_eq(load(1 << 20, &again, &why), at == length ? RESULT_OK : RESULT_INVALID);
        ck_assert_uint_ge(stats_of(again).clients, known);
        known = stats_of(again).clients;
        client_memory_free(again);
    }
    ck_assert_uint_eq(known, 20);
    for (size_t at = 0; at < length; at++) {
        bytes[at] ^= 0x10;
        write_file(bytes, length);
        ck_assert_int_eq(load(1 << 20, &again, &why), RESULT_INVALID);
        ck_assert_ptr_nonnull(why);
        for (uint32_t i = 0; i < 20; i++) {
            struct history a = ask(memory, numbered(i), NOW), b = ask(again, numbered(i), NOW);
            ck_assert(b.last_day == 0 || (a.last_day == b.last_day && a.failed_s == b.failed_s));
        }
        client_memory_free(again);
        bytes[at] ^= 0x10;
    }
    bytes[length] = 0;
    write_file(bytes, length + 1);
    ck_assert_int_eq(load(1 << 20, &again, &why), RESULT_INVALID);
    ck_assert_str_eq(why, "goes on after its end");
    client_memory_free(again);
    client_memory_free(memory);
}
END_TEST

START_TEST(test_file_without_memory)
{
    struct client_memory *memory = saved_memory(100), *again;
    const char *why;
    bool failed = true;
    for (long n = 1; failed; n++) {
        alloc_fail_at(n, false);
        enum result status = client_memory_save(memory, path, NOW);
        failed = alloc_failed();
        ck_assert(failed ? status == RESULT_NOMEM || (status == RESULT_IO && errno == ENOMEM)
                         : status == RESULT_OK);
    }
    failed = true;
    for (long n = 1; failed; n++) {
        again = new_memory(1 << 20);
        alloc_fail_at(n, false);
        enum result status = client_memory_load(again, path, NOW, &why);
        failed = alloc_failed();
        alloc_fail_at(0, false);
        ck_assert(status == RESULT_OK || (failed && status == RESULT_NOMEM));
        client_memory_free(again);
    }
    client_memory_free(memory);
}
END_TEST

START_TEST(test_unwritable)
{
    struct client_memory *memory = new_memory(1 << 20);
    ck_assert_int_eq(client_memory_save(memory, "/nonexistent/clients", NOW), RESULT_IO);
    ck_assert_int_eq(errno, ENOENT);
    client_memory_free(memory);
}
END_TEST

/* --- two hosts -------------------------------------------------------------------------------- */

START_TEST(test_merge)
{
    struct client_memory *memory = new_memory(CLIENT_MEMORY_SIZE_MIN);
    struct client_memory_stats stats;
    struct ipaddr client = address("192.0.2.1"), other = address("192.0.2.2");
    const struct history nothing = {0};
    const struct history theirs = {.last_day = NOW / DAY - 1, .previous_day = NOW / DAY - 2};
    struct history both = client_memory_merge(memory, &client, &nothing, NOW);
    ck_assert(history_equal(&both, &nothing));
    client_memory_stats(memory, &stats);
    ck_assert_uint_eq(stats.clients, 0);
    both = client_memory_merge(memory, &client, &theirs, NOW);
    ck_assert(history_equal(&both, &theirs));
    pass(memory, client, NOW);
    both = client_memory_merge(memory, &client, &theirs, NOW);
    ck_assert_uint_eq(both.last_day, history_day(NOW));
    ck_assert_uint_eq(both.previous_day, history_day(NOW) - 1);
    both = ask(memory, other, NOW);
    ck_assert(history_equal(&both, &nothing));
    both = client_memory_merge(NULL, &client, &theirs, NOW);
    ck_assert(history_equal(&both, &theirs));
    client_memory_free(memory);
}
END_TEST

/* A memory that is full of regulars: what another host knows counts all the same. */
START_TEST(test_merge_full)
{
    struct client_memory *memory = new_memory(CLIENT_MEMORY_SIZE_MIN);
    struct client_memory_stats before, after;
    const struct history theirs = {.last_day = NOW / DAY - 1, .previous_day = NOW / DAY - 2};
    for (int day = 2; day > 0; day--)
        for (uint32_t i = 0; i < 20000; i++)
            pass(memory, numbered(i), NOW - day * DAY);
    client_memory_stats(memory, &before);
    for (uint32_t i = 0; i < 1000; i++) {
        struct ipaddr client = numbered(100000 + i);
        (void)client_memory_merge(memory, &client, &theirs, NOW);
        struct history known = ask(memory, client, NOW);
        ck_assert(history_equal(&known, &theirs));
    }
    client_memory_stats(memory, &after);
    ck_assert_uint_eq(after.bytes, before.bytes);
    ck_assert_uint_eq(after.left_out, before.left_out);
    client_memory_free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client_memory");
    TCase *tcase = tcase_create("client_memory");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_who_is_one);
    tcase_add_test(tcase, test_only_passes_enter);
    tcase_add_test(tcase, test_grace);
    tcase_add_loop_test(tcase, test_scan, 0, 2);
    tcase_add_test(tcase, test_generations);
    tcase_add_test(tcase, test_limits);
    tcase_add_test(tcase, test_no_memory);
    tcase_add_loop_test(tcase, test_file, 0, 3);
    tcase_add_test(tcase, test_no_file);
    tcase_add_test(tcase, test_damage);
    tcase_add_test(tcase, test_file_without_memory);
    tcase_add_test(tcase, test_unwritable);
    tcase_add_test(tcase, test_merge);
    tcase_add_test(tcase, test_merge_full);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
