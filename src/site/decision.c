/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/decision_awaited.h"
#include "site/decision_text.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Bytes of a log line's fields, so that the reason at its end always has room. */
#define NAME_SHOWN_MAX    200
#define ADDRESS_SHOWN_MAX 200
#define LISTS_SHOWN_MAX   200
#define MTA_SHOWN_MAX     80
#define ID_SHOWN_MAX      40
#define TITLE_SHOWN_MAX   64

/* --- deciding -------------------------------------------------------------------------------- */

static const char *site_generic(void *arg, const char *name)
{
    return pattern_list_find(arg, name);
}

static struct evidence_settings settings_of(const struct conf *conf, const struct policy *policy)
{
    struct evidence_settings settings = {
        .orgdomains = conf->orgdomains,
        .neighbours = conf->neighbours,
        .required_agreement = policy != NULL ? policy->required_agreement : AGREEMENT_NONE,
        .max_helo_domains = policy != NULL ? policy->max_helo_domains : UINT_MAX,
        .static_is_intent = conf->static_is_intent,
    };
    if (conf->generic_names != NULL) {
        settings.generic_pattern = site_generic;
        settings.generic_arg = conf->generic_names;
    }
    return settings;
}

void decision_evaluate(const struct decision *decision, const struct facts *facts,
                       enum dialogue dialogue, struct evidence *out)
{
    struct evidence_settings settings = settings_of(decision->conf, decision->policy);
    evidence_evaluate(facts, &settings, dialogue, out);
}

static void defer_at_most(struct outcome *outcome)
{
    if (outcome->action > ACTION_TEMPFAIL)
        outcome->action = ACTION_TEMPFAIL;
}

struct verdict decision_judge(const struct decision *decision, const struct evidence *evidence,
                              const struct transaction *transaction)
{
    const struct conf *conf = decision->conf;
    const struct policy_site site = {.monitor = conf->monitor && !transaction->as_enforced,
                                     .outage_action = conf->outage_action,
                                     .percent_bits = conf->neighbours};
    struct grace grace = {.state = GRACE_NONE};
    check_set wrong = evidence->true_checks | evidence->expired_checks;
    if (transaction->history != NULL && (wrong & POLICY_GRACE_CHECKS) != 0)
        grace =
            history_grace(transaction->history, conf->clients.keep_s, decision->policy->grace_s,
                          transaction->found_s != 0 ? transaction->found_s : transaction->wall_s);
    if (transaction->others_silent && grace.state != GRACE_GIVEN && decision->policy->grace_s > 0)
        grace = (struct grace){.state = GRACE_UNKNOWN};
    struct verdict verdict = policy_judge(decision->policy, &site, evidence, &grace);
    if (decision->list_silent) {
        defer_at_most(&verdict.done);
        defer_at_most(&verdict.would);
    }
    if (transaction->relay != NULL && verdict.done.action > conf->relay_action)
        verdict.done.action = conf->relay_action;
    return verdict;
}

bool decision_name_is_generic(const struct decision *decision, const char *name)
{
    struct evidence_settings settings = settings_of(decision->conf, decision->policy);
    return evidence_name_is_generic(name, decision->evidence.facts, &settings);
}

/* What match blocks ask about. */
static struct match_subject subject_of(const struct facts *facts,
                                       const struct transaction *transaction)
{
    return (struct match_subject){.facts = facts,
                                  .sender = transaction->sender,
                                  .recipient = transaction->recipient,
                                  .listener = transaction->listener};
}

/* Is there a block with a policy that refuses less, which fits if a DNS list speaks? */
static bool silence_matters(const struct decision *decision, const struct match_subject *subject,
                            int64_t wall_s, bool fits)
{
    const struct conf *conf = decision->conf;
    const struct match *end =
        decision->match != NULL ? decision->match : conf->matches + conf->match_count;
    if (subject->facts->list_count == 0)
        return false;
    for (const struct match *match = conf->matches; match < end; match++)
        if (policy_refuses_less(match->policy, decision->policy) &&
            match_is_silent(match, subject, wall_s, fits))
            return true;
    return false;
}

/* The match block and its policy, and whether they stay the same whatever is awaited. */
static void choose_policy(struct decision *decision, const struct facts *facts,
                          const struct transaction *transaction)
{
    const struct conf *conf = decision->conf;
    const struct match_subject subject = subject_of(facts, transaction);
    decision->match = match_find(conf->matches, conf->match_count, &subject, transaction->wall_s);
    decision->policy = decision->match != NULL ? decision->match->policy : &conf->policies[0];
    decision->list_silent = silence_matters(decision, &subject, transaction->wall_s, true);
    decision->final =
        !transaction->exempt_awaited &&
        (!facts->awaited ||
         (match_is_settled(conf->matches, conf->match_count, &subject, transaction->wall_s) &&
          decision->list_silent ==
              silence_matters(decision, &subject, transaction->wall_s, false)));
}

static void explain_exempt(struct decision *decision)
{
    struct textbuf buf;
    const char *why = decision->exempt;
    textbuf_init(&buf, decision->reason, sizeof decision->reason);
    if (why != NULL) {
        textbuf_put(&buf, DECISION_EXEMPT_WORDS);
    } else {
        why = decision->match->reason;
        textbuf_put(&buf, "exempt by match ");
        textbuf_put_own(&buf, decision->match->name, TITLE_SHOWN_MAX);
    }
    if (why != NULL && why[0] != '\0') {
        textbuf_put(&buf, ": ");
        textbuf_put_own(&buf, why, sizeof decision->reason);
    }
}

void decision_begin(const struct conf *conf, const struct facts *facts,
                    const struct transaction *transaction, struct decision *out)
{
    *out = (struct decision){.conf = conf, .exempt = transaction->exempt, .final = true};
    if (transaction->exempt == NULL)
        choose_policy(out, facts, transaction);
    decision_evaluate(out, facts, transaction->dialogue, &out->evidence);
}

/* The network came again in time, or cannot be remembered: only a tag is left of it. */
static void let_in(struct outcome *outcome)
{
    if (outcome->action == ACTION_GREYLIST)
        outcome->action = ACTION_TAG;
}

static void apply_greylist(struct decision *decision, enum greylist_answer answer)
{
    struct verdict *verdict = &decision->verdict;
    /* A client in grace is not asked for anything that it did not do while it was right. */
    bool in_grace = grace_spares(verdict->would.grace.state);
    if (verdict->done.action == ACTION_GREYLIST && !in_grace)
        decision->greylist = answer;
    if (!in_grace && !greylist_lets_in(decision->greylist))
        return;
    let_in(&verdict->done);
    let_in(&verdict->would);
}

void decision_finish(struct decision *decision, const struct transaction *transaction)
{
    if (decision->policy == NULL) {
        decision->verdict =
            (struct verdict){.done.reason = CHECK_COUNT, .would.reason = CHECK_COUNT};
        explain_exempt(decision);
        return;
    }
    if (decision->evidence.facts->awaited)
        decision_leave_undecided(decision, transaction);
    decision->verdict = decision_judge(decision, &decision->evidence, transaction);
    apply_greylist(decision, transaction->greylist);
    reply_reason(&decision->evidence, verdict_reported(&decision->verdict), decision->reason);
}

void decision_make(const struct conf *conf, const struct facts *facts,
                   const struct transaction *transaction, struct decision *out)
{
    decision_begin(conf, facts, transaction, out);
    decision_finish(out, transaction);
}

void decision_reply(const struct decision *decision, size_t prefix, struct reply *out)
{
    /* Without a policy nothing is refused; a caller that asks all the same gets a sound reply. */
    const struct policy *policy =
        decision->policy != NULL ? decision->policy : &decision->conf->policies[0];
    reply_build(policy, &decision->evidence, verdict_reported(&decision->verdict),
                decision->verdict.done.action, decision->conf->help_url, prefix, out);
}

const char *decision_policy_name(const struct decision *decision)
{
    return decision->policy != NULL ? decision->policy->name : "none";
}

/* --- log line -------------------------------------------------------------------------------- */

void decision_ptr_text(const struct decision *decision, struct textbuf *out)
{
    const struct facts *facts = decision->evidence.facts;
    if (decision->evidence.iprev.confirmed != NULL) {
        textbuf_put(out, decision->evidence.iprev.confirmed->name);
        return;
    }
    for (size_t i = 0; i < facts->name_count; i++) {
        if (i > 0)
            textbuf_put(out, ",");
        textbuf_put(out, facts->names[i].name);
    }
}

bool decision_is_secure(const struct decision *decision)
{
    const struct name_facts *confirmed = decision->evidence.iprev.confirmed;
    return decision->evidence.facts->ptr.secure && (confirmed == NULL || confirmed->forward.secure);
}

const char *decision_cache_text(const struct decision *decision,
                                const struct transaction *transaction)
{
    const struct facts *facts = decision->evidence.facts;
    bool stale =
        dns_evidence_is_stale(&facts->ptr) || dns_evidence_is_stale(&facts->helo_name.forward);
    for (size_t i = 0; i < facts->name_count; i++)
        stale = stale || dns_evidence_is_stale(&facts->names[i].forward);
    if (stale)
        return "stale";
    return transaction->all_cached ? "hit" : "miss";
}

/* Nothing is "-", which no name, address or word that matters is. */
static void put_field(struct textbuf *buf, const char *key, const char *value, size_t max)
{
    textbuf_put_field(buf, key, value != NULL && value[0] != '\0' ? value : "-", max);
}

/* "ptr-generic,helo-disagrees" */
static void put_checks(struct textbuf *buf, check_set set)
{
    bool first = true;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if ((set & CHECK_BIT(i)) == 0)
            continue;
        if (!first)
            textbuf_put(buf, ",");
        first = false;
        textbuf_put(buf, checks[i].name);
    }
    if (first)
        textbuf_put(buf, "-");
}

/* Most clients have none, and to print a fraction is dear. */
static void put_score(struct textbuf *buf, double score)
{
    if (fpclassify(score) == FP_ZERO)
        textbuf_put(buf, " score=0");
    else
        textbuf_printf(buf, " score=%g", score);
}

static void put_grace(struct textbuf *buf, const struct outcome *outcome)
{
    const struct grace *grace = &outcome->grace;
    char date[CALENDAR_DATE_SIZE];
    if (grace->state == GRACE_NONE)
        return;
    textbuf_put_word(buf, "grace", grace_state_text(grace->state));
    if (grace->state == GRACE_UNKNOWN)
        return;
    textbuf_put_word(buf, "right_until", history_date(grace->right_s, date));
    textbuf_put_word(buf, "refused_from", history_date(grace->until_s, date));
}

static void put_evidence(struct textbuf *buf, const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX], names[NAME_SHOWN_MAX + 1];
    struct textbuf ptr;
    textbuf_init(&ptr, names, sizeof names);
    decision_ptr_text(decision, &ptr);
    put_field(buf, "client", ipaddr_format(&facts->client, client), sizeof client);
    put_field(buf, "ptr", names, NAME_SHOWN_MAX);
    textbuf_put_word(buf, "iprev", iprev_result_text(decision->evidence.iprev.result));
    put_field(buf, "helo", facts->helo.kind == HELO_NONE ? NULL : facts->helo.text, NAME_SHOWN_MAX);
    textbuf_put_word(buf, "agreement", agreement_text(decision->evidence.agreement));
    textbuf_put(buf, " checks=");
    put_checks(buf, decision->verdict.would.checks);
    put_score(buf, decision->verdict.would.score);
}

static void put_greylist(struct textbuf *buf, const struct decision *decision)
{
    if (decision->greylist != GREYLIST_NOT_ASKED)
        textbuf_put_word(buf, "greylist", greylist_answer_text(decision->greylist));
}

/* "list.dnswl.org:listed,zen.example:fails" */
static void put_lists(struct textbuf *buf, const struct facts *facts)
{
    char memory[LISTS_SHOWN_MAX + 1];
    struct textbuf lists;
    textbuf_init(&lists, memory, sizeof memory);
    for (size_t i = 0; i < facts->list_count; i++)
        textbuf_printf(&lists, "%s%s:%s", i > 0 ? "," : "", facts->lists[i].zone,
                       dnslist_state_text(dnslist_state(&facts->lists[i])));
    if (facts->list_count > 0)
        textbuf_put_word(buf, "lists", memory);
}

void decision_log_line(const struct decision *decision, const struct transaction *transaction,
                       char out[DECISION_LINE_MAX])
{
    const struct verdict *verdict = &decision->verdict;
    char relay[IPADDR_TEXT_MAX];
    struct textbuf buf;
    textbuf_init(&buf, out, DECISION_LINE_MAX);
    put_evidence(&buf, decision);
    textbuf_put_word(&buf, "action", action_text(verdict->done.action));
    textbuf_put_word(&buf, "mode", decision->conf->monitor ? "monitor" : "enforce");
    textbuf_put_own_field(&buf, "policy", decision_policy_name(decision), TITLE_SHOWN_MAX);
    textbuf_put_own_field(&buf, "match", decision->match != NULL ? decision->match->name : "-",
                          TITLE_SHOWN_MAX);
    put_field(&buf, "stage", transaction->stage, ID_SHOWN_MAX);
    put_field(&buf, "mta", transaction->mta, MTA_SHOWN_MAX);
    textbuf_put_number(&buf, "dns_ms", transaction->dns_ms < 0 ? 0 : (uint64_t)transaction->dns_ms);
    textbuf_put_word(&buf, "cache", decision_cache_text(decision, transaction));
    put_field(&buf, "queue_id", transaction->queue_id, ID_SHOWN_MAX);
    /* The null sender is "", not nothing. */
    textbuf_put_field(&buf, "sender", transaction->sender != NULL ? transaction->sender : "-",
                      ADDRESS_SHOWN_MAX);
    put_field(&buf, "recipient", transaction->recipient, ADDRESS_SHOWN_MAX);
    if (transaction->relay != NULL)
        put_field(&buf, "relay", ipaddr_format(transaction->relay, relay), sizeof relay);
    if (decision_is_secure(decision))
        textbuf_put_word(&buf, "secure", "yes");
    put_lists(&buf, decision->evidence.facts);
    if (verdict->would.action != verdict->done.action)
        textbuf_put_word(&buf, "would", action_text(verdict->would.action));
    put_greylist(&buf, decision);
    if (decision->undecided != 0) {
        textbuf_put(&buf, " undecided=");
        put_checks(&buf, decision->undecided);
    }
    put_grace(&buf, verdict_reported(verdict));
    if (decision->reason[0] != '\0')
        textbuf_put_sentence(&buf, "reason", decision->reason);
}

/* --- headers --------------------------------------------------------------------------------- */

/* RFC 2045 5.1: what needs no quotes.  Names and addresses are made of the first few. */
static bool is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-')
        return true;
    return c > ' ' && c <= '~' && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static bool is_token(const char *text)
{
    size_t length = 0;
    while (is_token_char(text[length]))
        length++;
    return length > 0 && text[length] == '\0';
}

/* RFC 8601 2.2: a "value" is a token or a quoted string; an IPv6 address is no token. */
static void put_value(struct textbuf *buf, const char *text, size_t max)
{
    if (is_token(text)) {
        textbuf_put_untrusted(buf, text, max);
        return;
    }
    textbuf_put(buf, "\"");
    for (size_t i = 0; text[i] != '\0' && i < max; i++) {
        const char pair[3] = {'\\', text[i], '\0'};
        if (text[i] >= ' ' && text[i] <= '~')
            textbuf_put(buf, text[i] == '"' || text[i] == '\\' ? pair : pair + 1);
    }
    textbuf_put(buf, "\"");
}

/* What a reader of the header wants to know of a result, in the words of the checks. */
static void put_iprev_comment(const struct evidence *evidence, struct textbuf *out)
{
    switch (evidence->iprev.result) {
    case IPREV_PASS:
        if (evidence->iprev.confirmed != NULL)
            textbuf_put(out, evidence->iprev.confirmed->name);
        break;
    case IPREV_FAIL:
        checks[(evidence->true_checks & CHECK_BIT(CHECK_PTR_INVALID)) != 0 ? CHECK_PTR_INVALID
                                                                           : CHECK_PTR_MISMATCH]
            .explain(evidence, out);
        break;
    case IPREV_TEMPERROR:
        checks[evidence->iprev.failed || evidence->iprev.expired ? CHECK_DNS_TEMPERROR
                                                                 : CHECK_PTR_EXCESS]
            .explain(evidence, out);
        break;
    case IPREV_PERMERROR:
        checks[CHECK_PTR_MISSING].explain(evidence, out);
        break;
    }
}

/* A sentence of ours as a comment of RFC 5322: printable already, so only quoted pairs are needed.
 */
static void put_comment(struct textbuf *buf, const char *sentence)
{
    textbuf_put(buf, " (");
    if (strpbrk(sentence, "()\\") == NULL) {
        textbuf_put(buf, sentence);
        sentence = "";
    }
    for (; *sentence != '\0'; sentence++) {
        const char pair[3] = {'\\', *sentence, '\0'};
        textbuf_put(buf, strchr("()\\", *sentence) != NULL ? pair : pair + 1);
    }
    textbuf_put(buf, ")");
}

void decision_auth_results(const struct decision *decision, const char *authserv_id,
                           char out[DECISION_HEADER_MAX])
{
    char client[IPADDR_TEXT_MAX], comment[REASON_MAX];
    struct textbuf buf, words;
    textbuf_init(&buf, out, DECISION_HEADER_MAX - sizeof "Authentication-Results: ");
    textbuf_init(&words, comment, sizeof comment);
    put_value(&buf, authserv_id, NAME_SHOWN_MAX);
    textbuf_put(&buf, "; iprev=");
    textbuf_put(&buf, iprev_result_text(decision->evidence.iprev.result));
    textbuf_put(&buf, " policy.iprev=");
    put_value(&buf, ipaddr_format(&decision->evidence.facts->client, client), sizeof client);
    put_iprev_comment(&decision->evidence, &words);
    if (decision_is_secure(decision))
        textbuf_put(&words, ", DNSSEC");
    if (comment[0] != '\0')
        put_comment(&buf, comment);
}

void decision_tag_header(const struct decision *decision, char out[DECISION_HEADER_MAX])
{
    struct textbuf buf;
    textbuf_init(&buf, out, DECISION_HEADER_MAX - sizeof "X-Iprevd: ");
    textbuf_put(&buf, action_text(decision->verdict.done.action));
    put_score(&buf, decision->verdict.would.score);
    textbuf_put(&buf, " checks=");
    put_checks(&buf, decision->verdict.would.checks);
    textbuf_put_word(&buf, "agreement", agreement_text(decision->evidence.agreement));
    textbuf_put_word(&buf, "iprev", iprev_result_text(decision->evidence.iprev.result));
    put_field(&buf, "policy", decision_policy_name(decision), TITLE_SHOWN_MAX);
    put_grace(&buf, &decision->verdict.done);
    put_greylist(&buf, decision);
    if (decision->reason[0] != '\0')
        textbuf_put_sentence(&buf, "reason", decision->reason);
}
