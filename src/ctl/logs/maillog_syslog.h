/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of a mail log taken apart: as syslog daemons write it (RFC 3164 or RFC 3339 time stamps),
 * as journalctl prints it in its short forms.  Pure but for the time zone; thread safe.
 */
#ifndef IPREVD_MAILLOG_SYSLOG_H
#define IPREVD_MAILLOG_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_PROGRAM_MAX 63

struct maillog_record {
    const char *file; /* set by the caller, like line */
    uint64_t line;
    const char *stamp; /* where the time stamp begins, or NULL; borrowed from the line */
    int64_t wall_s;    /* when the record has no stamp (journal export); 0: unknown */
    char program[REPLAY_PROGRAM_MAX + 1]; /* "postfix/smtpd", "sm-mta" */
    long pid;                             /* 0: none */
    const char *message;                  /* borrowed */
};

/* False: not such a line.  `out` borrows from `text`. */
bool maillog_syslog_parse(const char *text, struct maillog_record *out);

/*
 * Seconds since 1970 of the record; 0 when it has no time.  A stamp without a year is of the last
 * year that does not put it in the future of now_s; one without a zone is local time.
 */
int64_t maillog_syslog_time(const struct maillog_record *record, int64_t now_s);

#endif
