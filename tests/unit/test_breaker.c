/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"
#include "scripted_source.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 SCRIPTED_START_MS

static struct breaker breaker;

static void set_up(void)
{
    memset(&breaker, 0, sizeof breaker);
}

/* "#" in a name is the number of the event. */
struct story {
    const char *name;
    enum rrtype type;
    unsigned count;
    bool failed;
    int64_t every_ms; /* between events */
};

static const struct {
    const char *label;
    struct story parts[4];
    bool want_open;
} stories[] = {
    {"many zones fail", {{"1.0.#.10.in-addr.arpa", RR_PTR, 8, true, 10}}, true},
    {"one short of many", {{"1.0.#.10.in-addr.arpa", RR_PTR, 7, true, 10}}, false},
    {"one broken /16, a million times",
     {{"#.7.0.10.in-addr.arpa", RR_PTR, 1000000, true, 1}},
     false},
    {"one broken /32 of IPv6",
     {{"#.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", RR_PTR, 9, true,
       10}},
     false},
    {"many zones of IPv6",
     {{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.#.b.d.0.1.0.0.2.ip6.arpa", RR_PTR, 9, true,
       10}},
     true},
    {"names that one client chose", {{"mail.zone#.example", RR_A, 1000, true, 1}}, false},
    {"many fail, but more answer",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 20, false, 10},
      {"1.0.#.11.in-addr.arpa", RR_PTR, 20, true, 10}},
     false},
    {"a busy server loses its resolver",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 200, false, 10},
      {"1.0.#.11.in-addr.arpa", RR_PTR, 100, true, 10}},
     true},
    {"too slowly to belong together",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 20, true, BREAKER_WINDOW_MS / 6}},
     false},
    {"others answer again",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 8, true, 10},
      {"1.0.#.11.in-addr.arpa", RR_PTR, 2, false, 10}},
     false},
    {"only one zone answers, again and again",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 8, true, 10},
      {"#.0.0.11.in-addr.arpa", RR_PTR, 200, false, 10}},
     true},
    {"forward answers close it, too",
     {{"1.0.#.10.in-addr.arpa", RR_PTR, 8, true, 10},
      {"mail.zone#.example", RR_A, 1, false, 10},
      {"mail.zone.org", RR_A, 1, false, 10}},
     false},
    {"short names",
     {{".", RR_A, 1, false, 1}, {"example", RR_A, 1, false, 1}, {"arpa", RR_PTR, 1, true, 1}},
     false},
};

static void number_name(char *out, size_t size, const char *name, unsigned number)
{
    const char *mark = strchr(name, '#');
    if (mark == NULL)
        (void)snprintf(out, size, "%s", name);
    else
        (void)snprintf(out, size, "%.*s%u%s", (int)(mark - name), name, number, mark + 1);
}

static void play(const struct story *story, int64_t *now_ms)
{
    char name[128];
    for (unsigned i = 0; i < story->count; i++) {
        number_name(name, sizeof name, story->name, i + 1);
        struct question question = scripted_question(name, story->type);
        bool was_open = breaker.open;
        bool changed = breaker_feed(&breaker, &question, story->failed, *now_ms);
        if (changed != (was_open != breaker.open)) /* Check takes its time to note an assertion */
            ck_abort_msg("%s: told otherwise", name);
        if (changed)
            ck_assert_int_eq(breaker.since_ms, *now_ms);
        *now_ms += story->every_ms;
    }
}

START_TEST(opens_and_closes)
{
    int64_t now_ms = T0;
    for (size_t i = 0; i < 4 && stories[_i].parts[i].name != NULL; i++)
        play(&stories[_i].parts[i], &now_ms);
    ck_assert_msg(breaker.open == stories[_i].want_open, "%s", stories[_i].label);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("breaker");
    TCase *tcase = tcase_create("breaker");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, opens_and_closes, 0, (int)(sizeof stories / sizeof stories[0]));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
