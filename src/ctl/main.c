/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl(1): finds the command and runs it. */
#include "config.h"

#include "ctl/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_check, &command_config, &command_replay,  &command_report,  &command_status,
    &command_cache, &command_allow,  &command_unallow, &command_allowed, &command_reload,
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

int command_usage(const struct command *command, bool asked)
{
    if (!asked) {
        (void)fprintf(stderr, "Try 'iprevctl %s --help'.\n", command->name);
        return EX_USAGE;
    }
    (void)printf("Usage: iprevctl %s %s\n\n%s\n\n%s", command->name, command->arguments,
                 command->summary, command->help);
    return EX_OK;
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    (void)fprintf(stderr, "iprevctl %s: ", command->name);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return command_usage(command, false);
}

static void print_message(void *arg, const char *message)
{
    (void)fprintf(stderr, "%s%s\n", (const char *)arg, message);
}

static void print_error(void *arg, const char *message)
{
    (void)arg;
    static char prefix[] = "error: ";
    print_message(prefix, message);
}

static void print_warning(void *arg, const char *message)
{
    (void)arg;
    static char prefix[] = "warning: ";
    print_message(prefix, message);
}

struct conf *command_conf(const char *path)
{
    static const struct conf_report report = {print_error, print_warning, NULL};
    if (path == NULL) {
        path = CONF_DEFAULT_PATH;
        if (access(path, F_OK) != 0 && errno == ENOENT) {
            (void)fprintf(stderr, "note: %s does not exist: the built-in settings are used\n",
                          path);
            path = "/dev/null";
        }
    }
    return conf_load(path, (int64_t)time(NULL), &report);
}

uint64_t command_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL); /* the tools work before the pool is filled, too */
    return seed;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EX_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        (void)printf("iprevctl %s\n", PACKAGE_VERSION);
        return EX_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char called[64]; /* by which getopt begins its messages */
        if (strcmp(commands[i]->name, name) != 0)
            continue;
        (void)snprintf(called, sizeof called, "iprevctl %s", name);
        argv[1] = called;
        return commands[i]->run(commands[i], argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "iprevctl: there is no command \"%s\"\nTry 'iprevctl --help'.\n", name);
    return EX_USAGE;
}
