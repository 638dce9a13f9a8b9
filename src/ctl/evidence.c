/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/evidence.h"

#include "base/plural.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Bytes of untrusted text on one line of the report. */
#define UNTRUSTED_MAX 256

/* Width of the labels on the left. */
#define LABEL_WIDTH 11

#define TIME_TEXT_MAX 32

#define REPLY_SHOWN_MAX 1024 /* of one line of a reply */

static void put_shown(const struct evidence_page *page, const char *text, textbuf_put_shown *put)
{
    char memory[UNTRUSTED_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    put(&buf, text, UNTRUSTED_MAX);
    (void)fputs(memory, page->stream);
}

/* Untrusted text, harmless for a terminal. */
static void put_untrusted(const struct evidence_page *page, const char *text)
{
    put_shown(page, text, textbuf_put_untrusted);
}

/* What this site wrote. */
static void put_own(const struct evidence_page *page, const char *text)
{
    put_shown(page, text, textbuf_put_own);
}

void evidence_put_label(FILE *stream, const char *label, bool colour)
{
    (void)fprintf(stream, colour && label[0] != '\0' ? "\033[1m%-11s\033[0m" : "%-11s", label);
}

static void put_label(const struct evidence_page *page, const char *label)
{
    evidence_put_label(page->stream, label, page->colour);
}

/* A sentence behind a label, folded between words; a word that is too long stays whole. */
static void put_sentence(const struct evidence_page *page, const char *label, const char *text)
{
    size_t room = page->columns > 2 * LABEL_WIDTH ? page->columns - LABEL_WIDTH : SIZE_MAX;
    put_label(page, label);
    for (size_t column = 0; *text != '\0';) {
        size_t spaces = strspn(text, " "), word = strcspn(text + spaces, " ");
        if (column > 0 && column + spaces + word > room) {
            (void)fputc('\n', page->stream);
            put_label(page, "");
            column = 0;
        }
        if (column == 0)
            text += spaces;
        size_t length = column == 0 ? word : spaces + word;
        (void)fwrite(text, 1, length, page->stream);
        text += length;
        column += length;
    }
    (void)fputc('\n', page->stream);
}

static const char *outcome_text(enum dns_outcome outcome)
{
    static const char *const texts[] = {"not asked", "found", "no such record (NODATA)",
                                        "no such name (NXDOMAIN)", "temporary failure"};
    return texts[outcome];
}

void evidence_put_origin(FILE *stream, const struct dns_evidence *evidence)
{
    static const char *const origins[] = {"network", "cache", "stale cache", "zone file"};
    if (evidence->outcome == DNS_NOT_ASKED)
        return;
    bool network = evidence->origin == DNS_FROM_NETWORK && evidence->server != NULL;
    (void)fprintf(stream, "  [%s", network ? evidence->server : origins[evidence->origin]);
    if (evidence->outcome != DNS_TEMPERROR)
        (void)fprintf(stream, ", ttl %" PRIu32, evidence->ttl_s);
    (void)fprintf(stream, ", %" PRIu32 " ms%s]", evidence->took_ms,
                  evidence->secure ? ", DNSSEC" : "");
}

void evidence_put_outcome(FILE *stream, const struct dns_evidence *evidence)
{
    (void)fputs(outcome_text(evidence->outcome), stream);
    if (evidence->outcome == DNS_TEMPERROR && evidence->problem != NULL)
        (void)fprintf(stream, " (%s)", evidence->problem);
    evidence_put_origin(stream, evidence);
    (void)fputc('\n', stream);
}

static void put_name(const struct evidence_page *page, const struct facts *facts,
                     const struct name_facts *name)
{
    char text[IPADDR_TEXT_MAX];
    const char *type = facts->client.family == IP_V6 ? "AAAA" : "A";
    put_untrusted(page, name->name);
    if (name->flaw != HOSTNAME_OK) {
        (void)fprintf(page->stream, " %s\n", hostname_flaw_text(name->flaw));
        return;
    }
    (void)fprintf(page->stream, " %s ", type);
    if (name->forward.outcome != DNS_FOUND) {
        evidence_put_outcome(page->stream, &name->forward);
        return;
    }
    for (size_t i = 0; i < name->address_count; i++)
        (void)fprintf(page->stream, "%s%s%s", i > 0 ? ", " : "",
                      ipaddr_format(&name->addresses[i], text),
                      ipaddr_equal(&name->addresses[i], &facts->client) ? " (the client)" : "");
    evidence_put_origin(page->stream, &name->forward);
    (void)fputc('\n', page->stream);
}

static void put_reverse(const struct evidence_page *page, const struct facts *facts)
{
    char reverse[IPADDR_REVERSE_MAX];
    put_label(page, "PTR");
    (void)fputs(ipaddr_reverse_name(&facts->client, reverse), page->stream);
    if (facts->client.family == IP_V6) { /* fills a line by itself */
        (void)fputc('\n', page->stream);
        put_label(page, "");
    } else {
        (void)fputc(' ', page->stream);
    }
    for (size_t i = 0; i < page->more->chain_count; i++) { /* RFC 2317 */
        (void)fprintf(page->stream, "alias (CNAME) for %s\n", page->more->chain[i]);
        put_label(page, "");
    }
    if (facts->ptr.outcome != DNS_FOUND) {
        evidence_put_outcome(page->stream, &facts->ptr);
        return;
    }
    (void)fprintf(page->stream, "%zu name%s", facts->name_count, facts->name_count == 1 ? "" : "s");
    evidence_put_origin(page->stream, &facts->ptr);
    (void)fputc('\n', page->stream);
    for (size_t i = 0; i < facts->name_count; i++) {
        put_label(page, "");
        put_name(page, facts, &facts->names[i]);
    }
    if (facts->names_over > 0) {
        put_label(page, "");
        (void)fprintf(page->stream, "%zu more name%s not looked up (max-ptr)\n", facts->names_over,
                      plural_of(facts->names_over, " was", "s were"));
    }
}

static void put_helo(const struct evidence_page *page, const struct facts *facts)
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
            evidence_put_outcome(page->stream, &facts->helo_other);
        }
        if (facts->helo_mx.outcome != DNS_NOT_ASKED) {
            put_label(page, "");
            (void)fputs("MX ", page->stream);
            evidence_put_outcome(page->stream, &facts->helo_mx);
        }
        return;
    }
    put_untrusted(page, facts->helo.text);
    (void)fputc('\n', page->stream);
}

static void put_lists(const struct evidence_page *page, const struct facts *facts)
{
    char text[IPADDR_TEXT_MAX];
    for (size_t i = 0; i < facts->list_count; i++) {
        const struct list_facts *list = &facts->lists[i];
        put_label(page, i == 0 ? "lists" : "");
        (void)fprintf(page->stream, "%s: %s", list->zone, dnslist_state_text(dnslist_state(list)));
        for (size_t j = 0; j < list->address_count; j++)
            (void)fprintf(page->stream, " %s", ipaddr_format(&list->addresses[j], text));
        if (list->answer.outcome == DNS_TEMPERROR && list->answer.problem != NULL) {
            (void)fputs(": ", page->stream);
            put_untrusted(page, list->answer.problem);
        }
        evidence_put_origin(page->stream, &list->answer);
        (void)fputc('\n', page->stream);
    }
}

static void put_said(const struct evidence_page *page, const char *label, const char *what,
                     const struct smtp_reply *reply)
{
    if (reply->code == 0)
        return;
    put_label(page, label);
    (void)fprintf(page->stream, "%s%u ", what, reply->code);
    put_untrusted(page, reply->text);
    (void)fputc('\n', page->stream);
}

/* What port 25 says. */
static void put_smtp(const struct evidence_page *page)
{
    const struct smtp_probe *smtp = page->smtp;
    char memory[HOSTNAME_MAX + 200];
    if (smtp == NULL)
        return;
    put_said(page, "port 25", "", &smtp->greeting);
    put_said(page, "", "to EHLO: ", &smtp->ehlo);
    for (unsigned i = 0; i < smtp->count; i++) {
        (void)snprintf(memory, sizeof memory, "%s %s.", smtp->names[i].name,
                       check_smtp_fit_text(smtp->names[i].fit));
        put_sentence(page, "", memory);
    }
    if (smtp->greeting.code != 0)
        put_sentence(page, "",
                     "This is what it says when it receives.  Most servers say the same when they "
                     "send, and it decides nothing here.");
    if (smtp->failure[0] != '\0') {
        (void)snprintf(memory, sizeof memory, "note: %s.%s", smtp->failure,
                       smtp->greeting.code == 0
                           ? "  Many networks block port 25, and a host that only sends has none "
                             "open."
                           : "");
        put_sentence(page, smtp->greeting.code == 0 ? "port 25" : "", memory);
    }
}

static void put_record_now(const struct evidence_page *page, const char *label, const char *name,
                           const char *type, const struct authority_answer *answer)
{
    const struct dns_records *records = &answer->records;
    put_label(page, label);
    (void)fprintf(page->stream, "%s %s ", name, type);
    if (!answer->asked) {
        (void)fprintf(page->stream, "not asked: %s\n",
                      answer->failure != NULL ? answer->failure : "no name that can be asked");
        return;
    }
    if (records->evidence.outcome != DNS_FOUND) {
        evidence_put_outcome(page->stream, &records->evidence);
        return;
    }
    for (size_t i = 0; i < records->count; i++)
        (void)fprintf(page->stream, "%s%s", i > 0 ? ", " : "", records->texts[i]);
    if (records->over > 0)
        (void)fprintf(page->stream, " and %zu more", records->over);
    evidence_put_origin(page->stream, &records->evidence);
    (void)fputc('\n', page->stream);
}

/* What the zones' own servers say. */
static void put_now(const struct evidence_page *page, const struct facts *facts)
{
    const struct check_now *now = page->more->now;
    const char *type = facts->client.family == IP_V6 ? "AAAA" : "A";
    char reverse[IPADDR_REVERSE_MAX], memory[256];
    if (now == NULL)
        return;
    put_record_now(page, "authority",
                   inquiry_owner(page->more, ipaddr_reverse_name(&facts->client, reverse)), "PTR",
                   &now->ptr);
    if (now->name[0] != '\0')
        put_record_now(page, "", now->name, type, &now->forward);
    if (now->helo[0] != '\0')
        put_record_now(page, "", now->helo, type, &now->helo_forward);
    if (now->until[0] == '\0') {
        put_sentence(page, "", "The resolver says the same.");
        return;
    }
    (void)snprintf(memory, sizeof memory, "The resolver has kept another answer; it expires in %s.",
                   now->until);
    put_sentence(page, "", memory);
}

/* By which setting of the check nothing is done about it. */
static void put_why_not_enforced(const struct evidence_page *page, const struct check_rule *rule)
{
    if (rule->monitor)
        (void)fputs(" (not enforced: monitor = true)", page->stream);
    else if (rule->percent < 100)
        (void)fprintf(page->stream, " (not enforced: percent = %u leaves this client out)",
                      rule->percent);
    else
        (void)fputs(" (not enforced)", page->stream);
}

static void put_checks(const struct evidence_page *page, const struct decision *decision)
{
    const struct verdict *verdict = &decision->verdict;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((verdict->would.checks & CHECK_BIT(i)) == 0)
            continue;
        const struct check_rule *rule = &decision->policy->rules[i];
        char memory[REASON_MAX];
        struct textbuf buf;
        textbuf_init(&buf, memory, sizeof memory);
        checks[i].explain(&decision->evidence, &buf);
        put_label(page, "check");
        (void)fprintf(page->stream, "%s: %s, score %.1f", checks[i].name, action_text(rule->action),
                      rule->score);
        if ((verdict->done.checks & CHECK_BIT(i)) == 0)
            put_why_not_enforced(page, rule);
        (void)fputc('\n', page->stream);
        put_sentence(page, "", memory);
    }
}

void evidence_put_action(FILE *stream, enum action action, bool colour)
{
    static const char *const colours[ACTION_COUNT] = {
        [ACTION_ACCEPT] = "32",   [ACTION_TAG] = "33",      [ACTION_QUARANTINE] = "33",
        [ACTION_GREYLIST] = "35", [ACTION_TEMPFAIL] = "35", [ACTION_REJECT] = "31",
    };
    if (colour)
        (void)fprintf(stream, "\033[1;%sm%s\033[0m", colours[action], action_text(action));
    else
        (void)fputs(action_text(action), stream);
}

/* The match block that applied, where it stands, and why it is there. */
static void put_match(const struct evidence_page *page, const struct decision *decision)
{
    const struct match *match = decision->match;
    if (match == NULL)
        return;
    put_label(page, "match");
    (void)fputc('"', page->stream);
    put_own(page, match->name);
    (void)fprintf(page->stream, "\" (%s:%u", match->file, match->line);
    if (match->reason != NULL) {
        (void)fputs(": ", page->stream);
        put_own(page, match->reason);
    }
    (void)fputs(")\n", page->stream);
}

static void put_exemption(const struct evidence_page *page)
{
    const struct exemption *exemption = page->exemption;
    char when[TIME_TEXT_MAX] = "?";
    struct tm tm;
    if (exemption == NULL)
        return;
    time_t until = (time_t)exemption->until_s;
    if (localtime_r(&until, &tm) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    put_label(page, "exemption");
    (void)fprintf(page->stream, "allowed until %s by %s: ", when, exemption->subject);
    put_own(page, exemption->reason);
    if (exemption->by[0] != '\0') /* as exemption_is_by() has it */
        (void)fprintf(page->stream, " (made on %s)", exemption->by);
    (void)fputs(" (iprevctl allowed)\n", page->stream);
}

/* What an administrator expected to fit, and why it does not. */
static void put_almost(const struct evidence_page *page)
{
    const struct almost *almost = page->almost;
    char subject[EXEMPTION_SUBJECT_MAX + 80], memory[1024];
    if (almost->name == NULL)
        return;
    if (almost->match != NULL)
        (void)snprintf(subject, sizeof subject, "match \"%.100s\"", almost->match->name);
    else
        (void)snprintf(subject, sizeof subject, "the exemption of %s", almost->exemption.subject);
    (void)snprintf(
        memory, sizeof memory,
        "%s would fit if PTR %s were confirmed.  It does not lead back to the client, and "
        "anybody can claim a name: exempt the address.",
        subject, almost->name);
    put_sentence(page, "note", memory);
}

static void put_verdict(const struct evidence_page *page, const struct decision *decision)
{
    const struct verdict *verdict = &decision->verdict;
    const struct reply *reply = page->reply;
    put_label(page, "verdict");
    evidence_put_action(page->stream, verdict->done.action, page->colour);
    if (verdict->would.action != verdict->done.action)
        (void)fprintf(page->stream, " (%s if all checks were enforced)",
                      action_text(verdict->would.action));
    (void)fprintf(page->stream, ", score %.1f, policy %s\n", verdict->would.score,
                  decision_policy_name(decision));
    if (decision->conf->monitor && verdict->done.action > ACTION_ACCEPT)
        put_sentence(page, "note",
                     "mode is monitor: at present nothing is done.  This is what mode = enforce "
                     "would do.");
    if (page->passed_over != NULL) {
        char memory[256];
        (void)snprintf(memory, sizeof memory,
                       "the client is in %s: the daemon does not judge it.  This is what would "
                       "become of it elsewhere.",
                       page->passed_over);
        put_sentence(page, "note", memory);
    }
    /* What a single check says stands beside it; a sum and a grace stand nowhere else. */
    if (reply == NULL &&
        (verdict_reported(verdict)->by_score || outcome_is_of_grace(verdict_reported(verdict))))
        put_sentence(page, "reason", decision->reason);
    for (size_t i = 0; reply != NULL && i < reply->line_count; i++) {
        char line[REPLY_SHOWN_MAX];
        (void)snprintf(line, sizeof line, "%s%c%s %s", reply->code,
                       i + 1 < reply->line_count ? '-' : ' ', reply->xcode, reply->lines[i]);
        put_sentence(page, i == 0 ? "reply" : "", line);
    }
}

/* Sentences folded; what is to be copied on lines of its own, unbroken. */
static void put_advice(const struct evidence_page *page)
{
    for (size_t i = 0; i < page->advice->count; i++) {
        const struct advice_line *line = &page->advice->lines[i];
        if (line->kind == ADVICE_SENTENCE) {
            put_sentence(page, i == 0 ? "advice" : "", line->text);
        } else {
            put_label(page, i == 0 ? "advice" : "");
            (void)fprintf(page->stream, "    %s\n", line->text);
        }
    }
}

void evidence_print(const struct evidence_page *page, const struct decision *decision,
                    const struct transaction *transaction)
{
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX];
    put_label(page, "client");
    (void)fputs(ipaddr_format(&facts->client, client), page->stream);
    if (page->host != NULL)
        (void)fprintf(page->stream, " of %s", page->host);
    (void)fputc('\n', page->stream);
    if (page->source != NULL) {
        put_label(page, "found in");
        put_untrusted(page, page->source);
        (void)fputc('\n', page->stream);
    }
    put_reverse(page, facts);
    put_helo(page, facts);
    put_lists(page, facts);
    put_now(page, facts);
    put_smtp(page);
    put_label(page, "iprev");
    (void)fprintf(page->stream, "%s", iprev_result_text(decision->evidence.iprev.result));
    if (decision->evidence.iprev.confirmed != NULL)
        (void)fprintf(page->stream, " (%s)", decision->evidence.iprev.confirmed->name);
    (void)fprintf(page->stream, ", agreement %s, DNS %" PRId64 " ms%s\n",
                  agreement_text(decision->evidence.agreement), transaction->dns_ms,
                  transaction->all_cached ? ", all from the cache" : "");
    if (decision->policy != NULL)
        put_checks(page, decision);
    put_match(page, decision);
    put_exemption(page);
    put_almost(page);
    put_verdict(page, decision);
    put_advice(page);
}
