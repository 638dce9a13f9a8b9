/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl allowed: the exceptions in effect. */
#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static void put_exemption(void *arg, const char *line, const struct json_value *record)
{
    const struct client_options *options = arg;
    char when[CLIENT_TIME_MAX];
    int64_t until = 0;
    if (options->json) {
        (void)puts(line);
        return;
    }
    (void)json_value_int(json_value_member(record, "until"), &until);
    client_put(json_value_text(json_value_member(record, "subject")));
    (void)printf("  until %s  ", client_when(until, when));
    client_put(json_value_text(json_value_member(record, "reason")));
    (void)putchar('\n');
}

static int run(const struct command *command, int argc, char **argv)
{
    struct client_options options;
    const struct client_records records = {put_exemption, &options};
    char *path;
    int status = client_begin(command, CLIENT_JSON, argc, argv, &options, &path);
    if (status >= 0)
        return status;
    status = client_ask(command, path, client_request("allowed", NULL, NULL), &records, NULL);
    free(path);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}

const struct command command_allowed = {
    .name = "allowed",
    .arguments = "[--json] [-c FILE]",
    .summary = "list the exceptions in effect",
    .help = "  --json     one JSON object a line instead of text\n"
            "  -c FILE    read this configuration, which names the control socket\n"
            "\n"
            "Exit status: 0; 64 usage, 69 the daemon cannot be reached, 78 configuration\n"
            "error.\n",
    .run = run,
};
