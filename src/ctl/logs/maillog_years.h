/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Years for stamps that have none.  The stamps of a file are seen twice in their order: first all
 * of them, then each with its line.  Where one is much earlier than the one before, a year has
 * begun between them.  The newest stamp is of the last year in which it is not after the file's
 * last change, and every Feb 29 is of a leap year.  So the lines of a file never go back by a year.
 * Pure but for the time zone; one owner at a time.
 *
 *     struct maillog_years years = {0};
 *     ... maillog_years_see(&years, &stamp) ...
 *     maillog_years_settle(&years, latest_s);
 *     ... maillog_years_see(&years, &stamp); year = maillog_years_now(&years) ...
 */
#ifndef IPREVD_MAILLOG_YEARS_H
#define IPREVD_MAILLOG_YEARS_H

#include "ctl/logs/maillog_stamp.h"

/* Empty: all 0. */
struct maillog_years {
    int last_day;     /* of the stamp seen last, counted from 1 as if months had 31 days; 0: none */
    int turns;        /* ends of years seen */
    int most;         /* the highest `turns` was */
    struct tm newest; /* the latest stamp at that */
    bool any, leap;   /* stamps were seen; Feb 29, at leap_turns */
    int leap_turns;
    int newest_year; /* of `newest`; 0: not settled */
};

/* A stamp without a year; others are none of it. */
void maillog_years_see(struct maillog_years *years, const struct maillog_stamp *stamp);

/* All were seen, and begin anew.  latest_s: none was written after it. */
void maillog_years_settle(struct maillog_years *years, int64_t latest_s);

/* The year of the stamp that was seen last, such as 2026; 0: it is not known. */
int maillog_years_now(const struct maillog_years *years);

#endif
