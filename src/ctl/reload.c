/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl reload: have the configuration read again, and hear how that went. */
#include "ctl/client.h"

#include <stdlib.h>
#include <sysexits.h>

static int run(const struct command *command, int argc, char **argv)
{
    char *path;
    int status = client_begin(command, argc, argv, NULL, &path);
    if (status >= 0)
        return status;
    status = client_ask(command, path, client_request("reload", NULL, NULL), NULL, NULL);
    free(path);
    return status == EXIT_NOT_DONE ? EX_CONFIG : status;
}

const struct command command_reload = {
    .name = "reload",
    .operands = "",
    .summary = "have the running daemon read its configuration again",
    .notes = "Exit status: 0; 64 usage, 69 the daemon cannot be reached, 78 the\n"
             "configuration has an error: the running one stays.\n",
    .run = run,
};
