/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_reader.h"

#include "ctl/logs/maillog_journal.h"
#include "ctl/logs/maillog_stamp.h"
#include "ctl/logs/maillog_years.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 2000-01-01: an earlier change of a file was never one. */
#define CHANGED_MIN_S 946684800

/* A stamp up to its minute, which the next ones mostly have, too. */
struct minute {
    size_t length; /* 0: none */
    bool yearless;
    int64_t wall_s;
    char bytes[48];
};

struct maillog_reader {
    const char *path;
    struct maillog_input *input;
    int64_t latest_s; /* no line was written after it */
    bool once;        /* the file can be read but once, or its years are known */
    struct minute minute;
    struct maillog_years years;
    struct maillog_journal journal;
    char value[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

enum result maillog_reader_open(const char *path, int64_t now_s, struct maillog_reader **out,
                                char error[REPLAY_ERROR_MAX])
{
    struct stat info;
    struct maillog_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return RESULT_NOMEM;
    reader->path = path;
    enum result status = maillog_input_open(path, &reader->input, error);
    if (status != RESULT_OK) {
        free(reader);
        return status;
    }
    reader->latest_s = now_s;
    reader->once = strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode);
    if (!reader->once && info.st_mtime >= CHANGED_MIN_S && info.st_mtime < now_s)
        reader->latest_s = (int64_t)info.st_mtime;
    *out = reader;
    return RESULT_OK;
}

void maillog_reader_close(struct maillog_reader *reader)
{
    if (reader != NULL)
        maillog_input_close(reader->input);
    free(reader);
}

uint64_t maillog_reader_position(const struct maillog_reader *reader)
{
    return maillog_input_position(reader->input);
}

enum result maillog_reader_line(struct maillog_reader *reader, struct maillog_item *out,
                                char error[REPLAY_ERROR_MAX])
{
    out->kind = MAILLOG_ITEM_LINE;
    return maillog_input_next(reader->input, &out->line, error);
}

/* --- times
 * -------------------------------------------------------------------------------------------- */

static bool is_in(const struct minute *minute, const char *stamp)
{
    return minute->length > 0 && strncmp(stamp, minute->bytes, minute->length) == 0;
}

static void keep(struct minute *minute, const char *text, const struct maillog_stamp *stamp,
                 int64_t wall_s)
{
    minute->length = 0;
    if (stamp->second >= sizeof minute->bytes || wall_s == 0)
        return;
    minute->length = stamp->second;
    minute->yearless = stamp->kind == MAILLOG_STAMP_YEARLESS;
    minute->wall_s = wall_s - stamp->tm.tm_sec;
    memcpy(minute->bytes, text, stamp->second);
}

/* Read the file once for its stamps alone.  What cannot be read leaves the years unknown. */
static void find_years(struct maillog_reader *reader)
{
    char error[REPLAY_ERROR_MAX];
    struct maillog_input *input;
    struct maillog_line line;
    struct maillog_stamp stamp;
    struct minute minute = {0};
    reader->once = true;
    if (maillog_input_open(reader->path, &input, error) != RESULT_OK)
        return;
    while (maillog_input_next(input, &line, error) == RESULT_OK) {
        const char *text = is_in(&minute, line.text) ? NULL : maillog_syslog_stamp(line.text);
        if (text == NULL || maillog_stamp_parse(text, &stamp) == NULL ||
            stamp.kind != MAILLOG_STAMP_YEARLESS)
            continue;
        maillog_years_see(&reader->years, &stamp);
        keep(&minute, text, &stamp, 1);
    }
    maillog_input_close(input);
    maillog_years_settle(&reader->years, reader->latest_s);
}

/* For a local time the C library looks whether the zone's file has changed: once a minute will do.
   A stamp with a year may have a zone behind it. */
static int64_t time_of(struct maillog_reader *reader, const char *text)
{
    struct minute *minute = &reader->minute;
    struct maillog_stamp stamp;
    bool within = is_in(minute, text);
    int year = 0;
    if (within && minute->yearless)
        return minute->wall_s + (text[minute->length] - '0') * 10 + text[minute->length + 1] - '0';
    if (maillog_stamp_parse(text, &stamp) == NULL)
        return 0;
    if (within && stamp.kind == MAILLOG_STAMP_LOCAL)
        return minute->wall_s + stamp.tm.tm_sec;
    if (stamp.kind == MAILLOG_STAMP_YEARLESS) {
        if (!reader->once)
            find_years(reader);
        maillog_years_see(&reader->years, &stamp);
        year = maillog_years_now(&reader->years);
    }
    int64_t wall_s = maillog_stamp_time(&stamp, year, reader->latest_s);
    if (stamp.kind == MAILLOG_STAMP_YEARLESS || stamp.kind == MAILLOG_STAMP_LOCAL)
        keep(minute, text, &stamp, wall_s);
    return wall_s;
}

/* --- the export format
 * ------------------------------------------------------------------------------ */

/* Bytes that the file has promised. */
static enum result take_bytes(struct maillog_reader *reader, uint64_t length, char *out,
                              size_t size, char error[REPLAY_ERROR_MAX])
{
    enum result status = maillog_input_take(reader->input, length, out, size, error);
    if (status != RESULT_NOTFOUND)
        return status;
    (void)snprintf(error, REPLAY_ERROR_MAX, "the file ends inside a field");
    return RESULT_IO;
}

/* A value with its length before it: the bytes that follow. */
static enum result take_value(struct maillog_reader *reader, char error[REPLAY_ERROR_MAX])
{
    char raw[9];
    uint64_t length = 0;
    enum result status = take_bytes(reader, 8, raw, sizeof raw, error);
    if (status != RESULT_OK)
        return status;
    for (unsigned i = 8; i-- > 0;)
        length = length << 8 | (unsigned char)raw[i];
    status = take_bytes(reader, length, reader->value, sizeof reader->value, error);
    if (status != RESULT_OK)
        return status;
    maillog_journal_value(&reader->journal, reader->value);
    return take_bytes(reader, 1, raw, sizeof raw, error);
}

static void set_record(struct maillog_reader *reader, struct maillog_item *out)
{
    out->kind = MAILLOG_ITEM_RECORD;
    out->record = reader->journal.record;
    out->record.file = reader->path;
    maillog_syslog_unwrap(&out->record);
    if (out->record.stamp != NULL)
        out->record.wall_s = time_of(reader, out->record.stamp);
}

/* The lines of one record, of which the first is there. */
static enum result read_export(struct maillog_reader *reader, struct maillog_item *out,
                               char error[REPLAY_ERROR_MAX])
{
    enum result status = RESULT_OK;
    const char *text = out->line.text;
    while (status == RESULT_OK) {
        switch (maillog_journal_line(&reader->journal, text, out->line.number)) {
        case REPLAY_JOURNAL_COMPLETE:
            set_record(reader, out);
            return RESULT_OK;
        case REPLAY_JOURNAL_LENGTH:
            status = take_value(reader, error);
            break;
        case REPLAY_JOURNAL_MORE:
            break;
        }
        if (status == RESULT_OK)
            status = maillog_input_next(reader->input, &out->line, error);
        text = out->line.text;
        if (status == RESULT_NOTFOUND) { /* the last record may lack its empty line */
            text = "";
            status = RESULT_OK;
        }
    }
    return status;
}

/* --- lines
 * -------------------------------------------------------------------------------------------- */

/* The object in a line of JSON that may hold a record: `journalctl -o json-sse` writes "data: "
   before it, json-seq a record separator. */
static const char *find_object(const char *text)
{
    static const char *const keys[] = {"\"MESSAGE\"", "\"log\"", "\"message\""};
    if (text[0] == '\x1e')
        text++;
    else if (strncmp(text, "data: {", 7) == 0)
        text += 6;
    for (size_t i = 0; text[0] == '{' && i < sizeof keys / sizeof keys[0]; i++)
        if (strstr(text, keys[i]) != NULL)
            return text;
    return NULL;
}

/* NOTFOUND: it is no record. */
static enum result read_json(struct maillog_reader *reader, const char *object,
                             struct maillog_item *out)
{
    enum result status =
        maillog_journal_json(&reader->journal, object, strlen(object), out->line.number);
    if (status == RESULT_OK && reader->journal.record.program[0] == '\0') {
        out->record = reader->journal.record; /* a line that has no tag */
        return RESULT_OK;
    }
    if (status == RESULT_OK)
        set_record(reader, out);
    return status == RESULT_INVALID ? RESULT_NOTFOUND : status;
}

/* A line that is no record: what a program wrote itself, as far as a container's runtime put
   something around it. */
static void set_bare(struct maillog_reader *reader, struct maillog_item *out)
{
    maillog_syslog_bare(out->line.text, &out->record);
    if (out->record.stamp != NULL)
        out->record.wall_s = time_of(reader, out->record.stamp);
}

enum result maillog_reader_next(struct maillog_reader *reader, struct maillog_item *out,
                                char error[REPLAY_ERROR_MAX])
{
    enum result status = maillog_reader_line(reader, out, error);
    const char *text = out->line.text, *object;
    if (status != RESULT_OK || out->line.cut || out->line.binary)
        return status;
    if (maillog_syslog_parse(text, &out->record)) {
        out->kind = MAILLOG_ITEM_RECORD;
        out->record.file = reader->path;
        out->record.line = out->line.number;
        out->record.wall_s = time_of(reader, out->record.stamp);
        return RESULT_OK;
    }
    if (maillog_journal_begins(text)) {
        maillog_journal_init(&reader->journal);
        return read_export(reader, out, error);
    }
    status =
        (object = find_object(text)) != NULL ? read_json(reader, object, out) : RESULT_NOTFOUND;
    if (status == RESULT_NOTFOUND) {
        set_bare(reader, out);
        status = RESULT_OK;
    }
    return status;
}
