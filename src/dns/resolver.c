/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything about flights happens on one thread, the loop's (or the caller's without a loop), so
 * flights need no lock.  Other threads reach them by loop_post() only.  A request has two owners,
 * its flight (until done) and the asker's handle (until resolver_cancel()), and a reference
 * count for them and for a posted message.
 */
#include "dns/resolver.h"

#include "base/log.h"
#include "dns/breaker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

/* A flight may go on for so long although its askers' time is up: the answer is of use to the next.
 */
#define FLIGHT_MIN_MS 3000

/* RFC 8767 5: a client that has a stale answer to fall back on waits no longer than this. */
#define STALE_TIMER_MS 1800

/* Texts of servers that are ever shown; a site has a handful. */
#define SERVER_TEXTS_MAX 250
#define SERVER_UNKNOWN   255

struct resolver_request {
    TAILQ_ENTRY(resolver_request) link; /* in its flight's waiters */
    atomic_uint refs;
    struct resolver *resolver;
    struct flight *flight; /* NULL: not begun, or done */
    resolver_done *done;   /* NULL: a refresh in the background */
    void *arg;
    bool answered;
    struct answer *stale; /* to fall back on, or NULL */
    int64_t asked_ms, deadline_ms;
    struct question question;
};

TAILQ_HEAD(waiters, resolver_request);

/* A source, and how many flights still use it after it was replaced. */
struct origin {
    struct source *source;
    unsigned flights;
    bool retired;
};

struct flight {
    UT_hash_handle hh;
    struct question question; /* as asked: the key */
    struct question target;   /* at the end of the CNAME chain so far */
    struct resolver *resolver;
    struct origin *origin;
    void *handle; /* of the source's question under way */
    bool background;
    struct waiters waiters;
    struct loop_timer *timer; /* for stale answers; NULL until needed */
    int64_t started_ms, deadline_ms, stale_due_ms;
    unsigned hops;
    uint32_t chain_ttl_s;
    bool secure;
};

struct resolver {
    struct cache *cache;
    struct loop *loop;
    const struct clock *clock;
    struct resolver_limits limits;
    struct answer *limit_answer; /* made before memory can run out */
    struct origin *origin;
    struct flight *flights; /* uthash */

    pthread_mutex_t lock; /* guards breaker and texts, and nothing else */
    struct breaker breaker;
    char *texts[SERVER_TEXTS_MAX];
    unsigned text_count;

    struct metric *asked, *flown, *refused, *cancelled, *outage;
};

static int64_t now_ms(const struct resolver *resolver)
{
    return clock_ms(resolver->clock);
}

/* --- requests ------------------------------------------------------------------------------- */

static void request_unref(struct resolver_request *request)
{
    if (atomic_fetch_sub(&request->refs, 1) != 1)
        return;
    answer_unref(request->stale);
    free(request);
}

static enum dns_origin origin_of(const struct answer *answer)
{
    return (enum dns_origin)answer->origin;
}

/* Tell the asker, once; the flight's reference ends with it. */
static void deliver(struct resolver_request *request, struct answer *answer, enum dns_origin origin,
                    uint32_t ttl_left_s)
{
    struct resolver *resolver = request->resolver;
    const struct resolver_answer delivery = {
        .answer = answer,
        .origin = origin,
        .ttl_left_s = ttl_left_s,
        .took_ms = (uint32_t)(now_ms(resolver) - request->asked_ms),
    };
    if (request->flight != NULL)
        TAILQ_REMOVE(&request->flight->waiters, request, link);
    request->flight = NULL;
    request->answered = true;
    if (request->done != NULL)
        request->done(request->arg, &delivery);
    request_unref(request);
}

/* A failure is told as the stale answer where there is one. */
static void deliver_final(struct resolver_request *request, struct answer *answer,
                          enum dns_origin origin)
{
    if (answer->outcome == DNS_TEMPERROR && answer->problem != PROBLEM_CANCELLED &&
        request->stale != NULL)
        deliver(request, request->stale, DNS_FROM_STALE, 0);
    else
        deliver(request, answer, origin, answer->ttl_s);
}

/* --- flights -------------------------------------------------------------------------------- */

static void origin_release(struct origin *origin)
{
    if (--origin->flights == 0 && origin->retired) {
        origin->source->ops->free(origin->source);
        free(origin);
    }
}

static void flight_free(struct flight *flight)
{
    HASH_DEL(flight->resolver->flights, flight);
    loop_timer_free(flight->timer);
    origin_release(flight->origin);
    free(flight);
}

static bool is_failure(const struct answer *answer)
{
    return answer->outcome == DNS_TEMPERROR && answer->problem != PROBLEM_CANCELLED &&
           answer->problem != PROBLEM_LIMIT && answer->problem != PROBLEM_LOOP;
}

static void feed_breaker(struct resolver *resolver, const struct question *question,
                         const struct answer *answer)
{
    if (answer->outcome == DNS_TEMPERROR && !is_failure(answer))
        return; /* our own limits say nothing of the servers */
    pthread_mutex_lock(&resolver->lock);
    bool changed = breaker_feed(&resolver->breaker, question, is_failure(answer), now_ms(resolver));
    bool open = resolver->breaker.open;
    pthread_mutex_unlock(&resolver->lock);
    if (!changed)
        return;
    metric_set(resolver->outage, 0, 0, open);
    if (open)
        log_warning("DNS outage: lookups of many different zones fail; outage-action applies");
    else
        log_info("DNS outage over: lookups are answered again");
}

/* The number under which the text of a server is kept: it outlives the source. */
static uint8_t intern_server(struct resolver *resolver, const struct source *source,
                             unsigned server)
{
    const char *text =
        source->ops->server_text == NULL ? NULL : source->ops->server_text(source, server);
    unsigned i = 0;
    if (text == NULL)
        return SERVER_UNKNOWN;
    pthread_mutex_lock(&resolver->lock);
    while (i < resolver->text_count && strcmp(resolver->texts[i], text) != 0)
        i++;
    if (i == resolver->text_count) {
        char *copy = i < SERVER_TEXTS_MAX ? strdup(text) : NULL;
        if (copy != NULL)
            resolver->texts[resolver->text_count++] = copy;
        else
            i = SERVER_UNKNOWN;
    }
    pthread_mutex_unlock(&resolver->lock);
    return (uint8_t)i;
}

/* The flight's end: its answer (taken) goes to the cache and to all who wait. */
static void land(struct flight *flight, struct answer *answer)
{
    struct resolver *resolver = flight->resolver;
    if (answer->outcome != DNS_TEMPERROR || is_failure(answer) || answer->problem == PROBLEM_LOOP)
        cache_store(resolver->cache, &flight->question, answer, now_ms(resolver));
    feed_breaker(resolver, &flight->question, answer);
    while (!TAILQ_EMPTY(&flight->waiters))
        deliver_final(TAILQ_FIRST(&flight->waiters), answer, origin_of(answer));
    flight_free(flight);
    answer_unref(answer);
}

static void land_problem(struct flight *flight, enum dns_problem problem)
{
    struct answer *answer = answer_new_problem(flight->question.type, problem);
    land(flight, answer != NULL ? answer : answer_ref(flight->resolver->limit_answer));
}

/* `answer` (taken) as that of the flight's own question: with the chain's TTL and trust. */
static struct answer *as_own(const struct flight *flight, struct answer *answer, uint8_t server)
{
    uint32_t ttl_s = answer->ttl_s < flight->chain_ttl_s ? answer->ttl_s : flight->chain_ttl_s;
    struct answer *own =
        answer_new(answer->type, (enum dns_outcome)answer->outcome, answer->payload_length);
    if (own != NULL) {
        own->origin = answer->origin;
        own->secure = answer->secure && flight->secure;
        own->problem = answer->problem;
        own->server = server;
        own->count = answer->count;
        own->dropped = answer->dropped;
        own->ttl_s = ttl_s;
        own->took_ms = (uint32_t)(now_ms(flight->resolver) - flight->started_ms);
        memcpy(own->payload, answer->payload, answer->payload_length);
    }
    answer_unref(answer);
    return own != NULL ? own : answer_ref(flight->resolver->limit_answer);
}

static void on_result(void *arg, const struct source_result *result);

static void ask_source(struct flight *flight)
{
    struct source *source = flight->origin->source;
    flight->handle = NULL;
    void *handle =
        source->ops->ask(source, &flight->target, flight->deadline_ms, on_result, flight);
    /* A handle means that done was not called: the flight still lives. */
    if (handle != NULL) {
        flight->handle = handle;
    }
}

/* The chain leads on to another name: from the cache if it is there, else from the source. */
static void follow(struct flight *flight, const struct source_result *result)
{
    struct resolver *resolver = flight->resolver;
    flight->hops += result->hops > 0 ? result->hops : 1;
    flight->secure = flight->secure && (result->answer == NULL || result->answer->secure);
    if (result->chain_ttl_s < flight->chain_ttl_s)
        flight->chain_ttl_s = result->chain_ttl_s;
    answer_unref(result->answer);
    flight->target = result->target;
    flight->target.type = flight->question.type;
    if (flight->hops > resolver->limits.max_cname_hops ||
        question_equal(&flight->target, &flight->question)) {
        land_problem(flight, PROBLEM_LOOP);
        return;
    }
    struct cache_found found = cache_lookup(resolver->cache, &flight->target, now_ms(resolver));
    if (found.hit == CACHE_FRESH || found.hit == CACHE_REFRESH) {
        if (found.ttl_left_s < flight->chain_ttl_s)
            flight->chain_ttl_s = found.ttl_left_s;
        land(flight, as_own(flight, found.answer, found.answer->server));
        return;
    }
    answer_unref(found.answer);
    ask_source(flight);
}

static void on_result(void *arg, const struct source_result *result)
{
    struct flight *flight = arg;
    flight->handle = NULL;
    if (result->chained && result->answer != NULL) {
        follow(flight, result);
        return;
    }
    struct answer *answer =
        result->answer != NULL ? result->answer : answer_ref(flight->resolver->limit_answer);
    flight->hops += result->hops;
    if (result->chain_ttl_s < flight->chain_ttl_s)
        flight->chain_ttl_s = result->chain_ttl_s;
    if (flight->hops > flight->resolver->limits.max_cname_hops) {
        answer_unref(answer);
        land_problem(flight, PROBLEM_LOOP);
        return;
    }
    uint8_t server = intern_server(flight->resolver, flight->origin->source, answer->server);
    land(flight, as_own(flight, answer, server));
}

/* --- stale answers (RFC 8767) --------------------------------------------------------------- */

/* Give those who have a stale answer that one: they have waited long enough. */
static void give_stale(struct flight *flight)
{
    struct resolver_request *next;
    for (struct resolver_request *request = TAILQ_FIRST(&flight->waiters); request != NULL;
         request = next) {
        next = TAILQ_NEXT(request, link);
        if (request->stale != NULL)
            deliver(request, request->stale, DNS_FROM_STALE, 0);
    }
    flight->background = true; /* the answer is still wanted by the cache */
}

static void on_stale_timer(void *arg)
{
    give_stale(arg);
}

static void arm_stale_timer(struct flight *flight)
{
    struct resolver *resolver = flight->resolver;
    if (flight->stale_due_ms != 0)
        return;
    flight->stale_due_ms = now_ms(resolver) + STALE_TIMER_MS;
    if (resolver->loop == NULL)
        return;
    flight->timer = loop_timer_new(resolver->loop, on_stale_timer, flight);
    if (flight->timer != NULL && loop_timer_arm(flight->timer, flight->stale_due_ms) != STATUS_OK) {
        loop_timer_free(flight->timer); /* then it waits for the flight's end */
        flight->timer = NULL;
    }
}

void resolver_poll(struct resolver *resolver)
{
    struct flight *flight, *next;
    HASH_ITER(hh, resolver->flights, flight, next)
    {
        if (flight->stale_due_ms != 0 && now_ms(resolver) >= flight->stale_due_ms)
            give_stale(flight);
    }
}

/* --- asking --------------------------------------------------------------------------------- */

static struct flight *find_flight(const struct resolver *resolver, const struct question *question)
{
    struct flight *flight;
    HASH_FIND(hh, resolver->flights, question, sizeof *question, flight);
    return flight;
}

static void join(struct flight *flight, struct resolver_request *request)
{
    request->flight = flight;
    TAILQ_INSERT_TAIL(&flight->waiters, request, link);
    if (request->done == NULL)
        flight->background = true;
    if (request->stale != NULL)
        arm_stale_timer(flight);
}

/* A new flight for the request's question, or NULL (memory). It is not under way yet. */
static struct flight *flight_new(struct resolver *resolver, const struct resolver_request *request)
{
    struct flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return NULL;
    flight->question = request->question;
    flight->target = request->question;
    flight->resolver = resolver;
    flight->origin = resolver->origin;
    flight->origin->flights++;
    flight->chain_ttl_s = UINT32_MAX;
    flight->secure = true;
    flight->started_ms = now_ms(resolver);
    flight->deadline_ms = flight->started_ms + FLIGHT_MIN_MS;
    if (request->deadline_ms > flight->deadline_ms)
        flight->deadline_ms = request->deadline_ms;
    TAILQ_INIT(&flight->waiters);
    HASH_ADD(hh, resolver->flights, question, sizeof flight->question, flight);
    return flight;
}

/* On the loop's thread: join the flight, or begin one. */
static void begin(void *arg)
{
    struct resolver_request *request = arg;
    struct resolver *resolver = request->resolver;
    struct flight *flight = find_flight(resolver, &request->question);
    if (flight != NULL) {
        join(flight, request);
        return;
    }
    /* Somebody may have landed since the asker looked. */
    struct cache_found found = cache_lookup(resolver->cache, &request->question, now_ms(resolver));
    if (found.hit == CACHE_FRESH || (found.hit == CACHE_REFRESH && request->done != NULL)) {
        deliver(request, found.answer, DNS_FROM_CACHE, found.ttl_left_s);
        answer_unref(found.answer);
        return;
    }
    answer_unref(found.answer);
    if (HASH_COUNT(resolver->flights) >= resolver->limits.max_flights ||
        (flight = flight_new(resolver, request)) == NULL) {
        metric_add(resolver->refused, 0, 0, 1);
        deliver_final(request, resolver->limit_answer, DNS_FROM_NETWORK);
        return;
    }
    metric_add(resolver->flown, 0, 0, 1);
    join(flight, request);
    ask_source(flight);
}

/* Run on the loop's thread, at once if there is none. */
static enum status run(struct resolver *resolver, void (*call)(void *arg), void *arg)
{
    if (resolver->loop != NULL)
        return loop_post(resolver->loop, call, arg);
    call(arg);
    return STATUS_OK;
}

static struct resolver_request *request_new(struct resolver *resolver,
                                            const struct question *question, int64_t deadline_ms,
                                            resolver_done *done, void *arg)
{
    struct resolver_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    atomic_init(&request->refs, 1);
    request->resolver = resolver;
    request->done = done;
    request->arg = arg;
    request->asked_ms = now_ms(resolver);
    request->deadline_ms = deadline_ms;
    /* Byte for byte comparable: what lies behind the name is zero. */
    request->question.type = question->type;
    request->question.length = question->length;
    memcpy(request->question.name, question->name, question->length);
    return request;
}

/* Ask again in the background, for the cache; nobody minds if it cannot be. */
static void refresh(struct resolver *resolver, const struct question *question)
{
    struct resolver_request *request = request_new(resolver, question, 0, NULL, NULL);
    if (request != NULL && run(resolver, begin, request) != STATUS_OK)
        request_unref(request);
}

enum { ASKED_MISS, ASKED_HIT, ASKED_STALE, ASKED_KINDS };

enum status resolver_ask(struct resolver *resolver, const struct question *question,
                         int64_t deadline_ms, resolver_done *done, void *arg,
                         struct resolver_answer *now, struct resolver_request **request)
{
    struct cache_found found = cache_lookup(resolver->cache, question, now_ms(resolver));
    bool fresh = found.hit == CACHE_FRESH || found.hit == CACHE_REFRESH;
    if (found.hit == CACHE_REFRESH)
        refresh(resolver, question);
    metric_add(resolver->asked,
               fresh                      ? ASKED_HIT
               : found.hit == CACHE_STALE ? ASKED_STALE
                                          : ASKED_MISS,
               0, 1);
    if (fresh || (found.hit == CACHE_STALE && found.failed_recently)) {
        *now = (struct resolver_answer){.answer = found.answer,
                                        .origin = fresh ? DNS_FROM_CACHE : DNS_FROM_STALE,
                                        .ttl_left_s = found.ttl_left_s};
        return STATUS_OK;
    }
    struct resolver_request *made = request_new(resolver, question, deadline_ms, done, arg);
    if (made == NULL) {
        answer_unref(found.answer);
        return STATUS_NOMEM;
    }
    made->stale = found.answer;
    atomic_store(&made->refs, 2); /* the flight's and the caller's */
    *request = made;
    enum status status = run(resolver, begin, made);
    if (status == STATUS_OK)
        return STATUS_PENDING;
    *request = NULL;
    request_unref(made);
    request_unref(made);
    return status;
}

/* On the loop's thread: the asker has gone. */
static void drop(void *arg)
{
    struct resolver_request *request = arg;
    struct flight *flight = request->flight;
    struct resolver *resolver = request->resolver;
    if (!request->answered) {
        struct answer *answer = answer_new_problem(request->question.type, PROBLEM_CANCELLED);
        deliver(request, answer != NULL ? answer : resolver->limit_answer, DNS_FROM_NETWORK, 0);
        answer_unref(answer);
        metric_add(resolver->cancelled, 0, 0, 1);
        if (flight != NULL && TAILQ_EMPTY(&flight->waiters) && !flight->background &&
            flight->handle != NULL)
            flight->origin->source->ops->cancel(flight->origin->source, flight->handle);
    }
    request_unref(request);
}

void resolver_cancel(struct resolver *resolver, struct resolver_request *request)
{
    if (request != NULL && run(resolver, drop, request) != STATUS_OK)
        request_unref(request); /* closed, or no memory: the flight's end tells the asker */
}

/* --- life ----------------------------------------------------------------------------------- */

static struct origin *origin_new(struct source *source)
{
    struct origin *origin = calloc(1, sizeof *origin);
    if (origin != NULL)
        *origin = (struct origin){.source = source, .flights = 1};
    return origin;
}

static bool declare_metrics(struct resolver *resolver, struct metrics *metrics)
{
    static const char *const kinds[ASKED_KINDS] = {"miss", "hit", "stale"};
    const struct {
        struct metric **metric;
        struct metric_desc desc;
    } all[] = {
        {&resolver->asked,
         {"iprevd_cache_lookups_total",
          "Questions by what the cache had.",
          METRIC_COUNTER,
          {{"result", kinds, ASKED_KINDS}}}},
        {&resolver->flown,
         {"iprevd_resolver_flights_total",
          "Questions that went to the DNS.",
          METRIC_COUNTER,
          {{0}}}},
        {&resolver->refused,
         {"iprevd_resolver_refused_total",
          "Questions not asked because of max-queries or memory.",
          METRIC_COUNTER,
          {{0}}}},
        {&resolver->cancelled,
         {"iprevd_resolver_cancelled_total",
          "Questions whose client hung up.",
          METRIC_COUNTER,
          {{0}}}},
        {&resolver->outage,
         {"iprevd_dns_outage", "1 while the DNS itself seems to be down.", METRIC_GAUGE, {{0}}}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((*all[i].metric = metrics_declare(metrics, &all[i].desc)) == NULL)
            return false;
    return true;
}

struct resolver *resolver_new(struct source *source, struct cache *cache, struct loop *loop,
                              const struct clock *clock, const struct resolver_limits *limits,
                              struct metrics *metrics)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        source->ops->free(source);
        return NULL;
    }
    (void)pthread_mutex_init(&resolver->lock, NULL);
    resolver->cache = cache;
    resolver->loop = loop;
    resolver->clock = clock;
    resolver->limits = *limits;
    resolver->limit_answer = answer_new_problem(RR_PTR, PROBLEM_LIMIT);
    resolver->origin = origin_new(source);
    if (resolver->origin == NULL)
        source->ops->free(source);
    if (resolver->origin == NULL || resolver->limit_answer == NULL ||
        (metrics != NULL && !declare_metrics(resolver, metrics))) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    struct flight *flight, *next;
    HASH_ITER(hh, resolver->flights, flight, next)
    {
        flight->origin->source->ops->cancel(flight->origin->source, flight->handle);
    }
    if (resolver->origin != NULL) {
        resolver->origin->retired = true;
        origin_release(resolver->origin);
    }
    answer_unref(resolver->limit_answer);
    for (unsigned i = 0; i < resolver->text_count; i++)
        free(resolver->texts[i]);
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

struct change {
    struct resolver *resolver;
    struct origin *origin;
};

static void change_origin(void *arg)
{
    struct change *change = arg;
    struct origin *old = change->resolver->origin;
    change->resolver->origin = change->origin;
    old->retired = true;
    origin_release(old);
    free(change);
}

enum status resolver_set_source(struct resolver *resolver, struct source *source)
{
    struct change *change = malloc(sizeof *change);
    struct origin *origin = origin_new(source);
    enum status status = STATUS_NOMEM;
    if (change != NULL && origin != NULL) {
        *change = (struct change){resolver, origin};
        status = run(resolver, change_origin, change);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    free(change);
    free(origin);
    source->ops->free(source);
    return status;
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
