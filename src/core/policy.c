/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy.h"

#include "base/hash.h"

/* Of the shipped configuration: a client tagged by nothing alone is tagged by many small doubts. */
#define DEFAULT_TAG_SCORE 3.0

/* A mail server has one name, and another one beside it is nothing strange. */
#define DEFAULT_HELO_DOMAINS 2

/* Servers try again after five minutes and more; what does not is gone by then (RFC 6647 2.6). */
#define DEFAULT_GREYLIST_DELAY_S 300

/* A weekend, and the Monday on which somebody notices.  Most senders try for five days. */
#define DEFAULT_GRACE_S (3 * 86400)

void policy_defaults(struct policy *policy, const char *name)
{
    *policy = (struct policy){
        .name = name,
        .required_agreement = AGREEMENT_DOMAIN,
        .max_helo_domains = DEFAULT_HELO_DOMAINS,
        .tag_score = DEFAULT_TAG_SCORE,
        .grace_s = DEFAULT_GRACE_S,
        .greylist_delay_s = DEFAULT_GREYLIST_DELAY_S,
        .grace_action = ACTION_TEMPFAIL,
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
    /* The check's name is in it so that one network is not in the first percent of everything, and
       so that a check that is new moves nobody. */
    uint32_t hash = ipnet_hash(&net) ^ hash_mix(hash_text(HASH_START, checks[check].name));
    return hash_mix(hash) % 100;
}

/* True checks, or those of them that count; the checks in whose place dns-temperror is one of them,
   if any; and those that are true only for the time being. */
struct judged {
    check_set checks, expired, open;
};

/* What everything is judged by. */
struct judging {
    const struct policy *policy;
    const struct policy_site *site;
    const struct facts *facts;
    struct grace grace; /* of the client */
    enum action spared; /* what a refusal of which it is spared becomes */
};

static bool is_in_grace(const struct judging *by, enum check_id id)
{
    return grace_spares(by->grace.state) && (POLICY_GRACE_CHECKS & CHECK_BIT(id)) != 0;
}

/* The action of the rule, less a refusal of which the client is spared. */
static enum action spared_action(const struct judging *by, enum check_id id)
{
    enum action action = by->policy->rules[id].action;
    return action == ACTION_REJECT && is_in_grace(by, id) ? by->spared : action;
}

static enum action worst_action(const struct judging *by, check_set set)
{
    enum action worst = ACTION_ACCEPT;
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((set & CHECK_BIT(i)) != 0 && spared_action(by, (enum check_id)i) > worst)
            worst = spared_action(by, (enum check_id)i);
    return worst;
}

/*
 * While the resolver itself is down, its failures say nothing about the client.  An answer that
 * has expired costs a client no more than it did in time: what the policy would only tag is not
 * deferred.
 */
static enum action rule_action(const struct judging *by, enum check_id id, struct judged judged)
{
    enum action action = spared_action(by, id), most = ACTION_REJECT;
    if ((judged.open & CHECK_BIT(id)) != 0)
        most = ACTION_TEMPFAIL;
    if (id == CHECK_DNS_TEMPERROR && by->facts->resolver_down)
        action = by->site->outage_action;
    if (id == CHECK_DNS_TEMPERROR && judged.expired != 0)
        most = worst_action(by, judged.expired);
    return action < most ? action : most;
}

/* The action that a total score reaches. */
static enum action score_action(const struct policy *policy, double score)
{
    if (policy->reject_score > 0 && score + POLICY_SCORE_EPSILON >= policy->reject_score)
        return ACTION_REJECT;
    if (policy->tag_score > 0 && score + POLICY_SCORE_EPSILON >= policy->tag_score)
        return ACTION_TAG;
    return ACTION_ACCEPT;
}

/* The same, less a refusal of which the client is spared: without `graced` the score is lower. */
static enum action spared_score_action(const struct judging *by, double score, double graced)
{
    const struct policy *policy = by->policy;
    enum action action = score_action(policy, score);
    if (action != ACTION_REJECT || score_action(policy, score - graced) == ACTION_REJECT)
        return action;
    bool tags = policy->tag_score > 0 && score + POLICY_SCORE_EPSILON >= policy->tag_score;
    return tags && by->spared < ACTION_TAG ? ACTION_TAG : by->spared;
}

/* Do checks for which there is a grace refuse, if nobody is spared? */
static bool grace_matters(const struct policy *policy, const struct outcome *outcome, double graced)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((outcome->checks & POLICY_GRACE_CHECKS & CHECK_BIT(i)) != 0 &&
            policy->rules[i].action == ACTION_REJECT)
            return true;
    return graced > 0 && score_action(policy, outcome->score) == ACTION_REJECT;
}

/* What the grace of the client has to do with the outcome. */
static struct grace grace_of(const struct judging *by, const struct outcome *outcome, double graced)
{
    bool spared = outcome->action != ACTION_REJECT;
    if (grace_spares(by->grace.state) == spared && grace_matters(by->policy, outcome, graced))
        return by->grace;
    return (struct grace){.state = GRACE_NONE};
}

static struct outcome judge_set(const struct judging *by, struct judged judged)
{
    const struct policy *policy = by->policy;
    struct outcome outcome = {.checks = judged.checks, .reason = CHECK_COUNT};
    enum check_id heaviest = CHECK_COUNT;
    double graced = 0;
    for (unsigned i = 0; judged.checks >> i != 0; i++) {
        enum check_id id = (enum check_id)i;
        if ((judged.checks & CHECK_BIT(i)) == 0)
            continue;
        enum action action = rule_action(by, id, judged);
        if (outcome.reason == CHECK_COUNT || action > outcome.action) {
            outcome.action = action;
            outcome.reason = id;
        }
        if ((judged.open & CHECK_BIT(i)) != 0)
            continue; /* a score may refuse for good */
        if (heaviest == CHECK_COUNT || policy->rules[i].score > policy->rules[heaviest].score)
            heaviest = id;
        outcome.score += policy->rules[i].score;
        if (policy->rules[i].score > 0)
            outcome.scored |= CHECK_BIT(i);
        if ((POLICY_GRACE_CHECKS & CHECK_BIT(i)) != 0)
            graced += policy->rules[i].score;
    }
    double spared = grace_spares(by->grace.state) ? graced : 0;
    enum action by_score = spared_score_action(by, outcome.score, spared);
    if (by_score > outcome.action) {
        outcome.action = by_score;
        outcome.by_score = true;
        outcome.reason = heaviest;
    }
    if (by->grace.state != GRACE_NONE)
        outcome.grace = grace_of(by, &outcome, graced);
    return outcome;
}

/* Those of the checks that count for what is done. */
static check_set enforced_checks(const struct policy *policy, const struct policy_site *site,
                                 const struct ipaddr *client, check_set set)
{
    check_set enforced = 0;
    if (site->monitor)
        return 0;
    for (unsigned i = 0; set >> i != 0; i++) {
        const struct check_rule *rule = &policy->rules[i];
        if ((set & CHECK_BIT(i)) == 0 || rule->monitor)
            continue;
        if (rule->percent < 100 &&
            policy_bucket(client, site->percent_bits, (enum check_id)i) >= rule->percent)
            continue;
        enforced |= CHECK_BIT(i);
    }
    return enforced;
}

/* dns-temperror in the place of checks of which none is enforced is not enforced either. */
static struct judged enforced_part(const struct policy *policy, const struct policy_site *site,
                                   const struct ipaddr *client, struct judged all)
{
    struct judged enforced = {.checks = enforced_checks(policy, site, client, all.checks),
                              .expired = enforced_checks(policy, site, client, all.expired),
                              .open = all.open};
    if (all.expired != 0 && enforced.expired == 0)
        enforced.checks &= ~CHECK_BIT(CHECK_DNS_TEMPERROR);
    return enforced;
}

struct verdict policy_judge(const struct policy *policy, const struct policy_site *site,
                            const struct evidence *evidence, const struct grace *grace)
{
    const struct judging by = {.policy = policy,
                               .site = site,
                               .facts = evidence->facts,
                               .grace = *grace,
                               /* Nobody is let in because it is not known whether he was right. */
                               .spared = grace->state == GRACE_UNKNOWN ? ACTION_TEMPFAIL
                                                                       : policy->grace_action};
    struct judged all = {evidence->true_checks, evidence->expired_checks, evidence->open_checks};
    struct judged enforced = enforced_part(policy, site, &evidence->facts->client, all);
    return (struct verdict){.done = judge_set(&by, enforced), .would = judge_set(&by, all)};
}

bool policy_refuses_less(const struct policy *policy, const struct policy *other)
{
    if (other == NULL || policy == other)
        return false;
    if (policy == NULL)
        return true;
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if (other->rules[i].action == ACTION_REJECT && policy->rules[i].action < ACTION_REJECT)
            return true;
    return other->reject_score > 0 &&
           (policy->reject_score <= 0 || policy->reject_score > other->reject_score);
}
