/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache by itself: bytes a record, hit rate with and without a scan beside a plain LRU of the
 * same bytes in the same run, lookups a second with one thread and with two beside that LRU behind
 * one lock, and the longest time that one store or lookup took while the table grew.
 *
 *     bench/cache [SECONDS of each speed measurement]
 *     bench/cache -g MOST    how it grows from 1,000 to MOST records, a line each: records, bytes a
 *                            record, nanoseconds a lookup, nanoseconds a store
 */
#include "config.h"

#include "dns/cache.h"
#include "lru.h"

#ifdef HAVE_MALLOC_H
#include <malloc.h>
#endif
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define T0 1000000

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of this thread: what others do to the machine does not count. */
static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Not the cache's own generator of anything: only the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct cache *new_cache(size_t size)
{
    const struct cache_limits limits = {.size_bytes = size,
                                        .max_ttl_s = 86400,
                                        .negative_max_ttl_s = 300,
                                        .failure_ttl_s = 30,
                                        .stale_s = 86400};
    return must(cache_new(&limits, 12345));
}

/*
 * What client `i` leaves behind: its PTR and the address of its name.  Even records are one, odd
 * ones the other, with names as long as they are in the world: 25 and 24 bytes on the wire on
 * average.
 */
static struct answer *make_record(uint32_t i, struct question *question)
{
    char name[64];
    uint32_t client = i / 2 * UINT32_C(2654435761); /* all different */
    (void)snprintf(name, sizeof name, "mail.%u.example", client);
    struct question forward;
    struct answer *answer;
    if (question_from_name(name, RR_A, &forward) != RESULT_OK)
        exit(1);
    if (i % 2 == 1) {
        *question = forward;
        answer = must(answer_new(RR_A, DNS_FOUND, 4));
        memcpy(answer->payload, &client, 4);
    } else {
        struct ipaddr addr = {.family = IP_V4};
        memcpy(addr.bytes, &client, 4);
        question_from_addr(&addr, question);
        answer = must(answer_new(RR_PTR, DNS_FOUND, forward.length));
        memcpy(answer->payload, forward.name, forward.length);
    }
    answer->count = 1;
    answer->ttl_s = 3600;
    return answer;
}

/* --- memory --------------------------------------------------------------------------------- */

/* Bytes that malloc() has given out; 0 where it does not say. */
static size_t heap_bytes(void)
{
#if defined(HAVE_MALLINFO2) && defined(HAVE_MALLOC_TRIM)
    (void)malloc_trim(0);
    return mallinfo2().uordblks + mallinfo2().hblkhd;
#else
    return 0;
#endif
}

static void measure_memory(uint32_t records)
{
    struct cache *cache = new_cache((size_t)1 << 30);
    struct cache_stats stats;
    double longest = 0, started = now_s();
    size_t before = heap_bytes();
    for (uint32_t i = 0; i < records; i++) {
        struct question question;
        struct answer *answer = make_record(i, &question);
        double begin = cpu_s();
        cache_store(cache, &question, answer, T0);
        double took = cpu_s() - begin;
        if (took > longest)
            longest = took;
        answer_unref(answer);
    }
    double rate = records / (now_s() - started);
    cache_stats(cache, &stats);
    size_t heap = heap_bytes() - before;
    printf("%8u records: %5.1f bytes a record by its own account, %5.1f by malloc's; "
           "stored at %.2f M/s, longest %.0f us\n",
           (unsigned)stats.records, (double)stats.bytes / (double)stats.records,
           (double)heap / (double)stats.records, rate / 1e6, longest * 1e6);
    cache_free(cache);
}

static void measure_cap(size_t size)
{
    struct cache *cache = new_cache(size);
    struct cache_stats stats;
    size_t most = 0;
    for (uint32_t i = 0; i < size / 40; i++) {
        struct question question;
        struct answer *answer = make_record(i, &question);
        cache_store(cache, &question, answer, T0);
        answer_unref(answer);
        if (i % 10000 == 0) {
            cache_stats(cache, &stats);
            most = stats.bytes > most ? (size_t)stats.bytes : most;
        }
    }
    cache_stats(cache, &stats);
    printf("cap %zu MiB: full %.1f %%, at most %.1f %%\n", size >> 20,
           100 * (double)stats.bytes / (double)size, 100 * (double)most / (double)size);
    cache_free(cache);
}

/* --- hit rate ------------------------------------------------------------------------------- */

#define REGULARS  200000  /* clients that come again, by Zipf's law */
#define QUESTIONS 2000000 /* of regulars */
#define SCANNED   1000000 /* one-time clients, in the middle */
#define HIT_SIZE  ((size_t)8 << 20)

static double *zipf_table(void)
{
    double *sums = must(malloc(REGULARS * sizeof *sums)), sum = 0;
    for (uint32_t i = 0; i < REGULARS; i++)
        sums[i] = sum += 1 / pow(i + 1, 0.9);
    for (uint32_t i = 0; i < REGULARS; i++)
        sums[i] /= sum;
    return sums;
}

static uint32_t zipf(const double *sums, uint64_t *state)
{
    double x = (double)(next_random(state) >> 11) / 9007199254740992.0;
    uint32_t low = 0, high = REGULARS - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sums[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Both caches see the same questions. */
struct pair {
    struct cache *cache;
    struct lru *lru;
    uint64_t questions, hits, lru_hits;
};

static void visit(struct pair *pair, uint32_t record, bool counts)
{
    struct question question;
    struct answer *answer = make_record(record, &question);
    struct cache_found found = cache_lookup(pair->cache, &question, T0);
    struct answer *other = lru_lookup(pair->lru, &question);
    pair->questions += counts;
    pair->hits += counts && found.hit != CACHE_MISS;
    pair->lru_hits += counts && other != NULL;
    if (found.hit == CACHE_MISS)
        cache_store(pair->cache, &question, answer, T0);
    if (other == NULL)
        lru_store(pair->lru, &question, answer);
    answer_unref(found.answer);
    answer_unref(other);
    answer_unref(answer);
}

static void measure_hits(const double *sums, const char *label, bool scan, int asked_each)
{
    struct pair pair = {.cache = new_cache(HIT_SIZE), .lru = must(lru_new(HIT_SIZE))};
    uint64_t state = 1;
    uint32_t once = 2 * REGULARS;
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        visit(&pair, zipf(sums, &state), i >= QUESTIONS / 4);
        /* The scan goes on beside the second half: one-time clients between the regulars. */
        for (uint32_t j = 0; scan && i >= QUESTIONS / 2 && j < SCANNED / (QUESTIONS / 2);
             j++, once++)
            for (int k = 0; k < asked_each; k++)
                visit(&pair, once, false);
    }
    double ours = (double)pair.hits / (double)pair.questions;
    double theirs = (double)pair.lru_hits / (double)pair.questions;
    printf("%-38s %5.2f %% of the regulars' questions, LRU %5.2f %% (misses: %.2f of LRU's)\n",
           label, 100 * ours, 100 * theirs, (1 - ours) / (1 - theirs));
    cache_free(pair.cache);
    lru_free(pair.lru);
}

/* A burst of a million, with no regular in between: who is still there? */
static void measure_burst(void)
{
    struct pair pair = {.cache = new_cache(HIT_SIZE), .lru = must(lru_new(HIT_SIZE))};
    for (int round = 0; round < 5; round++)
        for (uint32_t i = 0; i < 20000; i++)
            visit(&pair, i, false);
    for (uint32_t i = 0; i < SCANNED; i++)
        visit(&pair, 1000000 + i, false);
    for (uint32_t i = 0; i < 20000; i++)
        visit(&pair, i, true);
    printf("%-38s %5.2f %% of 20000 regulars are left, LRU %5.2f %%\n",
           "after a burst of a million", 100 * (double)pair.hits / 20000,
           100 * (double)pair.lru_hits / 20000);
    cache_free(pair.cache);
    lru_free(pair.lru);
}

/* --- speed ---------------------------------------------------------------------------------- */

#define SPEED_RECORDS 100000
#define ROUNDS        8

struct runner {
    pthread_t thread;
    struct cache *cache;
    struct lru *lru; /* NULL: the cache */
    const struct question *questions;
    uint64_t seed, count;
    double seconds;
};

static void *run(void *arg)
{
    struct runner *runner = arg;
    double end = now_s() + runner->seconds;
    while (now_s() < end)
        for (int i = 0; i < 1000; i++, runner->count++) {
            const struct question *question =
                &runner->questions[next_random(&runner->seed) % SPEED_RECORDS];
            if (runner->lru != NULL)
                answer_unref(lru_lookup(runner->lru, question));
            else
                answer_unref(cache_lookup(runner->cache, question, T0).answer);
        }
    return NULL;
}

/* Lookups a second, and how many CPUs the threads really had. */
struct rate {
    double per_s, cpus;
};

static double process_cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct rate speed(struct cache *cache, struct lru *lru, const struct question *questions,
                         int threads, double seconds)
{
    double cpu = process_cpu_s();
    struct runner runners[2];
    uint64_t count = 0;
    for (int i = 0; i < threads; i++) {
        runners[i] = (struct runner){.cache = cache,
                                     .lru = lru,
                                     .questions = questions,
                                     .seed = (uint64_t)i + 1,
                                     .seconds = seconds};
        if (pthread_create(&runners[i].thread, NULL, run, &runners[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(runners[i].thread, NULL);
        count += runners[i].count;
    }
    return (struct rate){(double)count / seconds, (process_cpu_s() - cpu) / seconds};
}

static void measure_speed(double seconds)
{
    struct cache *cache = new_cache((size_t)1 << 28);
    struct lru *lru = must(lru_new((size_t)1 << 28));
    struct question *questions = must(calloc(SPEED_RECORDS, sizeof *questions));
    for (uint32_t i = 0; i < SPEED_RECORDS; i++) {
        struct answer *answer = make_record(i, &questions[i]);
        cache_store(cache, &questions[i], answer, T0);
        lru_store(lru, &questions[i], answer);
        answer_unref(answer);
    }
    struct rate best[4] = {{0, 0}};
    /* Taking turns, so that what else the machine does hits all alike; the best round counts. */
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 4; i++) {
            struct rate rate =
                speed(cache, i % 2 ? lru : NULL, questions, 1 + i / 2, seconds / ROUNDS);
            best[i] = rate.per_s > best[i].per_s ? rate : best[i];
        }
    printf("lookups, one thread:  %5.2f M/s on %.1f CPUs, %.2f of LRU\n", best[0].per_s / 1e6,
           best[0].cpus, best[0].per_s / best[1].per_s);
    printf(
        "lookups, two threads: %5.2f M/s on %.1f CPUs, %.2f of LRU behind one lock (%.1f CPUs)\n",
        best[2].per_s / 1e6, best[2].cpus, best[2].per_s / best[3].per_s, best[3].cpus);
    free(questions);
    cache_free(cache);
    lru_free(lru);
}

/* --- growth --------------------------------------------------------------------------------- */

#define GROWTH_LOOKUPS 1000000
#define GROWTH_BATCH   4096 /* questions made beforehand: only the lookup is measured */

static double lookup_ns(struct cache *cache, uint32_t records)
{
    static struct question questions[GROWTH_BATCH];
    uint64_t seed = 1;
    double spent_s = 0;
    uint32_t done = 0;
    for (; done < GROWTH_LOOKUPS; done += GROWTH_BATCH) {
        for (uint32_t i = 0; i < GROWTH_BATCH; i++)
            answer_unref(make_record((uint32_t)(next_random(&seed) % records), &questions[i]));
        double begin = cpu_s();
        for (uint32_t i = 0; i < GROWTH_BATCH; i++)
            answer_unref(cache_lookup(cache, &questions[i], T0).answer);
        spent_s += cpu_s() - begin;
    }
    return spent_s / done * 1e9;
}

static double store_ns(struct cache *cache, uint32_t first, uint32_t end)
{
    static struct question questions[GROWTH_BATCH];
    static struct answer *answers[GROWTH_BATCH];
    double spent_s = 0;
    for (uint32_t at = first; at < end;) {
        uint32_t count = end - at < GROWTH_BATCH ? end - at : GROWTH_BATCH;
        for (uint32_t i = 0; i < count; i++)
            answers[i] = make_record(at + i, &questions[i]);
        double begin = cpu_s();
        for (uint32_t i = 0; i < count; i++)
            cache_store(cache, &questions[i], answers[i], T0);
        spent_s += cpu_s() - begin;
        for (uint32_t i = 0; i < count; i++)
            answer_unref(answers[i]);
        at += count;
    }
    return spent_s / (end - first) * 1e9;
}

/* 1,000, 2,000, 5,000, 10,000 and so on. */
static void measure_growth(uint32_t most)
{
    struct cache *cache = new_cache((size_t)8 << 30);
    uint32_t records = 0, target = 1000;
    for (unsigned step = 0; records < most; step++) {
        double store = store_ns(cache, records, target);
        struct cache_stats stats;
        records = target;
        cache_stats(cache, &stats);
        printf("%u %.1f %.1f %.1f\n", records, (double)stats.bytes / (double)stats.records,
               lookup_ns(cache, records), store);
        target = step % 3 == 1 ? target / 2 * 5 : target * 2;
    }
    cache_free(cache);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-g") == 0) {
        measure_growth((uint32_t)strtoul(argv[2], NULL, 10));
        return 0;
    }
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    measure_memory(100000);
    measure_memory(1000000);
    measure_cap((size_t)1 << 20);
    measure_cap((size_t)16 << 20);
    double *sums = zipf_table();
    measure_hits(sums, "Zipf, no scan", false, 1);
    measure_hits(sums, "Zipf, a million scanned, asked once", true, 1);
    measure_hits(sums, "Zipf, a million scanned, asked twice", true, 2);
    free(sums);
    measure_burst();
    measure_speed(seconds > 0 ? seconds : 2);
    return 0;
}
