/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a message came, by the words behind "with" and "via" in a Received field (RFC 5321 4.4, RFC
 * 3848).  A client may have put such words where the writer quotes its EHLO, ident or addresses, so
 * all of the field are looked at, and one that contradicts takes the conclusion away.  Pure; thread
 * safe.
 */
#ifndef IPREVD_RECEIVED_PROTOCOL_H
#define IPREVD_RECEIVED_PROTOCOL_H

#include "core/received_scan.h"

enum received_protocol {
    RECEIVED_PROTOCOL_UNKNOWN,  /* none, words that nobody knows, or words that disagree */
    RECEIVED_PROTOCOL_SMTP,     /* by SMTP in one of its forms, or by another mail server's own */
    RECEIVED_PROTOCOL_LOGIN,    /* the client logged in, or wrote in a web browser */
    RECEIVED_PROTOCOL_DELIVERY, /* handed on within a site: LMTP, a local program, MAPI */
    RECEIVED_PROTOCOL_FETCHED,  /* POP3, IMAP, ETRN */
};

/* `field` up to its last semicolon: what stands behind that is the date. */
enum received_protocol received_protocol_find(struct received_span field);

#endif
