/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Postfix writes of an envelope behind an answer: "; from=<a> to=<b> proto=ESMTP helo=<c>",
 * with commas by postscreen, and of a login behind that.  Addresses may hold text of the same form
 * within quotes, and answers quote addresses and header fields: only what can be read to the line's
 * end, or to the text that cleanup(8) adds, is an envelope.  Pure; thread safe.
 */
#ifndef IPREVD_MAILLOG_ENVELOPE_H
#define IPREVD_MAILLOG_ENVELOPE_H

#include "ctl/logs/maillog_event.h"

struct maillog_envelope {
    const char *begin;                     /* its semicolon */
    const char *text;                      /* what cleanup adds behind ": ", or NULL */
    const char *sender, *recipient, *helo; /* NULL: not there */
    size_t sender_length, recipient_length, helo_length;
    bool login; /* a user name is recorded */
};

/* Behind "<": where its ">" is, or NULL.  Quotes and quoted pairs within as RFC 5321 4.1.2 has
   them. */
const char *maillog_envelope_end_of_path(const char *at);

/* The envelope of a line; `text` begins behind the client's address.  cleanup: text may follow it.
   False: there is none that differs surely from what a sender wrote. */
bool maillog_envelope_find(const char *text, bool cleanup, struct maillog_envelope *out);

/* The EHLO name at the line's end alone, which holds neither spaces nor brackets; for lines that
   have no such envelope.  False: there is none. */
bool maillog_envelope_find_helo(const char *text, struct maillog_envelope *out);

/* Copy what is there. */
void maillog_envelope_take(const struct maillog_envelope *envelope, struct maillog_event *out);

#endif
