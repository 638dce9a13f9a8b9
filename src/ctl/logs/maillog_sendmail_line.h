/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of Sendmail's lines.  Addresses and Message-IDs stand in them as senders wrote them: what
 * is Sendmail's own is looked for behind them.  Pure; thread safe.
 */
#ifndef IPREVD_MAILLOG_SENDMAIL_LINE_H
#define IPREVD_MAILLOG_SENDMAIL_LINE_H

#include "ctl/logs/maillog_event.h"

/* "3AB1C2D3012345: "; returns what follows, NULL when there is none. */
const char *maillog_sendmail_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1]);

/* "mail.example.org [192.0.2.1]", with "ident@" before and "(may be forged)" behind, or
   "[192.0.2.1]" alone.  False: no client. */
bool maillog_sendmail_relay(const char *text, struct maillog_event *event);

/* Behind the address that `text` begins with, with its quotes and brackets: where ", " or the end
   follows. */
const char *maillog_sendmail_skip_address(const char *text);

/* "<user@example.net>... User unknown": the reason; NULL: it is not of this form. */
const char *maillog_sendmail_reason(const char *text);

/* "rejecting commands from name [address] due to pre-greeting traffic after 0 seconds", "Milter:
   connect: host=name, addr=address, reject=554 ...", "tcpwrappers (name, address) rejection":
   client and outcome; false: none of these. */
bool maillog_sendmail_refused_connection(const char *text, struct maillog_event *event);

/* Copy [text, end) without angle brackets. */
void maillog_sendmail_address(const char *text, const char *end, bool *recorded,
                              char out[REPLAY_ADDRESS_MAX + 1]);

/* "from=<a>, size=1, class=0, nrcpts=1, msgid=<m>, proto=ESMTP, daemon=MTA, relay=name [address]"
   behind "from=". */
struct maillog_sendmail_from {
    const char *sender_end; /* of the text */
    const char *relay;      /* NULL: there is none */
    long recipients;        /* -1: it is not there */
    bool login;             /* RFC 3848: proto=ESMTPA, ESMTPSA */
};
void maillog_sendmail_from(const char *text, struct maillog_sendmail_from *out);

/* By "550 5.7.1 ...". */
enum maillog_outcome maillog_sendmail_outcome(const char *text);

#endif
