/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of a line of Postfix.  Pure; thread safe. */
#ifndef IPREVD_MAILLOG_POSTFIX_LINE_H
#define IPREVD_MAILLOG_POSTFIX_LINE_H

#include "ctl/logs/maillog_event.h"

/* "4F1A2B3C: "; returns what follows, NULL when there is none. */
const char *maillog_postfix_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1]);

/* "mail.example.org[192.0.2.1]", "unknown[...]", postscreen's "[192.0.2.1]:25025": client and PTR
   name; returns what follows, NULL when it is none. */
const char *maillog_postfix_client(const char *text, struct maillog_event *event);

/* "lost connection after DATA (12345 bytes) from ...", "timeout after RCPT from ...": the stage and
   what follows; NULL: the session did not end so.  Since 3.10 the queue ID or NOQUEUE stands before
   it. */
const char *maillog_postfix_lost_stage(const char *text);

/* By "450 4.7.25 ..." or "5.7.1 ...". */
enum maillog_outcome maillog_postfix_outcome(const char *text);

/* " data=1/2 ": how many went well; 0 when there are none. */
long maillog_postfix_counter(const char *counters, const char *key);

/* ", orig_queue_id=NOQUEUE, orig_client=name[address]": the client that a before-queue filter hands
   on, or NULL. */
const char *maillog_postfix_original(const char *rest);

/* "user@example.org>, orig_to=<...>, relay=name[address]:25": what stands behind ", relay=", and
   where the first address ends; or NULL. */
const char *maillog_postfix_relay(const char *text, const char **end);

#endif
