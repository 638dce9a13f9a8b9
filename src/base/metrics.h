/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters that describe themselves: each is declared once, with its help text
 * and label values, counted with relaxed atomics, and printed as Prometheus
 * text (exposition format 0.0.4) or read one by one.
 */
#ifndef IPREVD_METRICS_H
#define IPREVD_METRICS_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM_MS };

struct metrics;
struct metric;

/*
 * What a metric is.  All strings are borrowed for the life of the registry.
 * `labels[i].values` has `count` names; a metric has none, one or two labels.
 * METRIC_HISTOGRAM_MS has no label and fixed buckets, fed in milliseconds and
 * printed in seconds.
 */
struct metric_label {
    const char *name;
    const char *const *values;
    size_t count;
};

struct metric_desc {
    const char *name; /* "iprevd_verdicts_total" */
    const char *help;
    enum metric_kind kind;
    struct metric_label labels[2]; /* unused: name NULL */
};

/* A new empty registry, or NULL (out of memory).  free(NULL) is fine. */
struct metrics *metrics_new(void) MUST_CHECK;
void metrics_free(struct metrics *metrics);

/*
 * Declare a metric.  Returns a handle that lives as long as the registry, or
 * NULL (out of memory).  A name that is declared already gives the metric that there is, with what
 * it has counted: what is built anew at a reload declares its metrics again.  Thread safe.
 */
struct metric *metrics_declare(struct metrics *metrics, const struct metric_desc *desc) MUST_CHECK;

/* Declare many.  False: out of memory. */
struct metric_row {
    struct metric **metric; /* where its handle goes */
    struct metric_desc desc;
};
bool metrics_declare_all(struct metrics *metrics, const struct metric_row *rows,
                         size_t count) MUST_CHECK;

/* The metric of that name, or NULL.  Thread safe. */
const struct metric *metrics_find(const struct metrics *metrics, const char *name);

/*
 * Count.  `first` and `second` index the label values (0 where there is no such
 * label); out-of-range indices are ignored.  A NULL metric is ignored, so that code
 * can run without a registry.  Thread safe, lock free.
 */
void metric_add(struct metric *metric, size_t first, size_t second, int64_t n);
void metric_set(struct metric *metric, size_t first, size_t second, int64_t value);
void metric_observe_ms(struct metric *metric, int64_t ms);

/* What was declared; of NULL: NULL. */
const struct metric_desc *metric_description(const struct metric *metric);

/* Read one value (a histogram's count).  Thread safe. */
int64_t metric_value(const struct metric *metric, size_t first, size_t second);

/* Visit every metric's description and values, in order of declaration.  Thread safe. */
void metrics_each(const struct metrics *metrics,
                  void (*visit)(void *arg, const struct metric_desc *desc,
                                const struct metric *metric),
                  void *arg);

/* Write all as Prometheus text.  Thread safe.  RESULT_IO when the stream fails. */
enum result metrics_print(const struct metrics *metrics, FILE *stream) MUST_CHECK;

#endif
