/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hosts of a farm believe: the rules as a table, and their laws (order and repetition do not
 * count, nothing comes back) with random statements.
 */
#include "site/exemption_merge.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1790000000)
#define DAY INT64_C(86400)

/* "192.0.2.1": made NOW + made, until NOW + until. */
static struct exemption statement(bool ended, int64_t made, int64_t until, const char *reason)
{
    struct exemption one = {.subject = "192.0.2.1",
                            .by = "mx1",
                            .made_s = NOW + made,
                            .until_s = NOW + until,
                            .ended = ended};
    (void)snprintf(one.reason, sizeof one.reason, "%s", reason);
    return one;
}

#define ALLOW(made, until)                                                                         \
    {                                                                                              \
        false, made, until, "a"                                                                    \
    }
#define END(made)                                                                                  \
    {                                                                                              \
        true, made, (made) + EXEMPTION_MAX_S, ""                                                   \
    }

struct said {
    bool ended;
    int64_t made, until;
    const char *reason;
};

static const struct {
    const char *label;
    bool none; /* nothing is known */
    struct said known, news;
    enum exemption_news want;
} rules[] = {
    {"the first word", true, END(0), ALLOW(0, DAY), EXEMPTION_TAKEN},
    {"it was ended, of which nothing was known", true, END(0), END(0), EXEMPTION_TAKEN},
    {"later", false, ALLOW(-10, DAY), ALLOW(-9, DAY), EXEMPTION_TAKEN},
    {"later, and shorter", false, ALLOW(-10, DAY), ALLOW(-9, 60), EXEMPTION_TAKEN},
    {"earlier, and longer", false, ALLOW(-9, 60), ALLOW(-10, DAY), EXEMPTION_OLDER},
    {"the same", false, ALLOW(-9, 60), ALLOW(-9, 60), EXEMPTION_SAME},
    {"ended later", false, ALLOW(-10, DAY), END(-9), EXEMPTION_TAKEN},
    {"ended in the same second", false, ALLOW(-9, DAY), END(-9), EXEMPTION_TAKEN},
    {"allowed in the second in which it was ended", false, END(-9), ALLOW(-9, DAY),
     EXEMPTION_OLDER},
    {"allowed before it was ended", false, END(-9), ALLOW(-10, DAY), EXEMPTION_OLDER},
    {"allowed again", false, END(-9), ALLOW(-8, DAY), EXEMPTION_TAKEN},
    {"two in the same second: the longer", false, ALLOW(-9, DAY), ALLOW(-9, DAY + 1),
     EXEMPTION_TAKEN},
    {"two in the same second: by their reasons",
     false,
     ALLOW(-9, DAY),
     {false, -9, DAY, "b"},
     EXEMPTION_TAKEN},
    {"a clock that is 5 minutes ahead", false, ALLOW(0, DAY), ALLOW(300, DAY), EXEMPTION_TAKEN},
    {"and one more second", false, ALLOW(0, DAY), ALLOW(301, DAY), EXEMPTION_AHEAD},
    {"ended by a clock that is ahead", false, ALLOW(0, DAY), END(301), EXEMPTION_AHEAD},
    {"longer than may be", true, END(0), ALLOW(0, EXEMPTION_MAX_S + 1), EXEMPTION_UNSOUND},
    {"as long as may be", true, END(0), ALLOW(0, EXEMPTION_MAX_S), EXEMPTION_TAKEN},
    {"ended for longer than may be",
     true,
     END(0),
     {true, 0, EXEMPTION_MAX_S + 1, ""},
     EXEMPTION_UNSOUND},
    {"over", true, END(0), ALLOW(-DAY, 0), EXEMPTION_OVER},
};

START_TEST(test_rules)
{
    struct said known = rules[_i].known, news = rules[_i].news;
    struct exemption a = statement(known.ended, known.made, known.until, known.reason);
    struct exemption b = statement(news.ended, news.made, news.until, news.reason);
    ck_assert_msg(exemption_judge(rules[_i].none ? NULL : &a, &b, NOW) == rules[_i].want, "%s",
                  rules[_i].label);
    ck_assert_int_eq(exemption_compare(&a, &b) > 0, exemption_compare(&b, &a) < 0);
}
END_TEST

/* One that took another's place and is over does not let the other come back. */
START_TEST(test_replaced_by_a_shorter_one)
{
    struct exemptions *all = exemptions_new();
    struct exemption longer = statement(false, -10, DAY, "a"),
                     shorter = statement(false, -5, 60, "b");
    exemptions_remember(all);
    ck_assert_int_eq(exemptions_merge(all, &longer, NOW), EXEMPTION_TAKEN);
    ck_assert_int_eq(exemptions_merge(all, &shorter, NOW), EXEMPTION_TAKEN);
    ck_assert_uint_eq(exemptions_expire(all, NOW + 60), 1);
    ck_assert_int_eq(exemptions_merge(all, &longer, NOW + 60), EXEMPTION_OLDER);
    ck_assert_uint_eq(exemptions_count(all), 0);
    exemptions_free(all);
    all = exemptions_new(); /* a host that hears of both only now */
    ck_assert_int_eq(exemptions_merge(all, &longer, NOW + 60), EXEMPTION_TAKEN);
    ck_assert_int_eq(exemptions_merge(all, &shorter, NOW + 60), EXEMPTION_TAKEN);
    ck_assert_uint_eq(exemptions_count(all), 0);
    exemptions_free(all);
}
END_TEST

/* An exemption that is made here counts, although a host whose clock is ahead ended it. */
START_TEST(test_made_here)
{
    struct exemptions *all = exemptions_new();
    struct exemption made = statement(false, 0, DAY, "a"), ended = statement(true, 200, 0, "");
    ended.until_s = ended.made_s + EXEMPTION_MAX_S;
    ck_assert_int_eq(exemptions_made(all, made.subject, NOW), NOW);
    ck_assert_int_eq(exemptions_merge(all, &ended, NOW), EXEMPTION_TAKEN);
    ck_assert_int_eq(exemptions_made(all, made.subject, NOW), NOW + 201);
    made.made_s = NOW + 201;
    ck_assert_int_eq(exemptions_merge(all, &made, NOW), EXEMPTION_TAKEN);
    ck_assert_uint_eq(exemptions_count(all), 1);
    ck_assert_int_eq(exemptions_end(all, made.subject, NOW, "mx2"), RESULT_OK);
    ck_assert_int_eq(exemptions_end(all, made.subject, NOW, "mx2"), RESULT_NOTFOUND);
    ck_assert(exemptions_known(all, made.subject, &ended));
    ck_assert(ended.ended && ended.made_s == NOW + 202 && strcmp(ended.by, "mx2") == 0);
    /* A clock that was years ahead when it was set is no reason to be so, too. */
    ended.made_s = NOW + 1000 * DAY;
    ck_assert_int_eq(exemptions_add(all, &ended), RESULT_OK);
    ck_assert_int_eq(exemptions_made(all, made.subject, NOW), NOW);
    exemptions_free(all);
}
END_TEST

/* A file may say that it was made at the end of all time. */
START_TEST(test_made_whenever)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, INT64_MAX - EXEMPTION_MAX_S + 1, INT64_MAX};
    struct exemptions *all = exemptions_new();
    exemptions_remember(all);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct exemption one = statement(false, 0, 0, "a");
        one.made_s = times[i];
        ck_assert_int_eq(exemptions_add(all, &one), RESULT_OK);
        ck_assert_uint_eq(exemptions_expire(all, NOW), 1);
        ck_assert_uint_eq(exemptions_count(all), 0);
    }
    exemptions_free(all);
}
END_TEST

START_TEST(test_ended_are_bounded)
{
    struct exemptions *all = exemptions_new();
    struct exemption ended = statement(true, 0, EXEMPTION_MAX_S, ""), found;
    for (int i = 0; i <= EXEMPTIONS_MAX; i++) {
        (void)snprintf(ended.subject, sizeof ended.subject, "10.0.%d.%d", i / 256, i % 256);
        ended.made_s = NOW - EXEMPTIONS_MAX + i;
        ended.until_s = ended.made_s + EXEMPTION_MAX_S;
        ck_assert_int_eq(exemptions_merge(all, &ended, NOW), EXEMPTION_TAKEN);
    }
    ck_assert(!exemptions_known(all, "10.0.0.0", &found)); /* the earliest */
    ck_assert(exemptions_known(all, "10.0.0.1", &found));
    ck_assert_uint_eq(exemptions_count(all), 0);
    exemptions_free(all);
}
END_TEST

START_TEST(test_survives)
{
    char path[] = "test_exemption_merge.tmp.XXXXXX";
    unsigned line = 0;
    struct exemptions *all = exemptions_new(), *again = exemptions_new();
    struct exemption made = statement(false, 0, DAY, "a"), found;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert_int_eq(exemptions_add(all, &made), RESULT_OK);
    (void)snprintf(made.subject, sizeof made.subject, ".example.org");
    ck_assert_int_eq(exemptions_add(all, &made), RESULT_OK);
    ck_assert_int_eq(exemptions_end(all, ".example.org", NOW, "mx3"), RESULT_OK);
    ck_assert_int_eq(exemptions_save(all, path), RESULT_OK);
    ck_assert_int_eq(exemptions_load(again, path, NOW, &line), RESULT_OK);
    ck_assert(exemptions_known(again, ".example.org", &found) && found.ended);
    ck_assert_str_eq(found.by, "mx3");
    ck_assert_int_eq(found.made_s, NOW + 1);
    ck_assert(exemptions_known(again, "192.0.2.1", &found) && !found.ended);
    ck_assert_str_eq(found.by, "mx1");
    ck_assert_uint_eq(exemptions_count(again), 1);
    (void)unlink(path);
    exemptions_free(all);
    exemptions_free(again);
}
END_TEST

/* --- laws ------------------------------------------------------------------------------------ */

#define HOSTS      3
#define SUBJECTS   2
#define STATEMENTS 24
#define MINUTES    30

static struct exemption said[STATEMENTS];

static void say(unsigned i)
{
    struct exemption *one = &said[i];
    memset(one, 0, sizeof *one);
    one->ended = random() % 3 == 0;
    one->made_s = NOW + 60 * (random() % MINUTES);
    one->until_s = one->made_s + (one->ended ? EXEMPTION_MAX_S : 60 * (1 + random() % MINUTES));
    (void)snprintf(one->subject, sizeof one->subject, "192.0.2.%ld", random() % SUBJECTS);
    (void)snprintf(one->by, sizeof one->by, "mx%ld", random() % HOSTS);
    if (!one->ended)
        (void)snprintf(one->reason, sizeof one->reason, "%ld", random() % 3);
}

/* What a host knows never gives way to what is less. */
static void hear(struct exemptions *host, const struct exemption *news, int64_t wall_s)
{
    struct exemption before, after;
    bool known = exemptions_known(host, news->subject, &before);
    enum exemption_news what = exemptions_merge(host, news, wall_s);
    ck_assert(what != EXEMPTION_NO_ROOM && what != EXEMPTION_UNSOUND);
    if (random() % 4 == 0)
        (void)exemptions_expire(host, wall_s);
    if (known) {
        ck_assert(exemptions_known(host, news->subject, &after));
        ck_assert_int_ge(exemption_compare(&after, &before), 0);
    }
}

static void compare(struct exemptions *hosts[HOSTS], int64_t wall_s)
{
    for (int subject = 0; subject < SUBJECTS; subject++) {
        char text[EXEMPTION_SUBJECT_MAX];
        struct exemption best = {0}, found;
        bool any = false;
        (void)snprintf(text, sizeof text, "192.0.2.%d", subject);
        for (unsigned i = 0; i < STATEMENTS; i++) {
            struct exemption one = said[i];
            if (strcmp(one.subject, text) != 0)
                continue;
            ck_assert(exemption_settle(&one, wall_s));
            if (!any || exemption_compare(&one, &best) > 0)
                best = one;
            any = true;
        }
        for (int host = 0; host < HOSTS; host++) {
            ck_assert_int_eq(exemptions_known(hosts[host], text, &found), any);
            if (any)
                ck_assert_int_eq(exemption_compare(&found, &best), 0);
        }
    }
}

START_TEST(test_laws)
{
    struct exemptions *hosts[HOSTS];
    int64_t end_s = NOW + 60 * MINUTES;
    srandom((unsigned)_i);
    for (unsigned i = 0; i < STATEMENTS; i++)
        say(i);
    for (int host = 0; host < HOSTS; host++) {
        hosts[host] = exemptions_new();
        exemptions_remember(hosts[host]);
        /* Each hears some of it while time goes on, in an order of its own, some twice. */
        for (int64_t wall_s = NOW; wall_s < end_s; wall_s += 20)
            hear(hosts[host], &said[random() % STATEMENTS], wall_s);
        for (unsigned i = 0, from = (unsigned)random(); i < STATEMENTS; i++)
            hear(hosts[host], &said[(from + 7 * i) % STATEMENTS], end_s);
        (void)exemptions_expire(hosts[host], end_s);
    }
    compare(hosts, end_s);
    for (int host = 0; host < HOSTS; host++)
        exemptions_free(hosts[host]);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("exemption_merge");
    TCase *tests = tcase_create("exemption_merge");
    tcase_add_loop_test(tests, test_rules, 0, COUNT(rules));
    tcase_add_test(tests, test_replaced_by_a_shorter_one);
    tcase_add_test(tests, test_made_here);
    tcase_add_test(tests, test_made_whenever);
    tcase_add_test(tests, test_ended_are_bounded);
    tcase_add_test(tests, test_survives);
    tcase_add_loop_test(tests, test_laws, 0, 200);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
