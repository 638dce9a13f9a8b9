/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl report: what the decision log adds up to. */
#include "ctl/command.h"
#include "ctl/logs/maillog_input.h"
#include "ctl/progress.h"
#include "ctl/report/report_print.h"
#include "ctl/rotated.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define BAD_SHOWN 20 /* lines told one by one; the rest is counted */

struct request {
    const char *conf_path, *html_path, *since;
    int64_t since_s; /* how long ago; 0: everything */
};

struct report {
    struct request request;
    struct conf *conf;
    struct report_origin origin;
    struct progress progress;
    bool unreadable; /* a file could not be read as a whole */
    struct report_sums sums;
};

static const struct command_option options[] = {
    {"since", "AGE", offsetof(struct request, since),
     "only the last minutes, hours, days or weeks: 90m, 12h, 7d, 4w"},
    {"html", "FILE", offsetof(struct request, html_path),
     "write one HTML file with charts instead of text"},
    {NULL, NULL, 0, NULL},
};

/* As command_parse(). */
static int parse(const struct command *command, int argc, char **argv, struct request *request)
{
    int status = command_parse(command, argc, argv, request, &request->conf_path);
    if (status >= 0 || request->since == NULL)
        return status;
    request->since_s = command_seconds(request->since);
    if (request->since_s <= 0 || isdigit((unsigned char)request->since[strlen(request->since) - 1]))
        return command_misused(command, "--since \"%s\": a number and m, h, d or w is wanted",
                               request->since);
    return status;
}

/* --- reading --------------------------------------------------------------------------------- */

static void complain(struct report *report, const char *path, uint64_t line, const char *text)
{
    progress_end(&report->progress);
    if (line > 0)
        (void)fprintf(stderr, "%s:%" PRIu64 ": %s\n", path, line, text);
    else
        (void)fprintf(stderr, "%s: %s\n", path, text);
}

static void bad_line(struct report *report, const char *path, uint64_t line, const char *text)
{
    if (++report->origin.bad <= BAD_SHOWN)
        complain(report, path, line, text);
    if (report->origin.bad == BAD_SHOWN)
        (void)fputs("Further lines of this kind are counted only.\n", stderr);
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
        if (entry.wall_s != 0 &&
            (report->origin.oldest_s == 0 || entry.wall_s < report->origin.oldest_s))
            report->origin.oldest_s = entry.wall_s;
        if (report->origin.since_s == 0 || entry.wall_s >= report->origin.since_s)
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

static int write_html(const struct report *report)
{
    FILE *stream = fopen(report->request.html_path, "we");
    if (stream == NULL) {
        (void)fprintf(stderr, "%s: %s\n", report->request.html_path, strerror(errno));
        return EX_CANTCREAT;
    }
    report_print_html(stream, &report->sums, &report->origin);
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        (void)fprintf(stderr, "%s: %s\n", report->request.html_path, strerror(errno));
        return EX_IOERR;
    }
    return EX_OK;
}

static int out_of_memory(void)
{
    (void)fputs("iprevctl report: out of memory\n", stderr);
    return EX_OSERR;
}

static int report_files(struct report *report, int count, char **paths)
{
    enum result status = RESULT_OK;
    progress_begin(&report->progress, 0);
    for (int i = 0; i < count && status == RESULT_OK; i++)
        status = read_file(report, paths[i]);
    progress_end(&report->progress);
    if (status != RESULT_OK)
        return out_of_memory();
    int result = EX_OK;
    if (report->request.html_path != NULL)
        result = write_html(report);
    else
        report_print_text(stdout, &report->sums, &report->origin);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return result == EX_OK && (report->unreadable || report->origin.bad > 0) ? EX_DATAERR : result;
}

/* The decision log with what logrotate has left of it. */
static int report_decision_log(const struct command *command, struct report *report)
{
    struct rotated files;
    const char *path = report->conf->decision_log;
    int status = EX_DATAERR;
    if (path == NULL)
        return command_misused(command,
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
        status = out_of_memory();
    rotated_free(&files);
    return status;
}

static int report_conf(const struct command *command, struct report *report, int count,
                       char **paths)
{
    if (!report_sums_init(&report->sums, command_seed()))
        return out_of_memory();
    if (count > 0)
        return report_files(report, count, paths);
    return report_decision_log(command, report);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return EX_OSERR;
    int status = parse(command, argc, argv, &report->request);
    if (status < 0) {
        report->origin.now_s = (int64_t)time(NULL);
        if (report->request.since_s > 0)
            report->origin.since_s = report->origin.now_s - report->request.since_s;
        report->conf = command_conf(report->request.conf_path);
        status = report->conf == NULL ? EX_CONFIG
                                      : report_conf(command, report, argc - optind, argv + optind);
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
             "decision-log of the configuration with what logrotate left of it.  Exit status:\n"
             "0, 65 if something could not be read, 64 usage, 73 or 74 if the file could not\n"
             "be written, 78 configuration error.\n",
    .run = run,
};
