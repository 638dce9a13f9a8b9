/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_print.h"

#include "base/textbuf.h"
#include "ctl/columns.h"

#include <inttypes.h>
#include <time.h>

#define NAME_WIDTH 34 /* columns of a name; longer ones lose their beginning */

static const char *nothing(char out[REPORT_TIME_MAX])
{
    out[0] = '-';
    out[1] = '\0';
    return out;
}

const char *report_print_day(int64_t wall_s, char out[REPORT_TIME_MAX])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (wall_s == 0 || localtime_r(&wall, &tm) == NULL ||
        strftime(out, REPORT_TIME_MAX, "%Y-%m-%d", &tm) == 0)
        return nothing(out);
    return out;
}

const char *report_print_time(int64_t wall_s, char out[REPORT_TIME_MAX])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (wall_s == 0 || localtime_r(&wall, &tm) == NULL ||
        strftime(out, REPORT_TIME_MAX, "%Y-%m-%d %H:%M", &tm) == 0)
        return nothing(out);
    return out;
}

const char *report_print_wait(size_t i, char out[REPORT_WAIT_TEXT_MAX])
{
    if (i == 0)
        (void)snprintf(out, REPORT_WAIT_TEXT_MAX, "under %" PRId64 " ms", report_wait_ms[0]);
    else if (i == REPORT_WAITS - 1)
        (void)snprintf(out, REPORT_WAIT_TEXT_MAX, "%" PRId64 " ms and more", report_wait_ms[i - 1]);
    else
        (void)snprintf(out, REPORT_WAIT_TEXT_MAX, "%" PRId64 " to %" PRId64 " ms",
                       report_wait_ms[i - 1], report_wait_ms[i]);
    return out;
}

bool report_print_is_short(const struct report_origin *origin)
{
    return origin->since_s > 0 && origin->oldest_s > origin->since_s;
}

static void put_count(FILE *stream, uint64_t count, int width)
{
    if (count == 0)
        (void)fprintf(stream, "%*s", width, "-");
    else
        (void)fprintf(stream, "%*" PRIu64, width, count);
}

static void put_actions(FILE *stream, const struct report_sums *sums)
{
    (void)fprintf(stream, "\n%-12s%12s%9s%20s%9s\n", "Action", "done", "share", "when enforced",
                  "share");
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        (void)fprintf(stream, "%-12s", action_text((enum action)i));
        put_count(stream, sums->by_action[i], 12);
        (void)fprintf(stream, "%7.1f %%", columns_percent(sums->by_action[i], sums->total));
        put_count(stream, sums->by_would[i], 20);
        (void)fprintf(stream, "%7.1f %%\n", columns_percent(sums->by_would[i], sums->total));
    }
    if (sums->spared > 0)
        (void)fprintf(stream,
                      "Without monitor and percent %" PRIu64
                      " more would have been deferred or refused.\n",
                      sums->spared);
}

static void put_days(FILE *stream, const struct report_sums *sums)
{
    if (sums->day_count == 0)
        return;
    (void)fprintf(stream, "\n%-12s%11s%11s%11s%11s%11s%13s\n", "Day", "accept", "tag", "quarantine",
                  "tempfail", "reject", "would refuse");
    for (size_t i = 0; i < sums->day_count; i++) {
        const struct report_day *day = &sums->days[i];
        (void)fprintf(stream, "%04d-%02d-%02d  ", day->date / 10000, day->date / 100 % 100,
                      day->date % 100);
        for (unsigned action = 0; action < ACTION_COUNT; action++)
            put_count(stream, day->by_action[action], 11);
        put_count(stream, day->by_would[ACTION_REJECT] + day->by_would[ACTION_TEMPFAIL], 13);
        (void)fputc('\n', stream);
    }
}

static void put_checks(FILE *stream, const struct report_sums *sums)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    (void)fprintf(stream, "\n%-22s%9s%9s%9s%9s%11s%11s\n", "Check", "true", "share", "refused",
                  "would be", "first", "last");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct report_check *check = &sums->checks[i];
        if (check->hits == 0)
            continue;
        (void)fprintf(stream, "%-22s", checks[i].name);
        put_count(stream, check->hits, 9);
        (void)fprintf(stream, "%7.1f %%", columns_percent(check->hits, sums->total));
        put_count(stream, check->refused, 9);
        put_count(stream, check->would, 9);
        (void)fprintf(stream, "%11s%11s\n", report_print_day(check->first_s, first),
                      report_print_day(check->last_s, last));
    }
}

static void put_ranking(FILE *stream, const char *title, const struct ranking *ranking)
{
    const struct ranking_row *worst[REPORT_TOP];
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    size_t of;
    size_t count = ranking_worst(ranking, worst, REPORT_TOP, &of);
    if (count == 0)
        return;
    (void)fprintf(stream, "\n%-34s%8s%7s%9s%11s%11s\n", title, "total", "tag", "refuse", "first",
                  "last");
    for (size_t i = 0; i < count; i++) {
        const struct ranking_row *row = worst[i];
        columns_put_name(stream, row->name, NAME_WIDTH);
        put_count(stream, row->total, 8);
        put_count(stream, row->by_action[ACTION_TAG] + row->by_action[ACTION_QUARANTINE], 7);
        put_count(stream, row->by_action[ACTION_TEMPFAIL] + row->by_action[ACTION_REJECT], 9);
        (void)fprintf(stream, "%11s%11s\n", report_print_day(row->first_s, first),
                      report_print_day(row->last_s, last));
    }
    if (of > count)
        (void)fprintf(stream, "and %zu more\n", of - count);
}

static void put_waits(FILE *stream, const struct report_sums *sums)
{
    char text[REPORT_WAIT_TEXT_MAX];
    (void)fprintf(stream, "\n%-24s%11s%9s\n", "Waited for the DNS", "decisions", "share");
    for (size_t i = 0; i < REPORT_WAITS; i++) {
        (void)fprintf(stream, "%-24s", report_print_wait(i, text));
        put_count(stream, sums->waits[i], 11);
        (void)fprintf(stream, "%7.1f %%\n", columns_percent(sums->waits[i], sums->total));
    }
    (void)fprintf(stream, "From the cache alone: %.1f %%, with stale answers: %.1f %%\n",
                  columns_percent(sums->by_cache[REPORT_CACHE_HIT], sums->total),
                  columns_percent(sums->by_cache[REPORT_CACHE_STALE], sums->total));
}

void report_print_text(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    (void)fprintf(stream, "%" PRIu64 " decisions, %s to %s\n", sums->total,
                  report_print_time(sums->first_s, first), report_print_time(sums->last_s, last));
    if (sums->monitored > 0)
        (void)fprintf(stream, "%" PRIu64 " of them in monitor mode, which refuses nothing.\n",
                      sums->monitored);
    if (report_print_is_short(origin))
        (void)fprintf(stream, "The log begins at %s, later than --since asks for.\n",
                      report_print_time(origin->oldest_s, first));
    if (origin->bad > 0)
        (void)fprintf(stream, "%" PRIu64 " lines could not be read.\n", origin->bad);
    if (sums->total == 0)
        return;
    put_actions(stream, sums);
    put_days(stream, sums);
    put_checks(stream, sums);
    put_ranking(stream, "Network (as if enforced)", sums->networks);
    put_ranking(stream, "Domain (as if enforced)", sums->domains);
    put_waits(stream, sums);
}
