/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of one stored message: which client delivered it, as the Received field that our own
 * server wrote names it.  Fields of hosts that are ours, and of hand-overs within the host, are
 * passed over; what stands below the client's may be forged and is not looked at.  Pure; one owner
 * at a time.
 */
#ifndef IPREVD_MAILLOG_MESSAGE_H
#define IPREVD_MAILLOG_MESSAGE_H

#include "core/received.h"
#include "ctl/logs/maillog_event.h"

enum maillog_message_kind {
    MAILLOG_MESSAGE_ATTEMPT,    /* event holds it */
    MAILLOG_MESSAGE_LOCAL,      /* it never came from outside */
    MAILLOG_MESSAGE_UNREADABLE, /* a Received field is in no form that is known */
};

struct maillog_message {
    bool (*is_ours)(void *arg, const struct ipaddr *addr);
    void *arg;
    struct maillog_event event;
    bool found;              /* its client */
    bool unreadable;         /* nor can it be */
    bool received;           /* there is a Received field */
    bool known;              /* or another one that only messages have */
    uint64_t content_length; /* of the field of that name; 0: none */
    bool in_field;
    size_t length; /* of the field under way */
    char field[RECEIVED_TEXT_MAX + 1];
};

/* A message begins on that line of that file, which is borrowed. */
void maillog_message_begin(struct maillog_message *message, const char *file, uint64_t line);

/* The envelope sender by the "From " line, which a Return-Path field overrules. */
void maillog_message_from_line(struct maillog_message *message, const char *text);

/* A line of the header, which "" ends. */
void maillog_message_line(struct maillog_message *message, const char *text);

/* The header is over. */
enum maillog_message_kind maillog_message_end(struct maillog_message *message);

/* "Subject: x": does a line begin like a field? */
bool maillog_message_is_field(const char *text);

#endif
