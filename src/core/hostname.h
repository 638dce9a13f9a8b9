/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names as text in one canonical form, and what the argument of HELO or
 * EHLO is (RFC 5321 4.1.2, 4.1.3).  Canonical: lower case, no trailing dot, no
 * escapes, at most 253 bytes, labels of 1 to 63 bytes of letters, digits, hyphen
 * and underscore.  Pure; thread safe.
 */
#ifndef IPREVD_HOSTNAME_H
#define IPREVD_HOSTNAME_H

#include "core/ipaddr.h"

#define HOSTNAME_MAX 253 /* RFC 1035: 255 octets on the wire */

/*
 * Why a name that DNS gave (or a client claimed) is not a usable host name.
 * The order is that of the tests.
 */
enum hostname_flaw {
    HOSTNAME_OK,
    HOSTNAME_EMPTY,      /* the root, or nothing */
    HOSTNAME_IP_ADDRESS, /* looks like an IP address: all-numeric labels or a literal */
    HOSTNAME_ONE_LABEL,  /* "localhost" */
    HOSTNAME_MALFORMED,  /* a byte, label or length that no host name has */
};

/*
 * Canonicalise `text` (NUL-terminated, presentation form, at most one trailing dot)
 * into `out`, which has HOSTNAME_MAX + 1 bytes.  Returns the flaw; `out` is written for
 * HOSTNAME_OK and HOSTNAME_ONE_LABEL, else set to "".  An underscore is no flaw: such names
 * resolve (they are refused as EHLO names by helo_parse() only).  So is a hyphen at a label's end.
 * A last label that is all digits is HOSTNAME_IP_ADDRESS when the whole is numeric, else
 * HOSTNAME_MALFORMED.
 */
enum hostname_flaw hostname_parse(const char *text, char out[HOSTNAME_MAX + 1]);

/* The flaw as the predicate of a sentence: "is an IP address".  Static. */
const char *hostname_flaw_text(enum hostname_flaw flaw);

/* True when name ends in the labels of suffix, or is it: "a.b.example" under "b.example". Canonical
 * names. */
bool hostname_under(const char *name, const char *suffix);

/* What a client said in HELO or EHLO. */
enum helo_kind {
    HELO_NONE,      /* no HELO/EHLO (yet) */
    HELO_DOMAIN,    /* a host name of two labels or more */
    HELO_ONE_LABEL, /* "localhost", "mailserver" */
    HELO_LITERAL,   /* [192.0.2.1], [IPv6:2001:db8::1] */
    HELO_BARE_IP,   /* 192.0.2.1, 2001:db8::1: an address without brackets */
    HELO_INVALID,   /* anything else */
};

#define HELO_TEXT_MAX 255 /* bytes of the client's text kept for log and reply; longer: cut */

struct helo {
    enum helo_kind kind;
    bool cut;                     /* the client's text was longer than HELO_TEXT_MAX */
    bool nomem;                   /* memory was out: what the text is, is not known */
    struct ipaddr literal;        /* HELO_LITERAL and HELO_BARE_IP */
    char name[HOSTNAME_MAX + 1];  /* canonical name that can be looked up (HELO_DOMAIN; HELO_INVALID
                                     only for one that resolves though RFC 5321 forbids it: an
                                     underscore, a hyphen at a label's end, U-labels, which are
                                     A-labels here), else "" */
    char text[HELO_TEXT_MAX + 1]; /* as the client sent it: untrusted text */
};

/*
 * Parse the argument of HELO or EHLO.  NULL or "" is HELO_NONE for NULL, HELO_INVALID for "".
 * One trailing dot is tolerated.  "[IPv6:::ffff:192.0.2.1]" is the IPv4 literal.  A literal that
 * does not parse ("[999.1.1.1]") is HELO_INVALID; "[198.051.100.001]" is decimal (RFC 5321 4.1.3);
 * "[2001:db8::1]" without the tag is accepted as a
 * literal, as mail servers do.
 */
void helo_parse(const char *text, struct helo *out);

#endif
