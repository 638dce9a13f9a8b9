/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a mail log to the mail server that they are of; those that say "repeated" stand for
 * the record before.  Pure but for the time zone; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_SYSTEM_H
#define IPREVD_MAILLOG_SYSTEM_H

#include "ctl/logs/maillog_event.h"
#include "ctl/logs/maillog_reader.h"

enum maillog_system_of { MAILLOG_SYSTEM_BOTH, MAILLOG_SYSTEM_POSTFIX, MAILLOG_SYSTEM_SENDMAIL };

struct maillog_system;

/* NULL: out of memory; free(NULL) is fine. */
struct maillog_system *maillog_system_new(enum maillog_system_of of) MUST_CHECK;
void maillog_system_free(struct maillog_system *system);

/* False: it is of another program. */
bool maillog_system_record(struct maillog_system *system, const struct maillog_record *record,
                           const struct maillog_sink *sink);

/* The logs are over: tell what is still open. */
void maillog_system_end(struct maillog_system *system, const struct maillog_sink *sink);

#endif
