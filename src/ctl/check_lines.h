/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients as lines of text, "IP [HELO]", for iprevctl check on standard input.  A line is bounded;
 * empty ones and what begins with '#' are passed over.  Pure but for the stream.
 */
#ifndef IPREVD_CHECK_LINES_H
#define IPREVD_CHECK_LINES_H

#include "core/hostname.h"
#include "core/ipaddr.h"

#include <stdio.h>

#define CHECK_LINE_MAX 1024 /* bytes without the line feed: an address and an EHLO name */

struct check_line {
    struct ipaddr client;
    char helo[HELO_TEXT_MAX + 1]; /* "" when there is none */
};

enum check_line_kind {
    CHECK_LINE_CLIENT, /* *out is filled */
    CHECK_LINE_BAD,    /* *error says what is wrong */
    CHECK_LINE_END,
    CHECK_LINE_FAILED, /* the stream failed: errno */
};

/* The next line that says something; *number counts every line. */
enum check_line_kind check_lines_next(FILE *stream, uint64_t *number, struct check_line *out,
                                      const char **error);

#endif
