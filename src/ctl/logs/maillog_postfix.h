/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of Postfix's log, 2.x to 3.11: a message taken is recorded by smtpd (client) and
 * qmgr (sender), a refusal by one line, what goes through a before-queue filter by the process of
 * smtpd. Postfix records EHLO only with answers.  What belongs together is kept in tables of fixed
 * size; what falls out of them is reported with what is known.  What senders wrote (EHLO,
 * addresses, header fields that are quoted) never names a client, its PTR name or a login.  Pure
 * but for the time zone; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_POSTFIX_H
#define IPREVD_MAILLOG_POSTFIX_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"
#include "ctl/logs/maillog_syslog.h"

struct maillog_postfix;

/* NULL: out of memory.  free(NULL) is fine. */
struct maillog_postfix *maillog_postfix_new(void) MUST_CHECK;
void maillog_postfix_free(struct maillog_postfix *postfix);

/* True when the program is one of Postfix's. */
bool maillog_postfix_is(const char *program);

void maillog_postfix_record(struct maillog_postfix *postfix, const struct maillog_record *record,
                            const struct maillog_sink *sink);

/* The log is over: tell what is still open, in the order of its lines. */
void maillog_postfix_end(struct maillog_postfix *postfix, const struct maillog_sink *sink);

#endif
