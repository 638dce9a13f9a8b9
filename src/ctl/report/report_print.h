/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report over the decision log: for a terminal of 80 columns, as one HTML file that holds all
 * it needs (charts are SVG in it, nothing is fetched), and as one JSON object.  Untrusted text is
 * escaped.
 */
#ifndef IPREVD_REPORT_PRINT_H
#define IPREVD_REPORT_PRINT_H

#include "ctl/report/report_sums.h"

#include <stdio.h>

#define REPORT_TOP 15 /* rows of a table that are shown unless more are wanted */

/* What the sums are of.  Everything is borrowed. */
struct report_origin {
    int64_t since_s;  /* 0: everything */
    int64_t oldest_s; /* the oldest decision read, older than since_s or not; 0: none has a time */
    int64_t now_s;
    uint64_t lines, bad;
    size_t top;       /* rows of a table at most; 0: REPORT_TOP */
    const char *host; /* this machine, for a log that names no mail server */
    const char *only; /* what --check and --would left, in words; NULL: everything */
    /* Domains to which own users wrote, and the list of suffixes; NULL: nobody knows. */
    const struct ranking *correspondents;
    const struct orgdomain *orgdomains;
    char *const *files;
    size_t file_count;
};

void report_print_text(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin);
void report_print_html(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin);
/* False: out of memory. */
bool report_print_json(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin) MUST_CHECK;

/* Does the log begin after the time asked for? */
bool report_print_is_short(const struct report_origin *origin);

/* Rows of a table, the most refused first, malloc'ed; *of is how many there are.  NULL: none, or
   out of memory. */
const struct ranking_row **report_print_rows(const struct ranking *ranking,
                                             const struct report_origin *origin, size_t *count,
                                             size_t *of) MUST_CHECK;

/* The same of sums->clients: correspondents first, *known of them. */
const struct ranking_row **report_print_client_rows(const struct report_sums *sums,
                                                    const struct report_origin *origin,
                                                    size_t *count, size_t *of,
                                                    size_t *known) MUST_CHECK;

/* Mail servers whose names stand on top; of more, how many they are. */
#define REPORT_SERVERS_NAMED 4

/* Shared by the forms: "2026-11-21", "2026-11-21 09:57" in local time, "-" for 0. */
#define REPORT_TIME_MAX 24
const char *report_print_day(int64_t wall_s, char out[REPORT_TIME_MAX]);
const char *report_print_time(int64_t wall_s, char out[REPORT_TIME_MAX]);
/* "CET (+0100)": of those times. */
#define REPORT_ZONE_MAX 40
const char *report_print_zone(int64_t wall_s, char out[REPORT_ZONE_MAX]);
/* "under 1 ms", "1 to 5 ms", "8000 ms and more" */
#define REPORT_WAIT_TEXT_MAX 32
const char *report_print_wait(size_t i, char out[REPORT_WAIT_TEXT_MAX]);
/* What is known of correspondents, one sentence. */
const char *report_print_correspondents(const struct report_origin *origin);
/* "192.0.2.1 and 2 more": the addresses of a row of sums->clients. */
#define REPORT_ADDRESSES_TEXT_MAX (IPADDR_TEXT_MAX + 32)
const char *report_print_addresses(const struct report_client *client,
                                   char out[REPORT_ADDRESSES_TEXT_MAX]);
/* "not used for 60 days", "not used in this log"; "" when it was used within that time. */
#define REPORT_UNUSED_DAYS 60
const char *report_print_unused(const struct report_use *use, const struct report_sums *sums,
                                const struct report_origin *origin, char out[REPORT_ZONE_MAX]);

#endif
