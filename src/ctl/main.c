/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl(1): finds the command and runs it. */
#include "commit.h"
#include "config.h"

#include "ctl/command.h"
#include "ctl/completion.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct command *const commands[] = {
    &command_check,   &command_config,  &command_replay, &command_report,
    &command_find,    &command_status,  &command_cache,  &command_allow,
    &command_unallow, &command_allowed, &command_reload,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void usage(FILE *stream)
{
    (void)fprintf(stream, "Usage: iprevctl COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)fprintf(stream, "\nOptions of every command:\n"
                          "  -c FILE    read this configuration (default: " CONF_DEFAULT_PATH ")\n"
                          "  --help     say what the command does\n"
                          "\n"
                          "See iprevctl(1).\n");
}

/* Does this option, which stands before the command, take the next argument? */
static bool takes_argument(const struct command *command, const char *option)
{
    if (strcmp(option, "-c") == 0)
        return true;
    if (strncmp(option, "--", 2) != 0)
        return false;
    for (const struct command_option *at = command->options; at != NULL && at->name != NULL; at++)
        if (strcmp(at->name, option + 2) == 0)
            return at->argument != NULL;
    return false;
}

/* The place of the first argument that is no option of this command; argc: there is none. */
static int place_of(const struct command *command, int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0')
        at += takes_argument(command, argv[at]) ? 2 : 1;
    return at < argc ? at : argc;
}

/*
 * The command, and the place of its name among the arguments.  An option may take an argument in
 * one command and none in another: each command is asked by its own options.  Where no command has
 * them all, the furthest place counts, and getopt says which option is wrong.  NULL: no command has
 * that name, or with argc for a place there is no name.
 */
static const struct command *find_command(int argc, char **argv, int *place)
{
    *place = 1;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int at = place_of(commands[i], argc, argv);
        if (at < argc && strcmp(commands[i]->name, argv[at]) == 0) {
            *place = at;
            return commands[i];
        }
        if (at > *place)
            *place = at;
    }
    for (size_t i = 0; i < COMMAND_COUNT && *place < argc; i++)
        if (strcmp(commands[i]->name, argv[*place]) == 0)
            return commands[i];
    return NULL;
}

static int run_command(const struct command *command, int argc, char **argv, int at)
{
    char called[64]; /* by which getopt begins its messages */
    (void)snprintf(called, sizeof called, "iprevctl %s", command->name);
    /* The options before the name come behind it. */
    memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof argv[0]);
    argv[1] = called;
    return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int at;
    if (argc < 2) {
        usage(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("iprevctl %s%s\n", PACKAGE_VERSION, COMMIT);
        return EX_OK;
    }
    if (strcmp(argv[1], "--completion") == 0) {
        completion_print_bash(stdout, commands, COMMAND_COUNT);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    const struct command *command = find_command(argc, argv, &at);
    if (command != NULL)
        return run_command(command, argc, argv, at);
    if (at == argc)
        (void)fputs("iprevctl: which command?\nTry 'iprevctl --help'.\n", stderr);
    else
        (void)fprintf(stderr, "iprevctl: there is no command \"%s\"\nTry 'iprevctl --help'.\n",
                      argv[at]);
    return EX_USAGE;
}
