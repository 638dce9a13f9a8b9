/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision as one JSON object: the keys of the log line, and the evidence. */
#include "site/decision.h"
#include "site/jsonout.h"

static void put_evidence(struct jsonout *out, struct json_t *object,
                         const struct dns_evidence *evidence)
{
    static const char *const outcomes[] = {"not asked", "found", "nodata", "nxdomain", "temperror"};
    static const char *const origins[] = {"network", "cache", "stale", "zone"};
    jsonout_text(out, object, "outcome", outcomes[evidence->outcome]);
    if (evidence->outcome == DNS_NOT_ASKED)
        return;
    jsonout_text(out, object, "origin", origins[evidence->origin]);
    jsonout_boolean(out, object, "secure", evidence->secure);
    jsonout_integer(out, object, "ttl", evidence->ttl_s);
    jsonout_integer(out, object, "took_ms", evidence->took_ms);
    jsonout_text(out, object, "server", evidence->server);
    jsonout_text(out, object, "problem", evidence->problem);
}

static void put_name(struct jsonout *out, struct json_t *object, const struct facts *facts,
                     const struct name_facts *name)
{
    jsonout_text(out, object, "name", name->name);
    jsonout_text(out, object, "type", facts->client.family == IP_V6 ? "AAAA" : "A");
    if (name->flaw != HOSTNAME_OK) {
        jsonout_text(out, object, "flaw", hostname_flaw_text(name->flaw));
        return;
    }
    put_evidence(out, object, &name->forward);
    jsonout_boolean(out, object, "confirms", iprev_confirms(facts, name));
    struct json_t *addresses = jsonout_array(out, object, "addresses");
    for (size_t i = 0; i < name->address_count; i++) {
        char text[IPADDR_TEXT_MAX];
        jsonout_add_text(out, addresses, ipaddr_format(&name->addresses[i], text));
    }
}

static void put_dns(struct jsonout *out, const struct facts *facts)
{
    char reverse[IPADDR_REVERSE_MAX];
    struct json_t *dns = jsonout_object(out, out->root, "dns");
    struct json_t *ptr = jsonout_object(out, dns, "ptr");
    jsonout_text(out, ptr, "name", ipaddr_reverse_name(&facts->client, reverse));
    put_evidence(out, ptr, &facts->ptr);
    jsonout_integer(out, ptr, "not_looked_up", (int64_t)facts->names_over);
    struct json_t *names = jsonout_array(out, dns, "names");
    for (size_t i = 0; i < facts->name_count; i++)
        put_name(out, jsonout_add_object(out, names), facts, &facts->names[i]);
    if (facts->helo_name.name == NULL)
        return;
    put_name(out, jsonout_object(out, dns, "helo"), facts, &facts->helo_name);
    put_evidence(out, jsonout_object(out, dns, "helo_other_family"), &facts->helo_other);
    put_evidence(out, jsonout_object(out, dns, "helo_mx"), &facts->helo_mx);
}

static void put_checks(struct jsonout *out, const struct decision *decision)
{
    const struct verdict *verdict = &decision->verdict;
    struct json_t *list = jsonout_array(out, out->root, "checks");
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if ((verdict->checks & CHECK_BIT(i)) != 0)
            jsonout_add_text(out, list, checks[i].name);
    struct json_t *details = jsonout_array(out, out->root, "check_details");
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((verdict->checks & CHECK_BIT(i)) == 0)
            continue;
        char memory[REASON_MAX];
        struct textbuf buf;
        struct json_t *detail = jsonout_add_object(out, details);
        textbuf_init(&buf, memory, sizeof memory);
        checks[i].explain(&decision->evidence, &buf);
        jsonout_text(out, detail, "check", checks[i].name);
        jsonout_text(out, detail, "action", action_text(decision->policy->rules[i].action));
        jsonout_number(out, detail, "score", decision->policy->rules[i].score);
        jsonout_boolean(out, detail, "enforced", (verdict->enforced & CHECK_BIT(i)) != 0);
        jsonout_text(out, detail, "explanation", memory);
        jsonout_text(out, detail, "mend", checks[i].mend);
    }
}

static void put_match(struct jsonout *out, const struct decision *decision)
{
    const struct match *match = decision->match;
    jsonout_text(out, out->root, "policy", decision_policy_name(decision));
    jsonout_text(out, out->root, "match", match != NULL ? match->name : NULL);
    if (match == NULL)
        return;
    jsonout_integer(out, out->root, "match_line", match->line);
    jsonout_text(out, out->root, "match_reason", match->reason);
}

char *decision_json(const struct decision *decision, const struct occasion *occasion)
{
    const struct facts *facts = decision->evidence.facts;
    const struct verdict *verdict = &decision->verdict;
    char client[IPADDR_TEXT_MAX];
    struct jsonout out;
    jsonout_begin(&out);
    jsonout_integer(&out, out.root, "time", occasion->wall_s);
    jsonout_text(&out, out.root, "client", ipaddr_format(&facts->client, client));
    jsonout_text(&out, out.root, "ptr", decision_ptr(decision));
    jsonout_text(&out, out.root, "iprev", iprev_result_text(decision->evidence.iprev.result));
    jsonout_text(&out, out.root, "helo", facts->helo.kind == HELO_NONE ? NULL : facts->helo.text);
    jsonout_text(&out, out.root, "agreement", agreement_text(decision->evidence.agreement));
    put_checks(&out, decision);
    jsonout_number(&out, out.root, "score", verdict->score);
    jsonout_text(&out, out.root, "action", action_text(verdict->action));
    jsonout_text(&out, out.root, "would", action_text(verdict->would));
    jsonout_text(&out, out.root, "mode", decision->conf->monitor ? "monitor" : "enforce");
    put_match(&out, decision);
    jsonout_text(&out, out.root, "exempt", decision->exempt);
    jsonout_text(&out, out.root, "stage", occasion->stage);
    jsonout_text(&out, out.root, "mta", occasion->mta);
    jsonout_integer(&out, out.root, "dns_ms", occasion->dns_ms);
    jsonout_text(&out, out.root, "cache", decision_cache(decision, occasion));
    jsonout_boolean(&out, out.root, "secure", decision_secure(decision));
    jsonout_text(&out, out.root, "queue_id", occasion->queue_id);
    jsonout_text(&out, out.root, "sender", occasion->sender);
    jsonout_text(&out, out.root, "recipient", occasion->recipient);
    jsonout_text(&out, out.root, "reason", decision->reason);
    put_dns(&out, facts);
    return jsonout_finish(&out);
}
