/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the decision log adds up to: by day, by check, by network and domain, and how long clients
 * waited for the DNS.  Memory is bounded.  Pure but for the time zone; one owner at a time.
 */
#ifndef IPREVD_REPORT_SUMS_H
#define IPREVD_REPORT_SUMS_H

#include "ctl/report/report_clients.h"
#include "ctl/report/report_uses.h"

#define REPORT_DAYS_MAX 400 /* more than a year; older ones are in the totals only */

struct report_day {
    int date; /* 20261121, local time */
    uint64_t by_action[ACTION_COUNT];
    uint64_t by_would[ACTION_COUNT];
    uint64_t by_check[CHECK_COUNT];
};

/* Upper bounds of the histogram of waits, in milliseconds; the last class has none. */
#define REPORT_WAITS 9
extern const int64_t report_wait_ms[REPORT_WAITS - 1];

struct report_check {
    uint64_t hits;           /* the check was true */
    uint64_t alone;          /* and no other */
    uint64_t decided;        /* and what would be done, more than accepting, is by it */
    int64_t first_s, last_s; /* 0: never, or no times */
};

#define REPORT_SERVERS_MAX 64 /* mail servers that are counted apart: a farm's */

struct report_server {
    char name[HOSTNAME_MAX + 1];
    uint64_t total;
    uint64_t by_action[ACTION_COUNT], by_would[ACTION_COUNT];
    int64_t first_s, last_s; /* 0: no times */
};

struct report_sums {
    uint64_t total, monitored; /* decisions; those made in monitor mode */
    uint64_t by_action[ACTION_COUNT];
    uint64_t by_would[ACTION_COUNT];
    uint64_t spared; /* not deferred or refused, and would have been without monitor and percent */
    uint64_t grace;  /* clients that were right before, so not refused */
    uint64_t by_cache[3];
    uint64_t waits[REPORT_WAITS];
    struct report_check checks[CHECK_COUNT];
    int64_t first_s, last_s;
    struct report_day days[REPORT_DAYS_MAX]; /* oldest first */
    size_t day_count;
    struct ranking *networks, *domains; /* by what would have been done */
    struct ranking *clients;            /* extra: struct report_client */
    struct report_uses uses;
    struct report_server servers[REPORT_SERVERS_MAX]; /* whose decisions they are */
    size_t server_count;
};

/* `seed` as for ranking_new(), the others as for report_uses_init().  False: out of memory. */
bool report_sums_init(struct report_sums *sums, const struct conf *conf,
                      struct exemptions *exemptions, uint64_t seed) MUST_CHECK;
void report_sums_clear(struct report_sums *sums);

/* `conf`: for the Public Suffix List and the size of networks. */
void report_sums_add(struct report_sums *sums, const struct conf *conf,
                     const struct report_entry *entry);

#endif
