/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl config: test and print the effective configuration. */
#include "ctl/command.h"

#include <stdio.h>
#include <sysexits.h>

static int run(const struct command *command, int argc, char **argv)
{
    const char *path = NULL;
    int status = command_parse_all(command, argc, argv, NULL, &path);
    if (status >= 0)
        return status;
    struct conf *conf = command_conf(path);
    if (conf == NULL)
        return EX_CONFIG;
    bool ok = conf_print(conf, stdout) == RESULT_OK;
    conf_unref(conf);
    return command_finish(command, ok ? EX_OK : EX_IOERR);
}

const struct command command_config = {
    .name = "config",
    .operands = "",
    .summary = "test the configuration and print it as it takes effect",
    .notes = "Exit status: 0; 64 usage, 78 configuration error.\n",
    .run = run,
};
