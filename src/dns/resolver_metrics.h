/* SPDX-License-Identifier: BSD-2-Clause */
/* What resolver, cache and queries count.  The members are NULL where there is no registry. */
#ifndef IPREVD_RESOLVER_METRICS_H
#define IPREVD_RESOLVER_METRICS_H

#include "dns/cache.h"

/* How the cache met a question. */
enum { ASKED_MISS, ASKED_HIT, ASKED_STALE, ASKED_KINDS };

struct resolver_metrics {
    struct metric *lookups, *stale_served, *refreshes, *evictions, *records, *bytes;
    struct metric *queries, *under_way, *waiting, *window, *postponed, *dropped, *refused,
        *cancelled, *failures, *outage;
};

/* What the questions to servers count. */
struct query_metrics {
    struct metric *mismatched, *tcp, *tcp_waits, *timeouts, *unproved, *seconds;
};

/* `metrics` may be NULL.  False: out of memory. */
bool query_metrics_declare(struct query_metrics *out, struct metrics *metrics) MUST_CHECK;

/* False: out of memory. */
bool resolver_metrics_declare(struct resolver_metrics *out, struct metrics *metrics) MUST_CHECK;

/* The cache's own figures, as they are now. */
void resolver_metrics_take_cache(const struct resolver_metrics *metrics, struct cache *cache);

#endif
