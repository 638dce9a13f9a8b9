/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time stamps at the beginning of a line of a log.  Pure but for the time zone; thread safe.
 */
#ifndef IPREVD_MAILLOG_STAMP_H
#define IPREVD_MAILLOG_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum maillog_stamp_kind {
    MAILLOG_STAMP_YEARLESS, /* "Nov 21 09:22:17", month names of other languages too */
    MAILLOG_STAMP_LOCAL,    /* a date and no zone */
    MAILLOG_STAMP_ZONED,
    MAILLOG_STAMP_UNIX,      /* seconds since 1970 */
    MAILLOG_STAMP_MONOTONIC, /* "[ 1234.567890]": since the host was started, which nobody knows */
};

struct maillog_stamp {
    enum maillog_stamp_kind kind;
    struct tm tm;   /* of the first three */
    size_t second;  /* of those: where the two digits of the second are in the text */
    int offset_s;   /* ZONED: east of UTC */
    int64_t unix_s; /* UNIX */
};

/* Returns what follows the stamp and its space; NULL: there is none. */
const char *maillog_stamp_parse(const char *text, struct maillog_stamp *out);

/*
 * Seconds since 1970; 0: unknown.  A stamp without a year is of `year`, such as 2026; where that is
 * 0, of the last one in which there is such a day and which does not put it after now_s by more
 * than time zones differ.
 */
int64_t maillog_stamp_time(const struct maillog_stamp *stamp, int year, int64_t now_s);

#endif
