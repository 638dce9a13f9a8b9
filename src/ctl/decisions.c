/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/decisions.h"

#include "ctl/logs/maillog_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define BAD_SHOWN 20 /* lines reported one by one; the rest is counted */

static void complain(struct decisions *decisions, const char *path, uint64_t line, const char *text)
{
    progress_end(&decisions->progress);
    if (line > 0)
        (void)command_failed(decisions->command, 0, "%s:%" PRIu64 ": %s", path, line, text);
    else
        (void)command_failed(decisions->command, 0, "%s: %s", path, text);
}

static void bad_line(struct decisions *decisions, const char *path, uint64_t line, const char *text)
{
    if (++decisions->bad <= BAD_SHOWN)
        complain(decisions, path, line, text);
    if (decisions->bad == BAD_SHOWN)
        (void)fputs("Further lines of this kind are counted only.\n", stderr);
}

static void take(struct decisions *decisions, const struct report_entry *entry, const char *line)
{
    decisions->count++;
    if (entry->wall_s != 0 && (decisions->oldest_s == 0 || entry->wall_s < decisions->oldest_s))
        decisions->oldest_s = entry->wall_s;
    if (decisions->since_s == 0 || entry->wall_s >= decisions->since_s)
        decisions->visit(decisions->arg, entry, line);
}

static void take_line(struct decisions *decisions, const char *path,
                      const struct maillog_line *line, int64_t latest_s)
{
    struct report_entry entry;
    decisions->lines++;
    if (line->cut || line->binary) {
        bad_line(decisions, path, line->number,
                 line->cut ? "longer than any decision: left out" : "holds a NUL byte: left out");
        return;
    }
    switch (report_entry_parse(line->text, line->length, latest_s, &entry)) {
    case REPORT_ENTRY:
        take(decisions, &entry, line->text);
        break;
    case REPORT_BAD:
        bad_line(decisions, path, line->number, "not a decision that can be read: left out");
        break;
    case REPORT_OTHER:
        break;
    }
}

static enum result read_file(struct decisions *decisions, const char *path)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct maillog_reader *reader;
    struct maillog_item item = {.line = {0}};
    enum result status = maillog_reader_open(path, &reader, error);
    if (status == RESULT_OK) {
        int64_t latest_s = maillog_reader_latest_s(reader, decisions->now_s);
        while ((status = maillog_reader_line(reader, &item, error)) == RESULT_OK) {
            take_line(decisions, path, &item.line, latest_s);
            if (decisions->lines % 4096 == 0)
                progress_show(&decisions->progress, 0, decisions->lines, "lines");
        }
        maillog_reader_close(reader);
    }
    if (status == RESULT_IO) {
        decisions->unreadable = true;
        complain(decisions, path, item.line.number > 0 ? item.line.number + 1 : 0, error);
    }
    return status == RESULT_NOMEM ? status : RESULT_OK;
}

static enum result copy_paths(struct rotated *files, int count, char **paths)
{
    files->paths = calloc((size_t)count, sizeof *files->paths);
    if (files->paths == NULL)
        return RESULT_NOMEM;
    for (int i = 0; i < count; i++) {
        files->paths[files->count] = strdup(paths[i]);
        if (files->paths[files->count] == NULL)
            return RESULT_NOMEM;
        files->count++;
    }
    return RESULT_OK;
}

/* Which files?  As decisions_read(). */
static int find_files(struct decisions *decisions, const struct conf *conf, int count, char **paths)
{
    const char *path = conf->decision_log;
    if (count == 0 && path == NULL)
        return command_misused(decisions->command,
                               "which file?  decision-log is not set in %s\n"
                               "The journal has the decisions, too: "
                               "journalctl -u iprevd -o short-iso | iprevctl %s -",
                               conf->path, decisions->command->name);
    enum result result = count > 0 ? copy_paths(&decisions->files, count, paths)
                                   : rotated_find(path, decisions->since_s, &decisions->files);
    if (result == RESULT_IO)
        return command_failed(decisions->command, EX_DATAERR, "%s: %s", path, strerror(errno));
    return result == RESULT_OK ? -1 : command_failed(decisions->command, EX_OSERR, "out of memory");
}

int decisions_read(struct decisions *decisions, const struct conf *conf, int count, char **paths)
{
    enum result result = RESULT_OK;
    int status = find_files(decisions, conf, count, paths);
    if (status >= 0)
        return status;
    progress_begin(&decisions->progress, 0);
    for (size_t i = 0; i < decisions->files.count && result == RESULT_OK; i++)
        result = read_file(decisions, decisions->files.paths[i]);
    progress_end(&decisions->progress);
    if (result != RESULT_OK)
        return command_failed(decisions->command, EX_OSERR, "out of memory");
    /* An answer from nothing is none to somebody who named the wrong file. */
    if (decisions->count == 0 && decisions->lines > 0)
        return command_failed(
            decisions->command, EX_DATAERR,
            "%s: no decision of iprevd in %" PRIu64 " line%s: neither JSON lines nor its log lines",
            decisions->files.paths[0], decisions->lines, decisions->lines == 1 ? "" : "s");
    return decisions->count == 0 && decisions->unreadable ? EX_DATAERR : -1;
}

void decisions_end(struct decisions *decisions)
{
    rotated_free(&decisions->files);
}
