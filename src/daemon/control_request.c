/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_request.h"

#include "base/textbuf.h"
#include "site/json.h"

#include <stdio.h>
#include <string.h>

/* Bytes of untrusted text in an error. */
#define SHOWN_MAX 100

/* An exemption of less is over before the mail comes again. */
#define EXEMPTION_MIN_S 60

static enum result invalid(char error[CONTROL_ERROR_MAX], const char *what, const char *untrusted)
{
    struct textbuf buf;
    textbuf_init(&buf, error, CONTROL_ERROR_MAX);
    textbuf_put(&buf, what);
    if (untrusted != NULL) {
        textbuf_put(&buf, ": \"");
        textbuf_put_untrusted(&buf, untrusted, SHOWN_MAX);
        textbuf_put(&buf, "\"");
    }
    return RESULT_INVALID;
}

/* A name that can be looked up: one label too, for a PTR may be "localhost". */
static enum result parse_name(const struct json_value *json, struct control_request *out,
                              char error[CONTROL_ERROR_MAX])
{
    const char *text = json_value_text(json_value_member(json, "name"));
    if (text == NULL)
        return invalid(error, "name is missing", NULL);
    if (out->command == CONTROL_CACHE_FLUSH && strcmp(text, "all") == 0)
        return RESULT_OK;
    if (ipaddr_parse(text, &out->addr) == RESULT_OK)
        return RESULT_OK;
    out->addr = (struct ipaddr){0};
    enum hostname_flaw flaw = hostname_parse(text, out->name);
    if (flaw != HOSTNAME_OK && flaw != HOSTNAME_ONE_LABEL)
        return invalid(error, "neither an address nor a host name", text);
    return RESULT_OK;
}

static enum result parse_client(const struct json_value *json, struct control_request *out,
                                char error[CONTROL_ERROR_MAX])
{
    const char *text = json_value_text(json_value_member(json, "name"));
    if (text == NULL)
        return invalid(error, "name is missing", NULL);
    if (ipaddr_parse(text, &out->addr) != RESULT_OK)
        return invalid(error, "not an address", text);
    return RESULT_OK;
}

static enum result parse_subject(const struct json_value *json, struct control_request *out,
                                 char error[CONTROL_ERROR_MAX])
{
    const char *text = json_value_text(json_value_member(json, "subject"));
    if (text == NULL)
        return invalid(error, "subject is missing", NULL);
    if (exemption_subject(text, out->subject) != RESULT_OK)
        return invalid(error,
                       "neither an address, a network without bits after its prefix, nor a domain "
                       "with a dot before it",
                       text);
    return RESULT_OK;
}

static enum result parse_allow(const struct json_value *json, struct control_request *out,
                               char error[CONTROL_ERROR_MAX])
{
    const char *reason = json_value_text(json_value_member(json, "reason"));
    enum result status = parse_subject(json, out, error);
    if (status != RESULT_OK)
        return status;
    if (reason == NULL || reason[0] == '\0')
        return invalid(error, "a reason is required", NULL);
    if (exemption_reason(reason, out->reason) != RESULT_OK)
        return invalid(error, "the reason is longer than 200 bytes", NULL);
    if (!json_value_int(json_value_member(json, "seconds"), &out->seconds) ||
        out->seconds < EXEMPTION_MIN_S || out->seconds > EXEMPTION_MAX_S)
        return invalid(error, "the time must be from one minute to 366 days", NULL);
    return RESULT_OK;
}

static enum result parse_members(const struct json_value *json, struct control_request *out,
                                 char error[CONTROL_ERROR_MAX])
{
    static const struct {
        const char *name;
        enum result (*parse)(const struct json_value *json, struct control_request *out,
                             char error[CONTROL_ERROR_MAX]);
    } commands[CONTROL_COMMAND_COUNT] = {
        [CONTROL_STATUS] = {"status", NULL},
        [CONTROL_CACHE_GET] = {"cache-get", parse_name},
        [CONTROL_CACHE_FLUSH] = {"cache-flush", parse_name},
        [CONTROL_CACHE_DUMP] = {"cache-dump", NULL},
        [CONTROL_ALLOW] = {"allow", parse_allow},
        [CONTROL_UNALLOW] = {"unallow", parse_subject},
        [CONTROL_ALLOWED] = {"allowed", NULL},
        [CONTROL_RELOAD] = {"reload", NULL},
        [CONTROL_REMEMBERED] = {"remembered", parse_client},
    };
    const char *name = json_value_text(json_value_member(json, "command"));
    if (name == NULL)
        return invalid(error, "command is missing", NULL);
    for (size_t i = 0; i < CONTROL_COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        out->command = (enum control_command)i;
        return commands[i].parse == NULL ? RESULT_OK : commands[i].parse(json, out, error);
    }
    return invalid(error, "there is no such command", name);
}

enum result control_request_parse(const char *text, size_t length, struct control_request *out,
                                  char error[CONTROL_ERROR_MAX])
{
    char why[JSONIN_ERROR_MAX];
    struct json_value *json = NULL;
    struct control_request request = {0};
    if (length > CONTROL_REQUEST_MAX)
        return invalid(error, "the request is too long", NULL);
    enum result status = json_value_parse(text, length, &json, why);
    if (status == RESULT_INVALID)
        return invalid(error, "the request is not JSON", why);
    if (status != RESULT_OK)
        return status;
    status = parse_members(json, &request, error);
    json_value_free(json);
    if (status == RESULT_OK)
        *out = request;
    return status;
}
