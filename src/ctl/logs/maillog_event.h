/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One attempt to deliver mail as a log or a message recorded it: plain data, filled by the parsers
 * of the formats, judged by `iprevctl replay`.  All texts are untrusted.
 */
#ifndef IPREVD_MAILLOG_EVENT_H
#define IPREVD_MAILLOG_EVENT_H

#include "core/hostname.h"

#include <string.h>

/* What follows the prefix; NULL: the text does not begin so. */
static inline const char *maillog_after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* What became of it then. */
enum maillog_outcome { REPLAY_UNKNOWN, REPLAY_ACCEPTED, REPLAY_DEFERRED, REPLAY_REFUSED };
#define REPLAY_OUTCOME_COUNT 4

/* What was recorded of the client's reverse name. */
enum maillog_ptr {
    REPLAY_PTR_UNRECORDED,  /* nothing */
    REPLAY_PTR_NONE,        /* no confirmed name: missing, unconfirmed or failed, nobody can tell */
    REPLAY_PTR_CONFIRMED,   /* ptr is the name as the receiver confirmed it */
    REPLAY_PTR_UNCONFIRMED, /* ptr is a name that does not lead back to the client */
    REPLAY_PTR_TEMPERROR,   /* the lookup failed temporarily; ptr is the name, or "" */
};

#define REPLAY_ADDRESS_MAX  320 /* bytes of a mail address: 64 + 1 + 255 (RFC 5321 4.5.3.1) */
#define REPLAY_QUEUE_ID_MAX 31  /* bytes; Postfix's long ones have 15, Sendmail's 14 */

/* Processes, refusals and so on that parsers remember. */
#ifndef MAILLOG_SLOTS /* fuzzing builds have smaller tables, which overflow */
#define MAILLOG_SLOTS 1024
#endif

struct maillog_event {
    const char *file; /* in which it was recorded; borrowed */
    uint64_t line;    /* on which it was recorded, from 1 */
    int64_t wall_s;   /* when; 0: unknown */
    struct ipaddr client;
    enum maillog_ptr ptr_state;
    enum maillog_outcome outcome;
    bool helo_recorded; /* false: nobody knows; true with helo "": there was none */
    bool sender_recorded, recipient_recorded;
    bool authenticated;
    char ptr[HOSTNAME_MAX + 2];          /* with room for a trailing dot */
    char helo[HELO_TEXT_MAX + 2];        /* longer ones are cut where helo_parse() notices */
    char sender[REPLAY_ADDRESS_MAX + 1]; /* without angle brackets; "" is the null sender */
    char recipient[REPLAY_ADDRESS_MAX + 1];
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
};

/* Where parsers put what they find; what they hand over is borrowed during the call. */
struct maillog_sink {
    void (*event)(void *arg, const struct maillog_event *event);
    void *arg;
    /* Mail of this site's own users was delivered to that address at that server; NULL: nobody
       asks. */
    void (*delivered)(void *arg, const char *recipient, const struct ipaddr *relay);
    /* A client of our own, besides those that log in; NULL: none is. */
    bool (*is_ours)(void *arg, const struct ipaddr *client);
};

/* Did one of our own users send it? */
static inline bool maillog_is_own(const struct maillog_sink *sink,
                                  const struct maillog_event *message)
{
    return message->authenticated ||
           (sink->is_ours != NULL && sink->is_ours(sink->arg, &message->client));
}

/* Copy `length` bytes of text into out[size], cut if need be. */
static inline void maillog_copy(char *out, size_t size, const char *text, size_t length)
{
    if (length >= size)
        length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

#endif
