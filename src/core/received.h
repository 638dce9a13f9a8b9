/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From whom did a mail server take a message?  The from-clause of one Received field (RFC 5321 4.4)
 * as mail servers really write it.  Whether its writer is to be believed is for the caller to know:
 * everything in the field may be forged.  Pure; thread safe.
 */
#ifndef IPREVD_RECEIVED_H
#define IPREVD_RECEIVED_H

#include "core/hostname.h"

/* Bytes of a field that are looked at: the from-clause stands first, and no mail server writes
   names and comments of that length. */
#define RECEIVED_TEXT_MAX 4096

/* Comments in comments: mail servers nest two. */
#define RECEIVED_DEPTH_MAX 8

enum received_kind {
    RECEIVED_FROM,      /* over the network: `from` says from where */
    RECEIVED_INTERNAL,  /* no from-clause: handed on within the host that wrote the field */
    RECEIVED_UNREADABLE /* a from-clause without an address in a form that is known, or nonsense */
};

struct received {
    enum received_kind kind;
    struct ipaddr from; /* RECEIVED_FROM; else IP_NONE */
    /* RFC 3848: the client logged in (with ESMTPA, ESMTPSA, ...), or wrote in a web browser (with
       HTTP): no mail server that is to have reverse DNS. */
    bool submitted;
    bool helo_recorded;           /* the writer says what was said in EHLO */
    char helo[HELO_TEXT_MAX + 1]; /* that, cut at HELO_TEXT_MAX: untrusted text */
};

/*
 * Read the body of a Received field, folded or not.  Known forms:
 *   from EHLO (PTR [IP])              Postfix, Sendmail, Gmail, Courier, OpenSMTPD, Haraka
 *   from EHLO ([IP]), from EHLO (IP)  Sendmail without PTR, Domino; Exchange
 *   from PTR ([IP] helo=EHLO), from [IP] (helo=EHLO), from [IP]:PORT     Exim
 *   from PTR (HELO EHLO) (IDENT@IP)   qmail
 *   from PTR (HELO EHLO) ([IP])       AsyncOS
 *   from [IP] (HELO EHLO), from IP (EHLO EHLO)       CommuniGate, Yahoo
 *   from EHLO [IP]                    without comment
 * with [IP] as [192.0.2.1], [2001:db8::1], [IPv6:2001:db8::1] or with a port behind it.
 * The first address wins: what the client chose (EHLO, certificate, login) stands behind it or in a
 * place of its own.  *out is written whatever is found.
 */
void received_parse(const char *value, struct received *out);

#endif
