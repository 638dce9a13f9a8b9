/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands of iprevctl share: the table of commands and of their options, from which
 * usage, parsing and completion come, and exit statuses (sysexits).
 */
#ifndef IPREVD_COMMAND_H
#define IPREVD_COMMAND_H

#include "site/conf.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of verdicts, besides those of <sysexits.h>. */
enum {
    EXIT_VERDICT_ACCEPT = 0,
    EXIT_VERDICT_TAG = 1,
    EXIT_VERDICT_TEMPFAIL = 75,
    EXIT_VERDICT_REJECT = 77,
};

/* An option besides -c and --help, which every command takes. */
struct command_option {
    const char *name;     /* without hyphens */
    const char *argument; /* as usage shows it; words with | between are all there are; NULL: a flag
                           */
    size_t offset;        /* in the command's request: a const char * (a flag: a bool) */
    const char *help;     /* lines with line feeds between */
};

/* A word of the usage line that is no option, explained; such as a verb. */
struct command_word {
    const char *word, *help;
};

struct command {
    const char *name;
    const char *operands; /* in the usage line, before the options; "" for none */
    const char *summary;
    const struct command_word *words;     /* ended by a word NULL; or NULL */
    const struct command_option *options; /* ended by a name NULL; or NULL */
    const char *notes;                    /* behind the options, ended by a line feed */
    int (*run)(const struct command *command, int argc, char **argv);
};

/* One file a command. */
extern const struct command command_allow;
extern const struct command command_allowed;
extern const struct command command_cache;
extern const struct command command_check;
extern const struct command command_config;
extern const struct command command_find;
extern const struct command command_reload;
extern const struct command command_replay;
extern const struct command command_report;
extern const struct command command_status;
extern const struct command command_unallow;

/*
 * Parse into `request`, whose members were given their defaults, and *conf_path (-c; else
 * untouched).  Texts are borrowed from argv; optind is the first operand.  -1 to go on, else the
 * exit status, and it is said why.  Not thread safe, as getopt_long() is not.
 */
int command_parse(const struct command *command, int argc, char **argv, void *request,
                  const char **conf_path) MUST_CHECK;

/* The same for a command without operands. */
int command_parse_all(const struct command *command, int argc, char **argv, void *request,
                      const char **conf_path) MUST_CHECK;

/* "iprevctl NAME: message" to standard error; returns EX_USAGE. */
int command_misused(const struct command *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, returning `status`. */
int command_failed(const struct command *command, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Standard output has all that it was given: `status`, else EX_IOERR, and it is said. */
int command_finish(const struct command *command, int status);

/*
 * Load the configuration at `path` with messages to standard error; NULL path: the default one,
 * which may be missing (then the built-in settings, with a note, since a tool should work before
 * the daemon is set up).  NULL: EX_CONFIG is due.
 */
struct conf *command_conf(const char *path);

/* A number that nobody who writes a log can know: keys the hashes of tables that strangers fill. */
uint64_t command_seed(void);

/* "24h", "7d", "90m", "3600" or "2w" as seconds; -1: it is none. */
int64_t command_seconds(const char *text);

/* The same with a unit, m, h, d or w, and not 0. */
int64_t command_age(const char *text);

/* A number from 1 to `max`; 0: it is none. */
unsigned command_count(const char *text, unsigned max);

#endif
