/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decisions while answers are awaited, for random facts and configurations: one that is final is
 * the one that comes of all answers, whatever they are; one that is not may still change.  And the
 * names that are not worth looking up change nothing, in whatever order the others are looked up.
 */
#include "factstext.h"
#include "site/decision.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          INT64_C(1798761600) /* 2027-01-01T00:00:00Z */

/* Random facts a test, and how often what is awaited is answered anew. */
#define ROUNDS  4000
#define ANSWERS 40

static uint64_t state;

static unsigned roll(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static bool chance(unsigned percent)
{
    return roll(100) < percent;
}

/* --- configurations ---------------------------------------------------------------------------
 */

static const char *const blocks[] = {
    "",
    "match partner { ptr = {\".partner.example\"} policy = none }",
    "match partner { ptr = {\".partner.example\"} policy = lenient }",
    "match unproved { unconfirmed-ptr = {\".partner.example\", \"mail.example.org\"} policy = "
    "lenient }",
    "match both { client = {\"192.0.2.0/24\"} ptr = {\"*.example.org\"} policy = lenient }\n"
    "match said { helo = {\"mail.example.org\"} policy = none }",
    "match here { client = {\"192.0.2.0/24\"} policy = lenient }\n"
    "match ptr { ptr = {\".partner.example\"} policy = none }",
    "generic-names = {\"*.pool.example.net\"}",
    "match from { sender = {\"shop.example\"} policy = none }",
};

static void hear(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static struct conf *load(const char *text)
{
    const struct conf_report report = {hear, NULL, NULL, NULL};
    char path[] = "test_awaited.tmp.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(dprintf(fd, "mode = enforce\npolicy lenient { }\n%s\n", text), 0);
    close(fd);
    struct conf *conf = conf_load(path, NOW, &report);
    unlink(path);
    ck_assert_msg(conf != NULL, "%s", text);
    return conf;
}

/* Few actions, so that different checks often do the same. */
static void shuffle_policy(struct policy *policy)
{
    static const double scores[] = {0.0, 0.0, 1.0, 2.0, 5.0};
    unsigned kinds = 1 + roll(3);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        struct check_rule *rule = &policy->rules[i];
        static const enum action actions[] = {ACTION_REJECT, ACTION_ACCEPT, ACTION_TAG,
                                              ACTION_TEMPFAIL, ACTION_QUARANTINE};
        rule->action =
            actions[(roll(kinds) + (chance(20) ? roll(COUNT(actions)) : 0)) % COUNT(actions)];
        rule->score = chance(50) ? 0.0 : scores[roll(COUNT(scores))];
        rule->monitor = chance(10);
        rule->percent = chance(90) ? 100 : roll(101);
    }
    policy->tag_score = chance(50) ? 0.0 : 1.0 + roll(5);
    policy->reject_score = chance(60) ? 0.0 : 1.0 + roll(10);
    policy->required_agreement = (enum agreement)roll(AGREEMENT_NONE + 1);
}

static void shuffle_conf(struct conf *conf)
{
    for (size_t i = 0; i < conf->policy_count; i++)
        if (chance(70))
            shuffle_policy(&conf->policies[i]);
        else
            policy_defaults(&conf->policies[i], conf->policies[i].name);
    conf->outage_action = (enum action)roll(ACTION_REJECT);
}

/* --- facts ------------------------------------------------------------------------------------
 */

static const char *const names[] = {
    "mail.example.org",   "mx.example.org",           "gw.partner.example",
    "mail.shop.example",  "192-0-2-10.isp.example",   "a.pool.example.net",
    "mail.other.example", "host-192-0-2-10.dyn.test", "mail.partner.example",
};
static const char *const claims[] = {"mail.example.org",  "smtp.example.org", "mail.other.example",
                                     "[192.0.2.10]",      "mailserver",       "192.0.2.10",
                                     "gw.partner.example"};
static const char *const senders[] = {"", "example.org", "shop.example", "other.example"};

#define NAMES_MAX COUNT(names)

/* Facts with the memory that they borrow. */
struct random_facts {
    struct facts facts;
    struct name_facts names[NAMES_MAX];
};

static const struct ipaddr client = {.family = IP_V4, .bytes = {192, 0, 2, 10}};
static const struct ipaddr addresses[] = {
    {.family = IP_V4, .bytes = {192, 0, 2, 10}},
    {.family = IP_V4, .bytes = {192, 0, 2, 99}},
    {.family = IP_V4, .bytes = {203, 0, 113, 9}},
};

static struct dns_evidence random_evidence(void)
{
    static const enum dns_outcome outcomes[] = {DNS_FOUND,    DNS_FOUND,     DNS_NODATA,
                                                DNS_NXDOMAIN, DNS_TEMPERROR, DNS_FOUND};
    return (struct dns_evidence){.outcome = outcomes[roll(COUNT(outcomes))],
                                 .origin = chance(15) ? DNS_FROM_STALE : DNS_FROM_NETWORK};
}

static void reply_name(struct name_facts *name)
{
    name->forward = random_evidence();
    name->address_count = name->forward.outcome == DNS_FOUND ? 1 : 0;
    name->addresses = &addresses[roll(COUNT(addresses))];
    name_facts_confirm(name, &client);
}

static void reply_others(struct facts *facts, bool other, bool mx)
{
    const struct dns_evidence none = {.outcome = DNS_NOT_ASKED};
    enum dns_outcome outcome = facts->helo_name.forward.outcome;
    if (outcome == DNS_NXDOMAIN) {
        facts->helo_other = facts->helo_mx = facts->helo_name.forward;
    } else if (outcome == DNS_NODATA) {
        if (other)
            facts->helo_other = random_evidence();
        if (mx)
            facts->helo_mx = random_evidence();
    } else {
        facts->helo_other = facts->helo_mx = none;
    }
}

/* Some of the names, in their order. */
static void reply_ptr(struct random_facts *random)
{
    struct facts *facts = &random->facts;
    facts->ptr = random_evidence();
    facts->names = random->names;
    facts->name_count = facts->names_over = 0;
    if (facts->ptr.outcome != DNS_FOUND)
        return;
    unsigned percent = roll(60);
    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (!chance(percent))
            continue;
        struct name_facts *name = &random->names[facts->name_count++];
        *name = (struct name_facts){.name = names[i]};
        if (chance(5))
            *name = (struct name_facts){.name = "localhost", .flaw = HOSTNAME_ONE_LABEL};
        else
            reply_name(name);
    }
    facts->names_over = chance(10);
}

static void make_facts(struct random_facts *random)
{
    struct facts *facts = &random->facts;
    memset(random, 0, sizeof *random);
    facts->client = client;
    helo_parse(chance(90) ? claims[roll(COUNT(claims))] : NULL, &facts->helo);
    strcpy(facts->sender_domain, senders[roll(COUNT(senders))]);
    facts->helo_is_ours = chance(10);
    facts->resolver_down = chance(10);
    facts->mta_resolve = (enum mta_resolve)roll(MTA_TEMP + 1);
    reply_ptr(random);
    if (facts->helo.name[0] == '\0')
        return;
    facts->helo_name.name = facts->helo.name;
    reply_name(&facts->helo_name);
    reply_others(facts, true, true);
}

static void await(struct dns_evidence *evidence, enum dns_outcome outcome, struct facts *facts)
{
    *evidence = (struct dns_evidence){.outcome = outcome, .awaited = true};
    facts->awaited = true;
}

static void await_name(struct name_facts *name, enum dns_outcome outcome, struct facts *facts)
{
    await(&name->forward, outcome, facts);
    name->address_count = 0;
    name->confirmed = false;
}

/* Some of it has not come yet. */
static void take_back(struct random_facts *random)
{
    struct facts *facts = &random->facts;
    unsigned percent = roll(80);
    if (chance(20)) {
        await(&facts->ptr, DNS_TEMPERROR, facts);
        facts->name_count = facts->names_over = 0;
    }
    for (size_t i = 0; i < facts->name_count; i++)
        if (random->names[i].flaw == HOSTNAME_OK && chance(percent))
            await_name(&random->names[i], chance(70) ? DNS_TEMPERROR : DNS_NOT_ASKED, facts);
    if (facts->helo_name.name == NULL)
        return;
    if (chance(30)) {
        await_name(&facts->helo_name, DNS_TEMPERROR, facts);
        facts->helo_other = facts->helo_mx = (struct dns_evidence){.outcome = DNS_NOT_ASKED};
    } else if (facts->helo_name.forward.outcome == DNS_NODATA) {
        if (chance(50))
            await(&facts->helo_other, DNS_TEMPERROR, facts);
        if (chance(50))
            await(&facts->helo_mx, DNS_TEMPERROR, facts);
    }
}

/* What is awaited comes. */
static void reply_all(const struct random_facts *before, struct random_facts *after)
{
    struct facts *facts = &after->facts;
    *after = *before;
    facts->awaited = false;
    facts->names = after->names;
    if (before->facts.ptr.awaited)
        reply_ptr(after);
    for (size_t i = 0; i < before->facts.name_count; i++)
        if (after->names[i].forward.awaited)
            reply_name(&after->names[i]);
    bool other = facts->helo_other.awaited, mx = facts->helo_mx.awaited;
    if (facts->helo_name.name == NULL)
        return;
    facts->helo_name.name = facts->helo.name;
    if (facts->helo_name.forward.awaited) {
        reply_name(&facts->helo_name);
        other = mx = true;
    }
    if (other || mx)
        reply_others(facts, other, mx);
}

/* --- comparing --------------------------------------------------------------------------------
 */

static const struct transaction transactions[] = {
    {.dialogue = DIALOGUE_MAIL, .sender = "a@example.org", .stage = "rcpt", .wall_s = NOW},
    {.dialogue = DIALOGUE_HELO, .stage = "helo", .wall_s = NOW},
    {.dialogue = DIALOGUE_CONNECT, .stage = "connect", .wall_s = NOW},
};

static bool same_outcome(const struct decision *a, const struct decision *b)
{
    if (a->match != b->match || a->verdict.done.action != b->verdict.done.action ||
        a->verdict.would.action != b->verdict.would.action)
        return false;
    if (a->policy == NULL || a->verdict.done.action >= ACTION_TEMPFAIL)
        return true;
    return a->evidence.agreement == b->evidence.agreement &&
           fabs(a->verdict.would.score - b->verdict.would.score) < 1e-6;
}

static void show(const char *label, const struct decision *decision, char *out, size_t size)
{
    char line[DECISION_LINE_MAX];
    decision_log_line(decision, &transactions[0], line);
    (void)snprintf(out, size, "%s %s", label, line);
}

/* What was decided early and is not what came of it. */
static void complain(const struct decision *early, const struct decision *late, int round)
{
    char first[DECISION_LINE_MAX + 64], second[DECISION_LINE_MAX + 64];
    show("early", early, first, sizeof first);
    show("late", late, second, sizeof second);
    ck_abort_msg("round %d\n%s\n%s", round, first, second);
}

/* A decided check stays as it is. */
static bool keeps_checks(const struct decision *early, const struct decision *late)
{
    check_set decided = ~early->undecided;
    return early->policy == NULL || early->match != late->match ||
           ((early->evidence.true_checks ^ late->evidence.true_checks) & decided) == 0;
}

START_TEST(test_final)
{
    struct conf *conf = load(blocks[_i]);
    unsigned finals = 0, waits = 0, in_vain = 0;
    state = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        const struct transaction *transaction = &transactions[chance(80) ? 0 : 1 + roll(2)];
        struct random_facts before, after;
        struct decision early, late, begun;
        if (round % 10 == 0)
            shuffle_conf(conf);
        make_facts(&before);
        take_back(&before);
        before.facts.names = before.names;
        decision_make(conf, &before.facts, transaction, &early);
        decision_begin(conf, &before.facts, transaction, &begun);
        ck_assert_int_eq(decision_is_final(&begun, transaction), early.final);
        ck_assert(before.facts.awaited || (early.final && early.undecided == 0));
        bool differs = false;
        for (int i = 0; i < ANSWERS; i++) {
            reply_all(&before, &after);
            decision_make(conf, &after.facts, transaction, &late);
            differs = differs || !same_outcome(&early, &late);
            if (early.final && (differs || !keeps_checks(&early, &late)))
                complain(&early, &late, round);
        }
        if (!before.facts.awaited)
            continue;
        finals += early.final;
        waits += !early.final;
        in_vain += !early.final && !differs;
    }
    /* Answers are few and random, so some that could matter do not come. */
    ck_assert_uint_gt(finals, 100);
    ck_assert_uint_gt(waits, 100);
    ck_assert_msg(in_vain * 8 < waits, "of %u waits %u were for nothing", waits, in_vain);
    conf_unref(conf);
}
END_TEST

/* Names are looked up one by one, in a random order, as long as one of them is worth it. */
static void look_up(const struct conf *conf, const struct transaction *transaction,
                    const struct random_facts *all, struct random_facts *some)
{
    struct decision decision;
    for (;;) {
        size_t wanted[NAMES_MAX], count = 0;
        decision_begin(conf, &some->facts, transaction, &decision);
        for (size_t i = 0; i < some->facts.name_count; i++)
            if (some->names[i].forward.awaited &&
                decision_asks_for_name(&decision, transaction, some->names[i].name))
                wanted[count++] = i;
        if (count == 0)
            return;
        size_t i = wanted[roll((unsigned)count)];
        some->names[i] = all->names[i];
    }
}

START_TEST(test_order)
{
    struct conf *conf = load(blocks[_i]);
    const struct transaction *transaction = &transactions[0];
    unsigned spared = 0;
    state = (uint64_t)_i + 100;
    for (int round = 0; round < ROUNDS; round++) {
        struct random_facts all, some;
        struct decision full, part;
        if (round % 10 == 0)
            shuffle_conf(conf);
        make_facts(&all);
        some = all;
        some.facts.names = some.names;
        all.facts.names = all.names;
        for (size_t i = 0; i < some.facts.name_count; i++)
            if (some.names[i].flaw == HOSTNAME_OK)
                await_name(&some.names[i], DNS_NOT_ASKED, &some.facts);
        look_up(conf, transaction, &all, &some);
        for (size_t i = 0; i < some.facts.name_count; i++) {
            spared += some.names[i].forward.awaited;
            some.names[i].forward.awaited = false;
        }
        some.facts.awaited = false;
        decision_make(conf, &all.facts, transaction, &full);
        decision_make(conf, &some.facts, transaction, &part);
        if (!same_outcome(&full, &part))
            complain(&part, &full, round);
    }
    ck_assert_uint_gt(spared, 100);
    conf_unref(conf);
}
END_TEST

/* --- what administrators see ------------------------------------------------------------------
 */

/* "?": awaited. */
static const struct {
    const char *label, *conf;
    struct factstext facts;
    unsigned awaited; /* bits: 1 PTR, 2 EHLO, 4 the PTR's second name */
    bool want;
    enum action action;
    const char *undecided; /* one of those */
} cases[] = {
    {"a good name beside a silent one",
     "",
     {.client = "192.0.2.10",
      .ptr = "mail.example.org=192.0.2.10 mx.example.net=TEMP",
      .helo = "mail.example.org",
      .helo_forward = "192.0.2.10"},
     4,
     true,
     ACTION_ACCEPT,
     NULL},
    {"a silent name that may be a partner's",
     "match m { ptr = {\".example.net\"} policy = none }",
     {.client = "192.0.2.10",
      .ptr = "mail.example.org=192.0.2.10 mx.example.net=TEMP",
      .helo = "mail.example.org",
      .helo_forward = "192.0.2.10"},
     4,
     false,
     ACTION_ACCEPT,
     NULL},
    {"no PTR and a silent EHLO name",
     "",
     {.client = "192.0.2.10", .ptr = "NX", .helo = "mail.example.org", .helo_forward = "TEMP"},
     2,
     true,
     ACTION_REJECT,
     "helo-unresolved"},
    {"no PTR is tagged: the EHLO name may add to the score",
     "policy default { check ptr-missing { action = tag } reject-score = 6 }",
     {.client = "192.0.2.10", .ptr = "NX", .helo = "mail.example.org", .helo_forward = "TEMP"},
     2,
     false,
     ACTION_TAG,
     "helo-unresolved"},
    {"refused for what was said",
     "policy default { check helo-not-fqdn { action = reject } }",
     {.client = "192.0.2.10", .ptr = "TEMP", .helo = "mailserver"},
     1,
     true,
     ACTION_REJECT,
     "dns-temperror"},
    {"monitored: it would be refused, and EHLO may do it yet",
     "policy default { check ptr-missing { monitor = true } check helo-unresolved { action = "
     "tempfail } }",
     {.client = "192.0.2.10", .ptr = "NX", .helo = "mail.example.org", .helo_forward = "TEMP"},
     2,
     false,
     ACTION_ACCEPT,
     "helo-unresolved"},
    {"exempt by address",
     "match m { client = {\"192.0.2.0/24\"} policy = none }",
     {.client = "192.0.2.10", .ptr = "TEMP", .helo = "mail.example.org", .helo_forward = "TEMP"},
     3,
     true,
     ACTION_ACCEPT,
     NULL},
    {"exempt by address, unless its PTR says more",
     "match p { ptr = {\".example.net\"} policy = default }\n"
     "match m { client = {\"192.0.2.0/24\"} policy = none }",
     {.client = "192.0.2.10", .ptr = "TEMP", .helo = "mail.example.org", .helo_forward = "TEMP"},
     3,
     false,
     ACTION_ACCEPT,
     NULL},
};

START_TEST(test_case)
{
    struct conf *conf = load(cases[_i].conf);
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    enum check_id id;
    factstext_make(&cases[_i].facts, &memory, &facts);
    if ((cases[_i].awaited & 1) != 0)
        await(&facts.ptr, DNS_TEMPERROR, &facts);
    if ((cases[_i].awaited & 2) != 0)
        await(&facts.helo_name.forward, DNS_TEMPERROR, &facts);
    if ((cases[_i].awaited & 4) != 0)
        await(&memory.names[1].forward, DNS_TEMPERROR, &facts);
    decision_make(conf, &facts, &transactions[0], &decision);
    ck_assert_msg(decision.final == cases[_i].want, "%s", cases[_i].label);
    ck_assert_msg(decision.verdict.done.action == cases[_i].action, "%s: %s", cases[_i].label,
                  action_text(decision.verdict.done.action));
    if (cases[_i].undecided != NULL) {
        ck_assert(check_by_name(cases[_i].undecided, &id));
        ck_assert_msg((decision.undecided & CHECK_BIT(id)) != 0, "%s", cases[_i].label);
        ck_assert_msg((decision.verdict.would.checks & CHECK_BIT(id)) == 0, "%s", cases[_i].label);
    }
    conf_unref(conf);
}
END_TEST

START_TEST(test_exemption_awaited)
{
    static const struct factstext who = {
        .client = "192.0.2.10", .ptr = "NX", .helo = "mail.example.org", .helo_forward = "NX"};
    struct transaction transaction = transactions[0];
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    factstext_make(&who, &memory, &facts);
    transaction.exempt_awaited = true;
    decision_make(conf, &facts, &transaction, &decision);
    ck_assert(!decision.final);
    transaction.exempt = "ticket 4711";
    decision_make(conf, &facts, &transaction, &decision);
    ck_assert(decision.final);
    conf_unref(conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("awaited");
    TCase *random = tcase_create("random");
    TCase *told = tcase_create("told");
    tcase_set_timeout(random, 120);
    tcase_add_loop_test(random, test_final, 0, COUNT(blocks));
    tcase_add_loop_test(random, test_order, 0, COUNT(blocks));
    tcase_add_loop_test(told, test_case, 0, COUNT(cases));
    tcase_add_test(told, test_exemption_awaited);
    suite_add_tcase(suite, random);
    suite_add_tcase(suite, told);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
