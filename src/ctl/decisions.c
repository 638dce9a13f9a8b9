/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/decisions.h"

#include "base/plural.h"
#include "base/textbuf.h"
#include "ctl/logs/maillog_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define BAD_SHOWN 20 /* lines reported one by one; the rest is counted */

/* The file under way. */
struct file {
    const char *path;
    uint64_t records; /* lines in a form of logs, or objects */
    uint64_t strange, strange_line;
    uint64_t lines;
    char *last; /* decision, if the record before was one; malloc'ed */
    uint64_t last_host;
};

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

static void take(struct decisions *decisions, const struct report_entry *entry, const char *text)
{
    decisions->count++;
    if (entry->wall_s != 0 && (decisions->oldest_s == 0 || entry->wall_s < decisions->oldest_s))
        decisions->oldest_s = entry->wall_s;
    if (decisions->since_s == 0 || entry->wall_s >= decisions->since_s)
        decisions->visit(decisions->arg, entry, text);
}

/* What is no decision: a record of another program, or a line in no form that is known. */
static void pass_over(struct decisions *decisions, struct file *file,
                      const struct maillog_item *item)
{
    struct textbuf buf;
    bool record = item->kind == MAILLOG_ITEM_RECORD;
    file->records += record;
    bool says = item->line.text[0] != '\0' && strncmp(item->line.text, "-- ", 3) != 0;
    if (!record && says && file->strange++ == 0)
        file->strange_line = item->line.number;
    if (decisions->first[0] != '\0' || (!record && !says))
        return;
    textbuf_init(&buf, decisions->first, sizeof decisions->first);
    textbuf_put_untrusted(&buf, record ? item->record.program : item->line.text,
                          sizeof decisions->first - 1);
    decisions->first_is_program = record;
}

/* A syslog daemon writes identical lines once, with how often they came.  True: it is such a line.
 */
static bool take_repeated(struct decisions *decisions, const struct file *file,
                          const struct maillog_item *item)
{
    struct report_entry entry;
    struct maillog_item repeated = *item;
    const struct maillog_record *record = &item->record;
    const char *text;
    size_t length;
    unsigned times = maillog_syslog_repeated(record->message, &text, &length);
    if (times == 0)
        return false;
    bool last = text == NULL && file->last != NULL &&
                (record->host == 0 || record->host == file->last_host);
    char *copy = text != NULL ? strndup(text, length) : last ? strdup(file->last) : NULL;
    if (copy == NULL)
        return false;
    repeated.record.message = copy;
    if (last)
        (void)strcpy(repeated.record.program, "iprevd");
    bool decision = report_entry_of(&repeated, &entry, &text) == REPORT_ENTRY;
    for (unsigned i = 0; decision && i < times; i++)
        take(decisions, &entry, text);
    free(copy);
    return decision;
}

static void remember(struct file *file, const struct maillog_item *item, const char *decision)
{
    if (item->kind != MAILLOG_ITEM_RECORD)
        return;
    free(file->last);
    file->last = decision != NULL ? strdup(decision) : NULL;
    file->last_host = item->record.host;
}

static void take_item(struct decisions *decisions, struct file *file,
                      const struct maillog_item *item)
{
    struct report_entry entry;
    const struct maillog_line *line = &item->line;
    const char *text;
    decisions->lines++;
    if (item->kind == MAILLOG_ITEM_LINE && (line->cut || line->binary)) {
        bad_line(decisions, file->path, line->number,
                 line->cut ? "longer than any decision: left out" : "holds a NUL byte: left out");
        return;
    }
    if (item->kind == MAILLOG_ITEM_RECORD && take_repeated(decisions, file, item))
        return;
    enum report_parsed parsed = report_entry_of(item, &entry, &text);
    remember(file, item, parsed == REPORT_ENTRY ? text : NULL);
    switch (parsed) {
    case REPORT_ENTRY:
        file->records += item->kind == MAILLOG_ITEM_RECORD || text[0] == '{';
        take(decisions, &entry, text);
        break;
    case REPORT_BAD:
        bad_line(decisions, file->path, line->number, "not a decision that can be read: left out");
        break;
    case REPORT_OTHER:
        pass_over(decisions, file, item);
        break;
    }
}

/* On its standard error the daemon says more than decisions: there other lines are nothing odd. */
static void end_file(struct decisions *decisions, const struct file *file)
{
    if (decisions->count == 0 || file->strange == 0 || file->records == 0)
        return;
    progress_end(&decisions->progress);
    (void)fprintf(stderr,
                  "%s:%" PRIu64 ": %" PRIu64 " of %" PRIu64
                  " lines %s in no form that is known; this is the first\n",
                  file->path, file->strange_line, file->strange, file->lines,
                  plural_of(file->strange, "is", "are"));
}

static enum result read_file(struct decisions *decisions, const char *path)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct maillog_reader *reader;
    struct maillog_item item = {.line = {0}};
    struct file file = {.path = path};
    enum result status = maillog_reader_open(path, decisions->now_s, &reader, error);
    if (status == RESULT_OK) {
        while ((status = maillog_reader_next(reader, &item, error)) == RESULT_OK) {
            take_item(decisions, &file, &item);
            if (decisions->lines % 4096 == 0)
                progress_show(&decisions->progress, 0, decisions->lines, "lines");
        }
        maillog_reader_close(reader);
    }
    free(file.last);
    file.lines = item.line.number;
    end_file(decisions, &file);
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

/* A pipe or a terminal, such as /dev/stdout in a container: what is written there is gone. */
static bool is_stream(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Which files?  As decisions_read(). */
static int find_files(struct decisions *decisions, const struct conf *conf, int count, char **paths)
{
    const char *path = conf->decision_log;
    if (count == 0 && path != NULL && is_stream(path))
        return command_misused(decisions->command,
                               "which file?  decision-log is %s, which cannot be read again\n"
                               "What was written to it can: ... | iprevctl %s -",
                               path, decisions->command->name);
    bool built_in = strcmp(conf->path, "/dev/null") == 0;
    if (count == 0 && path == NULL)
        return command_misused(decisions->command,
                               "which file?  decision-log is not set%s%s\n"
                               "The journal has the decisions, too: "
                               "journalctl -u iprevd -o short-iso | iprevctl %s -",
                               built_in ? "" : " in ", built_in ? "" : conf->path,
                               decisions->command->name);
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
            "%s: no decision of iprevd in %" PRIu64
            " line%s: neither JSON lines nor its log lines; %s \"%s\"",
            decisions->files.paths[0], decisions->lines, decisions->lines == 1 ? "" : "s",
            decisions->first_is_program ? "the first is of" : "it begins:", decisions->first);
    return decisions->count == 0 && decisions->unreadable ? EX_DATAERR : -1;
}

void decisions_end(struct decisions *decisions)
{
    rotated_free(&decisions->files);
}
