/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of Postfix's log: a message taken is told by smtpd (client) and qmgr (sender), a
 * refusal by one line.  Postfix records EHLO only with refusals and warnings.  What belongs
 * together is kept in tables of fixed size; what falls out of them is told with what is known. Pure
 * but for the time zone; one owner at a time.
 */
#ifndef IPREVD_REPLAY_POSTFIX_H
#define IPREVD_REPLAY_POSTFIX_H

#include "base/status.h"
#include "ctl/replay_event.h"
#include "ctl/replay_syslog.h"

struct replay_postfix;

/* NULL: out of memory.  now_s: see replaysyslog_time().  free(NULL) is fine. */
struct replay_postfix *replaypostfix_new(int64_t now_s) MUST_CHECK;
void replaypostfix_free(struct replay_postfix *postfix);

/* True when the program is one of Postfix's. */
bool replaypostfix_is(const char *program);

void replaypostfix_record(struct replay_postfix *postfix, const struct replay_record *record,
                          const struct replay_sink *sink);

/* The log is over: tell what is still open, in the order of its lines. */
void replaypostfix_end(struct replay_postfix *postfix, const struct replay_sink *sink);

#endif
