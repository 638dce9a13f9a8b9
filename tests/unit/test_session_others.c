/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other hosts remember of a client, as a session takes it: waited for where it may turn a
 * refusal, for as long as it may take, and nowhere else.
 */
#include "conf_text.h"
#include "daemon/session.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 100

static const char zone[] = "$ORIGIN .\n$TTL 3600\n"
                           "10.2.0.192.in-addr.arpa. PTR good.example.org.\n"
                           "good.example.org. A 192.0.2.10\n"
                           "example.org. SOA ns.example. admin.example. 1 1 1 1 300\n"
                           "2.0.192.in-addr.arpa. SOA ns.example. admin.example. 1 1 1 1 300\n";

#define GOOD    "192.0.2.10"
#define MISSING "192.0.2.11"

/* What other hosts do when they are asked. */
enum others { NOT_SHARED, AWAY, SILENT, ANSWER_AT_ONCE, ANSWER_LATE };

static struct {
    struct world *world;
    struct conf *conf;
    struct cache *cache;
    struct resolver *resolver;
    struct session_services services;
    enum others others;
    struct history theirs; /* of any client, where they answer */
    struct greylisted grey;
    struct lookup *asked; /* has no answer yet */
    unsigned told;
    struct decision last;
} site;

static void answer(void)
{
    struct greylisted both;
    struct ipaddr client;
    int64_t wall_s = clock_wall_s(world_clock(site.world));
    ck_assert_int_eq(ipaddr_parse(MISSING, &client), RESULT_OK);
    (void)client_memory_merge(site.services.memory, &client, &site.theirs, wall_s);
    if (site.grey.when_s != 0)
        (void)greylist_table_merge(site.services.greylist, &client, &site.grey, wall_s, &both);
    lookup_elsewhere_came(site.asked, true);
    site.asked = NULL;
}

static bool ask_others(void *arg, struct lookup *lookup, const struct ipaddr *client)
{
    (void)arg;
    (void)client;
    if (site.others == NOT_SHARED)
        return false;
    lookup_await_elsewhere(lookup, site.others == AWAY ? 0 : PATIENCE_MS);
    site.asked = lookup;
    if (site.others == ANSWER_AT_ONCE)
        answer();
    return true;
}

static void tell_others(void *arg, const struct ipaddr *client)
{
    (void)arg;
    ck_assert_int_ne(client->family, IP_NONE);
    site.told++;
}

static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    (void)arg;
    (void)transaction;
    site.last = *decision;
}

static void begin(const char *config, enum others others)
{
    static const uint8_t key[SIPHASH_KEY_LENGTH] = {7};
    const struct client_memory_limits limits = {CLIENT_MEMORY_SIZE_MIN, 35 * 86400};
    char error[512];
    memset(&site, 0, sizeof site);
    site.others = others;
    site.world = world_new(zone, error, sizeof error);
    ck_assert_msg(site.world != NULL, "%s", error);
    site.conf = conf_text_load(config, clock_wall_s(world_clock(site.world)));
    site.cache = cache_new(&site.conf->cache, 1);
    site.resolver = resolver_new(world_source(site.world), site.cache, world_loop(site.world),
                                 &site.conf->resolver, NULL);
    site.services = (struct session_services){.resolver = site.resolver,
                                              .clock = world_clock(site.world),
                                              .memory = client_memory_new(&limits, key),
                                              .greylist = greylist_table_new(0, limits.keep_s, key),
                                              .ask_others = ask_others,
                                              .tell_others = tell_others,
                                              .decided = decided};
    unsigned today = history_day(clock_wall_s(world_clock(site.world)));
    site.theirs =
        (struct history){.last_day = (uint16_t)(today - 1), .previous_day = (uint16_t)(today - 2)};
}

static void end(void)
{
    if (site.asked != NULL)
        lookup_elsewhere_came(site.asked, false); /* long after its session */
    client_memory_free(site.services.memory);
    greylist_table_free(site.services.greylist);
    loop_stop(world_loop(site.world));
    resolver_free(site.resolver);
    cache_free(site.cache);
    conf_unref(site.conf);
    world_free(site.world);
}

static const char *no_macro(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

/* The answer to RCPT TO, and how many milliseconds it took behind that of the DNS. */
static enum session_answer visit(const char *address, const char *helo, unsigned *waited_ms)
{
    const struct session_macros macros = {no_macro, NULL};
    struct ipaddr client;
    ck_assert_int_eq(ipaddr_parse(address, &client), RESULT_OK);
    struct session *session = session_new(&site.services, site.conf);
    ck_assert_int_eq(session_connect(session, &client, &macros), SESSION_CONTINUE);
    ck_assert_int_eq(session_helo(session, helo), SESSION_CONTINUE);
    world_advance(site.world, 0);
    (void)session_mail(session, "<a@example.org>", &macros);
    enum session_answer result = session_rcpt(session, "<b@example.net>", &macros);
    *waited_ms = 0;
    while (result == SESSION_PENDING) {
        ck_assert_uint_lt(*waited_ms, 1000);
        world_advance(site.world, 10);
        *waited_ms += 10;
        if (site.others == ANSWER_LATE && *waited_ms == 50 && site.asked != NULL)
            answer();
        result = session_resume(session);
    }
    session_free(session);
    return result;
}

#define LITERAL "[192.0.2.11]"

static const struct {
    const char *label;
    enum others others;
    const char *client, *helo, *config;
    enum session_answer want;
    unsigned waited_ms;
    enum grace_state grace;
    bool told;
} visits[] = {
    {"not shared", NOT_SHARED, MISSING, LITERAL, "", SESSION_REJECT, 0, GRACE_NONE, false},
    {"away", AWAY, MISSING, LITERAL, "", SESSION_TEMPFAIL, 0, GRACE_UNKNOWN, false},
    {"silent", SILENT, MISSING, LITERAL, "", SESSION_TEMPFAIL, PATIENCE_MS, GRACE_UNKNOWN, false},
    {"known", ANSWER_AT_ONCE, MISSING, LITERAL, "", SESSION_TEMPFAIL, 0, GRACE_GIVEN, true},
    {"known late", ANSWER_LATE, MISSING, LITERAL, "", SESSION_TEMPFAIL, 50, GRACE_GIVEN, true},
    {"who passes does not wait, and is told", SILENT, GOOD, "good.example.org", "",
     SESSION_CONTINUE, 0, GRACE_NONE, true},
    {"nor who is refused for something else", SILENT, MISSING, "192.0.2.11",
     "check helo-bare-ip { action = reject }", SESSION_REJECT, 0, GRACE_NONE, false},
    {"nor where there is no grace", SILENT, MISSING, LITERAL, "grace = 0", SESSION_REJECT, 0,
     GRACE_NONE, false},
    {"nobody is let in by silence", SILENT, MISSING, LITERAL, "grace-action = accept",
     SESSION_TEMPFAIL, PATIENCE_MS, GRACE_UNKNOWN, false},
    {"but by what is known", ANSWER_LATE, MISSING, LITERAL, "grace-action = accept",
     SESSION_CONTINUE, 50, GRACE_GIVEN, true},
    {"a tag waits for nothing", SILENT, MISSING, LITERAL, "check ptr-missing { action = tag }",
     SESSION_CONTINUE, 0, GRACE_NONE, false},
};

START_TEST(test_visits)
{
    char config[400];
    unsigned waited_ms;
    (void)snprintf(config, sizeof config, "mode = enforce\npolicy \"default\" { %s }\n",
                   visits[_i].config);
    begin(config, visits[_i].others);
    enum session_answer got = visit(visits[_i].client, visits[_i].helo, &waited_ms);
    ck_assert_msg(got == visits[_i].want, "%s: %d", visits[_i].label, got);
    ck_assert_msg(waited_ms == visits[_i].waited_ms, "%s: %u ms", visits[_i].label, waited_ms);
    ck_assert_msg(site.last.verdict.done.grace.state == visits[_i].grace, "%s: grace %s",
                  visits[_i].label, grace_state_text(site.last.verdict.done.grace.state));
    ck_assert_msg((site.told > 0) == visits[_i].told, "%s: told", visits[_i].label);
    end();
}
END_TEST

static const struct {
    const char *label;
    enum others others;
    unsigned first_s_ago; /* it came first elsewhere; 0: it did not */
    bool passed;
    enum session_answer want;
    unsigned waited_ms;
    enum greylist_answer greylist;
    bool told;
} networks[] = {
    {"not shared", NOT_SHARED, 0, false, SESSION_TEMPFAIL, 0, GREYLIST_FIRST, false},
    {"away", AWAY, 0, false, SESSION_CONTINUE, 0, GREYLIST_UNKNOWN, true},
    {"silent", SILENT, 0, false, SESSION_CONTINUE, PATIENCE_MS, GREYLIST_UNKNOWN, true},
    {"unknown", ANSWER_AT_ONCE, 0, false, SESSION_TEMPFAIL, 0, GREYLIST_FIRST, true},
    {"too early", ANSWER_LATE, 10, false, SESSION_TEMPFAIL, 50, GREYLIST_EARLY, false},
    {"in time", ANSWER_LATE, 400, false, SESSION_CONTINUE, 50, GREYLIST_PASSED, true},
    {"has passed", ANSWER_AT_ONCE, 10, true, SESSION_CONTINUE, 0, GREYLIST_PASSED, true},
};

START_TEST(test_networks)
{
    unsigned waited_ms;
    begin("mode = enforce\npolicy \"default\" { greylist-delay = 5m  check ptr-missing { action = "
          "greylist } }\n",
          networks[_i].others);
    if (networks[_i].first_s_ago > 0) {
        int64_t when_s = clock_wall_s(world_clock(site.world)) - networks[_i].first_s_ago;
        site.grey = (struct greylisted){.passed = networks[_i].passed, .when_s = (uint32_t)when_s};
    }
    site.theirs = (struct history){0};
    enum session_answer got = visit(MISSING, LITERAL, &waited_ms);
    ck_assert_msg(got == networks[_i].want, "%s: %d", networks[_i].label, got);
    ck_assert_msg(waited_ms == networks[_i].waited_ms, "%s: %u ms", networks[_i].label, waited_ms);
    ck_assert_msg((site.told > 0) == networks[_i].told, "%s: told", networks[_i].label);
    if (got == SESSION_TEMPFAIL || site.last.policy != NULL)
        ck_assert_msg(site.last.greylist == networks[_i].greylist, "%s: %s", networks[_i].label,
                      greylist_answer_text(site.last.greylist));
    end();
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("session_others");
    TCase *tcase = tcase_create("session_others");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_visits, 0, COUNT(visits));
    tcase_add_loop_test(tcase, test_networks, 0, COUNT(networks));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
