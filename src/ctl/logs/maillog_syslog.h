/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of a mail log taken apart, whatever wrote it: syslog daemons (RFC 3164, RFC 5424, RFC 3339
 * time stamps; FreeBSD's -v, NetBSD, busybox, metalog, AIX, Solaris, macOS), journalctl in its
 * short forms, containers ("postfix-1 | ...", docker logs -t, Docker's syslog and journal drivers,
 * kubectl logs, stern), logstash, grep(1) of several files.  Each line is looked at for itself.
 * Pure but for the time zone; thread safe.
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
    int64_t wall_s;    /* set by the reader; 0: unknown */
    uint64_t host;     /* a hash of its name; 0: none is there */
    char program[REPLAY_PROGRAM_MAX + 1]; /* "postfix/smtpd", "sm-mta"; "": none is there */
    long pid;                             /* 0: none */
    const char *message;                  /* borrowed */
};

/* The forms, for a message to somebody whose log is in none of them.  Static, several lines. */
extern const char maillog_syslog_forms[];

/* False: not such a line.  `out` borrows from `text`. */
bool maillog_syslog_parse(const char *text, struct maillog_record *out);

/* Of a record that was found elsewhere: where its message is a line of its own, which Docker's
   drivers for syslog and the journal make of a container's log, the record is what that says.  host
   and stamp stay where that has none. */
void maillog_syslog_unwrap(struct maillog_record *record);

/* A line that is none of those, as a program wrote it to its standard error, within a container
   maybe: message, and stamp or NULL. */
void maillog_syslog_bare(const char *text, struct maillog_record *out);

/* Where the time stamp of a line begins; NULL: it has none. */
const char *maillog_syslog_stamp(const char *text);

/* The same hash for hosts that are named elsewhere. */
uint64_t maillog_syslog_host(const char *name, size_t length);

/*
 * "message repeated 3 times: [ text]", "last message repeated 3 times": how many times; 0: no such
 * message.  *text is the repeated one, of *length bytes, or NULL: the last one of that host.
 */
unsigned maillog_syslog_repeated(const char *message, const char **text, size_t *length);

#endif
