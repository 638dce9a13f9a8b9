/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl report: what the decision log adds up to. */
#include "ctl/command.h"
#include "ctl/decisions.h"
#include "ctl/report/report_mail_log.h"
#include "ctl/report/report_print.h"
#include "ctl/running_exemptions.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct report_request {
    const char *conf_path, *html_path, *since, *top, *check, *would, *mail_log;
    bool all, json;
    int64_t since_s;       /* how long ago; 0: everything */
    enum check_id only;    /* CHECK_COUNT: any */
    enum action at_action; /* with would */
};

struct report {
    const struct command *command;
    struct report_request request;
    struct conf *conf;
    struct report_origin origin;
    char host[HOST_NAME_MAX + 1], only[128];
    struct report_sums sums;
};

static const struct command_option options[] = {
    {"since", "AGE", offsetof(struct report_request, since),
     "only the last minutes, hours, days, weeks: 90m, 12h, 7d, 4w"},
    {"check", "CHECK", offsetof(struct report_request, check),
     "only decisions in which this check is true"},
    {"would", "accept|tag|quarantine|tempfail|reject", offsetof(struct report_request, would),
     "only decisions that would be this if all were enforced"},
    {"top", "N", offsetof(struct report_request, top), "rows of a table, instead of 15"},
    {"all", NULL, offsetof(struct report_request, all), "all rows of every table"},
    {"mail-log", "FILE", offsetof(struct report_request, mail_log),
     "the mail log: domains that own users wrote to come first"},
    {"html", "FILE", offsetof(struct report_request, html_path),
     "write one HTML file with charts instead of text"},
    {"json", NULL, offsetof(struct report_request, json), "one JSON object instead of text"},
    {NULL, NULL, 0, NULL},
};

/* What is to be left out, in words for the report's reader. */
static void describe_filter(struct report *report)
{
    const struct report_request *request = &report->request;
    if (request->check == NULL && request->would == NULL)
        return;
    (void)snprintf(report->only, sizeof report->only, "decisions%s%s%s%s",
                   request->check != NULL ? " with " : "",
                   request->check != NULL ? checks[request->only].name : "",
                   request->would != NULL ? " that would be " : "",
                   request->would != NULL ? action_text(request->at_action) : "");
    report->origin.only = report->only;
}

/* As command_parse(). */
static int parse(const struct command *command, int argc, char **argv, struct report *report)
{
    struct report_request *request = &report->request;
    request->only = CHECK_COUNT;
    int status = command_parse(command, argc, argv, request, &request->conf_path);
    if (status >= 0)
        return status;
    if (request->since != NULL && (request->since_s = command_age(request->since)) < 0)
        return command_misused(command, "--since \"%s\": a number and m, h, d or w is wanted",
                               request->since);
    if (request->check != NULL && !check_by_name(request->check, &request->only))
        return command_misused(command, "--check \"%s\": there is no such check", request->check);
    if (request->would != NULL && !action_parse(request->would, &request->at_action))
        return command_misused(command, "--would \"%s\": there is no such action", request->would);
    for (int i = optind; request->mail_log != NULL && i < argc; i++)
        if (strcmp(argv[i], "-") == 0 && strcmp(request->mail_log, "-") == 0)
            return command_misused(command,
                                   "standard input is one file: the decisions, or --mail-log");
    unsigned top =
        request->top == NULL ? REPORT_TOP : command_count(request->top, RANKING_NAMES_MAX);
    if (top == 0)
        return command_misused(command, "--top \"%s\": 1 to %d is wanted", request->top,
                               RANKING_NAMES_MAX);
    report->origin.top = request->all ? RANKING_NAMES_MAX : top;
    describe_filter(report);
    return -1;
}

/* --- reading --------------------------------------------------------------------------------- */

static void take(void *arg, const struct report_entry *entry, const char *line)
{
    struct report *report = arg;
    const struct report_request *request = &report->request;
    (void)line;
    if ((request->check == NULL || (entry->checks & CHECK_BIT(request->only)) != 0) &&
        (request->would == NULL || entry->would == request->at_action))
        report_sums_add(&report->sums, report->conf, entry);
}

/* --- writing --------------------------------------------------------------------------------- */

static int out_of_memory(const struct report *report)
{
    return command_failed(report->command, EX_OSERR, "out of memory");
}

static int write_html(const struct report *report)
{
    const char *path = report->request.html_path;
    FILE *stream = fopen(path, "we");
    if (stream == NULL)
        return command_failed(report->command, EX_CANTCREAT, "%s: %s", path, strerror(errno));
    report_print_html(stream, &report->sums, &report->origin);
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed)
        return command_failed(report->command, EX_IOERR, "%s: %s", path, strerror(errno));
    return EX_OK;
}

static int write_report(const struct report *report)
{
    if (report->request.html_path != NULL)
        return write_html(report);
    if (!report->request.json)
        report_print_text(stdout, &report->sums, &report->origin);
    else if (!report_print_json(stdout, &report->sums, &report->origin))
        return out_of_memory(report);
    return command_finish(report->command, EX_OK);
}

static int report_files(struct report *report, int count, char **paths)
{
    struct decisions decisions = {.command = report->command,
                                  .now_s = report->origin.now_s,
                                  .since_s = report->origin.since_s,
                                  .visit = take,
                                  .arg = report};
    int status = decisions_read(&decisions, report->conf, count, paths);
    if (status < 0) {
        report->origin.lines = decisions.lines;
        report->origin.bad = decisions.bad;
        report->origin.oldest_s = decisions.oldest_s;
        report->origin.files = decisions.files.paths;
        report->origin.file_count = decisions.files.count;
        status = write_report(report);
        if (status == EX_OK && (decisions.unreadable || decisions.bad > 0))
            status = EX_DATAERR;
    }
    decisions_end(&decisions);
    return status;
}

static int report_conf(struct report *report, int count, char **paths)
{
    char note[EXEMPTIONS_NOTE_MAX];
    struct exemptions *exemptions =
        running_exemptions_load(report->conf, report->origin.now_s, note);
    if (exemptions != NULL && note[0] != '\0')
        (void)fprintf(stderr, "note: %s\n", note);
    struct ranking *correspondents = NULL;
    if (report->request.mail_log != NULL) {
        int status = report_mail_log_read(report->command, report->conf, report->request.mail_log,
                                          report->origin.now_s, &correspondents);
        if (status >= 0) {
            exemptions_free(exemptions);
            return status;
        }
    }
    report->origin.correspondents = correspondents;
    report->origin.orgdomains = report->conf->orgdomains;
    bool ok = exemptions != NULL &&
              report_sums_init(&report->sums, report->conf, exemptions, command_seed());
    int status = ok ? report_files(report, count, paths) : out_of_memory(report);
    report_sums_clear(&report->sums);
    exemptions_free(exemptions);
    ranking_free(correspondents);
    return status;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return EX_OSERR;
    report->command = command;
    int status = parse(command, argc, argv, report);
    if (status < 0) {
        report->origin.now_s = (int64_t)time(NULL);
        if (report->request.since_s > 0)
            report->origin.since_s = report->origin.now_s - report->request.since_s;
        if (gethostname(report->host, sizeof report->host - 1) == 0)
            report->origin.host = report->host;
        report->conf = command_conf(report->request.conf_path);
        status =
            report->conf == NULL ? EX_CONFIG : report_conf(report, argc - optind, argv + optind);
        conf_unref(report->conf);
    }
    free(report);
    return status;
}

const struct command command_report = {
    .name = "report",
    .operands = "[FILE...]",
    .summary = "what the decision log adds up to",
    .options = options,
    .notes = "FILE is a decision log (JSON lines) or a log with iprevd's lines, may be\n"
             "compressed (gzip, bzip2, xz, zstd), or - for standard input; without one it is\n"
             "decision-log of the configuration with what logrotate left of it.\n"
             "\n"
             "Exit status: 0; 65 something could not be read, 64 usage, 73 or 74 the file\n"
             "could not be written, 78 configuration error.\n",
    .run = run,
};
