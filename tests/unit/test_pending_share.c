/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may ask when the servers have enough to do. */
#include "dns/finding.h"
#include "dns/resolver.h"
#include "scripted_source.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW      256 /* at the start */
#define ASKS_MAX    4096
#define DEADLINE_MS 8000

static const struct cache_limits cache_limits = {.size_bytes = 8 << 20,
                                                 .max_ttl_s = 86400,
                                                 .negative_max_ttl_s = 300,
                                                 .failure_ttl_s = 30,
                                                 .stale_s = 86400};

static struct scripted *script;
static struct cache *cache;
static struct resolver *resolver;
static struct metrics *metrics;

struct ask {
    bool answered;
    enum dns_outcome outcome;
    enum dns_problem problem;
    int64_t asked_ms, took_ms;
    struct resolver_request *request;
};
static struct ask asks[ASKS_MAX];
static unsigned ask_count;

static void start(unsigned max_queries)
{
    const struct resolver_limits limits = {.max_queries = max_queries, .max_cname_hops = 8};
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    metrics = metrics_new();
    resolver =
        resolver_new(scripted_source(script), cache, scripted_loop(script), &limits, metrics);
    ck_assert_ptr_nonnull(resolver);
    scripted_on(script, "*.silent.example", RR_A, "192.0.2.1", SCRIPTED_NEVER);
    scripted_on(script, "*.good.example", RR_A, "192.0.2.1", 50);
    ask_count = 0;
}

static int64_t now_ms(void)
{
    return clock_ms(scripted_clock(script));
}

static void on_done(void *arg, const struct resolver_answer *answer)
{
    struct ask *ask = arg;
    ask->answered = true;
    ask->outcome = (enum dns_outcome)answer->answer->outcome;
    ask->problem = (enum dns_problem)answer->answer->problem;
    ask->took_ms = now_ms() - ask->asked_ms;
}

/* Of a client in 10.(network).0/24. */
static uint64_t network_of(unsigned network)
{
    const struct ipaddr client = {.family = IP_V4,
                                  .bytes = {10, (uint8_t)(network >> 8), (uint8_t)network, 1}};
    return resolver_network(&client);
}

static struct ask *ask(unsigned network, const char *zone)
{
    struct ask *one = &asks[ask_count++];
    char name[64];
    struct resolver_answer now;
    (void)snprintf(name, sizeof name, "a%u.%s.example", ask_count, zone);
    struct question question = scripted_question(name, RR_A);
    *one = (struct ask){.asked_ms = now_ms()};
    ck_assert_int_eq(resolver_ask(resolver, &question, network_of(network), now_ms() + DEADLINE_MS,
                                  on_done, one, &now, &one->request),
                     RESULT_PENDING);
    scripted_run(script);
    return one;
}

static void pass(int64_t ms)
{
    scripted_advance(script, ms);
}

static int64_t figure(const char *name)
{
    return metric_value(metrics_find(metrics, name), 0, 0);
}

static void finish(void)
{
    for (unsigned i = 0; i < ask_count; i++)
        resolver_cancel(resolver, asks[i].request);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
    scripted_stop(script);
    resolver_free(resolver);
    cache_free(cache);
    metrics_free(metrics);
    scripted_free(script);
}

START_TEST(networks_and_back)
{
    static const struct {
        const char *client, *want;
    } cases[] = {{"198.51.100.7", "198.51.100.0/24"},
                 {"0.0.0.1", "0.0.0.0/24"},
                 {"2001:db8:1:2::7", "2001:db8:1::/48"},
                 {"::1", "::/48"}};
    struct ipaddr client;
    struct ipnet net;
    char text[IPNET_TEXT_MAX];
    ck_assert_int_eq(ipaddr_parse(cases[_i].client, &client), RESULT_OK);
    resolver_network_of(resolver_network(&client), &net);
    ck_assert_str_eq(ipnet_format(&net, text), cases[_i].want);
}
END_TEST

/* A large provider's network may use all there is while nobody else wants it. */
START_TEST(share_binds_only_when_full)
{
    start(4096);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(1, "good");
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    struct ask *late = ask(1, "good");
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    ck_assert_int_eq(figure("iprevd_resolver_waiting"), 1);
    struct ask *other = ask(2, "good"); /* it has least, and is asked at once */
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    ck_assert_int_eq(figure("iprevd_resolver_postponed_total"), 1);
    pass(50);
    ck_assert(other->answered);
    ck_assert_int_eq(other->took_ms, 50);
    pass(100); /* what waited, and what was postponed for it, is asked after that */
    ck_assert(late->answered);
    for (unsigned i = 0; i < ask_count; i++)
        ck_assert_int_eq(asks[i].outcome, DNS_FOUND);
    ck_assert_int_eq(figure("iprevd_resolver_dropped_total"), 0);
    finish();
}
END_TEST

/* 150 clients with questions that nobody answers, of as many networks, and good ones in between. */
START_TEST(silent_clients_hold_up_nobody)
{
    start(4096);
    for (unsigned name = 0; name < 11; name++)
        for (unsigned i = 0; i < 150; i++)
            (void)ask(i, "silent");
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    for (unsigned i = 0; i < 200; i++) {
        struct ask *good = ask(1000 + i, "good");
        pass(50);
        ck_assert_msg(good->answered && good->outcome == DNS_FOUND, "good client %u waits", i);
        ck_assert_uint_le(scripted_open(script), WINDOW);
        pass(10);
    }
    ck_assert_int_eq(figure("iprevd_resolver_dropped_total"), 0);
    finish();
}
END_TEST

/* As many equals as there are: the newest gets the turn of one that has been silent for a while. */
START_TEST(equals)
{
    start(4096);
    for (unsigned i = 0; i < 1500; i++)
        (void)ask(i, "silent");
    pass(500);
    struct ask *good = ask(2000, "good");
    pass(150);
    ck_assert(good->answered);
    ck_assert_int_eq(good->outcome, DNS_FOUND);
    finish();
}
END_TEST

START_TEST(window_follows_the_servers)
{
    start(4096);
    for (unsigned i = 0; i < 1400; i++) {
        (void)ask(i % 10, "silent");
        if (i % 20 == 19)
            pass(100);
    }
    ck_assert_int_lt(figure("iprevd_resolver_window"), WINDOW / 2);
    ck_assert_int_ge(figure("iprevd_resolver_window"), 64);
    pass(10000);
    unsigned silent = ask_count;
    for (unsigned i = 0; i < 1000; i++)
        (void)ask(i % 10, "good");
    pass(2000);
    for (unsigned i = silent; i < ask_count; i++)
        ck_assert_int_eq(asks[i].outcome, DNS_FOUND);
    ck_assert_int_eq(figure("iprevd_resolver_window"), WINDOW);
    finish();
}
END_TEST

/* A few silent zones on a server that has little to do say nothing about it. */
START_TEST(window_of_a_quiet_server)
{
    start(4096);
    for (unsigned i = 0; i < 100; i++)
        (void)ask(i, "silent");
    pass(10000);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(i, "good");
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    finish();
}
END_TEST

START_TEST(full)
{
    start(20);
    for (unsigned i = 0; i < 15; i++)
        (void)ask(1, "silent");
    for (unsigned i = 0; i < 5; i++)
        (void)ask(2, "silent");
    struct ask *good = ask(3, "good");
    ck_assert(asks[0].answered);
    ck_assert_int_eq(asks[0].problem, PROBLEM_LIMIT);
    for (unsigned i = 1; i < 20; i++)
        ck_assert(!asks[i].answered);
    ck_assert_int_eq(figure("iprevd_resolver_dropped_total"), 1);
    ck_assert_int_eq(figure("iprevd_resolver_refused_total"), 0);
    ck_assert_int_eq(metric_value(metrics_find(metrics, FINDINGS_METRIC), FINDING_DROPS, 0), 1);
    pass(50);
    ck_assert_int_eq(good->outcome, DNS_FOUND);
    finish();
}
END_TEST

/* Whoever waits in vain hears of it at his deadline, and it is no failure of the servers. */
START_TEST(waiting_ends)
{
    start(4096);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(1, "silent");
    pass(7000);
    struct ask *left = ask(1, "good"), *late = ask(1, "silent");
    resolver_cancel(resolver, left->request);
    left->request = NULL;
    scripted_run(script);
    ck_assert(left->answered);
    ck_assert_int_eq(left->problem, PROBLEM_CANCELLED);
    pass(DEADLINE_MS + 100);
    ck_assert(late->answered);
    finish();
}
END_TEST

/* Who hangs up before it was his turn has cost the servers nothing. */
START_TEST(leaving_without_a_turn)
{
    start(4096);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(1, "good");
    for (unsigned i = 0; i < WINDOW; i++) {
        struct ask *left = ask(1, "silent");
        resolver_cancel(resolver, left->request);
        left->request = NULL;
        scripted_run(script);
    }
    pass(50);
    ck_assert_uint_eq(scripted_open(script), 0);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(2, "good");
    ck_assert_uint_eq(scripted_open(script), WINDOW);
    finish();
}
END_TEST

/* Much was given up, and nothing is under way: a client with few questions is asked for. */
START_TEST(few_questions_after_many_given_up)
{
    start(4096);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(i, "silent");
    pass(1000);
    for (unsigned i = 0; i < WINDOW; i++) {
        resolver_cancel(resolver, asks[i].request);
        asks[i].request = NULL;
    }
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
    for (unsigned i = 0; i < 3; i++)
        (void)ask(1000, "good");
    ck_assert_uint_eq(scripted_open(script), 2);
    struct ask *other = ask(1001, "good");
    pass(50);
    ck_assert(other->answered);
    ck_assert_int_eq(other->took_ms, 50);
    finish();
}
END_TEST

/* A question that waited for its turn is no more silent than one that did not. */
START_TEST(silence_begins_with_the_turn)
{
    start(4096);
    scripted_on(script, "*.slow.example", RR_A, "192.0.2.1", _i == 0 ? 1500 : 2500);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(1, "slow");
    for (unsigned i = 0; i < 2 * WINDOW; i++)
        (void)ask(1, "silent");
    pass(_i == 0 ? 2100 : 3600); /* the second turn is at 1500, or at 2500 */
    ck_assert_int_eq(figure("iprevd_resolver_window"), WINDOW);
    pass(1500);
    ck_assert_int_eq(figure("iprevd_resolver_window"), WINDOW - WINDOW / 4);
    finish();
}
END_TEST

/* The figures are right from the beginning, and after every change. */
START_TEST(figures)
{
    start(4096);
    ck_assert_int_eq(figure("iprevd_resolver_window"), WINDOW);
    for (unsigned i = 0; i < WINDOW; i++)
        (void)ask(i, "silent");
    pass(2000);
    ck_assert_int_eq(figure("iprevd_resolver_window"), WINDOW - WINDOW / 4);
    (void)ask(0, "good");
    ck_assert_int_eq(figure("iprevd_resolver_waiting"), 1);
    resolver_cancel(resolver, asks[WINDOW].request);
    asks[WINDOW].request = NULL;
    scripted_run(script);
    ck_assert_int_eq(figure("iprevd_resolver_waiting"), 0);
    pass(6000);
    int64_t window = figure("iprevd_resolver_window");
    (void)ask(1000, "good");
    pass(50);
    ck_assert_int_eq(figure("iprevd_resolver_window"), window + 1);
    finish();
}
END_TEST

static struct question asked_again;
static struct ask again;

static void ask_again(void *arg, const struct resolver_answer *answer)
{
    struct resolver_answer now;
    on_done(arg, answer);
    again.asked_ms = now_ms();
    ck_assert_int_eq(resolver_ask(resolver, &asked_again, network_of(1), now_ms() + 3000, on_done,
                                  &again, &now, &again.request),
                     RESULT_PENDING);
}

/* The asker of what is dropped asks the same at once: the later deadline counts there, too. */
START_TEST(dropped_asks_the_same)
{
    struct resolver_answer now;
    struct ask first = {0}, late = {0};
    struct question silent = scripted_question("first.silent.example", RR_A);
    start(20);
    asked_again = scripted_question("again.example", RR_A);
    scripted_on(script, "again.example", RR_A, "192.0.2.1", 5000);
    again = (struct ask){0};
    ck_assert_int_eq(resolver_ask(resolver, &silent, network_of(1), now_ms() + DEADLINE_MS,
                                  ask_again, &first, &now, &first.request),
                     RESULT_PENDING);
    for (unsigned i = 1; i < 20; i++)
        (void)ask(1, "silent");
    late.asked_ms = now_ms();
    ck_assert_int_eq(resolver_ask(resolver, &asked_again, network_of(2), now_ms() + DEADLINE_MS,
                                  on_done, &late, &now, &late.request),
                     RESULT_PENDING);
    scripted_run(script);
    ck_assert(first.answered);
    ck_assert_uint_eq(scripted_asked(script, "again.example", RR_A), 1);
    pass(5000);
    ck_assert(late.answered);
    ck_assert_int_eq(late.outcome, DNS_FOUND);
    resolver_cancel(resolver, first.request);
    resolver_cancel(resolver, again.request);
    resolver_cancel(resolver, late.request);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pending_share");
    TCase *tcase = tcase_create("pending_share");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, networks_and_back, 0, 4);
    tcase_add_test(tcase, share_binds_only_when_full);
    tcase_add_test(tcase, silent_clients_hold_up_nobody);
    tcase_add_test(tcase, equals);
    tcase_add_test(tcase, window_follows_the_servers);
    tcase_add_test(tcase, window_of_a_quiet_server);
    tcase_add_test(tcase, full);
    tcase_add_test(tcase, waiting_ends);
    tcase_add_test(tcase, leaving_without_a_turn);
    tcase_add_test(tcase, few_questions_after_many_given_up);
    tcase_add_loop_test(tcase, silence_begins_with_the_turn, 0, 2);
    tcase_add_test(tcase, figures);
    tcase_add_test(tcase, dropped_asks_the_same);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
