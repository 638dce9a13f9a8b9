/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision as JSON: the log line's keys, and the evidence of every question. */
#include "site/decision_text.h"
#include "site/json.h"

#include <stdio.h>
#include <time.h>

static const char *outcome_text(enum dns_outcome outcome)
{
    static const char *const texts[] = {
        [DNS_NOT_ASKED] = "not-asked", [DNS_FOUND] = "found",         [DNS_NODATA] = "nodata",
        [DNS_NXDOMAIN] = "nxdomain",   [DNS_TEMPERROR] = "temperror",
    };
    return texts[outcome];
}

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
static void put_dns(struct jsonout *json, const struct dns_evidence *dns)
{
    jsonout_text(json, "outcome", outcome_text(dns->outcome));
    if (dns->outcome == DNS_NOT_ASKED)
        return;
    jsonout_text(json, "origin", origin_text(dns->origin));
    jsonout_bool(json, "secure", dns->secure);
    jsonout_int(json, "ttl", dns->ttl_s);
    jsonout_int(json, "took_ms", dns->took_ms);
    jsonout_text(json, "server", dns->server);
    jsonout_text(json, "problem", dns->problem);
}

static void put_question(struct jsonout *json, const char *key, const struct dns_evidence *dns)
{
    jsonout_begin_object(json, key);
    put_dns(json, dns);
    jsonout_end(json);
}

static void put_addresses(struct jsonout *json, const struct name_facts *name)
{
    char text[IPADDR_TEXT_MAX];
    jsonout_begin_list(json, "addresses");
    for (size_t i = 0; i < name->address_count; i++)
        jsonout_text(json, NULL, ipaddr_format(&name->addresses[i], text));
    jsonout_end(json);
}

static void put_names(struct jsonout *json, const struct facts *facts)
{
    jsonout_begin_list(json, "names");
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        jsonout_begin_object(json, NULL);
        jsonout_text(json, "name", name->name);
        jsonout_bool(json, "confirmed", iprev_confirms(facts, name));
        if (name->flaw != HOSTNAME_OK)
            jsonout_text(json, "flaw", hostname_flaw_text(name->flaw));
        put_addresses(json, name);
        put_dns(json, &name->forward);
        jsonout_end(json);
    }
    jsonout_end(json);
    jsonout_int(json, "names_over", (int64_t)facts->names_over);
}

static void put_helo(struct jsonout *json, const struct facts *facts)
{
    jsonout_begin_object(json, "helo_lookup");
    jsonout_text(json, "name", facts->helo_name.name);
    put_addresses(json, &facts->helo_name);
    put_dns(json, &facts->helo_name.forward);
    jsonout_end(json);
    put_question(json, "helo_other", &facts->helo_other);
    put_question(json, "helo_mx", &facts->helo_mx);
}

static void put_check_list(struct jsonout *json, const char *key, check_set set)
{
    jsonout_begin_list(json, key);
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((set & CHECK_BIT(i)) != 0)
            jsonout_text(json, NULL, checks[i].name);
    jsonout_end(json);
}

/* Every true check with what it found, what it would do, and who can mend it. */
static void put_details(struct jsonout *json, const struct decision *decision)
{
    jsonout_begin_list(json, "check_details");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        char memory[REASON_MAX];
        struct textbuf explanation;
        if ((decision->verdict.checks & CHECK_BIT(i)) == 0)
            continue;
        textbuf_init(&explanation, memory, sizeof memory);
        checks[i].explain(&decision->evidence, &explanation);
        jsonout_begin_object(json, NULL);
        jsonout_text(json, "check", checks[i].name);
        jsonout_text(json, "action", action_text(decision->policy->rules[i].action));
        jsonout_real(json, "score", decision->policy->rules[i].score);
        jsonout_bool(json, "enforced", (decision->verdict.enforced & CHECK_BIT(i)) != 0);
        jsonout_sentence(json, "explanation", memory);
        jsonout_text(json, "mend", checks[i].mend);
        jsonout_end(json);
    }
    jsonout_end(json);
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void put_evidence(struct jsonout *json, const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX], names[DECISION_PTR_MAX];
    struct textbuf ptr;
    textbuf_init(&ptr, names, sizeof names);
    decision_ptr_text(decision, &ptr);
    jsonout_text(json, "client", ipaddr_format(&facts->client, client));
    jsonout_text(json, "ptr", or_null(names));
    jsonout_text(json, "iprev", iprev_result_text(decision->evidence.iprev.result));
    jsonout_text(json, "helo", facts->helo.kind == HELO_NONE ? NULL : facts->helo.text);
    jsonout_text(json, "agreement", agreement_text(decision->evidence.agreement));
    put_check_list(json, "checks", decision->verdict.checks);
    jsonout_real(json, "score", decision->verdict.score);
}

static void put_occasion(struct jsonout *json, const struct decision *decision,
                         const struct occasion *occasion)
{
    char relay[IPADDR_TEXT_MAX];
    jsonout_text(json, "action", action_text(decision->verdict.action));
    jsonout_text(json, "mode", decision->conf->monitor ? "monitor" : "enforce");
    jsonout_text(json, "policy", decision_policy_name(decision));
    jsonout_text(json, "match", decision->match != NULL ? decision->match->name : NULL);
    jsonout_text(json, "stage", occasion->stage);
    jsonout_text(json, "mta", occasion->mta);
    jsonout_int(json, "dns_ms", occasion->dns_ms);
    jsonout_text(json, "cache", decision_cache_text(decision, occasion));
    jsonout_text(json, "queue_id", occasion->queue_id);
    jsonout_text(json, "sender", occasion->sender);
    jsonout_text(json, "recipient", occasion->recipient);
    jsonout_text(json, "relay",
                 occasion->relay != NULL ? ipaddr_format(occasion->relay, relay) : NULL);
    jsonout_bool(json, "secure", decision_is_secure(decision));
    jsonout_text(json, "would", action_text(decision->verdict.would));
    jsonout_sentence(json, "reason", or_null(decision->reason));
}

static void put_more(struct jsonout *json, const struct decision *decision)
{
    enum check_id id = decision->verdict.reason;
    const struct facts *facts = decision->evidence.facts;
    jsonout_text(json, "mend", id < CHECK_COUNT ? checks[id].mend : NULL);
    put_check_list(json, "enforced", decision->verdict.enforced);
    put_details(json, decision);
    jsonout_text(json, "match_reason", decision->match != NULL ? decision->match->reason : NULL);
    if (decision->match != NULL)
        jsonout_int(json, "match_line", decision->match->line);
    else
        jsonout_text(json, "match_line", NULL);
    jsonout_text(json, "generic", or_null(decision->evidence.generic.why));
    jsonout_bool(json, "resolver_down", facts->resolver_down);
    put_question(json, "ptr_lookup", &facts->ptr);
    put_names(json, facts);
    put_helo(json, facts);
}

static void put_time(struct jsonout *json, int64_t wall_s)
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    char text[32];
    if (gmtime_r(&wall, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        jsonout_text(json, "time", NULL);
    else
        jsonout_text(json, "time", text);
}

char *decision_json(const struct decision *decision, const struct occasion *occasion)
{
    struct jsonout *json = jsonout_new();
    if (json == NULL)
        return NULL;
    put_time(json, occasion->wall_s);
    put_evidence(json, decision);
    put_occasion(json, decision, occasion);
    put_more(json, decision);
    char *line = jsonout_line(json);
    jsonout_free(json);
    return line;
}
