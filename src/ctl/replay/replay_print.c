/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_print.h"

#include "base/plural.h"
#include "base/textbuf.h"
#include "ctl/columns.h"
#include "ctl/replay/replay_compare_print.h"
#include "site/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define DOMAINS_SHOWN 20
#define DOMAIN_WIDTH  34 /* columns of a domain's name; longer ones lose their beginning */
#define LINE_WIDTH    80

static const char *const outcome_names[REPLAY_OUTCOME_COUNT] = {
    [REPLAY_UNKNOWN] = "unknown",
    [REPLAY_ACCEPTED] = "accepted",
    [REPLAY_DEFERRED] = "deferred",
    [REPLAY_REFUSED] = "refused",
};

/* In the order of columns. */
static const enum maillog_outcome outcomes[REPLAY_OUTCOME_COUNT] = {
    REPLAY_ACCEPTED, REPLAY_DEFERRED, REPLAY_REFUSED, REPLAY_UNKNOWN};

static const char *const skip_texts[REPLAY_SKIP_COUNT] = {
    [REPLAY_SKIP_LOCAL] = "from local networks",
    [REPLAY_SKIP_AUTHENTICATED] = "authenticated",
    [REPLAY_SKIP_RELAY] = "from trusted relays",
    [REPLAY_SKIP_UNRECORDED] = "without a recorded PTR name",
    [REPLAY_SKIP_FAILED] = "whose PTR lookup failed then",
};

/* --- decisions ------------------------------------------------------------------------------- */

void replay_print_head(FILE *stream)
{
    (void)fprintf(stream, "%-10s %-8s %-15s %s\n", "POLICY", "LOGGED", "CLIENT", "WHY");
}

void replay_print_row(FILE *stream, const struct maillog_event *event,
                      const struct decision *decision)
{
    char client[IPADDR_TEXT_MAX];
    /* What is shown is what would be done, so that is what is explained. */
    const struct outcome *would = &decision->verdict.would;
    char reason[REASON_MAX];
    const char *name = "";
    (void)fprintf(stream, "%-10s %-8s %-15s ", action_text(would->action),
                  outcome_names[event->outcome], ipaddr_format(&event->client, client));
    if (would->reason < CHECK_COUNT)
        (void)fprintf(stream, "%s: ", checks[would->reason].name);
    else if (decision->evidence.iprev.confirmed != NULL)
        name = decision->evidence.iprev.confirmed->name;
    const char *why = would->reason < CHECK_COUNT ? reply_reason(&decision->evidence, would, reason)
                                                  : decision->reason;
    (void)fprintf(stream, "%s\n", why[0] != '\0' ? why : name);
}

const char *replay_print_logged(const struct maillog_event *event)
{
    return outcome_names[event->outcome];
}

bool replay_print_json_with(FILE *stream, const struct maillog_event *event,
                            const struct decision *decision, const struct transaction *transaction,
                            const char *more)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return false;
    json_writer_text(json, "file", event->file);
    json_writer_int(json, "line", (int64_t)event->line);
    json_writer_text(json, "logged", outcome_names[event->outcome]);
    char *place = json_writer_line(json);
    json_writer_free(json);
    char *line = decision_json(decision, transaction);
    bool ok = place != NULL && line != NULL;
    if (ok) /* all are objects with members: "{...}" */
        (void)fprintf(stream, "%.*s,%.*s%s%s\n", (int)strlen(line) - 1, line,
                      (int)strlen(place) - 2, place + 1, more != NULL ? "," : "",
                      more != NULL ? more + 1 : "}");
    free(place);
    free(line);
    return ok;
}

bool replay_print_json(FILE *stream, const struct maillog_event *event,
                       const struct decision *decision, const struct transaction *transaction)
{
    return replay_print_json_with(stream, event, decision, transaction, NULL);
}

/* --- summary --------------------------------------------------------------------------------- */

static const char *day_text(int64_t wall_s, char out[16])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (localtime_r(&wall, &tm) == NULL || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
    return out;
}

static void put_title(FILE *stream, const struct replay_tally *tally, const struct replay_run *run)
{
    char text[COLUMNS_COUNT_MAX], first[16], last[16];
    (void)fprintf(stream, "%s attempt%s", columns_count(tally->total, text), plural(tally->total));
    (void)fprintf(stream, " in %s line%s", columns_count(run->counts.lines, text),
                  plural(run->counts.lines));
    (void)fprintf(stream, " of %" PRIu64 " file%s", run->files, plural(run->files));
    if (tally->first_s != 0)
        (void)fprintf(stream, ", %s to %s", day_text(tally->first_s, first),
                      day_text(tally->last_s, last));
    (void)fprintf(stream, "\nJudged by %s%s, %s.\n",
                  run->policy != NULL ? "policy " : "match blocks and policies as configured",
                  run->policy != NULL ? run->policy->name : "",
                  run->no_dns ? "by the names recorded then" : "by the DNS as it is now");
    if (run->lists)
        (void)fprintf(stream, "DNS lists are not asked: what they said then is not known, and no "
                              "block with\n\"listed\" fits.\n");
    for (unsigned i = 0; i < REPLAY_SKIP_COUNT; i++)
        if (tally->skipped[i] > 0)
            (void)fprintf(stream, "Not judged: %s %s.\n", columns_count(tally->skipped[i], text),
                          skip_texts[i]);
    if (run->counts.strange > 0)
        (void)fprintf(stream, "Passed over: %s line%s of no known form.\n",
                      columns_count(run->counts.strange, text), plural(run->counts.strange));
    if (run->problems > 0)
        (void)fprintf(stream, "Problems: %s, reported on standard error.\n",
                      columns_count(run->problems, text));
}

static uint64_t sum(const uint64_t counts[REPLAY_OUTCOME_COUNT])
{
    uint64_t total = 0;
    for (unsigned i = 0; i < REPLAY_OUTCOME_COUNT; i++)
        total += counts[i];
    return total;
}

static void put_actions(FILE *stream, const struct replay_tally *tally)
{
    (void)fprintf(stream, "\n%-12s%12s%9s   %s\n%-33s", "Enforced", "attempts", "share",
                  "of which the log says", "");
    for (unsigned i = 0; i < REPLAY_OUTCOME_COUNT; i++)
        (void)fprintf(stream, "%11s", outcome_names[outcomes[i]]);
    (void)fputc('\n', stream);
    for (unsigned action = 0; action < ACTION_COUNT; action++) {
        uint64_t total = sum(tally->by_action[action]);
        if (total == 0 && (action == ACTION_QUARANTINE || action == ACTION_GREYLIST))
            continue;
        (void)fprintf(stream, "%-12s", action_text((enum action)action));
        columns_put_count(stream, total, 12);
        (void)fprintf(stream, "%7.1f %%", columns_percent(total, tally->total));
        for (unsigned i = 0; i < REPLAY_OUTCOME_COUNT; i++)
            columns_put_count(stream, tally->by_action[action][outcomes[i]], 11);
        (void)fputc('\n', stream);
    }
}

/* What monitor mode, monitored checks and percent make of it. */
static void put_now(FILE *stream, const struct replay_tally *tally)
{
    char text[COLUMNS_COUNT_MAX];
    bool differs = false;
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        differs = differs || tally->now[i] != sum(tally->by_action[i]);
    if (!differs)
        return;
    (void)fputs("As configured now, with monitor and percent:", stream);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        if (tally->now[i] > 0)
            (void)fprintf(stream, " %s %s", action_text((enum action)i),
                          columns_count(tally->now[i], text));
    (void)fputs(".\n", stream);
}

static void put_grace(FILE *stream, const struct replay_tally *tally)
{
    char text[COLUMNS_COUNT_MAX];
    if (tally->grace > 0)
        (void)fprintf(stream, "In grace: %s attempt%s of clients that were right before.\n",
                      columns_count(tally->grace, text), plural(tally->grace));
}

static void put_checks(FILE *stream, const struct replay_tally *tally)
{
    bool any = false;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct replay_check_count *count = &tally->checks[i];
        if (count->hits == 0)
            continue;
        if (!any)
            (void)fprintf(stream, "\n%-24s%12s%9s%12s%12s\n", "Check", "true", "share", "alone",
                          "decides");
        any = true;
        (void)fprintf(stream, "%-24s", checks[i].name);
        columns_put_count(stream, count->hits, 12);
        (void)fprintf(stream, "%7.1f %%", columns_percent(count->hits, tally->total));
        columns_put_count(stream, count->alone, 12);
        columns_put_count(stream, count->decides, 12);
        (void)fputc('\n', stream);
    }
}

static void put_domain(FILE *stream, const struct ranking_row *domain, bool correspondent)
{
    const struct replay_example *example = domain->extra;
    if (correspondent)
        (void)fputs("* ", stream);
    columns_put_name(stream, domain->name, correspondent ? DOMAIN_WIDTH - 2 : DOMAIN_WIDTH);
    columns_put_count(stream, domain->total, 10);
    columns_put_count(stream, domain->by_action[ACTION_ACCEPT], 9);
    columns_put_count(stream, action_sum_marked(domain->by_action), 9);
    columns_put_count(stream, action_sum_deferred(domain->by_action), 9);
    columns_put_count(stream, domain->by_action[ACTION_REJECT], 9);
    (void)fputc('\n', stream);
    if (example->text[0] == '\0')
        return;
    bool named = strstr(example->text, example->client) != NULL;
    int room = LINE_WIDTH - 4 - (named ? 0 : (int)strlen(example->client) + 2);
    bool cut = (int)strlen(example->text) > room;
    (void)fprintf(stream, "    %s%s%.*s%s\n", named ? "" : example->client, named ? "" : ": ",
                  cut ? room - 3 : room, example->text, cut ? "..." : "");
}

/* The rows with more than accepted mail, malloc'ed: those of correspondents first, each part the
   worst first.  NULL: there are none, or memory is out. */
static const struct ranking_row **worst_domains(const struct replay_tally *tally, size_t *count,
                                                size_t *correspondents)
{
    const struct ranking_row **all = calloc(2 * RANKING_NAMES_MAX, sizeof *all);
    size_t of, last = 0;
    *count = *correspondents = 0;
    if (all == NULL)
        return NULL;
    const struct ranking_row **sorted = all + RANKING_NAMES_MAX;
    size_t found = ranking_worst(tally->domains, sorted, RANKING_NAMES_MAX, &of);
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < found; i++)
            if (replay_tally_is_correspondent(tally, sorted[i]->name) == (pass == 0)) {
                all[last++] = sorted[i];
                *correspondents += pass == 0;
            }
    *count = last;
    return all;
}

static void put_domains(FILE *stream, const struct replay_tally *tally)
{
    size_t count, correspondents;
    const struct ranking_row **worst = worst_domains(tally, &count, &correspondents);
    size_t shown = count < DOMAINS_SHOWN ? count : DOMAINS_SHOWN;
    if (shown > 0)
        (void)fprintf(stream, "\n%-34s%10s%9s%9s%9s%9s\n", "Sending domain", "attempts", "accept",
                      "tag", "tempfail", "reject");
    for (size_t i = 0; i < shown; i++)
        put_domain(stream, worst[i], i < correspondents);
    if (count > shown)
        (void)fprintf(stream, "and %zu more domain%s with mail that would not just be accepted\n",
                      count - shown, plural(count - shown));
    if (shown > 0 && ranking_others(tally->domains)->total > 0)
        put_domain(stream, ranking_others(tally->domains), false);
    if (correspondents > 0)
        (void)fprintf(stream,
                      "* Users of this site wrote to %zu of these domains: read %s first.\n",
                      correspondents, plural_of(correspondents, "it", "them"));
    free(worst);
}

void replay_print_summary(FILE *stream, const struct replay_tally *tally,
                          const struct replay_run *run)
{
    put_title(stream, tally, run);
    if (run->compare != NULL)
        replay_compare_print_summary(stream, run->compare, tally, run->compared);
    if (tally->total == 0 || run->compare != NULL)
        return;
    put_actions(stream, tally);
    put_now(stream, tally);
    put_grace(stream, tally);
    put_checks(stream, tally);
    put_domains(stream, tally);
}

/* --- summary as JSON ------------------------------------------------------------------------- */

static void json_actions(struct json_writer *json, const struct replay_tally *tally)
{
    json_writer_begin_object(json, "enforced");
    for (unsigned action = 0; action < ACTION_COUNT; action++) {
        json_writer_begin_object(json, action_text((enum action)action));
        json_writer_int(json, "attempts", (int64_t)sum(tally->by_action[action]));
        for (unsigned i = 0; i < REPLAY_OUTCOME_COUNT; i++)
            json_writer_int(json, outcome_names[outcomes[i]],
                            (int64_t)tally->by_action[action][outcomes[i]]);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_begin_object(json, "now");
    for (unsigned action = 0; action < ACTION_COUNT; action++)
        json_writer_int(json, action_text((enum action)action), (int64_t)tally->now[action]);
    json_writer_end(json);
}

static void json_checks(struct json_writer *json, const struct replay_tally *tally)
{
    json_writer_begin_object(json, "checks");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        json_writer_begin_object(json, checks[i].name);
        json_writer_int(json, "true", (int64_t)tally->checks[i].hits);
        json_writer_int(json, "alone", (int64_t)tally->checks[i].alone);
        json_writer_int(json, "decides", (int64_t)tally->checks[i].decides);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void json_domain(struct json_writer *json, const struct ranking_row *row, bool correspondent)
{
    const struct replay_example *example = row->extra;
    json_writer_begin_object(json, NULL);
    json_writer_text(json, "domain", row->name);
    json_writer_bool(json, "correspondent", correspondent);
    json_writer_int(json, "attempts", (int64_t)row->total);
    for (unsigned action = 0; action < ACTION_COUNT; action++)
        json_writer_int(json, action_text((enum action)action), (int64_t)row->by_action[action]);
    json_writer_text(json, "example_client", example->client);
    json_writer_sentence(json, "example", example->text);
    json_writer_end(json);
}

static void json_domains(struct json_writer *json, const struct replay_tally *tally)
{
    size_t count, correspondents;
    const struct ranking_row **worst = worst_domains(tally, &count, &correspondents);
    json_writer_int(json, "domains_of", (int64_t)count);
    json_writer_int(json, "correspondents", (int64_t)correspondents);
    json_writer_begin_list(json, "domains");
    for (size_t i = 0; i < count && i < DOMAINS_SHOWN; i++)
        json_domain(json, worst[i], i < correspondents);
    json_writer_end(json);
    free(worst);
}

bool replay_print_summary_json(FILE *stream, const struct replay_tally *tally,
                               const struct replay_run *run)
{
    static const char *const skip_keys[REPLAY_SKIP_COUNT] = {"local", "authenticated", "relay",
                                                             "unrecorded", "failed"};
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return false;
    json_writer_int(json, "files", (int64_t)run->files);
    json_writer_int(json, "lines", (int64_t)run->counts.lines);
    json_writer_int(json, "strange_lines", (int64_t)run->counts.strange);
    json_writer_int(json, "other_records", (int64_t)run->counts.others);
    json_writer_int(json, "messages", (int64_t)run->counts.messages);
    json_writer_int(json, "local_messages", (int64_t)run->counts.local);
    json_writer_int(json, "unreadable_messages", (int64_t)run->counts.unreadable);
    json_writer_int(json, "problems", (int64_t)run->problems);
    json_writer_int(json, "first", tally->first_s);
    json_writer_int(json, "last", tally->last_s);
    json_writer_bool(json, "no_dns", run->no_dns);
    json_writer_bool(json, "lists_not_asked", run->lists);
    json_writer_text(json, "policy", run->policy != NULL ? run->policy->name : NULL);
    json_writer_int(json, "attempts", (int64_t)tally->total);
    json_writer_begin_object(json, "not_judged");
    for (unsigned i = 0; i < REPLAY_SKIP_COUNT; i++)
        json_writer_int(json, skip_keys[i], (int64_t)tally->skipped[i]);
    json_writer_end(json);
    json_actions(json, tally);
    json_writer_int(json, "grace", (int64_t)tally->grace);
    json_checks(json, tally);
    json_domains(json, tally);
    if (run->compare != NULL)
        replay_compare_put_json(json, run->compare, tally, run->compared);
    char *line = json_writer_line(json);
    json_writer_free(json);
    if (line != NULL)
        (void)fprintf(stream, "%s\n", line);
    free(line);
    return line != NULL;
}
