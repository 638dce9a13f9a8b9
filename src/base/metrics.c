/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds of the histogram's buckets in milliseconds; the last bucket has none. */
static const int64_t bounds_ms[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};
#define BOUND_COUNT (sizeof bounds_ms / sizeof bounds_ms[0])

/* A histogram's cells: one a bucket, the overflow, the sum. */
#define CELL_OVERFLOW   BOUND_COUNT
#define CELL_SUM        (BOUND_COUNT + 1)
#define HISTOGRAM_CELLS (BOUND_COUNT + 2)

struct metric {
    _Atomic(struct metric *) next; /* set once, when the next one is complete */
    struct metric_desc desc;
    size_t cell_count;
    atomic_int_least64_t cells[];
};

struct metrics {
    _Atomic(struct metric *) first;
    pthread_mutex_t lock; /* held to declare, not to read */
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics != NULL && pthread_mutex_init(&metrics->lock, NULL) != 0) {
        free(metrics);
        return NULL;
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (struct metric *metric = metrics->first; metric != NULL;) {
        struct metric *next = metric->next;
        free(metric);
        metric = next;
    }
    (void)pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* Values of a label; a label that is not there counts as one value. */
static size_t label_count(const struct metric_label *label)
{
    return label->name == NULL ? 1 : label->count;
}

bool metrics_declare_all(struct metrics *metrics, const struct metric_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((*rows[i].metric = metrics_declare(metrics, &rows[i].desc)) == NULL)
            return false;
    return true;
}

const struct metric *metrics_find(const struct metrics *metrics, const char *name)
{
    const struct metric *metric = metrics->first;
    while (metric != NULL && strcmp(metric->desc.name, name) != 0)
        metric = metric->next;
    return metric;
}

static struct metric *metric_new(const struct metric_desc *desc)
{
    size_t cells = desc->kind == METRIC_HISTOGRAM_MS
                       ? HISTOGRAM_CELLS
                       : label_count(&desc->labels[0]) * label_count(&desc->labels[1]);
    struct metric *metric = calloc(1, sizeof *metric + cells * sizeof metric->cells[0]);
    if (metric == NULL)
        return NULL;
    metric->desc = *desc;
    metric->cell_count = cells;
    return metric;
}

struct metric *metrics_declare(struct metrics *metrics, const struct metric_desc *desc)
{
    _Atomic(struct metric *) *end = &metrics->first;
    pthread_mutex_lock(&metrics->lock);
    while (*end != NULL && strcmp((*end)->desc.name, desc->name) != 0)
        end = &(*end)->next;
    if (*end == NULL)
        *end = metric_new(desc);
    struct metric *metric = *end;
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

/* Index of the cell of two label values, or cell_count when there is none. */
static size_t cell_index(const struct metric *metric, size_t first, size_t second)
{
    if (first >= label_count(&metric->desc.labels[0]) ||
        second >= label_count(&metric->desc.labels[1]))
        return metric->cell_count;
    return first * label_count(&metric->desc.labels[1]) + second;
}

void metric_add(struct metric *metric, size_t first, size_t second, int64_t n)
{
    if (metric == NULL || metric->desc.kind == METRIC_HISTOGRAM_MS)
        return;
    size_t cell = cell_index(metric, first, second);
    if (cell < metric->cell_count)
        atomic_fetch_add_explicit(&metric->cells[cell], n, memory_order_relaxed);
}

void metric_set(struct metric *metric, size_t first, size_t second, int64_t value)
{
    if (metric == NULL || metric->desc.kind == METRIC_HISTOGRAM_MS)
        return;
    size_t cell = cell_index(metric, first, second);
    if (cell < metric->cell_count)
        atomic_store_explicit(&metric->cells[cell], value, memory_order_relaxed);
}

void metric_observe_ms(struct metric *metric, int64_t ms)
{
    if (metric == NULL || metric->desc.kind != METRIC_HISTOGRAM_MS)
        return;
    size_t cell = 0;
    while (cell < BOUND_COUNT && ms > bounds_ms[cell])
        cell++;
    atomic_fetch_add_explicit(&metric->cells[cell], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->cells[CELL_SUM], ms, memory_order_relaxed);
}

static int64_t cell_value(const struct metric *metric, size_t cell)
{
    return atomic_load_explicit(&metric->cells[cell], memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric, size_t first, size_t second)
{
    if (metric == NULL)
        return 0;
    if (metric->desc.kind == METRIC_HISTOGRAM_MS) {
        int64_t count = 0;
        for (size_t cell = 0; cell <= CELL_OVERFLOW; cell++)
            count += cell_value(metric, cell);
        return count;
    }
    size_t cell = cell_index(metric, first, second);
    return cell < metric->cell_count ? cell_value(metric, cell) : 0;
}

const struct metric_desc *metric_description(const struct metric *metric)
{
    return metric == NULL ? NULL : &metric->desc;
}

void metrics_each(const struct metrics *metrics,
                  void (*visit)(void *arg, const struct metric_desc *desc,
                                const struct metric *metric),
                  void *arg)
{
    for (const struct metric *metric = metrics->first; metric != NULL; metric = metric->next)
        visit(arg, &metric->desc, metric);
}

static void print_histogram(const struct metric *metric, FILE *stream)
{
    const char *name = metric->desc.name;
    int64_t count = 0;
    for (size_t cell = 0; cell < BOUND_COUNT; cell++) {
        count += cell_value(metric, cell);
        fprintf(stream, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, (double)bounds_ms[cell] / 1000,
                count);
    }
    count += cell_value(metric, CELL_OVERFLOW);
    fprintf(stream, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count);
    fprintf(stream, "%s_sum %.3f\n", name, (double)cell_value(metric, CELL_SUM) / 1000);
    fprintf(stream, "%s_count %" PRId64 "\n", name, count);
}

static void print_cells(const struct metric *metric, FILE *stream)
{
    const struct metric_label *labels = metric->desc.labels;
    for (size_t i = 0; i < label_count(&labels[0]); i++)
        for (size_t j = 0; j < label_count(&labels[1]); j++) {
            fputs(metric->desc.name, stream);
            if (labels[0].name != NULL)
                fprintf(stream, "{%s=\"%s\"", labels[0].name, labels[0].values[i]);
            if (labels[1].name != NULL)
                fprintf(stream, ",%s=\"%s\"", labels[1].name, labels[1].values[j]);
            fprintf(stream, "%s %" PRId64 "\n", labels[0].name != NULL ? "}" : "",
                    metric_value(metric, i, j));
        }
}

enum result metrics_print(const struct metrics *metrics, FILE *stream)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    for (const struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
        fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", metric->desc.name, metric->desc.help,
                metric->desc.name, kinds[metric->desc.kind]);
        if (metric->desc.kind == METRIC_HISTOGRAM_MS)
            print_histogram(metric, stream);
        else
            print_cells(metric, stream);
    }
    return ferror(stream) ? RESULT_IO : RESULT_OK;
}
