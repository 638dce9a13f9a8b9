/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/status.h"

#include "config.h"
#include "daemon/statistics.h"
#include "dns/finding.h"

#include <unistd.h>

/* Sum of a metric over its second label. */
static int64_t sum(const struct metric *metric, size_t first)
{
    const struct metric_desc *desc = metric_description(metric);
    size_t count = desc->labels[1].name == NULL ? 1 : desc->labels[1].count;
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += metric_value(metric, first, i);
    return total;
}

static int64_t value(const struct status_sources *sources, const char *name)
{
    return metric_value(metrics_find(sources->metrics, name), 0, 0);
}

/* An object with one member a value of the metric's first label. */
static void put_by_label(struct json_writer *json, const char *key,
                         const struct status_sources *sources, const char *name)
{
    const struct metric *metric = metrics_find(sources->metrics, name);
    const struct metric_desc *desc = metric_description(metric);
    json_writer_begin_object(json, key);
    for (size_t i = 0; desc != NULL && i < desc->labels[0].count; i++)
        json_writer_int(json, desc->labels[0].values[i], sum(metric, i));
    json_writer_end(json);
}

/* The checks that were ever true, and how often they counted. */
static void put_checks(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *metric = metrics_find(sources->metrics, "iprevd_checks_total");
    const struct metric_desc *desc = metric_description(metric);
    json_writer_begin_object(json, "checks");
    for (size_t i = 0; desc != NULL && i < desc->labels[0].count; i++) {
        json_writer_begin_object(json, desc->labels[0].values[i]);
        json_writer_int(json, "true", sum(metric, i));
        json_writer_int(json, "enforced", metric_value(metric, i, 1));
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_sessions(struct json_writer *json, const struct status_sources *sources)
{
    json_writer_begin_object(json, "sessions");
    json_writer_int(json, "now", value(sources, "iprevd_sessions"));
    json_writer_int(json, "max", sources->conf->max_sessions);
    json_writer_int(json, "total", value(sources, "iprevd_sessions_total"));
    json_writer_int(json, "deferred", value(sources, "iprevd_sessions_deferred_total"));
    json_writer_end(json);
}

static void put_greylist(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *metric = metrics_find(sources->metrics, "iprevd_greylist_total");
    struct greylist_stats stats;
    greylist_table_stats(sources->greylist, &stats);
    json_writer_begin_object(json, "greylist");
    for (int i = 1; i < GREYLIST_ANSWER_COUNT; i++)
        json_writer_int(json, greylist_answer_text((enum greylist_answer)i),
                        metric_value(metric, (size_t)i - 1, 0));
    json_writer_int(json, "networks", (int64_t)stats.networks);
    json_writer_int(json, "size", (int64_t)stats.size);
    json_writer_end(json);
}

static void put_cache(struct json_writer *json, const struct status_sources *sources)
{
    struct cache_stats stats;
    cache_stats(resolver_cache(sources->resolver), &stats);
    uint64_t asked = stats.hits + stats.stale_hits + stats.misses;
    json_writer_begin_object(json, "cache");
    json_writer_int(json, "records", (int64_t)stats.records);
    json_writer_int(json, "bytes", (int64_t)stats.bytes);
    json_writer_int(json, "size", (int64_t)sources->conf->cache.size_bytes);
    json_writer_int(json, "hits", (int64_t)stats.hits);
    json_writer_int(json, "stale", (int64_t)stats.stale_hits);
    json_writer_int(json, "misses", (int64_t)stats.misses);
    json_writer_int(json, "evictions", (int64_t)stats.evictions);
    json_writer_int(json, "refreshes", (int64_t)stats.refreshes);
    json_writer_real(json, "hit_rate", asked == 0 ? 0.0 : (double)stats.hits / (double)asked);
    json_writer_end(json);
}

static void put_memory(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *grace = metrics_find(sources->metrics, "iprevd_grace_total");
    struct client_memory_stats stats;
    client_memory_stats(sources->memory, &stats);
    json_writer_begin_object(json, "memory");
    json_writer_int(json, "clients", (int64_t)stats.clients);
    json_writer_int(json, "bytes", (int64_t)stats.bytes);
    json_writer_int(json, "size", (int64_t)stats.size_bytes);
    json_writer_int(json, "replaced", (int64_t)stats.replaced);
    json_writer_int(json, "left_out", (int64_t)stats.left_out);
    json_writer_int(json, "grace_given", metric_value(grace, GRACE_GIVEN - 1, 0));
    json_writer_int(json, "grace_over", metric_value(grace, GRACE_OVER - 1, 0));
    json_writer_int(json, "grace_unknown", metric_value(grace, GRACE_UNKNOWN - 1, 0));
    json_writer_end(json);
}

static void copy_health(void *arg, const struct source *source)
{
    struct status_servers *servers = arg;
    servers->count = network_health(source, servers->list, NETWORK_SERVERS_MAX);
}

void status_servers(struct resolver *resolver, struct status_servers *out)
{
    out->count = 0;
    resolver_look_at_source(resolver, copy_health, out);
}

static void put_servers(struct json_writer *json, const struct status_sources *sources)
{
    struct status_servers servers;
    status_servers(sources->resolver, &servers);
    json_writer_begin_list(json, "servers");
    for (size_t i = 0; i < servers.count; i++) {
        const struct network_server_health *server = &servers.list[i];
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "server", server->text);
        json_writer_bool(json, "up", server->up);
        json_writer_int(json, "rtt_ms", server->rtt_ms);
        json_writer_int(json, "queries", (int64_t)server->queries);
        json_writer_int(json, "answers", (int64_t)server->answers);
        json_writer_int(json, "timeouts", (int64_t)server->timeouts);
        json_writer_int(json, "failures", (int64_t)server->failures);
        json_writer_int(json, "mismatched", (int64_t)server->mismatched);
        json_writer_end(json);
    }
    json_writer_end(json);
}

/* What was ever found wrong with the servers. */
static void put_findings(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *found = metrics_find(sources->metrics, FINDINGS_METRIC);
    const struct metric *last = metrics_find(sources->metrics, FINDINGS_LAST_METRIC);
    const struct metric_desc *desc = metric_description(found);
    json_writer_begin_list(json, "findings");
    for (size_t i = 0; desc != NULL && i < desc->labels[0].count; i++) {
        if (metric_value(found, i, 0) == 0)
            continue;
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "finding", desc->labels[0].values[i]);
        json_writer_text(json, "text", finding_text(i));
        json_writer_int(json, "count", metric_value(found, i, 0));
        json_writer_int(json, "last", metric_value(last, i, 0));
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_dns(struct json_writer *json, const struct status_sources *sources)
{
    struct resolver_health health = resolver_health(sources->resolver);
    int64_t now_ms = clock_ms(resolver_clock(sources->resolver));
    json_writer_begin_object(json, "dns");
    json_writer_bool(json, "outage", health.down);
    json_writer_int(json, "outage_s", health.down ? (now_ms - health.since_ms) / 1000 : 0);
    json_writer_bool(json, "denies_everything", health.denies);
    json_writer_text(json, "zone_file", sources->conf->zone_file);
    put_servers(json, sources);
    put_findings(json, sources);
    json_writer_end(json);
}

static void put_failure(struct json_writer *json, const char *since, const char *error,
                        const struct status_failure *failure)
{
    json_writer_int(json, since, failure->since_s);
    if (failure->since_s != 0)
        json_writer_sentence(json, error, failure->error);
}

static void put_reloads(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *metric = metrics_find(sources->metrics, "iprevd_reloads_total");
    json_writer_begin_object(json, "configuration");
    json_writer_text(json, "path", sources->conf->path);
    json_writer_int(json, "loaded",
                    value(sources, "iprevd_configuration_loaded_timestamp_seconds"));
    json_writer_int(json, "failed_reloads", metric_value(metric, 0, 0));
    json_writer_bool(json, "last_reload_failed",
                     value(sources, "iprevd_last_reload_successful") == 0);
    /* Of the last one only: a mistake that was put right is history. */
    put_failure(json, "failed_since", "error", sources->reload);
    put_failure(json, "tables_failed_since", "tables_error", sources->tables);
    json_writer_end(json);
}

static void put_decision_log(struct json_writer *json, const struct status_sources *sources)
{
    const struct metric *metric = metrics_find(sources->metrics, "iprevd_decision_log_lines_total");
    json_writer_begin_object(json, "decision_log");
    json_writer_text(json, "path", sources->conf->decision_log);
    json_writer_int(json, "written", metric_value(metric, 0, 0));
    json_writer_int(json, "lost", metric_value(metric, 1, 0));
    json_writer_end(json);
}

void status_put(struct json_writer *json, const struct status_sources *sources)
{
    json_writer_text(json, "version", PACKAGE_VERSION);
    json_writer_int(json, "pid", getpid());
    json_writer_int(json, "uptime_s", sources->uptime_ms / 1000);
    json_writer_text(json, "mode", sources->conf->monitor ? "monitor" : "enforce");
    json_writer_bool(json, "stopping", sources->stopping);
    json_writer_text(json, "listen", sources->conf->listen);
    put_reloads(json, sources);
    put_sessions(json, sources);
    put_by_label(json, "verdicts", sources, "iprevd_verdicts_total");
    put_by_label(json, "would", sources, "iprevd_would_total");
    put_by_label(json, "iprev", sources, "iprevd_iprev_total");
    put_by_label(json, "agreement", sources, "iprevd_agreement_total");
    put_checks(json, sources);
    put_greylist(json, sources);
    put_by_label(json, "dns_lists", sources, STATISTICS_LISTS_METRIC);
    put_cache(json, sources);
    put_memory(json, sources);
    put_dns(json, sources);
    own_names_put(sources->own_names, json);
    json_writer_int(json, "exemptions", (int64_t)sources->exemptions);
    put_decision_log(json, sources);
}
