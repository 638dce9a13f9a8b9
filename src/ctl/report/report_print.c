/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_print.h"

#include "base/plural.h"
#include "base/textbuf.h"
#include "ctl/columns.h"
#include "ctl/report/report_correspondents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define LINE_WIDTH  80
#define FILES_SHOWN 3  /* named before the last one */
#define NAME_WIDTH  34 /* columns of a name; longer ones lose their beginning */

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

const char *report_print_zone(int64_t wall_s, char out[REPORT_ZONE_MAX])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    out[0] = '\0';
    if (localtime_r(&wall, &tm) != NULL)
        (void)strftime(out, REPORT_ZONE_MAX, "%Z (%z)", &tm);
    return out;
}

const char *report_print_addresses(const struct report_client *client,
                                   char out[REPORT_ADDRESSES_TEXT_MAX])
{
    char address[IPADDR_TEXT_MAX];
    struct textbuf buf;
    textbuf_init(&buf, out, REPORT_ADDRESSES_TEXT_MAX);
    textbuf_put(&buf, ipaddr_format(&client->addresses[0], address));
    if (client->more_addresses)
        textbuf_printf(&buf, " and %d+ more", REPORT_ADDRESSES_MAX);
    else if (client->address_count > 1)
        textbuf_printf(&buf, " and %zu more", client->address_count - 1);
    return out;
}

const char *report_print_correspondents(const struct report_origin *origin)
{
    return origin->correspondents != NULL
               ? "* your users wrote to it or to the sender's domain: these first."
               : "Who of them you write to is not known (--mail-log FILE): look for known names.";
}

const char *report_print_unused(const struct report_use *use, const struct report_sums *sums,
                                const struct report_origin *origin, char out[REPORT_ZONE_MAX])
{
    int64_t since_s = use->last_s != 0 ? use->last_s : sums->first_s;
    int64_t days = since_s == 0 ? 0 : (origin->now_s - since_s) / 86400;
    out[0] = '\0';
    if (days >= REPORT_UNUSED_DAYS)
        (void)snprintf(out, REPORT_ZONE_MAX, "not used for %" PRId64 " days", days);
    else if (use->hits == 0)
        (void)snprintf(out, REPORT_ZONE_MAX, "not used in this log");
    return out;
}

const struct ranking_row **report_print_rows(const struct ranking *ranking,
                                             const struct report_origin *origin, size_t *count,
                                             size_t *of)
{
    size_t top = origin->top == 0 ? REPORT_TOP : origin->top;
    if (top > RANKING_NAMES_MAX)
        top = RANKING_NAMES_MAX;
    const struct ranking_row **rows = calloc(top, sizeof *rows);
    *count = rows == NULL ? 0 : ranking_worst(ranking, rows, top, of);
    if (*count > 0)
        return rows;
    free(rows);
    return NULL;
}

const struct ranking_row **report_print_client_rows(const struct report_sums *sums,
                                                    const struct report_origin *origin,
                                                    size_t *count, size_t *of, size_t *known)
{
    struct report_origin every = *origin;
    size_t all = 0, used = 0;
    *known = *count = 0;
    if (origin->correspondents == NULL)
        return report_print_rows(sums->clients, origin, count, of);
    every.top = RANKING_NAMES_MAX;
    const struct ranking_row **rows = report_print_rows(sums->clients, &every, &all, of);
    const struct ranking_row **sorted = calloc(all + 1, sizeof *sorted);
    for (unsigned pass = 0; rows != NULL && sorted != NULL && pass < 2; pass++) {
        for (size_t i = 0; i < all; i++)
            if (report_correspondents_has(origin->correspondents, origin->orgdomains, rows[i]) ==
                (pass == 0))
                sorted[used++] = rows[i];
        *known = pass == 0 ? used : *known;
    }
    free(rows);
    size_t top = origin->top == 0 ? REPORT_TOP : origin->top;
    *count = used < top ? used : top;
    if (*known > *count)
        *known = *count;
    if (used > 0)
        return sorted;
    free(sorted);
    return NULL;
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

static void put_actions(FILE *stream, const struct report_sums *sums)
{
    char text[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "\n%-12s%12s%9s%20s%9s\n", "Action", "done", "share", "when enforced",
                  "share");
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        (void)fprintf(stream, "%-12s", action_text((enum action)i));
        columns_put_count(stream, sums->by_action[i], 12);
        (void)fprintf(stream, "%7.1f %%", columns_percent(sums->by_action[i], sums->total));
        columns_put_count(stream, sums->by_would[i], 20);
        (void)fprintf(stream, "%7.1f %%\n", columns_percent(sums->by_would[i], sums->total));
    }
    if (sums->spared > 0)
        (void)fprintf(stream,
                      "Without monitor and percent %s more would have been deferred or refused.\n",
                      columns_count(sums->spared, text));
    if (sums->grace > 0)
        (void)fprintf(stream, "In grace: %s decision%s about clients that were right before.\n",
                      columns_count(sums->grace, text), plural(sums->grace));
}

/* Of a farm: which host said what. */
static void put_servers(FILE *stream, const struct report_sums *sums)
{
    if (sums->server_count < 2)
        return;
    (void)fprintf(stream, "\n%-34s%10s%9s%9s%9s%9s\n", "Mail server", "total", "tag", "tempfail",
                  "reject", "would");
    for (size_t i = 0; i < sums->server_count; i++) {
        const struct report_server *server = &sums->servers[i];
        columns_put_name(stream, server->name, NAME_WIDTH);
        columns_put_count(stream, server->total, 10);
        columns_put_count(stream, action_sum_marked(server->by_action), 9);
        columns_put_count(stream, action_sum_deferred(server->by_action), 9);
        columns_put_count(stream, server->by_action[ACTION_REJECT], 9);
        columns_put_count(stream, action_sum_refused(server->by_would), 9);
        (void)fputc('\n', stream);
    }
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
            if (action != ACTION_GREYLIST)
                columns_put_count(stream,
                                  action == ACTION_TEMPFAIL ? action_sum_deferred(day->by_action)
                                                            : day->by_action[action],
                                  11);
        columns_put_count(stream, action_sum_refused(day->by_would), 13);
        (void)fputc('\n', stream);
    }
}

static void put_checks(FILE *stream, const struct report_sums *sums)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    (void)fprintf(stream, "\n%-22s%9s%9s%8s%8s%12s%12s\n", "Check", "true", "share", "alone",
                  "decided", "first", "last");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct report_check *check = &sums->checks[i];
        if (check->hits == 0)
            continue;
        (void)fprintf(stream, "%-22s", checks[i].name);
        columns_put_count(stream, check->hits, 9);
        (void)fprintf(stream, "%7.1f %%", columns_percent(check->hits, sums->total));
        columns_put_count(stream, check->alone, 8);
        columns_put_count(stream, check->decided, 8);
        (void)fprintf(stream, "%12s%12s\n", report_print_day(check->first_s, first),
                      report_print_day(check->last_s, last));
    }
}

/* Untrusted text or our own sentence in what is left of a line. */
static void put_cut(FILE *stream, const char *text, int room)
{
    bool cut = (int)strlen(text) > room;
    (void)fprintf(stream, "%.*s%s\n", cut ? room - 3 : room, text, cut ? "..." : "");
}

static void put_client(FILE *stream, const struct ranking_row *row, bool correspondent)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX], addresses[REPORT_ADDRESSES_TEXT_MAX];
    char memory[8 * REPORT_SHOWN_MAX];
    struct textbuf buf;
    const struct report_client *client = row->extra;
    if (correspondent)
        (void)fputs("* ", stream);
    columns_put_name(stream, row->name, correspondent ? NAME_WIDTH - 2 : NAME_WIDTH);
    columns_put_count(stream, action_sum_deferred(row->by_action), 11);
    columns_put_count(stream, row->by_action[ACTION_REJECT], 11);
    (void)fprintf(stream, "%12s%12s\n", report_print_day(row->first_s, first),
                  report_print_day(row->last_s, last));
    if (client->address_count == 0)
        return; /* the others, about whom no more is known */
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_printf(&buf, "%s", report_print_addresses(client, addresses));
    if (client->helo[0] != '\0') {
        textbuf_put(&buf, ", EHLO ");
        textbuf_put_untrusted(&buf, client->helo, sizeof client->helo);
    }
    if (client->sender[0] != '\0') {
        textbuf_put(&buf, ", from ");
        textbuf_put_untrusted(&buf, client->sender, sizeof client->sender);
    }
    (void)fputs("  ", stream);
    put_cut(stream, memory, LINE_WIDTH - 2);
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put(&buf, client->check < CHECK_COUNT ? checks[client->check].name : "");
    textbuf_printf(&buf, "%s%s", buf.length > 0 && client->reason[0] != '\0' ? ": " : "",
                   client->reason);
    if (buf.length > 0) {
        (void)fputs("  ", stream);
        put_cut(stream, memory, LINE_WIDTH - 2);
    }
}

static void put_clients(FILE *stream, const struct report_sums *sums,
                        const struct report_origin *origin)
{
    size_t count, of, known;
    const struct ranking_row **rows = report_print_client_rows(sums, origin, &count, &of, &known);
    if (rows == NULL)
        return;
    (void)fprintf(
        stream,
        "\nWho would be deferred or refused, by the domain of the PTR name, else of EHLO.\n"
        "%s\n"
        "%-34s%11s%11s%12s%12s\n",
        report_print_correspondents(origin), "Client", "tempfail", "reject", "first", "last");
    for (size_t i = 0; i < count; i++)
        put_client(stream, rows[i], i < known);
    if (ranking_others(sums->clients)->total > 0)
        put_client(stream, ranking_others(sums->clients), false);
    if (of > count)
        (void)fprintf(stream, "and %zu more (--top N, --all)\n", of - count);
    free(rows);
}

static void put_use(FILE *stream, const struct report_use *use, const struct report_sums *sums,
                    const struct report_origin *origin)
{
    char last[REPORT_TIME_MAX], unused[REPORT_ZONE_MAX];
    columns_put_own(stream, use->name, NAME_WIDTH);
    columns_put_count(stream, use->hits, 11);
    (void)fprintf(stream, "%12s", report_print_day(use->last_s, last));
    (void)report_print_unused(use, sums, origin, unused);
    (void)fprintf(stream, "%s%s\n", unused[0] != '\0' ? "  " : "", unused);
}

static void put_uses(FILE *stream, const struct report_sums *sums,
                     const struct report_origin *origin)
{
    const struct report_uses *uses = &sums->uses;
    if (uses->block_count > 0)
        (void)fprintf(stream, "\n%-34s%11s%12s\n", "Match block", "decided", "last");
    for (size_t i = 0; i < uses->block_count; i++)
        put_use(stream, &uses->blocks[i], sums, origin);
    if (uses->exemption_count > 0)
        (void)fprintf(stream, "\n%-34s%11s%12s\n", "Exemption (iprevctl allowed)", "decided",
                      "last");
    for (size_t i = 0; i < uses->exemption_count; i++)
        put_use(stream, &uses->exemptions[i], sums, origin);
}

static void put_ranking(FILE *stream, const char *title, const struct ranking *ranking,
                        const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    size_t count, of;
    const struct ranking_row **rows = report_print_rows(ranking, origin, &count, &of);
    if (rows == NULL)
        return;
    (void)fprintf(stream, "\n%-34s%8s%7s%9s%11s%11s\n", title, "total", "tag", "refuse", "first",
                  "last");
    for (size_t i = 0; i < count; i++) {
        const struct ranking_row *row = rows[i];
        columns_put_name(stream, row->name, NAME_WIDTH);
        columns_put_count(stream, row->total, 8);
        columns_put_count(stream, action_sum_marked(row->by_action), 7);
        columns_put_count(stream, action_sum_refused(row->by_action), 9);
        (void)fprintf(stream, "%11s%11s\n", report_print_day(row->first_s, first),
                      report_print_day(row->last_s, last));
    }
    if (of > count)
        (void)fprintf(stream, "and %zu more\n", of - count);
    free(rows);
}

static void put_waits(FILE *stream, const struct report_sums *sums)
{
    char text[REPORT_WAIT_TEXT_MAX];
    (void)fprintf(stream, "\n%-24s%11s%9s\n", "Waited for the DNS", "decisions", "share");
    for (size_t i = 0; i < REPORT_WAITS; i++) {
        (void)fprintf(stream, "%-24s", report_print_wait(i, text));
        columns_put_count(stream, sums->waits[i], 11);
        (void)fprintf(stream, "%7.1f %%\n", columns_percent(sums->waits[i], sums->total));
    }
    (void)fprintf(stream, "From the cache alone: %.1f %%, with stale answers: %.1f %%\n",
                  columns_percent(sums->by_cache[REPORT_CACHE_HIT], sums->total),
                  columns_percent(sums->by_cache[REPORT_CACHE_STALE], sums->total));
}

/* Whose decisions, when, and out of which files. */
static void put_title(FILE *stream, const struct report_sums *sums,
                      const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX], zone[REPORT_ZONE_MAX];
    char count[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "%s decision%s", columns_count(sums->total, count), plural(sums->total));
    if (sums->total > 0)
        (void)fprintf(stream, ", %s to %s", report_print_time(sums->first_s, first),
                      report_print_time(sums->last_s, last));
    (void)fprintf(stream, ", times in %s\n",
                  report_print_zone(sums->last_s != 0 ? sums->last_s : origin->now_s, zone));
    (void)fputs("of ", stream);
    for (size_t i = 0; i < sums->server_count && i < REPORT_SERVERS_NAMED; i++) {
        (void)fputs(i > 0 ? ", " : "", stream);
        columns_put_name(stream, sums->servers[i].name, 0);
    }
    if (sums->server_count > REPORT_SERVERS_NAMED)
        (void)fprintf(stream, " and %zu more", sums->server_count - REPORT_SERVERS_NAMED);
    if (sums->server_count == 0)
        columns_put_name(stream, origin->host != NULL ? origin->host : "-", 0);
    for (size_t i = 0; i < origin->file_count; i++) {
        (void)fputs(i == 0 ? ", out of " : ", ", stream);
        if (i == FILES_SHOWN && origin->file_count > FILES_SHOWN + 1) {
            (void)fprintf(stream, "%zu more and ", origin->file_count - i - 1);
            i = origin->file_count - 1;
        }
        columns_put_name(stream, origin->files[i], 0);
    }
    (void)fputc('\n', stream);
    if (origin->only != NULL)
        (void)fprintf(stream, "Only %s.\n", origin->only);
}

void report_print_text(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], count[COLUMNS_COUNT_MAX];
    put_title(stream, sums, origin);
    if (sums->monitored > 0)
        (void)fprintf(stream, "%s of them in monitor mode, which refuses nothing.\n",
                      columns_count(sums->monitored, count));
    if (report_print_is_short(origin))
        (void)fprintf(stream, "The log begins at %s, later than --since asks for.\n",
                      report_print_time(origin->oldest_s, first));
    if (origin->bad > 0)
        (void)fprintf(stream, "%s line%s could not be read.\n", columns_count(origin->bad, count),
                      origin->bad == 1 ? "" : "s");
    if (sums->total > 0) {
        put_actions(stream, sums);
        put_servers(stream, sums);
        put_days(stream, sums);
        put_checks(stream, sums);
        put_clients(stream, sums, origin);
        put_ranking(stream, "Network (as if enforced)", sums->networks, origin);
        put_ranking(stream, "Domain (as if enforced)", sums->domains, origin);
        put_waits(stream, sums);
    }
    put_uses(stream, sums, origin);
}
