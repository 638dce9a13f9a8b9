/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces of an address in a host name: octets in decimal or hexadecimal, in any usual order,
 * apart or run together; IPv6 groups and digits.  Only at boundaries, so that mail1and2.example is
 * not 1.2.3.4.  Pure; thread safe.
 */
#ifndef IPREVD_ADDRTRACE_H
#define IPREVD_ADDRTRACE_H

#include "base/textbuf.h"
#include "core/ipaddr.h"

/* A part of a name. */
struct name_span {
    const char *at; /* borrowed from the name */
    uint8_t length;
    uint8_t label; /* from 1, as people count */
};

/* A name of 253 bytes has at most 127 pieces; computed names show their address in the first ones.
 */
#define NAME_PIECES_MAX 72
#define NAME_RUNS_MAX   24

/* A name cut up.  What does not fit is not looked at. */
struct name_parts {
    const char *name;
    const char *end;                          /* of the part that names the host */
    struct name_span pieces[NAME_PIECES_MAX]; /* between dots, hyphens and underscores; may be "" */
    size_t piece_count;
    struct name_span runs[NAME_RUNS_MAX]; /* of decimal digits */
    size_t run_count;
};

enum addrtrace_form {
    ADDRTRACE_OCTETS,
    ADDRTRACE_TOGETHER, /* "192000002001" */
    ADDRTRACE_NUMBER,   /* "3221225985" */
    ADDRTRACE_HEX,
    ADDRTRACE_V6,
};

struct addrtrace {
    unsigned octets;   /* how much is there: 0, 2, 3 or 4; of an IPv6 address 2 is a part, 4 half of
                          it or more */
    bool stands_alone; /* two octets that are the address's last, and no word but theirs beside */
    enum addrtrace_form form;
    bool reversed;
    struct name_span first, last; /* where; borrowed */
};

/* Find the largest trace; octets is 0 when there is none. */
void addrtrace_find(const struct name_parts *parts, const struct ipaddr *addr,
                    struct addrtrace *out);

/* The value of decimal digits that can be an octet, with zeros before or not; else -1. */
int addrtrace_octet(const char *digits, size_t length);

/* "contains 7.113 reversed in label 1". */
void addrtrace_put(const struct addrtrace *trace, struct textbuf *out);

#endif
