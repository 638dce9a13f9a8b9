/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters for Prometheus: GET /metrics in the text exposition format 0.0.4, and nothing else.
 * Runs on the management loop, bounded as request_server.h says: strangers may reach it.
 */
#ifndef IPREVD_EXPORTER_H
#define IPREVD_EXPORTER_H

#include "base/metrics.h"
#include "dns/resolver.h"
#include "site/client_memory.h"

struct exporter;

/* Everything is borrowed and outlives the exporter. */
struct exporter_services {
    struct loop *loop;
    const struct metrics *metrics;
    struct resolver *resolver;
    /* What changes with the configuration or on its own. */
    size_t (*cache_size)(void *arg);
    size_t (*exemptions)(void *arg);
    void (*memory)(void *arg, struct client_memory_stats *out);
    uint64_t (*table_limit_hits)(void *arg); /* conf_table_limit_hits() */
    void *arg;
    int64_t start_s; /* wall clock */
};

/*
 * Serve on `fd` (listening, non-blocking; taken, also on failure).  `services` is copied.  NULL:
 * out of memory.
 */
struct exporter *exporter_new(const struct exporter_services *services, int fd) MUST_CHECK;

/* After the loop was stopped.  free(NULL) is fine. */
void exporter_free(struct exporter *exporter);

#endif
