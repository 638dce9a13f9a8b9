/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "dns/pending_query_private.h"

#include <stdlib.h>

/*
 * A query may go on for so long although its askers' time is up, if they are still there: the
 * answer is of use to the next.  It goes on no longer than PENDING_MAX_MS however many come.
 */
#define PENDING_MIN_MS 3000
#define PENDING_MAX_MS 30000

/* RFC 8767 5: who has a stale answer to fall back on waits no longer than this. */
#define STALE_TIMER_MS 1800
/* Nor until his own time is up: so much is left for what he does with the answer. */
#define STALE_MARGIN_MS 100

/* The limits on queries are no promise of memory: the table has up to so many lists. */
#define TABLE_MAX 65536

/* The cache's figures are brought into the metrics so often at most. */
#define FIGURES_MS 1000

static void note_count(const struct pending_queries *queries)
{
    metric_set(queries->use.metrics->under_way, 0, 0, queries->count);
}

/* What the askers hear. */
static void note_outcome(struct pending_queries *queries, const struct answer *answer)
{
    const struct resolver_metrics *metrics = queries->use.metrics;
    int64_t now = now_ms(queries);
    note_count(queries);
    if (answer->outcome == DNS_TEMPERROR)
        metric_add(metrics->failures, answer->problem, 0, 1);
    if (now < queries->figures_ms)
        return;
    queries->figures_ms = now + FIGURES_MS;
    resolver_metrics_take_cache(metrics, queries->use.cache);
}

/* --- requests ------------------------------------------------------------------------------- */

struct resolver_request *pending_request_new(struct pending_queries *queries,
                                             const struct question *question, uint64_t network,
                                             int64_t deadline_ms, resolver_done *done, void *arg,
                                             struct answer *stale, unsigned refs)
{
    struct resolver_request *request = malloc(sizeof *request);
    if (request == NULL)
        return NULL;
    *request = (struct resolver_request){.queries = queries,
                                         .done = done,
                                         .arg = arg,
                                         .stale = stale,
                                         .asked_ms = clock_ms(loop_clock(queries->use.loop)),
                                         .deadline_ms = deadline_ms,
                                         .network = network,
                                         .hash = cache_hash(queries->use.cache, question),
                                         .question = *question};
    atomic_init(&request->refs, refs);
    return request;
}

bool pending_request_is_answered(const struct resolver_request *request)
{
    return atomic_load(&request->answered);
}

void pending_request_unref(struct resolver_request *request)
{
    if (atomic_fetch_sub(&request->refs, 1) != 1)
        return;
    answer_unref(request->stale);
    free(request);
}

/* Tell the asker, once; the query's reference ends with it. */
static void deliver(struct pending_queries *queries, struct resolver_request *request,
                    struct answer *answer, enum dns_origin origin, uint32_t ttl_left_s)
{
    int64_t took_ms = now_ms(queries) - request->asked_ms;
    const struct resolver_answer delivery = {
        .answer = answer,
        .origin = origin,
        .ttl_left_s = ttl_left_s,
        .took_ms = took_ms > 0 ? (uint32_t)took_ms : 0,
    };
    if (request->query != NULL) {
        TAILQ_REMOVE(&request->query->waiters, request, link);
        pending_unwatch_request(request);
    }
    request->query = NULL;
    atomic_store(&request->answered, true);
    if (request->done != NULL)
        request->done(request->arg, &delivery);
    pending_request_unref(request);
}

static void deliver_stale(struct pending_queries *queries, struct resolver_request *request)
{
    metric_add(queries->use.metrics->stale_served, 0, 0, 1);
    deliver(queries, request, request->stale, DNS_FROM_STALE, 0);
}

void pending_deliver(struct pending_queries *queries, struct resolver_request *request,
                     struct answer *answer)
{
    if (answer->outcome == DNS_TEMPERROR && answer->problem != PROBLEM_CANCELLED &&
        request->stale != NULL)
        deliver_stale(queries, request);
    else
        deliver(queries, request, answer, (enum dns_origin)answer->origin, answer->ttl_s);
}

/* --- the table ------------------------------------------------------------------------------ */

static struct pending_list *list_of(const struct pending_queries *queries,
                                    const struct resolver_request *request)
{
    return &queries->table[request->hash & (queries->table_size - 1)];
}

static struct pending_query *find(const struct pending_queries *queries,
                                  const struct resolver_request *request)
{
    struct pending_query *query;
    LIST_FOREACH(query, list_of(queries, request), link)
    {
        if (question_equal(&query->question, &request->question))
            return query;
    }
    return NULL;
}

/* A new query for the request's question, or NULL (memory).  It is not under way yet. */
static struct pending_query *query_new(struct pending_queries *queries,
                                       const struct resolver_request *request)
{
    struct pending_query *query = malloc(sizeof *query);
    int64_t now = now_ms(queries);
    if (query == NULL)
        return NULL;
    *query = (struct pending_query){.queries = queries,
                                    .question = request->question,
                                    .target = request->question,
                                    .source = sources_use(queries->use.sources),
                                    .chain_ttl_s = UINT32_MAX,
                                    .secure = true,
                                    .started_ms = now,
                                    .deadline_ms = now + PENDING_MIN_MS};
    if (!pending_share_join(query, request->network)) {
        sources_release(queries->use.sources, query->source);
        free(query);
        return NULL;
    }
    TAILQ_INIT(&query->waiters);
    LIST_INSERT_HEAD(list_of(queries, request), query, link);
    queries->count++;
    return query;
}

/* --- the end of a query
 * -------------------------------------------------------------------------------- */

/* Did the DNS fail, rather than we or our asker? */
static bool is_worth_keeping(const struct answer *answer)
{
    return answer->outcome != DNS_TEMPERROR ||
           !dns_problem_is_ours((enum dns_problem)answer->problem);
}

static struct answer *make_problem(const struct pending_query *query, enum dns_problem problem)
{
    struct answer *answer = answer_new_problem(query->question.type, problem);
    return answer != NULL ? answer : answer_ref(query->queries->nomem);
}

/* A denial of servers that deny everything says nothing. */
static struct answer *as_believed(const struct pending_query *query, struct answer *answer)
{
    if (!answer_is_denial(answer) || answer->origin == DNS_FROM_ZONE ||
        !breaker_denies(query->queries->use.breaker))
        return answer;
    answer_unref(answer);
    return make_problem(query, PROBLEM_DENIES);
}

/* Askers may ask again at once, so by then the query is in no table any more. */
void pending_complete(struct pending_query *query, struct answer *answer)
{
    struct pending_queries *queries = query->queries;
    LIST_REMOVE(query, link);
    pending_share_answered(queries, answer);
    pending_share_leave(query);
    queries->count--;
    breaker_report(queries->use.breaker, &query->question, answer);
    answer = as_believed(query, answer);
    note_outcome(queries, answer);
    if (is_worth_keeping(answer) && sources_is_present(queries->use.sources, query->source))
        cache_store(queries->use.cache, &query->question, answer, now_ms(queries));
    while (!TAILQ_EMPTY(&query->waiters))
        pending_deliver(queries, TAILQ_FIRST(&query->waiters), answer);
    loop_timer_free(query->timer);
    sources_release(queries->use.sources, query->source);
    free(query);
    answer_unref(answer);
}

/* `answer` (taken) as that of the query's own question: the chain's TTL and trust. */
static struct answer *as_own(const struct pending_query *query, struct answer *answer,
                             uint8_t server)
{
    struct answer *own =
        answer_own(answer, answer->ttl_s < query->chain_ttl_s ? answer->ttl_s : query->chain_ttl_s);
    if (own == NULL)
        return answer_ref(query->queries->nomem);
    own->secure = own->secure && query->secure;
    own->aliased = query->aliased;
    own->server = server;
    own->took_ms = (uint32_t)(now_ms(query->queries) - query->started_ms);
    return own;
}

/* --- asking the source ---------------------------------------------------------------------- */

static void on_result(void *arg, const struct source_result *result);

void pending_ask_source(struct pending_query *query)
{
    struct source *source = query->source;
    void *handle = source->ops->ask(source, &query->target, query->deadline_ms, on_result, query);
    /* No handle: done was called, and the query may be gone. */
    if (handle != NULL)
        query->handle = handle;
}

static bool is_circle(struct pending_query *query)
{
    uint64_t hash = cache_hash(query->queries->use.cache, &query->target);
    if (question_equal(&query->target, &query->question))
        return true;
    for (unsigned i = 0; i < query->seen_count; i++)
        if (query->seen[i] == hash)
            return true;
    if (query->seen_count < CHAIN_SEEN_MAX)
        query->seen[query->seen_count++] = hash;
    return false;
}

/* The chain leads on.  False: for too long; what a message held of it costs a single hop. */
static bool count_hop(struct pending_query *query)
{
    return ++query->hops <= atomic_load(&query->queries->max_cname_hops);
}

static void log_alias_limit(const struct pending_query *query)
{
    struct pending_queries *queries = query->queries;
    char name[NAME_TEXT_MAX];
    if (!finding_note(queries->use.findings, FINDING_ALIAS_LIMIT, queries->use.loop))
        return;
    log_warning("%s is an alias of an alias, and so on, more than %u times (dns.max-cname-hops): "
                "such lookups fail",
                wirename_text(query->question.name, query->question.length, name),
                atomic_load(&queries->max_cname_hops));
}

/* The chain leads on to another name: from the cache if it is there, else from the source. */
static void follow(struct pending_query *query, const struct question *target)
{
    struct pending_queries *queries = query->queries;
    query->target = *target;
    query->target.type = query->question.type;
    if (is_circle(query)) {
        pending_complete(query, make_problem(query, PROBLEM_LOOP));
        return;
    }
    if (!count_hop(query)) {
        log_alias_limit(query);
        pending_complete(query, make_problem(query, PROBLEM_CHAIN));
        return;
    }
    struct cache_found found = cache_peek(queries->use.cache, &query->target, now_ms(queries));
    if (found.hit == CACHE_FRESH) {
        if (found.ttl_left_s < query->chain_ttl_s)
            query->chain_ttl_s = found.ttl_left_s;
        pending_complete(query, as_own(query, found.answer, found.answer->server));
        return;
    }
    answer_unref(found.answer);
    pending_ask_source(query);
}

static void on_result(void *arg, const struct source_result *result)
{
    struct pending_query *query = arg;
    struct pending_queries *queries = query->queries;
    struct answer *answer = result->answer;
    struct source *source = query->source;
    query->handle = NULL;
    if (source->ops->came_back != NULL && source->ops->came_back(source))
        pending_queries_recovered(queries);
    if (query->postponed) {
        answer_unref(answer);
        pending_share_postponed(query);
        return;
    }
    if (query->dropped) {
        answer_unref(answer);
        pending_complete(query, answer_ref(queries->refused));
        return;
    }
    if (query->abandoned || answer == NULL) { /* cancelled, or out of memory */
        answer_unref(answer);
        pending_complete(query, answer_ref(query->abandoned ? queries->cancelled : queries->nomem));
        return;
    }
    query->secure = query->secure && answer->secure;
    query->aliased = query->aliased || result->chained || result->hops > 0;
    if (result->chain_ttl_s < query->chain_ttl_s)
        query->chain_ttl_s = result->chain_ttl_s;
    if (result->chained) {
        answer_unref(answer);
        follow(query, &result->target);
    } else {
        uint8_t server = sources_server(queries->use.sources, query->source, answer->server);
        pending_complete(query, as_own(query, answer, server));
    }
}

/* Nobody wants the answer: on_result() is called, and the query is gone, when this returns. */
static void abandon(struct pending_query *query)
{
    struct source *source = query->source;
    query->abandoned = true;
    if (query->waiting)
        pending_complete(query, answer_ref(query->queries->cancelled));
    else
        source->ops->cancel(source, query->handle);
}

/* --- stale answers (RFC 8767) --------------------------------------------------------------- */

static struct resolver_request *first_due(const struct pending_query *query, int64_t now)
{
    struct resolver_request *request;
    TAILQ_FOREACH(request, &query->waiters, link)
    {
        if (request->stale != NULL && now >= request->stale_due_ms)
            return request;
    }
    return NULL;
}

static void arm_stale_timer(struct pending_query *query);

/* Give those who have waited long enough what they can fall back on. */
static void give_stale(struct pending_query *query)
{
    struct pending_queries *queries = query->queries;
    struct resolver_request *request;
    while ((request = first_due(query, now_ms(queries))) != NULL) {
        query->background = true; /* the answer is still wanted, by the cache */
        deliver_stale(queries, request);
    }
    arm_stale_timer(query);
}

static void on_stale_timer(void *arg)
{
    give_stale(arg);
}

/* For the next who will have waited long enough.  Without memory he waits for the query's end. */
static void arm_stale_timer(struct pending_query *query)
{
    struct pending_queries *queries = query->queries;
    int64_t due_ms = INT64_MAX;
    const struct resolver_request *request;
    TAILQ_FOREACH(request, &query->waiters, link)
    {
        if (request->stale != NULL && request->stale_due_ms < due_ms)
            due_ms = request->stale_due_ms;
    }
    if (due_ms == INT64_MAX)
        return;
    if (query->timer == NULL)
        query->timer = loop_timer_new(queries->use.loop, on_stale_timer, query);
    if (query->timer != NULL && loop_timer_arm(query->timer, due_ms) != RESULT_OK)
        loop_timer_disarm(query->timer);
}

/* --- asking --------------------------------------------------------------------------------- */

/* The request waits for this query from now on. */
static void join(struct pending_query *query, struct resolver_request *request)
{
    int64_t latest_ms = query->started_ms + PENDING_MAX_MS;
    request->query = query;
    TAILQ_INSERT_TAIL(&query->waiters, request, link);
    pending_watch_request(request);
    query->background = query->background || request->done == NULL;
    if (request->deadline_ms > query->deadline_ms)
        query->deadline_ms = request->deadline_ms < latest_ms ? request->deadline_ms : latest_ms;
    if (request->stale == NULL)
        return;
    request->stale_due_ms = request->asked_ms + STALE_TIMER_MS;
    if (request->stale_due_ms > request->deadline_ms - STALE_MARGIN_MS)
        request->stale_due_ms = request->deadline_ms - STALE_MARGIN_MS;
    arm_stale_timer(query);
}

void pending_nudge(struct pending_query *query)
{
    struct source *source = query->source;
    if (query->handle == NULL || source->ops->nudge == NULL)
        return;
    source->ops->nudge(source, query->handle, query->deadline_ms);
}

/* Refreshing ahead gives way to those who wait. */
static bool is_full(const struct pending_queries *queries, const struct resolver_request *request)
{
    unsigned max = atomic_load(&queries->max_queries);
    return queries->count >= (request->done == NULL ? max / 2 : max);
}

void pending_request_ask(void *arg)
{
    struct resolver_request *request = arg;
    struct pending_queries *queries = request->queries;
    struct pending_query *query = find(queries, request);
    if (queries->closing) {
        deliver(queries, request, queries->cancelled, DNS_FROM_NETWORK, 0);
        return;
    }
    if (query != NULL) {
        join(query, request);
        pending_nudge(query);
        return;
    }
    /* An answer may have come since the asker looked. */
    struct cache_found found = {.hit = CACHE_MISS};
    if (request->done != NULL)
        found = cache_peek(queries->use.cache, &request->question, now_ms(queries));
    if (found.hit == CACHE_FRESH) {
        deliver(queries, request, found.answer, DNS_FROM_CACHE, found.ttl_left_s);
        answer_unref(found.answer);
        return;
    }
    answer_unref(found.answer);
    if (request->done != NULL && is_full(queries, request)) {
        pending_share_drop(queries);
        /* The askers of what was dropped may have asked for anything. */
        if ((query = find(queries, request)) != NULL) {
            join(query, request);
            pending_nudge(query);
            return;
        }
    }
    bool full = is_full(queries, request);
    if (full || (query = query_new(queries, request)) == NULL) {
        metric_add(queries->use.metrics->refused, 0, 0, 1);
        pending_deliver(queries, request, full ? queries->refused : queries->nomem);
        return;
    }
    metric_add(queries->use.metrics->queries, 0, 0, 1);
    note_count(queries);
    join(query, request);
    if (pending_share_admit(query))
        pending_ask_source(query);
}

void pending_request_leave(void *arg)
{
    struct resolver_request *request = arg;
    struct pending_queries *queries = request->queries;
    if (!atomic_load(&request->answered)) {
        metric_add(queries->use.metrics->cancelled, 0, 0, 1);
        deliver(queries, request, queries->cancelled, DNS_FROM_NETWORK, 0);
        struct pending_query *query = find(queries, request);
        if (query != NULL && TAILQ_EMPTY(&query->waiters) && !query->background)
            abandon(query);
    }
    pending_request_unref(request);
}

/* --- life ----------------------------------------------------------------------------------- */

void pending_queries_set_limits(struct pending_queries *queries,
                                const struct resolver_limits *limits)
{
    atomic_store(&queries->max_queries, limits->max_queries);
    atomic_store(&queries->max_cname_hops, limits->max_cname_hops);
}

struct pending_queries *pending_queries_new(const struct pending_query_services *services,
                                            const struct resolver_limits *limits)
{
    struct pending_queries *queries = calloc(1, sizeof *queries);
    size_t size = 64;
    if (queries == NULL)
        return NULL;
    while (size < limits->max_queries && size < TABLE_MAX)
        size *= 2;
    queries->use = *services;
    pending_queries_set_limits(queries, limits);
    queries->table_size = size;
    queries->table = calloc(size, sizeof *queries->table);
    queries->refused = answer_new_problem(RR_PTR, PROBLEM_LIMIT);
    queries->cancelled = answer_new_problem(RR_PTR, PROBLEM_CANCELLED);
    queries->nomem = answer_new_problem(RR_PTR, PROBLEM_MEMORY);
    if (pending_share_open(queries) && pending_watch_open(queries) && queries->table != NULL &&
        queries->refused != NULL && queries->cancelled != NULL && queries->nomem != NULL)
        return queries;
    pending_queries_free(queries);
    return NULL;
}

void pending_queries_free(struct pending_queries *queries)
{
    if (queries == NULL)
        return;
    queries->closing = true;
    for (size_t i = 0; queries->table != NULL && i < queries->table_size; i++)
        while (!LIST_EMPTY(&queries->table[i]))
            abandon(LIST_FIRST(&queries->table[i]));
    free(queries->table);
    pending_watch_close(queries);
    pending_share_close(queries);
    answer_unref(queries->refused);
    answer_unref(queries->cancelled);
    answer_unref(queries->nomem);
    free(queries);
}
