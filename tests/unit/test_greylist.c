/* SPDX-License-Identifier: BSD-2-Clause */
/* The greylist: what a network is answered when, a full table, its file. */
#include "site/greylist_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define DAY   86400
#define NOW   (INT64_C(20000) * DAY)
#define KEEP  (35 * DAY)
#define DELAY 300

static const uint8_t key[SIPHASH_KEY_LENGTH] = {1, 2, 3}, other_key[SIPHASH_KEY_LENGTH] = {9};

static char directory[] = "/tmp/iprevd-test-XXXXXX";
static char path[64];

static void setup(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/iprevd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/greylist", directory);
}

static void teardown(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0); /* no temporary file is left */
}

static struct greylist_table *new_table(size_t size, const uint8_t *with_key)
{
    struct greylist_table *table = greylist_table_new(size, KEEP, with_key);
    ck_assert_ptr_nonnull(table);
    return table;
}

static enum greylist_answer seen(struct greylist_table *table, const char *client, int64_t wall_s)
{
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_parse(client, &addr), RESULT_OK);
    return greylist_table_seen(table, &addr, DELAY, wall_s);
}

/* --- when a network comes again --------------------------------------------------------------- */

#define TIMES 5

static const struct {
    const char *label;
    struct {
        int64_t at_s; /* after NOW */
        enum greylist_answer want;
    } times[TIMES]; /* the last one: want 0 */
} stories[] = {
    {"in time", {{0, GREYLIST_FIRST}, {DELAY, GREYLIST_PASSED}, {DELAY + 1, GREYLIST_PASSED}}},
    {"too early counts from the first time",
     {{0, GREYLIST_FIRST},
      {1, GREYLIST_EARLY},
      {DELAY - 1, GREYLIST_EARLY},
      {DELAY, GREYLIST_PASSED}}},
    {"at the last moment", {{0, GREYLIST_FIRST}, {DAY, GREYLIST_PASSED}}},
    {"too late begins anew",
     {{0, GREYLIST_FIRST},
      {DAY + 1, GREYLIST_FIRST},
      {DAY + 2, GREYLIST_EARLY},
      {DAY + 1 + DELAY, GREYLIST_PASSED}}},
    {"remembered since the last time",
     {{0, GREYLIST_FIRST},
      {DELAY, GREYLIST_PASSED},
      {KEEP, GREYLIST_PASSED},
      {2 * KEEP, GREYLIST_PASSED}}},
    {"forgotten",
     {{0, GREYLIST_FIRST}, {DELAY, GREYLIST_PASSED}, {DELAY + KEEP + 1, GREYLIST_FIRST}}},
    {"a clock set back", {{0, GREYLIST_FIRST}, {-1, GREYLIST_PASSED}}},
    {"a clock set back far, after it passed",
     {{0, GREYLIST_FIRST},
      {DELAY, GREYLIST_PASSED},
      {-NOW, GREYLIST_PASSED},
      {DELAY, GREYLIST_PASSED}}},
    {"before 1970, and after 2106",
     {{-NOW - 5, GREYLIST_FIRST}, {INT64_C(1) << 40, GREYLIST_FIRST}}},
};

START_TEST(test_story)
{
    struct greylist_table *table = new_table(0, key);
    for (size_t i = 0; i < TIMES && stories[_i].times[i].want != GREYLIST_NOT_ASKED; i++) {
        enum greylist_answer got = seen(table, "192.0.2.1", NOW + stories[_i].times[i].at_s);
        ck_assert_msg(got == stories[_i].times[i].want, "%s: %zu: %s", stories[_i].label, i,
                      greylist_answer_text(got));
    }
    greylist_table_free(table);
}
END_TEST

static const struct {
    const char *first, *then;
    bool same;
} networks[] = {
    {"192.0.2.1", "192.0.2.254", true},
    {"192.0.2.1", "192.0.3.1", false},
    {"::ffff:192.0.2.1", "192.0.2.1", true},
    {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
};

START_TEST(test_network)
{
    struct greylist_table *table = new_table(0, key);
    ck_assert_int_eq(seen(table, networks[_i].first, NOW), GREYLIST_FIRST);
    ck_assert_int_eq(seen(table, networks[_i].then, NOW + DELAY),
                     networks[_i].same ? GREYLIST_PASSED : GREYLIST_FIRST);
    greylist_table_free(table);
}
END_TEST

START_TEST(test_nothing)
{
    struct ipaddr local = {.family = IP_NONE};
    struct greylist_table *table = new_table(0, key);
    ck_assert_int_eq(greylist_table_seen(table, &local, DELAY, NOW), GREYLIST_NOT_ASKED);
    ck_assert_int_eq(seen(NULL, "192.0.2.1", NOW), GREYLIST_NOT_ASKED);
    ck_assert(!greylist_lets_in(GREYLIST_NOT_ASKED));
    greylist_table_free(table);
    greylist_table_free(NULL);
}
END_TEST

/* --- a full table ------------------------------------------------------------------------------
 */

#define MANY 2000

static enum greylist_answer seen_numbered(struct greylist_table *table, unsigned i, int64_t wall_s)
{
    const uint8_t bytes[4] = {10, (uint8_t)(i >> 8), (uint8_t)i, 1};
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_from_bytes(bytes, 4, &addr), RESULT_OK);
    return greylist_table_seen(table, &addr, DELAY, wall_s);
}

/* Whoever is deferred comes in the next time, however many others came meanwhile: nobody is
   deferred without an end.  Whoever has no place is let in. */
START_TEST(test_full)
{
    struct greylist_table *table = new_table(GREYLIST_TABLE_SIZE_MIN, key);
    struct greylist_stats stats;
    static bool deferred[MANY];
    unsigned first = 0;
    for (unsigned i = 0; i < MANY; i++) {
        enum greylist_answer answer = seen_numbered(table, i, NOW);
        deferred[i] = answer == GREYLIST_FIRST;
        first += deferred[i];
        ck_assert(deferred[i] || answer == GREYLIST_NO_ROOM);
    }
    greylist_table_stats(table, &stats);
    ck_assert_uint_eq(stats.networks, first);
    ck_assert_uint_eq(stats.networks, stats.size); /* 336 places: 2,000 networks leave none */
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(seen_numbered(table, i, NOW + DELAY),
                         deferred[i] ? GREYLIST_PASSED : GREYLIST_NO_ROOM);
    /* There is room when they are over. */
    ck_assert_int_eq(seen_numbered(table, MANY, NOW + KEEP), GREYLIST_NO_ROOM);
    ck_assert_int_eq(seen_numbered(table, MANY, NOW + DELAY + KEEP + 1), GREYLIST_FIRST);
    greylist_table_stats(table, &stats);
    ck_assert_uint_eq(stats.networks, first);
    greylist_table_free(table);
}
END_TEST

/* A table that does not survive a restart would defer a client at each of them. */
START_TEST(test_not_kept)
{
    struct greylist_table *table = new_table(0, key);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW), GREYLIST_FIRST);
    greylist_table_is_kept(table, false);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + 1), GREYLIST_NO_ROOM);
    ck_assert_int_eq(seen(table, "198.51.100.1", NOW + 1), GREYLIST_NO_ROOM);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + DELAY), GREYLIST_PASSED);
    greylist_table_is_kept(table, true);
    ck_assert_int_eq(seen(table, "203.0.113.1", NOW + DELAY), GREYLIST_FIRST);
    greylist_table_free(table);
}
END_TEST

START_TEST(test_keep)
{
    struct greylist_table *table = new_table(0, key);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW), GREYLIST_FIRST);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + DELAY), GREYLIST_PASSED);
    greylist_table_keep(table, DAY);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + DELAY + DAY + 1), GREYLIST_FIRST);
    greylist_table_free(table);
}
END_TEST

/* --- the file ----------------------------------------------------------------------------------
 */

static struct greylist_table *load(size_t size, enum result want)
{
    const char *why = NULL;
    struct greylist_table *table = new_table(size, other_key);
    ck_assert_int_eq(greylist_table_load(table, path, NOW, &why), want);
    ck_assert((why != NULL) == (want == RESULT_INVALID));
    return table;
}

static void save(void)
{
    struct greylist_table *table = new_table(65536, key);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW), GREYLIST_FIRST);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + DELAY), GREYLIST_PASSED);
    ck_assert_int_eq(seen(table, "2001:db8::1", NOW), GREYLIST_FIRST);
    for (unsigned i = 0; i < MANY; i++)
        (void)seen_numbered(table, i, NOW);
    ck_assert_int_eq(greylist_table_save(table, path, NOW), RESULT_OK);
    greylist_table_free(table);
}

START_TEST(test_restart)
{
    struct stat st;
    save();
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    struct greylist_table *table = load(65536, RESULT_OK);
    ck_assert_int_eq(seen(table, "192.0.2.9", NOW + DELAY), GREYLIST_PASSED);
    ck_assert_int_eq(seen(table, "2001:db8::2", NOW + 1), GREYLIST_EARLY);
    ck_assert_int_eq(seen(table, "2001:db8::2", NOW + DELAY), GREYLIST_PASSED);
    ck_assert_int_eq(seen_numbered(table, MANY - 1, NOW + DELAY), GREYLIST_PASSED);
    greylist_table_free(table);
    /* Into a smaller one, what fits. */
    table = load(0, RESULT_OK);
    struct greylist_stats stats;
    greylist_table_stats(table, &stats);
    ck_assert_uint_eq(stats.networks, stats.size);
    greylist_table_free(table);
}
END_TEST

START_TEST(test_no_file)
{
    greylist_table_free(load(0, RESULT_NOTFOUND));
    ck_assert_int_eq(mkdir(path, 0700), 0);
    greylist_table_free(load(0, RESULT_IO));
    struct greylist_table *table = new_table(0, key);
    ck_assert_int_eq(greylist_table_save(table, path, NOW), RESULT_IO);
    greylist_table_free(table);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* A file that is cut short, or of which a byte is another, is noticed and crashes nobody. */
START_TEST(test_damaged)
{
    save();
    FILE *file = fopen(path, "rb");
    static uint8_t bytes[65536];
    ck_assert_ptr_nonnull(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    for (size_t i = 0; i < length; i += i < 200 ? 1 : 997) {
        for (int cut = 0; cut <= 1; cut++) {
            ck_assert_ptr_nonnull(file = fopen(path, "wb"));
            bytes[i] ^= 0x10;
            ck_assert_uint_eq(fwrite(bytes, 1, cut ? i : length, file), cut ? i : length);
            bytes[i] ^= 0x10;
            (void)fclose(file);
            greylist_table_free(load(65536, RESULT_INVALID));
        }
    }
}
END_TEST

/* --- two hosts -------------------------------------------------------------------------------- */

static void merge(struct greylist_table *table, const char *client, bool passed, int64_t when_s,
                  int64_t wall_s)
{
    const struct greylisted other = {.passed = passed, .when_s = (uint32_t)when_s};
    struct greylisted both;
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_parse(client, &addr), RESULT_OK);
    bool over = greylist_is_over(&other, KEEP, wall_s);
    ck_assert(greylist_table_merge(table, &addr, &other, wall_s, &both) ==
              (table != NULL && !over));
    /* What the other host lacks is what is known here. */
    if (table != NULL && !over) {
        struct greylisted again;
        ck_assert(greylist_table_merge(table, &addr, NULL, wall_s, &again));
        ck_assert(greylist_equal(&both, &again));
    }
}

START_TEST(test_merge)
{
    struct greylist_table *table = new_table(0, key);
    struct greylist_stats stats;
    /* It came there first, and comes here now. */
    merge(table, "192.0.2.1", false, NOW, NOW + DELAY);
    ck_assert_int_eq(seen(table, "192.0.2.200", NOW + DELAY), GREYLIST_PASSED);
    /* It came here before it came there: the first time counts. */
    ck_assert_int_eq(seen(table, "198.51.100.1", NOW), GREYLIST_FIRST);
    merge(table, "198.51.100.1", false, NOW + DELAY - 1, NOW + DELAY);
    ck_assert_int_eq(seen(table, "198.51.100.1", NOW + DELAY), GREYLIST_PASSED);
    /* It has passed there, and it is remembered since the last time there. */
    ck_assert_int_eq(seen(table, "203.0.113.1", NOW), GREYLIST_FIRST);
    merge(table, "203.0.113.1", true, NOW + 10, NOW + 20);
    ck_assert_int_eq(seen(table, "203.0.113.1", NOW + 20), GREYLIST_PASSED);
    merge(table, "203.0.113.1", true, NOW + DAY, NOW + DAY);
    merge(table, "203.0.113.1", true, NOW + 10, NOW + DAY);
    ck_assert_int_eq(seen(table, "203.0.113.1", NOW + DAY + KEEP), GREYLIST_PASSED);
    /* What is over there is over here, and nobody passes again who has passed here. */
    merge(table, "192.0.9.1", false, NOW, NOW + DAY + 1);
    ck_assert_int_eq(seen(table, "192.0.9.1", NOW + DAY + 1), GREYLIST_FIRST);
    merge(table, "192.0.2.1", false, NOW + DAY, NOW + DAY);
    ck_assert_int_eq(seen(table, "192.0.2.1", NOW + DAY), GREYLIST_PASSED);
    greylist_table_stats(table, &stats);
    ck_assert_uint_eq(stats.networks, 4);
    merge(NULL, "192.0.2.1", true, NOW, NOW);
    greylist_table_free(table);
}
END_TEST

START_TEST(test_texts)
{
    static const char *const want[GREYLIST_ANSWER_COUNT] = {"not-asked", "first",   "early",
                                                            "passed",    "no-room", "unknown"};
    for (unsigned i = 0; i < GREYLIST_ANSWER_COUNT; i++)
        ck_assert_str_eq(greylist_answer_text((enum greylist_answer)i), want[i]);
}
END_TEST

#define LOOP(tcase, test, cases) tcase_add_loop_test(tcase, test, 0, (int)COUNT(cases))

int main(void)
{
    Suite *suite = suite_create("greylist");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    LOOP(tcase, test_story, stories);
    LOOP(tcase, test_network, networks);
    tcase_add_test(tcase, test_nothing);
    tcase_add_test(tcase, test_full);
    tcase_add_test(tcase, test_not_kept);
    tcase_add_test(tcase, test_keep);
    tcase_add_test(tcase, test_restart);
    tcase_add_test(tcase, test_no_file);
    tcase_add_test(tcase, test_damaged);
    tcase_add_test(tcase, test_merge);
    tcase_add_test(tcase, test_texts);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
