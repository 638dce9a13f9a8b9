/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reply of an SMTP server (RFC 5321 4.2), byte by byte as it arrives: its code and its first
 * line, which names the server.  Every byte is untrusted, and all of it is bounded.  Pure.
 */
#ifndef IPREVD_SMTP_REPLY_H
#define IPREVD_SMTP_REPLY_H

#include "core/hostname.h"

#define SMTP_REPLY_TEXT_MAX  255   /* bytes of the first line that are kept */
#define SMTP_REPLY_BYTES_MAX 16384 /* of a reply: what greets longer is no mail server */

enum smtp_reply_state {
    SMTP_REPLY_MORE, /* it goes on */
    SMTP_REPLY_DONE,
    SMTP_REPLY_BROKEN, /* no reply of SMTP, or too long */
};

struct smtp_reply {
    enum smtp_reply_state state;
    unsigned code;                      /* 200 to 599, once the first line is there */
    char text[SMTP_REPLY_TEXT_MAX + 1]; /* of the first line behind the code; NUL is '?' */
    /* The line under way. */
    size_t bytes, length;
    char line[SMTP_REPLY_TEXT_MAX + 5];
};

void smtp_reply_begin(struct smtp_reply *reply);

/* Returns how many bytes belong to the reply: all of them unless it is done or broken. */
size_t smtp_reply_feed(struct smtp_reply *reply, const char *bytes, size_t length);

/* The server's name, the first word: canonical.  False: it is no host name. */
bool smtp_reply_name(const struct smtp_reply *reply, char out[HOSTNAME_MAX + 1]);

#endif
