/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_print.h"

#include "base/textbuf.h"
#include "ctl/columns.h"

#include <inttypes.h>

/* Charts, in pixels. */
#define CHART_WIDTH  860
#define CHART_HEIGHT 220
#define CHART_LEFT   60 /* for the scale */
#define CHART_FOOT   24 /* for the days */
#define BAR_HEIGHT   22
#define BAR_LABEL    190
#define DAYS_SHOWN   92 /* bars that can still be told apart */
#define DAY_LABELS   10 /* at most */

/* Mildest first; told apart by people who see no red or green, too. */
static const char *const colours[ACTION_COUNT] = {"#4e9a8f", "#e9c46a", "#c9a0dc", "#f4a261",
                                                  "#c0392b"};

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:900px;margin:2em auto;"
    "padding:0 1em}"
    "h1{font-size:1.6em;margin-bottom:0}h2{font-size:1.15em;margin:2em 0 .5em}"
    ".lead{color:#555;margin-top:.2em}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid #ddd;"
    "font-variant-numeric:tabular-nums}"
    "th:first-child,td:first-child{text-align:left;word-break:break-all}"
    "th{font-weight:600;border-bottom:2px solid #999}"
    ".key{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 1em}"
    ".big{display:flex;flex-wrap:wrap;gap:1em;margin:1.2em 0}"
    ".big div{flex:1;min-width:130px;background:#f4f5f7;border-radius:6px;padding:.7em 1em}"
    ".big b{display:block;font-size:1.6em}"
    "svg{width:100%;height:auto;font-size:12px}svg text{fill:#444}"
    "@media print{body{margin:0}}";

/* Untrusted text: what is odd as in the log, then what HTML would read as its own. */
static void put_escaped(FILE *stream, const char *text)
{
    char memory[4 * HOSTNAME_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, text, sizeof memory - 1);
    for (const char *at = memory; *at != '\0'; at++) {
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
    }
}

static uint64_t refused(const uint64_t by_action[ACTION_COUNT])
{
    return by_action[ACTION_TEMPFAIL] + by_action[ACTION_REJECT];
}

static void put_legend(FILE *stream)
{
    (void)fputs("<p>", stream);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        (void)fprintf(stream, "<span class=\"key\" style=\"background:%s\"></span>%s", colours[i],
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
    const int base = CHART_HEIGHT - CHART_FOOT;
    for (int i = 0; i <= 2; i++) {
        double y = base - (base - 10) * i / 2.0;
        if (i == 1 && top % 2 != 0)
            continue;
        (void)fprintf(stream,
                      "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
                      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%" PRIu64 "</text>\n",
                      CHART_LEFT, CHART_WIDTH, y, y, CHART_LEFT - 6, y + 4, top * (uint64_t)i / 2);
    }
}

static void put_day_bar(FILE *stream, const struct report_day *day,
                        const uint64_t by_action[ACTION_COUNT], double x, double width,
                        uint64_t top)
{
    const double base = CHART_HEIGHT - CHART_FOOT;
    double y = base;
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        double height = (base - 10) * (double)by_action[i] / (double)top;
        if (by_action[i] == 0)
            continue;
        y -= height;
        (void)fprintf(stream,
                      "<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"%s\">"
                      "<title>%04d-%02d-%02d %s: %" PRIu64 "</title></rect>\n",
                      x, y, width, height, colours[i], day->date / 10000, day->date / 100 % 100,
                      day->date % 100, action_text((enum action)i), by_action[i]);
    }
}

/* Stacked bars: what was done, or what would have been. */
static void put_day_chart(FILE *stream, const struct report_sums *sums, bool would)
{
    size_t from = sums->day_count > DAYS_SHOWN ? sums->day_count - DAYS_SHOWN : 0;
    size_t count = sums->day_count - from, every = (count + DAY_LABELS - 1) / DAY_LABELS;
    uint64_t top = 1;
    for (size_t i = from; i < sums->day_count; i++) {
        uint64_t total = 0;
        for (unsigned action = 0; action < ACTION_COUNT; action++)
            total += sums->days[i].by_action[action];
        top = total > top ? total : top;
    }
    top = round_up(top);
    double step = (double)(CHART_WIDTH - CHART_LEFT) / (double)count;
    double width = step > 60 ? 48 : step * 0.8;
    (void)fprintf(stream, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s per day\">\n",
                  CHART_WIDTH, CHART_HEIGHT, would ? "What would be done" : "Decisions");
    put_scale(stream, top);
    for (size_t i = 0; i < count; i++) {
        const struct report_day *day = &sums->days[from + i];
        double x = CHART_LEFT + step * (double)i + (step - width) / 2;
        put_day_bar(stream, day, would ? day->by_would : day->by_action, x, width, top);
        if (i % every == 0)
            (void)fprintf(stream,
                          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%02d-%02d</text>\n",
                          x + width / 2, CHART_HEIGHT - 6, day->date / 100 % 100, day->date % 100);
    }
    (void)fputs("</svg>\n", stream);
}

/* --- bars ------------------------------------------------------------------------------------ */

static void put_bar(FILE *stream, unsigned row, const char *label, uint64_t count, uint64_t top,
                    uint64_t whole)
{
    unsigned y = row * BAR_HEIGHT;
    const double room = CHART_WIDTH - BAR_LABEL - 130;
    double width = room * (double)count / (double)(top == 0 ? 1 : top);
    (void)fprintf(stream,
                  "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>"
                  "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"#3d6a99\"/>"
                  "<text x=\"%.1f\" y=\"%u\">%" PRIu64 " (%.1f %%)</text>\n",
                  BAR_LABEL - 8, y + 15, label, BAR_LABEL, y + 4, width, BAR_HEIGHT - 8,
                  BAR_LABEL + width + 6, y + 15, count, columns_percent(count, whole));
}

static void begin_bars(FILE *stream, unsigned rows, const char *label)
{
    (void)fprintf(stream, "<svg viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"%s\">\n",
                  CHART_WIDTH, rows * BAR_HEIGHT + 4, label);
}

static void put_check_chart(FILE *stream, const struct report_sums *sums)
{
    uint64_t top = 0;
    unsigned rows = 0, row = 0;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        rows += sums->checks[i].hits > 0;
        top = sums->checks[i].hits > top ? sums->checks[i].hits : top;
    }
    begin_bars(stream, rows, "Checks");
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if (sums->checks[i].hits > 0)
            put_bar(stream, row++, checks[i].name, sums->checks[i].hits, top, sums->total);
    (void)fputs("</svg>\n", stream);
}

static void put_wait_chart(FILE *stream, const struct report_sums *sums)
{
    char text[REPORT_WAIT_TEXT_MAX];
    uint64_t top = 0;
    for (size_t i = 0; i < REPORT_WAITS; i++)
        top = sums->waits[i] > top ? sums->waits[i] : top;
    begin_bars(stream, REPORT_WAITS, "Time waited for the DNS");
    for (unsigned i = 0; i < REPORT_WAITS; i++)
        put_bar(stream, i, report_print_wait(i, text), sums->waits[i], top, sums->total);
    (void)fputs("</svg>\n", stream);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void put_check_table(FILE *stream, const struct report_sums *sums)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    (void)fputs("<table><tr><th>Check</th><th>True</th><th>Refused</th>"
                "<th>If enforced</th><th>First</th><th>Last</th></tr>\n",
                stream);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct report_check *check = &sums->checks[i];
        if (check->hits == 0)
            continue;
        (void)fprintf(stream,
                      "<tr><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
                      "</td><td>%s</td><td>%s</td></tr>\n",
                      checks[i].name, check->hits, check->refused, check->would,
                      report_print_time(check->first_s, first),
                      report_print_time(check->last_s, last));
    }
    (void)fputs("</table>\n", stream);
}

static void put_ranking(FILE *stream, const char *title, const struct ranking *ranking)
{
    const struct ranking_row *worst[REPORT_TOP];
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
    size_t of;
    size_t count = ranking_worst(ranking, worst, REPORT_TOP, &of);
    if (count == 0)
        return;
    (void)fprintf(stream,
                  "<h2>%ss</h2>\n<table><tr><th>%s</th><th>Total</th><th>Tag</th><th>Refuse</th>"
                  "<th>First</th><th>Last</th></tr>\n",
                  title, title);
    for (size_t i = 0; i < count; i++) {
        (void)fputs("<tr><td>", stream);
        put_escaped(stream, worst[i]->name);
        (void)fprintf(stream,
                      "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
                      "</td><td>%s</td><td>%s</td></tr>\n",
                      worst[i]->total,
                      worst[i]->by_action[ACTION_TAG] + worst[i]->by_action[ACTION_QUARANTINE],
                      refused(worst[i]->by_action), report_print_day(worst[i]->first_s, first),
                      report_print_day(worst[i]->last_s, last));
    }
    (void)fputs("</table>\n", stream);
    if (of > count)
        (void)fprintf(stream, "<p>and %zu more.</p>\n", of - count);
}

static void put_tile(FILE *stream, const char *what, uint64_t count, uint64_t whole)
{
    (void)fprintf(stream, "<div><b>%" PRIu64 "</b>%s, %.1f %%</div>\n", count, what,
                  columns_percent(count, whole));
}

static void put_head(FILE *stream, const struct report_sums *sums,
                     const struct report_origin *origin)
{
    char first[REPORT_TIME_MAX], last[REPORT_TIME_MAX], now[REPORT_TIME_MAX];
    (void)fprintf(stream,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\">"
                  "<title>iprevd report</title><style>%s</style></head><body>\n"
                  "<h1>Reverse DNS of mail clients</h1>\n"
                  "<p class=\"lead\">%" PRIu64 " decisions from %s to %s. Made %s by iprevctl "
                  "report.</p>\n",
                  style, sums->total, report_print_time(sums->first_s, first),
                  report_print_time(sums->last_s, last), report_print_time(origin->now_s, now));
    (void)fputs("<div class=\"big\">\n", stream);
    put_tile(stream, "accepted", sums->by_action[ACTION_ACCEPT], sums->total);
    put_tile(stream, "tagged or held",
             sums->by_action[ACTION_TAG] + sums->by_action[ACTION_QUARANTINE], sums->total);
    put_tile(stream, "deferred or refused", refused(sums->by_action), sums->total);
    put_tile(stream, "more if enforced", sums->spared, sums->total);
    (void)fputs("</div>\n", stream);
    if (sums->monitored > 0)
        (void)fprintf(stream,
                      "<p>%" PRIu64 " of them in monitor mode, which refuses nothing.</p>\n",
                      sums->monitored);
    if (report_print_is_short(origin))
        (void)fprintf(stream, "<p>The log begins at %s, later than --since asks for.</p>\n",
                      report_print_time(origin->oldest_s, first));
    if (origin->bad > 0)
        (void)fprintf(stream, "<p>%" PRIu64 " lines of the log could not be read.</p>\n",
                      origin->bad);
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
    }
    if (sums->total > 0) {
        (void)fputs("<h2>Checks</h2>\n", stream);
        put_check_chart(stream, sums);
        put_check_table(stream, sums);
        put_ranking(stream, "Network", sums->networks);
        put_ranking(stream, "Domain", sums->domains);
        (void)fputs("<p>Networks and domains are counted as if everything were enforced.</p>\n"
                    "<h2>Time waited for the DNS</h2>\n",
                    stream);
        put_wait_chart(stream, sums);
        (void)fprintf(stream,
                      "<p>From the cache alone: %.1f %%, with stale answers: %.1f %%.</p>\n",
                      columns_percent(sums->by_cache[REPORT_CACHE_HIT], sums->total),
                      columns_percent(sums->by_cache[REPORT_CACHE_STALE], sums->total));
    }
    (void)fputs("</body></html>\n", stream);
}
