/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/finding.h"

#define MINUTE_MS 60000
#define HOUR_MS   (60 * MINUTE_MS)

static const char *const keys[FINDING_COUNT] = {
    [FINDING_GUESSING] = "guessing",        [FINDING_NO_EDNS] = "no-edns",
    [FINDING_LETTERS] = "letters",          [FINDING_STRIPS_SOA] = "strips-soa",
    [FINDING_UNPROVED] = "unproved-denial", [FINDING_DENIES_ALL] = "denies-all",
    [FINDING_INVENTS] = "invents",          [FINDING_RECORD_LIMIT] = "record-limit",
    [FINDING_ALIAS_LIMIT] = "alias-limit",  [FINDING_PTR_FAILS] = "ptr-fails",
    [FINDING_TCP_FULL] = "tcp-full",        [FINDING_DROPS] = "drops"};

static const struct {
    const char *text;
    int64_t news_ms; /* from one line to the next */
} about[FINDING_COUNT] = {
    [FINDING_GUESSING] = {"packets that pretend to answer: somebody guesses", HOUR_MS},
    [FINDING_NO_EDNS] = {"a server answers questions with EDNS0 by silence", HOUR_MS},
    [FINDING_LETTERS] = {"a server changes the letters of questions", HOUR_MS},
    [FINDING_STRIPS_SOA] = {"a server strips the SOA records from its denials", HOUR_MS},
    [FINDING_UNPROVED] = {"a server denies without an SOA record that proves it", HOUR_MS},
    [FINDING_DENIES_ALL] = {"the servers deny every PTR record", HOUR_MS},
    [FINDING_INVENTS] = {"the servers invent addresses for names that do not exist", HOUR_MS},
    [FINDING_RECORD_LIMIT] = {"SERVFAIL to more records than a server takes", HOUR_MS},
    [FINDING_ALIAS_LIMIT] = {"more aliases than max-cname-hops", HOUR_MS},
    [FINDING_PTR_FAILS] = {"PTR lookups fail while other names resolve", 10 * MINUTE_MS},
    [FINDING_TCP_FULL] = {"questions wait for TCP connections (max-tcp)", 10 * MINUTE_MS},
    [FINDING_DROPS] = {"questions are dropped (max-queries)", MINUTE_MS},
};

bool finding_declare(struct finding_log *out, struct metrics *metrics)
{
    const struct metric_row all[] = {
        {&out->found,
         {FINDINGS_METRIC,
          "What was found wrong with the DNS servers or the way to them.",
          METRIC_COUNTER,
          {{"finding", keys, FINDING_COUNT}}}},
        {&out->last,
         {FINDINGS_LAST_METRIC,
          "When that was found last; 0: never.",
          METRIC_GAUGE,
          {{"finding", keys, FINDING_COUNT}}}},
    };
    *out = (struct finding_log){0};
    return metrics == NULL || metrics_declare_all(metrics, all, sizeof all / sizeof all[0]);
}

bool finding_note(struct finding_log *findings, enum finding what, struct loop *loop)
{
    int64_t now_ms = loop_now_ms(loop);
    int64_t *logged_ms = &findings->logged_ms[what];
    metric_add(findings->found, what, 0, 1);
    metric_set(findings->last, what, 0, clock_wall_s(loop_clock(loop)));
    if (*logged_ms != 0 && now_ms - *logged_ms < about[what].news_ms)
        return false;
    *logged_ms = now_ms;
    return true;
}

const char *finding_text(size_t what)
{
    return what < FINDING_COUNT ? about[what].text : NULL;
}
