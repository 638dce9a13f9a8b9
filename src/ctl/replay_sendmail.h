/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of Sendmail's log.  A queue ID is told once, when it is delivered, when another
 * takes its place in the table, or at the end, since a milter's refusal comes after the line that
 * names client and sender.  Sendmail does not record EHLO.  Pure but for the time zone; one owner
 * at a time.
 */
#ifndef IPREVD_REPLAY_SENDMAIL_H
#define IPREVD_REPLAY_SENDMAIL_H

#include "base/status.h"
#include "ctl/replay_event.h"
#include "ctl/replay_syslog.h"

struct replay_sendmail;

/* NULL: out of memory.  now_s: see replaysyslog_time().  free(NULL) is fine. */
struct replay_sendmail *replaysendmail_new(int64_t now_s) MUST_CHECK;
void replaysendmail_free(struct replay_sendmail *sendmail);

/* True when the program is Sendmail under one of its names. */
bool replaysendmail_is(const char *program);

void replaysendmail_record(struct replay_sendmail *sendmail, const struct replay_record *record,
                           const struct replay_sink *sink);

/* The log is over: tell what is still open, in the order of its lines. */
void replaysendmail_end(struct replay_sendmail *sendmail, const struct replay_sink *sink);

#endif
