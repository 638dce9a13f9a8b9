/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report over the decision log, for a terminal of 80 columns and as one HTML file that holds
 * all it needs: charts are SVG in it, nothing is fetched.  Untrusted text is escaped.
 */
#ifndef IPREVD_REPORT_PRINT_H
#define IPREVD_REPORT_PRINT_H

#include "ctl/report/report_sums.h"

#include <stdio.h>

#define REPORT_TOP 15 /* networks and domains shown */

/* What the sums are of. */
struct report_origin {
    int64_t since_s;  /* 0: everything */
    int64_t oldest_s; /* the oldest decision read, older than since_s or not; 0: none has a time */
    int64_t now_s;
    uint64_t lines, bad;
};

void report_print_text(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin);
void report_print_html(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin);

/* Does the log begin after the time asked for? */
bool report_print_is_short(const struct report_origin *origin);

/* Shared by both: "2026-11-21", "2026-11-21 09:57" in local time, "-" for 0. */
#define REPORT_TIME_MAX 24
const char *report_print_day(int64_t wall_s, char out[REPORT_TIME_MAX]);
const char *report_print_time(int64_t wall_s, char out[REPORT_TIME_MAX]);
/* "under 1 ms", "1 to 5 ms", "8000 ms and more" */
#define REPORT_WAIT_TEXT_MAX 32
const char *report_print_wait(size_t i, char out[REPORT_WAIT_TEXT_MAX]);

#endif
