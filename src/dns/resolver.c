/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolver.h"

#include "base/log.h"
#include "dns/breaker.h"
#include "dns/flight.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Texts of servers that are ever shown; a site has a handful. */
#define SERVER_TEXTS_MAX 250

/* The cache's figures are brought into the metrics so often at most. */
#define FIGURES_MS 1000

enum { ASKED_MISS, ASKED_HIT, ASKED_STALE, ASKED_KINDS };

struct resolver_metrics {
    struct metric *lookups, *stale_served, *refreshes, *evictions, *records, *bytes;
    struct metric *flights, *in_flight, *refused, *cancelled, *failures, *outage;
};

struct resolver {
    struct cache *cache;
    struct loop *loop;
    const struct clock *clock;
    struct flights flights; /* the loop's thread */
    int64_t figures_ms;     /* likewise */

    pthread_mutex_t lock; /* guards what follows, and flights.origin where other threads read it */
    struct breaker breaker;
    struct probe *probe; /* under way; the loop's thread */
    char *texts[SERVER_TEXTS_MAX];
    unsigned text_count;

    atomic_bool down; /* the breaker is open: for those who need no more, without the lock */

    struct resolver_metrics metrics;
};

static int64_t now_ms(const struct resolver *resolver)
{
    return clock_ms(resolver->clock);
}

/* The same on the loop's thread, for less; to others it would be memory that is always changing. */
static int64_t loop_ms(const struct resolver *resolver)
{
    return resolver->loop != NULL ? loop_now_ms(resolver->loop) : now_ms(resolver);
}

/* --- what flights report -------------------------------------------------------------------- */

static void update_figures(struct resolver *resolver)
{
    struct cache_stats stats;
    const struct resolver_metrics *metrics = &resolver->metrics;
    int64_t now = loop_ms(resolver);
    if (metrics->bytes == NULL || now < resolver->figures_ms)
        return;
    resolver->figures_ms = now + FIGURES_MS;
    cache_stats(resolver->cache, &stats);
    metric_set(metrics->records, 0, 0, (int64_t)stats.records);
    metric_set(metrics->bytes, 0, 0, (int64_t)stats.bytes);
    metric_set(metrics->evictions, 0, 0, (int64_t)stats.evictions);
    metric_set(metrics->refreshes, 0, 0, (int64_t)stats.refreshes);
}

void resolver_update_figures(struct resolver *resolver)
{
    resolver->figures_ms = 0;
    update_figures(resolver);
}

/* --- the breaker's probe -------------------------------------------------------------------- */

/* One question to the servers themselves, past the cache. */
struct probe {
    struct resolver *resolver;
    struct origin *origin; /* a user of it */
    void *handle;          /* for cancel; NULL: being asked */
};

static enum breaker_probe verdict(const struct probe *probe, const struct answer *answer)
{
    if (answer == NULL || probe->origin != probe->resolver->flights.origin)
        return BREAKER_UNKNOWN; /* out of memory, or other servers by now */
    if (answer->outcome != DNS_TEMPERROR || dns_problem_is_of_the_zone(answer->problem))
        return BREAKER_ANSWERED;
    return dns_problem_is_ours((enum dns_problem)answer->problem) ? BREAKER_UNKNOWN
                                                                  : BREAKER_FAILED;
}

static void end_probe(struct resolver *resolver, enum breaker_probe what)
{
    pthread_mutex_lock(&resolver->lock);
    bool changed = breaker_probed(&resolver->breaker, what, now_ms(resolver));
    bool open = resolver->breaker.open;
    pthread_mutex_unlock(&resolver->lock);
    if (!changed)
        return;
    atomic_store(&resolver->down, open);
    metric_set(resolver->metrics.outage, 0, 0, open);
    if (open)
        log_warning("DNS outage: lookups of different zones fail, and the servers do not resolve a "
                    "name that we chose; outage-action applies");
    else
        log_info("DNS outage over: lookups are answered again");
}

static void on_probe(void *arg, const struct source_result *result)
{
    struct probe *probe = arg;
    struct resolver *resolver = probe->resolver;
    enum breaker_probe what = verdict(probe, result->answer);
    answer_unref(result->answer);
    resolver->probe = NULL;
    origin_release(&resolver->flights, probe->origin);
    free(probe);
    end_probe(resolver, what);
}

static void begin_probe(struct resolver *resolver)
{
    struct probe *probe = malloc(sizeof *probe);
    struct question seed = {.type = RR_A, .length = sizeof(int64_t)}, question;
    int64_t now = now_ms(resolver);
    void *handle;
    if (probe == NULL || resolver->flights.closing) {
        free(probe);
        end_probe(resolver, BREAKER_UNKNOWN);
        return;
    }
    memcpy(seed.name, &now, sizeof now);
    breaker_question(cache_hash(resolver->cache, &seed), &question);
    *probe = (struct probe){.resolver = resolver, .origin = resolver->flights.origin};
    probe->origin->users++;
    resolver->probe = probe;
    handle = probe->origin->source->ops->ask(probe->origin->source, &question,
                                             now + BREAKER_PROBE_MS, on_probe, probe);
    if (handle != NULL) /* none: it has ended */
        probe->handle = handle;
}

/* on_probe() is called before this returns. */
static void cancel_probe(struct resolver *resolver)
{
    struct probe *probe = resolver->probe;
    if (probe != NULL)
        probe->origin->source->ops->cancel(probe->origin->source, probe->handle);
}

static void feed_breaker(struct resolver *resolver, const struct question *question, bool failed)
{
    pthread_mutex_lock(&resolver->lock);
    bool wanted = breaker_feed(&resolver->breaker, question, failed, loop_ms(resolver));
    pthread_mutex_unlock(&resolver->lock);
    if (wanted)
        begin_probe(resolver);
}

/* An outcome for the breaker. */
static void feed_answer(struct resolver *resolver, const struct question *question,
                        const struct answer *answer)
{
    bool failed = answer->outcome == DNS_TEMPERROR && !dns_problem_is_of_the_zone(answer->problem);
    if (failed && dns_problem_is_ours((enum dns_problem)answer->problem))
        return; /* our own limits say nothing of the servers */
    feed_breaker(resolver, question, failed);
}

static void on_event(struct resolver *resolver, enum flight_event event,
                     const struct question *question, const struct answer *answer)
{
    const struct resolver_metrics *metrics = &resolver->metrics;
    switch (event) {
    case FLIGHT_BEGAN:
        metric_add(metrics->flights, 0, 0, 1);
        break;
    case FLIGHT_LANDED:
        if (answer->outcome == DNS_TEMPERROR)
            metric_add(metrics->failures, answer->problem, 0, 1);
        feed_answer(resolver, question, answer);
        update_figures(resolver);
        break;
    case FLIGHT_REFUSED:
        metric_add(metrics->refused, 0, 0, 1);
        break;
    case FLIGHT_CANCELLED:
        metric_add(metrics->cancelled, 0, 0, 1);
        break;
    case FLIGHT_STALE:
        metric_add(metrics->stale_served, 0, 0, 1);
        break;
    case FLIGHT_IN_VAIN:
        feed_breaker(resolver, question, true);
        break;
    }
    metric_set(metrics->in_flight, 0, 0, resolver->flights.count);
}

/* The number under which the text of a server is kept: it outlives the source. */
static uint8_t server_number(struct resolver *resolver, const struct source *source,
                             unsigned server)
{
    const char *text =
        source->ops->server_text == NULL ? NULL : source->ops->server_text(source, server);
    unsigned i = 0;
    if (text == NULL)
        return ANSWER_NO_SERVER;
    pthread_mutex_lock(&resolver->lock);
    while (i < resolver->text_count && strcmp(resolver->texts[i], text) != 0)
        i++;
    if (i == resolver->text_count) {
        char *copy = i < SERVER_TEXTS_MAX ? strdup(text) : NULL;
        if (copy != NULL)
            resolver->texts[resolver->text_count++] = copy;
        else
            i = ANSWER_NO_SERVER;
    }
    pthread_mutex_unlock(&resolver->lock);
    return (uint8_t)i;
}

/* --- asking --------------------------------------------------------------------------------- */

/* Run on the loop's thread: at once if we are there, or there is none. */
static enum result run(struct resolver *resolver, void (*call)(void *arg), void *arg)
{
    if (resolver->loop != NULL && !loop_is_here(resolver->loop))
        return loop_post(resolver->loop, call, arg);
    call(arg);
    return RESULT_OK;
}

static void begin(void *arg)
{
    struct resolver_request *request = arg;
    flights_begin(&request->resolver->flights, request);
}

static void drop(void *arg)
{
    struct resolver_request *request = arg;
    flights_drop(&request->resolver->flights, request);
}

static struct resolver_request *request_new(struct resolver *resolver,
                                            const struct question *question, int64_t deadline_ms,
                                            resolver_done *done, void *arg)
{
    struct resolver_request *request = malloc(sizeof *request);
    if (request == NULL)
        return NULL;
    *request = (struct resolver_request){.resolver = resolver,
                                         .done = done,
                                         .arg = arg,
                                         .asked_ms = now_ms(resolver),
                                         .deadline_ms = deadline_ms,
                                         .hash = cache_hash(resolver->cache, question),
                                         .question = *question};
    atomic_init(&request->refs, 1);
    return request;
}

/* Ask again in the background, for the cache; nobody minds if it cannot be. */
static void refresh(struct resolver *resolver, const struct question *question)
{
    struct resolver_request *request = request_new(resolver, question, 0, NULL, NULL);
    if (request != NULL && run(resolver, begin, request) != RESULT_OK)
        request_unref(request);
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
                         int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request)
{
    struct cache_found found = cache_lookup(resolver->cache, question, now_ms(resolver));
    if (answer_from_cache(resolver, question, &found, now))
        return RESULT_OK;
    struct resolver_request *made = request_new(resolver, question, deadline_ms, done, arg);
    if (made == NULL) {
        answer_unref(found.answer);
        return RESULT_NOMEM;
    }
    made->stale = found.answer;
    atomic_store(&made->refs, 2); /* the flight's and the caller's */
    enum result status = run(resolver, begin, made);
    if (status == RESULT_OK) {
        *request = made;
        return RESULT_PENDING;
    }
    request_unref(made);
    request_unref(made);
    return status;
}

void resolver_cancel(struct resolver *resolver, struct resolver_request *request)
{
    if (request == NULL)
        return;
    /* If the post fails, the flight's end will tell the asker. */
    if (atomic_load(&request->answered) || run(resolver, drop, request) != RESULT_OK)
        request_unref(request);
}

void resolver_poll(struct resolver *resolver)
{
    flights_sweep(&resolver->flights);
    flights_give_stale(&resolver->flights);
}

/* --- life ----------------------------------------------------------------------------------- */

static struct origin *origin_new(struct source *source)
{
    struct origin *origin = malloc(sizeof *origin);
    if (origin != NULL)
        *origin = (struct origin){.source = source, .users = 1};
    return origin;
}

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
         {"iprevd_cache_bytes", "Memory of the cache, all told.", METRIC_GAUGE, {{0}}}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((*all[i].metric = metrics_declare(metrics, &all[i].desc)) == NULL)
            return false;
    return true;
}

static bool declare_metrics(struct resolver_metrics *out, struct metrics *metrics)
{
    /* In the order of enum dns_problem. */
    static const char *const problems[PROBLEM_COUNT] = {
        "none", "timeout", "servfail", "refused",   "rcode",    "malformed", "network",
        "loop", "chain",   "limit",    "cancelled", "deadline", "memory"};
    const struct {
        struct metric **metric;
        struct metric_desc desc;
    } all[] = {
        {&out->flights,
         {"iprevd_resolver_flights_total",
          "Questions that went to the DNS.",
          METRIC_COUNTER,
          {{0}}}},
        {&out->in_flight,
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

struct resolver *resolver_new(struct source *source, struct cache *cache, struct loop *loop,
                              const struct clock *clock, const struct resolver_limits *limits,
                              struct metrics *metrics)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    struct origin *origin = origin_new(source);
    if (resolver == NULL || origin == NULL || pthread_mutex_init(&resolver->lock, NULL) != 0) {
        free(origin);
        free(resolver);
        source->ops->free(source);
        return NULL;
    }
    resolver->cache = cache;
    resolver->loop = loop;
    resolver->clock = clock;
    resolver->flights = (struct flights){.resolver = resolver,
                                         .cache = cache,
                                         .loop = loop,
                                         .clock = clock,
                                         .origin = origin,
                                         .on_event = on_event,
                                         .server_number = server_number};
    resolver_set_limits(resolver, limits);
    if (flights_init(&resolver->flights) != RESULT_OK ||
        (metrics != NULL && !declare_metrics(&resolver->metrics, metrics))) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    flights_clear(&resolver->flights);
    cancel_probe(resolver);
    origin_release(&resolver->flights, resolver->flights.origin);
    flights_sweep(&resolver->flights);
    for (unsigned i = 0; i < resolver->text_count; i++)
        free(resolver->texts[i]);
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

/* --- the source ----------------------------------------------------------------------------- */

struct change {
    struct resolver *resolver;
    struct origin *origin;
};

static void change_origin(void *arg)
{
    struct change *change = arg;
    struct resolver *resolver = change->resolver;
    struct origin *old = resolver->flights.origin;
    pthread_mutex_lock(&resolver->lock);
    resolver->flights.origin = change->origin;
    pthread_mutex_unlock(&resolver->lock);
    origin_release(&resolver->flights, old);
    free(change);
}

enum result resolver_set_source(struct resolver *resolver, struct source *source)
{
    struct change *change = malloc(sizeof *change);
    struct origin *origin = origin_new(source);
    enum result status = RESULT_NOMEM;
    if (change != NULL && origin != NULL) {
        *change = (struct change){resolver, origin};
        status = run(resolver, change_origin, change);
    }
    if (status == RESULT_OK)
        return RESULT_OK;
    free(change);
    free(origin);
    source->ops->free(source);
    return status;
}

void resolver_look_at_source(struct resolver *resolver,
                             void (*look)(void *arg, const struct source *source), void *arg)
{
    pthread_mutex_lock(&resolver->lock);
    look(arg, resolver->flights.origin->source);
    pthread_mutex_unlock(&resolver->lock);
}

void resolver_set_limits(struct resolver *resolver, const struct resolver_limits *limits)
{
    atomic_store(&resolver->flights.max_queries, limits->max_queries);
    atomic_store(&resolver->flights.max_cname_hops, limits->max_cname_hops);
}

/* --- what others may know ------------------------------------------------------------------- */

bool resolver_is_down(const struct resolver *resolver)
{
    return atomic_load(&resolver->down);
}

struct resolver_health resolver_health(struct resolver *resolver)
{
    pthread_mutex_lock(&resolver->lock);
    struct resolver_health health = {.down = resolver->breaker.open,
                                     .since_ms = resolver->breaker.since_ms};
    pthread_mutex_unlock(&resolver->lock);
    return health;
}

const char *resolver_server_text(struct resolver *resolver, unsigned server)
{
    pthread_mutex_lock(&resolver->lock);
    const char *text = server < resolver->text_count ? resolver->texts[server] : NULL;
    pthread_mutex_unlock(&resolver->lock);
    return text;
}

struct cache *resolver_cache(struct resolver *resolver)
{
    return resolver->cache;
}

const struct clock *resolver_clock(const struct resolver *resolver)
{
    return resolver->clock;
}
