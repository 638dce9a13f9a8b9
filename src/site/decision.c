/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/decision.h"

#include <string.h>

static const char *find_generic_pattern(void *arg, const char *name)
{
    return pattern_list_find(arg, name);
}

static const struct match *choose_match(const struct conf *conf, const struct facts *facts,
                                        const struct iprev *iprev, const struct occasion *occasion)
{
    const struct match_subject subject = {.facts = facts,
                                          .iprev = iprev,
                                          .sender = occasion->sender,
                                          .recipient = occasion->recipient,
                                          .listener = occasion->listener};
    return match_find(conf->matches, conf->match_count, &subject, occasion->wall_s);
}

static void judge(struct decision *decision)
{
    const struct conf *conf = decision->conf;
    const struct policy_site site = {.monitor = conf->monitor,
                                     .outage_action = conf->outage_action,
                                     .percent_bits = conf->neighbours};
    if (decision->policy == NULL) {
        decision->evidence.true_checks = 0;
        decision->verdict = (struct verdict){.reason = CHECK_COUNT};
    } else {
        decision->verdict = policy_judge(decision->policy, &site, &decision->evidence);
    }
    (void)reply_reason(&decision->evidence, &decision->verdict, decision->reason);
}

void decision_make(const struct conf *conf, const struct facts *facts,
                   const struct occasion *occasion, struct decision *out)
{
    struct iprev iprev = iprev_evaluate(facts);
    const struct match *match = choose_match(conf, facts, &iprev, occasion);
    *out = (struct decision){
        .conf = conf,
        .match = match,
        .policy = match == NULL ? &conf->policies[0] : match->policy,
        .exempt = occasion->exempt,
    };
    if (occasion->exempt != NULL)
        out->policy = NULL;
    const struct evidence_settings settings = {
        .orgdomains = conf->orgdomains,
        .neighbours = conf->neighbours,
        .required_agreement =
            out->policy != NULL ? out->policy->required_agreement : AGREEMENT_NONE,
        .static_is_intent = conf->static_is_intent,
        .generic_pattern = conf->generic_names != NULL ? find_generic_pattern : NULL,
        .generic_arg = conf->generic_names,
    };
    evidence_evaluate(facts, &settings, occasion->dialogue, &out->evidence);
    judge(out);
}

void decision_reply(const struct decision *decision, struct reply *out)
{
    reply_build(decision->policy, &decision->evidence, &decision->verdict, decision->verdict.action,
                decision->conf->help_url, out);
}

const char *decision_policy_name(const struct decision *decision)
{
    return decision->policy == NULL ? "none" : decision->policy->name;
}

const char *decision_ptr(const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    if (decision->evidence.iprev.confirmed != NULL)
        return decision->evidence.iprev.confirmed->name;
    return facts->name_count > 0 ? facts->names[0].name : NULL;
}

static bool any_stale(const struct facts *facts)
{
    bool stale =
        facts->ptr.origin == DNS_FROM_STALE || facts->helo_name.forward.origin == DNS_FROM_STALE;
    for (size_t i = 0; i < facts->name_count; i++)
        stale = stale || facts->names[i].forward.origin == DNS_FROM_STALE;
    return stale;
}

const char *decision_cache(const struct decision *decision, const struct occasion *occasion)
{
    if (any_stale(decision->evidence.facts))
        return "stale";
    return occasion->all_cached ? "hit" : "miss";
}

bool decision_secure(const struct decision *decision)
{
    const struct name_facts *confirmed = decision->evidence.iprev.confirmed;
    return decision->evidence.facts->ptr.secure && (confirmed == NULL || confirmed->forward.secure);
}
