/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_print.h"

#include "base/plural.h"
#include "base/textbuf.h"
#include "ctl/columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The chart of days, in pixels; on a telephone its text is larger. */
#define CHART_WIDTH  860
#define CHART_HEIGHT 260
#define CHART_LEFT   96 /* for the scale */
#define CHART_FOOT   34 /* for the days */
#define DAYS_SHOWN   92 /* bars that can still be distinguished */
#define DAY_LABELS   8  /* at most */

/* Light and dark as the reader's system; actions mildest first, distinct for people who see no red
   or green, too. */
static const char style[] =
    ":root{color-scheme:light "
    "dark;--fg:#222;--bg:#fff;--dim:#595959;--line:#d5d5d5;--box:#f4f5f7;--bar:#3d6a99;--a0:#"
    "3f8f84;--a1:#b8860b;--a2:#9a6bbf;--a3:#d9661f;--a4:#a82318}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e4e4;--bg:#17191c;--dim:#a6abb2;--line:#"
    "3a3f46;--box:#23272c;--bar:#6f9fd0;--a0:#58b3a6;--a1:#e9c46a;--a2:#c9a0dc;--a3:#f4a261;--a4:#"
    "e8695b}}"
    "body{font:16px/1.5 "
    "system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:60em;margin:2em "
    "auto;padding:0 1em}"
    "h1{font-size:1.6em;line-height:1.2;margin-bottom:0}h2{font-size:1.2em;margin:2em 0 .5em}"
    ".lead,small,caption,.note{color:var(--dim)}.lead{margin-top:.3em;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;font-size:.94em}"
    "caption{text-align:left;padding:.3em 0}"
    "th,td{padding:.3em .5em;text-align:right;vertical-align:top;border-bottom:1px solid "
    "var(--line);font-variant-numeric:tabular-nums;font-weight:400}"
    "thead th{font-weight:600;border-bottom:2px solid var(--dim);vertical-align:bottom}"
    "th:first-child,td:first-child,.t{text-align:left;overflow-wrap:break-word}"
    "th small,td small{display:block;overflow-wrap:break-word}.d{white-space:nowrap}"
    ".wide{overflow-x:auto}"
    ".bar{display:block;height:.55em;background:var(--bar);border-radius:2px;min-width:1px}.room{"
    "min-width:6em;width:40%;text-align:left}"
    ".key{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 1em;border-radius:2px}"
    ".a0{background:var(--a0);fill:var(--a0)}.a1{background:var(--a1);fill:var(--a1)}.a2{"
    "background:var(--a2);fill:var(--a2)}.a3{background:var(--a3);fill:var(--a3)}.a4{background:"
    "var(--a4);fill:var(--a4)}"
    ".big{display:flex;flex-wrap:wrap;gap:.8em;margin:1.2em 0}"
    ".big div{flex:1;min-width:8em;background:var(--box);border-radius:6px;padding:.6em .9em}"
    ".big b{display:block;font-size:1.5em}"
    "input{font:inherit;color:inherit;background:var(--box);border:1px solid "
    "var(--dim);border-radius:4px;padding:.25em "
    ".5em;width:16em;max-width:100%;box-sizing:border-box}"
    "svg{width:100%;height:auto;font-size:12px}svg text{fill:var(--fg)}svg line{stroke:var(--line)}"
    "@media(max-width:600px){body{margin-top:1em}svg{font-size:23px}table{font-size:.86em}th,td{"
    "padding:.3em .25em}.room{display:none}tbody th{min-width:5em;max-width:9em}"
    /* Of the clients each is a paragraph. */
    ".c thead{position:absolute;left:-99em}.c tr,.c th,.c td{display:block}.c tr{padding:.4em "
    "0;border-bottom:1px solid var(--line)}.c tbody th,.c td{border:0;text-align:left;padding:0 "
    ".25em;max-width:none}.c td:nth-child(2)::before{content:'Count '}.c td:last-child::before{"
    "content:'First, last '}.c br{display:none}}"
    "[hidden]{display:none!important}"
    "@media print{body{margin:0}.find{display:none}}";

/* Search in the tables.  The page allows no other script: this is its hash, and a change of the
   script changes it (test_report.py computes it). */
static const char script[] =
    "var q=document.getElementById('q'),n=document.getElementById('n');"
    "q.addEventListener('input',function(){var w=q.value.toLowerCase(),c=0;"
    "document.querySelectorAll('table.s tbody tr').forEach(function(r){"
    "var h=r.textContent.toLowerCase().indexOf(w)===-1;r.hidden=h;if(!h)c++;});"
    "n.textContent=w===''?'':c+' rows';});";
#define SCRIPT_HASH "sha256-3Sr54EMvh3n2PGP/iRD31ZgmhrE3jW019+AHjK7uCzk="

#define REASON_COLUMN "Newest reason"

/* Where a name may go on in the next line, rather than in the middle of a label. */
static bool may_break(const char *at)
{
    return strchr(".:@/-_", at[0]) != NULL && at[1] != '\0' && at[1] != ' ';
}

/* What HTML would read as its own, escaped; with `breaks` long names break between their labels. */
static void put_html(FILE *stream, const char *text, bool breaks)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '<':
            (void)fputs("&lt;", stream);
            break;
        case '>':
            (void)fputs("&gt;", stream);
            break;
        case '&':
            (void)fputs("&amp;", stream);
            break;
        case '"':
            (void)fputs("&quot;", stream);
            break;
        case '\'':
            (void)fputs("&#39;", stream);
            break;
        default:
            (void)fputc(*at, stream);
            break;
        }
        if (breaks && may_break(at))
            (void)fputs("<wbr>", stream);
    }
}

static void put_shown(FILE *stream, const char *text, textbuf_put_shown *put, bool breaks)
{
    char memory[4 * HOSTNAME_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    put(&buf, text, sizeof memory - 1);
    put_html(stream, memory, breaks);
}

/* Untrusted text: what is odd as in the log. */
static void put_escaped(FILE *stream, const char *text)
{
    put_shown(stream, text, textbuf_put_untrusted, false);
}

/* What this site wrote. */
static void put_own(FILE *stream, const char *text)
{
    put_shown(stream, text, textbuf_put_own, true);
}

/* In a table. */
static void put_name(FILE *stream, const char *text)
{
    put_shown(stream, text, textbuf_put_untrusted, true);
}

static void put_count(FILE *stream, uint64_t count)
{
    char text[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "<td>%s</td>", columns_count(count, text));
}

/*
 * A table whose columns are `columns`, ended by NULL; "" is one for bars.  `kind`: SEARCHED,
 * CLIENTS or "".
 */
#define SEARCHED " class=\"s\""
#define CLIENTS  " class=\"s c\""
static void begin_table(FILE *stream, const char *caption, const char *const *columns,
                        const char *kind)
{
    (void)fprintf(stream, "<div class=\"wide\"><table%s><caption>%s</caption><thead><tr>", kind,
                  caption);
    for (; *columns != NULL; columns++)
        (void)fprintf(stream, "<th scope=\"col\"%s>%s</th>",
                      (*columns)[0] == '\0'                  ? " class=\"room\""
                      : strcmp(*columns, REASON_COLUMN) == 0 ? " class=\"t\""
                                                             : "",
                      (*columns)[0] == '\0' ? "Share" : *columns);
    (void)fputs("</tr></thead><tbody>\n", stream);
}

static void end_table(FILE *stream)
{
    (void)fputs("</tbody></table></div>\n", stream);
}

static void put_bar(FILE *stream, uint64_t count, uint64_t whole)
{
    (void)fprintf(stream,
                  "<td class=\"room\"><span class=\"bar\" style=\"width:%.1f%%\"></span></td>",
                  columns_percent(count, whole));
}

static void put_legend(FILE *stream)
{
    (void)fputs("<p>", stream);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        (void)fprintf(stream, "<span class=\"d\"><span class=\"key a%u\"></span>%s</span> ", i,
                      action_text((enum action)i));
    (void)fputs("</p>\n", stream);
}

/* The smallest of 1, 2, 3, 4, 6, 8, 10, 20, ... that is not under value. */
static uint64_t round_up(uint64_t value)
{
    static const uint64_t steps[] = {1, 2, 3, 4, 6, 8};
    uint64_t power = 1;
    for (unsigned i = 0; power < UINT64_MAX / 100; i++) {
        if (i == sizeof steps / sizeof steps[0]) {
            i = 0;
            power *= 10;
        }
        if (steps[i] * power >= value)
            return steps[i] * power;
    }
    return value;
}

/* --- days ------------------------------------------------------------------------------------ */

static void put_scale(FILE *stream, uint64_t top)
{
    char text[COLUMNS_COUNT_MAX];
    const int base = CHART_HEIGHT - CHART_FOOT;
    for (int i = 0; i <= 2; i++) {
        double y = base - (base - 14) * i / 2.0;
        if (i == 1 && top % 2 != 0)
            continue;
        (void)fprintf(stream,
                      "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                      CHART_LEFT, CHART_WIDTH, y, y, CHART_LEFT - 6, y + 4,
                      columns_count(top * (uint64_t)i / 2, text));
    }
}

static void put_day_bar(FILE *stream, const struct report_day *day,
                        const uint64_t by_action[ACTION_COUNT], double x, double width,
                        uint64_t top)
{
    const double base = CHART_HEIGHT - CHART_FOOT;
    double y = base;
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        double height = (base - 14) * (double)by_action[i] / (double)top;
        if (by_action[i] == 0)
            continue;
        y -= height;
        (void)fprintf(stream,
                      "<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" class=\"a%u\">"
                      "<title>%04d-%02d-%02d %s: %" PRIu64 "</title></rect>\n",
                      x, y, width, height, i, day->date / 10000, day->date / 100 % 100,
                      day->date % 100, action_text((enum action)i), by_action[i]);
    }
}

static uint64_t total_of(const struct report_day *day)
{
    uint64_t total = 0;
    for (unsigned action = 0; action < ACTION_COUNT; action++)
        total += day->by_action[action];
    return total;
}

static size_t first_day(const struct report_sums *sums)
{
    return sums->day_count > DAYS_SHOWN ? sums->day_count - DAYS_SHOWN : 0;
}

/* What a chart shows, in words, for those who do not see it. */
static void put_day_label(FILE *stream, const struct report_sums *sums, bool would)
{
    const uint64_t *by_action = would ? sums->by_would : sums->by_action;
    (void)fprintf(stream, "%s, by day:", would ? "What would be done" : "What was done");
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        (void)fprintf(stream, "%s %s %" PRIu64, i == 0 ? "" : ",", action_text((enum action)i),
                      by_action[i]);
    (void)fputs(" in all. The table below has the numbers of each day.", stream);
}

/* Stacked bars: what was done, or what would have been. */
static void put_day_chart(FILE *stream, const struct report_sums *sums, bool would)
{
    size_t from = first_day(sums);
    size_t count = sums->day_count - from, every = (count + DAY_LABELS - 1) / DAY_LABELS;
    uint64_t top = 1;
    for (size_t i = from; i < sums->day_count; i++)
        top = total_of(&sums->days[i]) > top ? total_of(&sums->days[i]) : top;
    top = round_up(top);
    double step = (double)(CHART_WIDTH - CHART_LEFT) / (double)count;
    double width = step > 60 ? 48 : step * 0.8;
    (void)fprintf(stream, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", CHART_WIDTH,
                  CHART_HEIGHT);
    put_day_label(stream, sums, would);
    (void)fputs("\">\n", stream);
    put_scale(stream, top);
    for (size_t i = 0; i < count; i++) {
        const struct report_day *day = &sums->days[from + i];
        double x = CHART_LEFT + step * (double)i + (step - width) / 2;
        put_day_bar(stream, day, would ? day->by_would : day->by_action, x, width, top);
        if (i % every == 0)
            (void)fprintf(stream,
                          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%02d-%02d</text>\n",
                          x + width / 2, CHART_HEIGHT - 8, day->date / 100 % 100, day->date % 100);
    }
    (void)fputs("</svg>\n", stream);
}

static void put_day_table(FILE *stream, const struct report_sums *sums)
{
    static const char *const columns[] = {"Day",      "Accept", "Tag",          "Quarantine",
                                          "Tempfail", "Reject", "Would refuse", NULL};
    (void)fputs("<details><summary>The days as a table</summary>\n", stream);
    begin_table(stream, "What was done, and what would be deferred or refused, by day", columns,
                "");
    for (size_t i = first_day(sums); i < sums->day_count; i++) {
        const struct report_day *day = &sums->days[i];
        (void)fprintf(stream, "<tr><th scope=\"row\" class=\"d\">%04d-%02d-%02d</th>",
                      day->date / 10000, day->date / 100 % 100, day->date % 100);
        for (unsigned action = 0; action < ACTION_COUNT; action++)
            put_count(stream, day->by_action[action]);
        put_count(stream, action_sum_refused(day->by_would));
        (void)fputs("</tr>\n", stream);
    }
    end_table(stream);
    (void)fputs("</details>\n", stream);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void put_days(FILE *stream, int64_t first_s, int64_t last_s)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    (void)fprintf(stream, "<td class=\"d\">%s <br>%s</td></tr>\n", report_print_day(first_s, first),
                  report_print_day(last_s, last));
}

static void put_checks(FILE *stream, const struct report_sums *sums)
{
    static const char *const columns[] = {"Check",   "True",        "",  "Alone",
                                          "Decided", "First, last", NULL};
    (void)fputs("<h2>Checks</h2>\n", stream);
    begin_table(stream,
                "How often each check was true, was the only one, and decided what would be done",
                columns, SEARCHED);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct report_check *check = &sums->checks[i];
        if (check->hits == 0)
            continue;
        (void)fprintf(stream, "<tr><th scope=\"row\">%s</th>", checks[i].name);
        put_count(stream, check->hits);
        put_bar(stream, check->hits, sums->total);
        put_count(stream, check->alone);
        put_count(stream, check->decided);
        put_days(stream, check->first_s, check->last_s);
    }
    end_table(stream);
}

static void put_small(FILE *stream, const char *before, const char *text)
{
    if (text[0] == '\0')
        return;
    (void)fprintf(stream, "<small>%s", before);
    put_name(stream, text);
    (void)fputs("</small>", stream);
}

static void put_client(FILE *stream, const struct ranking_row *row, bool correspondent)
{
    char addresses[REPORT_ADDRESSES_TEXT_MAX];
    const struct report_client *client = row->extra;
    (void)fputs(correspondent ? "<tr><th scope=\"row\"><b>* " : "<tr><th scope=\"row\"><b>",
                stream);
    put_name(stream, row->name);
    (void)fputs("</b>", stream);
    if (client->address_count > 0)
        put_small(stream, "", report_print_addresses(client, addresses));
    put_small(stream, client->confirmed ? "PTR " : "PTR (not confirmed) ", client->ptr);
    put_small(stream, "EHLO ", client->helo);
    put_small(stream, "from ", client->sender);
    (void)fputs("</th>", stream);
    put_count(stream, row->total);
    (void)fprintf(stream, "<td class=\"t\">%s: %s<small>", action_text(client->would),
                  client->check < CHECK_COUNT ? checks[client->check].name : "-");
    put_html(stream, client->reason, true);
    (void)fputs("</small></td>", stream);
    put_days(stream, row->first_s, row->last_s);
}

static void put_more(FILE *stream, size_t of, size_t count)
{
    if (of > count)
        (void)fprintf(stream, "<p class=\"note\">and %zu more (--top N, --all)</p>\n", of - count);
}

static void put_clients(FILE *stream, const struct report_sums *sums,
                        const struct report_origin *origin)
{
    static const char *const columns[] = {"Client", "Count", REASON_COLUMN, "First, last", NULL};
    char caption[256];
    size_t count, of, known;
    const struct ranking_row **rows = report_print_client_rows(sums, origin, &count, &of, &known);
    (void)fputs("<h2>Who would be deferred or refused</h2>\n", stream);
    if (rows == NULL) {
        (void)fputs("<p>Nobody.</p>\n", stream);
        return;
    }
    (void)snprintf(caption, sizeof caption,
                   "By the domain of the PTR name, else of the EHLO name. %s",
                   report_print_correspondents(origin));
    begin_table(stream, caption, columns, CLIENTS);
    for (size_t i = 0; i < count; i++)
        put_client(stream, rows[i], i < known);
    end_table(stream);
    put_more(stream, of, count);
    free(rows);
}

static void put_ranking(FILE *stream, const char *title, const struct ranking *ranking,
                        const struct report_origin *origin)
{
    const char *const columns[] = {title, "Total", "Tag", "Refuse", "First, last", NULL};
    size_t count, of;
    const struct ranking_row **rows = report_print_rows(ranking, origin, &count, &of);
    if (rows == NULL)
        return;
    (void)fprintf(stream, "<h2>%ss</h2>\n", title);
    begin_table(stream, "Counted as if everything were enforced", columns, SEARCHED);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *by_action = rows[i]->by_action;
        (void)fputs("<tr><th scope=\"row\">", stream);
        put_name(stream, rows[i]->name);
        (void)fputs("</th>", stream);
        put_count(stream, rows[i]->total);
        put_count(stream, action_sum_marked(by_action));
        put_count(stream, action_sum_refused(by_action));
        put_days(stream, rows[i]->first_s, rows[i]->last_s);
    }
    end_table(stream);
    put_more(stream, of, count);
    free(rows);
}

static void put_uses(FILE *stream, const char *title, const struct report_use *uses, size_t count,
                     const struct report_sums *sums, const struct report_origin *origin)
{
    const char *const columns[] = {title, "Decided", "Last", NULL};
    char last[REPORT_TIME_MAX], unused[REPORT_ZONE_MAX];
    if (count == 0)
        return;
    (void)fprintf(stream, "<h2>%ss</h2>\n", title);
    begin_table(stream, "How often each decided, and when last", columns, SEARCHED);
    for (size_t i = 0; i < count; i++) {
        (void)fputs("<tr><th scope=\"row\">", stream);
        put_own(stream, uses[i].name);
        if (uses[i].reason != NULL && uses[i].reason[0] != '\0') {
            (void)fputs("<small>", stream);
            put_own(stream, uses[i].reason);
            (void)fputs("</small>", stream);
        }
        (void)fputs("</th>", stream);
        put_count(stream, uses[i].hits);
        (void)fprintf(stream, "<td>%s<small>%s</small></td></tr>\n",
                      report_print_day(uses[i].last_s, last),
                      report_print_unused(&uses[i], sums, origin, unused));
    }
    end_table(stream);
}

static void put_waits(FILE *stream, const struct report_sums *sums)
{
    static const char *const columns[] = {"Waited", "Decisions", "", NULL};
    char text[REPORT_WAIT_TEXT_MAX];
    (void)fputs("<h2>Time waited for the DNS</h2>\n", stream);
    begin_table(stream, "From connect to the last answer that a decision needed", columns, "");
    for (size_t i = 0; i < REPORT_WAITS; i++) {
        (void)fprintf(stream, "<tr><th scope=\"row\">%s</th>", report_print_wait(i, text));
        put_count(stream, sums->waits[i]);
        put_bar(stream, sums->waits[i], sums->total);
        (void)fputs("</tr>\n", stream);
    }
    end_table(stream);
    (void)fprintf(stream, "<p>From the cache alone: %.1f %%, with stale answers: %.1f %%.</p>\n",
                  columns_percent(sums->by_cache[REPORT_CACHE_HIT], sums->total),
                  columns_percent(sums->by_cache[REPORT_CACHE_STALE], sums->total));
}

/* --- the page -------------------------------------------------------------------------------- */

static void put_tile(FILE *stream, const char *what, uint64_t count, uint64_t whole)
{
    char text[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "<div><b>%s</b>%s, %.1f&nbsp;%%</div>\n", columns_count(count, text),
                  what, columns_percent(count, whole));
}

static void put_servers(FILE *stream, const struct report_sums *sums,
                        const struct report_origin *origin)
{
    for (size_t i = 0; i < sums->server_count && i < REPORT_SERVERS_NAMED; i++) {
        (void)fputs(i > 0 ? ", " : "", stream);
        put_escaped(stream, sums->servers[i].name);
    }
    if (sums->server_count > REPORT_SERVERS_NAMED)
        (void)fprintf(stream, " and %zu more", sums->server_count - REPORT_SERVERS_NAMED);
    if (sums->server_count == 0)
        put_escaped(stream, origin->host != NULL ? origin->host : "-");
}

/* Whose decisions, when, and out of which files. */
static void put_lead(FILE *stream, const struct report_sums *sums,
                     const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX], now[REPORT_TIME_MAX];
    char zone[REPORT_ZONE_MAX], count[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "<p class=\"lead\">%s decision%s", columns_count(sums->total, count),
                  plural(sums->total));
    if (sums->total > 0)
        (void)fprintf(stream, " from %s to %s", report_print_time(sums->first_s, first),
                      report_print_time(sums->last_s, last));
    (void)fprintf(stream, ", made %s, times in %s", report_print_time(origin->now_s, now),
                  report_print_zone(origin->now_s, zone));
    for (size_t i = 0; i < origin->file_count; i++) {
        (void)fputs(i == 0 ? ", out of " : ", ", stream);
        put_escaped(stream, origin->files[i]);
    }
    (void)fputs(".</p>\n", stream);
    if (origin->only != NULL) {
        (void)fputs("<p>Only ", stream);
        put_escaped(stream, origin->only);
        (void)fputs(".</p>\n", stream);
    }
    if (sums->monitored > 0)
        (void)fprintf(stream, "<p>%s of them in monitor mode, which refuses nothing.</p>\n",
                      columns_count(sums->monitored, count));
    if (report_print_is_short(origin))
        (void)fprintf(stream, "<p>The log begins at %s, later than --since asks for.</p>\n",
                      report_print_time(origin->oldest_s, first));
    if (origin->bad > 0)
        (void)fprintf(stream, "<p>%s line%s of the log could not be read.</p>\n",
                      columns_count(origin->bad, count), origin->bad == 1 ? "" : "s");
}

static void put_head(FILE *stream, const struct report_sums *sums,
                     const struct report_origin *origin)
{
    (void)fprintf(stream,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src '%s'\">"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                  "<title>iprevd report: ",
                  SCRIPT_HASH);
    put_servers(stream, sums, origin);
    (void)fprintf(stream,
                  "</title><style>%s</style></head><body>\n"
                  "<h1>Reverse DNS of the mail clients of ",
                  style);
    put_servers(stream, sums, origin);
    (void)fputs("</h1>\n", stream);
    put_lead(stream, sums, origin);
    (void)fputs("<div class=\"big\">\n", stream);
    put_tile(stream, "accepted", sums->by_action[ACTION_ACCEPT], sums->total);
    put_tile(stream, "tagged or held", action_sum_marked(sums->by_action), sums->total);
    put_tile(stream, "deferred or refused", action_sum_refused(sums->by_action), sums->total);
    put_tile(stream, "would be deferred or refused, too, if all were enforced", sums->spared,
             sums->total);
    if (sums->grace > 0)
        put_tile(stream, "in grace: right before, so not refused", sums->grace, sums->total);
    (void)fputs("</div>\n", stream);
}

/* Of a farm: which host said what. */
static void put_hosts(FILE *stream, const struct report_sums *sums)
{
    static const char *const columns[] = {"Mail server", "Total", "Refused", "Would refuse", NULL};
    if (sums->server_count < 2)
        return;
    (void)fputs("<h2>Mail servers</h2>\n", stream);
    begin_table(stream, "What each has done, and would have done", columns, SEARCHED);
    for (size_t i = 0; i < sums->server_count; i++) {
        const struct report_server *server = &sums->servers[i];
        (void)fputs("<tr><th scope=\"row\">", stream);
        put_name(stream, server->name);
        (void)fputs("</th>", stream);
        put_count(stream, server->total);
        put_count(stream, action_sum_refused(server->by_action));
        put_count(stream, action_sum_refused(server->by_would));
        (void)fputs("</tr>\n", stream);
    }
    end_table(stream);
}

static void put_tables(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin)
{
    (void)fputs("<p class=\"find\"><label>Search in the tables <input type=\"search\" id=\"q\">"
                "</label> <span id=\"n\" role=\"status\"></span></p>\n",
                stream);
    put_clients(stream, sums, origin);
    put_checks(stream, sums);
    put_hosts(stream, sums);
    put_ranking(stream, "Network", sums->networks, origin);
    put_ranking(stream, "Domain", sums->domains, origin);
    put_uses(stream, "Match block", sums->uses.blocks, sums->uses.block_count, sums, origin);
    put_uses(stream, "Exemption", sums->uses.exemptions, sums->uses.exemption_count, sums, origin);
    put_waits(stream, sums);
    (void)fprintf(stream, "<script>%s</script>\n", script);
}

void report_print_html(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin)
{
    put_head(stream, sums, origin);
    if (sums->day_count > 0) {
        (void)fputs("<h2>What was done, by day</h2>\n", stream);
        put_legend(stream);
        put_day_chart(stream, sums, false);
        (void)fputs("<h2>What would be done with everything enforced</h2>\n", stream);
        put_day_chart(stream, sums, true);
        put_day_table(stream, sums);
    }
    if (sums->total > 0)
        put_tables(stream, sums, origin);
    (void)fputs("</body></html>\n", stream);
}
