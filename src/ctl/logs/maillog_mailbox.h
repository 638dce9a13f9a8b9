/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of messages: where each begins and ends.  Known are mbox in its four kinds (mboxo, mboxrd;
 * mboxcl and mboxcl2 with Content-Length), MMDF, and single messages.  Lines in, one attempt a
 * message out.  Pure; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_MAILBOX_H
#define IPREVD_MAILLOG_MAILBOX_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

/* Attempts out of what may be one message's body that are kept until that is known. */
#define MAILLOG_DOUBTFUL_MAX 64

enum maillog_mailbox_kind {
    MAILLOG_MAILBOX_SINGLE,
    MAILLOG_MAILBOX_MBOX, /* "From " lines begin messages */
    MAILLOG_MAILBOX_MMDF, /* lines of four Control-A stand around messages */
};

/* What was in the messages of a file besides attempts. */
struct maillog_mailbox_counts {
    uint64_t messages;
    uint64_t local;           /* that never came from outside */
    uint64_t unreadable;      /* whose Received fields are in no form that is known */
    uint64_t unreadable_line; /* where the first of those begins */
    bool message;             /* there was a field that only messages have */
};

struct maillog_mailbox;

/* NULL: out of memory.  `is_ours`: a mail server of ours, passed over.  free(NULL) is fine. */
struct maillog_mailbox *maillog_mailbox_new(bool (*is_ours)(void *arg, const struct ipaddr *addr),
                                            void *arg) MUST_CHECK;
void maillog_mailbox_free(struct maillog_mailbox *mail);

/* The line between the messages of an MMDF file? */
bool maillog_mailbox_is_mmdf(const char *text);

/* A file begins.  `file` is borrowed until its end. */
void maillog_mailbox_begin(struct maillog_mailbox *mail, const char *file,
                           enum maillog_mailbox_kind kind);

/* `bytes`: of the line in the file, its end and all. */
void maillog_mailbox_line(struct maillog_mailbox *mail, const char *text, size_t bytes,
                          uint64_t number, const struct maillog_sink *sink);

/* Did the message under way have a Received field so far? */
bool maillog_mailbox_has_received(const struct maillog_mailbox *mail);

/* The file is over. */
struct maillog_mailbox_counts maillog_mailbox_end(struct maillog_mailbox *mail,
                                                  const struct maillog_sink *sink);

/* Leave the file: it holds no messages after all. */
void maillog_mailbox_drop(struct maillog_mailbox *mail);

#endif
