/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"
#include "dns/resolver.h"
#include "scripted_source.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER_MS 100000

static const struct cache_limits cache_limits = {.size_bytes = 8 << 20,
                                                 .max_ttl_s = 86400,
                                                 .negative_max_ttl_s = 300,
                                                 .failure_ttl_s = 30,
                                                 .stale_s = 86400};
static const struct resolver_limits limits = {.max_queries = 100, .max_cname_hops = 4};

static struct scripted *script;
static struct cache *cache;
static struct metrics *metrics;
static struct resolver *resolver;

/* What one asker heard. */
struct heard {
    int count; /* of answers */
    enum result status;
    enum dns_outcome outcome;
    enum dns_problem problem;
    enum dns_origin origin;
    unsigned records, ttl_left_s, took_ms;
    bool secure, aliased;
    uint8_t first[4];
    struct resolver_request *request;
};

static void hear(struct heard *heard, const struct resolver_answer *got)
{
    const struct answer *answer = got->answer;
    heard->count++;
    heard->outcome = (enum dns_outcome)answer->outcome;
    heard->problem = (enum dns_problem)answer->problem;
    heard->origin = got->origin;
    heard->records = answer->count;
    heard->ttl_left_s = got->ttl_left_s;
    heard->took_ms = got->took_ms;
    heard->secure = answer->secure;
    heard->aliased = answer->aliased;
    if (answer->payload_length >= sizeof heard->first)
        memcpy(heard->first, answer->payload, sizeof heard->first);
}

static void on_done(void *arg, const struct resolver_answer *answer)
{
    hear(arg, answer);
}

static void start(const struct resolver_limits *with)
{
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    metrics = metrics_new();
    ck_assert(cache != NULL && metrics != NULL);
    resolver = resolver_new(scripted_source(script), cache, scripted_loop(script), with, metrics);
    ck_assert_ptr_nonnull(resolver);
}

static void set_up(void)
{
    start(&limits);
}

static void end_resolver(void)
{
    if (resolver != NULL)
        scripted_stop(script);
    resolver_free(resolver);
    resolver = NULL;
}

static void tear_down(void)
{
    end_resolver();
    cache_free(cache);
    metrics_free(metrics);
    scripted_free(script);
}

static int64_t now_ms(void)
{
    return clock_ms(scripted_clock(script));
}

static void ask_until(struct heard *heard, const char *name, enum rrtype type, int64_t deadline_ms)
{
    struct question question = scripted_question(name, type);
    struct resolver_answer now;
    memset(heard, 0, sizeof *heard);
    heard->status =
        resolver_ask(resolver, &question, 0, deadline_ms, on_done, heard, &now, &heard->request);
    if (heard->status == RESULT_OK) {
        hear(heard, &now);
        answer_unref(now.answer);
    }
    scripted_run(script);
}

static void ask(struct heard *heard, const char *name, enum rrtype type)
{
    ask_until(heard, name, type, now_ms() + 8000);
}

static void leave(struct heard *heard)
{
    resolver_cancel(resolver, heard->request);
    heard->request = NULL;
    scripted_run(script);
}

static void pass(int64_t ms)
{
    scripted_advance(script, ms);
}

/* --- one answer ----------------------------------------------------------------------------- */

static const struct {
    const char *label, *spec;
    enum dns_outcome want;
    enum dns_problem want_problem;
    bool want_cached; /* the next asker has it without a question */
} answers[] = {
    {"found", "192.0.2.1 ttl=300", DNS_FOUND, PROBLEM_NONE, true},
    {"TTL 0", "192.0.2.1 ttl=0", DNS_FOUND, PROBLEM_NONE, false},
    {"TTL 1", "192.0.2.1 ttl=1", DNS_FOUND, PROBLEM_NONE, true},
    {"TTL 2^31-1", "192.0.2.1 ttl=2147483647", DNS_FOUND, PROBLEM_NONE, true},
    {"NXDOMAIN", "NXDOMAIN ttl=300", DNS_NXDOMAIN, PROBLEM_NONE, true},
    {"NXDOMAIN without SOA", "NXDOMAIN ttl=0", DNS_NXDOMAIN, PROBLEM_NONE, false},
    {"NODATA", "NODATA ttl=300", DNS_NODATA, PROBLEM_NONE, true},
    {"SERVFAIL", "SERVFAIL", DNS_TEMPERROR, PROBLEM_SERVFAIL, true},
    {"REFUSED", "REFUSED", DNS_TEMPERROR, PROBLEM_REFUSED, true},
    {"timeout", "TIMEOUT", DNS_TEMPERROR, PROBLEM_TIMEOUT, true},
    {"no server", "NETWORK", DNS_TEMPERROR, PROBLEM_NETWORK, true},
    {"broken", "MALFORMED", DNS_TEMPERROR, PROBLEM_MALFORMED, true},
    {"our own limit", "LIMIT", DNS_TEMPERROR, PROBLEM_LIMIT, false},
    {"no memory", "NOMEM", DNS_TEMPERROR, PROBLEM_MEMORY, false},
};

START_TEST(outcomes)
{
    struct heard first, second;
    scripted_on(script, "a.example", RR_A, answers[_i].spec, _i % 2 ? 0 : 20);
    ask(&first, "a.example", RR_A);
    pass(20);
    ck_assert_int_eq(first.status, RESULT_PENDING);
    ck_assert_int_eq(first.count, 1);
    ck_assert_int_eq(first.outcome, answers[_i].want);
    ck_assert_int_eq(first.problem, answers[_i].want_problem);
    ck_assert_int_eq(first.origin, DNS_FROM_NETWORK);
    ck_assert_uint_eq(first.took_ms, _i % 2 ? 0 : 20);
    leave(&first);
    ask(&second, "a.example", RR_A);
    ck_assert_msg(second.status == (answers[_i].want_cached ? RESULT_OK : RESULT_PENDING), "%s",
                  answers[_i].label);
    pass(20);
    ck_assert_int_eq(second.outcome, answers[_i].want);
    ck_assert_uint_eq(scripted_asked(script, "a.example", RR_A), answers[_i].want_cached ? 1 : 2);
    leave(&second);
}
END_TEST

START_TEST(one_query_for_all)
{
    struct heard heard[10];
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    for (int i = 0; i < 10; i++) {
        ask(&heard[i], i % 2 ? "A.Example" : "a.example", RR_A);
        pass(1);
    }
    pass(50);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(heard[i].count, 1);
        ck_assert_int_eq(heard[i].outcome, DNS_FOUND);
        ck_assert_int_eq(heard[i].took_ms, 50 - i);
        leave(&heard[i]);
    }
    ck_assert_uint_eq(scripted_asked_all(script), 1);
}
END_TEST

START_TEST(types_are_asked_apart)
{
    struct heard a, aaaa;
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    scripted_on(script, "a.example", RR_AAAA, "NODATA", 20);
    ask(&a, "a.example", RR_A);
    ask(&aaaa, "a.example", RR_AAAA);
    pass(20);
    ck_assert_int_eq(aaaa.count, 1);
    ck_assert_int_eq(a.count, 0);
    pass(30);
    ck_assert_int_eq(a.count, 1);
    leave(&a);
    leave(&aaaa);
}
END_TEST

/* --- CNAME chains --------------------------------------------------------------------------- */

static const struct {
    const char *label;
    struct {
        const char *name, *spec;
    } lines[12];
    enum dns_outcome want;
    enum dns_problem want_problem;
    unsigned want_ttl_s;
    bool want_secure;
    unsigned want_asked; /* 0: does not matter */
} chains[] = {
    {"RFC 2317: the resolver returns only the CNAME",
     {{"1.2.0.192.in-addr.arpa", "CNAME 1.0-25.2.0.192.in-addr.arpa chain-ttl=600"},
      {"1.0-25.2.0.192.in-addr.arpa", "mail.example ttl=300"}},
     DNS_FOUND,
     PROBLEM_NONE,
     300,
     false,
     0},
    {"the alias has the smaller TTL",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example chain-ttl=60"}, {"b.example", "mail.example"}},
     DNS_FOUND,
     PROBLEM_NONE,
     60,
     false,
     0},
    {"a TTL of the chain inside the last message",
     {{"1.2.0.192.in-addr.arpa", "mail.example ttl=300 hops=2 chain-ttl=30"}},
     DNS_FOUND,
     PROBLEM_NONE,
     30,
     false,
     0},
    {"all of it is secure",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example ad"}, {"b.example", "mail.example ad"}},
     DNS_FOUND,
     PROBLEM_NONE,
     3600,
     true,
     0},
    {"one link is not secure",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example"}, {"b.example", "mail.example ad"}},
     DNS_FOUND,
     PROBLEM_NONE,
     3600,
     false,
     0},
    {"the end does not exist",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example chain-ttl=50"},
      {"b.example", "NXDOMAIN ttl=200"}},
     DNS_NXDOMAIN,
     PROBLEM_NONE,
     50,
     false,
     0},
    {"the end fails",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example"}, {"b.example", "SERVFAIL"}},
     DNS_TEMPERROR,
     PROBLEM_SERVFAIL,
     0,
     false,
     0},
    {"to itself",
     {{"1.2.0.192.in-addr.arpa", "CNAME 1.2.0.192.IN-ADDR.arpa"}},
     DNS_TEMPERROR,
     PROBLEM_LOOP,
     0,
     false,
     0},
    {"in a circle, further on",
     {{"1.2.0.192.in-addr.arpa", "CNAME b.example"},
      {"b.example", "CNAME c.example"},
      {"c.example", "CNAME b.example"}},
     DNS_TEMPERROR,
     PROBLEM_LOOP,
     0,
     false,
     3},
    {"as many hops as are allowed",
     {{"1.2.0.192.in-addr.arpa", "CNAME b1"},
      {"b1", "CNAME b2"},
      {"b2", "CNAME b3"},
      {"b3", "CNAME b4"},
      {"b4", "mail.example"}},
     DNS_FOUND,
     PROBLEM_NONE,
     3600,
     false,
     5},
    {"one more: no circle, but too long for us",
     {{"1.2.0.192.in-addr.arpa", "CNAME b1"},
      {"b1", "CNAME b2"},
      {"b2", "CNAME b3"},
      {"b3", "CNAME b4"},
      {"b4", "CNAME b5"},
      {"b5", "mail.example"}},
     DNS_TEMPERROR,
     PROBLEM_CHAIN,
     0,
     false,
     5},
    {"what a message holds costs nothing",
     {{"1.2.0.192.in-addr.arpa", "mail.example hops=16"}},
     DNS_FOUND,
     PROBLEM_NONE,
     3600,
     false,
     1},
    {"nor does it when the chain leads on",
     {{"1.2.0.192.in-addr.arpa", "CNAME b1 hops=9"},
      {"b1", "CNAME b2 hops=9"},
      {"b2", "mail.example hops=9"}},
     DNS_FOUND,
     PROBLEM_NONE,
     3600,
     false,
     3},
};

START_TEST(cname_chains)
{
    const char *name = chains[_i].lines[0].name;
    struct heard heard;
    for (size_t i = 0; i < 12 && chains[_i].lines[i].name != NULL; i++)
        scripted_on(script, chains[_i].lines[i].name, RR_PTR, chains[_i].lines[i].spec,
                    _i % 2 ? 0 : 5);
    ask(&heard, name, RR_PTR);
    pass(100);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_msg(heard.outcome == chains[_i].want, "%s", chains[_i].label);
    ck_assert_int_eq(heard.problem, chains[_i].want_problem);
    ck_assert(heard.secure == chains[_i].want_secure);
    ck_assert(heard.aliased || heard.problem == PROBLEM_LOOP || heard.problem == PROBLEM_CHAIN);
    leave(&heard);
    unsigned asked = scripted_asked_all(script);
    if (chains[_i].want_asked != 0)
        ck_assert_uint_eq(asked, chains[_i].want_asked);
    ask(&heard, name, RR_PTR); /* kept under the name that was asked */
    ck_assert_int_eq(heard.status, RESULT_OK);
    ck_assert_uint_eq(scripted_asked_all(script), asked);
    if (chains[_i].want != DNS_TEMPERROR)
        ck_assert_msg(heard.ttl_left_s + 1 >= chains[_i].want_ttl_s &&
                          heard.ttl_left_s <= chains[_i].want_ttl_s,
                      "%s: TTL %u", chains[_i].label, heard.ttl_left_s);
}
END_TEST

START_TEST(chain_ends_in_the_cache)
{
    struct heard heard;
    scripted_on(script, "b.example", RR_PTR, "mail.example ttl=100", 0);
    scripted_on(script, "1.2.0.192.in-addr.arpa", RR_PTR, "CNAME b.example", 0);
    ask(&heard, "b.example", RR_PTR);
    leave(&heard);
    pass(40000);
    ask(&heard, "1.2.0.192.in-addr.arpa", RR_PTR);
    ck_assert_int_eq(heard.outcome, DNS_FOUND);
    ck_assert_uint_eq(heard.ttl_left_s, 60);
    ck_assert_uint_eq(scripted_asked(script, "b.example", RR_PTR), 1);
    leave(&heard);
}
END_TEST

/* --- stale answers (RFC 8767) --------------------------------------------------------------- */

/* An answer that is in the cache, and expired a minute ago. */
static void have_stale(void)
{
    struct heard heard;
    scripted_on(script, "a.example", RR_A, "192.0.2.1 ttl=60", 0);
    ask(&heard, "a.example", RR_A);
    leave(&heard);
    pass(120000);
}

START_TEST(stale_when_the_servers_fail)
{
    struct heard heard;
    have_stale();
    scripted_on(script, "a.example", RR_A, "SERVFAIL", 100);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.status, RESULT_PENDING); /* the servers are asked first */
    pass(100);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(heard.outcome, DNS_FOUND);
    ck_assert_int_eq(heard.origin, DNS_FROM_STALE);
    ck_assert_uint_eq(heard.ttl_left_s, 0);
    leave(&heard);
    /* For half a minute nobody is asked again. */
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.status, RESULT_OK);
    ck_assert_int_eq(heard.origin, DNS_FROM_STALE);
    pass(30000);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.status, RESULT_PENDING);
    pass(100);
    leave(&heard);
    ck_assert_uint_eq(scripted_asked(script, "a.example", RR_A), 3);
}
END_TEST

START_TEST(stale_when_the_servers_are_slow)
{
    struct heard first, second, third;
    have_stale();
    scripted_on(script, "a.example", RR_A, "192.0.2.2", 5000);
    ask(&first, "a.example", RR_A);
    pass(1000);
    ask(&second, "a.example", RR_A);
    pass(799);
    ck_assert_int_eq(first.count, 0);
    pass(1);
    ck_assert_int_eq(first.count, 1);
    ck_assert_int_eq(first.origin, DNS_FROM_STALE);
    ck_assert_uint_eq(first.took_ms, 1800);
    ck_assert_int_eq(second.count, 0);
    leave(&first);
    pass(1000);
    ck_assert_int_eq(second.origin, DNS_FROM_STALE);
    leave(&second);
    /* Nobody waits, but the query goes on: the answer is wanted. */
    ck_assert_uint_eq(scripted_open(script), 1);
    pass(1500);
    ask(&third, "a.example", RR_A);
    pass(700);
    ck_assert_int_eq(third.count, 1);
    ck_assert_int_eq(third.origin, DNS_FROM_NETWORK);
    ck_assert_uint_eq(third.first[3], 2);
    leave(&third);
    ck_assert_uint_eq(scripted_asked(script, "a.example", RR_A), 2);
}
END_TEST

START_TEST(stale_given_the_answer_is_still_wanted)
{
    struct heard first, second;
    have_stale();
    scripted_on(script, "a.example", RR_A, "192.0.2.2", 5000);
    ask(&first, "a.example", RR_A);
    pass(1800);
    ck_assert_int_eq(first.origin, DNS_FROM_STALE);
    ask(&second, "a.example", RR_A);
    leave(&second); /* he was the only one who waited */
    leave(&first);
    ck_assert_uint_eq(scripted_cancelled(script), 0);
    pass(3200);
    ask(&second, "a.example", RR_A);
    ck_assert_int_eq(second.status, RESULT_OK);
    ck_assert_int_eq(second.origin, DNS_FROM_CACHE);
}
END_TEST

START_TEST(stale_before_the_askers_deadline)
{
    struct heard heard;
    have_stale();
    scripted_on(script, "a.example", RR_A, "192.0.2.2", 5000);
    ask_until(&heard, "a.example", RR_A, now_ms() + 1000);
    pass(899);
    ck_assert_int_eq(heard.count, 0);
    pass(1);
    ck_assert_int_eq(heard.origin, DNS_FROM_STALE);
    leave(&heard);
}
END_TEST

START_TEST(fresh_answer_instead_of_stale)
{
    struct heard heard;
    have_stale();
    scripted_on(script, "a.example", RR_A, "192.0.2.2", 100);
    ask(&heard, "a.example", RR_A);
    pass(100);
    ck_assert_int_eq(heard.origin, DNS_FROM_NETWORK);
    ck_assert_uint_eq(heard.first[3], 2);
    leave(&heard);
}
END_TEST

/* A name that is gone is gone, whatever is remembered. */
START_TEST(nxdomain_instead_of_stale)
{
    struct heard heard;
    have_stale();
    scripted_on(script, "a.example", RR_A, "NXDOMAIN", 100);
    ask(&heard, "a.example", RR_A);
    pass(100);
    ck_assert_int_eq(heard.outcome, DNS_NXDOMAIN);
    ck_assert_int_eq(heard.origin, DNS_FROM_NETWORK);
    leave(&heard);
}
END_TEST

/* --- refreshing ahead ----------------------------------------------------------------------- */

START_TEST(refresh_ahead)
{
    struct heard heard;
    scripted_on(script, "a.example", RR_A, "192.0.2.1 ttl=1000", 0);
    scripted_on(script, "a.example", RR_A, "192.0.2.2 ttl=1000", 50);
    ask(&heard, "a.example", RR_A);
    leave(&heard);
    for (int i = 0; i < 3; i++)
        ask(&heard, "a.example", RR_A);
    pass(950000);
    for (int i = 0; i < 3; i++) {
        ask(&heard, "a.example", RR_A);
        ck_assert_int_eq(heard.status, RESULT_OK); /* nobody waits for it */
        ck_assert_uint_eq(heard.first[3], 1);
    }
    ck_assert_uint_eq(scripted_asked(script, "a.example", RR_A), 2);
    pass(50);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.status, RESULT_OK);
    ck_assert_uint_eq(heard.first[3], 2);
    ck_assert_uint_eq(heard.ttl_left_s, 1000);
}
END_TEST

START_TEST(refresh_gives_way)
{
    struct heard heard, waiting;
    tear_down();
    const struct resolver_limits few = {.max_queries = 2, .max_cname_hops = 8};
    start(&few);
    scripted_on(script, "a.example", RR_A, "192.0.2.1 ttl=1000", 0);
    scripted_on(script, "slow.example", RR_A, "192.0.2.2", 5000);
    for (int i = 0; i < 4; i++) {
        ask(&heard, "a.example", RR_A);
        if (heard.status == RESULT_PENDING)
            leave(&heard);
    }
    pass(950000);
    ask(&waiting, "slow.example", RR_A);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.status, RESULT_OK);
    ck_assert_uint_eq(scripted_asked(script, "a.example", RR_A), 1);
    pass(5000);
    leave(&waiting);
}
END_TEST

/* --- limits, deadlines, hanging up ---------------------------------------------------------- */

START_TEST(too_many_queries)
{
    struct heard heard[4];
    char name[32];
    tear_down();
    const struct resolver_limits few = {.max_queries = 3, .max_cname_hops = 8};
    start(&few);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "a%d.example", i);
        scripted_on(script, name, RR_A, "192.0.2.1", 50);
        ask(&heard[i], name, RR_A);
    }
    ck_assert_int_eq(heard[0].count, 1); /* the oldest gives way */
    ck_assert_int_eq(heard[0].outcome, DNS_TEMPERROR);
    ck_assert_int_eq(heard[0].problem, PROBLEM_LIMIT);
    pass(50);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(heard[i].count, 1);
        leave(&heard[i]);
    }
    ask(&heard[0], "a0.example", RR_A); /* not remembered as a failure */
    pass(50);
    ck_assert_int_eq(heard[0].outcome, DNS_FOUND);
    leave(&heard[0]);
}
END_TEST

/* A reload's limits hold for what is asked from then on. */
START_TEST(limits_of_a_reload)
{
    struct heard heard[4];
    const struct resolver_limits few = {.max_queries = 1, .max_cname_hops = 1};
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    scripted_on(script, "b.example", RR_A, "192.0.2.1", 50);
    scripted_on(script, "c.example", RR_A, "CNAME d.example", 0);
    scripted_on(script, "d.example", RR_A, "CNAME e.example", 0);
    resolver_set_limits(resolver, &few);
    ask(&heard[0], "a.example", RR_A);
    ask(&heard[1], "b.example", RR_A);
    ck_assert_int_eq(heard[0].problem, PROBLEM_LIMIT);
    pass(50);
    ck_assert_int_eq(heard[1].outcome, DNS_FOUND);
    ask(&heard[2], "c.example", RR_A);
    ck_assert_int_eq(heard[2].problem, PROBLEM_CHAIN);
    resolver_set_limits(resolver, &limits);
    ask(&heard[3], "a.example", RR_A);
    pass(50);
    ck_assert_int_eq(heard[3].outcome, DNS_FOUND);
    for (int i = 0; i < 4; i++)
        leave(&heard[i]);
}
END_TEST

START_TEST(hanging_up)
{
    struct heard one, two;
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    ask(&one, "a.example", RR_A);
    ask(&two, "a.example", RR_A);
    leave(&one);
    ck_assert_int_eq(one.count, 1);
    ck_assert_int_eq(one.problem, PROBLEM_CANCELLED);
    ck_assert_uint_eq(scripted_cancelled(script), 0); /* somebody still waits */
    leave(&two);
    ck_assert_int_eq(two.count, 1);
    ck_assert_uint_eq(scripted_cancelled(script), 1);
    ck_assert_uint_eq(scripted_open(script), 0);
    ask(&one, "a.example", RR_A); /* nothing is held against the name */
    pass(50);
    ck_assert_int_eq(one.outcome, DNS_FOUND);
    leave(&one);
}
END_TEST

START_TEST(later_deadline_counts)
{
    struct heard one, two;
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 6000);
    ask_until(&one, "a.example", RR_A, now_ms() + 4000);
    ask_until(&two, "a.example", RR_A, now_ms() + 8000);
    pass(3999);
    ck_assert_int_eq(one.count, 0);
    pass(2001); /* the source has heard of the second */
    ck_assert_int_eq(two.count, 1);
    ck_assert_int_eq(two.outcome, DNS_FOUND);
    leave(&one);
    leave(&two);
}
END_TEST

START_TEST(no_query_is_for_ever)
{
    struct heard heard[40];
    scripted_on(script, "a.example", RR_A, "192.0.2.1", SCRIPTED_NEVER);
    for (int i = 0; i < 40; i++) {
        ask(&heard[i], "a.example", RR_A);
        pass(1000);
    }
    ck_assert_int_eq(heard[0].count, 1);
    ck_assert_int_eq(heard[0].outcome, DNS_TEMPERROR);
    ck_assert_uint_eq(heard[0].took_ms, 30000);
    for (int i = 0; i < 40; i++)
        leave(&heard[i]);
}
END_TEST

/* --- sources -------------------------------------------------------------------------------- */

START_TEST(reload)
{
    struct heard before, after;
    struct scripted *other = scripted_new();
    scripted_use_loop(other, scripted_loop(script));
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    scripted_on(other, "b.example", RR_A, "192.0.2.2", 0);
    ask(&before, "a.example", RR_A);
    ck_assert_int_eq(resolver_set_source(resolver, scripted_source(other)), RESULT_OK);
    scripted_run(script);
    ck_assert_uint_eq(scripted_freed(script), 0); /* a query still uses it */
    ask(&after, "b.example", RR_A);
    ck_assert_int_eq(after.outcome, DNS_FOUND);
    leave(&after);
    pass(50);
    ck_assert_int_eq(before.outcome, DNS_FOUND);
    ck_assert_uint_eq(scripted_freed(script), 1);
    leave(&before);
    end_resolver();
    ck_assert_uint_eq(scripted_freed(other), 1);
    scripted_free(other);
}
END_TEST

/* What an old source has answered, or answers yet, is not what the new one says. */
START_TEST(reload_empties_the_cache)
{
    static const char *const names[] = {"kept.example", "late.example"};
    struct scripted *other = scripted_new();
    struct heard heard;
    scripted_on(script, names[0], RR_A, "192.0.2.1 zone", 0);
    scripted_on(script, names[1], RR_A, "192.0.2.1 zone", 50);
    for (unsigned i = 0; i < 2; i++)
        scripted_on(other, names[i], RR_A, "192.0.2.2", 0);
    ask(&heard, names[0], RR_A);
    leave(&heard);
    ask(&heard, names[1], RR_A);
    ck_assert_int_eq(resolver_set_source(resolver, scripted_source(other)), RESULT_OK);
    pass(50);
    ck_assert_int_eq(heard.first[3], 1);
    leave(&heard);
    for (unsigned i = 0; i < 2; i++) {
        ask(&heard, names[i], RR_A);
        ck_assert_int_eq(heard.outcome, DNS_FOUND);
        ck_assert_msg(heard.first[3] == 2, "%s is from the old source", names[i]);
        leave(&heard);
    }
    end_resolver();
    scripted_free(other);
}
END_TEST

/* The last who used an old source leave while it calls them: it goes on when they return. */
START_TEST(reload_with_the_last_answer)
{
    static const char *const specs[] = {"192.0.2.1", "SERVFAIL", "CNAME b.example", "NOMEM"};
    struct heard heard, gone;
    scripted_on(script, "a.example", RR_A, specs[_i], 50);
    scripted_on(script, "c.example", RR_A, "192.0.2.1", SCRIPTED_NEVER);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(resolver_set_source(resolver, scripted_source(script)), RESULT_OK);
    pass(100);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_uint_eq(scripted_freed(script), 1);
    leave(&heard);
    ask(&gone, "c.example", RR_A);
    ck_assert_int_eq(resolver_set_source(resolver, scripted_source(script)), RESULT_OK);
    leave(&gone); /* cancelled */
    pass(1);
    ck_assert_uint_eq(scripted_freed(script), 2);
}
END_TEST

START_TEST(server_texts)
{
    struct resolver_answer now;
    struct resolver_request *request;
    struct question question = scripted_question("a.example", RR_A);
    struct heard heard;
    scripted_on(script, "a.example", RR_A, "192.0.2.1 server=1", 0);
    ask(&heard, "a.example", RR_A);
    leave(&heard);
    ck_assert_int_eq(
        resolver_ask(resolver, &question, 0, now_ms(), on_done, &heard, &now, &request), RESULT_OK);
    struct scripted *other = scripted_new();
    ck_assert_int_eq(resolver_set_source(resolver, scripted_source(other)), RESULT_OK);
    scripted_run(script);
    ck_assert_str_eq(resolver_server_text(resolver, now.answer->server), "[2001:db8::53]:53");
    ck_assert_ptr_null(resolver_server_text(resolver, ANSWER_NO_SERVER));
    answer_unref(now.answer);
    end_resolver();
    scripted_free(other);
}
END_TEST

START_TEST(shutdown)
{
    struct heard heard[3];
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 50);
    scripted_on(script, "b.example", RR_A, "192.0.2.1", 50);
    ask(&heard[0], "a.example", RR_A);
    ask(&heard[1], "a.example", RR_A);
    ask(&heard[2], "b.example", RR_A);
    end_resolver();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(heard[i].count, 1);
        ck_assert_int_eq(heard[i].problem, PROBLEM_CANCELLED);
        resolver_cancel(NULL, heard[i].request); /* the resolver is gone already */
    }
    ck_assert_uint_eq(scripted_freed(script), 1);
}
END_TEST

/* --- the breaker and the counters ----------------------------------------------------------- */

static void ask_zone(int net, const char *spec)
{
    char name[64];
    struct heard heard;
    (void)snprintf(name, sizeof name, "1.0.%d.10.in-addr.arpa", net);
    scripted_on(script, name, RR_PTR, spec, 0);
    ask(&heard, name, RR_PTR);
    leave(&heard);
}

START_TEST(outage)
{
    struct heard heard;
    ck_assert(!resolver_health(resolver).down);
    for (int i = 0; i < 1000; i++) { /* one broken zone, however often */
        scripted_on(script, "1.0.0.10.in-addr.arpa", RR_PTR, "TIMEOUT", 0);
        ask(&heard, "1.0.0.10.in-addr.arpa", RR_PTR);
        if (heard.status == RESULT_PENDING)
            leave(&heard);
        pass(31);
    }
    ck_assert(!resolver_health(resolver).down);
    /* Many broken zones, but the resolver resolves. */
    for (int i = 1; i < 40; i++)
        ask_zone(i, i % 2 ? "TIMEOUT" : "SERVFAIL");
    ck_assert(!resolver_health(resolver).down);
    scripted_on(script, "*.com", RR_A, "SERVFAIL", 0);
    pass(BREAKER_REST_MS);
    ask_zone(41, "SERVFAIL");
    ck_assert(resolver_health(resolver).down);
    ck_assert_int_eq(resolver_health(resolver).since_ms, now_ms());
    /* The answers that its cache still has do not close it. */
    scripted_on(script, "*.com", RR_A, "TIMEOUT", 0);
    for (int i = 50; i < 60; i++) {
        pass(BREAKER_OPEN_MS);
        ask_zone(i, i % 2 ? "NXDOMAIN" : "mail.example");
        ck_assert(resolver_health(resolver).down);
    }
    scripted_on(script, "*.com", RR_A, "NXDOMAIN", 0);
    ask_zone(61, "mail.example"); /* too soon */
    ck_assert(resolver_health(resolver).down);
    pass(BREAKER_OPEN_MS);
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

/* Only broken zones are heard of, or nothing, when the resolver is back: it closes all the same. */
START_TEST(outage_ends_in_silence)
{
    scripted_on(script, "*.com", RR_A, "REFUSED", 0);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "REFUSED");
    ck_assert(resolver_health(resolver).down);
    scripted_on(script, "*.com", RR_A, "NODATA", 0);
    if (_i == 0)
        ask_zone(5, "TIMEOUT");
    ck_assert(resolver_health(resolver).down);
    pass(BREAKER_OPEN_MS);
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

/* Servers that are silent longer than any client waits: nobody is there to hear them fail. */
START_TEST(clients_leave_in_an_outage)
{
    struct heard heard[8];
    char name[64];
    scripted_on(script, "*.com", RR_A, "TIMEOUT", 0);
    for (int i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "1.0.%d.10.in-addr.arpa", i);
        scripted_on(script, name, RR_PTR, "TIMEOUT", SCRIPTED_NEVER);
        ask(&heard[i], name, RR_PTR);
    }
    pass(1999);
    for (int i = 0; i < 4; i++)
        leave(&heard[i]);
    ck_assert(!resolver_health(resolver).down);
    pass(1);
    for (int i = 4; i < 8; i++)
        leave(&heard[i]);
    ck_assert(resolver_health(resolver).down);
}
END_TEST

/* Nor has anybody to leave: a question under way for 2 s is missed while its askers wait. */
START_TEST(clients_wait_in_an_outage)
{
    struct heard heard[5];
    char name[64];
    scripted_on(script, "*.com", RR_A, "TIMEOUT", 0);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "1.0.%d.10.in-addr.arpa", i);
        scripted_on(script, name, RR_PTR, i == 4 ? "mail.example" : "TIMEOUT",
                    i == 4 ? 3000 + BREAKER_OPEN_MS : SCRIPTED_NEVER);
        ask(&heard[i], name, RR_PTR);
        if (i == 0)
            pass(500);
    }
    pass(1999);
    ck_assert(!resolver_health(resolver).down);
    pass(1);
    ck_assert(resolver_health(resolver).down);
    for (int i = 0; i < 5; i++) { /* there is nothing to wait for any more */
        ck_assert_int_eq(heard[i].count, 1);
        ck_assert_int_eq(heard[i].problem, PROBLEM_TIMEOUT);
        leave(&heard[i]);
    }
    scripted_on(script, "*.com", RR_A, "NXDOMAIN", 0);
    pass(1000 + BREAKER_OPEN_MS); /* the fifth is answered */
    ck_assert(!resolver_health(resolver).down);
    ask(&heard[4], "1.0.4.10.in-addr.arpa", RR_PTR);
    ck_assert_int_eq(heard[4].outcome, DNS_FOUND);
    ck_assert_int_eq(heard[4].origin, DNS_FROM_CACHE);
}
END_TEST

/* While it is open nobody waits for longer than a second, but the answer is kept. */
START_TEST(waiting_in_an_outage)
{
    struct heard heard, stale;
    scripted_on(script, "stale.example", RR_A, "192.0.2.7 ttl=10", 0);
    scripted_on(script, "stale.example", RR_A, "TIMEOUT", SCRIPTED_NEVER);
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 1500);
    ask(&stale, "stale.example", RR_A);
    leave(&stale);
    pass(20000);
    scripted_on(script, "*.com", RR_A, "TIMEOUT", 0);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "TIMEOUT");
    ck_assert(resolver_health(resolver).down);
    ask(&heard, "a.example", RR_A);
    ask(&stale, "stale.example", RR_A);
    pass(RESOLVER_OUTAGE_WAIT_MS - 1);
    ck_assert_int_eq(heard.count, 0);
    pass(1);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(heard.problem, PROBLEM_TIMEOUT);
    ck_assert_int_eq(stale.outcome, DNS_FOUND);
    ck_assert_int_eq(stale.origin, DNS_FROM_STALE);
    leave(&heard);
    leave(&stale);
    pass(500);
    ask(&heard, "a.example", RR_A);
    ck_assert_int_eq(heard.origin, DNS_FROM_CACHE);
    leave(&heard);
}
END_TEST

/* When a server is back, what failed is forgotten and what is under way is sent again. */
START_TEST(servers_come_back)
{
    enum { MANY = 80 };
    static struct heard heard[MANY];
    struct heard failed, first;
    char name[64];
    scripted_on(script, "failed.example", RR_A, "SERVFAIL", 0);
    scripted_on(script, "failed.example", RR_A, "192.0.2.1", 0);
    ask(&failed, "failed.example", RR_A);
    ck_assert_int_eq(failed.outcome, DNS_TEMPERROR);
    leave(&failed);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "n%d.example", i);
        scripted_on(script, name, RR_A, "TIMEOUT", SCRIPTED_NEVER);
        ask(&heard[i], name, RR_A);
    }
    ck_assert_uint_eq(resolver_recoveries(resolver), 0);
    scripted_on(script, "first.example", RR_A, "192.0.2.1", 0);
    scripted_comes_back(script);
    ask(&first, "first.example", RR_A);
    ck_assert_uint_eq(resolver_recoveries(resolver), 1);
    ck_assert_uint_gt(scripted_nudged(script), 0);
    ck_assert_uint_lt(scripted_nudged(script), MANY); /* not all in one burst */
    pass(50);
    ck_assert_uint_eq(scripted_nudged(script), MANY);
    ask(&failed, "failed.example", RR_A);
    ck_assert_int_eq(failed.outcome, DNS_FOUND);
    leave(&failed);
    leave(&first);
    for (int i = 0; i < MANY; i++)
        leave(&heard[i]);
}
END_TEST

/* --- a resolver that denies everything ------------------------------------------------------ */

#define CONTROL "4.0.41.198.in-addr.arpa"

static void set_control(const char *text)
{
    struct resolver_limits with = limits;
    ck_assert_int_eq(ipaddr_parse(text, &with.control), RESULT_OK);
    resolver_set_limits(resolver, &with);
    scripted_run(script);
}

static enum dns_outcome outcome_of_zone(int net, const char *spec)
{
    char name[64];
    struct heard heard;
    (void)snprintf(name, sizeof name, "1.0.%d.10.in-addr.arpa", net);
    scripted_on(script, name, RR_PTR, spec, 0);
    ask(&heard, name, RR_PTR);
    leave(&heard);
    return heard.outcome;
}

static int64_t value_of(const char *name, size_t first);

/* It is an outage: what is denied is not believed, neither now nor what was before. */
START_TEST(everything_is_denied)
{
    struct heard heard;
    set_control("198.41.0.4");
    scripted_on(script, CONTROL, RR_PTR, _i == 0 ? "NXDOMAIN" : "NODATA", 0);
    for (int i = 0; i < BREAKER_DENIED_NETWORKS; i++) {
        ck_assert(!resolver_health(resolver).down);
        (void)outcome_of_zone(i, "NXDOMAIN ttl=300");
        pass(1000);
    }
    ck_assert(resolver_health(resolver).down && resolver_health(resolver).denies);
    ck_assert_int_eq(value_of(FINDINGS_METRIC, FINDING_DENIES_ALL), 1);
    for (int i = 0; i < BREAKER_DENIED_NETWORKS + 1; i++) {
        ck_assert_int_eq(outcome_of_zone(i, "NXDOMAIN ttl=300"), DNS_TEMPERROR);
        ask(&heard, "nobody.example", RR_A);
        ck_assert_int_eq(heard.problem, PROBLEM_DENIES);
        leave(&heard);
    }
    ck_assert_int_eq(value_of("iprevd_resolver_failures_total", PROBLEM_DENIES),
                     BREAKER_DENIED_NETWORKS + 2); /* once each, and the name */
    scripted_on(script, CONTROL, RR_PTR, "a.root-servers.net", 0);
    pass(BREAKER_OPEN_MS);
    ck_assert(!resolver_health(resolver).down);
    ck_assert_int_eq(outcome_of_zone(0, "NXDOMAIN ttl=300"), DNS_NXDOMAIN);
    ck_assert_int_eq(outcome_of_zone(99, "mail.example"), DNS_FOUND);
}
END_TEST

/* Nobody can make it one: the control, or a client that had a PTR record, is found. */
START_TEST(many_networks_are_denied)
{
    static const struct {
        const char *label, *control, *found;
        bool down;
    } rows[] = {
        {"the control is found", "a.root-servers.net", NULL, false},
        {"a client is found", "NXDOMAIN", "mail.example", false},
        {"a client is denied, too", "NXDOMAIN", "NXDOMAIN", true},
        {"the control fails", "SERVFAIL", NULL, false},
        {"no control, a client is found", NULL, "mail.example", false},
        {"no control, a client is denied", NULL, "NODATA", true},
        {"nobody to ask", NULL, NULL, false},
    };
    if (rows[_i].control != NULL) {
        set_control("198.41.0.4");
        scripted_on(script, CONTROL, RR_PTR, rows[_i].control, 0);
    }
    if (rows[_i].found != NULL) {
        scripted_on(script, "1.0.200.10.in-addr.arpa", RR_PTR, "mail.example", 0);
        ask_zone(200, rows[_i].found);
        pass(BREAKER_DENIED_MS + 1);
    }
    for (int i = 0; i < BREAKER_DENIED_NETWORKS; i++)
        ck_assert_int_eq(outcome_of_zone(i, "NXDOMAIN ttl=300"),
                         rows[_i].down && i == BREAKER_DENIED_NETWORKS - 1 ? DNS_TEMPERROR
                                                                           : DNS_NXDOMAIN);
    ck_assert_msg(resolver_health(resolver).down == rows[_i].down, "%s", rows[_i].label);
}
END_TEST

/* All is denied, but the control fails: that is looked into now and then, not with every denial. */
START_TEST(unclear_probe)
{
    set_control("198.41.0.4");
    scripted_on(script, CONTROL, RR_PTR, "SERVFAIL", 0);
    for (int i = 0; i < BREAKER_DENIED_NETWORKS + 9; i++)
        (void)outcome_of_zone(i, "NXDOMAIN ttl=300");
    ck_assert(!resolver_health(resolver).down);
    ck_assert_uint_eq(scripted_asked(script, CONTROL, RR_PTR), 1);
    pass(BREAKER_REST_MS);
    scripted_on(script, CONTROL, RR_PTR, "NXDOMAIN", 0);
    (void)outcome_of_zone(100, "NXDOMAIN ttl=300");
    ck_assert_uint_eq(scripted_asked(script, CONTROL, RR_PTR), 2);
    ck_assert(resolver_health(resolver).denies);
}
END_TEST

/* A zone file that denies means it. */
START_TEST(zone_file_denies)
{
    set_control("198.41.0.4");
    for (int i = 0; i < 60; i++)
        ck_assert_int_eq(outcome_of_zone(i, "NXDOMAIN zone"), DNS_NXDOMAIN);
    ck_assert_uint_eq(scripted_asked(script, CONTROL, RR_PTR), 0);
}
END_TEST

/* PTR lookups fail, and so does the control's, though other names resolve. */
START_TEST(reverse_lookups_are_down)
{
    set_control("198.41.0.4");
    scripted_on(script, "*.com", RR_A, "NXDOMAIN", 0);
    scripted_on(script, CONTROL, RR_PTR, "REFUSED", 0);
    scripted_on(script, CONTROL, RR_PTR, "a.root-servers.net", 0);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "REFUSED");
    ck_assert(resolver_health(resolver).down && !resolver_health(resolver).denies);
    pass(BREAKER_OPEN_MS);
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

/* A probe that is not answered fails in time; one that ends with the resolver harms nobody. */
START_TEST(probe_times_out)
{
    scripted_on(script, "*.com", RR_A, "NXDOMAIN", SCRIPTED_NEVER);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "TIMEOUT");
    ck_assert(!resolver_health(resolver).down);
    ck_assert_uint_eq(scripted_open(script), 1);
    pass(BREAKER_PROBE_MS - 1);
    ck_assert(!resolver_health(resolver).down);
    pass(1);
    ck_assert(resolver_health(resolver).down);
    ck_assert_uint_eq(scripted_open(script), 1); /* the next */
    pass(BREAKER_CLOSING_MS);
    ck_assert(resolver_health(resolver).down);
    ck_assert_uint_eq(scripted_open(script), 1); /* and so on */
    end_resolver();
    ck_assert_uint_eq(scripted_cancelled(script), 1);
}
END_TEST

/* The daemon's end while one question of the probe has failed and another is under way. */
START_TEST(probe_that_is_stopped)
{
    set_control("198.41.0.4");
    scripted_on(script, "*.com", RR_A, "NXDOMAIN", SCRIPTED_NEVER);
    scripted_on(script, CONTROL, RR_PTR, "SERVFAIL", 0);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "TIMEOUT");
    ck_assert_uint_eq(scripted_open(script), 1);
    end_resolver();
    ck_assert_uint_eq(scripted_cancelled(script), 1);
    ck_assert_int_eq(value_of("iprevd_resolver_outage", 0), 0);
}
END_TEST

/* The servers were replaced meanwhile: the old ones' silence says nothing of the new. */
START_TEST(probe_of_old_servers)
{
    scripted_on(script, "*.com", RR_A, "SERVFAIL", 100);
    for (int i = 0; i < 4; i++)
        ask_zone(i, "TIMEOUT");
    ck_assert(resolver_set_source(resolver, scripted_source(script)) == RESULT_OK);
    ck_assert_uint_eq(scripted_freed(script), 0);
    pass(100);
    ck_assert_uint_eq(scripted_freed(script), 1);
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

/* --- findings ------------------------------------------------------------------------------- */

/* What the breaker and the chains find out is counted, with the time. */
START_TEST(findings)
{
    static const struct {
        const char *label, *below_com;
        enum finding want;
    } rows[] = {{"the servers invent answers", "192.0.2.80", FINDING_INVENTS},
                {"PTR lookups alone fail", "NXDOMAIN", FINDING_PTR_FAILS}};
    set_control("198.41.0.4");
    scripted_on(script, "*.com", RR_A, rows[_i].below_com, 0);
    scripted_on(script, CONTROL, RR_PTR, "a.root-servers.net", 0);
    for (int i = 0; i < 3; i++)
        ask_zone(i, "SERVFAIL");
    ck_assert_int_eq(value_of(FINDINGS_METRIC, rows[_i].want), 0);
    ask_zone(3, "SERVFAIL");
    ck_assert_msg(value_of(FINDINGS_METRIC, rows[_i].want) == 1, "%s", rows[_i].label);
    ck_assert_int_eq(value_of(FINDINGS_LAST_METRIC, rows[_i].want), SCRIPTED_START_S);
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

START_TEST(too_many_aliases_are_found)
{
    struct heard heard;
    char name[16], target[32];
    for (unsigned i = 0; i < limits.max_cname_hops + 2; i++) {
        (void)snprintf(name, sizeof name, "a%u.example", i);
        (void)snprintf(target, sizeof target, "CNAME a%u.example", i + 1);
        scripted_on(script, name, RR_PTR, target, 0);
    }
    ask(&heard, "a0.example", RR_PTR);
    ck_assert_int_eq(heard.problem, PROBLEM_CHAIN);
    ck_assert_int_eq(value_of(FINDINGS_METRIC, FINDING_ALIAS_LIMIT), 1);
    leave(&heard);
}
END_TEST

/* Every finding has its label and its line. */
START_TEST(every_finding_has_its_words)
{
    const struct metric_desc *desc = metric_description(metrics_find(metrics, FINDINGS_METRIC));
    ck_assert_uint_eq(desc->labels[0].count, FINDING_COUNT);
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        ck_assert_msg(desc->labels[0].values[i] != NULL && finding_text(i) != NULL, "%u", i);
    ck_assert_ptr_null(finding_text(FINDING_COUNT));
}
END_TEST

/* Limits, loops and people who hang up are no outage. */
START_TEST(no_outage)
{
    for (int i = 0; i < 50; i++)
        ask_zone(i, i % 3 == 0 ? "LIMIT" : i % 3 == 1 ? "LOOP" : "CHAIN");
    ck_assert(!resolver_health(resolver).down);
}
END_TEST

struct sought {
    const char *name;
    size_t first;
    int64_t value;
};

static void seek(void *arg, const struct metric_desc *desc, const struct metric *metric)
{
    struct sought *sought = arg;
    if (strcmp(desc->name, sought->name) == 0)
        sought->value = metric_value(metric, sought->first, 0);
}

static int64_t value_of(const char *name, size_t first)
{
    struct sought sought = {name, first, -1};
    metrics_each(metrics, seek, &sought);
    return sought.value;
}

static void look_at_labels(void *arg, const struct metric_desc *desc, const struct metric *metric)
{
    (void)metric;
    if (strcmp(desc->name, "iprevd_resolver_failures_total") != 0)
        return;
    ck_assert_uint_eq(desc->labels[0].count, PROBLEM_COUNT);
    for (unsigned i = 0; i < PROBLEM_COUNT; i++)
        ck_assert_msg(desc->labels[0].values[i] != NULL, "problem %u (%s)", i,
                      dns_problem_text((enum dns_problem)i));
    ++*(unsigned *)arg;
}

START_TEST(every_problem_has_a_label)
{
    unsigned seen = 0;
    metrics_each(metrics, look_at_labels, &seen);
    ck_assert_uint_eq(seen, 1);
}
END_TEST

START_TEST(counters)
{
    struct heard heard;
    have_stale();
    scripted_on(script, "a.example", RR_A, "SERVFAIL", 0);
    ask(&heard, "a.example", RR_A);
    leave(&heard);
    ask(&heard, "a.example", RR_A);
    scripted_on(script, "b.example", RR_A, "192.0.2.1", 0);
    ask(&heard, "b.example", RR_A);
    leave(&heard);
    ask(&heard, "b.example", RR_A);
    scripted_on(script, "c.example", RR_A, "192.0.2.1", 100);
    ask(&heard, "c.example", RR_A);
    ck_assert_int_eq(value_of("iprevd_resolver_in_flight", 0), 1);
    leave(&heard);
    ck_assert_int_eq(value_of("iprevd_resolver_in_flight", 0), 0);
    ck_assert_int_eq(value_of("iprevd_cache_lookups_total", 0), 3);
    ck_assert_int_eq(value_of("iprevd_cache_lookups_total", 1), 1);
    ck_assert_int_eq(value_of("iprevd_cache_lookups_total", 2), 2);
    ck_assert_int_eq(value_of("iprevd_cache_stale_served_total", 0), 2);
    ck_assert_int_eq(value_of("iprevd_resolver_flights_total", 0), 4);
    ck_assert_int_eq(value_of("iprevd_resolver_cancelled_total", 0), 1);
    ck_assert_int_eq(value_of("iprevd_resolver_refused_total", 0), 0);
    ck_assert_int_eq(value_of("iprevd_resolver_failures_total", PROBLEM_SERVFAIL), 1);
    ck_assert_int_eq(value_of("iprevd_resolver_outage", 0), 0);
    ck_assert_int_ge(value_of("iprevd_cache_records", 0), 1);
    ck_assert_int_ge(value_of("iprevd_cache_bytes", 0), 100);
}
END_TEST

/* --- many threads on a real loop ------------------------------------------------------------ */

#define THREADS   4
#define QUESTIONS 3000

struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned open, told;
};

struct member {
    struct crowd *crowd;
    unsigned seed;
};

static void on_told(void *arg, const struct resolver_answer *answer)
{
    struct crowd *crowd = arg;
    ck_assert_ptr_nonnull(answer->answer);
    pthread_mutex_lock(&crowd->lock);
    crowd->open--;
    crowd->told++;
    pthread_cond_broadcast(&crowd->changed);
    pthread_mutex_unlock(&crowd->lock);
}

static void ask_one(struct crowd *crowd, unsigned random)
{
    char name[32];
    struct resolver_answer now;
    struct resolver_request *request;
    (void)snprintf(name, sizeof name, "a%u.example", random % 200);
    struct question question = scripted_question(name, RR_A);
    pthread_mutex_lock(&crowd->lock);
    crowd->open++;
    pthread_mutex_unlock(&crowd->lock);
    enum result status =
        resolver_ask(resolver, &question, 0, now_ms() + FOREVER_MS, on_told, crowd, &now, &request);
    if (status == RESULT_PENDING) {
        if (random % 3 != 0) { /* wait for it to be told, more or less */
            pthread_mutex_lock(&crowd->lock);
            while (crowd->open > 20)
                pthread_cond_wait(&crowd->changed, &crowd->lock);
            pthread_mutex_unlock(&crowd->lock);
        }
        resolver_cancel(resolver, request);
        return;
    }
    ck_assert_int_eq(status, RESULT_OK);
    answer_unref(now.answer);
    pthread_mutex_lock(&crowd->lock);
    crowd->open--;
    pthread_mutex_unlock(&crowd->lock);
}

static void *member_main(void *arg)
{
    struct member *member = arg;
    unsigned state = member->seed;
    for (int i = 0; i < QUESTIONS; i++) {
        state = state * 1664525U + 1013904223U;
        ask_one(member->crowd, state >> 12);
    }
    return NULL;
}

/* Every request that was pending is told exactly once; run under the thread sanitizer too. */
START_TEST(crowd_on_a_loop)
{
    static struct crowd crowd = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    pthread_t thread[THREADS];
    struct member member[THREADS];
    char name[32];
    tear_down();
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    metrics = metrics_new();
    struct loop *loop = loop_new();
    ck_assert_ptr_nonnull(loop);
    scripted_use_loop(script, loop);
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "a%u.example", i);
        scripted_on(script, name, RR_A, i % 5 == 0 ? "SERVFAIL" : "192.0.2.1 ttl=0", i % 3);
    }
    resolver = resolver_new(scripted_source(script), cache, loop, &limits, metrics);
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        member[i] = (struct member){&crowd, i + 1};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, member_main, &member[i]), 0);
    }
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(resolver_set_source(resolver, scripted_source(script)), RESULT_OK);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    loop_stop(loop);
    resolver_free(resolver);
    resolver = NULL;
    loop_free(loop);
    ck_assert_uint_eq(crowd.open, 0);
    ck_assert_uint_gt(crowd.told, 0);
    ck_assert_uint_eq(scripted_freed(script), 21);
}
END_TEST

/* A stopped loop takes no questions, and leaves none unanswered. */
START_TEST(loop_stops_first)
{
    struct heard heard;
    struct question question = scripted_question("a.example", RR_A);
    struct resolver_answer now;
    tear_down();
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    metrics = metrics_new();
    struct loop *loop = loop_new();
    scripted_use_loop(script, loop);
    scripted_on(script, "a.example", RR_A, "192.0.2.1", SCRIPTED_NEVER);
    resolver = resolver_new(scripted_source(script), cache, loop, &limits, metrics);
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
    memset(&heard, 0, sizeof heard);
    ck_assert_int_eq(resolver_ask(resolver, &question, 0, now_ms() + FOREVER_MS, on_done, &heard,
                                  &now, &heard.request),
                     RESULT_PENDING);
    loop_stop(loop);
    struct resolver_request *late;
    ck_assert_int_eq(
        resolver_ask(resolver, &question, 0, now_ms() + FOREVER_MS, on_done, &heard, &now, &late),
        RESULT_CLOSED);
    resolver_free(resolver);
    resolver = NULL;
    loop_free(loop);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(heard.problem, PROBLEM_CANCELLED);
    leave(&heard);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("resolver");
    TCase *tcase = tcase_create("resolver");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, outcomes, 0, COUNT(answers));
    tcase_add_test(tcase, one_query_for_all);
    tcase_add_test(tcase, types_are_asked_apart);
    tcase_add_loop_test(tcase, cname_chains, 0, COUNT(chains));
    tcase_add_test(tcase, chain_ends_in_the_cache);
    tcase_add_test(tcase, stale_when_the_servers_fail);
    tcase_add_test(tcase, stale_when_the_servers_are_slow);
    tcase_add_test(tcase, stale_given_the_answer_is_still_wanted);
    tcase_add_test(tcase, stale_before_the_askers_deadline);
    tcase_add_test(tcase, fresh_answer_instead_of_stale);
    tcase_add_test(tcase, nxdomain_instead_of_stale);
    tcase_add_test(tcase, refresh_ahead);
    tcase_add_test(tcase, refresh_gives_way);
    tcase_add_test(tcase, too_many_queries);
    tcase_add_test(tcase, limits_of_a_reload);
    tcase_add_test(tcase, hanging_up);
    tcase_add_test(tcase, later_deadline_counts);
    tcase_add_test(tcase, no_query_is_for_ever);
    tcase_add_test(tcase, reload);
    tcase_add_test(tcase, reload_empties_the_cache);
    tcase_add_loop_test(tcase, reload_with_the_last_answer, 0, 4);
    tcase_add_test(tcase, server_texts);
    tcase_add_test(tcase, shutdown);
    tcase_add_test(tcase, outage);
    tcase_add_loop_test(tcase, outage_ends_in_silence, 0, 2);
    tcase_add_test(tcase, clients_leave_in_an_outage);
    tcase_add_test(tcase, clients_wait_in_an_outage);
    tcase_add_test(tcase, waiting_in_an_outage);
    tcase_add_loop_test(tcase, everything_is_denied, 0, 2);
    tcase_add_loop_test(tcase, many_networks_are_denied, 0, 7);
    tcase_add_test(tcase, unclear_probe);
    tcase_add_test(tcase, zone_file_denies);
    tcase_add_test(tcase, reverse_lookups_are_down);
    tcase_add_test(tcase, servers_come_back);
    tcase_add_test(tcase, probe_times_out);
    tcase_add_test(tcase, probe_that_is_stopped);
    tcase_add_test(tcase, probe_of_old_servers);
    tcase_add_test(tcase, no_outage);
    tcase_add_loop_test(tcase, findings, 0, 2);
    tcase_add_test(tcase, too_many_aliases_are_found);
    tcase_add_test(tcase, every_finding_has_its_words);
    tcase_add_test(tcase, every_problem_has_a_label);
    tcase_add_test(tcase, counters);
    tcase_add_test(tcase, crowd_on_a_loop);
    tcase_add_test(tcase, loop_stops_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
