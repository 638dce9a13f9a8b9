/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolver_metrics.h"

static bool declare_cache_metrics(struct resolver_metrics *out, struct metrics *metrics)
{
    static const char *const kinds[ASKED_KINDS] = {"miss", "hit", "stale"};
    const struct {
        struct metric **metric;
        struct metric_desc desc;
    } all[] = {
        {&out->lookups,
         {"iprevd_cache_lookups_total",
          "Questions by what the cache had.",
          METRIC_COUNTER,
          {{"result", kinds, ASKED_KINDS}}}},
        {&out->stale_served,
         {"iprevd_cache_stale_served_total",
          "Expired answers given because the servers failed.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->refreshes,
         {"iprevd_cache_refreshes_total",
          "Answers in use asked for again ahead of their end.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->evictions,
         {"iprevd_cache_evictions_total",
          "Records that left for lack of room.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->records, {"iprevd_cache_records", "Records in the cache.", METRIC_GAUGE, {{0}}}},
        {&out->bytes,
         {"iprevd_cache_bytes", "Memory of the cache, everything included.", METRIC_GAUGE, {{0}}}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((*all[i].metric = metrics_declare(metrics, &all[i].desc)) == NULL)
            return false;
    return true;
}

bool resolver_metrics_declare(struct resolver_metrics *out, struct metrics *metrics)
{
    static const char *const problems[PROBLEM_COUNT] = {
        [PROBLEM_NONE] = "none",           [PROBLEM_TIMEOUT] = "timeout",
        [PROBLEM_SERVFAIL] = "servfail",   [PROBLEM_REFUSED] = "refused",
        [PROBLEM_RCODE] = "rcode",         [PROBLEM_MALFORMED] = "malformed",
        [PROBLEM_NETWORK] = "network",     [PROBLEM_LOOP] = "loop",
        [PROBLEM_CHAIN] = "chain",         [PROBLEM_LIMIT] = "limit",
        [PROBLEM_CANCELLED] = "cancelled", [PROBLEM_DEADLINE] = "deadline",
        [PROBLEM_NO_SOA] = "no-soa",       [PROBLEM_OTHER_SOA] = "other-soa",
        [PROBLEM_MEMORY] = "memory"};
    const struct {
        struct metric **metric;
        struct metric_desc desc;
    } all[] = {
        {&out->queries,
         {"iprevd_resolver_flights_total",
          "Questions that went to the DNS.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->under_way,
         {"iprevd_resolver_in_flight", "Questions under way.", METRIC_GAUGE, {{0}}}},
        {&out->refused,
         {"iprevd_resolver_refused_total",
          "Questions not asked for lack of room or memory.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->cancelled,
         {"iprevd_resolver_cancelled_total",
          "Questions whose client hung up.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->failures,
         {"iprevd_resolver_failures_total",
          "Questions that failed, by problem.",
          METRIC_COUNTER,
          {{"problem", problems, PROBLEM_COUNT}}}},
        {&out->outage,
         {"iprevd_resolver_outage",
          "1 while the DNS itself seems to be down.",
          METRIC_GAUGE,
          {{0}}}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((*all[i].metric = metrics_declare(metrics, &all[i].desc)) == NULL)
            return false;
    return declare_cache_metrics(out, metrics);
}

void resolver_metrics_take_cache(const struct resolver_metrics *metrics, struct cache *cache)
{
    struct cache_stats stats;
    if (metrics->bytes == NULL)
        return;
    cache_stats(cache, &stats);
    metric_set(metrics->records, 0, 0, (int64_t)stats.records);
    metric_set(metrics->bytes, 0, 0, (int64_t)stats.bytes);
    metric_set(metrics->evictions, 0, 0, (int64_t)stats.evictions);
    metric_set(metrics->refreshes, 0, 0, (int64_t)stats.refreshes);
}
