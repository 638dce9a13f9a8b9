/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One comment of a from-clause: does it name the client's address, its PTR name, its EHLO name?
 * Pure; thread safe.
 */
#ifndef IPREVD_RECEIVED_CLIENT_H
#define IPREVD_RECEIVED_CLIENT_H

#include "core/received_scan.h"

struct received_client {
    struct ipaddr address;     /* IP_NONE: none, or the place says "local" */
    struct received_span name; /* before the address: the PTR name or a word for its absence */
    struct received_span helo; /* marked as EHLO within this comment */
    bool bare;                 /* the address has no brackets */
    bool exim;                 /* what only Exim writes behind an address */
    bool forged;               /* "(may be forged)" */
    bool login;                /* "with login" */
    bool local;                /* "[local]", "[unix socket]": no client */
};

/* The inside of a comment.  False: it names no client.  *out is written in any case. */
bool received_client_parse(struct received_span inside, bool nested, struct received_client *out);

/* "HELO a.example", "account u@example.org HELO a.example"; false: no such comment.  *helo may be
   empty; *login: an account is named. */
bool received_client_marked(struct received_span inside, bool nested, struct received_span *helo,
                            bool *login);

/* "helo=a.example ident=joe", "port=25 helo=a.example": Exim's comment behind an address. */
bool received_client_exim(struct received_span inside, struct received_span *helo);

/* "Authenticated sender: joe", "authenticated bits=0", "AUTH: LOGIN joe": behind the client's
   comment a mail server's own words for a login. */
bool received_client_is_login(struct received_span inside);

#endif
