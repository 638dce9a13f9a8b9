/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the running daemon over its control socket (daemon/control_request.h says what).
 */
#ifndef IPREVD_CLIENT_H
#define IPREVD_CLIENT_H

#include "ctl/command.h"
#include "site/json.h"

/* The answer's exit statuses besides those of <sysexits.h>: there is no such thing, or it failed.
 */
enum { EXIT_NOT_DONE = 1 };

/* The path of the control socket, malloc'ed; NULL: *status is the exit status, and it is said why.
 */
char *client_socket(const struct command *command, const char *conf_path, int *status);

/*
 * Parse into `request`, for a command without operands, and find the socket.  -1: *path is the
 * control socket's, malloc'ed; else the exit status.
 */
int client_begin(const struct command *command, int argc, char **argv, void *request,
                 char **path) MUST_CHECK;

/*
 * Send `request` (taken; NULL: out of memory) to the daemon at `path`.  record() has every line
 * before the last, as text and parsed.  EX_OK: *last (unless NULL) is the last line, which the
 * caller frees by json_value_free(), and a warning in it has been said.  Else it is said what went
 * wrong: EX_UNAVAILABLE the daemon cannot be reached, EX_USAGE, EXIT_NOT_DONE.
 */
struct client_records {
    void (*record)(void *arg, const char *line, const struct json_value *record); /* may be NULL */
    void *arg;
};
int client_ask(const struct command *command, const char *path, struct json_writer *request,
               const struct client_records *records, struct json_value **last);

/*
 * The same without a word to the user; `last` may be NULL.  RESULT_IO: errno says why the daemon
 * cannot be reached; RESULT_INVALID: its answer was not complete, or it was no; RESULT_NOMEM.
 */
enum result client_try(const char *path, struct json_writer *request,
                       const struct client_records *records, struct json_value **last) MUST_CHECK;

/* The same; RESULT_NOTFOUND: no daemon is there to be asked (`path` may be NULL: control = none).
 */
enum result client_try_running(const char *path, struct json_writer *request,
                               const struct client_records *records,
                               struct json_value **last) MUST_CHECK;

/* A request of one command and, unless NULL, one member. */
struct json_writer *client_request(const char *name, const char *key, const char *value);

/* Seconds in words, such as "3 d 04:05:06"; and a time as people say it, in local time. */
#define CLIENT_TIME_MAX 40
const char *client_span(int64_t seconds, char out[CLIENT_TIME_MAX]);
const char *client_when(int64_t wall_s, char out[CLIENT_TIME_MAX]);

/* Untrusted text, harmless for a terminal; NULL: "-". */
void client_put(const char *text);
void client_put_own(const char *text); /* what this site wrote: UTF-8 stays */

#endif
