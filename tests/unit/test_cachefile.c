/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/block_file.h"
#include "base/hash.h"
#include "dns/cache.h"
#include "dns/cache_file.h"
#include "failing_alloc.h"
#include "scripted_source.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0 SCRIPTED_START_MS
#define W0 SCRIPTED_START_S
#define S  INT64_C(1000)

static const struct cache_limits usual = {.size_bytes = 8 << 20,
                                          .max_ttl_s = 86400,
                                          .negative_max_ttl_s = 300,
                                          .failure_ttl_s = 30,
                                          .stale_s = 86400};

static struct cache *cache;
static char directory[64], path[80], temporary[90];

static struct cache *make(void)
{
    struct cache *made = cache_new(&usual, 42);
    ck_assert_ptr_nonnull(made);
    return made;
}

static void set_up(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/iprevd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/cache", directory);
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    cache = make();
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)unlink(temporary);
    (void)rmdir(directory);
    cache_free(cache);
}

static void keep(const char *name, enum rrtype type, const char *spec)
{
    struct question question = scripted_question(name, type);
    struct answer *answer = scripted_answer(type, spec);
    cache_store(cache, &question, answer, T0);
    answer_unref(answer);
}

static void fill(void)
{
    keep("mail.example", RR_A, "192.0.2.1 192.0.2.2 ttl=3600 ad");
    keep("mail.example", RR_AAAA, "2001:db8::1 ttl=60");
    keep("1.2.0.192.in-addr.arpa", RR_PTR,
         "mail.example . odd\\000\\200.example ttl=7200 dropped=9");
    keep("example", RR_MX, "mx1.example mx2.example");
    keep("gone.example", RR_A, "NXDOMAIN ttl=200");
    keep("empty.example", RR_AAAA, "NODATA ttl=200");
    keep("broken.example", RR_A, "SERVFAIL");
    keep("zone.example", RR_A, "192.0.2.7 zone");
}

static void save(void)
{
    ck_assert_int_eq(cache_save(cache, path, T0, W0), RESULT_OK);
}

static enum result load(struct cache *into, int64_t wall_s, const char **why)
{
    *why = "";
    return cache_load(into, path, T0, wall_s, why);
}

static size_t records(struct cache *of)
{
    struct cache_stats stats;
    cache_stats(of, &stats);
    return (size_t)stats.records;
}

static struct cache_found look(struct cache *in, const char *name, enum rrtype type)
{
    struct question question = scripted_question(name, type);
    struct cache_found found = cache_lookup(in, &question, T0);
    answer_unref(found.answer);
    return found;
}

/* --- a round trip --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum rrtype type;
    const char *spec;     /* NULL: not kept */
    uint32_t want_left_s; /* when loaded 50 s later */
} kept[] = {
    {"mail.example", RR_A, "192.0.2.1 192.0.2.2 ttl=3600 ad", 3550},
    {"mail.example", RR_AAAA, "2001:db8::1 ttl=60", 10},
    {"1.2.0.192.in-addr.arpa", RR_PTR, "mail.example . odd\\000\\200.example ttl=7200 dropped=9",
     7150},
    {"example", RR_MX, "mx1.example mx2.example", 3550},
    {"gone.example", RR_A, "NXDOMAIN ttl=200", 150},
    {"gone.example", RR_MX, "NXDOMAIN ttl=200", 150},
    {"empty.example", RR_AAAA, "NODATA ttl=200", 150},
    {"broken.example", RR_A, NULL, 0},
    {"zone.example", RR_A, NULL, 0},
};

START_TEST(round_trip)
{
    const char *why;
    struct stat info;
    fill();
    save();
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(access(temporary, F_OK), -1);
    struct cache *loaded = make();
    ck_assert_int_eq(load(loaded, W0 + 50, &why), RESULT_OK);
    ck_assert_uint_eq(records(loaded), 6);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        struct question question = scripted_question(kept[i].name, kept[i].type);
        struct cache_found found = cache_lookup(loaded, &question, T0);
        if (kept[i].spec == NULL) {
            ck_assert_int_eq(found.hit, CACHE_MISS);
            continue;
        }
        struct answer *want = scripted_answer(kept[i].type, kept[i].spec);
        ck_assert_int_eq(found.hit, CACHE_FRESH);
        ck_assert_uint_eq(found.ttl_left_s, kept[i].want_left_s);
        ck_assert_int_eq(found.answer->outcome, want->outcome);
        ck_assert_uint_eq(found.answer->count, want->count);
        ck_assert_uint_eq(found.answer->dropped, want->dropped);
        ck_assert_uint_eq(found.answer->payload_length, want->payload_length);
        if (want->payload_length > 0)
            ck_assert_mem_eq(found.answer->payload, want->payload, want->payload_length);
        ck_assert(found.answer->secure == want->secure);
        ck_assert_uint_eq(found.answer->server, ANSWER_NO_SERVER);
        answer_unref(want);
        answer_unref(found.answer);
    }
    cache_free(loaded);
}
END_TEST

/* Denials of servers that denied everything are no better after a restart. */
START_TEST(forgotten_denials)
{
    const char *why;
    fill();
    cache_forget_denials(cache, T0);
    save();
    struct cache *loaded = make();
    ck_assert_int_eq(load(loaded, W0, &why), RESULT_OK);
    ck_assert_uint_eq(records(loaded), 4);
    ck_assert_int_eq(look(loaded, "gone.example", RR_A).hit, CACHE_MISS);
    ck_assert_int_eq(look(loaded, "empty.example", RR_AAAA).hit, CACHE_MISS);
    ck_assert_int_eq(look(loaded, "mail.example", RR_A).hit, CACHE_FRESH);
    cache_free(loaded);
}
END_TEST

START_TEST(many_blocks)
{
    const char *why;
    char name[40];
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof name, "mail-%u.some.example", i);
        keep(name, RR_A, "192.0.2.1");
    }
    save();
    struct cache *loaded = make();
    ck_assert_int_eq(load(loaded, W0, &why), RESULT_OK);
    ck_assert_uint_eq(records(loaded), 20000);
    /* A smaller cache takes what has room. */
    struct cache_limits limits = usual;
    limits.size_bytes = 1 << 20;
    cache_set_limits(loaded, &limits);
    (void)cache_flush_all(loaded);
    ck_assert_int_eq(load(loaded, W0, &why), RESULT_OK);
    struct cache_stats stats;
    cache_stats(loaded, &stats);
    ck_assert_uint_le(stats.bytes, limits.size_bytes + limits.size_bytes / 20);
    ck_assert_uint_gt(stats.records, 2000);
    cache_free(loaded);
}
END_TEST

/* --- time ----------------------------------------------------------------------------------- */

static const struct {
    const char *label;
    int64_t wall_s;
    enum cache_hit want_a, want_aaaa; /* of TTL 3600 and 60 */
} times[] = {
    {"at once", W0, CACHE_FRESH, CACHE_FRESH},
    {"a minute later", W0 + 60, CACHE_FRESH, CACHE_STALE},
    {"an hour later", W0 + 3600, CACHE_STALE, CACHE_STALE},
    {"after all use of one", W0 + 86400 + 60, CACHE_STALE, CACHE_MISS},
    {"years later", W0 + 400000000, CACHE_MISS, CACHE_MISS},
    {"the clock went backwards", W0 - 1, CACHE_STALE, CACHE_STALE},
    {"the clock is lost", 0, CACHE_STALE, CACHE_STALE},
};

START_TEST(ages)
{
    const char *why;
    fill();
    save();
    struct cache *loaded = make();
    ck_assert_int_eq(load(loaded, times[_i].wall_s, &why), RESULT_OK);
    ck_assert_msg(look(loaded, "mail.example", RR_A).hit == times[_i].want_a, "%s",
                  times[_i].label);
    ck_assert_msg(look(loaded, "mail.example", RR_AAAA).hit == times[_i].want_aaaa, "%s",
                  times[_i].label);
    cache_free(loaded);
}
END_TEST

START_TEST(limits_of_today)
{
    const char *why;
    struct cache_limits limits = usual;
    limits.max_ttl_s = 600;
    limits.negative_max_ttl_s = 20;
    fill();
    save();
    struct cache *loaded = cache_new(&limits, 1);
    ck_assert_ptr_nonnull(loaded);
    ck_assert_int_eq(load(loaded, W0, &why), RESULT_OK);
    ck_assert_uint_eq(look(loaded, "mail.example", RR_A).ttl_left_s, 600);
    ck_assert_uint_eq(look(loaded, "gone.example", RR_A).ttl_left_s, 20);
    cache_free(loaded);
}
END_TEST

START_TEST(what_is_known_wins)
{
    const char *why;
    fill();
    save();
    (void)cache_flush_all(cache);
    keep("mail.example", RR_A, "NXDOMAIN ttl=100");
    ck_assert_int_eq(load(cache, W0, &why), RESULT_OK);
    struct question question = scripted_question("mail.example", RR_AAAA);
    struct cache_found found = cache_lookup(cache, &question, T0);
    ck_assert_int_eq(found.answer->outcome, DNS_NXDOMAIN);
    answer_unref(found.answer);
}
END_TEST

/* An answer and a denial of its name never stand side by side: cache_store(). */
START_TEST(what_is_known_is_not_denied)
{
    const char *why;
    keep("mail.example", RR_A, "NXDOMAIN ttl=100");
    save();
    keep("mail.example", RR_A, "192.0.2.1 ttl=3600");
    ck_assert_int_eq(load(cache, W0, &why), RESULT_OK);
    ck_assert_int_eq(look(cache, "mail.example", RR_A).hit, CACHE_FRESH);
    ck_assert_int_eq(look(cache, "mail.example", RR_AAAA).hit, CACHE_MISS);
    ck_assert_uint_eq(records(cache), 1);
}
END_TEST

/* --- what is not as it should be ------------------------------------------------------------ */

static uint8_t bytes[4096];
static size_t length;

static void read_saved(void)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    length = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(length, sizeof bytes);
    (void)fclose(file);
}

static void write_changed(size_t used)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, used, file), used);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(cut_at_every_length)
{
    const char *why;
    fill();
    save();
    read_saved();
    struct cache *loaded = make();
    for (size_t used = 0; used < length; used++) {
        write_changed(used);
        ck_assert_int_eq(load(loaded, W0, &why), RESULT_INVALID);
        ck_assert_str_eq(why, used < 12 ? "is not a cache file" : "is cut short");
        /* All records are in one block: only the mark of the end is missing from the longest. */
        ck_assert_uint_eq(records(loaded), used < length - BLOCK_FILE_BLOCK_HEADER ? 0 : 6);
        (void)cache_flush_all(loaded);
    }
    cache_free(loaded);
}
END_TEST

START_TEST(every_byte_damaged)
{
    const char *why;
    fill();
    save();
    read_saved();
    struct cache *loaded = make();
    for (size_t at = 0; at < length; at++) {
        bytes[at] ^= 0x41;
        write_changed(length);
        bytes[at] ^= 0x41;
        enum result status = load(loaded, W0, &why);
        ck_assert_msg(status == RESULT_INVALID, "byte %zu", at);
        ck_assert_uint_eq(records(loaded), at < length - BLOCK_FILE_BLOCK_HEADER ? 0 : 6);
        (void)cache_flush_all(loaded);
    }
    cache_free(loaded);
}
END_TEST

START_TEST(foreign_files)
{
    const char *why;
    fill();
    save();
    read_saved();
    bytes[length] = 0;
    write_changed(length + 1);
    ck_assert_int_eq(load(cache, W0, &why), RESULT_INVALID);
    ck_assert_str_eq(why, "goes on after its end");
    bytes[BLOCK_FILE_MAGIC_LENGTH + 3]++;
    write_changed(length);
    ck_assert_int_eq(load(cache, W0, &why), RESULT_INVALID);
    ck_assert_str_eq(why, "is of another version");
    memcpy(bytes, "#!/bin/sh\nexit 0\n", 17);
    write_changed(length);
    ck_assert_int_eq(load(cache, W0, &why), RESULT_INVALID);
    ck_assert_str_eq(why, "is not a cache file");
}
END_TEST

/* Make the sums right again after a change. */
static void sum_again(void)
{
    size_t at = BLOCK_FILE_HEADER_LENGTH;
    uint64_t sum = hash64_bytes(HASH64_START, bytes, at - 8);
    for (unsigned i = 0; i < 8; i++)
        bytes[at - 1 - i] = (uint8_t)(sum >> (8 * i));
    while (at < length) {
        size_t size = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                      (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        sum = hash64_bytes(sum, bytes + at, 4);
        sum = hash64_bytes(sum, bytes + at + BLOCK_FILE_BLOCK_HEADER, size);
        for (unsigned i = 0; i < 8; i++)
            bytes[at + 11 - i] = (uint8_t)(sum >> (8 * i));
        at += BLOCK_FILE_BLOCK_HEADER + size;
    }
}

START_TEST(denials_of_the_first_version)
{
    const char *why;
    fill();
    save();
    read_saved();
    bytes[BLOCK_FILE_MAGIC_LENGTH + 3] = CACHE_FILE_VERSION_UNPROVED;
    sum_again();
    write_changed(length);
    struct cache *loaded = make();
    ck_assert_int_eq(load(loaded, W0, &why), RESULT_OK);
    ck_assert_uint_eq(records(loaded), 4);
    ck_assert_int_eq(look(loaded, "gone.example", RR_A).hit, CACHE_MISS);
    ck_assert_int_eq(look(loaded, "empty.example", RR_AAAA).hit, CACHE_MISS);
    cache_free(loaded);
}
END_TEST

START_TEST(no_file)
{
    const char *why = "untouched";
    ck_assert_int_eq(cache_load(cache, path, T0, W0, &why), RESULT_NOTFOUND);
    ck_assert_int_eq(cache_load(cache, directory, T0, W0, &why), RESULT_IO);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* must not hang */
    ck_assert_int_eq(cache_load(cache, path, T0, W0, &why), RESULT_IO);
    ck_assert_str_eq(why, "untouched");
}
END_TEST

START_TEST(saving_fails)
{
    const char *why;
    char missing[100];
    (void)snprintf(missing, sizeof missing, "%s/none/cache", directory);
    errno = 0;
    ck_assert_int_eq(cache_save(cache, missing, T0, W0), RESULT_IO);
    ck_assert_int_eq(errno, ENOENT);
    fill();
    save();
    /* A link in the place of the temporary file is not followed. */
    ck_assert_int_eq(symlink("/dev/full", temporary), 0);
    save();
    struct stat info;
    ck_assert_int_eq(lstat(path, &info), 0);
    ck_assert(S_ISREG(info.st_mode));
    ck_assert_int_eq(load(cache, W0, &why), RESULT_OK);
    ck_assert_int_eq(mkdir(temporary, 0700), 0);
    ck_assert_int_eq(cache_save(cache, path, T0, W0), RESULT_IO);
    ck_assert_int_eq(rmdir(temporary), 0);
    ck_assert_int_eq(load(cache, W0, &why), RESULT_OK);
}
END_TEST

START_TEST(without_memory)
{
    const char *why;
    fill();
    save();
    for (long n = 1;; n++) {
        struct cache *loaded = make();
        alloc_fail_at(n, false);
        enum result status = cache_save(cache, path, T0, W0);
        bool failed = alloc_failed();
        if (status == RESULT_OK)
            status = cache_load(loaded, path, T0, W0, &why);
        failed = failed || alloc_failed();
        alloc_fail_at(0, false);
        ck_assert(status == RESULT_OK || status == RESULT_NOMEM || status == RESULT_IO);
        ck_assert_int_eq(access(temporary, F_OK), -1);
        ck_assert_int_eq(cache_load(cache, path, T0, W0, &why), RESULT_OK); /* always whole */
        cache_free(loaded);
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cachefile");
    TCase *tcase = tcase_create("cachefile");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, forgotten_denials);
    tcase_add_test(tcase, many_blocks);
    tcase_add_loop_test(tcase, ages, 0, (int)(sizeof times / sizeof times[0]));
    tcase_add_test(tcase, limits_of_today);
    tcase_add_test(tcase, what_is_known_wins);
    tcase_add_test(tcase, what_is_known_is_not_denied);
    tcase_add_test(tcase, cut_at_every_length);
    tcase_add_test(tcase, every_byte_damaged);
    tcase_add_test(tcase, foreign_files);
    tcase_add_test(tcase, denials_of_the_first_version);
    tcase_add_test(tcase, no_file);
    tcase_add_test(tcase, saving_fails);
    tcase_add_test(tcase, without_memory);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
