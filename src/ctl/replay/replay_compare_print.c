/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_compare_print.h"

#include "base/plural.h"
#include "ctl/columns.h"
#include "ctl/replay/replay_print.h"

#include <inttypes.h>
#include <stdlib.h>

#define DOMAINS_SHOWN 20
#define DOMAIN_WIDTH  40
#define LINE_WIDTH    80

/* --- attempts -------------------------------------------------------------------------------- */

void replay_compare_print_head(FILE *stream)
{
    (void)fprintf(stream, "%-10s %-10s %-8s %-15s %s\n", "POLICY", "OTHER", "LOGGED", "CLIENT",
                  "WHY");
}

static const struct decision *stricter(const struct decision *decision,
                                       const struct decision *other)
{
    return replay_compare_action(other) > replay_compare_action(decision) ? other : decision;
}

void replay_compare_print_row(FILE *stream, const struct maillog_event *event,
                              const struct decision *decision, const struct decision *other)
{
    char client[IPADDR_TEXT_MAX], text[REASON_MAX];
    const struct decision *reason = stricter(decision, other);
    const struct outcome *would = &reason->verdict.would;
    (void)fprintf(
        stream, "%-10s %-10s %-8s %-15s %s%s%s\n", action_text(replay_compare_action(decision)),
        action_text(replay_compare_action(other)), replay_print_logged(event),
        ipaddr_format(&event->client, client),
        would->reason < CHECK_COUNT ? checks[would->reason].name : "",
        would->reason < CHECK_COUNT ? ": " : "", reply_reason(&reason->evidence, would, text));
}

/* What the other configuration makes of it; NULL: it leaves the client alone. */
static void put_side(struct json_writer *json, const char *key, const struct decision *decision)
{
    if (decision == NULL) {
        json_writer_text(json, key, NULL);
        return;
    }
    json_writer_begin_object(json, key);
    json_writer_text(json, "action", action_text(decision->verdict.done.action));
    json_writer_text(json, "would", action_text(decision->verdict.would.action));
    json_writer_text(json, "policy", decision_policy_name(decision));
    json_writer_text(json, "match", decision->match != NULL ? decision->match->name : NULL);
    json_writer_begin_list(json, "checks");
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((decision->verdict.would.checks & CHECK_BIT(i)) != 0)
            json_writer_text(json, NULL, checks[i].name);
    json_writer_end(json);
    json_writer_end(json);
}

bool replay_compare_print_json(FILE *stream, const struct maillog_event *event,
                               const struct decision *decision, const struct decision *other,
                               const struct transaction *transaction)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return false;
    put_side(json, "before", decision);
    put_side(json, "after", other);
    char *more = json_writer_line(json);
    json_writer_free(json);
    bool ok = more != NULL &&
              replay_print_json_with(stream, event, stricter(decision, other), transaction, more);
    free(more);
    return ok;
}

/* --- the sums -------------------------------------------------------------------------------- */

/* Those that would be stopped first, then all other changes. */
static int by_changes(const void *a, const void *b)
{
    const struct ranking_row *const *left = a, *const *right = b;
    const struct replay_compare_row *one = (*left)->extra, *two = (*right)->extra;
    if (one->changes.stopped != two->changes.stopped)
        return one->changes.stopped < two->changes.stopped ? 1 : -1;
    uint64_t first = replay_compare_sum(&one->changes), second = replay_compare_sum(&two->changes);
    if (first != second)
        return first < second ? 1 : -1;
    return strcmp((*left)->name, (*right)->name);
}

/* The rows, malloc'ed: those of correspondents first.  NULL: there are none, or memory is out. */
static const struct ranking_row **sort_domains(const struct replay_compare *compare,
                                               const struct replay_tally *tally, size_t *count,
                                               size_t *correspondents)
{
    const struct ranking_row **all = calloc(2 * RANKING_NAMES_MAX, sizeof *all);
    size_t of, last = 0;
    *count = *correspondents = 0;
    if (all == NULL)
        return NULL;
    const struct ranking_row **sorted = all + RANKING_NAMES_MAX;
    size_t found = ranking_worst(compare->domains, sorted, RANKING_NAMES_MAX, &of);
    qsort(sorted, found, sizeof *sorted, by_changes);
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < found; i++)
            if (replay_tally_is_correspondent(tally, sorted[i]->name) == (pass == 0)) {
                all[last++] = sorted[i];
                *correspondents += pass == 0;
            }
    *count = last;
    return all;
}

static void put_changes(FILE *stream, const struct replay_changes *changes)
{
    columns_put_count(stream, changes->stopped, 10);
    columns_put_count(stream, changes->passed, 10);
    columns_put_count(stream, changes->stricter, 10);
    columns_put_count(stream, changes->milder, 10);
    (void)fputc('\n', stream);
}

static void put_head(FILE *stream, const char *what)
{
    (void)fprintf(stream, "\n%-*s%10s%10s%10s%10s\n", DOMAIN_WIDTH, what, "stopped", "let pass",
                  "stricter", "milder");
}

static void put_actions(FILE *stream, const struct replay_compare *compare)
{
    (void)fprintf(stream, "\n%-14s%-14s%12s\n", "Enforced", "with the other", "attempts");
    for (unsigned before = 0; before < ACTION_COUNT; before++)
        for (unsigned after = 0; after < ACTION_COUNT; after++) {
            if (before == after || compare->by_action[before][after] == 0)
                continue;
            (void)fprintf(stream, "%-14s%-14s", action_text((enum action)before),
                          action_text((enum action)after));
            columns_put_count(stream, compare->by_action[before][after], 12);
            (void)fputc('\n', stream);
        }
}

static void put_checks(FILE *stream, const struct replay_compare *compare)
{
    put_head(stream, "Check that makes the difference");
    for (unsigned i = 0; i <= CHECK_COUNT; i++) {
        if (replay_compare_sum(&compare->checks[i]) == 0)
            continue;
        (void)fprintf(stream, "%-*s", DOMAIN_WIDTH, i < CHECK_COUNT ? checks[i].name : "(score)");
        put_changes(stream, &compare->checks[i]);
    }
}

static void put_domain(FILE *stream, const struct ranking_row *domain, bool correspondent)
{
    const struct replay_compare_row *row = domain->extra;
    if (correspondent)
        (void)fputs("* ", stream);
    columns_put_name(stream, domain->name, correspondent ? DOMAIN_WIDTH - 2 : DOMAIN_WIDTH);
    put_changes(stream, &row->changes);
    if (row->client[0] == '\0')
        return;
    int used = fprintf(stream, "    %s to %s: ", action_text(row->before), action_text(row->after));
    if (strstr(row->text, row->client) == NULL)
        used += fprintf(stream, "%s: ", row->client);
    int room = LINE_WIDTH - used;
    bool cut = (int)strlen(row->text) > room;
    (void)fprintf(stream, "%.*s%s\n", cut ? room - 3 : room, row->text, cut ? "..." : "");
}

static void put_domains(FILE *stream, const struct replay_compare *compare,
                        const struct replay_tally *tally)
{
    size_t count, correspondents;
    const struct ranking_row **rows = sort_domains(compare, tally, &count, &correspondents);
    if (count > 0)
        put_head(stream, "Sending domain");
    for (size_t i = 0; i < count && i < DOMAINS_SHOWN; i++)
        put_domain(stream, rows[i], i < correspondents);
    if (count > DOMAINS_SHOWN)
        (void)fprintf(stream, "and %zu more domain%s\n", count - DOMAINS_SHOWN,
                      plural(count - DOMAINS_SHOWN));
    if (ranking_others(compare->domains)->total > 0)
        put_domain(stream, ranking_others(compare->domains), false);
    if (correspondents > 0)
        (void)fprintf(stream,
                      "* Users of this site wrote to %zu of these domains: read %s first.\n",
                      correspondents, plural_of(correspondents, "it", "them"));
    free(rows);
}

void replay_compare_print_summary(FILE *stream, const struct replay_compare *compare,
                                  const struct replay_tally *tally, const char *path)
{
    char text[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "\nCompared with %s:\n", path);
    (void)fprintf(stream, "%s of ", columns_count(replay_compare_sum(&compare->changes), text));
    (void)fprintf(stream, "%s attempts change if all is enforced, ",
                  columns_count(compare->total, text));
    (void)fprintf(stream, "%s as configured.\n", columns_count(compare->now, text));
    if (replay_compare_sum(&compare->changes) == 0)
        return;
    (void)fprintf(stream, "%s more would be deferred or refused, ",
                  columns_count(compare->changes.stopped, text));
    (void)fprintf(stream, "%s no longer.\n", columns_count(compare->changes.passed, text));
    put_actions(stream, compare);
    put_checks(stream, compare);
    put_domains(stream, compare, tally);
}

/* --- the sums as JSON ------------------------------------------------------------------------ */

static void json_changes(struct json_writer *json, const struct replay_changes *changes)
{
    json_writer_int(json, "stopped", (int64_t)changes->stopped);
    json_writer_int(json, "passed", (int64_t)changes->passed);
    json_writer_int(json, "stricter", (int64_t)changes->stricter);
    json_writer_int(json, "milder", (int64_t)changes->milder);
}

static void json_domain(struct json_writer *json, const struct ranking_row *domain,
                        bool correspondent)
{
    const struct replay_compare_row *row = domain->extra;
    json_writer_begin_object(json, NULL);
    json_writer_text(json, "domain", domain->name);
    json_writer_bool(json, "correspondent", correspondent);
    json_changes(json, &row->changes);
    json_writer_text(json, "example_client", row->client);
    json_writer_text(json, "example_before", action_text(row->before));
    json_writer_text(json, "example_after", action_text(row->after));
    json_writer_sentence(json, "example", row->text);
    json_writer_end(json);
}

void replay_compare_put_json(struct json_writer *json, const struct replay_compare *compare,
                             const struct replay_tally *tally, const char *path)
{
    size_t count, correspondents;
    const struct ranking_row **rows = sort_domains(compare, tally, &count, &correspondents);
    json_writer_begin_object(json, "compared");
    json_writer_text(json, "with", path);
    json_writer_int(json, "attempts", (int64_t)compare->total);
    json_writer_int(json, "changes", (int64_t)replay_compare_sum(&compare->changes));
    json_writer_int(json, "changes_now", (int64_t)compare->now);
    json_changes(json, &compare->changes);
    json_writer_begin_object(json, "actions");
    for (unsigned before = 0; before < ACTION_COUNT; before++) {
        json_writer_begin_object(json, action_text((enum action)before));
        for (unsigned after = 0; after < ACTION_COUNT; after++)
            json_writer_int(json, action_text((enum action)after),
                            (int64_t)compare->by_action[before][after]);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_begin_object(json, "checks");
    for (unsigned i = 0; i <= CHECK_COUNT; i++) {
        json_writer_begin_object(json, i < CHECK_COUNT ? checks[i].name : "score");
        json_changes(json, &compare->checks[i]);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_int(json, "domains_of", (int64_t)count);
    json_writer_int(json, "correspondents", (int64_t)correspondents);
    json_writer_begin_list(json, "domains");
    for (size_t i = 0; i < count && i < DOMAINS_SHOWN; i++)
        json_domain(json, rows[i], i < correspondents);
    json_writer_end(json);
    json_writer_end(json);
    free(rows);
}
