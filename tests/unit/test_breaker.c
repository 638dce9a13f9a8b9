/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"
#include "scripted_source.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 SCRIPTED_START_MS

static struct breaker_window breaker;

static void set_up(void)
{
    memset(&breaker, 0, sizeof breaker);
}

/* "#" in a name is the number of the event. */
struct story {
    const char *name;
    enum rrtype type;
    unsigned count;
    enum breaker_outcome outcome;
    int64_t every_ms; /* between events */
    enum breaker_probe probe;
};

#define FOUND  BREAKER_ZONE_FOUND
#define DENIES BREAKER_ZONE_DENIES
#define FAILS  BREAKER_ZONE_FAILS

#define NET_10 "1.0.#.10.in-addr.arpa"
#define NET_11 "1.0.#.11.in-addr.arpa"
#define IN_32                                                                                      \
    "#.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" /* of one /32 */
#define NET_IP6 "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.#.b.d.0.1.0.0.2.ip6.arpa"

static const struct {
    const char *label;
    struct story parts[4];
    bool want_open;
    unsigned want_probes;
} stories[] = {
    {"many zones fail", {{NET_10, RR_PTR, 4, FAILS, 10, BREAKER_FAILED}}, true, 1},
    {"one short of many", {{NET_10, RR_PTR, 3, FAILS, 10, BREAKER_FAILED}}, false, 0},
    {"many broken zones, but the resolver resolves",
     {{NET_10, RR_PTR, 200, FAILS, 10, BREAKER_ANSWERED}},
     false,
     1},
    {"broken zones all day: a probe now and then",
     {{NET_10, RR_PTR, 100, FAILS, BREAKER_REST_MS / 10, BREAKER_ANSWERED}},
     false,
     10},
    {"the probe could not be made: again with the next",
     {{NET_10, RR_PTR, 6, FAILS, 10, BREAKER_UNKNOWN}},
     false,
     3},
    {"all is denied, and the probe fails: again after a rest",
     {{NET_10, RR_PTR, BREAKER_DENIED_NETWORKS + 10, DENIES, BREAKER_REST_MS / 5, BREAKER_UNCLEAR}},
     false,
     3},
    {"one broken /16, a million times",
     {{"#.7.0.10.in-addr.arpa", RR_PTR, 1000000, FAILS, 1, BREAKER_FAILED}},
     false,
     0},
    {"one broken /32 of IPv6", {{IN_32, RR_PTR, 9, FAILS, 10, BREAKER_FAILED}}, false, 0},
    {"many zones of IPv6", {{NET_IP6, RR_PTR, 9, FAILS, 10, BREAKER_FAILED}}, true, 1},
    {"names that one client chose",
     {{"mail.zone#.example", RR_A, 1000, FAILS, 1, BREAKER_FAILED}},
     false,
     0},
    {"many fail, but more answer",
     {{NET_10, RR_PTR, 20, FOUND, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 20, FAILS, 10, BREAKER_FAILED}},
     false,
     0},
    {"a busy server loses its resolver",
     {{NET_10, RR_PTR, 200, FOUND, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 100, FAILS, 10, BREAKER_FAILED}},
     true,
     1},
    {"a busy server loses its resolver, and after a moment without an answer that is enough",
     {{NET_10, RR_PTR, 60, FOUND, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 5, FAILS, BREAKER_RECENT_MS / 4, BREAKER_FAILED}},
     true,
     1},
    {"somebody is answered in between",
     {{NET_10, RR_PTR, 20, FOUND, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 5, FAILS, BREAKER_RECENT_MS / 8, BREAKER_FAILED},
      {"1.0.0.9.in-addr.arpa", RR_PTR, 1, FOUND, 10, BREAKER_FAILED},
      {"1.0.#.8.in-addr.arpa", RR_PTR, 6, FAILS, BREAKER_RECENT_MS / 10, BREAKER_FAILED}},
     false,
     0},
    {"too slowly to belong together",
     {{NET_10, RR_PTR, 20, FAILS, BREAKER_WINDOW_MS / 2, BREAKER_FAILED}},
     false,
     0},
    {"others answer again, and so does the probe",
     {{NET_10, RR_PTR, 4, FAILS, BREAKER_OPEN_MS, BREAKER_FAILED},
      {NET_11, RR_PTR, 1, FOUND, 10, BREAKER_ANSWERED}},
     false,
     2},
    {"others answer, from a cache: the probe fails",
     {{NET_10, RR_PTR, 4, FAILS, BREAKER_OPEN_MS, BREAKER_FAILED},
      {NET_11, RR_PTR, 20, FOUND, BREAKER_OPEN_MS, BREAKER_FAILED}},
     true,
     21},
    {"the servers never resolve the probe's name, but everything else for a minute",
     {{NET_10, RR_PTR, 4, FAILS, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 70, FOUND, BREAKER_OPEN_MS, BREAKER_FAILED}},
     false,
     61},
    {"likewise, with a broken zone now and then",
     {{NET_10, RR_PTR, 4, FAILS, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 60, FOUND, BREAKER_OPEN_MS, BREAKER_FAILED},
      {NET_10, RR_PTR, 2, FAILS, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 4, FOUND, BREAKER_OPEN_MS, BREAKER_FAILED}},
     false,
     61},
    {"likewise, a single zone again and again: too little",
     {{NET_10, RR_PTR, 4, FAILS, 10, BREAKER_FAILED},
      {"1.0.0.11.in-addr.arpa", RR_PTR, 70, FOUND, BREAKER_OPEN_MS, BREAKER_FAILED}},
     true,
     70},
    {"a probe is not made for every answer",
     {{NET_10, RR_PTR, 4, FAILS, BREAKER_OPEN_MS, BREAKER_FAILED},
      {NET_11, RR_PTR, 100, FOUND, BREAKER_OPEN_MS / 100, BREAKER_FAILED}},
     true,
     2},
    {"forward answers are hope, too",
     {{NET_10, RR_PTR, 4, FAILS, BREAKER_OPEN_MS, BREAKER_FAILED},
      {"mail.zone#.example", RR_A, 1, FOUND, 10, BREAKER_ANSWERED}},
     false,
     2},
    {"the resolver is back, only broken zones are heard of",
     {{NET_10, RR_PTR, 4, FAILS, 10, BREAKER_FAILED},
      {NET_11, RR_PTR, 2, FAILS, BREAKER_REST_MS, BREAKER_ANSWERED}},
     false,
     2},
    {"open, and the probe cannot be made",
     {{NET_10, RR_PTR, 4, FAILS, BREAKER_REST_MS, BREAKER_FAILED},
      {NET_11, RR_PTR, 1, FOUND, 10, BREAKER_UNKNOWN}},
     true,
     2},
    {"everything is denied", {{NET_10, RR_PTR, 20, DENIES, 1000, BREAKER_FAILED}}, true, 1},
    {"one network short of everything",
     {{NET_10, RR_PTR, 19, DENIES, 1000, BREAKER_FAILED}},
     false,
     0},
    {"one network that has no PTR records",
     {{"#.7.0.10.in-addr.arpa", RR_PTR, 1000, DENIES, 100, BREAKER_FAILED}},
     false,
     0},
    {"everything is denied, and somebody was found before",
     {{NET_11, RR_PTR, 1, FOUND, 10, BREAKER_FAILED},
      {NET_10, RR_PTR, 60, DENIES, 1000, BREAKER_FAILED}},
     false,
     0},
    {"everything is denied for ten minutes since somebody was found",
     {{NET_11, RR_PTR, 1, FOUND, 10, BREAKER_FAILED},
      {NET_10, RR_PTR, 121, DENIES, 5000, BREAKER_FAILED}},
     true,
     1},
    {"denied, too slowly to belong together",
     {{NET_10, RR_PTR, 200, DENIES, BREAKER_DENIED_MS / 10, BREAKER_FAILED}},
     false,
     0},
    {"names of PTR records that exist say nothing of reverse lookups",
     {{"mail.zone#.example", RR_A, 5, FOUND, 10, BREAKER_FAILED},
      {NET_10, RR_PTR, 20, DENIES, 1000, BREAKER_FAILED}},
     true,
     1},
    {"EHLO names that do not exist are no networks",
     {{"mail.zone#.example", RR_A, 60, DENIES, 10, BREAKER_FAILED}},
     false,
     0},
    {"the control is found: a quiet day",
     {{NET_10, RR_PTR, 60, DENIES, 1000, BREAKER_ANSWERED}},
     false,
     5},
    {"denied while it is open, then the control is found",
     {{NET_10, RR_PTR, 25, DENIES, 1000, BREAKER_FAILED},
      {NET_10, RR_PTR, 1, DENIES, 1000, BREAKER_ANSWERED}},
     false,
     7},
    {"denied while it is open, then a client is found",
     {{NET_10, RR_PTR, 25, DENIES, 1000, BREAKER_FAILED},
      {NET_11, RR_PTR, 1, FOUND, 1000, BREAKER_FAILED}},
     false,
     7},
    {"the resolver goes down while it denies everything",
     {{NET_10, RR_PTR, 20, DENIES, 1000, BREAKER_FAILED},
      {NET_11, RR_PTR, 5, FAILS, 1000, BREAKER_UNKNOWN}},
     true,
     6},
    {"short names",
     {{".", RR_A, 1, FOUND, 1, BREAKER_FAILED},
      {"example", RR_A, 1, FOUND, 1, BREAKER_FAILED},
      {"arpa", RR_PTR, 1, FAILS, 1, BREAKER_FAILED}},
     false,
     0},
};

static void number_name(char *out, size_t size, const char *name, unsigned number)
{
    const char *mark = strchr(name, '#');
    if (mark == NULL)
        (void)snprintf(out, size, "%s", name);
    else
        (void)snprintf(out, size, "%.*s%u%s", (int)(mark - name), name, number, mark + 1);
}

/* How many probes were made. */
static unsigned play(const struct story *story, int64_t *now_ms)
{
    char name[128];
    unsigned probes = 0;
    for (unsigned i = 0; i < story->count; i++) {
        number_name(name, sizeof name, story->name, i + 1);
        struct question question = scripted_question(name, story->type);
        bool was_open = breaker.open;
        enum breaker_suspicion what =
            breaker_window_feed(&breaker, &question, story->outcome, *now_ms);
        if (what == BREAKER_NOTHING)
            what = breaker_window_again(&breaker, *now_ms);
        if (what != BREAKER_NOTHING) {
            /* One at a time. */
            ck_assert(!breaker_window_feed(&breaker, &question, story->outcome, *now_ms));
            ck_assert(!breaker_window_again(&breaker, *now_ms));
            bool changed = breaker_window_probed(&breaker, story->probe, *now_ms);
            ck_assert(changed == (was_open != breaker.open));
            if (changed)
                ck_assert_int_eq(breaker.since_ms, *now_ms);
            probes++;
        }
        *now_ms += story->every_ms;
    }
    return probes;
}

START_TEST(opens_and_closes)
{
    int64_t now_ms = T0;
    unsigned probes = 0;
    for (size_t i = 0; i < 4 && stories[_i].parts[i].name != NULL; i++)
        probes += play(&stories[_i].parts[i], &now_ms);
    ck_assert_msg(breaker.open == stories[_i].want_open, "%s", stories[_i].label);
    ck_assert_msg(probes == stories[_i].want_probes, "%s: %u probes", stories[_i].label, probes);
}
END_TEST

/* While the probe is under way others begin to be answered: it was no outage. */
START_TEST(answers_during_the_probe)
{
    struct story fails = {NET_10, RR_PTR, 3, FAILS, 10, BREAKER_FAILED};
    struct story answers = {NET_11, RR_PTR, 2, FOUND, 10, BREAKER_FAILED};
    struct question fourth = scripted_question("1.0.99.10.in-addr.arpa", RR_PTR);
    int64_t now_ms = T0;
    ck_assert_uint_eq(play(&fails, &now_ms), 0);
    ck_assert(breaker_window_feed(&breaker, &fourth, BREAKER_ZONE_FAILS, now_ms));
    ck_assert_uint_eq(play(&answers, &now_ms), 0);
    ck_assert(!breaker_window_probed(&breaker, BREAKER_FAILED, now_ms));
    ck_assert(!breaker.open);
}
END_TEST

START_TEST(question_of_a_probe)
{
    struct question one, other;
    breaker_question(0, &one);
    struct question want = scripted_question("aaaaaaaaaaaaaaaa.com", RR_A);
    ck_assert(question_equal(&one, &want));
    breaker_question(UINT64_MAX - 1, &other);
    want = scripted_question("oppppppppppppppp.com", RR_A);
    ck_assert(question_equal(&other, &want));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("breaker");
    TCase *tcase = tcase_create("breaker");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, opens_and_closes, 0, (int)(sizeof stories / sizeof stories[0]));
    tcase_add_test(tcase, answers_during_the_probe);
    tcase_add_test(tcase, question_of_a_probe);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
