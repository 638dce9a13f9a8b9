/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/statistics.h"

#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>

struct statistics {
    struct metric *sessions, *sessions_total, *sessions_deferred;
    struct metric *verdicts, *would, *checks, *iprev, *agreement, *wait, *lists, *greylist;
    struct metric *left, *ehlo_limit, *grace;
    atomic_uint local_clients; /* while there was no other */
    atomic_bool others;        /* there was another */
    struct metric *reloads, *reload_ok, *table_reads, *tables_ok, *reload_time, *build;
    /* Label values, by enum. */
    const char *actions[ACTION_COUNT];
    const char *check_names[CHECK_COUNT];
    const char *iprevs[IPREV_RESULT_COUNT];
    const char *agreements[AGREEMENT_COUNT];
    const char *grey_answers[GREYLIST_ANSWER_COUNT - 1];
};

/* What DNS lists said, by what became of it. */
enum list_answer { LIST_FITS, LIST_OUTSIDE, LIST_NOT_LISTED, LIST_REFUSES, LIST_FAILS, LIST_COUNT };
static const char *const list_values[LIST_COUNT] = {
    [LIST_FITS] = "fits",       [LIST_OUTSIDE] = "outside", [LIST_NOT_LISTED] = "not-listed",
    [LIST_REFUSES] = "refuses", [LIST_FAILS] = "fails",
};

static const char *const enforced_values[] = {"no", "yes"};
static const char *const mode_values[] = {"enforce", "monitor"};
static const char *const ok_values[] = {"failed", "ok"};
static const char *const left_values[SESSION_LEFT_COUNT] = {
    [SESSION_LEFT_LOCAL] = "local",
    [SESSION_LEFT_AUTHENTICATED] = "authenticated",
    [SESSION_LEFT_RELAY] = "relay",
};
static const char *const grace_values[] = {"given", "over", "unknown"};
_Static_assert(sizeof grace_values / sizeof grace_values[0] == GRACE_STATE_COUNT - 1,
               "all but GRACE_NONE");
static const char *const version_values[] = {PACKAGE_VERSION};

static void fill_labels(struct statistics *s)
{
    for (int i = 0; i < ACTION_COUNT; i++)
        s->actions[i] = action_text((enum action)i);
    for (int i = 0; i < CHECK_COUNT; i++)
        s->check_names[i] = checks[i].name;
    for (int i = 0; i < IPREV_RESULT_COUNT; i++)
        s->iprevs[i] = iprev_result_text((enum iprev_result)i);
    for (int i = 0; i < AGREEMENT_COUNT; i++)
        s->agreements[i] = agreement_text((enum agreement)i);
    for (int i = 1; i < GREYLIST_ANSWER_COUNT; i++)
        s->grey_answers[i - 1] = greylist_answer_text((enum greylist_answer)i);
}

static bool declare_all(struct statistics *s, struct metrics *metrics)
{
    const struct metric_row all[] = {
        {&s->build,
         {"iprevd_build_info",
          "The version that runs.",
          METRIC_GAUGE,
          {{"version", version_values, 1}}}},
        {&s->sessions, {"iprevd_sessions", "SMTP sessions under way.", METRIC_GAUGE, {{0}}}},
        {&s->sessions_total,
         {"iprevd_sessions_total", "SMTP sessions begun.", METRIC_COUNTER, {{0}}}},
        {&s->sessions_deferred,
         {"iprevd_sessions_deferred_total",
          "Sessions deferred because of max-sessions.",
          METRIC_COUNTER,
          {{0}}}},
        {&s->ehlo_limit,
         {"iprevd_ehlo_limit_total",
          "Commands deferred after too many different EHLO names.",
          METRIC_COUNTER,
          {{0}}}},
        {&s->left,
         {"iprevd_left_alone_total",
          "Sessions of local clients, and messages of logged-in users and from relays, not judged.",
          METRIC_COUNTER,
          {{"reason", left_values, SESSION_LEFT_COUNT}}}},
        {&s->verdicts,
         {"iprevd_verdicts_total",
          "Decisions by what was done.",
          METRIC_COUNTER,
          {{"action", s->actions, ACTION_COUNT}, {"mode", mode_values, 2}}}},
        {&s->would,
         {"iprevd_would_total",
          "Decisions by what would be done if all were enforced.",
          METRIC_COUNTER,
          {{"action", s->actions, ACTION_COUNT}}}},
        {&s->checks,
         {"iprevd_checks_total",
          "Checks found true, and whether they counted.",
          METRIC_COUNTER,
          {{"check", s->check_names, CHECK_COUNT}, {"enforced", enforced_values, 2}}}},
        {&s->grace,
         {"iprevd_grace_total",
          "Decisions about clients that were, or may have been, right before.",
          METRIC_COUNTER,
          {{"state", grace_values, GRACE_STATE_COUNT - 1}}}},
        {&s->iprev,
         {"iprevd_iprev_total",
          "Decisions by iprev result.",
          METRIC_COUNTER,
          {{"result", s->iprevs, IPREV_RESULT_COUNT}}}},
        {&s->agreement,
         {"iprevd_agreement_total",
          "Decisions by agreement of EHLO, PTR and address.",
          METRIC_COUNTER,
          {{"agreement", s->agreements, AGREEMENT_COUNT}}}},
        {&s->greylist,
         {"iprevd_greylist_total",
          "Decisions to greylist, by what became of them.",
          METRIC_COUNTER,
          {{"answer", s->grey_answers, GREYLIST_ANSWER_COUNT - 1}}}},
        {&s->lists,
         {STATISTICS_LISTS_METRIC,
          "What DNS lists said of the clients of decisions.",
          METRIC_COUNTER,
          {{"answer", list_values, LIST_COUNT}}}},
        {&s->wait,
         {"iprevd_lookup_seconds",
          "Time from connect to the last DNS answer of a decision.",
          METRIC_HISTOGRAM_MS,
          {{0}}}},
        {&s->reloads,
         {"iprevd_reloads_total",
          "Reloads of the configuration.",
          METRIC_COUNTER,
          {{"result", ok_values, 2}}}},
        {&s->reload_ok,
         {"iprevd_last_reload_successful",
          "1, or 0 while the newest configuration has an error.",
          METRIC_GAUGE,
          {{0}}}},
        {&s->table_reads,
         {"iprevd_table_reads_total",
          "Times that tables were read because one had changed.",
          METRIC_COUNTER,
          {{"result", ok_values, 2}}}},
        {&s->tables_ok,
         {"iprevd_last_table_read_successful",
          "1, or 0 while a table that has changed cannot be read.",
          METRIC_GAUGE,
          {{0}}}},
        {&s->reload_time,
         {"iprevd_configuration_loaded_timestamp_seconds",
          "When the configuration in use was read.",
          METRIC_GAUGE,
          {{0}}}},
    };
    if (!metrics_declare_all(metrics, all, sizeof all / sizeof all[0]))
        return false;
    metric_set(s->build, 0, 0, 1);
    metric_set(s->reload_ok, 0, 0, 1);
    metric_set(s->tables_ok, 0, 0, 1);
    return true;
}

struct statistics *statistics_new(struct metrics *metrics)
{
    struct statistics *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    fill_labels(s);
    if (declare_all(s, metrics))
        return s;
    free(s);
    return NULL;
}

void statistics_free(struct statistics *statistics)
{
    free(statistics);
}

void statistics_session_opened(struct statistics *statistics)
{
    metric_add(statistics->sessions, 0, 0, 1);
    metric_add(statistics->sessions_total, 0, 0, 1);
}

void statistics_session_deferred(struct statistics *statistics)
{
    metric_add(statistics->sessions_deferred, 0, 0, 1);
}

void statistics_ehlo_limit(struct statistics *statistics)
{
    metric_add(statistics->ehlo_limit, 0, 0, 1);
}

void statistics_session_closed(struct statistics *statistics)
{
    metric_add(statistics->sessions, 0, 0, -1);
}

/* Written once: what every session writes goes from processor to processor. */
static void note_others(struct statistics *statistics)
{
    if (!atomic_load(&statistics->others))
        atomic_store(&statistics->others, true);
}

static enum list_answer list_answer(const struct conf *conf, const struct list_facts *list,
                                    enum dnslist_state state)
{
    if (state != DNSLIST_LISTED)
        return state == DNSLIST_NOT_LISTED ? LIST_NOT_LISTED
               : state == DNSLIST_REFUSES  ? LIST_REFUSES
                                           : LIST_FAILS;
    for (size_t i = 0; i < conf->match_count; i++)
        if (conf->matches[i].listed != NULL && listed_looks_for(conf->matches[i].listed, list))
            return LIST_FITS;
    return LIST_OUTSIDE;
}

/* What nobody waited for says nothing. */
static void count_lists(const struct statistics *statistics, const struct decision *decision)
{
    const struct facts *facts = decision->evidence.facts;
    for (size_t i = 0; i < facts->list_count; i++) {
        enum dnslist_state state = dnslist_state(&facts->lists[i]);
        if (state != DNSLIST_AWAITED && state != DNSLIST_NOT_ASKED)
            metric_add(statistics->lists, list_answer(decision->conf, &facts->lists[i], state), 0,
                       1);
    }
}

void statistics_decided(struct statistics *statistics, const struct decision *decision,
                        const struct transaction *transaction)
{
    const struct verdict *verdict = &decision->verdict;
    note_others(statistics);
    metric_add(statistics->verdicts, verdict->done.action, decision->conf->monitor, 1);
    metric_add(statistics->would, verdict->would.action, 0, 1);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if ((verdict->would.checks & CHECK_BIT(i)) != 0)
            metric_add(statistics->checks, i, (verdict->done.checks & CHECK_BIT(i)) != 0, 1);
    enum grace_state grace = verdict_reported(verdict)->grace.state;
    if (grace != GRACE_NONE)
        metric_add(statistics->grace, grace - 1U, 0, 1);
    metric_add(statistics->iprev, decision->evidence.iprev.result, 0, 1);
    metric_add(statistics->agreement, decision->evidence.agreement, 0, 1);
    metric_observe_ms(statistics->wait, transaction->dns_ms);
    count_lists(statistics, decision);
    if (decision->greylist != GREYLIST_NOT_ASKED)
        metric_add(statistics->greylist, decision->greylist - 1U, 0, 1);
}

bool statistics_left(struct statistics *statistics, enum session_left reason)
{
    metric_add(statistics->left, reason, 0, 1);
    if (reason != SESSION_LEFT_LOCAL)
        note_others(statistics);
    if (atomic_load(&statistics->others))
        return false;
    return atomic_fetch_add(&statistics->local_clients, 1) + 1 == STATISTICS_LOCAL_ONLY;
}

void statistics_reloaded(struct statistics *statistics, bool ok, int64_t wall_s)
{
    metric_add(statistics->reloads, ok, 0, 1);
    metric_set(statistics->reload_ok, 0, 0, ok);
    if (ok)
        metric_set(statistics->reload_time, 0, 0, wall_s);
}

void statistics_tables_read(struct statistics *statistics, bool ok)
{
    metric_add(statistics->table_reads, ok, 0, 1);
}

void statistics_tables_are(struct statistics *statistics, bool ok)
{
    metric_set(statistics->tables_ok, 0, 0, ok);
}
