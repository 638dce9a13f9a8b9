/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From whom did the mail server take a message that arrived elsewhere?  The topmost Received field
 * that names a client on the Internet.  Passed over are fields without one (hand-overs, fetched
 * mail, private addresses, programs that logged in), and those by which a large site hands a
 * message on among its own hosts, unless there is no other: where EHLO and writer are of one
 * organization.  Pure; one owner at a time.
 */
#ifndef IPREVD_MESSAGE_CLIENT_H
#define IPREVD_MESSAGE_CLIENT_H

#include "core/orgdomain.h"
#include "core/received.h"

struct message_client {
    const struct orgdomain *orgdomains; /* borrowed; may be NULL */
    /* What was found. */
    unsigned fields;        /* Received fields so far */
    unsigned number;        /* of the field that is taken, the topmost being 1; 0: none */
    bool within;            /* that one is within one organization */
    struct received client; /* RECEIVED_FROM, if `number` is not 0 */
    /* The field under way. */
    bool in_field;
    size_t length;
    char field[RECEIVED_TEXT_MAX + 1];
};

void message_client_begin(struct message_client *message, const struct orgdomain *orgdomains);

/* A line of the header without its end, as C text.  False: the header is over. */
bool message_client_line(struct message_client *message, const char *line);

/* The header is over, by an empty line or the file's end. */
void message_client_end(struct message_client *message);

#endif
