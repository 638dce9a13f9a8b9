/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exemptions' file: JSON lines, the first of which says what it is and how many follow, so that
 * a file that was cut at a line's end shows.  What was ended has no reason: version 1.0 then takes
 * the line for damaged, and not for an exemption.
 */
#include "site/exemptions.h"

#include "base/replace_file.h"
#include "site/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT_NAME    "iprevd-exemptions"
#define FORMAT_VERSION 1

/* Bytes of a line: every byte of a reason may be written as \u00XX, a subject as it is. */
#define LINE_MAX_BYTES 4096

/* Exemptions, and those that were ended. */
#define LINES_MAX (2 * EXEMPTIONS_MAX)

/* --- save ----------------------------------------------------------------------------------- */

struct exemptions_saving {
    FILE *stream;
    size_t count;
    bool nomem;
};

static void save_line(struct exemptions_saving *saving, struct json_writer *json)
{
    char *line = json == NULL ? NULL : json_writer_line(json);
    if (line == NULL)
        saving->nomem = true;
    else
        (void)fprintf(saving->stream, "%s\n", line);
    free(line);
    json_writer_free(json);
}

static void save_one(void *arg, const struct exemption *exemption)
{
    struct exemptions_saving *saving = arg;
    struct json_writer *json = json_writer_new();
    if (json != NULL) {
        json_writer_text(json, "subject", exemption->subject);
        if (exemption->ended)
            json_writer_bool(json, "ended", true);
        else
            json_writer_sentence(json, "reason", exemption->reason);
        if (exemption->by[0] != '\0')
            json_writer_text(json, "by", exemption->by);
        json_writer_int(json, "made", exemption->made_s);
        json_writer_int(json, "until", exemption->until_s);
    }
    saving->count++;
    save_line(saving, json);
}

static void save_head(struct exemptions_saving *saving, size_t count)
{
    struct json_writer *json = json_writer_new();
    if (json != NULL) {
        json_writer_text(json, "format", FORMAT_NAME);
        json_writer_int(json, "version", FORMAT_VERSION);
        json_writer_int(json, "count", (int64_t)count);
    }
    save_line(saving, json);
}

/* The lines in memory first, so that nobody waits for the disk under the lock. */
static enum result make_text(struct exemptions *exemptions, char **text, size_t *length)
{
    char *body = NULL;
    size_t body_length = 0;
    struct exemptions_saving lines = {.stream = open_memstream(&body, &body_length)};
    if (lines.stream == NULL)
        return RESULT_NOMEM;
    exemptions_each(exemptions, save_one, &lines);
    exemptions_each_ended(exemptions, save_one, &lines);
    bool failed = ferror(lines.stream) != 0;
    failed = fclose(lines.stream) != 0 || failed || lines.nomem;
    struct exemptions_saving whole = {.stream = failed ? NULL : open_memstream(text, length)};
    if (whole.stream != NULL) {
        save_head(&whole, lines.count);
        (void)fwrite(body, 1, body_length, whole.stream);
        failed = ferror(whole.stream) != 0;
        failed = fclose(whole.stream) != 0 || failed || whole.nomem;
        if (failed)
            free(*text);
    }
    free(body);
    return whole.stream == NULL || failed ? RESULT_NOMEM : RESULT_OK;
}

static enum result write_file(const char *path, const char *text, size_t length)
{
    struct replace_file file;
    enum result status = replace_file_begin(&file, path, 0640);
    if (status != RESULT_OK)
        return status;
    return replace_file_end(&file, replace_file_write(&file, text, length));
}

enum result exemptions_save(struct exemptions *exemptions, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    enum result status = make_text(exemptions, &text, &length);
    if (status != RESULT_OK)
        return status;
    status = write_file(path, text, length);
    int reason = errno;
    free(text);
    errno = reason;
    return status;
}

/* --- load ----------------------------------------------------------------------------------- */

/* False: the line does not hold one. */
static bool read_exemption(const struct json_value *json, struct exemption *out)
{
    const char *subject = json_value_text(json_value_member(json, "subject"));
    const char *reason = json_value_text(json_value_member(json, "reason"));
    const char *by = json_value_text(json_value_member(json, "by"));
    out->ended = json_value_bool_of(json, "ended");
    if (out->ended)
        reason = "";
    (void)snprintf(out->by, sizeof out->by, "%s", by != NULL && exemption_is_by(by) ? by : "");
    return subject != NULL && reason != NULL &&
           exemption_subject(subject, out->subject) == RESULT_OK &&
           exemption_reason(reason, out->reason) == RESULT_OK &&
           json_value_int(json_value_member(json, "made"), &out->made_s) &&
           json_value_int(json_value_member(json, "until"), &out->until_s);
}

static bool read_head(const struct json_value *json, int64_t *count)
{
    const char *format = json_value_text(json_value_member(json, "format"));
    int64_t version;
    return format != NULL && strcmp(format, FORMAT_NAME) == 0 &&
           json_value_int(json_value_member(json, "version"), &version) &&
           version == FORMAT_VERSION && json_value_int(json_value_member(json, "count"), count) &&
           *count >= 0 && *count <= LINES_MAX;
}

/* The next line as JSON.  RESULT_NOTFOUND: the file is over. */
static enum result next_line(FILE *stream, struct json_value **out)
{
    char line[LINE_MAX_BYTES], error[JSONIN_ERROR_MAX];
    errno = 0;
    if (fgets(line, sizeof line, stream) == NULL) {
        if (ferror(stream) == 0)
            return RESULT_NOTFOUND;
        return RESULT_IO;
    }
    size_t length = strlen(line);
    if (length == 0 || line[length - 1] != '\n')
        return RESULT_INVALID; /* too long, cut off, or a NUL in it */
    return json_value_parse(line, length, out, error);
}

static enum result load_one(struct exemptions *exemptions, FILE *stream, int64_t wall_s)
{
    struct json_value *json = NULL;
    struct exemption exemption;
    enum result status = next_line(stream, &json);
    if (status != RESULT_OK)
        return status;
    if (!read_exemption(json, &exemption))
        status = RESULT_INVALID;
    else if (exemption.until_s > wall_s)
        status = exemptions_add(exemptions, &exemption);
    json_value_free(json);
    return status == RESULT_LIMIT ? RESULT_INVALID : status;
}

static enum result load_all(struct exemptions *exemptions, FILE *stream, int64_t wall_s,
                            unsigned *line)
{
    struct json_value *head = NULL;
    int64_t count = 0;
    *line = 1;
    enum result status = next_line(stream, &head);
    bool known = status == RESULT_OK && read_head(head, &count);
    json_value_free(head);
    if (status == RESULT_IO || status == RESULT_NOMEM)
        return status;
    if (!known)
        return RESULT_INVALID;
    unsigned damaged = 0;
    for (int64_t i = 0; i <= LINES_MAX; i++) {
        ++*line;
        status = load_one(exemptions, stream, wall_s);
        if (status == RESULT_NOTFOUND) {
            if (damaged == 0 && i != count)
                damaged = *line;
            break;
        }
        if (status == RESULT_IO || status == RESULT_NOMEM)
            return status;
        if (status == RESULT_INVALID && damaged == 0)
            damaged = *line;
    }
    if (damaged == 0)
        return RESULT_OK;
    *line = damaged;
    return RESULT_INVALID;
}

enum result exemptions_load(struct exemptions *exemptions, const char *path, int64_t wall_s,
                            unsigned *line)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? RESULT_NOTFOUND : RESULT_IO;
    FILE *stream = fdopen(fd, "r");
    if (stream == NULL) {
        (void)close(fd);
        return RESULT_NOMEM;
    }
    enum result status = load_all(exemptions, stream, wall_s, line);
    int reason = errno;
    (void)fclose(stream);
    errno = reason;
    return status;
}
