/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl status: how the running daemon is, for people on 80 columns. */
#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* Time between two looks of --watch. */
#define WATCH_S 1

#define LABEL "%-14s"

struct request {
    bool json, watch;
};

static int64_t number(const struct json_value *object, const char *key)
{
    int64_t value = 0;
    (void)json_value_int(json_value_member(object, key), &value);
    return value;
}

static bool truth(const struct json_value *object, const char *key)
{
    bool value = false;
    (void)json_value_bool(json_value_member(object, key), &value);
    return value;
}

static const char *word(const struct json_value *object, const char *key)
{
    return json_value_text(json_value_member(object, key));
}

/* Members that are numbers, as "key number  key number", as many a line as fit. */
struct row {
    const char *label;
    int column;
};

#define COLUMNS   80
#define LABEL_END 14

static void put_pair(void *arg, const char *key, const struct json_value *value)
{
    struct row *row = arg;
    char text[64];
    int64_t count = 0;
    (void)json_value_int(value, &count);
    int length = snprintf(text, sizeof text, "%.32s %" PRId64, key, count);
    if (row->column > 0 && row->column + 2 + length > COLUMNS) {
        (void)putchar('\n');
        row->column = 0;
    }
    if (row->column == 0) {
        (void)printf(LABEL "%s", row->label, text);
        row->column = LABEL_END + length;
        row->label = "";
        return;
    }
    (void)printf("  %s", text);
    row->column += 2 + length;
}

static void put_row(const char *label, const struct json_value *object)
{
    struct row row = {label, 0};
    json_value_each(object, put_pair, &row);
    if (row.column > 0)
        (void)putchar('\n');
}

/* The checks that were true: how often, and how often they counted. */
static void put_check(void *arg, const char *key, const struct json_value *value)
{
    const char **label = arg;
    if (number(value, "true") == 0)
        return;
    (void)printf(LABEL "%-24.24s %10" PRId64 "   enforced %10" PRId64 "\n", *label, key,
                 number(value, "true"), number(value, "enforced"));
    *label = "";
}

static void put_cache(const struct json_value *cache)
{
    double rate = 0;
    (void)json_value_real(json_value_member(cache, "hit_rate"), &rate);
    (void)printf(LABEL "%" PRId64 " records, %.1f of %.1f MiB, hit rate %.1f %%\n", "cache",
                 number(cache, "records"), (double)number(cache, "bytes") / 1048576,
                 (double)number(cache, "size") / 1048576, rate * 100);
}

static void put_server(const struct json_value *server)
{
    (void)printf(LABEL, "");
    client_put(word(server, "server"));
    (void)printf(" %s, %" PRId64 " ms, %" PRId64 " queries\n", truth(server, "up") ? "up" : "DOWN",
                 number(server, "rtt_ms"), number(server, "queries"));
    (void)printf(LABEL "  timeouts %" PRId64 "  failures %" PRId64 "  mismatched %" PRId64 "\n", "",
                 number(server, "timeouts"), number(server, "failures"),
                 number(server, "mismatched"));
}

static void put_dns(const struct json_value *dns)
{
    char span[CLIENT_TIME_MAX];
    const struct json_value *servers = json_value_member(dns, "servers");
    if (truth(dns, "outage"))
        (void)printf(LABEL "OUTAGE for %s: outage-action applies\n", "DNS",
                     client_span(number(dns, "outage_s"), span));
    else
        (void)printf(LABEL "no outage\n", "DNS");
    if (word(dns, "zone_file") != NULL) {
        (void)printf(LABEL "answers from ", "");
        client_put(word(dns, "zone_file"));
        (void)putchar('\n');
    }
    for (size_t i = 0; i < json_value_count(servers); i++)
        put_server(json_value_item(servers, i));
}

static void put_head(const struct json_value *status)
{
    char text[CLIENT_TIME_MAX];
    const struct json_value *configuration = json_value_member(status, "configuration");
    (void)printf("iprevd ");
    client_put(word(status, "version"));
    (void)printf(", mode ");
    client_put(word(status, "mode"));
    (void)printf(", up %s%s\n", client_span(number(status, "uptime_s"), text),
                 truth(status, "stopping") ? ", STOPPING" : "");
    (void)printf(LABEL, "configuration");
    client_put(word(configuration, "path"));
    (void)printf("\n" LABEL "read %s", "", client_when(number(configuration, "loaded"), text));
    if (number(configuration, "failed_reloads") > 0)
        (void)printf(", %" PRId64 " reloads FAILED", number(configuration, "failed_reloads"));
    (void)putchar('\n');
}

static void put_sessions(const struct json_value *sessions)
{
    (void)printf(LABEL "%" PRId64 " of %" PRId64 " now, %" PRId64 " in all", "sessions",
                 number(sessions, "now"), number(sessions, "max"), number(sessions, "total"));
    if (number(sessions, "deferred") > 0)
        (void)printf(", %" PRId64 " DEFERRED", number(sessions, "deferred"));
    (void)putchar('\n');
}

static void put_decision_log(const struct json_value *log)
{
    if (word(log, "path") == NULL)
        return;
    (void)printf(LABEL "%" PRId64 " lines written, %" PRId64 " lost\n" LABEL, "decision log",
                 number(log, "written"), number(log, "lost"), "");
    client_put(word(log, "path"));
    (void)putchar('\n');
}

static void print_status(const struct json_value *status)
{
    const char *label = "checks";
    put_head(status);
    put_sessions(json_value_member(status, "sessions"));
    put_row("verdicts", json_value_member(status, "verdicts"));
    put_row("iprev", json_value_member(status, "iprev"));
    put_row("agreement", json_value_member(status, "agreement"));
    json_value_each(json_value_member(status, "checks"), put_check, &label);
    put_cache(json_value_member(status, "cache"));
    put_dns(json_value_member(status, "dns"));
    (void)printf(LABEL "%" PRId64 "%s\n", "exemptions", number(status, "exemptions"),
                 number(status, "exemptions") > 0 ? " (iprevctl allowed)" : "");
    put_decision_log(json_value_member(status, "decision_log"));
}

static int look(const struct command *command, const char *path, const struct request *wanted)
{
    struct json_value *answer = NULL;
    int status = client_ask(command, path, client_request("status", NULL, NULL), NULL, &answer);
    if (status != EX_OK)
        return status;
    if (wanted->watch && !wanted->json && isatty(STDOUT_FILENO))
        (void)fputs("\033[H\033[2J", stdout);
    if (wanted->json) {
        char *line = json_value_line(answer);
        status = line != NULL && puts(line) >= 0 ? EX_OK : EX_OSERR;
        free(line);
    } else {
        print_status(answer);
    }
    json_value_free(answer);
    return command_finish(command, status);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct request wanted = {0};
    char *path;
    int status = client_begin(command, argc, argv, &wanted, &path);
    if (status >= 0)
        return status;
    status = look(command, path, &wanted);
    while (status == EX_OK && wanted.watch) {
        const struct timespec pause = {.tv_sec = WATCH_S};
        (void)nanosleep(&pause, NULL);
        status = look(command, path, &wanted);
    }
    free(path);
    return status;
}

static const struct command_option options[] = {
    {"json", NULL, offsetof(struct request, json), "one JSON object a line instead of text"},
    {"watch", NULL, offsetof(struct request, watch), "look again every second, until interrupted"},
    {NULL, NULL, 0, NULL},
};

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "show how the running daemon is",
    .options = options,
    .notes = "Exit status: 0; 64 usage, 69 the daemon cannot be reached, 78 configuration\n"
             "error.\n",
    .run = run,
};
