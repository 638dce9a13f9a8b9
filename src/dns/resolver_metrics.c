/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolver_metrics.h"

static bool declare_cache_metrics(struct resolver_metrics *out, struct metrics *metrics)
{
    static const char *const kinds[ASKED_KINDS] = {"miss", "hit", "stale"};
    const struct metric_row all[] = {
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
    return metrics_declare_all(metrics, all, sizeof all / sizeof all[0]);
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
        [PROBLEM_BOGUS] = "bogus",         [PROBLEM_NO_SOA] = "no-soa",
        [PROBLEM_OTHER_SOA] = "other-soa", [PROBLEM_DENIES] = "denies-all",
        [PROBLEM_MEMORY] = "memory"};
    const struct metric_row all[] = {
        {&out->queries,
         {"iprevd_resolver_flights_total",
          "Questions that went to the DNS.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->under_way,
         {"iprevd_resolver_in_flight", "Questions under way.", METRIC_GAUGE, {{0}}}},
        {&out->waiting,
         {"iprevd_resolver_waiting",
          "Questions that wait until the servers have less to do.",
          METRIC_GAUGE,
          {{0}}}},
        {&out->window,
         {"iprevd_resolver_window",
          "Questions that may be under way at a time, by what the servers bear.",
          METRIC_GAUGE,
          {{0}}}},
        {&out->postponed,
         {"iprevd_resolver_postponed_total",
          "Questions under way that gave way to clients with fewer.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->dropped,
         {"iprevd_resolver_dropped_total",
          "Oldest questions of the network with most, dropped for lack of room.",
          METRIC_COUNTER,
          {{0}}}},
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
    return metrics_declare_all(metrics, all, sizeof all / sizeof all[0]) &&
           declare_cache_metrics(out, metrics);
}

bool query_metrics_declare(struct query_metrics *out, struct metrics *metrics)
{
    const struct metric_row all[] = {
        {&out->mismatched,
         {"iprevd_dns_mismatched_total",
          "DNS packets dropped because they answered no question of ours.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->tcp,
         {"iprevd_dns_tcp_fallbacks_total",
          "DNS questions repeated over TCP because the answer was truncated or forged.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->tcp_waits,
         {"iprevd_dns_tcp_waits_total",
          "DNS questions that had to wait for one of the TCP connections allowed.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->timeouts,
         {"iprevd_dns_timeouts_total",
          "Tries that a DNS server did not answer in time.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->unproved,
         {"iprevd_dns_unproved_denials_total",
          "Denials of DNS servers that no SOA record proves: temporary failures.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->seconds,
         {"iprevd_dns_query_seconds",
          "Time from a question to its answer or failure, over all tries.",
          METRIC_HISTOGRAM_MS,
          {{0}}}},
    };
    return metrics == NULL || metrics_declare_all(metrics, all, sizeof all / sizeof all[0]);
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
