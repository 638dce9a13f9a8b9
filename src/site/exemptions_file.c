/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exceptions' file: JSON lines, the first of which says what it is and how many follow, so that
 * a file that was cut at a line's end shows.
 */
#include "site/exemptions.h"

#include "site/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT_NAME    "iprevd-exemptions"
#define FORMAT_VERSION 1

/* Bytes of a line: every byte of a reason may be written as \u00XX, a subject as it is. */
#define LINE_MAX_BYTES 4096

/* --- save ----------------------------------------------------------------------------------- */

struct saving {
    FILE *stream;
    size_t count;
    bool nomem;
};

static void save_line(struct saving *saving, struct jsonout *json)
{
    char *line = json == NULL ? NULL : jsonout_line(json);
    if (line == NULL)
        saving->nomem = true;
    else
        (void)fprintf(saving->stream, "%s\n", line);
    free(line);
    jsonout_free(json);
}

static void save_one(void *arg, const struct exemption *exemption)
{
    struct saving *saving = arg;
    struct jsonout *json = jsonout_new();
    if (json != NULL) {
        jsonout_text(json, "subject", exemption->subject);
        jsonout_sentence(json, "reason", exemption->reason);
        jsonout_int(json, "made", exemption->made_s);
        jsonout_int(json, "until", exemption->until_s);
    }
    saving->count++;
    save_line(saving, json);
}

static void save_head(struct saving *saving, size_t count)
{
    struct jsonout *json = jsonout_new();
    if (json != NULL) {
        jsonout_text(json, "format", FORMAT_NAME);
        jsonout_int(json, "version", FORMAT_VERSION);
        jsonout_int(json, "count", (int64_t)count);
    }
    save_line(saving, json);
}

/* The lines in memory first, so that nobody waits for the disk under the lock. */
static enum status make_text(struct exemptions *exemptions, char **text, size_t *length)
{
    char *body = NULL;
    size_t body_length = 0;
    struct saving lines = {.stream = open_memstream(&body, &body_length)};
    if (lines.stream == NULL)
        return STATUS_NOMEM;
    exemptions_each(exemptions, save_one, &lines);
    bool failed = ferror(lines.stream) != 0;
    failed = fclose(lines.stream) != 0 || failed || lines.nomem;
    struct saving whole = {.stream = failed ? NULL : open_memstream(text, length)};
    if (whole.stream != NULL) {
        save_head(&whole, lines.count);
        (void)fwrite(body, 1, body_length, whole.stream);
        failed = ferror(whole.stream) != 0;
        failed = fclose(whole.stream) != 0 || failed || whole.nomem;
        if (failed)
            free(*text);
    }
    free(body);
    return whole.stream == NULL || failed ? STATUS_NOMEM : STATUS_OK;
}

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* Make the new name in the directory last as long as the file does. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= sizeof directory)
        return;
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static enum status replace_file(const char *path, const char *text, size_t length)
{
    char temporary[PATH_MAX];
    int written = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (written < 0 || (size_t)written >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return STATUS_IO;
    }
    (void)unlink(temporary); /* of a save that was cut off */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return STATUS_IO;
    bool ok = write_all(fd, text, length) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        reason = errno;
    }
    if (ok) {
        sync_directory(path);
        return STATUS_OK;
    }
    (void)unlink(temporary);
    errno = reason;
    return STATUS_IO;
}

enum status exemptions_save(struct exemptions *exemptions, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    enum status status = make_text(exemptions, &text, &length);
    if (status != STATUS_OK)
        return status;
    status = replace_file(path, text, length);
    int reason = errno;
    free(text);
    errno = reason;
    return status;
}

/* --- load ----------------------------------------------------------------------------------- */

/* False: the line does not hold one. */
static bool read_exemption(const struct jsonin *json, struct exemption *out)
{
    const char *subject = jsonin_text(jsonin_member(json, "subject"));
    const char *reason = jsonin_text(jsonin_member(json, "reason"));
    return subject != NULL && reason != NULL &&
           exemption_subject(subject, out->subject) == STATUS_OK &&
           exemption_reason(reason, out->reason) == STATUS_OK &&
           jsonin_int(jsonin_member(json, "made"), &out->made_s) &&
           jsonin_int(jsonin_member(json, "until"), &out->until_s);
}

static bool read_head(const struct jsonin *json, int64_t *count)
{
    const char *format = jsonin_text(jsonin_member(json, "format"));
    int64_t version;
    return format != NULL && strcmp(format, FORMAT_NAME) == 0 &&
           jsonin_int(jsonin_member(json, "version"), &version) && version == FORMAT_VERSION &&
           jsonin_int(jsonin_member(json, "count"), count) && *count >= 0 &&
           *count <= EXEMPTIONS_MAX;
}

/* The next line as JSON.  STATUS_NOTFOUND: the file is over. */
static enum status next_line(FILE *stream, struct jsonin **out)
{
    char line[LINE_MAX_BYTES], error[JSONIN_ERROR_MAX];
    errno = 0;
    if (fgets(line, sizeof line, stream) == NULL) {
        if (ferror(stream) == 0)
            return STATUS_NOTFOUND;
        return STATUS_IO;
    }
    size_t length = strlen(line);
    if (length == 0 || line[length - 1] != '\n')
        return STATUS_INVALID; /* too long, cut off, or a NUL in it */
    return jsonin_parse(line, length, out, error);
}

static enum status load_one(struct exemptions *exemptions, FILE *stream, int64_t wall_s)
{
    struct jsonin *json = NULL;
    struct exemption exemption;
    enum status status = next_line(stream, &json);
    if (status != STATUS_OK)
        return status;
    if (!read_exemption(json, &exemption))
        status = STATUS_INVALID;
    else if (exemption.until_s > wall_s)
        status = exemptions_add(exemptions, &exemption);
    jsonin_free(json);
    return status == STATUS_LIMIT ? STATUS_INVALID : status;
}

static enum status load_all(struct exemptions *exemptions, FILE *stream, int64_t wall_s,
                            unsigned *line)
{
    struct jsonin *head = NULL;
    int64_t count = 0;
    *line = 1;
    enum status status = next_line(stream, &head);
    bool known = status == STATUS_OK && read_head(head, &count);
    jsonin_free(head);
    if (status == STATUS_IO || status == STATUS_NOMEM)
        return status;
    if (!known)
        return STATUS_INVALID;
    unsigned damaged = 0;
    for (int64_t i = 0; i <= EXEMPTIONS_MAX; i++) {
        ++*line;
        status = load_one(exemptions, stream, wall_s);
        if (status == STATUS_NOTFOUND) {
            if (damaged == 0 && i != count)
                damaged = *line;
            break;
        }
        if (status == STATUS_IO || status == STATUS_NOMEM)
            return status;
        if (status == STATUS_INVALID && damaged == 0)
            damaged = *line;
    }
    if (damaged == 0)
        return STATUS_OK;
    *line = damaged;
    return STATUS_INVALID;
}

enum status exemptions_load(struct exemptions *exemptions, const char *path, int64_t wall_s,
                            unsigned *line)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO;
    FILE *stream = fdopen(fd, "r");
    if (stream == NULL) {
        (void)close(fd);
        return STATUS_NOMEM;
    }
    enum status status = load_all(exemptions, stream, wall_s, line);
    int reason = errno;
    (void)fclose(stream);
    errno = reason;
    return status;
}
