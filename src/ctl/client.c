/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client.h"

#include "base/textbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* How long the daemon may be silent: a reload reads tables, and answers when it is done. */
#define SILENCE_S 60

/* Bytes of untrusted text in one piece on a terminal. */
#define SHOWN_MAX 512

/* --- text ----------------------------------------------------------------------------------- */

const char *client_span(int64_t seconds, char out[CLIENT_TIME_MAX])
{
    int64_t days = seconds / 86400;
    int hours = (int)(seconds / 3600 % 24), minutes = (int)(seconds / 60 % 60);
    if (days > 0)
        (void)snprintf(out, CLIENT_TIME_MAX, "%" PRId64 " d %02d:%02d:%02d", days, hours, minutes,
                       (int)(seconds % 60));
    else
        (void)snprintf(out, CLIENT_TIME_MAX, "%02d:%02d:%02d", hours, minutes, (int)(seconds % 60));
    return out;
}

const char *client_when(int64_t wall_s, char out[CLIENT_TIME_MAX])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (localtime_r(&wall, &tm) == NULL ||
        strftime(out, CLIENT_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        (void)snprintf(out, CLIENT_TIME_MAX, "%" PRId64, wall_s);
    return out;
}

static void put_shown(const char *text, textbuf_put_shown *put)
{
    char memory[SHOWN_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    put(&buf, text == NULL ? "-" : text, SHOWN_MAX);
    (void)fputs(memory, stdout);
}

void client_put(const char *text)
{
    put_shown(text, textbuf_put_untrusted);
}

void client_put_own(const char *text)
{
    put_shown(text, textbuf_put_own);
}

struct json_writer *client_request(const char *name, const char *key, const char *value)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return NULL;
    json_writer_text(json, "command", name);
    if (key != NULL)
        json_writer_text(json, key, value);
    return json;
}

/* --- the connection ------------------------------------------------------------------------- */

char *client_socket(const struct command *command, const char *conf_path, int *status)
{
    struct conf *conf = command_conf(conf_path);
    char *path = NULL;
    /* While the configuration has an error, the daemon runs with an earlier one. */
    if (conf == NULL && conf_path == NULL)
        conf = command_conf("/dev/null");
    *status = EX_CONFIG;
    if (conf == NULL)
        return NULL;
    if (conf->control == NULL) {
        *status = command_failed(command, EX_UNAVAILABLE,
                                 "the control socket is switched off in %s", conf->path);
    } else if ((path = strdup(conf->control)) == NULL) {
        *status = command_failed(command, EX_OSERR, "out of memory");
    }
    conf_unref(conf);
    return path;
}

int client_begin(const struct command *command, int argc, char **argv, void *request, char **path)
{
    const char *conf_path = NULL;
    int status = command_parse_all(command, argc, argv, request, &conf_path);
    if (status >= 0)
        return status;
    *path = client_socket(command, conf_path, &status);
    return *path == NULL ? status : -1;
}

static int unreachable(const struct command *command, const char *path, int reason)
{
    (void)command_failed(command, 0, "the daemon cannot be reached at %s: %s", path,
                         strerror(reason));
    if (reason == ENOENT || reason == ECONNREFUSED)
        (void)fprintf(stderr, "Is iprevd running, and with this configuration?\n");
    else if (reason == EACCES || reason == EPERM)
        (void)fprintf(stderr,
                      "Root may, and the group of the socket (the option control-group).\n");
    return EX_UNAVAILABLE;
}

/* A connected socket, or -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const struct timeval silence = {.tv_sec = SILENCE_S};
    if (strlen(path) >= sizeof addr.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence) == 0 &&
        connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

/* Send the line.  What comes back says what the daemon thinks of it, even when it hung up. */
static bool send_request(int fd, const char *line)
{
    size_t length = strlen(line);
    while (length > 0) {
        ssize_t sent = send(fd, line, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EPIPE || errno == ECONNRESET;
        line += sent;
        length -= (size_t)sent;
    }
    return send(fd, "\n", 1, MSG_NOSIGNAL) == 1 || errno == EPIPE || errno == ECONNRESET;
}

/* The last line's verdict as an exit status. */
static int judge(const struct command *command, const struct json_value *last)
{
    const char *kind = json_value_text_of(last, "kind");
    const char *error = json_value_text_of(last, "error");
    const char *warning = json_value_text_of(last, "warning");
    bool ok = false;
    if (json_value_bool(json_value_member(last, "ok"), &ok) && ok) {
        if (warning != NULL)
            (void)fprintf(stderr, "iprevctl %s: warning: %s\n", command->name, warning);
        return EX_OK;
    }
    (void)command_failed(command, 0, "%s",
                         error != NULL ? error : "the daemon's answer makes no sense");
    return kind != NULL && strcmp(kind, "usage") == 0 ? EX_USAGE : EXIT_NOT_DONE;
}

/* Read up to the line that has "ok".  NULL: the answer is not complete. */
static struct json_value *read_answer(FILE *stream, const struct client_records *records)
{
    char *line = NULL, error[JSONIN_ERROR_MAX];
    size_t size = 0;
    struct json_value *json = NULL;
    for (ssize_t length; (length = getline(&line, &size, stream)) > 0;) {
        if (json_value_parse(line, (size_t)length, &json, error) != RESULT_OK) {
            json = NULL;
            break;
        }
        if (json_value_member(json, "ok") != NULL)
            break;
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (records != NULL && records->record != NULL)
            records->record(records->arg, line, json);
        json_value_free(json);
        json = NULL;
    }
    free(line);
    return json;
}

/* Takes fd. */
static int converse(const struct command *command, const char *path, int fd, const char *line,
                    const struct client_records *records, struct json_value **last)
{
    bool sent = send_request(fd, line);
    int reason = errno;
    FILE *stream = fdopen(fd, "r");
    if (stream == NULL || !sent) {
        if (stream != NULL)
            (void)fclose(stream);
        else
            (void)close(fd);
        return unreachable(command, path, sent ? ENOMEM : reason);
    }
    struct json_value *answer = read_answer(stream, records);
    (void)fclose(stream);
    if (answer == NULL)
        return command_failed(command, EX_UNAVAILABLE,
                              "the daemon hung up before its answer was complete");
    int status = judge(command, answer);
    if (status == EX_OK && last != NULL)
        *last = answer;
    else
        json_value_free(answer);
    return status;
}

int client_ask(const struct command *command, const char *path, struct json_writer *request,
               const struct client_records *records, struct json_value **last)
{
    char *line = request == NULL ? NULL : json_writer_line(request);
    json_writer_free(request);
    if (line == NULL)
        return command_failed(command, EX_OSERR, "out of memory");
    int fd = connect_to(path);
    int status = fd < 0 ? unreachable(command, path, errno)
                        : converse(command, path, fd, line, records, last);
    free(line);
    return status;
}

enum result client_try(const char *path, struct json_writer *request,
                       const struct client_records *records, struct json_value **last)
{
    char *line = request == NULL ? NULL : json_writer_line(request);
    bool ok = false;
    json_writer_free(request);
    if (line == NULL)
        return RESULT_NOMEM;
    int fd = connect_to(path);
    bool sent = fd >= 0 && send_request(fd, line);
    FILE *stream = sent ? fdopen(fd, "r") : NULL;
    int reason = errno;
    free(line);
    if (stream == NULL) {
        if (fd >= 0)
            (void)close(fd);
        errno = reason;
        return RESULT_IO;
    }
    struct json_value *answer = read_answer(stream, records);
    (void)fclose(stream);
    ok = json_value_bool(json_value_member(answer, "ok"), &ok) && ok;
    if (ok && last != NULL)
        *last = answer;
    else
        json_value_free(answer);
    return ok ? RESULT_OK : RESULT_INVALID;
}

enum result client_try_running(const char *path, struct json_writer *request,
                               const struct client_records *records, struct json_value **last)
{
    if (path == NULL) {
        json_writer_free(request);
        return RESULT_NOTFOUND;
    }
    enum result status = client_try(path, request, records, last);
    return status == RESULT_IO && (errno == ENOENT || errno == ECONNREFUSED) ? RESULT_NOTFOUND
                                                                             : status;
}
