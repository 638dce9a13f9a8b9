/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of stored messages, by their Received fields: the client is the first one from above
 * that is not ours, as the field that our own server wrote names it; what stands below may be
 * forged and is not looked at.  Lines in, one attempt a message out.  Pure; one owner at a time.
 */
#ifndef IPREVD_REPLAY_MAIL_H
#define IPREVD_REPLAY_MAIL_H

#include "base/status.h"
#include "ctl/replay_event.h"

struct replay_mail;

/* NULL: out of memory.  `is_ours`: a mail server of ours, passed over.  free(NULL) is fine. */
struct replay_mail *replaymail_new(bool (*is_ours)(void *arg, const struct ipaddr *addr),
                                   void *arg) MUST_CHECK;
void replaymail_free(struct replay_mail *mail);

/* A new message begins; `mbox`: "From " lines begin others. */
void replaymail_begin(struct replay_mail *mail, const char *file, bool mbox);

void replaymail_line(struct replay_mail *mail, const char *text, uint64_t number,
                     const struct replay_sink *sink);

/* The file is over.  Returns how many of its messages had no client that could be read. */
uint64_t replaymail_end(struct replay_mail *mail, const struct replay_sink *sink);

#endif
