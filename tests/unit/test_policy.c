/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct neighbour_bits bits = {24, 64};

/* Facts and evidence in which just `set` is true. */
struct scene {
    struct facts facts;
    struct evidence evidence;
    struct policy policy;
    struct grace grace;
    struct policy_site site;
};

static void make_scene(struct scene *scene, check_set set)
{
    memset(scene, 0, sizeof *scene);
    ck_assert(ipaddr_parse("198.51.100.7", &scene->facts.client) == RESULT_OK);
    scene->evidence.facts = &scene->facts;
    scene->evidence.true_checks = set;
    policy_defaults(&scene->policy, "default");
    scene->policy.tag_score = 0;
    scene->site.outage_action = ACTION_TAG;
    scene->site.percent_bits = bits;
}

static struct verdict judge(const struct scene *scene)
{
    return policy_judge(&scene->policy, &scene->site, &scene->evidence, &scene->grace);
}

START_TEST(test_defaults)
{
    struct policy policy;
    policy_defaults(&policy, "default");
    ck_assert_str_eq(policy.name, "default");
    ck_assert_int_eq(policy.required_agreement, AGREEMENT_DOMAIN);
    ck_assert(policy.tag_score > 2.9 && policy.tag_score < 3.1);
    ck_assert(policy.reject_score <= 0);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        ck_assert_int_eq(policy.rules[i].action, checks[i].default_action);
        ck_assert_uint_eq(policy.rules[i].percent, 100);
        ck_assert(!policy.rules[i].monitor);
        ck_assert_ptr_null(policy.rules[i].reply);
    }
    /* RFC 5321 4.1.4 */
    ck_assert_int_eq(policy.rules[CHECK_HELO_MISMATCH].action, ACTION_ACCEPT);
}
END_TEST

/* Every check with every action: done, monitored, outside the percentage, in a site that monitors.
 */
START_TEST(test_every_check_and_action)
{
    enum check_id id = (enum check_id)(_i / ACTION_COUNT);
    enum action action = (enum action)(_i % ACTION_COUNT);
    struct scene scene;
    make_scene(&scene, CHECK_BIT(id));
    scene.policy.rules[id].action = action;
    struct verdict verdict = judge(&scene);
    ck_assert_int_eq(verdict.done.action, action);
    ck_assert_int_eq(verdict.would.action, action);
    ck_assert_uint_eq(verdict.would.checks, CHECK_BIT(id));
    ck_assert_uint_eq(verdict.done.checks, CHECK_BIT(id));
    ck_assert_int_eq(verdict_reported(&verdict)->reason, id);
    ck_assert(!verdict_reported(&verdict)->by_score);

    for (unsigned how = 0; how < 3; how++) {
        make_scene(&scene, CHECK_BIT(id));
        scene.policy.rules[id].action = action;
        scene.policy.rules[id].monitor = how == 0;
        scene.policy.rules[id].percent = how == 1 ? 0 : 100;
        scene.site.monitor = how == 2;
        verdict = judge(&scene);
        ck_assert_int_eq(verdict.done.action, ACTION_ACCEPT);
        ck_assert_int_eq(verdict.would.action, action);
        ck_assert_uint_eq(verdict.would.checks, CHECK_BIT(id));
        ck_assert_uint_eq(verdict.done.checks, 0);
        ck_assert_int_eq(verdict_reported(&verdict)->reason, id);
        ck_assert(verdict.done.score <= 0);
    }
}
END_TEST

START_TEST(test_nothing_true)
{
    struct scene scene;
    make_scene(&scene, 0);
    scene.policy.tag_score = 0.1;
    struct verdict verdict = judge(&scene);
    ck_assert_int_eq(verdict.done.action, ACTION_ACCEPT);
    ck_assert_int_eq(verdict.would.action, ACTION_ACCEPT);
    ck_assert_int_eq(verdict_reported(&verdict)->reason, CHECK_COUNT);
    ck_assert(!verdict_reported(&verdict)->by_score);
}
END_TEST

/* Two checks, A before B in the list. */
#define A CHECK_PTR_GENERIC
#define B CHECK_HELO_DISAGREES

static const struct {
    const char *label;
    enum action a, b;
    bool monitor_a, monitor_b;
    enum action want, want_would;
    enum check_id want_reason;
} pairs[] = {
    {"worst wins", ACTION_TAG, ACTION_REJECT, false, false, ACTION_REJECT, ACTION_REJECT, B},
    {"of equals the first", ACTION_TAG, ACTION_TAG, false, false, ACTION_TAG, ACTION_TAG, A},
    {"quarantine over tag", ACTION_QUARANTINE, ACTION_TAG, false, false, ACTION_QUARANTINE,
     ACTION_QUARANTINE, A},
    {"reject over tempfail", ACTION_TEMPFAIL, ACTION_REJECT, false, false, ACTION_REJECT,
     ACTION_REJECT, B},
    {"tempfail over quarantine", ACTION_QUARANTINE, ACTION_TEMPFAIL, false, false, ACTION_TEMPFAIL,
     ACTION_TEMPFAIL, B},
    {"the worst is monitored", ACTION_TAG, ACTION_REJECT, false, true, ACTION_TAG, ACTION_REJECT,
     A},
    {"the mild one is monitored", ACTION_TAG, ACTION_REJECT, true, false, ACTION_REJECT,
     ACTION_REJECT, B},
    {"only accept is left", ACTION_ACCEPT, ACTION_REJECT, false, true, ACTION_ACCEPT, ACTION_REJECT,
     B},
    {"both accept", ACTION_ACCEPT, ACTION_ACCEPT, false, false, ACTION_ACCEPT, ACTION_ACCEPT, A},
    {"both monitored", ACTION_TAG, ACTION_REJECT, true, true, ACTION_ACCEPT, ACTION_REJECT, B},
};

START_TEST(test_pairs)
{
    struct scene scene;
    make_scene(&scene, CHECK_BIT(A) | CHECK_BIT(B));
    scene.policy.rules[A].action = pairs[_i].a;
    scene.policy.rules[B].action = pairs[_i].b;
    scene.policy.rules[A].monitor = pairs[_i].monitor_a;
    scene.policy.rules[B].monitor = pairs[_i].monitor_b;
    struct verdict verdict = judge(&scene);
    ck_assert_msg(verdict.done.action == pairs[_i].want, "%s", pairs[_i].label);
    ck_assert_msg(verdict.would.action == pairs[_i].want_would, "%s", pairs[_i].label);
    ck_assert_msg(verdict_reported(&verdict)->reason == pairs[_i].want_reason, "%s",
                  pairs[_i].label);
}
END_TEST

static const struct {
    const char *label;
    double a, b, tag_score, reject_score;
    enum action action_b;
    bool monitor_b;
    enum action want, want_would;
    bool want_by_score;
    enum check_id want_reason;
} scores[] = {
    {"below", 1.0, 1.9, 3.0, 0, ACTION_ACCEPT, false, ACTION_ACCEPT, ACTION_ACCEPT, false, A},
    {"reached", 1.0, 2.0, 3.0, 0, ACTION_ACCEPT, false, ACTION_TAG, ACTION_TAG, true, B},
    {"sum of fractions", 0.1, 0.7, 0.8, 0, ACTION_ACCEPT, false, ACTION_TAG, ACTION_TAG, true, B},
    {"equal scores: the first", 2.0, 2.0, 3.0, 0, ACTION_ACCEPT, false, ACTION_TAG, ACTION_TAG,
     true, A},
    {"off", 100, 100, 0, 0, ACTION_ACCEPT, false, ACTION_ACCEPT, ACTION_ACCEPT, false, A},
    {"reject", 3.0, 2.0, 3.0, 5.0, ACTION_TAG, false, ACTION_REJECT, ACTION_REJECT, true, A},
    {"reject without tag", 3.0, 2.0, 0, 5.0, ACTION_TAG, false, ACTION_REJECT, ACTION_REJECT, true,
     A},
    {"a check's own action is as bad", 3.0, 2.0, 3.0, 5.0, ACTION_REJECT, false, ACTION_REJECT,
     ACTION_REJECT, false, B},
    {"a check's own action is worse", 3.0, 2.0, 3.0, 0, ACTION_TEMPFAIL, false, ACTION_TEMPFAIL,
     ACTION_TEMPFAIL, false, B},
    {"a monitored check's score does not count", 1.0, 2.0, 3.0, 0, ACTION_ACCEPT, true,
     ACTION_ACCEPT, ACTION_TAG, true, B},
};

START_TEST(test_scores)
{
    struct scene scene;
    make_scene(&scene, CHECK_BIT(A) | CHECK_BIT(B));
    scene.policy.tag_score = scores[_i].tag_score;
    scene.policy.reject_score = scores[_i].reject_score;
    scene.policy.rules[A] = (struct check_rule){ACTION_ACCEPT, scores[_i].a, false, 100, NULL};
    scene.policy.rules[B] =
        (struct check_rule){scores[_i].action_b, scores[_i].b, scores[_i].monitor_b, 100, NULL};
    struct verdict verdict = judge(&scene);
    ck_assert_msg(verdict.done.action == scores[_i].want, "%s", scores[_i].label);
    ck_assert_msg(verdict.would.action == scores[_i].want_would, "%s", scores[_i].label);
    ck_assert_msg(verdict_reported(&verdict)->by_score == scores[_i].want_by_score, "%s",
                  scores[_i].label);
    ck_assert_msg(verdict_reported(&verdict)->reason == scores[_i].want_reason, "%s",
                  scores[_i].label);
    double total = scores[_i].a + scores[_i].b;
    ck_assert_double_eq_tol(verdict.would.score, total, POLICY_SCORE_EPSILON);
}
END_TEST

/* outage-action replaces the action of dns-temperror as it is: milder or harsher. */
START_TEST(test_outage)
{
    enum action configured = (enum action)(_i / ACTION_COUNT);
    enum action outage = (enum action)(_i % ACTION_COUNT);
    struct scene scene;
    make_scene(&scene, CHECK_BIT(CHECK_DNS_TEMPERROR));
    scene.policy.rules[CHECK_DNS_TEMPERROR].action = configured;
    scene.site.outage_action = outage;
    ck_assert_int_eq(judge(&scene).done.action, configured);
    scene.facts.resolver_down = true;
    ck_assert_int_eq(judge(&scene).done.action, outage);
    ck_assert_int_eq(judge(&scene).would.action, outage);
    scene.policy.rules[CHECK_DNS_TEMPERROR].monitor = true;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_ACCEPT);

    /* What is proven stays proven. */
    make_scene(&scene, CHECK_BIT(CHECK_HELO_SELF));
    scene.site.outage_action = outage;
    scene.facts.resolver_down = true;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_REJECT);
}
END_TEST

/* In the place of a check that expired answers would have made true, dns-temperror does at most
   what that one would do. */
static const struct {
    const char *label;
    enum action missing; /* of ptr-missing, in whose place dns-temperror (tempfail) is true */
    bool monitor_missing, monitor_temperror, down;
    enum action want, want_would;
} expired[] = {
    {"a refusal is deferred", ACTION_REJECT, false, false, false, ACTION_TEMPFAIL, ACTION_TEMPFAIL},
    {"a tag stays one", ACTION_TAG, false, false, false, ACTION_TAG, ACTION_TAG},
    {"nothing stays nothing", ACTION_ACCEPT, false, false, false, ACTION_ACCEPT, ACTION_ACCEPT},
    {"the check is monitored", ACTION_REJECT, true, false, false, ACTION_ACCEPT, ACTION_TEMPFAIL},
    {"dns-temperror is monitored", ACTION_REJECT, false, true, false, ACTION_ACCEPT,
     ACTION_TEMPFAIL},
    {"outage", ACTION_REJECT, false, false, true, ACTION_QUARANTINE, ACTION_QUARANTINE},
    {"outage, a tag", ACTION_TAG, false, false, true, ACTION_TAG, ACTION_TAG},
};

START_TEST(test_expired)
{
    struct scene scene;
    make_scene(&scene, CHECK_BIT(CHECK_DNS_TEMPERROR));
    scene.evidence.expired_checks = CHECK_BIT(CHECK_PTR_MISSING);
    scene.policy.rules[CHECK_DNS_TEMPERROR].action = ACTION_TEMPFAIL;
    scene.policy.rules[CHECK_DNS_TEMPERROR].monitor = expired[_i].monitor_temperror;
    scene.policy.rules[CHECK_PTR_MISSING].action = expired[_i].missing;
    scene.policy.rules[CHECK_PTR_MISSING].monitor = expired[_i].monitor_missing;
    scene.site.outage_action = ACTION_QUARANTINE;
    scene.facts.resolver_down = expired[_i].down;
    struct verdict verdict = judge(&scene);
    ck_assert_msg(verdict.done.action == expired[_i].want, "%s", expired[_i].label);
    ck_assert_msg(verdict.would.action == expired[_i].want_would, "%s", expired[_i].label);
    ck_assert_uint_eq(verdict.would.checks, CHECK_BIT(CHECK_DNS_TEMPERROR));
}
END_TEST

/* What a lookup could clear yet is deferred at most, and does not count in the score. */
START_TEST(test_open)
{
    enum action action = (enum action)_i;
    enum action want = action < ACTION_TEMPFAIL ? action : ACTION_TEMPFAIL;
    struct scene scene;
    make_scene(&scene, CHECK_BIT(CHECK_HELO_SELF));
    scene.evidence.open_checks = CHECK_BIT(CHECK_HELO_SELF);
    scene.policy.rules[CHECK_HELO_SELF].action = action;
    scene.policy.reject_score = scene.policy.rules[CHECK_HELO_SELF].score;
    struct verdict verdict = judge(&scene);
    ck_assert_int_eq(verdict.done.action, want);
    ck_assert_int_eq(verdict.would.action, want);
    ck_assert_int_eq(verdict.would.reason, CHECK_HELO_SELF);
}
END_TEST

static struct ipaddr nth_client(unsigned network, unsigned host)
{
    uint8_t bytes[4] = {10, (uint8_t)(network >> 8), (uint8_t)network, (uint8_t)host};
    struct ipaddr addr;
    if (ipaddr_from_bytes(bytes, sizeof bytes, &addr) !=
        RESULT_OK) /* Check notes every assertion */
        ck_abort();
    return addr;
}

/* --- grace ------------------------------------------------------------------------------------ */

#define SEEN                                                                                       \
    {                                                                                              \
        .state = GRACE_GIVEN, .right_s = 1, .failed_s = 2, .until_s = 3                            \
    }

/* Every check with every action, in grace with every grace-action: only three are spared, and only
   a refusal. */
START_TEST(test_grace_every_check)
{
    enum check_id id = (enum check_id)(_i / ACTION_COUNT);
    enum action action = (enum action)(_i % ACTION_COUNT);
    bool spares = id == CHECK_PTR_MISSING || id == CHECK_PTR_INVALID || id == CHECK_PTR_MISMATCH;
    for (int mild = ACTION_ACCEPT; mild < ACTION_REJECT; mild++) {
        struct scene scene;
        make_scene(&scene, CHECK_BIT(id));
        scene.grace = (struct grace)SEEN;
        scene.policy.rules[id].action = action;
        scene.policy.grace_action = (enum action)mild;
        enum action want = spares && action == ACTION_REJECT ? (enum action)mild : action;
        struct verdict verdict = judge(&scene);
        bool given = spares && action == ACTION_REJECT;
        ck_assert_int_eq(verdict.done.action, want);
        ck_assert_int_eq(verdict.done.grace.state, given ? GRACE_GIVEN : GRACE_NONE);
        ck_assert_int_eq(outcome_is_of_grace(&verdict.done), given);
        ck_assert_int_eq(verdict.done.reason, id);
        scene.site.monitor = true;
        verdict = judge(&scene);
        ck_assert_int_eq(verdict.done.action, ACTION_ACCEPT);
        ck_assert_int_eq(verdict.would.action, want);
        /* Whether it is in grace is not known: deferred, and never let in by that. */
        scene.site.monitor = false;
        scene.grace.state = GRACE_UNKNOWN;
        verdict = judge(&scene);
        ck_assert_int_eq(verdict.done.action, given ? ACTION_TEMPFAIL : action);
        ck_assert_int_eq(verdict.done.grace.state, given ? GRACE_UNKNOWN : GRACE_NONE);
        /* After it everything is as the policy says. */
        scene.site.monitor = false;
        scene.grace.state = GRACE_OVER;
        verdict = judge(&scene);
        ck_assert_int_eq(verdict.done.action, action);
        ck_assert_int_eq(verdict.done.grace.state, given ? GRACE_OVER : GRACE_NONE);
    }
}
END_TEST

START_TEST(test_grace_together)
{
    struct scene scene;
    /* Another check refuses: nobody is spared, and no grace is spoken of. */
    make_scene(&scene, CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_SELF));
    scene.grace = (struct grace)SEEN;
    struct verdict verdict = judge(&scene);
    ck_assert_int_eq(verdict.done.action, ACTION_REJECT);
    ck_assert_int_eq(verdict.done.reason, CHECK_HELO_SELF);
    ck_assert_int_eq(verdict.done.grace.state, GRACE_NONE);
    /* Another check defers, where grace lets in. */
    make_scene(&scene, CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_SELF));
    scene.grace = (struct grace)SEEN;
    scene.policy.grace_action = ACTION_ACCEPT;
    scene.policy.rules[CHECK_HELO_SELF].action = ACTION_TEMPFAIL;
    verdict = judge(&scene);
    ck_assert_int_eq(verdict.done.action, ACTION_TEMPFAIL);
    ck_assert_int_eq(verdict.done.reason, CHECK_HELO_SELF);
    ck_assert_int_eq(verdict.done.grace.state, GRACE_GIVEN);
    ck_assert(!outcome_is_of_grace(&verdict.done));
    /* What an expired answer stands for costs no more than it would in time. */
    make_scene(&scene, CHECK_BIT(CHECK_DNS_TEMPERROR));
    scene.evidence.expired_checks = CHECK_BIT(CHECK_PTR_MISSING);
    scene.policy.grace_action = ACTION_TAG;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_TEMPFAIL);
    scene.grace = (struct grace)SEEN;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_TAG);
}
END_TEST

/* ptr-missing of 5 and helo-not-fqdn of 2, by reject-score. */
static const struct {
    const char *label;
    double reject_score, tag_score;
    enum action grace_action, want;
    bool given;
} scored[] = {
    {"with it only", 6, 0, ACTION_TEMPFAIL, ACTION_TEMPFAIL, true},
    {"without it, too", 2, 0, ACTION_TEMPFAIL, ACTION_REJECT, false},
    {"neither", 8, 0, ACTION_TEMPFAIL, ACTION_ACCEPT, false},
    {"tagged by the score at least", 6, 3, ACTION_ACCEPT, ACTION_TAG, true},
    {"let in", 6, 0, ACTION_ACCEPT, ACTION_ACCEPT, true},
};

START_TEST(test_grace_score)
{
    struct scene scene;
    make_scene(&scene, CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_NOT_FQDN));
    scene.grace = (struct grace)SEEN;
    scene.policy.rules[CHECK_PTR_MISSING] = (struct check_rule){ACTION_ACCEPT, 5, false, 100, NULL};
    scene.policy.rules[CHECK_HELO_NOT_FQDN] =
        (struct check_rule){ACTION_ACCEPT, 2, false, 100, NULL};
    scene.policy.reject_score = scored[_i].reject_score;
    scene.policy.tag_score = scored[_i].tag_score;
    scene.policy.grace_action = scored[_i].grace_action;
    struct verdict verdict = judge(&scene);
    ck_assert_msg(verdict.done.action == scored[_i].want, "%s", scored[_i].label);
    ck_assert_msg((verdict.done.grace.state == GRACE_GIVEN) == scored[_i].given, "%s",
                  scored[_i].label);
}
END_TEST

/* Whatever is true, and whatever the policy: grace never does more than the policy without it, a
   refusal is all that it changes, and what more checks do is never less. */
START_TEST(test_grace_is_milder)
{
    unsigned state = 1;
    for (int round = 0; round < 20000; round++) {
        struct scene scene, bare, larger;
        make_scene(&scene, 0);
        for (unsigned i = 0; i < CHECK_COUNT; i++) {
            state = state * 1664525 + 1013904223;
            scene.policy.rules[i].action = (enum action)((state >> 8) % ACTION_COUNT);
            scene.policy.rules[i].score = (state >> 16) % 7;
            scene.evidence.true_checks |= (state >> 24) % 4 == 0 ? CHECK_BIT(i) : 0;
        }
        state = state * 1664525 + 1013904223;
        scene.policy.reject_score = (state >> 8) % 20;
        scene.policy.tag_score = (state >> 16) % 20;
        scene.policy.grace_action = (enum action)((state >> 24) % ACTION_REJECT);
        bare = scene;
        bare.evidence.facts = &bare.facts;
        scene.evidence.facts = &scene.facts;
        scene.grace = (struct grace)SEEN;
        larger = scene;
        larger.evidence.facts = &larger.facts;
        larger.evidence.true_checks |= CHECK_BIT(round % CHECK_COUNT);
        struct verdict with = judge(&scene), without = judge(&bare), more = judge(&larger);
        ck_assert_int_le(with.done.action, without.done.action);
        if (without.done.action != ACTION_REJECT)
            ck_assert_int_eq(with.done.action, without.done.action);
        ck_assert_int_eq(with.done.grace.state == GRACE_GIVEN,
                         without.done.action == ACTION_REJECT && with.done.action != ACTION_REJECT);
        ck_assert_int_ge(more.done.action, with.done.action);
    }
}
END_TEST

START_TEST(test_bucket_is_stable)
{
    struct ipaddr v6, neighbour;
    ck_assert(ipaddr_parse("2001:db8:1:2::1", &v6) == RESULT_OK);
    ck_assert(ipaddr_parse("2001:db8:1:2:ffff::9", &neighbour) == RESULT_OK);
    for (unsigned check = 0; check < CHECK_COUNT; check++) {
        enum check_id id = (enum check_id)check;
        struct ipaddr first = nth_client(5, 0);
        for (unsigned host = 1; host < 256; host++) {
            struct ipaddr addr = nth_client(5, host);
            ck_assert_uint_eq(policy_bucket(&addr, bits, id), policy_bucket(&first, bits, id));
        }
        ck_assert_uint_eq(policy_bucket(&v6, bits, id), policy_bucket(&neighbour, bits, id));
    }
}
END_TEST

/* By the check's name and the network alone: what these clients meet is for ever. */
START_TEST(test_bucket_by_name)
{
    static const struct {
        enum check_id check;
        unsigned want;
    } buckets[] = {{CHECK_PTR_MISSING, 3},
                   {CHECK_PTR_MISMATCH, 16},
                   {CHECK_HELO_DISAGREES, 1},
                   {CHECK_MTA_DISAGREES, 25}};
    struct ipaddr client;
    ck_assert(ipaddr_parse("198.51.100.7", &client) == RESULT_OK);
    for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++)
        ck_assert_uint_eq(policy_bucket(&client, bits, buckets[i].check), buckets[i].want);
}
END_TEST

/* Of many networks `percent` in a hundred are chosen, near enough, for every check. */
START_TEST(test_percent_is_proportional)
{
    static const unsigned percents[] = {0, 1, 10, 50, 90, 99, 100};
    enum { NETWORKS = 20000 };
    for (unsigned check = 0; check < CHECK_COUNT; check++) {
        unsigned buckets[100] = {0};
        for (unsigned i = 0; i < NETWORKS; i++) {
            struct ipaddr addr = nth_client(i, 1);
            unsigned bucket = policy_bucket(&addr, bits, (enum check_id)check);
            if (bucket >= 100)
                ck_abort_msg("bucket %u", bucket);
            buckets[bucket]++;
        }
        for (size_t p = 0; p < sizeof percents / sizeof percents[0]; p++) {
            unsigned chosen = 0;
            for (unsigned i = 0; i < percents[p]; i++)
                chosen += buckets[i];
            double share = 100.0 * chosen / (double)NETWORKS;
            ck_assert_msg(share > percents[p] - 1.5 && share < percents[p] + 1.5,
                          "%s: %u %% became %.1f %%", checks[check].name, percents[p], share);
        }
    }
}
END_TEST

/* Being in the first half for one check says nothing about another. */
START_TEST(test_checks_choose_independently)
{
    enum { NETWORKS = 20000 };
    static bool chosen[CHECK_COUNT][NETWORKS];
    for (unsigned i = 0; i < NETWORKS; i++) {
        struct ipaddr addr = nth_client(i, 1);
        for (unsigned check = 0; check < CHECK_COUNT; check++)
            chosen[check][i] = policy_bucket(&addr, bits, (enum check_id)check) < 50;
    }
    for (unsigned a = 0; a < CHECK_COUNT; a++) {
        for (unsigned b = a + 1; b < CHECK_COUNT; b++) {
            unsigned both = 0;
            for (unsigned i = 0; i < NETWORKS; i++)
                both += chosen[a][i] && chosen[b][i];
            ck_assert_msg(both > NETWORKS / 100 * 22 && both < NETWORKS / 100 * 28, "%s and %s: %u",
                          checks[a].name, checks[b].name, both);
        }
    }
}
END_TEST

START_TEST(test_percent_decides)
{
    struct scene scene;
    make_scene(&scene, CHECK_BIT(CHECK_PTR_MISSING));
    unsigned bucket = policy_bucket(&scene.facts.client, bits, CHECK_PTR_MISSING);
    scene.policy.rules[CHECK_PTR_MISSING].percent = bucket;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_ACCEPT);
    ck_assert_int_eq(judge(&scene).would.action, ACTION_REJECT);
    scene.policy.rules[CHECK_PTR_MISSING].percent = bucket + 1;
    ck_assert_int_eq(judge(&scene).done.action, ACTION_REJECT);
}
END_TEST

START_TEST(test_action_words)
{
    enum action parsed;
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        ck_assert(action_parse(action_text((enum action)i), &parsed));
        ck_assert_uint_eq(parsed, i);
    }
    ck_assert(!action_parse("Reject", &parsed));
    ck_assert(!action_parse("", &parsed));
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_defaults);
    tcase_add_loop_test(tcase, test_every_check_and_action, 0, CHECK_COUNT * ACTION_COUNT);
    tcase_add_test(tcase, test_nothing_true);
    LOOP(tcase, test_pairs, pairs);
    LOOP(tcase, test_scores, scores);
    LOOP(tcase, test_expired, expired);
    tcase_add_loop_test(tcase, test_open, 0, ACTION_COUNT);
    tcase_add_loop_test(tcase, test_grace_every_check, 0, CHECK_COUNT * ACTION_COUNT);
    tcase_add_test(tcase, test_grace_together);
    tcase_add_loop_test(tcase, test_grace_score, 0, sizeof scored / sizeof scored[0]);
    tcase_add_test(tcase, test_grace_is_milder);
    tcase_add_test(tcase, test_bucket_by_name);
    tcase_add_loop_test(tcase, test_outage, 0, ACTION_COUNT * ACTION_COUNT);
    tcase_add_test(tcase, test_bucket_is_stable);
    tcase_add_test(tcase, test_percent_is_proportional);
    tcase_add_test(tcase, test_checks_choose_independently);
    tcase_add_test(tcase, test_percent_decides);
    tcase_add_test(tcase, test_action_words);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
