/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One decision out of the decision log: a JSON object, or the key=value line that goes to syslog.
 * Pure but for the time zone; thread safe.
 */
#ifndef IPREVD_REPORT_ENTRY_H
#define IPREVD_REPORT_ENTRY_H

#include "core/policy.h"
#include "ctl/logs/maillog_event.h"

enum report_cache { REPORT_CACHE_MISS, REPORT_CACHE_HIT, REPORT_CACHE_STALE };

struct report_entry {
    int64_t wall_s; /* 0: unknown */
    struct ipaddr client;
    enum action action, would;
    bool monitor; /* mode = monitor */
    bool confirmed;
    check_set checks; /* unknown names are passed over */
    int64_t dns_ms;
    enum report_cache cache;
    char ptr[HOSTNAME_MAX + 1];
    char helo[HELO_TEXT_MAX + 1];
    char sender[REPLAY_ADDRESS_MAX + 1]; /* "" for none and for the null sender */
};

enum report_parsed { REPORT_ENTRY, REPORT_OTHER, REPORT_BAD };

/*
 * Read a line of the log.  OTHER: a line of something else (another program's, not a decision);
 * BAD: it begins as a decision and is none.  now_s: for time stamps without a year.
 */
enum report_parsed report_entry_parse(const char *text, size_t length, int64_t now_s,
                                      struct report_entry *out);

#endif
