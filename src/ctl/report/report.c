/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl report: what the decision log adds up to. */
#include "ctl/command.h"
#include "ctl/logs/maillog_input.h"
#include "ctl/progress.h"
#include "ctl/report/report_print.h"
#include "ctl/rotated.h"
#include "ctl/running_exemptions.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BAD_SHOWN 20 /* lines told one by one; the rest is counted */

struct request {
    const char *conf_path, *html_path, *since, *top, *check, *would;
    bool all, json;
    int64_t since_s;       /* how long ago; 0: everything */
    enum check_id only;    /* CHECK_COUNT: any */
    enum action at_action; /* with would */
};

struct report {
    const struct command *command;
    struct request request;
    struct conf *conf;
    struct report_origin origin;
    struct progress progress;
    char host[HOST_NAME_MAX + 1], only[128];
    uint64_t decisions; /* read, whether they are added up or not */
    bool unreadable;    /* a file could not be read as a whole */
    struct report_sums sums;
};

static const struct command_option options[] = {
    {"since", "AGE", offsetof(struct request, since),
     "only the last minutes, hours, days or weeks: 90m, 12h, 7d, 4w"},
    {"check", "CHECK", offsetof(struct request, check),
     "only decisions in which this check is true"},
    {"would", "accept|tag|quarantine|tempfail|reject", offsetof(struct request, would),
     "only decisions that would be this if all were enforced"},
    {"top", "N", offsetof(struct request, top), "rows of a table, instead of 15"},
    {"all", NULL, offsetof(struct request, all), "all rows of every table"},
    {"html", "FILE", offsetof(struct request, html_path),
     "write one HTML file with charts instead of text"},
    {"json", NULL, offsetof(struct request, json), "one JSON object instead of text"},
    {NULL, NULL, 0, NULL},
};

/* What is to be left out, in words for the report's reader. */
static void describe_filter(struct report *report)
{
    const struct request *request = &report->request;
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
    struct request *request = &report->request;
    char *end = NULL;
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
    long top = request->top == NULL ? REPORT_TOP : strtol(request->top, &end, 10);
    if (top < 1 || top > RANKING_NAMES_MAX || (end != NULL && (end == request->top || *end != 0)))
        return command_misused(command, "--top \"%s\": 1 to %d is wanted", request->top,
                               RANKING_NAMES_MAX);
    report->origin.top = request->all ? RANKING_NAMES_MAX : (size_t)top;
    describe_filter(report);
    return -1;
}

/* --- reading --------------------------------------------------------------------------------- */

static void complain(struct report *report, const char *path, uint64_t line, const char *text)
{
    progress_end(&report->progress);
    if (line > 0)
        (void)command_failed(report->command, 0, "%s:%" PRIu64 ": %s", path, line, text);
    else
        (void)command_failed(report->command, 0, "%s: %s", path, text);
}

static void bad_line(struct report *report, const char *path, uint64_t line, const char *text)
{
    if (++report->origin.bad <= BAD_SHOWN)
        complain(report, path, line, text);
    if (report->origin.bad == BAD_SHOWN)
        (void)fputs("Further lines of this kind are counted only.\n", stderr);
}

static bool is_wanted(const struct report *report, const struct report_entry *entry)
{
    const struct request *request = &report->request;
    return (report->origin.since_s == 0 || entry->wall_s >= report->origin.since_s) &&
           (request->check == NULL || (entry->checks & CHECK_BIT(request->only)) != 0) &&
           (request->would == NULL || entry->would == request->at_action);
}

static void take_line(struct report *report, const char *path, const struct maillog_line *line)
{
    struct report_entry entry;
    report->origin.lines++;
    if (line->cut || line->binary) {
        bad_line(report, path, line->number,
                 line->cut ? "longer than any decision: left out" : "holds a NUL byte: left out");
        return;
    }
    switch (report_entry_parse(line->text, line->length, report->origin.now_s, &entry)) {
    case REPORT_ENTRY:
        report->decisions++;
        if (entry.wall_s != 0 &&
            (report->origin.oldest_s == 0 || entry.wall_s < report->origin.oldest_s))
            report->origin.oldest_s = entry.wall_s;
        if (is_wanted(report, &entry))
            report_sums_add(&report->sums, report->conf, &entry);
        break;
    case REPORT_BAD:
        bad_line(report, path, line->number, "not a decision that can be read: left out");
        break;
    case REPORT_OTHER:
        break;
    }
}

static enum result read_file(struct report *report, const char *path)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct maillog_input *input;
    struct maillog_line line = {0};
    enum result status = maillog_input_open(path, &input, error);
    if (status == RESULT_OK) {
        while ((status = maillog_input_next(input, &line, error)) == RESULT_OK) {
            take_line(report, path, &line);
            if (report->origin.lines % 4096 == 0)
                progress_show(&report->progress, 0, report->origin.lines, "lines");
        }
        maillog_input_close(input);
    }
    if (status == RESULT_IO) {
        report->unreadable = true;
        complain(report, path, line.number > 0 ? line.number + 1 : 0, error);
    }
    return status == RESULT_NOMEM ? status : RESULT_OK;
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
    enum result status = RESULT_OK;
    progress_begin(&report->progress, 0);
    for (int i = 0; i < count && status == RESULT_OK; i++)
        status = read_file(report, paths[i]);
    progress_end(&report->progress);
    report->origin.files = paths;
    report->origin.file_count = (size_t)count;
    if (status != RESULT_OK)
        return out_of_memory(report);
    /* A report of nothing is no answer to somebody who named the wrong file. */
    if (report->decisions == 0 && report->origin.lines > 0)
        return command_failed(report->command, EX_DATAERR,
                              "%s: no decision of iprevd in %" PRIu64
                              " line%s: neither JSON lines nor its log lines",
                              paths[0], report->origin.lines, report->origin.lines == 1 ? "" : "s");
    if (report->decisions == 0 && report->unreadable)
        return EX_DATAERR;
    int result = write_report(report);
    return result == EX_OK && (report->unreadable || report->origin.bad > 0) ? EX_DATAERR : result;
}

/* The decision log with what logrotate has left of it. */
static int report_decision_log(struct report *report)
{
    struct rotated files;
    const char *path = report->conf->decision_log;
    int status = EX_DATAERR;
    if (path == NULL)
        return command_misused(report->command,
                               "which file?  decision-log is not set in %s\n"
                               "The journal has the decisions, too: "
                               "journalctl -u iprevd -o short-iso | iprevctl report -",
                               report->conf->path);
    enum result result = rotated_find(path, report->origin.since_s, &files);
    if (result == RESULT_OK)
        status = report_files(report, (int)files.count, files.paths);
    else if (result == RESULT_IO)
        complain(report, path, 0, strerror(errno));
    else
        status = out_of_memory(report);
    rotated_free(&files);
    return status;
}

static int report_conf(struct report *report, int count, char **paths)
{
    char note[EXEMPTIONS_NOTE_MAX];
    struct exemptions *exemptions =
        running_exemptions_load(report->conf, report->origin.now_s, note);
    if (exemptions != NULL && note[0] != '\0')
        (void)fprintf(stderr, "note: %s\n", note);
    bool ok = exemptions != NULL &&
              report_sums_init(&report->sums, report->conf, exemptions, command_seed());
    exemptions_free(exemptions);
    if (!ok)
        return out_of_memory(report);
    return count > 0 ? report_files(report, count, paths) : report_decision_log(report);
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
        report_sums_clear(&report->sums);
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
