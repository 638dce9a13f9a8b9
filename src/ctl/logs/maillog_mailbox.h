/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of stored messages, by their Received fields: the client is the first one from above
 * that is not ours, as the field that our own server wrote names it; what stands below may be
 * forged and is not looked at.  Lines in, one attempt a message out.  Pure; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_MAILBOX_H
#define IPREVD_MAILLOG_MAILBOX_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

struct maillog_mailbox;

/* NULL: out of memory.  `is_ours`: a mail server of ours, passed over.  free(NULL) is fine. */
struct maillog_mailbox *maillog_mailbox_new(bool (*is_ours)(void *arg, const struct ipaddr *addr),
                                            void *arg) MUST_CHECK;
void maillog_mailbox_free(struct maillog_mailbox *mail);

/* A new message begins; `mbox`: "From " lines begin others. */
void maillog_mailbox_begin(struct maillog_mailbox *mail, const char *file, bool mbox);

void maillog_mailbox_line(struct maillog_mailbox *mail, const char *text, uint64_t number,
                          const struct maillog_sink *sink);

/* The file is over.  Returns how many of its messages had no client that could be read. */
uint64_t maillog_mailbox_end(struct maillog_mailbox *mail, const struct maillog_sink *sink);

#endif
