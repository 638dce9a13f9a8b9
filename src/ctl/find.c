/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl find: decisions of the log again, with all that they were made of. */
#include "base/plural.h"
#include "ctl/check_client.h"
#include "ctl/decisions.h"
#include "ctl/find_conditions.h"
#include "ctl/find_print.h"
#include "ctl/running_names.h"
#include "ctl/screen.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define TOP_DEFAULT   10     /* decisions shown, the newest */
#define TOP_MAX       100000 /* kept in memory, a few kB each */
#define RECHECKED_MAX 8      /* clients that are looked up again */

enum { EXIT_NOTHING_FOUND = 1 };

struct find_request {
    const char *conf_path;
    struct find_texts texts;
    const char *since, *top;
    bool recheck, json;
};

struct found {
    char *line;
    int64_t wall_s; /* when, if the line does not say */
};

struct finding {
    struct find_request request;
    struct find_conditions conditions;
    struct found *rows; /* the newest, a ring */
    size_t top, count;  /* count: all that were found; the newest is rows[(count - 1) % top] */
    bool nomem;
};

static const struct command_option options[] = {
    {"client", "IP|NET", offsetof(struct find_request, texts.client), "the client's address"},
    {"sender", "ADDRESS", offsetof(struct find_request, texts.sender),
     "MAIL FROM, or its domain; <> is the null sender"},
    {"rcpt", "ADDRESS", offsetof(struct find_request, texts.recipient), "RCPT TO, likewise"},
    {"helo", "NAME", offsetof(struct find_request, texts.helo),
     "EHLO: a name, .domain with all below, or * wildcards"},
    {"ptr", "NAME", offsetof(struct find_request, texts.ptr), "a PTR name, likewise"},
    {"queue-id", "ID", offsetof(struct find_request, texts.queue_id), "the mail server's queue ID"},
    {"check", "CHECK", offsetof(struct find_request, texts.check), "this check was true"},
    {"since", "AGE", offsetof(struct find_request, since),
     "only the last minutes, hours, days, weeks: 90m, 12h, 7d, 4w"},
    {"top", "N", offsetof(struct find_request, top), "so many of the newest, instead of 10"},
    {"recheck", NULL, offsetof(struct find_request, recheck), "and what the same clients get now"},
    {"json", NULL, offsetof(struct find_request, json), "the records of the log, one a line"},
    {NULL, NULL, 0, NULL},
};

/* As command_parse(). */
static int parse(const struct command *command, int argc, char **argv, struct finding *finding,
                 int64_t *since_s)
{
    struct find_request *request = &finding->request;
    const char *wrong = NULL;
    int status = command_parse(command, argc, argv, request, &request->conf_path);
    if (status >= 0)
        return status;
    if (request->since != NULL && (*since_s = command_age(request->since)) < 0)
        return command_misused(command, "--since \"%s\": a number and m, h, d or w is wanted",
                               request->since);
    finding->top = request->top == NULL ? TOP_DEFAULT : command_count(request->top, TOP_MAX);
    if (finding->top == 0)
        return command_misused(command, "--top \"%s\": 1 to %d is wanted", request->top, TOP_MAX);
    if (!find_conditions_parse(&request->texts, &finding->conditions, &wrong))
        return command_misused(command, "%s",
                               wrong != NULL ? wrong : "what is to be found?  See --help");
    return -1;
}

/* --- finding -------------------------------------------------------------------------------- */

static void take(void *arg, const struct report_entry *entry, const char *line)
{
    struct finding *finding = arg;
    if (!find_conditions_fit(&finding->conditions, entry))
        return;
    struct found *row = &finding->rows[finding->count++ % finding->top];
    free(row->line);
    row->line = strdup(line);
    row->wall_s = entry->wall_s;
    finding->nomem = finding->nomem || row->line == NULL;
}

static size_t shown_of(const struct finding *finding)
{
    return finding->count < finding->top ? finding->count : finding->top;
}

/* The i-th of those shown, the oldest first. */
static const struct found *shown(const struct finding *finding, size_t i)
{
    return &finding->rows[(finding->count - shown_of(finding) + i) % finding->top];
}

/* What the clients of the newest decisions get now, each once. */
static int recheck(const struct finding *finding, const struct command *command, struct conf *conf)
{
    struct ipaddr done[RECHECKED_MAX];
    size_t count = 0;
    struct check_run run = {.conf = conf,
                            .json = finding->request.json,
                            .colour = screen_has_colour(),
                            .columns = screen_columns()};
    struct check_part *part = calloc(1, sizeof *part);
    if (part == NULL || running_names_add(conf, NULL) != RESULT_OK) {
        free(part);
        return command_failed(command, EX_OSERR, "out of memory");
    }
    part->run = &run;
    part->out = stdout;
    part->err = stderr;
    int status = check_client_open(&run, command);
    for (size_t i = shown_of(finding); status < 0 && i-- > 0 && count < RECHECKED_MAX;) {
        struct report_entry entry;
        const struct found *row = shown(finding, i);
        size_t at = 0;
        if (report_entry_parse(row->line, row->wall_s, &entry) != REPORT_ENTRY)
            continue;
        while (at < count && !ipaddr_equal(&done[at], &entry.client))
            at++;
        if (at < count)
            continue;
        done[count++] = entry.client;
        if (!run.json)
            (void)puts("\nNow:");
        run.sender = entry.sender;
        run.recipient = entry.recipient[0] != '\0' ? entry.recipient : NULL;
        const struct check_target target = {.client = entry.client,
                                            .helo = entry.helo[0] != '\0' ? entry.helo : NULL};
        if (!check_client_decide(part, &target))
            status = command_failed(command, EX_OSERR, "out of memory");
    }
    check_client_close(&run);
    free(part);
    return status < 0 ? EX_OK : status;
}

static int print_found(const struct finding *finding, const struct command *command,
                       struct conf *conf)
{
    size_t count = shown_of(finding);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !finding->request.json)
            (void)putchar('\n');
        const struct found *row = shown(finding, i);
        if (!find_print(stdout, row->line, row->wall_s, finding->request.json))
            return command_failed(command, EX_OSERR, "out of memory");
    }
    if (finding->count > count)
        (void)fprintf(stderr, "note: %zu older one%s not shown (--top N)\n", finding->count - count,
                      plural_of(finding->count - count, " is", "s are"));
    if (count == 0) {
        (void)fputs("nothing is found\n", stderr);
        return EXIT_NOTHING_FOUND;
    }
    return finding->request.recheck ? recheck(finding, command, conf) : EX_OK;
}

/* --- a run ---------------------------------------------------------------------------------- */

static int find_in(struct finding *finding, struct decisions *decisions, struct conf *conf,
                   int count, char **paths)
{
    char when[32];
    finding->rows = calloc(finding->top, sizeof *finding->rows);
    if (finding->rows == NULL)
        return command_failed(decisions->command, EX_OSERR, "out of memory");
    int status = decisions_read(decisions, conf, count, paths);
    if (status < 0 && finding->nomem)
        status = command_failed(decisions->command, EX_OSERR, "out of memory");
    if (status >= 0)
        return status;
    if (decisions->since_s > 0 && decisions->oldest_s > decisions->since_s)
        (void)fprintf(stderr, "note: the log begins at %s, later than --since asks for\n",
                      find_print_time(decisions->oldest_s, when));
    status = command_finish(decisions->command, print_found(finding, decisions->command, conf));
    if (status <= EXIT_NOTHING_FOUND && (decisions->unreadable || decisions->bad > 0))
        status = EX_DATAERR;
    return status;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct finding finding = {.count = 0};
    struct decisions decisions = {
        .command = command, .now_s = (int64_t)time(NULL), .visit = take, .arg = &finding};
    int64_t since_s = 0;
    int status = parse(command, argc, argv, &finding, &since_s);
    if (status >= 0)
        return status;
    struct conf *conf = command_conf(finding.request.conf_path);
    if (conf == NULL)
        return EX_CONFIG;
    decisions.since_s = since_s == 0 ? 0 : decisions.now_s - since_s;
    status = find_in(&finding, &decisions, conf, argc - optind, argv + optind);
    decisions_end(&decisions);
    for (size_t i = 0; finding.rows != NULL && i < shown_of(&finding); i++)
        free(finding.rows[i].line);
    free(finding.rows);
    conf_unref(conf);
    return status;
}

const struct command command_find = {
    .name = "find",
    .operands = "[FILE...]",
    .summary = "one decision again, with the whole explanation",
    .options = options,
    .notes = "All conditions have to fit.  FILE is as for report: a decision log (JSON lines)\n"
             "or a log with iprevd's lines; without one it is decision-log of the\n"
             "configuration with what logrotate left of it.\n"
             "\n"
             "Exit status: 0; 1 nothing is found, 64 usage, 65 something could not be read,\n"
             "69 unavailable, 78 configuration error.\n",
    .run = run,
};
