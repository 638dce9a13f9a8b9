/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decision log as somebody may have written it: every line is read or left out, and what comes of
 * it is a text of printable bytes and an HTML page with no tags but its own.
 */
#include "fuzz.h"

#include "ctl/report/report_print.h"

#include <string.h>

#define NOW_S INT64_C(1790000000)

enum place { TAKEN, BAD, OTHER, MONITORED, CHECKED, JSON, SYSLOG, TIMED };

FUZZ_PLACES([TAKEN] = "decision", [BAD] = "bad", [OTHER] = "other", [MONITORED] = "monitored",
            [CHECKED] = "checks", [JSON] = "json", [SYSLOG] = "syslog", [TIMED] = "with-time");

static void ignore(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static const struct conf *configuration(void)
{
    static struct conf *conf;
    const struct conf_report report = {ignore, ignore, NULL, NULL};
    struct fuzz_file file;
    if (conf != NULL)
        return conf;
    fuzz_file_open(&file, "", 0);
    conf = conf_load(file.path, NOW_S, &report);
    fuzz_file_close(&file);
    CHECK(conf != NULL);
    return conf;
}

static void check_text(const char *text, size_t size)
{
    CHECK(memchr(text, '\0', size) != NULL);
}

static bool take(struct report_sums *sums, const struct maillog_item *item)
{
    struct report_entry entry, again;
    const char *text;
    memset(&entry, 0xff, sizeof entry);
    enum report_parsed parsed = report_entry_of(item, &entry, &text);
    fuzz_reach(parsed == REPORT_ENTRY ? TAKEN : parsed == REPORT_BAD ? BAD : OTHER);
    if (parsed != REPORT_ENTRY)
        return false;
    CHECK(entry.client.family == IP_V4 || entry.client.family == IP_V6);
    CHECK(entry.action < ACTION_COUNT && entry.would < ACTION_COUNT);
    CHECK(entry.checks < CHECK_BIT(CHECK_COUNT));
    check_text(entry.ptr, sizeof entry.ptr);
    check_text(entry.helo, sizeof entry.helo);
    check_text(entry.sender, sizeof entry.sender);
    check_text(entry.recipient, sizeof entry.recipient);
    check_text(entry.mta, sizeof entry.mta);
    check_text(entry.reason, sizeof entry.reason);
    fuzz_reach(text[0] == '{' ? JSON : SYSLOG);
    CHECK(report_entry_parse(text, entry.wall_s, &again) == REPORT_ENTRY);
    CHECK(ipaddr_equal(&entry.client, &again.client) && entry.wall_s == again.wall_s);
    CHECK(entry.action == again.action && strcmp(entry.reason, again.reason) == 0);
    if (entry.monitor)
        fuzz_reach(MONITORED);
    if (entry.checks != 0)
        fuzz_reach(CHECKED);
    if (entry.wall_s != 0)
        fuzz_reach(TIMED);
    report_sums_add(sums, configuration(), &entry);
    return true;
}

/* No tag that is not ours, and none left open. */
static void check_html(const char *html)
{
    static const char *const tags[] = {
        "!DOCTYPE", "b",      "body",  "br",    "caption", "details", "div",   "h1",
        "h2",       "head",   "html",  "input", "label",   "line",    "meta",  "p",
        "rect",     "script", "small", "span",  "style",   "summary", "svg",   "table",
        "tbody",    "td",     "text",  "th",    "thead",   "tr",      "title", "wbr"};
    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at, '<')) {
        char tag[16] = "";
        at += 1 + (at[1] == '/');
        size_t length = strcspn(at, " >"), i = 0;
        CHECK(length > 0 && length < sizeof tag);
        memcpy(tag, at, length);
        while (i < sizeof tags / sizeof tags[0] && strcmp(tag, tags[i]) != 0)
            i++;
        CHECK(i < sizeof tags / sizeof tags[0]);
        at += strcspn(at, "<>");
        CHECK(*at == '>');
    }
}

static void print(const struct report_sums *sums, uint64_t lines, uint64_t bad)
{
    const struct report_origin origin = {.now_s = NOW_S, .lines = lines, .bad = bad};
    for (unsigned form = 0; form < 3; form++) {
        char *text = NULL;
        size_t length = 0;
        FILE *stream = open_memstream(&text, &length);
        CHECK(stream != NULL);
        if (form == 2)
            CHECK(report_print_json(stream, sums, &origin));
        else if (form == 1)
            report_print_html(stream, sums, &origin);
        else
            report_print_text(stream, sums, &origin);
        CHECK(fclose(stream) == 0 && length > 0);
        CHECK(strlen(text) == length);
        if (form == 1)
            check_html(text);
        else if (form == 0)
            CHECK(fuzz_printable(text, length, true));
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct report_sums sums;
    char error[REPLAY_ERROR_MAX];
    struct fuzz_file file;
    struct maillog_reader *reader = NULL;
    struct maillog_item item;
    uint64_t count = 0, taken = 0;
    enum result status;
    CHECK(report_sums_init(&sums, configuration(), NULL, 1));
    fuzz_file_open(&file, data, size);
    status = maillog_reader_open(file.path, NOW_S, &reader, error);
    while (status == RESULT_OK &&
           (status = maillog_reader_next(reader, &item, error)) == RESULT_OK) {
        if (item.kind == MAILLOG_ITEM_RECORD || (!item.line.cut && !item.line.binary))
            taken += take(&sums, &item);
        count++;
    }
    CHECK(status == RESULT_NOTFOUND || status == RESULT_IO);
    CHECK(sums.total == taken);
    if (taken > 0)
        print(&sums, count, count - taken);
    report_sums_clear(&sums);
    maillog_reader_close(reader);
    fuzz_file_close(&file);
    return 0;
}
