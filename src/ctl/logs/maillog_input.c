/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>

#define BLOCK_SIZE 65536 /* bytes read and unpacked at a time */

struct maillog_input {
    struct archive *archive;
    uint64_t lines;
    size_t at, end; /* of what is unread in block */
    bool over;
    char block[BLOCK_SIZE];
    char line[REPLAY_LINE_MAX + 1];
};

static void explain(struct archive *archive, char error[REPLAY_ERROR_MAX])
{
    const char *text = archive_error_string(archive);
    (void)snprintf(error, REPLAY_ERROR_MAX, "%s", text != NULL ? text : strerror(errno));
}

/* libarchive's text names the file once more but not the reason. */
static void explain_open(struct archive *archive, char error[REPLAY_ERROR_MAX])
{
    int code = archive_errno(archive);
    if (code > 0)
        (void)snprintf(error, REPLAY_ERROR_MAX, "%s", strerror(code));
    else
        explain(archive, error);
}

typedef int filter_adder(struct archive *archive);

/* Not every build of libarchive has these: it would run programs in their place. */
static void add_if_built_in(struct archive *archive, filter_adder *add)
{
    struct archive *probe = archive_read_new();
    if (probe != NULL && add(probe) == ARCHIVE_OK)
        (void)add(archive);
    (void)archive_read_free(probe);
}

/* Only what libarchive does by itself: others would run programs. */
static struct archive *new_archive(void)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return NULL;
    add_if_built_in(archive, archive_read_support_filter_compress);
    add_if_built_in(archive, archive_read_support_filter_lz4);
    add_if_built_in(archive, archive_read_support_filter_lzma);
    add_if_built_in(archive, archive_read_support_filter_lzip);
    if (archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
        archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
        archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
        archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
        archive_read_support_format_raw(archive) == ARCHIVE_OK &&
        archive_read_support_format_empty(archive) == ARCHIVE_OK)
        return archive;
    (void)archive_read_free(archive);
    return NULL;
}

enum result maillog_input_open(const char *path, struct maillog_input **out,
                               char error[REPLAY_ERROR_MAX])
{
    struct archive_entry *entry;
    struct maillog_input *input = calloc(1, sizeof *input);
    if (input == NULL)
        return RESULT_NOMEM;
    input->archive = new_archive();
    if (input->archive == NULL) {
        free(input);
        return RESULT_NOMEM;
    }
    if (archive_read_open_filename(input->archive, strcmp(path, "-") == 0 ? NULL : path,
                                   BLOCK_SIZE) != ARCHIVE_OK) {
        explain_open(input->archive, error);
        maillog_input_close(input);
        return RESULT_IO;
    }
    int got = archive_read_next_header(input->archive, &entry);
    if (got == ARCHIVE_EOF) {
        input->over = true;
    } else if (got != ARCHIVE_OK && got != ARCHIVE_WARN) {
        explain(input->archive, error);
        maillog_input_close(input);
        return RESULT_IO;
    }
    *out = input;
    return RESULT_OK;
}

void maillog_input_close(struct maillog_input *input)
{
    if (input == NULL)
        return;
    (void)archive_read_free(input->archive);
    free(input);
}

/* Have unread bytes in the block. */
static enum result fill(struct maillog_input *input, char error[REPLAY_ERROR_MAX])
{
    if (input->at < input->end)
        return RESULT_OK;
    if (input->over)
        return RESULT_NOTFOUND;
    la_ssize_t got = archive_read_data(input->archive, input->block, sizeof input->block);
    if (got > 0) {
        input->at = 0;
        input->end = (size_t)got;
        return RESULT_OK;
    }
    input->over = true;
    if (got == 0)
        return RESULT_NOTFOUND;
    explain(input->archive, error);
    return RESULT_IO;
}

enum result maillog_input_next(struct maillog_input *input, struct maillog_line *out,
                               char error[REPLAY_ERROR_MAX])
{
    struct maillog_line line = {.number = input->lines + 1, .text = input->line};
    bool ended = false;
    while (!ended) {
        enum result status = fill(input, error);
        if (status == RESULT_NOTFOUND && line.length > 0) {
            line.unterminated = true;
            break;
        }
        if (status != RESULT_OK)
            return status;
        const char *from = input->block + input->at;
        size_t there = input->end - input->at;
        const char *feed = memchr(from, '\n', there);
        size_t take = feed != NULL ? (size_t)(feed - from) : there;
        size_t room = REPLAY_LINE_MAX - line.length;
        size_t copied = take < room ? take : room;
        memcpy(input->line + line.length, from, copied);
        line.length += copied;
        line.cut = line.cut || copied < take;
        ended = feed != NULL;
        input->at += take + (ended ? 1 : 0);
        line.bytes += take + (ended ? 1 : 0);
    }
    if (line.length > 0 && !line.cut && input->line[line.length - 1] == '\r')
        line.length--;
    if (input->lines == 0 && line.length >= 3 && memcmp(input->line, "\xef\xbb\xbf", 3) == 0) {
        line.text += 3; /* the mark of UTF-8 at a file's beginning */
        line.length -= 3;
    }
    input->line[(size_t)(line.text - input->line) + line.length] = '\0';
    line.binary = memchr(line.text, '\0', line.length) != NULL;
    input->lines++;
    *out = line;
    return RESULT_OK;
}

enum result maillog_input_take(struct maillog_input *input, uint64_t length, char *out, size_t size,
                               char error[REPLAY_ERROR_MAX])
{
    size_t kept = 0;
    out[0] = '\0';
    while (length > 0) {
        enum result status = fill(input, error);
        if (status != RESULT_OK)
            return status;
        size_t there = input->end - input->at;
        size_t take = length < there ? (size_t)length : there;
        size_t copied = take < size - 1 - kept ? take : size - 1 - kept;
        const char *from = input->block + input->at;
        memcpy(out + kept, from, copied);
        kept += copied;
        for (size_t i = 0; i < take; i++)
            input->lines += from[i] == '\n';
        input->at += take;
        length -= take;
    }
    out[kept] = '\0';
    return RESULT_OK;
}

uint64_t maillog_input_position(const struct maillog_input *input)
{
    la_int64_t bytes = archive_filter_bytes(input->archive, -1);
    return bytes > 0 ? (uint64_t)bytes : 0;
}
