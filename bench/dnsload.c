/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load of cold lookups on the DNS service alone: resolver, cache, network, no sessions.  Each
 * question is about another name.  Prints one line of figures as JSON.
 *
 *     dnsload -s 127.0.0.1:5300 [-c 100] [-n 20000] [-a 10.1.0.0]
 *
 *   -s  server
 *   -c  questions in flight
 *   -n  questions in all
 *   -a  the first address whose PTR is asked; the others follow it
 *
 * Questions are asked from another thread than the loop's, as sessions do.
 */
#include "dns/network.h"
#include "dns/resolver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct load {
    struct resolver *resolver;
    unsigned long count, failed; /* failed: guarded, as what follows */
    unsigned in_flight, concurrency;
    uint32_t first;
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct one *landed;    /* for the asker to give back */
    unsigned landed_count; /* guarded, as what follows */
    unsigned enough;       /* of them for the asker to be woken; 0: it does not wait */
    double *took_us;
};

struct one {
    struct load *load;
    struct one *next;
    struct resolver_request *request;
    struct timespec begun;
    unsigned long number;
};

static double since_us(const struct timespec *begun)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) * 1e6 +
           (double)(now.tv_nsec - begun->tv_nsec) / 1e3;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct one *one = arg;
    struct load *load = one->load;
    bool wake;

    load->took_us[one->number] = since_us(&one->begun);
    pthread_mutex_lock(&load->lock);
    load->failed += answer->answer->outcome == DNS_TEMPERROR;
    one->next = load->landed;
    load->landed = one;
    wake = ++load->landed_count == load->enough;
    pthread_mutex_unlock(&load->lock);
    if (wake)
        pthread_cond_signal(&load->room);
}

/*
 * Wait until an eighth of those in flight landed, and give them back.  A wake-up for each would
 * measure the kernel's: it costs the loop's thread as much as sending a question.
 */
static void collect(struct load *load)
{
    unsigned enough = load->in_flight > 8 ? load->in_flight / 8 : 1;
    struct one *list;

    pthread_mutex_lock(&load->lock);
    load->enough = enough;
    while (load->landed_count < enough)
        pthread_cond_wait(&load->room, &load->lock);
    list = load->landed;
    load->landed = NULL;
    load->landed_count = 0;
    load->enough = 0;
    pthread_mutex_unlock(&load->lock);
    while (list != NULL) {
        struct one *next = list->next;

        resolver_cancel(load->resolver, list->request);
        free(list);
        load->in_flight--;
        list = next;
    }
}

static bool ask(struct load *load, unsigned long number)
{
    struct one *one = calloc(1, sizeof *one);
    uint32_t value = load->first + (uint32_t)number;
    struct ipaddr addr = {.family = IP_V4};
    struct question question;
    struct resolver_answer now;

    if (one == NULL)
        return false;
    for (unsigned i = 0; i < 4; i++)
        addr.bytes[i] = (uint8_t)(value >> (24 - 8 * i));
    question_from_addr(&addr, &question);
    one->load = load;
    one->number = number;
    clock_gettime(CLOCK_MONOTONIC, &one->begun);
    if (resolver_ask(load->resolver, &question, 0, clock_ms(&clock_system) + 10000, on_answer, one,
                     &now, &one->request) == RESULT_PENDING) {
        load->in_flight++;
        return true;
    }
    free(one);
    return false;
}

static bool play(struct load *load)
{
    for (unsigned long i = 0; i < load->count; i++) {
        while (load->in_flight >= load->concurrency)
            collect(load);
        if (!ask(load, i))
            return false;
    }
    while (load->in_flight > 0)
        collect(load);
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const struct load *load, double seconds)
{
    qsort(load->took_us, load->count, sizeof *load->took_us, compare);
    printf("{\"lookups\": %lu, \"failed\": %lu, \"seconds\": %.4f, \"per_second\": %.0f, "
           "\"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           load->count, load->failed, seconds, (double)load->count / seconds,
           load->took_us[load->count / 2], load->took_us[load->count * 99 / 100]);
}

static int run(struct load *load, const char *server)
{
    static const struct cache_limits cache_limits = {.size_bytes = 256 << 20,
                                                     .max_ttl_s = 86400,
                                                     .negative_max_ttl_s = 300,
                                                     .failure_ttl_s = 30};
    static const struct resolver_limits limits = {.max_queries = 100000, .max_cname_hops = 8};
    struct network_settings settings = {.server_count = 1};
    struct loop *loop = loop_new();
    struct cache *cache = cache_new(&cache_limits, 1);
    struct timespec begun;
    struct source *source;
    bool fine;

    if (network_server_parse(server, &settings.servers[0]) != RESULT_OK) {
        fprintf(stderr, "dnsload: %s is no server\n", server);
        return 64;
    }
    source = loop != NULL ? network_new(loop, &settings, NULL) : NULL;
    if (source == NULL || cache == NULL)
        return 1;
    load->resolver = resolver_new(source, cache, loop, &limits, NULL);
    if (load->resolver == NULL || loop_start(loop, "dns") != RESULT_OK)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    fine = play(load);
    if (fine)
        report(load, since_us(&begun) / 1e6);
    loop_stop(loop);
    resolver_free(load->resolver);
    loop_free(loop);
    cache_free(cache);
    return fine ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct load load = {.concurrency = 100, .count = 20000, .first = 0x0a010000};
    const char *server = NULL;
    struct ipaddr addr;
    int option, status;

    while ((option = getopt(argc, argv, "s:c:n:a:")) != -1) {
        if (option == 's')
            server = optarg;
        else if (option == 'c')
            load.concurrency = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'n')
            load.count = strtoul(optarg, NULL, 10);
        else if (option == 'a' && ipaddr_parse(optarg, &addr) == RESULT_OK)
            load.first = (uint32_t)addr.bytes[0] << 24 | (uint32_t)addr.bytes[1] << 16 |
                         (uint32_t)addr.bytes[2] << 8 | addr.bytes[3];
        else
            return 64;
    }
    if (server == NULL || load.count == 0 || load.concurrency == 0) {
        fputs("usage: dnsload -s SERVER [-c IN-FLIGHT] [-n COUNT] [-a ADDRESS]\n", stderr);
        return 64;
    }
    load.took_us = calloc(load.count, sizeof *load.took_us);
    if (load.took_us == NULL || pthread_mutex_init(&load.lock, NULL) != 0 ||
        pthread_cond_init(&load.room, NULL) != 0)
        return 1;
    status = run(&load, server);
    pthread_cond_destroy(&load.room);
    pthread_mutex_destroy(&load.lock);
    free(load.took_us);
    return status;
}
