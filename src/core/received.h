/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From whom did a mail server take a message?  The from-clause of one Received field (RFC 5321 4.4)
 * as mail servers really write it.  Whether its writer is to be believed is for the caller to know:
 * everything in the field may be forged.  Of a field that a mail server wrote, text that its client
 * chose (EHLO, ident, certificate, addresses) never becomes an address, a name or a login.  Pure;
 * thread safe.
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
    RECEIVED_FROM,      /* by a mail server over the network: `from` says from where */
    RECEIVED_INTERNAL,  /* handed on within the site: no from-clause, or LMTP, or a local program */
    RECEIVED_FETCHED,   /* fetched from a mailbox (POP3, IMAP): nobody delivered it here */
    RECEIVED_UNREADABLE /* a from-clause without an address in a form that is known, a writer that
                           hides its client, or nonsense */
};

/* What the writer recorded of the client's reverse name. */
enum received_ptr {
    RECEIVED_PTR_UNRECORDED,  /* nothing: it does not say, or did not look */
    RECEIVED_PTR_NONE,        /* it looked, and there was no name that it would use */
    RECEIVED_PTR_CONFIRMED,   /* `ptr` is the name */
    RECEIVED_PTR_UNCONFIRMED, /* `ptr` does not lead back to the client: "may be forged" */
    RECEIVED_PTR_TEMPERROR    /* the lookup failed temporarily */
};

struct received {
    enum received_kind kind;
    struct ipaddr from; /* RECEIVED_FROM; else IP_NONE, and nothing below is set */
    /* The client logged in (RFC 3848: with ESMTPA, ESMTPSA, ...; or a mark of the writer's), or
       wrote in a web browser (with HTTP): no mail server that is to have reverse DNS. */
    bool submitted;
    bool helo_recorded;           /* the writer says what was said in EHLO; false where it would
                                     write the same if nothing was said, but for a client's name */
    char helo[HELO_TEXT_MAX + 1]; /* that, cut at HELO_TEXT_MAX: untrusted text */
    enum received_ptr ptr_state;
    char ptr[HOSTNAME_MAX + 2]; /* as written; "" but for CONFIRMED and UNCONFIRMED */
    char by[HOSTNAME_MAX + 1];  /* the writer's name, canonical; "": it says none */
};

/*
 * Read the body of a Received field, folded (with its line feeds) or not.  Known forms:
 *   from EHLO (PTR [IP])              Postfix, Sendmail, Gmail, Courier, OpenSMTPD, Haraka
 *   from EHLO ([IP]), from EHLO (IP)  Sendmail without PTR, Domino; Exchange
 *   from EHLO (IDENT@PTR [IP]), from EHLO (IDENT@[IP])      Sendmail
 *   from PTR ([IP] helo=EHLO), from [IP] (helo=EHLO), from [IP]:PORT     Exim, Momentum
 *   from PTR (HELO EHLO) (IDENT@IP)   qmail
 *   from PTR (HELO EHLO) ([IP])       AsyncOS
 *   from [IP] (HELO EHLO), from [IP] (account USER HELO EHLO)       CommuniGate
 *   from IP (EHLO EHLO), from EHLO (USER@IP with login)        Yahoo
 *   from EHLO (IP:PORT)               XMail
 *   from PTR(IP, HELO EHLO)           smap
 *   from EHLO [IP], EHLO [(IP)]       MDaemon
 * with [IP] as [192.0.2.1], [2001:db8::1], [IPv6:2001:db8::1] or with a port in it or behind it.
 *
 * Where a writer puts EHLO first, the last such comment of the line counts, and all before it is
 * EHLO; where it puts the address first, that one.  A clause ends where a folded line begins with
 * "by", as a client cannot fold; in a field of one line, at the first "by" outside comments.  A
 * login counts only when everything in the field that looks like a protocol agrees.  *out is
 * written whatever is found.
 */
void received_parse(const char *value, struct received *out);

#endif
