/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decisions in files: decision log with what logrotate left of it, or files that were named.
 * What cannot be read is said on standard error.  One owner at a time.
 */
#ifndef IPREVD_DECISIONS_H
#define IPREVD_DECISIONS_H

#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/report/report_entry.h"
#include "ctl/rotated.h"

struct decisions {
    /* Set by the caller; borrowed. */
    const struct command *command; /* for messages */
    int64_t now_s, since_s;        /* since_s: none from before; 0: all */
    /* `text`: the decision alone, as report_entry_parse() takes it. */
    void (*visit)(void *arg, const struct report_entry *entry, const char *text);
    void *arg;
    /* Found out. */
    uint64_t lines, bad, count; /* count: decisions, those from before since_s, too */
    int64_t oldest_s;           /* of all of them; 0: none has a time */
    bool unreadable;            /* a file could not be read as a whole */
    char first[121];            /* what is no decision: a program's name, or a line; escaped */
    bool first_is_program;
    struct rotated files; /* those that were read */
    struct progress progress;
};

/*
 * Read: the files at `paths`, or without any the decision log of `conf`.  -1 to go on, with what
 * could be read; else the exit status, and it is said why.  The caller ends by decisions_end()
 * either way.
 */
int decisions_read(struct decisions *decisions, const struct conf *conf, int count,
                   char **paths) MUST_CHECK;
void decisions_end(struct decisions *decisions);

#endif
