/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/status_check.h"

#include "base/textbuf.h"

#include <inttypes.h>
#include <stdio.h>

#define TEXT_MAX 1024 /* bytes of what is wrong, and of the performance data */

struct status_finding {
    int status;
    struct textbuf text;
};

/* One more thing that is wrong; the worst counts. */
static void find(struct status_finding *finding, int status, const char *text)
{
    textbuf_printf(&finding->text, "%s%s", finding->text.length > 0 ? ", " : "", text);
    if (status > finding->status)
        finding->status = status;
}

static void judge_dns(struct status_finding *finding, const struct json_value *dns)
{
    const struct json_value *servers = json_value_member(dns, "servers");
    size_t count = json_value_count(servers), down = 0;
    char text[64];
    if (json_value_bool_of(dns, "outage"))
        find(finding, STATUS_CHECK_CRITICAL,
             json_value_bool_of(dns, "denies_everything")
                 ? "DNS outage: the servers deny everything"
                 : "DNS outage");
    for (size_t i = 0; i < count; i++)
        down += !json_value_bool_of(json_value_item(servers, i), "up");
    if (down == 0)
        return;
    (void)snprintf(text, sizeof text, "%zu of %zu DNS servers down", down, count);
    find(finding, down == count ? STATUS_CHECK_CRITICAL : STATUS_CHECK_WARNING, text);
}

static void judge(struct status_finding *finding, const struct json_value *status)
{
    const struct json_value *sessions = json_value_member(status, "sessions");
    const struct json_value *configuration = json_value_member(status, "configuration");
    judge_dns(finding, json_value_member(status, "dns"));
    if (json_value_bool_of(configuration, "last_reload_failed"))
        find(finding, STATUS_CHECK_WARNING, "the last reload failed");
    if (json_value_int_of(configuration, "tables_failed_since") != 0)
        find(finding, STATUS_CHECK_WARNING, "tables cannot be read");
    if (json_value_int_of(sessions, "max") > 0 &&
        json_value_int_of(sessions, "now") * 100 >=
            json_value_int_of(sessions, "max") * STATUS_CHECK_SESSIONS)
        find(finding, STATUS_CHECK_WARNING, "sessions near max-sessions");
    if (json_value_text_of(json_value_member(status, "farm"), "why") != NULL)
        find(finding, STATUS_CHECK_WARNING, "the farm's store is away or takes nothing new");
    if (json_value_bool_of(status, "stopping"))
        find(finding, STATUS_CHECK_WARNING, "the daemon is ending");
}

struct counters {
    const char *prefix;
    struct textbuf *out;
};

static void put_counter(void *arg, const char *key, const struct json_value *value)
{
    const struct counters *counters = arg;
    int64_t count = 0;
    (void)json_value_int(value, &count);
    textbuf_printf(counters->out, " %s%s=%" PRId64 "c", counters->prefix, key, count);
}

/* label=value[unit];[warn];[crit];[min];[max] */
static void put_data(struct textbuf *out, const struct json_value *status)
{
    const struct json_value *sessions = json_value_member(status, "sessions");
    struct counters verdicts = {"", out}, would = {"would_", out};
    double rate = 0;
    (void)json_value_real(json_value_member(json_value_member(status, "cache"), "hit_rate"), &rate);
    textbuf_printf(out, "sessions=%" PRId64 ";%" PRId64 ";;0;%" PRId64,
                   json_value_int_of(sessions, "now"),
                   json_value_int_of(sessions, "max") * STATUS_CHECK_SESSIONS / 100,
                   json_value_int_of(sessions, "max"));
    json_value_each(json_value_member(status, "verdicts"), put_counter, &verdicts);
    json_value_each(json_value_member(status, "would"), put_counter, &would);
    textbuf_printf(out, " dns_outage=%d cache_hit_rate=%.1f%% log_lost=%" PRId64 "c",
                   json_value_bool_of(json_value_member(status, "dns"), "outage"), rate * 100,
                   json_value_int_of(json_value_member(status, "decision_log"), "lost"));
}

int status_check_print(const struct json_value *status)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    char text[TEXT_MAX], data[TEXT_MAX];
    const char *mode = json_value_text_of(status, "mode");
    struct status_finding finding = {.status = STATUS_CHECK_OK};
    struct textbuf out;
    textbuf_init(&finding.text, text, sizeof text);
    textbuf_init(&out, data, sizeof data);
    judge(&finding, status);
    if (finding.status == STATUS_CHECK_OK)
        textbuf_printf(&finding.text, "mode %s, no DNS outage", mode != NULL ? mode : "-");
    put_data(&out, status);
    (void)printf("IPREVD %s - %s | %s\n", words[finding.status], text, data);
    return finding.status;
}

int status_check_unreachable(bool forbidden)
{
    (void)printf("IPREVD %s\n", forbidden ? "UNKNOWN - the daemon cannot be asked"
                                          : "CRITICAL - the daemon does not answer");
    return forbidden ? STATUS_CHECK_UNKNOWN : STATUS_CHECK_CRITICAL;
}
