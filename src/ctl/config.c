/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl config: test and print the effective configuration. */
#include "ctl/command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option == 'c')
            path = optarg;
        else
            return command_usage(command, option == 'h');
    }
    if (optind < argc)
        return command_misused(command, "unexpected argument \"%s\"", argv[optind]);
    struct conf *conf = command_conf(path);
    if (conf == NULL)
        return EX_CONFIG;
    bool ok = conf_print(conf, stdout) == RESULT_OK && fflush(stdout) == 0;
    conf_unref(conf);
    return ok ? EX_OK : EX_IOERR;
}

const struct command command_config = {
    .name = "config",
    .arguments = "[-c FILE]",
    .summary = "test the configuration and print it as it takes effect",
    .help = "  -c FILE    read this configuration\n"
            "\n"
            "Exit status: 0; 64 usage, 78 configuration error.\n",
    .run = run,
};
