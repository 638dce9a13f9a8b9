/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts out of Sendmail's log.  A message is reported when it is delivered, when another takes
 * its place in the table, or at the end, since a milter's refusal may come after the line that
 * names client and sender; so are refused recipients whose own lines name no client.  Sendmail does
 * not record EHLO.  Pure but for the time zone; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_SENDMAIL_H
#define IPREVD_MAILLOG_SENDMAIL_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"
#include "ctl/logs/maillog_syslog.h"

struct maillog_sendmail;

/* NULL: out of memory.  free(NULL) is fine. */
struct maillog_sendmail *maillog_sendmail_new(void) MUST_CHECK;
void maillog_sendmail_free(struct maillog_sendmail *sendmail);

/* True when the record is Sendmail's: by one of its names, or, as its option -L gives it any other,
   by a message that begins as only Sendmail's do. */
bool maillog_sendmail_is(const struct maillog_record *record);

void maillog_sendmail_record(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                             const struct maillog_sink *sink);

/* The log is over: tell what is still open, in the order of its lines. */
void maillog_sendmail_end(struct maillog_sendmail *sendmail, const struct maillog_sink *sink);

#endif
