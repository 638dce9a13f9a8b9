/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No sequence of days makes the memory of clients worse than none: DNS that answers, denies, fails
 * and is silent, restarts, files that are lost or of another day, a memory that is full, memory
 * that runs out, and a clock that is set.  Every decision is made once more as if nothing were
 * remembered: with the memory it may only be milder, and only a refusal changes.
 */
#include "conf_text.h"
#include "daemon/session.h"
#include "failing_alloc.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS   4000
#define CLIENTS 4

static const char zone[] =
    "$ORIGIN .\n$TTL 3600\n"
    "10.2.0.192.in-addr.arpa. PTR m0.example.org.\nm0.example.org. A 192.0.2.10\n"
    "11.2.0.192.in-addr.arpa. PTR m1.example.org.\nm1.example.org. A 192.0.2.11\n"
    "12.2.0.192.in-addr.arpa. PTR m2.example.org.\nm2.example.org. A 192.0.2.12\n"
    "13.2.0.192.in-addr.arpa. PTR m3.example.org.\nm3.example.org. A 192.0.2.13\n"
    "example.org. SOA ns.example. admin.example. 1 1 1 1 300\n"
    "2.0.192.in-addr.arpa. SOA ns.example. admin.example. 1 1 1 1 300\n";

/* Policies of all kinds. */
static const char *const configs[] = {
    "mode = enforce\n",
    "mode = enforce\npolicy \"default\" { grace-action = accept tag-score = 0 }\n",
    "mode = enforce\npolicy \"default\" { reject-score = 5 check ptr-missing { action = tag } }\n",
    "mode = enforce\npolicy \"default\" { check ptr-missing { action = tag } }\n",
    ("mode = enforce\npolicy \"default\" { grace = 1h check ptr-mismatch { action = tempfail } "
     "check dns-temperror { action = accept } }\n"),
};

struct site {
    struct world *world;
    struct conf *conf;
    struct cache *cache;
    struct resolver *resolver;
    struct client_memory *memory;
    struct session_services services;
    unsigned chance;
    unsigned decisions, spared, wrong; /* counted where nothing may be asserted */
    bool rejected;                     /* a decision said so */
};

static unsigned below(struct site *site, unsigned limit)
{
    site->chance = site->chance * 1664525 + 1013904223;
    return (site->chance >> 8) % limit;
}

/* Called while memory may be out: Check allocates. */
static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    struct site *site = arg;
    struct decision bare;
    struct transaction forgetful = *transaction;
    enum action with = decision->verdict.done.action;
    forgetful.history = NULL;
    decision_make(decision->conf, decision->evidence.facts, &forgetful, &bare);
    enum action without = bare.verdict.done.action;
    site->decisions++;
    site->spared += with != without;
    site->wrong += with > without || (with != without && without != ACTION_REJECT);
    site->rejected = site->rejected || with == ACTION_REJECT;
}

static struct client_memory *new_memory(void)
{
    static const uint8_t key[SIPHASH_KEY_LENGTH] = {7};
    const struct client_memory_limits limits = {CLIENT_MEMORY_SIZE_MIN, 35 * 86400};
    struct client_memory *memory = client_memory_new(&limits, key);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* --- what happens ----------------------------------------------------------------------------- */

static void change_dns(struct site *site)
{
    char name[64];
    unsigned i = below(site, CLIENTS);
    (void)snprintf(name, sizeof name,
                   below(site, 2) == 0 ? "%u.2.0.192.in-addr.arpa" : "m%u.example.org",
                   below(site, 2) == 0 ? 10 + i : i);
    switch (below(site, 6)) {
    case 0:
    case 1:
        (void)world_deny(site->world, name);
        break;
    case 2:
        (void)world_fail(site->world, name, "SERVFAIL");
        break;
    case 3:
        (void)world_silent(site->world, name);
        break;
    default:
        (void)world_mend(site->world, name);
        break;
    }
}

/* Saved and read again, or lost, or an older one: whatever a disk makes of it. */
static void restart(struct site *site, const char *path)
{
    const char *why = "";
    int64_t wall_s = clock_wall_s(world_clock(site->world));
    if (below(site, 3) > 0)
        ck_assert_int_eq(client_memory_save(site->memory, path, wall_s), RESULT_OK);
    if (below(site, 10) == 0)
        ck_assert_int_eq(truncate(path, below(site, 400)), 0);
    client_memory_free(site->memory);
    site->services.memory = site->memory = new_memory();
    if (below(site, 10) == 0)
        return;
    enum result status = client_memory_load(site->memory, path, wall_s, &why);
    ck_assert(status == RESULT_OK || status == RESULT_INVALID);
}

static void fill(struct site *site)
{
    for (unsigned i = 0; i < 5000; i++) {
        const uint8_t bytes[4] = {10, (uint8_t)below(site, 256), (uint8_t)(i >> 8), (uint8_t)i};
        struct ipaddr other;
        if (ipaddr_from_bytes(bytes, 4, &other) == RESULT_OK)
            (void)client_memory_note(site->memory, &other, HISTORY_PASS,
                                     clock_wall_s(world_clock(site->world)), NULL);
    }
}

static enum session_answer answer_of(struct site *site, struct session *session,
                                     enum session_answer answer)
{
    for (int i = 0; answer == SESSION_PENDING && i < 1000; i++) {
        world_advance(site->world, 20);
        answer = session_resume(session);
    }
    return answer;
}

static const char *no_macro(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

static void visit(struct site *site)
{
    const struct session_macros macros = {no_macro, NULL};
    char helo[64];
    unsigned i = below(site, CLIENTS);
    const uint8_t bytes[4] = {192, 0, 2, (uint8_t)(10 + i)};
    struct ipaddr client;
    enum session_answer answer = SESSION_TEMPFAIL;
    ck_assert_int_eq(ipaddr_from_bytes(bytes, 4, &client), RESULT_OK);
    (void)snprintf(helo, sizeof helo, "m%u.example.org", i);
    site->rejected = false;
    if (below(site, 4) == 0)
        alloc_fail_at((long)below(site, 60) + 1, below(site, 2) == 0);
    struct session *session = session_new(&site->services, site->conf);
    if (session != NULL) {
        (void)answer_of(site, session, session_connect(session, &client, &macros));
        (void)answer_of(site, session, session_helo(session, helo));
        (void)answer_of(site, session, session_mail(session, "<a@example.org>", &macros));
        answer = answer_of(site, session, session_rcpt(session, "<b@example.net>", &macros));
        session_free(session);
    }
    alloc_fail_at(0, false);
    /* Nothing but a decision refuses. */
    ck_assert(answer != SESSION_REJECT || site->rejected);
    ck_assert_uint_eq(site->wrong, 0);
}

static void step(struct site *site, const char *path)
{
    switch (below(site, 12)) {
    case 0:
    case 1:
        change_dns(site);
        break;
    case 2:
        restart(site, path);
        break;
    case 3:
        if (below(site, 20) == 0)
            fill(site);
        break;
    case 4:
        if (below(site, 10) == 0)
            world_step_clock(site->world, (int64_t)below(site, 2000000) - 1000000);
        break;
    case 5:
    case 6:
    case 7:
        world_advance(site->world, (int64_t)below(site, 30) * 3600000);
        break;
    default:
        visit(site);
        break;
    }
}

START_TEST(test_only_milder)
{
    char error[512], path[] = "/tmp/iprevd-clients-XXXXXX";
    int fd = mkstemp(path);
    struct site site = {.chance = (unsigned)_i + 1};
    ck_assert(fd >= 0 && close(fd) == 0);
    site.world = world_new(zone, error, sizeof error);
    ck_assert_msg(site.world != NULL, "%s", error);
    site.conf = conf_text_load(configs[_i], clock_wall_s(world_clock(site.world)));
    site.cache = cache_new(&site.conf->cache, 1);
    site.resolver = resolver_new(world_source(site.world), site.cache, world_loop(site.world),
                                 &site.conf->resolver, NULL);
    ck_assert(site.cache != NULL && site.resolver != NULL);
    site.memory = new_memory();
    site.services = (struct session_services){.resolver = site.resolver,
                                              .clock = world_clock(site.world),
                                              .memory = site.memory,
                                              .decided = decided,
                                              .arg = &site};
    for (unsigned i = 0; i < STEPS; i++)
        step(&site, path);
    /* It is no story without a grace. */
    ck_assert_uint_gt(site.decisions, STEPS / 10);
    ck_assert_uint_gt(site.spared, 0);
    client_memory_free(site.memory);
    loop_stop(world_loop(site.world));
    resolver_free(site.resolver);
    cache_free(site.cache);
    conf_unref(site.conf);
    world_free(site.world);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_memory");
    TCase *tcase = tcase_create("session_memory");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_only_milder, 0, sizeof configs / sizeof configs[0]);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
