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
    void (*event)(void *arg, const struct maillog_event *event);
    /* line 0: the file as a whole.  `text` is printable. */
    void (*problem)(void *arg, const char *file, uint64_t line, const char *text);
    /* Now and then: bytes of the files on disk read so far. */
    void (*progress)(void *arg, uint64_t bytes);
    /* A mail server of our own, whose Received fields are to be passed over? */
    bool (*is_ours)(void *arg, const struct ipaddr *addr);
    void *arg;
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

/* Lines read, and those of a log that were not in its form. */
uint64_t maillog_feed_lines(const struct maillog_feed *feed);
uint64_t maillog_feed_strange(const struct maillog_feed *feed);

#endif
