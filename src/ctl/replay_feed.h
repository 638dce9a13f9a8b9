/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in, attempts out: opens files, tells what format they are of, and hands their lines to the
 * parser of that format.  What cannot be read is a problem with its place, after which the rest of
 * the file goes on where it can.  One owner at a time.
 */
#ifndef IPREVD_REPLAY_FEED_H
#define IPREVD_REPLAY_FEED_H

#include "base/status.h"
#include "ctl/replay_event.h"

enum replay_format {
    REPLAY_FORMAT_GUESS, /* by the first line that says something, and by the programs in a log */
    REPLAY_FORMAT_POSTFIX,
    REPLAY_FORMAT_SENDMAIL,
    REPLAY_FORMAT_MBOX,
    REPLAY_FORMAT_MAILDIR,
    REPLAY_FORMAT_TRIPLES,
};

/* True and *out for "postfix", "sendmail", "mbox", "maildir" and "triples". */
bool replayformat_parse(const char *text, enum replay_format *out);

struct replay_hooks {
    void (*event)(void *arg, const struct replay_event *event);
    /* line 0: the file as a whole.  `text` is printable. */
    void (*problem)(void *arg, const char *file, uint64_t line, const char *text);
    /* Now and then: bytes of the files on disk read so far. */
    void (*progress)(void *arg, uint64_t bytes);
    /* A mail server of our own, whose Received fields are to be passed over? */
    bool (*is_ours)(void *arg, const struct ipaddr *addr);
    void *arg;
};

struct replay_feed;

/* `hooks` is borrowed.  NULL: out of memory.  free(NULL) is fine. */
struct replay_feed *replayfeed_new(enum replay_format format, int64_t now_s,
                                   const struct replay_hooks *hooks) MUST_CHECK;
void replayfeed_free(struct replay_feed *feed);

/* Read a file, or the messages of a Maildir.  `path` is borrowed until replayfeed_end(). */
enum status replayfeed_read(struct replay_feed *feed, const char *path) MUST_CHECK;

/* No more files: tell what is still open. */
void replayfeed_end(struct replay_feed *feed);

/* Lines read, and those of a log that were not in its form. */
uint64_t replayfeed_lines(const struct replay_feed *feed);
uint64_t replayfeed_strange(const struct replay_feed *feed);

#endif
