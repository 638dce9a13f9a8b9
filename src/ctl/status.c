/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl status: how the running daemon is, for people on 80 columns. */
#include "base/plural.h"
#include "core/action.h"
#include "ctl/client.h"
#include "ctl/screen.h"
#include "ctl/status_check.h"

#include <errno.h>
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

struct status_request {
    bool json, watch, check, farm;
};

/* What somebody has to look at. */
static void put_alarm(const char *text)
{
    bool colour = screen_has_colour();
    (void)printf("%s%s%s", colour ? "\033[1;31m" : "", text, colour ? "\033[0m" : "");
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
    if (count == 0 && strcmp(key, action_text(ACTION_GREYLIST)) == 0)
        return; /* what most sites do not use */
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
    if (json_value_int_of(value, "true") == 0)
        return;
    (void)printf(LABEL "%-24.24s %10" PRId64 "   enforced %10" PRId64 "\n", *label, key,
                 json_value_int_of(value, "true"), json_value_int_of(value, "enforced"));
    *label = "";
}

/* Of an older daemon there is none. */
static void put_memory(const struct json_value *memory)
{
    if (memory == NULL)
        return;
    (void)printf(LABEL "%" PRId64 " client%s, %.1f of %.1f MiB", "memory",
                 json_value_int_of(memory, "clients"),
                 plural((uint64_t)json_value_int_of(memory, "clients")),
                 (double)json_value_int_of(memory, "bytes") / 1048576,
                 (double)json_value_int_of(memory, "size") / 1048576);
    int64_t given = json_value_int_of(memory, "grace_given");
    if (given > 0)
        (void)printf(", grace given %" PRId64 " time%s", given, plural((uint64_t)given));
    int64_t unknown = json_value_int_of(memory, "grace_unknown");
    if (unknown > 0)
        (void)printf(", not known %" PRId64 " time%s", unknown, plural((uint64_t)unknown));
    (void)putchar('\n');
}

static void put_cache(const struct json_value *cache)
{
    double rate = 0;
    (void)json_value_real(json_value_member(cache, "hit_rate"), &rate);
    (void)printf(LABEL "%" PRId64 " record%s, %.1f of %.1f MiB, hit rate %.1f %%\n", "cache",
                 json_value_int_of(cache, "records"),
                 plural((uint64_t)json_value_int_of(cache, "records")),
                 (double)json_value_int_of(cache, "bytes") / 1048576,
                 (double)json_value_int_of(cache, "size") / 1048576, rate * 100);
}

static void put_server(const struct json_value *server)
{
    (void)printf(LABEL, "");
    client_put(json_value_text_of(server, "server"));
    if (json_value_bool_of(server, "up"))
        (void)fputs(" up", stdout);
    else
        put_alarm(" DOWN");
    (void)printf(", %" PRId64 " ms, %" PRId64 " quer%s\n", json_value_int_of(server, "rtt_ms"),
                 json_value_int_of(server, "queries"),
                 plural_of((uint64_t)json_value_int_of(server, "queries"), "y", "ies"));
    (void)printf(LABEL "  timeouts %" PRId64 "  failures %" PRId64 "  mismatched %" PRId64 "\n", "",
                 json_value_int_of(server, "timeouts"), json_value_int_of(server, "failures"),
                 json_value_int_of(server, "mismatched"));
}

/* What was found wrong with the servers since the daemon began. */
static void put_finding(const struct json_value *finding)
{
    char text[CLIENT_TIME_MAX];
    (void)printf(LABEL, "");
    client_put(json_value_text_of(finding, "text"));
    (void)printf("\n" LABEL "  %" PRId64 " time%s, last %s\n", "",
                 json_value_int_of(finding, "count"),
                 json_value_int_of(finding, "count") == 1 ? "" : "s",
                 client_when(json_value_int_of(finding, "last"), text));
}

static void put_dns(const struct json_value *dns)
{
    char span[CLIENT_TIME_MAX];
    const struct json_value *servers = json_value_member(dns, "servers");
    const struct json_value *findings = json_value_member(dns, "findings");
    if (json_value_bool_of(dns, "outage")) {
        (void)printf(LABEL, "DNS");
        put_alarm("OUTAGE");
        (void)printf(" for %s%s: outage-action applies\n",
                     client_span(json_value_int_of(dns, "outage_s"), span),
                     json_value_bool_of(dns, "denies_everything") ? ", the servers deny everything"
                                                                  : "");
    } else {
        (void)printf(LABEL "no outage\n", "DNS");
    }
    if (json_value_text_of(dns, "zone_file") != NULL) {
        (void)printf(LABEL "answers from ", "");
        client_put(json_value_text_of(dns, "zone_file"));
        (void)putchar('\n');
    }
    for (size_t i = 0; i < json_value_count(servers); i++)
        put_server(json_value_item(servers, i));
    for (size_t i = 0; i < json_value_count(findings); i++)
        put_finding(json_value_item(findings, i));
}

/* What was put right is history, and in the log. */
static void put_failure(const struct json_value *configuration, const char *label,
                        const char *since, const char *error)
{
    char text[CLIENT_TIME_MAX];
    if (json_value_int_of(configuration, since) == 0)
        return;
    (void)printf(LABEL "FAILED %s: ", label,
                 client_when(json_value_int_of(configuration, since), text));
    client_put(json_value_text_of(configuration, error));
    (void)putchar('\n');
}

/* Only where they are asked. */
static void put_lists(const struct json_value *lists)
{
    static const char *const answers[] = {"fits", "outside", "not-listed", "refuses", "fails"};
    int64_t total = 0;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        total += json_value_int_of(lists, answers[i]);
    if (total > 0)
        put_row("DNS lists", lists);
}

/* Only where somebody was greylisted. */
static void put_greylist(const struct json_value *greylist)
{
    if (json_value_int_of(greylist, "networks") > 0)
        put_row("greylist", greylist);
}

static void put_head(const struct json_value *status)
{
    char text[CLIENT_TIME_MAX];
    const struct json_value *configuration = json_value_member(status, "configuration");
    (void)printf("iprevd ");
    client_put(json_value_text_of(status, "version"));
    (void)printf(", mode ");
    client_put(json_value_text_of(status, "mode"));
    (void)printf(", up %s%s\n", client_span(json_value_int_of(status, "uptime_s"), text),
                 json_value_bool_of(status, "stopping") ? ", STOPPING" : "");
    (void)printf(LABEL, "configuration");
    client_put(json_value_text_of(configuration, "path"));
    (void)printf("\n" LABEL "read %s", "",
                 client_when(json_value_int_of(configuration, "loaded"), text));
    if (json_value_int_of(configuration, "failed_since") == 0 &&
        json_value_int_of(configuration, "failed_reloads") > 0)
        (void)printf(", after %" PRId64 " that failed",
                     json_value_int_of(configuration, "failed_reloads"));
    (void)putchar('\n');
    put_failure(configuration, "reload", "failed_since", "error");
    put_failure(configuration, "tables", "tables_failed_since", "tables_error");
}

static void put_sessions(const struct json_value *sessions)
{
    (void)printf(LABEL "%" PRId64 " of %" PRId64 " now, %" PRId64 " in all", "sessions",
                 json_value_int_of(sessions, "now"), json_value_int_of(sessions, "max"),
                 json_value_int_of(sessions, "total"));
    if (json_value_int_of(sessions, "deferred") > 0)
        (void)printf(", %" PRId64 " DEFERRED", json_value_int_of(sessions, "deferred"));
    (void)putchar('\n');
}

static void put_decision_log(const struct json_value *log)
{
    if (json_value_text_of(log, "path") == NULL)
        return;
    (void)printf(LABEL "%" PRId64 " line%s written, %" PRId64 " lost\n" LABEL, "decision log",
                 json_value_int_of(log, "written"),
                 plural((uint64_t)json_value_int_of(log, "written")),
                 json_value_int_of(log, "lost"), "");
    client_put(json_value_text_of(log, "path"));
    (void)putchar('\n');
}

/* --- the farm -------------------------------------------------------------------------------- */

/* What of a host is to be looked at. */
static void put_host_state(const struct json_value *host)
{
    if (json_value_bool_of(host, "silent"))
        put_alarm(" SILENT");
    else if (json_value_bool_of(host, "drifted"))
        put_alarm(" DRIFTED: another configuration");
    if (!json_value_bool_of(host, "silent") && json_value_bool_of(host, "outage"))
        put_alarm(" DNS OUTAGE");
}

static void put_host(const struct json_value *host, int64_t now_s)
{
    char span[CLIENT_TIME_MAX];
    (void)printf(LABEL, "");
    client_put(json_value_text_of(host, "host"));
    (void)printf("%s:", json_value_bool_of(host, "here") ? " (here)" : "");
    put_host_state(host);
    (void)printf(" iprevd ");
    client_put(json_value_text_of(host, "version"));
    (void)printf(", ");
    client_put(json_value_text_of(host, "mode"));
    (void)printf(", seen %s ago\n" LABEL "  configuration ",
                 client_span(now_s - json_value_int_of(host, "seen"), span), "");
    client_put(json_value_text_of(host, "configuration"));
    (void)printf("  exemptions %" PRId64 "  sessions %" PRId64 "  rejected %" PRId64 "\n",
                 json_value_int_of(host, "exemptions"), json_value_int_of(host, "sessions"),
                 json_value_int_of(host, "rejected"));
}

static void put_way(const struct json_value *farm, int64_t now_s)
{
    char span[CLIENT_TIME_MAX];
    const char *why = json_value_text_of(farm, "why");
    int64_t ago_ms = json_value_int_of(farm, "answered_ms_ago");
    client_span(now_s - json_value_int_of(farm, "since"), span);
    (void)printf(LABEL, "farm");
    client_put(json_value_text_of(farm, "name"));
    if (json_value_bool_of(farm, "connected")) {
        (void)printf(": ");
        client_put(json_value_text_of(farm, "server"));
        (void)printf(
            " for %s\n" LABEL "answered %" PRId64 ".%01" PRId64 " s ago, within %" PRId64 " ms\n",
            span, "", ago_ms / 1000, ago_ms % 1000 / 100, json_value_int_of(farm, "round_trip_ms"));
    } else {
        (void)printf(": ");
        put_alarm("AWAY");
        (void)printf(" for %s\n", span);
    }
    if (why != NULL) {
        (void)printf(LABEL, "");
        client_put(why);
        (void)putchar('\n');
    }
}

/* What did not reach others, or is not taken from them. */
static void put_farm_counts(const struct json_value *farm)
{
    static const struct {
        const char *key, *what;
    } rows[] = {
        {"unsent", "changes that other hosts have not heard of"},
        {"unsigned_lines", "lines of the store that are not signed by this farm's key"},
        {"lines_ahead", "lines of the store from more than 5 minutes ahead: a clock is wrong"},
        {"hosts_with_another_key", "hosts whose heartbeat is not signed by this farm's key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (json_value_int_of(farm, rows[i].key) > 0)
            (void)printf(LABEL "%" PRId64 " %s\n", "", json_value_int_of(farm, rows[i].key),
                         rows[i].what);
}

static void print_farm(const struct json_value *farm, bool hosts)
{
    const struct json_value *list = json_value_member(farm, "hosts");
    int64_t now_s = (int64_t)time(NULL);
    if (farm == NULL)
        return;
    put_way(farm, now_s);
    put_farm_counts(farm);
    for (size_t i = 0; hosts && i < json_value_count(list); i++)
        put_host(json_value_item(list, i), now_s);
}

static void print_status(const struct json_value *status)
{
    const char *label = "checks";
    put_head(status);
    put_sessions(json_value_member(status, "sessions"));
    put_row("verdicts", json_value_member(status, "verdicts"));
    put_row("if enforced", json_value_member(status, "would"));
    put_row("iprev", json_value_member(status, "iprev"));
    put_row("agreement", json_value_member(status, "agreement"));
    json_value_each(json_value_member(status, "checks"), put_check, &label);
    put_cache(json_value_member(status, "cache"));
    put_memory(json_value_member(status, "memory"));
    put_dns(json_value_member(status, "dns"));
    put_lists(json_value_member(status, "dns_lists"));
    put_greylist(json_value_member(status, "greylist"));
    (void)printf(LABEL "%" PRId64 "%s\n", "exemptions", json_value_int_of(status, "exemptions"),
                 json_value_int_of(status, "exemptions") > 0 ? " (iprevctl allowed)" : "");
    print_farm(json_value_member(status, "farm"), false);
    put_decision_log(json_value_member(status, "decision_log"));
}

/* --- rates ---------------------------------------------------------------------------------- */

struct rates {
    const struct json_value *before;
    double seconds;
    char text[2 * COLUMNS];
};

/* The rise of one counter, as "reject 0.2". */
static void add_rate(void *arg, const char *key, const struct json_value *value)
{
    struct rates *rates = arg;
    int64_t now = 0;
    size_t used = strlen(rates->text);
    (void)json_value_int(value, &now);
    (void)snprintf(rates->text + used, sizeof rates->text - used, "%s%.32s %.1f",
                   used > 0 ? "  " : "", key,
                   (double)(now - json_value_int_of(rates->before, key)) / rates->seconds);
}

/* What came between two looks, by the second. */
static void print_rates(const struct json_value *before, const struct json_value *now,
                        double seconds)
{
    static const char *const rows[][2] = {{"verdicts", "a second"}, {"would", "if enforced"}};
    char clock_text[CLIENT_TIME_MAX];
    (void)printf(LABEL "%s\n", "at", client_when((int64_t)time(NULL), clock_text));
    if (before == NULL || seconds <= 0)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rates rates = {json_value_member(before, rows[i][0]), seconds, ""};
        json_value_each(json_value_member(now, rows[i][0]), add_rate, &rates);
        (void)printf(LABEL "%s\n", rows[i][1], rates.text);
    }
}

/* --- looking -------------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct watch {
    struct json_value *before; /* the answer of the last look; NULL: this is the first */
    double looked_s;
};

static int look(const struct command *command, const char *path,
                const struct status_request *wanted, struct watch *watch)
{
    struct json_value *answer = NULL;
    int status = client_ask(command, path, client_request("status", NULL, NULL), NULL, &answer);
    if (status != EX_OK)
        return status;
    double now_s = seconds_now();
    if (wanted->watch && !wanted->json && isatty(STDOUT_FILENO))
        (void)fputs("\033[H\033[2J", stdout);
    if (wanted->json) {
        char *line = json_value_line(answer);
        status = line != NULL && puts(line) >= 0 ? EX_OK : EX_OSERR;
        free(line);
    } else if (wanted->farm) {
        print_farm(json_value_member(answer, "farm"), true);
        if (json_value_member(answer, "farm") == NULL)
            (void)puts("this host has no farm (iprevd.conf(5), block farm)");
    } else {
        print_status(answer);
        if (wanted->watch)
            print_rates(watch->before, answer, now_s - watch->looked_s);
    }
    json_value_free(watch->before);
    *watch = (struct watch){answer, now_s};
    return command_finish(command, status);
}

/* One line for a supervisor, whatever happened. */
static int check(const struct command *command, const char *path)
{
    struct json_value *answer = NULL;
    bool forbidden = access(path, R_OK | W_OK) != 0 && errno == EACCES;
    if (client_ask(command, path, client_request("status", NULL, NULL), NULL, &answer) != EX_OK)
        return command_finish(command, status_check_unreachable(forbidden));
    int status = status_check_print(answer);
    json_value_free(answer);
    return command_finish(command, status);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct status_request wanted = {0};
    struct watch watch = {0};
    char *path;
    int status = client_begin(command, argc, argv, &wanted, &path);
    if (status > 0 && wanted.check)
        return command_finish(command, status_check_unreachable(true));
    if (status >= 0)
        return status;
    if (wanted.check) {
        status = check(command, path);
        free(path);
        return status;
    }
    status = look(command, path, &wanted, &watch);
    while (status == EX_OK && wanted.watch) {
        const struct timespec pause = {.tv_sec = WATCH_S};
        (void)nanosleep(&pause, NULL);
        status = look(command, path, &wanted, &watch);
    }
    json_value_free(watch.before);
    free(path);
    return status;
}

static const struct command_option options[] = {
    {"json", NULL, offsetof(struct status_request, json), "one JSON object a line instead of text"},
    {"watch", NULL, offsetof(struct status_request, watch),
     "look again every second, with rates, until interrupted"},
    {"farm", NULL, offsetof(struct status_request, farm),
     "the farm alone: the way to the store, and its hosts"},
    {"check", NULL, offsetof(struct status_request, check),
     "one line and an exit status for Nagios and its kin"},
    {NULL, NULL, 0, NULL},
};

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "show how the running daemon is",
    .options = options,
    .notes = "Exit status: 0; 64 usage, 69 the daemon cannot be reached, 78 configuration\n"
             "error.  With --check: 0 well, 1 a warning, 2 critical, 3 unknown.\n",
    .run = run,
};
