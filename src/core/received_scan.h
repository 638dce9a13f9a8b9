/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words, comments and addresses of a Received field: what received.c is written in.  Nothing is
 * copied; spans borrow from the field.  Pure; thread safe.
 */
#ifndef IPREVD_RECEIVED_SCAN_H
#define IPREVD_RECEIVED_SCAN_H

#include "core/ipaddr.h"

#include <stddef.h>

/* A part of the field; text NULL: none. */
struct received_span {
    const char *text;
    size_t length;
};

/* What is left of the field. */
struct received_scan {
    const char *at, *end;
};

/* Without regard to case. */
bool received_scan_equals(struct received_span span, const char *word);
bool received_scan_begins(struct received_span span, const char *word);

void received_scan_space(struct received_scan *scan);

/* To the next white space, comment or, but for the word's first byte, semicolon. */
struct received_span received_scan_word(struct received_scan *scan);

/*
 * The word behind "from", which the client may have chosen: to the next white space, whatever is in
 * it, where a comment or a bracket follows; else to its own comment, as in "a.example(192.0.2.1)".
 */
struct received_span received_scan_name(struct received_scan *scan);

/*
 * The inside of the comment that begins at scan->at, which is moved behind it; *nested: there are
 * comments in it.  False: it does not end, or it is too deep.
 */
bool received_scan_comment(struct received_scan *scan, struct received_span *inside, bool *nested);

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" */
bool received_scan_address(struct received_span span, struct ipaddr *out);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]:25", "[192.0.2.1:25]"; *literal is what stands in brackets,
   with them and without a port; *port: there is one behind the brackets. */
bool received_scan_bracketed(struct received_span span, struct received_span *literal,
                             struct ipaddr *out, bool *port);

/* "192.0.2.1", "ident@192.0.2.1", "192.0.2.1:25" */
bool received_scan_bare(struct received_span span, struct ipaddr *out);

#endif
