/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/evidence.h"

#include <inttypes.h>

/* Bytes of foreign text on one line of the report. */
#define FOREIGN_MAX 256

struct page {
    FILE *stream;
    bool colour;
};

/* Foreign text, harmless for a terminal. */
static void put_foreign(const struct page *page, const char *text)
{
    char memory[FOREIGN_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_foreign(&buf, text, FOREIGN_MAX);
    (void)fputs(memory, page->stream);
}

static void put_label(const struct page *page, const char *label)
{
    (void)fprintf(page->stream, page->colour ? "\033[1m%-11s\033[0m" : "%-11s", label);
}

static const char *outcome_text(enum dns_outcome outcome)
{
    static const char *const texts[] = {"not asked", "found", "no such record (NODATA)",
                                        "no such name (NXDOMAIN)", "temporary failure"};
    return texts[outcome];
}

/* "[127.0.0.1:53, ttl 3600, 12 ms, DNSSEC]" */
static void put_origin(const struct page *page, const struct dns_evidence *evidence)
{
    static const char *const origins[] = {"network", "cache", "stale cache", "zone file"};
    if (evidence->outcome == DNS_NOT_ASKED)
        return;
    const char *from = evidence->origin == DNS_FROM_NETWORK && evidence->server != NULL
                           ? evidence->server
                           : origins[evidence->origin];
    (void)fprintf(page->stream, "  [%s", from);
    if (evidence->outcome != DNS_TEMPERROR)
        (void)fprintf(page->stream, ", ttl %" PRIu32, evidence->ttl_s);
    (void)fprintf(page->stream, ", %" PRIu32 " ms%s]", evidence->took_ms,
                  evidence->secure ? ", DNSSEC" : "");
}

static void put_outcome(const struct page *page, const struct dns_evidence *evidence)
{
    (void)fputs(outcome_text(evidence->outcome), page->stream);
    if (evidence->outcome == DNS_TEMPERROR && evidence->problem != NULL)
        (void)fprintf(page->stream, " (%s)", evidence->problem);
    put_origin(page, evidence);
    (void)fputc('\n', page->stream);
}

static void put_name(const struct page *page, const struct facts *facts,
                     const struct name_facts *name)
{
    char text[IPADDR_TEXT_MAX];
    const char *type = facts->client.family == IP_V6 ? "AAAA" : "A";
    put_foreign(page, name->name);
    if (name->flaw != HOSTNAME_OK) {
        (void)fprintf(page->stream, " %s\n", hostname_flaw_text(name->flaw));
        return;
    }
    (void)fprintf(page->stream, " %s ", type);
    if (name->forward.outcome != DNS_FOUND) {
        put_outcome(page, &name->forward);
        return;
    }
    for (size_t i = 0; i < name->address_count; i++)
        (void)fprintf(page->stream, "%s%s%s", i > 0 ? ", " : "",
                      ipaddr_format(&name->addresses[i], text),
                      ipaddr_equal(&name->addresses[i], &facts->client) ? " (the client)" : "");
    put_origin(page, &name->forward);
    (void)fputc('\n', page->stream);
}

static void put_reverse(const struct page *page, const struct facts *facts)
{
    char reverse[IPADDR_REVERSE_MAX];
    put_label(page, "PTR");
    (void)fprintf(page->stream, "%s ", ipaddr_reverse_name(&facts->client, reverse));
    if (facts->ptr.outcome != DNS_FOUND) {
        put_outcome(page, &facts->ptr);
        return;
    }
    (void)fprintf(page->stream, "%zu name%s", facts->name_count, facts->name_count == 1 ? "" : "s");
    put_origin(page, &facts->ptr);
    (void)fputc('\n', page->stream);
    for (size_t i = 0; i < facts->name_count; i++) {
        put_label(page, "");
        put_name(page, facts, &facts->names[i]);
    }
    if (facts->names_over > 0) {
        put_label(page, "");
        (void)fprintf(page->stream, "%zu more names were not looked up (max-ptr)\n",
                      facts->names_over);
    }
}

static void put_helo(const struct page *page, const struct facts *facts)
{
    put_label(page, "EHLO");
    if (facts->helo.kind == HELO_NONE) {
        (void)fputs("not given (--helo NAME)\n", page->stream);
        return;
    }
    if (facts->helo_name.name != NULL) {
        put_name(page, facts, &facts->helo_name);
        if (facts->helo_other.outcome != DNS_NOT_ASKED) {
            put_label(page, "");
            (void)fprintf(page->stream, "%s ", facts->client.family == IP_V6 ? "A" : "AAAA");
            put_outcome(page, &facts->helo_other);
        }
        if (facts->helo_mx.outcome != DNS_NOT_ASKED) {
            put_label(page, "");
            (void)fputs("MX ", page->stream);
            put_outcome(page, &facts->helo_mx);
        }
        return;
    }
    put_foreign(page, facts->helo.text);
    (void)fputc('\n', page->stream);
}

static void put_checks(const struct page *page, const struct decision *decision)
{
    const struct verdict *verdict = &decision->verdict;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((verdict->checks & CHECK_BIT(i)) == 0)
            continue;
        const struct check_rule *rule = &decision->policy->rules[i];
        char memory[REASON_MAX];
        struct textbuf buf;
        textbuf_init(&buf, memory, sizeof memory);
        checks[i].explain(&decision->evidence, &buf);
        put_label(page, "check");
        (void)fprintf(page->stream, "%s: %s, score %.1f%s\n", checks[i].name,
                      action_text(rule->action), rule->score,
                      (verdict->enforced & CHECK_BIT(i)) != 0 ? "" : " (not enforced)");
        put_label(page, "");
        (void)fprintf(page->stream, "%s\n", memory);
        put_label(page, "mend");
        (void)fprintf(page->stream, "%s\n", checks[i].mend);
    }
}

static void put_verdict(const struct page *page, const struct decision *decision,
                        const struct reply *reply)
{
    static const char *const colours[] = {"32", "33", "33", "35", "31"};
    const struct verdict *verdict = &decision->verdict;
    put_label(page, "verdict");
    if (page->colour)
        (void)fprintf(page->stream, "\033[1;%sm%s\033[0m", colours[verdict->action],
                      action_text(verdict->action));
    else
        (void)fputs(action_text(verdict->action), page->stream);
    if (verdict->would != verdict->action)
        (void)fprintf(page->stream, " (enforced it would be %s)", action_text(verdict->would));
    (void)fprintf(page->stream, ", score %.1f, policy %s", verdict->score,
                  decision_policy_name(decision));
    if (decision->match != NULL) {
        (void)fprintf(page->stream, ", match \"%s\" (%s:%u", decision->match->name,
                      decision->conf->path, decision->match->line);
        if (decision->match->reason != NULL)
            (void)fprintf(page->stream, ": %s", decision->match->reason);
        (void)fputc(')', page->stream);
    }
    (void)fputc('\n', page->stream);
    for (size_t i = 0; reply != NULL && i < reply->line_count; i++) {
        put_label(page, i == 0 ? "reply" : "");
        (void)fprintf(page->stream, "%s%c%s %s\n", reply->code,
                      i + 1 < reply->line_count ? '-' : ' ', reply->xcode, reply->lines[i]);
    }
}

void evidence_print(FILE *stream, const struct decision *decision, const struct occasion *occasion,
                    const struct reply *reply, bool colour)
{
    const struct page page = {stream, colour};
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX];
    put_label(&page, "client");
    (void)fprintf(stream, "%s\n", ipaddr_format(&facts->client, client));
    put_reverse(&page, facts);
    put_helo(&page, facts);
    put_label(&page, "iprev");
    (void)fprintf(stream, "%s", iprev_result_text(decision->evidence.iprev.result));
    if (decision->evidence.iprev.confirmed != NULL)
        (void)fprintf(stream, " (%s)", decision->evidence.iprev.confirmed->name);
    (void)fprintf(stream, ", agreement %s, DNS %" PRId64 " ms\n",
                  agreement_text(decision->evidence.agreement), occasion->dns_ms);
    if (decision->policy != NULL)
        put_checks(&page, decision);
    put_verdict(&page, decision, reply);
}
