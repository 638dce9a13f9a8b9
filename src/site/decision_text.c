/* SPDX-License-Identifier: BSD-2-Clause */
/* How a decision is written in the log and in header fields. */
#include "site/decision.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes of one foreign text in a log line. */
#define FIELD_MAX 256

/* Bytes of a name in a comment of a header field. */
#define COMMENT_MAX 255

/* Names of the checks in a set, with commas; all of them fit. */
#define CHECK_NAMES_MAX 512

static const char *check_names(check_set set, char out[CHECK_NAMES_MAX])
{
    struct textbuf buf;
    textbuf_init(&buf, out, CHECK_NAMES_MAX);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if ((set & CHECK_BIT(i)) != 0) {
            textbuf_put(&buf, buf.length > 0 ? "," : "");
            textbuf_put(&buf, checks[i].name);
        }
    return out;
}

/* key=value, left out when there is no value. */
static void put(struct textbuf *buf, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        textbuf_put_field(buf, key, value, FIELD_MAX);
}

void decision_log_line(const struct decision *decision, const struct occasion *occasion,
                       char out[DECISION_LINE_MAX])
{
    const struct verdict *verdict = &decision->verdict;
    const struct facts *facts = decision->evidence.facts;
    char client[IPADDR_TEXT_MAX], names[CHECK_NAMES_MAX];
    struct textbuf buf;
    textbuf_init(&buf, out, DECISION_LINE_MAX);
    put(&buf, "client", ipaddr_format(&facts->client, client));
    put(&buf, "ptr", decision_ptr(decision));
    put(&buf, "iprev", iprev_result_text(decision->evidence.iprev.result));
    put(&buf, "helo", facts->helo.text);
    put(&buf, "agreement", agreement_text(decision->evidence.agreement));
    put(&buf, "checks", check_names(verdict->checks, names));
    textbuf_printf(&buf, " score=%.1f", verdict->score);
    put(&buf, "action", action_text(verdict->action));
    if (verdict->would != verdict->action)
        put(&buf, "would", action_text(verdict->would));
    put(&buf, "mode", decision->conf->monitor ? "monitor" : "enforce");
    put(&buf, "policy", decision_policy_name(decision));
    put(&buf, "match", decision->match != NULL ? decision->match->name : NULL);
    put(&buf, "exempt", decision->exempt);
    put(&buf, "stage", occasion->stage);
    put(&buf, "mta", occasion->mta);
    textbuf_printf(&buf, " dns_ms=%" PRId64, occasion->dns_ms);
    put(&buf, "cache", decision_cache(decision, occasion));
    if (decision_secure(decision))
        put(&buf, "secure", "yes");
    put(&buf, "queue_id", occasion->queue_id);
    put(&buf, "sender", occasion->sender);
    put(&buf, "recipient", occasion->recipient);
    put(&buf, "reason", decision->reason);
}

/* RFC 8601 "value": a token (RFC 2045 5.1) as it is, anything else as a quoted string. */
static void put_value(struct textbuf *buf, const char *text)
{
    bool token = *text != '\0';
    for (const char *c = text; *c != '\0'; c++)
        token = token && isgraph((unsigned char)*c) && strchr("()<>@,;:\\\"/[]?=", *c) == NULL;
    if (token) {
        textbuf_put(buf, text);
        return;
    }
    textbuf_put(buf, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            textbuf_put(buf, "\\");
        if (*c >= ' ' && *c <= '~')
            textbuf_printf(buf, "%c", *c);
    }
    textbuf_put(buf, "\"");
}

/* Inside the comment: the name that was found, or what is the matter. */
static void put_iprev_comment(struct textbuf *buf, const struct decision *decision)
{
    const char *name = decision_ptr(decision);
    const char *problem = decision->evidence.facts->ptr.problem;
    switch (decision->evidence.iprev.result) {
    case IPREV_PASS:
        textbuf_put_comment(buf, name, COMMENT_MAX);
        break;
    case IPREV_FAIL:
        textbuf_put_comment(buf, name, COMMENT_MAX);
        textbuf_put(buf, " is not confirmed");
        break;
    case IPREV_PERMERROR:
        textbuf_put(buf, "no PTR record");
        break;
    case IPREV_TEMPERROR:
        textbuf_put(buf, "DNS failed temporarily");
        if (problem != NULL)
            textbuf_printf(buf, ": %s", problem);
        break;
    }
    if (decision_secure(decision))
        textbuf_put(buf, ", DNSSEC");
}

void decision_auth_results(const struct decision *decision, const char *authserv_id,
                           char out[DECISION_HEADER_MAX])
{
    char client[IPADDR_TEXT_MAX];
    struct textbuf buf;
    textbuf_init(&buf, out, DECISION_HEADER_MAX);
    put_value(&buf, authserv_id);
    textbuf_printf(&buf,
                   "; iprev=%s policy.iprev=", iprev_result_text(decision->evidence.iprev.result));
    put_value(&buf, ipaddr_format(&decision->evidence.facts->client, client));
    textbuf_put(&buf, " (");
    put_iprev_comment(&buf, decision);
    textbuf_put(&buf, ")");
}

void decision_tag_header(const struct decision *decision, char out[DECISION_HEADER_MAX])
{
    const struct verdict *verdict = &decision->verdict;
    char names[CHECK_NAMES_MAX];
    struct textbuf buf;
    textbuf_init(&buf, out, DECISION_HEADER_MAX);
    textbuf_printf(&buf, "%s score=%.1f", action_text(verdict->action), verdict->score);
    put(&buf, "checks", check_names(verdict->checks, names));
    put(&buf, "agreement", agreement_text(decision->evidence.agreement));
    put(&buf, "iprev", iprev_result_text(decision->evidence.iprev.result));
    put(&buf, "policy", decision_policy_name(decision));
    put(&buf, "reason", decision->reason);
}
