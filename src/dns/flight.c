/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/flight.h"

#include <stdlib.h>

/*
 * A flight may go on for so long although its askers' time is up, if they are still there: the
 * answer is of use to the next.  It goes on no longer than FLIGHT_MAX_MS however many come.
 */
#define FLIGHT_MIN_MS 3000
#define FLIGHT_MAX_MS 30000

/* Less time than this is not worth asking the source once more. */
#define FLIGHT_AGAIN_MS 200

/* RFC 8767 5: who has a stale answer to fall back on waits no longer than this. */
#define STALE_TIMER_MS 1800
/* Nor until his own time is up: so much is left for what he does with the answer. */
#define STALE_MARGIN_MS 100

/* Names of a CNAME chain that are remembered, to see it go in a circle. */
#define CHAIN_SEEN_MAX 32

/* The limits on flights are no promise of memory: the table has up to so many lists. */
#define TABLE_MAX 65536

TAILQ_HEAD(waiters, resolver_request);

struct flight {
    LIST_ENTRY(flight) link;
    struct flights *flights;
    struct question question; /* as asked */
    struct question target;   /* at the end of the CNAME chain so far */
    struct origin *origin;
    void *handle;    /* of the source's question under way */
    bool background; /* the cache wants the answer, whoever waits */
    bool dropped;    /* the source was told to cancel */
    struct waiters waiters;
    struct loop_timer *timer; /* for stale answers; NULL until needed */
    int64_t started_ms, deadline_ms;
    int64_t source_deadline_ms; /* as the source was told */
    unsigned hops, seen_count;
    uint64_t seen[CHAIN_SEEN_MAX]; /* hashes of earlier targets */
    uint32_t chain_ttl_s;
    bool secure, aliased;
};

static int64_t now_ms(const struct flights *flights)
{
    return flights->loop != NULL ? loop_now_ms(flights->loop) : clock_ms(flights->clock);
}

/* --- requests ------------------------------------------------------------------------------- */

void request_unref(struct resolver_request *request)
{
    if (atomic_fetch_sub(&request->refs, 1) != 1)
        return;
    answer_unref(request->stale);
    free(request);
}

/* Tell the asker, once; the flight's reference ends with it. */
static void deliver(struct flights *flights, struct resolver_request *request,
                    struct answer *answer, enum dns_origin origin, uint32_t ttl_left_s)
{
    int64_t took_ms = now_ms(flights) - request->asked_ms;
    const struct resolver_answer delivery = {
        .answer = answer,
        .origin = origin,
        .ttl_left_s = ttl_left_s,
        .took_ms = took_ms > 0 ? (uint32_t)took_ms : 0,
    };
    if (request->flight != NULL)
        TAILQ_REMOVE(&request->flight->waiters, request, link);
    request->flight = NULL;
    atomic_store(&request->answered, true);
    if (request->done != NULL)
        request->done(request->arg, &delivery);
    request_unref(request);
}

static void deliver_stale(struct flights *flights, struct resolver_request *request)
{
    flights->on_event(flights->resolver, FLIGHT_STALE, &request->question, NULL);
    deliver(flights, request, request->stale, DNS_FROM_STALE, 0);
}

/* A failure is told as the stale answer where there is one. */
static void deliver_final(struct flights *flights, struct resolver_request *request,
                          struct answer *answer)
{
    if (answer->outcome == DNS_TEMPERROR && answer->problem != PROBLEM_CANCELLED &&
        request->stale != NULL)
        deliver_stale(flights, request);
    else
        deliver(flights, request, answer, (enum dns_origin)answer->origin, answer->ttl_s);
}

/* --- the table ------------------------------------------------------------------------------ */

static struct flight_list *list_of(const struct flights *flights,
                                   const struct resolver_request *request)
{
    return &flights->table[request->hash & (flights->table_size - 1)];
}

static struct flight *find(const struct flights *flights, const struct resolver_request *request)
{
    struct flight *flight;
    LIST_FOREACH(flight, list_of(flights, request), link)
    {
        if (question_equal(&flight->question, &request->question))
            return flight;
    }
    return NULL;
}

void flights_sweep(struct flights *flights)
{
    while (!SLIST_EMPTY(&flights->retired)) {
        struct origin *origin = SLIST_FIRST(&flights->retired);
        SLIST_REMOVE_HEAD(&flights->retired, link);
        origin->source->ops->free(origin->source);
        free(origin);
    }
}

static void sweep(void *arg)
{
    struct flights *flights = arg;
    flights->sweeping = false;
    flights_sweep(flights);
}

void origin_release(struct flights *flights, struct origin *origin)
{
    if (--origin->users > 0)
        return;
    SLIST_INSERT_HEAD(&flights->retired, origin, link);
    /* Where the post fails, the next one or the resolver's end frees it. */
    if (flights->loop != NULL && !flights->sweeping)
        flights->sweeping = loop_post(flights->loop, sweep, flights) == RESULT_OK;
}

/* A new flight for the request's question, or NULL (memory).  It is not under way yet. */
static struct flight *flight_new(struct flights *flights, const struct resolver_request *request)
{
    struct flight *flight = malloc(sizeof *flight);
    int64_t now = now_ms(flights);
    if (flight == NULL)
        return NULL;
    *flight = (struct flight){.flights = flights,
                              .question = request->question,
                              .target = request->question,
                              .origin = flights->origin,
                              .chain_ttl_s = UINT32_MAX,
                              .secure = true,
                              .started_ms = now,
                              .deadline_ms = now + FLIGHT_MIN_MS};
    flight->origin->users++;
    TAILQ_INIT(&flight->waiters);
    LIST_INSERT_HEAD(list_of(flights, request), flight, link);
    flights->count++;
    return flight;
}

/* --- landing -------------------------------------------------------------------------------- */

/* Did the DNS fail, rather than we or our asker? */
static bool is_worth_keeping(const struct answer *answer)
{
    return answer->outcome != DNS_TEMPERROR ||
           !dns_problem_is_ours((enum dns_problem)answer->problem);
}

/*
 * The flight's end: its answer (taken) goes to the cache and to all who wait.  Askers may ask again
 * at once, so by then the flight is in no table any more.
 */
static void land(struct flight *flight, struct answer *answer)
{
    struct flights *flights = flight->flights;
    LIST_REMOVE(flight, link);
    flights->count--;
    if (is_worth_keeping(answer))
        cache_store(flights->cache, &flight->question, answer, now_ms(flights));
    flights->on_event(flights->resolver, FLIGHT_LANDED, &flight->question, answer);
    while (!TAILQ_EMPTY(&flight->waiters))
        deliver_final(flights, TAILQ_FIRST(&flight->waiters), answer);
    loop_timer_free(flight->timer);
    origin_release(flights, flight->origin);
    free(flight);
    answer_unref(answer);
}

static struct answer *make_problem(const struct flight *flight, enum dns_problem problem)
{
    struct answer *answer = answer_new_problem(flight->question.type, problem);
    return answer != NULL ? answer : answer_ref(flight->flights->nomem);
}

/* `answer` (taken) as that of the flight's own question: the chain's TTL and trust. */
static struct answer *as_own(const struct flight *flight, struct answer *answer, uint8_t server)
{
    struct answer *own = answer_own(
        answer, answer->ttl_s < flight->chain_ttl_s ? answer->ttl_s : flight->chain_ttl_s);
    if (own == NULL)
        return answer_ref(flight->flights->nomem);
    own->secure = own->secure && flight->secure;
    own->aliased = flight->aliased;
    own->server = server;
    own->took_ms = (uint32_t)(now_ms(flight->flights) - flight->started_ms);
    return own;
}

/* --- asking the source ---------------------------------------------------------------------- */

static void on_result(void *arg, const struct source_result *result);

static void ask_source(struct flight *flight)
{
    struct source *source = flight->origin->source;
    flight->source_deadline_ms = flight->deadline_ms;
    void *handle =
        source->ops->ask(source, &flight->target, flight->deadline_ms, on_result, flight);
    /* No handle: done was called, and the flight may be gone. */
    if (handle != NULL)
        flight->handle = handle;
}

static bool is_circle(struct flight *flight)
{
    uint64_t hash = cache_hash(flight->flights->cache, &flight->target);
    if (question_equal(&flight->target, &flight->question))
        return true;
    for (unsigned i = 0; i < flight->seen_count; i++)
        if (flight->seen[i] == hash)
            return true;
    if (flight->seen_count < CHAIN_SEEN_MAX)
        flight->seen[flight->seen_count++] = hash;
    return false;
}

/* The chain leads on.  False: for too long; what a message held of it costs a single hop. */
static bool count_hop(struct flight *flight)
{
    return ++flight->hops <= atomic_load(&flight->flights->max_cname_hops);
}

/* The chain leads on to another name: from the cache if it is there, else from the source. */
static void follow(struct flight *flight, const struct question *target)
{
    struct flights *flights = flight->flights;
    flight->target = *target;
    flight->target.type = flight->question.type;
    if (is_circle(flight)) {
        land(flight, make_problem(flight, PROBLEM_LOOP));
        return;
    }
    if (!count_hop(flight)) {
        land(flight, make_problem(flight, PROBLEM_CHAIN));
        return;
    }
    struct cache_found found = cache_peek(flights->cache, &flight->target, now_ms(flights));
    if (found.hit == CACHE_FRESH) {
        if (found.ttl_left_s < flight->chain_ttl_s)
            flight->chain_ttl_s = found.ttl_left_s;
        land(flight, as_own(flight, found.answer, found.answer->server));
        return;
    }
    answer_unref(found.answer);
    ask_source(flight);
}

/* The first asker's time is up, but one who joined him later still has some: ask once more. */
static bool is_worth_again(const struct flight *flight, const struct answer *answer)
{
    int64_t now = now_ms(flight->flights);
    return answer->outcome == DNS_TEMPERROR &&
           (answer->problem == PROBLEM_DEADLINE || answer->problem == PROBLEM_TIMEOUT) &&
           now >= flight->source_deadline_ms && flight->deadline_ms - now >= FLIGHT_AGAIN_MS;
}

static void on_result(void *arg, const struct source_result *result)
{
    struct flight *flight = arg;
    struct flights *flights = flight->flights;
    struct answer *answer = result->answer;
    flight->handle = NULL;
    if (flight->dropped || answer == NULL) { /* cancelled, or out of memory */
        answer_unref(answer);
        land(flight, answer_ref(flight->dropped ? flights->cancelled : flights->nomem));
        return;
    }
    flight->secure = flight->secure && answer->secure;
    flight->aliased = flight->aliased || result->chained || result->hops > 0;
    if (result->chain_ttl_s < flight->chain_ttl_s)
        flight->chain_ttl_s = result->chain_ttl_s;
    if (result->chained) {
        answer_unref(answer);
        follow(flight, &result->target);
    } else if (is_worth_again(flight, answer)) {
        answer_unref(answer);
        ask_source(flight);
    } else {
        uint8_t server =
            flights->server_number(flights->resolver, flight->origin->source, answer->server);
        land(flight, as_own(flight, answer, server));
    }
}

/* Nobody wants the answer: on_result() is called, and the flight is gone, when this returns. */
static void cancel_flight(struct flight *flight)
{
    struct flights *flights = flight->flights;
    struct source *source = flight->origin->source;
    flight->dropped = true;
    if (!flights->closing && now_ms(flights) - flight->started_ms >= FLIGHT_IN_VAIN_MS)
        flights->on_event(flights->resolver, FLIGHT_IN_VAIN, &flight->question, NULL);
    source->ops->cancel(source, flight->handle);
}

/* --- stale answers (RFC 8767) --------------------------------------------------------------- */

static struct resolver_request *first_due(const struct flight *flight, int64_t now)
{
    struct resolver_request *request;
    TAILQ_FOREACH(request, &flight->waiters, link)
    {
        if (request->stale != NULL && now >= request->stale_due_ms)
            return request;
    }
    return NULL;
}

static void arm_stale_timer(struct flight *flight);

/* Give those who have waited long enough what they can fall back on. */
static void give_stale(struct flight *flight)
{
    struct flights *flights = flight->flights;
    struct resolver_request *request;
    while ((request = first_due(flight, now_ms(flights))) != NULL) {
        flight->background = true; /* the answer is still wanted, by the cache */
        deliver_stale(flights, request);
    }
    arm_stale_timer(flight);
}

static void on_stale_timer(void *arg)
{
    give_stale(arg);
}

/* For the next who will have waited long enough.  Without memory he waits for the flight's end. */
static void arm_stale_timer(struct flight *flight)
{
    struct flights *flights = flight->flights;
    int64_t due_ms = INT64_MAX;
    const struct resolver_request *request;
    TAILQ_FOREACH(request, &flight->waiters, link)
    {
        if (request->stale != NULL && request->stale_due_ms < due_ms)
            due_ms = request->stale_due_ms;
    }
    if (due_ms == INT64_MAX || flights->loop == NULL)
        return;
    if (flight->timer == NULL)
        flight->timer = loop_timer_new(flights->loop, on_stale_timer, flight);
    if (flight->timer != NULL && loop_timer_arm(flight->timer, due_ms) != RESULT_OK)
        loop_timer_disarm(flight->timer);
}

static struct flight *find_due(struct flights *flights)
{
    struct flight *flight;
    for (size_t i = 0; i < flights->table_size; i++)
        LIST_FOREACH(flight, &flights->table[i], link)
        {
            if (first_due(flight, now_ms(flights)) != NULL)
                return flight;
        }
    return NULL;
}

void flights_give_stale(struct flights *flights)
{
    struct flight *flight;
    while ((flight = find_due(flights)) != NULL) /* askers may have begun others */
        give_stale(flight);
}

/* --- asking --------------------------------------------------------------------------------- */

/* The request waits for this flight from now on. */
static void join(struct flight *flight, struct resolver_request *request)
{
    int64_t latest_ms = flight->started_ms + FLIGHT_MAX_MS;
    request->flight = flight;
    TAILQ_INSERT_TAIL(&flight->waiters, request, link);
    flight->background = flight->background || request->done == NULL;
    if (request->deadline_ms > flight->deadline_ms)
        flight->deadline_ms = request->deadline_ms < latest_ms ? request->deadline_ms : latest_ms;
    if (request->stale == NULL)
        return;
    request->stale_due_ms = request->asked_ms + STALE_TIMER_MS;
    if (request->stale_due_ms > request->deadline_ms - STALE_MARGIN_MS)
        request->stale_due_ms = request->deadline_ms - STALE_MARGIN_MS;
    arm_stale_timer(flight);
}

/* Packets may have been lost since the question was sent.  The flight may be gone afterwards. */
static void nudge_source(struct flight *flight)
{
    struct source *source = flight->origin->source;
    if (flight->handle == NULL || source->ops->nudge == NULL)
        return;
    flight->source_deadline_ms = flight->deadline_ms;
    source->ops->nudge(source, flight->handle, flight->deadline_ms);
}

/* Refreshing ahead gives way to those who wait. */
static bool is_full(const struct flights *flights, const struct resolver_request *request)
{
    unsigned max = atomic_load(&flights->max_queries);
    return flights->count >= (request->done == NULL ? max / 2 : max);
}

void flights_begin(struct flights *flights, struct resolver_request *request)
{
    struct flight *flight = find(flights, request);
    if (flights->closing) {
        deliver(flights, request, flights->cancelled, DNS_FROM_NETWORK, 0);
        return;
    }
    if (flight != NULL) {
        join(flight, request);
        nudge_source(flight);
        return;
    }
    /* Somebody may have landed since the asker looked. */
    struct cache_found found = {.hit = CACHE_MISS};
    if (request->done != NULL)
        found = cache_peek(flights->cache, &request->question, now_ms(flights));
    if (found.hit == CACHE_FRESH) {
        deliver(flights, request, found.answer, DNS_FROM_CACHE, found.ttl_left_s);
        answer_unref(found.answer);
        return;
    }
    answer_unref(found.answer);
    bool full = is_full(flights, request);
    if (full || (flight = flight_new(flights, request)) == NULL) {
        flights->on_event(flights->resolver, FLIGHT_REFUSED, &request->question, NULL);
        deliver_final(flights, request, full ? flights->refused : flights->nomem);
        return;
    }
    flights->on_event(flights->resolver, FLIGHT_BEGAN, &request->question, NULL);
    join(flight, request);
    ask_source(flight);
}

void flights_drop(struct flights *flights, struct resolver_request *request)
{
    if (!atomic_load(&request->answered)) {
        flights->on_event(flights->resolver, FLIGHT_CANCELLED, &request->question, NULL);
        deliver(flights, request, flights->cancelled, DNS_FROM_NETWORK, 0);
        struct flight *flight = find(flights, request);
        if (flight != NULL && TAILQ_EMPTY(&flight->waiters) && !flight->background)
            cancel_flight(flight);
    }
    request_unref(request);
}

/* --- life ----------------------------------------------------------------------------------- */

enum result flights_init(struct flights *flights)
{
    size_t size = 64;
    while (size < atomic_load(&flights->max_queries) && size < TABLE_MAX)
        size *= 2;
    flights->table_size = size;
    flights->table = calloc(size, sizeof *flights->table);
    flights->refused = answer_new_problem(RR_PTR, PROBLEM_LIMIT);
    flights->cancelled = answer_new_problem(RR_PTR, PROBLEM_CANCELLED);
    flights->nomem = answer_new_problem(RR_PTR, PROBLEM_MEMORY);
    if (flights->table == NULL || flights->refused == NULL || flights->cancelled == NULL ||
        flights->nomem == NULL)
        return RESULT_NOMEM;
    return RESULT_OK;
}

void flights_clear(struct flights *flights)
{
    flights->closing = true;
    for (size_t i = 0; flights->table != NULL && i < flights->table_size; i++)
        while (!LIST_EMPTY(&flights->table[i]))
            cancel_flight(LIST_FIRST(&flights->table[i]));
    free(flights->table);
    flights->table = NULL;
    answer_unref(flights->refused);
    answer_unref(flights->cancelled);
    answer_unref(flights->nomem);
}
