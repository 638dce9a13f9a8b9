/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy.h"

/* Of the shipped configuration: a client tagged by nothing alone is tagged by many small doubts. */
#define DEFAULT_TAG_SCORE 3.0

/* Scores are decimal fractions summed in binary: 0.1 ten times must reach 1.0. */
#define SCORE_EPSILON 1e-9

void policy_defaults(struct policy *policy, const char *name)
{
    *policy = (struct policy){
        .name = name,
        .required_agreement = AGREEMENT_DOMAIN,
        .tag_score = DEFAULT_TAG_SCORE,
    };
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        policy->rules[i] = (struct check_rule){
            .action = checks[i].default_action,
            .score = checks[i].default_score,
            .percent = 100,
        };
}

unsigned policy_bucket(const struct ipaddr *client, struct neighbour_bits bits, enum check_id check)
{
    struct ipnet net = ipnet_around(client, client->family == IP_V6 ? bits.v6 : bits.v4);
    /* FNV's last byte barely reaches the high bits: mix before taking the remainder, with the
       check's number in it so that one network is not in the first percent of everything. */
    uint32_t hash = ipnet_hash(&net) ^ ((uint32_t)check + 1) * UINT32_C(0x9e3779b9);
    hash ^= hash >> 16;
    hash *= UINT32_C(0x85ebca6b);
    hash ^= hash >> 13;
    hash *= UINT32_C(0xc2b2ae35);
    hash ^= hash >> 16;
    return hash % 100;
}

/* What a set of true checks leads to. */
struct outcome {
    enum action action;
    double score;
    bool by_score;
    check_set scored;
    enum check_id reason;
};

/* While the resolver itself is down, its failures say nothing about the client. */
static enum action rule_action(const struct policy *policy, const struct policy_site *site,
                               const struct facts *facts, enum check_id id)
{
    if (id == CHECK_DNS_TEMPERROR && facts->resolver_down)
        return site->outage_action;
    return policy->rules[id].action;
}

/* The action that a total score reaches. */
static enum action score_action(const struct policy *policy, double score)
{
    if (policy->reject_score > 0 && score + SCORE_EPSILON >= policy->reject_score)
        return ACTION_REJECT;
    if (policy->tag_score > 0 && score + SCORE_EPSILON >= policy->tag_score)
        return ACTION_TAG;
    return ACTION_ACCEPT;
}

static struct outcome judge_set(const struct policy *policy, const struct policy_site *site,
                                const struct facts *facts, check_set set)
{
    struct outcome outcome = {.action = ACTION_ACCEPT, .reason = CHECK_COUNT};
    enum check_id heaviest = CHECK_COUNT;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        enum check_id id = (enum check_id)i;
        if ((set & CHECK_BIT(i)) == 0)
            continue;
        enum action action = rule_action(policy, site, facts, id);
        if (outcome.reason == CHECK_COUNT || action > outcome.action) {
            outcome.action = action;
            outcome.reason = id;
        }
        if (heaviest == CHECK_COUNT || policy->rules[i].score > policy->rules[heaviest].score)
            heaviest = id;
        outcome.score += policy->rules[i].score;
        if (policy->rules[i].score > 0)
            outcome.scored |= CHECK_BIT(i);
    }
    enum action by_score = score_action(policy, outcome.score);
    if (by_score > outcome.action) {
        outcome.action = by_score;
        outcome.by_score = true;
        outcome.reason = heaviest;
    }
    return outcome;
}

/* The true checks that count for what is done. */
static check_set enforced_checks(const struct policy *policy, const struct policy_site *site,
                                 const struct evidence *evidence)
{
    check_set enforced = 0;
    if (site->monitor)
        return 0;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct check_rule *rule = &policy->rules[i];
        if ((evidence->true_checks & CHECK_BIT(i)) == 0 || rule->monitor)
            continue;
        if (rule->percent < 100 && policy_bucket(&evidence->facts->client, site->percent_bits,
                                                 (enum check_id)i) >= rule->percent)
            continue;
        enforced |= CHECK_BIT(i);
    }
    return enforced;
}

struct verdict policy_judge(const struct policy *policy, const struct policy_site *site,
                            const struct evidence *evidence)
{
    check_set enforced = enforced_checks(policy, site, evidence);
    struct outcome would = judge_set(policy, site, evidence->facts, evidence->true_checks);
    struct outcome done = judge_set(policy, site, evidence->facts, enforced);
    const struct outcome *told = done.action > ACTION_ACCEPT ? &done : &would;
    return (struct verdict){
        .action = done.action,
        .would = would.action,
        .checks = evidence->true_checks,
        .enforced = enforced,
        .score = would.score,
        .enforced_score = done.score,
        .by_score = told->by_score,
        .scored = told->scored,
        .told_score = told->score,
        .reason = told->reason,
        .would_by_score = would.by_score,
        .would_scored = would.scored,
        .would_reason = would.reason,
    };
}

struct verdict verdict_enforced(const struct verdict *verdict)
{
    struct verdict out = *verdict;
    out.action = verdict->would;
    out.enforced = verdict->checks;
    out.enforced_score = verdict->score;
    out.by_score = verdict->would_by_score;
    out.scored = verdict->would_scored;
    out.told_score = verdict->score;
    out.reason = verdict->would_reason;
    return out;
}
