/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision as JSON: the log line's keys, and the evidence of every question. */
#include "site/decision_text.h"
#include "site/json.h"

#include <stdio.h>
#include <time.h>

static const char *origin_text(enum dns_origin origin)
{
    static const char *const texts[] = {
        [DNS_FROM_NETWORK] = "network",
        [DNS_FROM_CACHE] = "cache",
        [DNS_FROM_STALE] = "stale",
        [DNS_FROM_ZONE] = "zone",
    };
    return texts[origin];
}

/* Members of the object that is open. */
static void put_dns(struct json_writer *json, const struct dns_evidence *dns)
{
    json_writer_text(json, "outcome", dns_outcome_key(dns->outcome));
    if (dns->outcome == DNS_NOT_ASKED)
        return;
    json_writer_text(json, "origin", origin_text(dns->origin));
    json_writer_bool(json, "secure", dns->secure);
    json_writer_int(json, "ttl", dns->ttl_s);
    json_writer_int(json, "took_ms", dns->took_ms);
    json_writer_text(json, "server", dns->server);
    json_writer_text(json, "problem", dns->problem);
}

static void put_question(struct json_writer *json, const char *key, const struct dns_evidence *dns)
{
    json_writer_begin_object(json, key);
    put_dns(json, dns);
    json_writer_end(json);
}

static void put_addresses(struct json_writer *json, const struct name_facts *name)
{
    char text[IPADDR_TEXT_MAX];
    json_writer_begin_list(json, "addresses");
    for (size_t i = 0; i < name->address_count; i++)
        json_writer_text(json, NULL, ipaddr_format(&name->addresses[i], text));
    json_writer_end(json);
}

static void put_names(struct json_writer *json, const struct facts *facts)
{
    json_writer_begin_list(json, "names");
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "name", name->name);
        json_writer_bool(json, "confirmed", name->confirmed);
        if (name->flaw != HOSTNAME_OK)
            json_writer_text(json, "flaw", hostname_flaw_text(name->flaw));
        put_addresses(json, name);
        put_dns(json, &name->forward);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_int(json, "names_over", (int64_t)facts->names_over);
}

static void put_helo(struct json_writer *json, const struct facts *facts)
{
    json_writer_begin_object(json, "helo_lookup");
    json_writer_text(json, "name", facts->helo_name.name);
    put_addresses(json, &facts->helo_name);
    put_dns(json, &facts->helo_name.forward);
    json_writer_end(json);
    put_question(json, "helo_other", &facts->helo_other);
    put_question(json, "helo_mx", &facts->helo_mx);
}

static void put_lists(struct json_writer *json, const struct facts *facts)
{
    char text[IPADDR_TEXT_MAX];
    json_writer_begin_list(json, "lists");
    for (size_t i = 0; i < facts->list_count; i++) {
        const struct list_facts *list = &facts->lists[i];
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "zone", list->zone);
        json_writer_text(json, "says", dnslist_state_text(dnslist_state(list)));
        json_writer_begin_list(json, "addresses");
        for (size_t j = 0; j < list->address_count; j++)
            json_writer_text(json, NULL, ipaddr_format(&list->addresses[j], text));
        json_writer_end(json);
        put_dns(json, &list->answer);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_check_list(struct json_writer *json, const char *key, check_set set)
{
    json_writer_begin_list(json, key);
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((set & CHECK_BIT(i)) != 0)
            json_writer_text(json, NULL, checks[i].name);
    json_writer_end(json);
}

/* Who can fix it; its name in 1.0 was "mend". */
static void put_fix(struct json_writer *json, const struct evidence *evidence, enum check_id id)
{
    char memory[REASON_MAX];
    struct textbuf text;
    textbuf_init(&text, memory, sizeof memory);
    if (id < CHECK_COUNT)
        checks[id].fix(evidence, &text);
    json_writer_sentence(json, "fix", id < CHECK_COUNT ? memory : NULL);
    json_writer_sentence(json, "mend", id < CHECK_COUNT ? memory : NULL);
}

/* Every true check with what it found, what it would do, and who can fix it. */
static void put_details(struct json_writer *json, const struct decision *decision)
{
    json_writer_begin_list(json, "check_details");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        char memory[REASON_MAX];
        struct textbuf explanation;
        if ((decision->verdict.would.checks & CHECK_BIT(i)) == 0)
            continue;
        textbuf_init(&explanation, memory, sizeof memory);
        checks[i].explain(&decision->evidence, &explanation);
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "check", checks[i].name);
        json_writer_text(json, "action", action_text(decision->policy->rules[i].action));
        json_writer_real(json, "score", decision->policy->rules[i].score);
        json_writer_bool(json, "enforced", (decision->verdict.done.checks & CHECK_BIT(i)) != 0);
        json_writer_sentence(json, "explanation", memory);
        put_fix(json, &decision->evidence, (enum check_id)i);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void put_evidence(struct json_writer *json, const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX], names[DECISION_PTR_MAX];
    struct textbuf ptr;
    textbuf_init(&ptr, names, sizeof names);
    decision_ptr_text(decision, &ptr);
    json_writer_text(json, "client", ipaddr_format(&facts->client, client));
    json_writer_text(json, "ptr", or_null(names));
    json_writer_text(json, "iprev", iprev_result_text(decision->evidence.iprev.result));
    json_writer_text(json, "helo", facts->helo.kind == HELO_NONE ? NULL : facts->helo.text);
    json_writer_text(json, "agreement", agreement_text(decision->evidence.agreement));
    put_check_list(json, "checks", decision->verdict.would.checks);
    json_writer_real(json, "score", decision->verdict.would.score);
}

static void put_time(struct json_writer *json, const char *key, int64_t wall_s)
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    char text[32];
    if (wall_s == 0 || gmtime_r(&wall, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        json_writer_text(json, key, NULL);
    else
        json_writer_text(json, key, text);
}

/* Of a client that was right before. */
static void put_grace(struct json_writer *json, const struct grace *grace)
{
    char date[CALENDAR_DATE_SIZE];
    json_writer_text(json, "grace",
                     grace->state != GRACE_NONE ? grace_state_text(grace->state) : NULL);
    json_writer_text(json, "right_until",
                     grace->right_s != 0 ? history_date(grace->right_s, date) : NULL);
    put_time(json, "failing_since", grace->failed_s);
    put_time(json, "refused_from", grace->until_s);
}

static void put_transaction(struct json_writer *json, const struct decision *decision,
                            const struct transaction *transaction)
{
    char relay[IPADDR_TEXT_MAX];
    json_writer_text(json, "action", action_text(decision->verdict.done.action));
    json_writer_text(json, "mode", decision->conf->monitor ? "monitor" : "enforce");
    json_writer_text(json, "policy", decision_policy_name(decision));
    json_writer_text(json, "match", decision->match != NULL ? decision->match->name : NULL);
    json_writer_text(json, "stage", transaction->stage);
    json_writer_text(json, "mta", transaction->mta);
    json_writer_int(json, "dns_ms", transaction->dns_ms);
    json_writer_text(json, "cache", decision_cache_text(decision, transaction));
    json_writer_text(json, "queue_id", transaction->queue_id);
    json_writer_text(json, "sender", transaction->sender);
    json_writer_text(json, "recipient", transaction->recipient);
    json_writer_text(json, "relay",
                     transaction->relay != NULL ? ipaddr_format(transaction->relay, relay) : NULL);
    json_writer_bool(json, "secure", decision_is_secure(decision));
    json_writer_text(json, "would", action_text(decision->verdict.would.action));
    json_writer_text(
        json, "greylist",
        decision->greylist != GREYLIST_NOT_ASKED ? greylist_answer_text(decision->greylist) : NULL);
    put_check_list(json, "undecided", decision->undecided);
    put_grace(json, &verdict_reported(&decision->verdict)->grace);
    json_writer_sentence(json, "reason", or_null(decision->reason));
}

static void put_more(struct json_writer *json, const struct decision *decision)
{
    enum check_id id = verdict_reported(&decision->verdict)->reason;
    const struct facts *facts = decision->evidence.facts;
    put_fix(json, &decision->evidence, id);
    put_check_list(json, "enforced", decision->verdict.done.checks);
    put_details(json, decision);
    json_writer_text(json, "match_reason",
                     decision->match != NULL ? decision->match->reason : NULL);
    json_writer_text(json, "match_file", decision->match != NULL ? decision->match->file : NULL);
    if (decision->match != NULL)
        json_writer_int(json, "match_line", decision->match->line);
    else
        json_writer_text(json, "match_line", NULL);
    json_writer_text(json, "generic", or_null(decision->evidence.generic.why));
    json_writer_bool(json, "resolver_down", facts->resolver_down);
    put_question(json, "ptr_lookup", &facts->ptr);
    put_names(json, facts);
    put_helo(json, facts);
    put_lists(json, facts);
}

char *decision_json(const struct decision *decision, const struct transaction *transaction)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return NULL;
    put_time(json, "time", transaction->wall_s);
    put_evidence(json, decision);
    put_transaction(json, decision, transaction);
    put_more(json, decision);
    char *line = json_writer_line(json);
    json_writer_free(json);
    return line;
}
