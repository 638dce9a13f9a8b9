/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands of iprevctl share: the table of commands, options that all take, exit
 * statuses (sysexits).
 */
#ifndef IPREVD_COMMAND_H
#define IPREVD_COMMAND_H

#include "site/conf.h"

#include <stdbool.h>

/* Exit statuses of verdicts, besides those of <sysexits.h>. */
enum {
    EXIT_VERDICT_ACCEPT = 0,
    EXIT_VERDICT_TAG = 1,
    EXIT_VERDICT_TEMPFAIL = 75,
    EXIT_VERDICT_REJECT = 77,
};

struct command {
    const char *name;
    const char *arguments; /* after the name in a usage line */
    const char *summary;
    const char *help; /* the options, a line each, ended by a line feed */
    int (*run)(const struct command *command, int argc, char **argv);
};

/* One file a command. */
extern const struct command command_allow;
extern const struct command command_allowed;
extern const struct command command_cache;
extern const struct command command_check;
extern const struct command command_config;
extern const struct command command_reload;
extern const struct command command_replay;
extern const struct command command_report;
extern const struct command command_status;
extern const struct command command_unallow;

/* Print a command's usage to standard output; or, not asked for, where it can be had to standard
   error.  Returns 0 or EX_USAGE. */
int command_usage(const struct command *command, bool asked);

/* "iprevctl NAME: message" to standard error; returns EX_USAGE. */
int command_misused(const struct command *command, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Load the configuration at `path` with messages to standard error; NULL path: the default one,
 * which may be missing (then the built-in settings, with a note, since a tool should work before
 * the daemon is set up).  NULL: EX_CONFIG is due.
 */
struct conf *command_conf(const char *path);

/* A number that nobody who writes a log can know: keys the hashes of tables that strangers fill. */
uint64_t command_seed(void);

#endif
