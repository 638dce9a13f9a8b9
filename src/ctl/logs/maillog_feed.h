/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in, attempts out: opens files, tells what format they are of, and hands their lines to the
 * parser of that format.  What cannot be read is a problem with its place, after which the rest of
 * the file goes on where it can.  One owner at a time.
 */
#ifndef IPREVD_MAILLOG_FEED_H
#define IPREVD_MAILLOG_FEED_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

enum maillog_format {
    REPLAY_FORMAT_GUESS, /* by the first line that says something, and by the programs in a log */
    REPLAY_FORMAT_POSTFIX,
    REPLAY_FORMAT_SENDMAIL,
    REPLAY_FORMAT_MBOX,
    REPLAY_FORMAT_MAILDIR,
    REPLAY_FORMAT_TRIPLES,
};

/* True and *out for "postfix", "sendmail", "mbox", "maildir" and "triples". */
bool maillog_format_parse(const char *text, enum maillog_format *out);

struct maillog_hooks {
    /* Attempts of a log come in the order of their lines as far as they are near each other. */
    void (*event)(void *arg, const struct maillog_event *event);
    /* line 0: the file as a whole.  `text` is printable. */
    void (*problem)(void *arg, const char *file, uint64_t line, const char *text);
    /* Likewise what is worth knowing and no problem; NULL: nobody wants it. */
    void (*note)(void *arg, const char *file, uint64_t line, const char *text);
    /* Mail was delivered to that address, at a server that is not ours; NULL: nobody asks. */
    void (*delivered)(void *arg, const char *recipient);
    /* Now and then: bytes of the files on disk read so far. */
    void (*progress)(void *arg, uint64_t bytes);
    /* A mail server of our own, whose Received fields are to be passed over? */
    bool (*is_ours)(void *arg, const struct ipaddr *addr);
    void *arg;
};

/* What was read and is no attempt. */
struct maillog_counts {
    uint64_t lines;
    uint64_t strange;    /* lines of logs in no form that is known */
    uint64_t others;     /* records of other programs */
    uint64_t messages;   /* in mailboxes */
    uint64_t local;      /* of those, messages that never came from outside */
    uint64_t unreadable; /* of those, messages with a Received field in no form that is known */
};

struct maillog_feed;

/* `hooks` is borrowed.  NULL: out of memory.  free(NULL) is fine. */
struct maillog_feed *maillog_feed_new(enum maillog_format format, int64_t now_s,
                                      const struct maillog_hooks *hooks) MUST_CHECK;
void maillog_feed_free(struct maillog_feed *feed);

/* Read a file, or the messages of a Maildir.  `path` is borrowed until maillog_feed_end(). */
enum result maillog_feed_read(struct maillog_feed *feed, const char *path) MUST_CHECK;

/* No more files: tell what is still open. */
void maillog_feed_end(struct maillog_feed *feed);

struct maillog_counts maillog_feed_counts(const struct maillog_feed *feed);

#endif
