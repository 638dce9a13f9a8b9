/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl allowed: the exemptions in effect. */
#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct allowed_request {
    bool json;
};

static void put_exemption(void *arg, const char *line, const struct json_value *record)
{
    const struct allowed_request *request = arg;
    char when[CLIENT_TIME_MAX];
    int64_t until = 0;
    if (request->json) {
        (void)puts(line);
        return;
    }
    (void)json_value_int(json_value_member(record, "until"), &until);
    client_put(json_value_text_of(record, "subject"));
    (void)printf("  until %s  ", client_when(until, when));
    client_put_own(json_value_text_of(record, "reason"));
    if (json_value_text_of(record, "by") != NULL) {
        (void)fputs("  by ", stdout);
        client_put(json_value_text_of(record, "by"));
    }
    (void)putchar('\n');
}

static int run(const struct command *command, int argc, char **argv)
{
    struct allowed_request request = {0};
    const struct client_records records = {put_exemption, &request};
    char *path;
    int status = client_begin(command, argc, argv, &request, &path);
    if (status >= 0)
        return status;
    status = client_ask(command, path, client_request("allowed", NULL, NULL), &records, NULL);
    free(path);
    return command_finish(command, status);
}

static const struct command_option options[] = {
    {"json", NULL, offsetof(struct allowed_request, json),
     "one JSON object a line instead of text"},
    {NULL, NULL, 0, NULL},
};

const struct command command_allowed = {
    .name = "allowed",
    .operands = "",
    .summary = "list the exemptions in effect",
    .options = options,
    .notes = "Exit status: 0; 64 usage, 69 the daemon cannot be reached, 78 configuration\n"
             "error.\n",
    .run = run,
};
