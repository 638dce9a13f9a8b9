/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of a session fails, for every n: who is to be refused is then refused or
 * deferred, who is to be tagged is tagged or deferred, and nothing leaks or crashes.
 */
#include "conf_text.h"
#include "daemon/session.h"
#include "failing_alloc.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALLOCATIONS_MAX 1000 /* a session makes far fewer */

static const char zone[] = "$ORIGIN .\n$TTL 3600\n"
                           "10.2.0.192.in-addr.arpa. PTR mail.example.org.\n"
                           "mail.example.org. A 192.0.2.10\n"
                           "2.0.192.in-addr.arpa. SOA ns.example. admin.example. 1 1 1 1 300\n";

static const char config[] =
    "mode = enforce\n"
    "trusted-relays = {\"203.0.113.25\"}\n"
    "relay-action = reject\n"
    "policy \"strict\" { check helo-not-fqdn { action = reject } }\n"
    "match \"bad\" { sender = {\"bad.example\"}  policy = strict }\n"
    "match \"postmaster\" { recipient = {\"postmaster\"}  policy = none }\n";

static const struct story {
    const char *label;
    const char *client, *helo, *received; /* received NULL: no relay */
    const char *sender, *recipients[3];
    bool want_refused; /* else: want_tagged */
    bool want_tagged;
} stories[] = {
    {"refused",
     "192.0.2.66",
     "mail.example.org",
     NULL,
     "<a@example.org>",
     {"<bob@example.net>"},
     true,
     false},
    {"tagged",
     "192.0.2.10",
     "mailserver",
     NULL,
     "<a@example.org>",
     {"<bob@example.net>"},
     false,
     true},
    {"exempt",
     "192.0.2.66",
     "mail.example.org",
     NULL,
     "<a@example.org>",
     {"<postmaster@example.net>"},
     false,
     false},
    {"refused for its sender",
     "192.0.2.10",
     "mailserver",
     NULL,
     "<a@bad.example>",
     {"<bob@example.net>"},
     true,
     false},
    {"two kinds",
     "192.0.2.10",
     "mailserver",
     NULL,
     "<a@example.org>",
     {"<postmaster@example.net>", "<bob@example.net>"},
     false,
     true},
    {"refused behind a relay",
     "203.0.113.25",
     "mx2.example.net",
     "from mail.example.org (unknown [192.0.2.66]) by mx2.example.net",
     "<a@example.org>",
     {"<bob@example.net>", "<carol@example.net>"},
     true,
     false},
    {"tagged behind a relay",
     "203.0.113.25",
     "mx2.example.net",
     "from mailserver (mail.example.org [192.0.2.10]) by mx2.example.net",
     "<a@example.org>",
     {"<bob@example.net>", "<postmaster@example.net>"},
     false,
     true},
    {"two kinds behind a relay",
     "203.0.113.25",
     "mx2.example.net",
     "from mail.example.org (unknown [192.0.2.66]) by mx2.example.net",
     "<a@example.org>",
     {"<bob@example.net>", "<postmaster@example.net>"},
     false,
     true},
    {"refused for its sender behind a relay",
     "203.0.113.25",
     "mx2.example.net",
     "from mailserver (mail.example.org [192.0.2.10]) by mx2.example.net",
     "<a@bad.example>",
     {"<bob@example.net>"},
     true,
     false},
};

/* --- the session's surroundings -----------------------------------------------------------------
 */

struct played {
    struct world *world;
    bool refused, deferred, passed; /* some command was answered so */
    bool tagged;
    unsigned results;
};

static const char *get_macro(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "i") == 0 ? "4Zk2h8" : NULL;
}

static void removed(void *arg, const char *name, unsigned index)
{
    (void)arg;
    (void)name;
    (void)index;
}

static void inserted(void *arg, const char *name, const char *value)
{
    struct played *outcome = arg;
    (void)value;
    outcome->tagged = outcome->tagged || strcmp(name, "X-Iprevd") == 0;
    outcome->results += strcmp(name, "Authentication-Results") == 0;
}

static void quarantined(void *arg, const char *reason)
{
    (void)arg;
    (void)reason;
}

/* --- the story ----------------------------------------------------------------------------------
 */

/* True: the client may go on. */
static bool take(struct session *session, struct played *outcome, enum session_answer answer)
{
    world_advance(outcome->world, 0);
    if (answer == SESSION_PENDING)
        answer = session_resume(session); /* nothing here is late but for want of memory */
    outcome->refused = outcome->refused || answer == SESSION_REJECT;
    outcome->deferred = outcome->deferred || answer == SESSION_TEMPFAIL;
    outcome->passed = outcome->passed || answer == SESSION_ACCEPT;
    return answer == SESSION_CONTINUE;
}

/* Check allocates too: nothing is asserted here. */
static void play(const struct story *story, const struct ipaddr *client, struct session *session,
                 struct played *outcome)
{
    const struct session_macros macros = {get_macro, NULL};
    const struct session_edits edits = {removed, inserted, quarantined, outcome};
    bool wanted = false;
    if (!take(session, outcome, session_connect(session, client, &macros)) ||
        !take(session, outcome, session_helo(session, story->helo)) ||
        !take(session, outcome, session_mail(session, story->sender, &macros)))
        return;
    for (size_t i = 0; i < 3 && story->recipients[i] != NULL; i++)
        wanted |= take(session, outcome, session_rcpt(session, story->recipients[i], &macros));
    if (!wanted)
        return;
    if (story->received != NULL)
        session_header(session, "Received", story->received);
    (void)take(session, outcome, session_end_of_message(session, &edits, &macros));
    session_reset(session);
}

/* With the allocation after `limit` others failing; false: none did. */
static bool run(const struct story *story, long limit)
{
    char error[512];
    struct world *world = world_new(zone, error, sizeof error);
    struct played outcome = {.world = world};
    ck_assert_msg(world != NULL, "%s", error);
    struct conf *conf = conf_text_load(config, clock_wall_s(world_clock(world)));
    struct cache *cache = cache_new(&conf->cache, 1);
    struct resolver *resolver =
        resolver_new(world_source(world), cache, world_loop(world), &conf->resolver, NULL);
    ck_assert(cache != NULL && resolver != NULL);
    const struct session_services services = {.resolver = resolver, .clock = world_clock(world)};
    struct ipaddr client;
    ck_assert_int_eq(ipaddr_parse(story->client, &client), RESULT_OK);
    alloc_fail_at(limit + 1, false);
    struct session *session = session_new(&services, conf);
    if (session != NULL)
        play(story, &client, session, &outcome);
    session_free(session);
    bool failed = alloc_failed();
    alloc_fail_at(0, false);
    bool sound = session == NULL || outcome.deferred ||
                 (story->want_refused ? outcome.refused
                                      : !outcome.refused && outcome.results == 1 &&
                                            outcome.tagged == story->want_tagged);
    ck_assert_msg(sound && !outcome.passed && (failed || !outcome.deferred),
                  "%s, allocation %ld: refused %d, deferred %d, tagged %d, results %u",
                  story->label, limit, outcome.refused, outcome.deferred, outcome.tagged,
                  outcome.results);
    loop_stop(world_loop(world));
    resolver_free(resolver);
    cache_free(cache);
    conf_unref(conf);
    world_free(world);
    return failed;
}

START_TEST(test_nth_allocation_fails)
{
    long limit = 0;
    while (run(&stories[_i], limit))
        ck_assert_int_lt(++limit, ALLOCATIONS_MAX);
    ck_assert_int_gt(limit, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_nomem");
    TCase *tcase = tcase_create("session_nomem");
    tcase_add_loop_test(tcase, test_nth_allocation_fails, 0,
                        (int)(sizeof stories / sizeof stories[0]));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
