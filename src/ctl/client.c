/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client.h"

#include "base/textbuf.h"

#include <errno.h>
#include <getopt.h>
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

/* --- options -------------------------------------------------------------------------------- */

int client_parse(const struct command *command, unsigned takes, int argc, char **argv,
                 struct client_options *out)
{
    enum { OPTION_JSON = 256, OPTION_WATCH, OPTION_FOR, OPTION_REASON };
    static const struct {
        unsigned flag;
        struct option option;
    } known[] = {
        {CLIENT_JSON, {"json", no_argument, NULL, OPTION_JSON}},
        {CLIENT_WATCH, {"watch", no_argument, NULL, OPTION_WATCH}},
        {CLIENT_FOR, {"for", required_argument, NULL, OPTION_FOR}},
        {CLIENT_REASON, {"reason", required_argument, NULL, OPTION_REASON}},
        {0, {"help", no_argument, NULL, 'h'}},
    };
    struct option options[sizeof known / sizeof known[0] + 1] = {{NULL, 0, NULL, 0}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].flag == 0 || (takes & known[i].flag) != 0)
            options[count++] = known[i].option;
    *out = (struct client_options){.conf_path = NULL};
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'c')
            out->conf_path = optarg;
        else if (option == OPTION_JSON)
            out->json = true;
        else if (option == OPTION_WATCH)
            out->watch = true;
        else if (option == OPTION_FOR)
            out->time = optarg;
        else if (option == OPTION_REASON)
            out->reason = optarg;
        else
            return command_usage(command, option == 'h');
    }
    return -1;
}

int64_t client_seconds(const char *text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    int64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return -1;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    if (text[digits] == '\0')
        return value;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text[digits] == units[i].unit && text[digits + 1] == '\0')
            return value * units[i].seconds;
    return -1;
}

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

void client_put(const char *text)
{
    char memory[SHOWN_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, text == NULL ? "-" : text, SHOWN_MAX);
    (void)fputs(memory, stdout);
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

static int fail(const struct command *command, int status, const char *text)
{
    (void)fprintf(stderr, "iprevctl %s: %s\n", command->name, text);
    return status;
}

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
        (void)fprintf(stderr, "iprevctl %s: the control socket is switched off in %s\n",
                      command->name, conf->path);
        *status = EX_UNAVAILABLE;
    } else if ((path = strdup(conf->control)) == NULL) {
        *status = fail(command, EX_OSERR, "out of memory");
    }
    conf_unref(conf);
    return path;
}

int client_begin(const struct command *command, unsigned takes, int argc, char **argv,
                 struct client_options *out, char **path)
{
    int status = client_parse(command, takes, argc, argv, out);
    if (status >= 0)
        return status;
    if (optind < argc)
        return command_misused(command, "unexpected argument \"%s\"", argv[optind]);
    *path = client_socket(command, out->conf_path, &status);
    return *path == NULL ? status : -1;
}

static int unreachable(const struct command *command, const char *path, int reason)
{
    (void)fprintf(stderr, "iprevctl %s: the daemon cannot be reached at %s: %s\n", command->name,
                  path, strerror(reason));
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
    const char *kind = json_value_text(json_value_member(last, "kind"));
    const char *error = json_value_text(json_value_member(last, "error"));
    const char *warning = json_value_text(json_value_member(last, "warning"));
    bool ok = false;
    if (json_value_bool(json_value_member(last, "ok"), &ok) && ok) {
        if (warning != NULL)
            (void)fprintf(stderr, "iprevctl %s: warning: %s\n", command->name, warning);
        return EX_OK;
    }
    (void)fail(command, 0, error != NULL ? error : "the daemon's answer makes no sense");
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
        return fail(command, EX_UNAVAILABLE, "the daemon hung up before its answer was complete");
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
        return fail(command, EX_OSERR, "out of memory");
    int fd = connect_to(path);
    int status = fd < 0 ? unreachable(command, path, errno)
                        : converse(command, path, fd, line, records, last);
    free(line);
    return status;
}

enum result client_try(const char *path, struct json_writer *request,
                       const struct client_records *records)
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
    json_value_free(answer);
    return ok ? RESULT_OK : RESULT_INVALID;
}
