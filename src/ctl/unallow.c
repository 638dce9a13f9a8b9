/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl unallow: the end of an exemption. */
#include "ctl/client.h"

#include <getopt.h>
#include <stdlib.h>

static int run(const struct command *command, int argc, char **argv)
{
    const char *conf_path = NULL;
    int status = command_parse(command, argc, argv, NULL, &conf_path);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return command_misused(command, "one address, network or .domain, please");
    char *path = client_socket(command, conf_path, &status);
    if (path == NULL)
        return status;
    status =
        client_ask(command, path, client_request("unallow", "subject", argv[optind]), NULL, NULL);
    free(path);
    return status;
}

const struct command command_unallow = {
    .name = "unallow",
    .operands = "IP|NET|.DOMAIN",
    .summary = "end an exemption",
    .notes = "Exit status: 0; 1 there is none, 64 usage, 69 the daemon cannot be reached, 78\n"
             "configuration error.\n",
    .run = run,
};
