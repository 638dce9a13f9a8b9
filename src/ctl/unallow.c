/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl unallow: the end of an exception. */
#include "ctl/client.h"

#include <getopt.h>
#include <stdlib.h>

static int run(const struct command *command, int argc, char **argv)
{
    struct client_options options;
    int status = client_parse(command, 0, argc, argv, &options);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return command_misused(command, "one address, network or .domain, please");
    char *path = client_socket(command, options.conf_path, &status);
    if (path == NULL)
        return status;
    status =
        client_ask(command, path, client_request("unallow", "subject", argv[optind]), NULL, NULL);
    free(path);
    return status;
}

const struct command command_unallow = {
    .name = "unallow",
    .arguments = "IP|NET|.DOMAIN [-c FILE]",
    .summary = "end an exception",
    .help = "  -c FILE    read this configuration, which names the control socket\n"
            "\n"
            "Exit status: 0; 1 there is none, 64 usage, 69 the daemon cannot be reached, 78\n"
            "configuration error.\n",
    .run = run,
};
