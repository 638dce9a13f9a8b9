/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolver.h"

#include "base/log.h"
#include "dns/breaker.h"
#include "dns/pending_query.h"

#include <stdlib.h>

struct resolver {
    struct cache *cache;
    struct loop *loop;
    struct sources *sources;
    struct breaker *breaker;
    struct pending_queries *queries;
    struct resolver_metrics metrics;
    struct finding_log findings;
};

/* --- networks of clients -------------------------------------------------------------------- */

/* The first bytes of the address, with the family in front of them. */
uint64_t resolver_network(const struct ipaddr *client)
{
    size_t bytes = client->family == IP_V6 ? RESOLVER_NETWORK_V6 / 8 : RESOLVER_NETWORK_V4 / 8;
    uint64_t key = client->family;
    for (size_t i = 0; i < bytes; i++)
        key = key << 8 | client->bytes[i];
    return key;
}

void resolver_network_of(uint64_t network, struct ipnet *out)
{
    bool v6 = network >> RESOLVER_NETWORK_V6 == IP_V6;
    unsigned bits = v6 ? RESOLVER_NETWORK_V6 : RESOLVER_NETWORK_V4;
    *out = (struct ipnet){.addr.family = v6 ? IP_V6 : IP_V4, .bits = (uint8_t)bits};
    for (unsigned i = bits / 8; i > 0; i--, network >>= 8)
        out->addr.bytes[i - 1] = (uint8_t)network;
}

/* --- asking --------------------------------------------------------------------------------- */

/* Run on the loop's thread: at once if we are there. */
static enum result run(struct resolver *resolver, void (*call)(void *arg), void *arg)
{
    if (!loop_is_here(resolver->loop))
        return loop_post(resolver->loop, call, arg);
    call(arg);
    return RESULT_OK;
}

/* Ask again in the background, for the cache; nobody minds if it cannot be. */
static void refresh(struct resolver *resolver, const struct question *question)
{
    struct resolver_request *request =
        pending_request_new(resolver->queries, question, 0, 0, NULL, NULL, NULL, 1);
    if (request != NULL && run(resolver, pending_request_ask, request) != RESULT_OK)
        pending_request_unref(request);
}

/* What the cache has is good enough: *now. */
static bool answer_from_cache(struct resolver *resolver, const struct question *question,
                              const struct cache_found *found, struct resolver_answer *now)
{
    bool stale = found->hit == CACHE_STALE;
    metric_add(resolver->metrics.lookups,
               found->hit == CACHE_MISS ? ASKED_MISS
               : stale                  ? ASKED_STALE
                                        : ASKED_HIT,
               0, 1);
    if (found->hit == CACHE_REFRESH)
        refresh(resolver, question);
    if (found->hit == CACHE_MISS || (stale && !found->failed_recently))
        return false;
    if (stale)
        metric_add(resolver->metrics.stale_served, 0, 0, 1);
    *now = (struct resolver_answer){.answer = found->answer,
                                    .origin = stale ? DNS_FROM_STALE : DNS_FROM_CACHE,
                                    .ttl_left_s = found->ttl_left_s};
    return true;
}

enum result resolver_ask(struct resolver *resolver, const struct question *question,
                         uint64_t network, int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request)
{
    struct cache_found found =
        cache_lookup(resolver->cache, question, clock_ms(loop_clock(resolver->loop)));
    if (answer_from_cache(resolver, question, &found, now))
        return RESULT_OK;
    /* Two references: the query's and the caller's. */
    struct resolver_request *made = pending_request_new(resolver->queries, question, network,
                                                        deadline_ms, done, arg, found.answer, 2);
    if (made == NULL) {
        answer_unref(found.answer);
        return RESULT_NOMEM;
    }
    enum result status = run(resolver, pending_request_ask, made);
    if (status == RESULT_OK) {
        *request = made;
        return RESULT_PENDING;
    }
    pending_request_unref(made);
    pending_request_unref(made);
    return status;
}

void resolver_cancel(struct resolver *resolver, struct resolver_request *request)
{
    if (request == NULL)
        return;
    /* If the post fails, the query's end will tell the asker. */
    if (pending_request_is_answered(request) ||
        run(resolver, pending_request_leave, request) != RESULT_OK)
        pending_request_unref(request);
}

/* The breaker has opened or closed. */
static void on_outage(void *arg, bool open)
{
    struct resolver *resolver = arg;
    if (open)
        pending_queries_outage(resolver->queries);
    else
        pending_queries_recovered(resolver->queries);
}

/* --- life ----------------------------------------------------------------------------------- */

static bool build(struct resolver *resolver, const struct resolver_limits *limits,
                  struct metrics *metrics)
{
    if (metrics != NULL && !resolver_metrics_declare(&resolver->metrics, metrics))
        return false;
    if (!finding_declare(&resolver->findings, metrics))
        return false;
    const struct breaker_services needs = {.sources = resolver->sources,
                                           .cache = resolver->cache,
                                           .loop = resolver->loop,
                                           .outage = resolver->metrics.outage,
                                           .findings = &resolver->findings,
                                           .changed = on_outage,
                                           .arg = resolver,
                                           .control = limits->control};
    resolver->breaker = breaker_new(&needs);
    if (resolver->breaker == NULL)
        return false;
    const struct pending_query_services services = {.cache = resolver->cache,
                                                    .loop = resolver->loop,
                                                    .sources = resolver->sources,
                                                    .breaker = resolver->breaker,
                                                    .metrics = &resolver->metrics,
                                                    .findings = &resolver->findings};
    resolver->queries = pending_queries_new(&services, limits);
    return resolver->queries != NULL;
}

struct resolver *resolver_new(struct source *source, struct cache *cache, struct loop *loop,
                              const struct resolver_limits *limits, struct metrics *metrics)
{
    struct sources *sources = sources_new(source, loop);
    if (sources == NULL)
        return NULL;
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        sources_free(sources);
        return NULL;
    }
    resolver->cache = cache;
    resolver->loop = loop;
    resolver->sources = sources;
    if (build(resolver, limits, metrics))
        return resolver;
    resolver_free(resolver);
    return NULL;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    if (resolver->breaker != NULL)
        breaker_stop(resolver->breaker);
    pending_queries_free(resolver->queries);
    breaker_free(resolver->breaker);
    sources_free(resolver->sources);
    free(resolver);
}

void resolver_set_limits(struct resolver *resolver, const struct resolver_limits *limits)
{
    pending_queries_set_limits(resolver->queries, limits);
    if (breaker_set_control(resolver->breaker, &limits->control) != RESULT_OK)
        log_error("out of memory: dns.control stays as it was");
}

/* What the old source answered is not what the new one would; from now on it is not kept. */
static void on_replaced(void *arg)
{
    struct resolver *resolver = arg;
    (void)cache_flush_all(resolver->cache);
}

enum result resolver_set_source(struct resolver *resolver, struct source *source)
{
    return sources_replace(resolver->sources, source, on_replaced, resolver);
}

void resolver_look_at_source(struct resolver *resolver,
                             void (*look)(void *arg, const struct source *source), void *arg)
{
    sources_look(resolver->sources, look, arg);
}

/* --- what others may know ------------------------------------------------------------------- */

void resolver_update_figures(struct resolver *resolver)
{
    resolver_metrics_take_cache(&resolver->metrics, resolver->cache);
}

unsigned resolver_recoveries(const struct resolver *resolver)
{
    return pending_queries_recoveries(resolver->queries);
}

bool resolver_is_down(const struct resolver *resolver)
{
    return breaker_is_open(resolver->breaker);
}

struct resolver_health resolver_health(struct resolver *resolver)
{
    struct breaker_health health = breaker_health(resolver->breaker);
    return (struct resolver_health){
        .down = health.open, .denies = health.denies, .since_ms = health.since_ms};
}

const char *resolver_server_text(struct resolver *resolver, unsigned server)
{
    return sources_server_text(resolver->sources, server);
}

struct cache *resolver_cache(struct resolver *resolver)
{
    return resolver->cache;
}

const struct clock *resolver_clock(const struct resolver *resolver)
{
    return loop_clock(resolver->loop);
}
