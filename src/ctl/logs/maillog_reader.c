/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_reader.h"

#include "ctl/logs/maillog_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 2000-01-01: an earlier change of a file was never one. */
#define CHANGED_MIN_S 946684800

struct maillog_reader {
    const char *path;
    struct maillog_input *input;
    int64_t changed_s; /* 0: unknown */
    struct maillog_journal journal;
    char value[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

enum result maillog_reader_open(const char *path, struct maillog_reader **out,
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
    if (strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
        info.st_mtime >= CHANGED_MIN_S)
        reader->changed_s = (int64_t)info.st_mtime;
    *out = reader;
    return RESULT_OK;
}

void maillog_reader_close(struct maillog_reader *reader)
{
    if (reader != NULL)
        maillog_input_close(reader->input);
    free(reader);
}

int64_t maillog_reader_latest_s(const struct maillog_reader *reader, int64_t now_s)
{
    return reader->changed_s != 0 && reader->changed_s < now_s ? reader->changed_s : now_s;
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

static void set_record(const struct maillog_reader *reader, const struct maillog_record *record,
                       struct maillog_item *out)
{
    out->kind = MAILLOG_ITEM_RECORD;
    out->record = *record;
    out->record.file = reader->path;
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
            set_record(reader, &reader->journal.record, out);
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

/* The object in a line of JSON: `journalctl -o json-sse` writes "data: " before it, json-seq a
   record separator. */
static const char *find_object(const char *text)
{
    if (text[0] == '\x1e')
        text++;
    else if (strncmp(text, "data: {", 7) == 0)
        text += 6;
    return text[0] == '{' ? text : NULL;
}

static enum result read_json(struct maillog_reader *reader, const char *object,
                             struct maillog_item *out)
{
    enum result status =
        maillog_journal_json(&reader->journal, object, strlen(object), out->line.number);
    if (status == RESULT_OK)
        set_record(reader, &reader->journal.record, out);
    return status == RESULT_NOMEM ? status : RESULT_OK;
}

enum result maillog_reader_next(struct maillog_reader *reader, struct maillog_item *out,
                                char error[REPLAY_ERROR_MAX])
{
    enum result status = maillog_reader_line(reader, out, error);
    const char *text = out->line.text;
    if (status != RESULT_OK || out->line.cut || out->line.binary)
        return status;
    if (maillog_syslog_parse(text, &out->record)) {
        out->kind = MAILLOG_ITEM_RECORD;
        out->record.file = reader->path;
        out->record.line = out->line.number;
        return RESULT_OK;
    }
    if (maillog_journal_begins(text)) {
        maillog_journal_init(&reader->journal);
        return read_export(reader, out, error);
    }
    const char *object = find_object(text);
    return object != NULL ? read_json(reader, object, out) : RESULT_OK;
}
