/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/decision_awaited.h"

#include "core/awaited.h"

#include <math.h>
#include <string.h>

/* --- the cases --------------------------------------------------------------------------------
 */

/* What the cases have in common. */
struct common {
    const struct decision *decision;
    const struct transaction *transaction;
    bool brief; /* the first difference ends it */
    bool begun;
    bool same; /* the verdict is that of the first one */
    struct verdict first;
    enum agreement agreement;
    check_set always, ever; /* true in all cases; in some */
};

/*
 * A client that is refused hears of nothing else.  What is let in says its score and agreement in
 * its header.
 */
static bool is_same(const struct verdict *a, enum agreement agreement_a, const struct verdict *b,
                    enum agreement agreement_b)
{
    if (a->done.action != b->done.action || a->would.action != b->would.action)
        return false;
    return a->done.action >= ACTION_TEMPFAIL ||
           (agreement_a == agreement_b &&
            fabs(a->would.score - b->would.score) < POLICY_SCORE_EPSILON);
}

static bool see_case(void *arg, const struct facts *facts, check_set set, check_set clear)
{
    struct common *common = arg;
    struct evidence evidence;
    decision_evaluate(common->decision, facts, common->transaction->dialogue, &evidence);
    evidence.true_checks = (evidence.true_checks | set) & ~clear;
    struct verdict verdict = decision_judge(common->decision, &evidence, common->transaction);
    if (!common->begun) {
        common->begun = true;
        common->first = verdict;
        common->agreement = evidence.agreement;
        common->always = evidence.true_checks;
    }
    common->same =
        common->same && is_same(&verdict, evidence.agreement, &common->first, common->agreement);
    common->always &= evidence.true_checks;
    common->ever |= evidence.true_checks;
    return common->same || !common->brief;
}

/* Leave what is not the same in all cases out of `evidence`.  Is the verdict? */
static bool leave_undecided(struct common *common, struct evidence *evidence)
{
    if (!awaited_each_case(evidence->facts, common->transaction->dialogue, see_case, common))
        common->same = false;
    evidence->true_checks &= common->always;
    evidence->expired_checks &= common->always;
    evidence->open_checks &= common->always;
    if (!common->same)
        return false;
    struct verdict verdict = decision_judge(common->decision, evidence, common->transaction);
    return is_same(&verdict, evidence->agreement, &common->first, common->agreement);
}

void decision_leave_undecided(struct decision *decision, const struct transaction *transaction)
{
    struct common common = {.decision = decision, .transaction = transaction, .same = true};
    check_set true_checks = decision->evidence.true_checks;
    bool same = leave_undecided(&common, &decision->evidence);
    decision->undecided = (common.ever | true_checks) & ~common.always;
    decision->final = decision->final && same;
}

/* Can the memory of other hosts, which is awaited, turn what is refused now? */
static bool others_matter(const struct decision *decision, const struct transaction *transaction)
{
    struct transaction silent = *transaction;
    if (!transaction->others_awaited || decision->policy == NULL)
        return false;
    silent.others_silent = true;
    struct verdict now = decision_judge(decision, &decision->evidence, transaction);
    struct verdict spared = decision_judge(decision, &decision->evidence, &silent);
    return now.done.action == ACTION_GREYLIST || now.done.action != spared.done.action;
}

bool decision_is_final(const struct decision *decision, const struct transaction *transaction)
{
    struct evidence evidence = decision->evidence;
    struct common common = {
        .decision = decision, .transaction = transaction, .brief = true, .same = true};
    if (others_matter(decision, transaction))
        return false;
    if (!decision->final || !evidence.facts->awaited || decision->policy == NULL)
        return decision->final;
    return leave_undecided(&common, &evidence);
}

/* --- names worth looking up -------------------------------------------------------------------
 */

static bool may_improve_agreement(const struct decision *decision, const char *name)
{
    const struct evidence *evidence = &decision->evidence;
    const char *helo = evidence->facts->helo.name;
    if (helo[0] == '\0' || evidence->agreement == AGREEMENT_EXACT)
        return false;
    return strcmp(name, helo) == 0 || (evidence->agreement > AGREEMENT_DOMAIN &&
                                       orgdomain_same(decision->conf->orgdomains, name, helo));
}

/* It ends sender-ptr-mismatch, unless another name has done so. */
static bool may_share_sender(const struct decision *decision, const char *name)
{
    const struct facts *facts = decision->evidence.facts;
    const struct orgdomain *list = decision->conf->orgdomains;
    if (facts->sender_domain[0] == '\0' || !orgdomain_same(list, name, facts->sender_domain))
        return false;
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].confirmed &&
            orgdomain_same(list, facts->names[i].name, facts->sender_domain))
            return false;
    return true;
}

/* Are all names generic that are confirmed? */
static bool is_generic_so_far(const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].confirmed && !decision_name_is_generic(decision, facts->names[i].name))
            return false;
    return true;
}

bool decision_asks_for_name(const struct decision *decision, const struct transaction *transaction,
                            const char *name)
{
    const struct conf *conf = decision->conf;
    const struct name_facts *confirmed = decision->evidence.iprev.confirmed;
    if (confirmed == NULL || dns_evidence_is_stale(&confirmed->forward))
        return true;
    return may_improve_agreement(decision, name) || may_share_sender(decision, name) ||
           match_asks_for_ptr(conf->matches, conf->match_count, name, transaction->wall_s) ||
           (is_generic_so_far(decision) && !decision_name_is_generic(decision, name));
}
