/* SPDX-License-Identifier: BSD-2-Clause */
#include "told.h"

#include "ctl/report/report_entry.h"
#include "fuzz.h"

#include <string.h>

static void parse(const char *line, struct report_entry *out)
{
    CHECK(report_entry_parse(line, 0, out) == REPORT_ENTRY);
}

void told_check_decision(const struct decision *decision, const struct transaction *transaction)
{
    char line[DECISION_LINE_MAX];
    struct report_entry from_line, from_json;
    CHECK(fuzz_printable(decision->reason, strlen(decision->reason), false));
    decision_log_line(decision, transaction, line);
    CHECK(fuzz_printable(line, strlen(line), false));
    parse(line, &from_line);
    char *json = decision_json(decision, transaction);
    CHECK(json != NULL && strchr(json, '\n') == NULL);
    parse(json, &from_json);
    free(json);
    const struct report_entry *entries[] = {&from_line, &from_json};
    for (size_t i = 0; i < 2; i++) {
        CHECK(ipaddr_equal(&entries[i]->client, &decision->evidence.facts->client));
        CHECK(entries[i]->action == decision->verdict.done.action);
        CHECK(entries[i]->checks == decision->verdict.would.checks);
        CHECK(entries[i]->monitor == decision->conf->monitor);
        CHECK(entries[i]->confirmed == (decision->evidence.iprev.result == IPREV_PASS));
    }
    CHECK(from_line.would == from_json.would);
}

void told_check_reply(const struct reply *reply, bool reject)
{
    CHECK(strlen(reply->code) == 3 && reply->code[0] == (reject ? '5' : '4'));
    CHECK(reply->xcode[0] == reply->code[0] && reply->xcode[1] == '.');
    CHECK(reply->line_count >= 1 && reply->line_count <= REPLY_LINES_MAX);
    for (size_t i = 0; i < reply->line_count; i++)
        CHECK(fuzz_printable(reply->lines[i], strlen(reply->lines[i]), false));
}

void told_check_field(const char *value)
{
    CHECK(strlen(value) < DECISION_HEADER_MAX);
    for (const char *c = value; *c != '\0'; c++)
        CHECK((*c >= 0x20 && *c <= 0x7e) || (*c == '\n' && (c[1] == '\t' || c[1] == ' ')) ||
              (*c == '\t' && c > value && c[-1] == '\n'));
}
