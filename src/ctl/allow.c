/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl allow: an exception for a time, in effect at once. */
#include "ctl/client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define DEFAULT_TIME "24h"

static int run(const struct command *command, int argc, char **argv)
{
    struct client_options options;
    int status = client_parse(command, CLIENT_FOR | CLIENT_REASON, argc, argv, &options);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return command_misused(command, "one address, network or .domain, please");
    const char *time = options.time != NULL ? options.time : DEFAULT_TIME;
    int64_t seconds = client_seconds(time);
    if (seconds < 0)
        return command_misused(command, "\"%s\" is no time such as 90m, 24h, 7d or 2w", time);
    if (options.reason == NULL)
        return command_misused(command, "--reason is wanted: who will know it next year?");
    char *path = client_socket(command, options.conf_path, &status);
    if (path == NULL)
        return status;
    struct json_writer *request = client_request("allow", "subject", argv[optind]);
    if (request != NULL) {
        json_writer_text(request, "reason", options.reason);
        json_writer_int(request, "seconds", seconds);
    }
    status = client_ask(command, path, request, NULL, NULL);
    free(path);
    return status;
}

const struct command command_allow = {
    .name = "allow",
    .arguments = "IP|NET|.DOMAIN --reason TEXT [--for TIME] [-c FILE]",
    .summary = "let a client through for a time, at once",
    .help =
        "  --reason TEXT  why: shown in log and list, at most 200 bytes\n"
        "  --for TIME     for how long: 90m, 24h, 7d, 2w; 1m to 366d (default " DEFAULT_TIME ")\n"
        "  -c FILE        read this configuration, which names the control socket\n"
        "\n"
        "A .DOMAIN is the domain and everything below it, by confirmed PTR names only.\n"
        "What is there already is replaced.  See also match blocks in iprevd.conf(5).\n"
        "\n"
        "Exit status: 0; 1 it could not be done, 64 usage, 69 the daemon cannot be\n"
        "reached, 78 configuration error.\n",
    .run = run,
};
