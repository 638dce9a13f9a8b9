/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/query_private.h"

#include "dns/dnsrr.h"

#include <stdlib.h>

/* --- its end ---------------------------------------------------------------------------------- */

/* How much a problem tells: what a server said is worth more than its silence. */
static unsigned weight(enum dns_problem problem)
{
    static const enum dns_problem by_weight[] = {
        PROBLEM_NETWORK, PROBLEM_TIMEOUT,  PROBLEM_LIMIT,     PROBLEM_MALFORMED, PROBLEM_RCODE,
        PROBLEM_REFUSED, PROBLEM_SERVFAIL, PROBLEM_OTHER_SOA, PROBLEM_NO_SOA,    PROBLEM_BOGUS};
    for (unsigned i = 0; i < sizeof by_weight / sizeof by_weight[0]; i++)
        if (by_weight[i] == problem)
            return i + 1;
    return 0;
}

bool query_note_problem(struct query *query, enum dns_problem problem,
                        const struct attempt *attempt)
{
    if (weight(problem) <= weight(query->problem))
        return false;
    query->problem = problem;
    query->problem_label = attempt->server->label;
    return true;
}

void query_note_reason(struct query *query, struct answer *reason)
{
    answer_unref(query->reason);
    query->reason = reason;
}

/* Those that failed at what `winner` could answer. */
void query_outdone(struct query *query, const struct attempt *winner)
{
    for (unsigned i = 0; i < query->count; i++)
        if (query->attempts[i].erred && &query->attempts[i] != winner)
            attempt_blame(&query->attempts[i], server_was_outdone);
}

static void query_free(struct query *query)
{
    struct query_pool *pool = query->pool;
    query_inquiry_free(query);
    for (unsigned i = 0; i < query->count; i++) {
        attempt_close(&query->attempts[i]);
        server_unref(query->attempts[i].server);
    }
    if (query->finished != NULL)
        *query->finished = true;
    answer_unref(query->reason);
    LIST_REMOVE(query, link);
    loop_timer_free(query->timer);
    free(query);
    if (LIST_EMPTY(&pool->running))
        query_pool_rest(pool);
}

/* The query is gone when its asker hears of it: the asker may do as it likes. */
void query_finish(struct query *query, struct source_result *result, uint8_t label)
{
    source_done *done = query->done;
    void *arg = query->arg;
    int64_t took_ms = loop_now_ms(query->pool->loop) - query->start_ms;

    if (result->answer != NULL) {
        result->answer->server = label;
        result->answer->origin = DNS_FROM_NETWORK;
        result->answer->took_ms = took_ms > 0 ? (uint32_t)took_ms : 0;
    }
    if (query->life)
        query_pool_life(query->pool, query->attempts[0].server);
    if (done != NULL && (result->answer == NULL || result->answer->problem != PROBLEM_CANCELLED))
        metric_observe_ms(query->pool->metrics.seconds, took_ms);
    query_free(query);
    if (done != NULL)
        done(arg, result);
    else
        answer_unref(result->answer);
}

void query_fail(struct query *query, enum dns_problem problem)
{
    struct source_result result = {.chain_ttl_s = UINT32_MAX};
    if (query->reason != NULL && query->reason->problem == problem)
        result.answer = answer_copy(query->reason, 0);
    else
        result.answer = answer_new_problem(query->question.type, problem);
    query_finish(query, &result, query->problem_label);
}

/* Can an answer still come from any server? */
static bool query_attempts_open(const struct query *query)
{
    for (unsigned i = 0; i < query->count; i++)
        if (attempt_open(&query->attempts[i]))
            return true;
    return false;
}

static void query_fail_late(struct query *query)
{
    for (unsigned i = 0; i < query->count; i++)
        if (query->attempts[i].waiting)
            query_note_problem(query, PROBLEM_LIMIT, &query->attempts[i]);
    query_fail(query, query->problem != PROBLEM_NONE ? query->problem : PROBLEM_DEADLINE);
}

/* --- the timer -------------------------------------------------------------------------------- */

void query_arm(struct query *query, int64_t due_ms)
{
    if (due_ms > query->deadline_ms)
        due_ms = query->deadline_ms;
    if (loop_timer_arm(query->timer, due_ms) != RESULT_OK)
        query_fail(query, PROBLEM_LIMIT);
}

static void on_timer(void *arg)
{
    struct query *query = arg;
    struct attempt *attempt = query->current;
    bool late = loop_now_ms(query->pool->loop) >= query->deadline_ms;
    query->current = NULL;
    /* A deadline that comes sooner than the server had time to answer says nothing about it. */
    if (attempt != NULL && attempt->udp != NULL && !late) {
        query_pool_silent(query->pool, attempt->server);
        metric_add(query->pool->metrics.timeouts, 0, 0, 1);
        query_note_problem(query, PROBLEM_TIMEOUT, attempt);
    } else if (attempt != NULL && attempt->tcp != NULL && !late) {
        query_note_problem(query, PROBLEM_TIMEOUT, attempt);
    }
    if (late)
        query_fail_late(query);
    else
        query_next(query);
}

/* --- asking ----------------------------------------------------------------------------------- */

/*
 * The attempt of the next try: the servers that are up round after round, and between two rounds
 * the others once.  NULL: the tries that were set are over.
 */
static struct attempt *query_try(struct query *query, unsigned *round)
{
    unsigned attempts = query->pool->settings.attempts, try = query->tries++;
    unsigned group = query->up > 0 ? query->up : query->count, rest = query->count - group;
    unsigned first =
        group * (attempts > 0 && attempts < QUERY_ROUNDS_UP ? attempts : QUERY_ROUNDS_UP);
    if (try >= first && try < first + rest) {
        *round = 0;
        return &query->attempts[group + try - first];
    }
    if (try >= first)
        try -= rest;
    *round = try / group;
    return attempts > 0 && *round >= attempts ? NULL : &query->attempts[try % group];
}

/* Descriptors, ports or memory have run out: not the server's fault, and it may pass. */
static void query_wait_local(struct query *query, const struct attempt *attempt)
{
    query_note_problem(query, PROBLEM_LIMIT, attempt);
    query->tries--;
    query->current = NULL;
    query_arm(query, loop_now_ms(query->pool->loop) + QUERY_LOCAL_MS);
}

/* When a server that could not be reached may be asked again; INT64_MAX: there is none. */
static int64_t query_again_ms(const struct query *query)
{
    int64_t again_ms = INT64_MAX;
    for (unsigned i = 0; i < query->count; i++) {
        const struct attempt *attempt = &query->attempts[i];
        if (!attempt->over && attempt->again_ms > 0 && attempt->again_ms < again_ms)
            again_ms = attempt->again_ms;
    }
    return again_ms;
}

/* Nothing is to be sent now: wait for slow answers and for servers that may come back, or end. */
static void query_wait(struct query *query)
{
    int64_t again_ms = query_again_ms(query);
    query->current = NULL;
    if (again_ms != INT64_MAX)
        query_arm(query, again_ms);
    else if (query_attempts_open(query))
        query_arm(query, query->deadline_ms);
    else
        query_fail_late(query);
}

/* May it be asked?  One that could not be reached may when its time has come, and over again. */
static bool query_may_ask(const struct query *query, const struct attempt *attempt)
{
    return !attempt->over && attempt->again_ms <= loop_now_ms(query->pool->loop);
}

/* The next server that may be asked now; NULL: none. */
static struct attempt *query_choose(struct query *query, unsigned *round)
{
    unsigned before = query->tries;
    for (unsigned passed = 0; passed <= 3 * query->count; passed++) {
        struct attempt *attempt = query_try(query, round);
        if (attempt == NULL)
            break;
        if (query_may_ask(query, attempt))
            return attempt;
    }
    query->tries = before;
    /* Refusals are no tries: they cost none of those that were set. */
    for (unsigned i = 0; i < query->count; i++)
        if (query->attempts[i].again_ms > 0 && query_may_ask(query, &query->attempts[i])) {
            *round = 0;
            return &query->attempts[i];
        }
    return NULL;
}

void query_next(struct query *query)
{
    struct attempt *attempt;
    unsigned round;
    while ((attempt = query_choose(query, &round)) != NULL) {
        enum result status;
        attempt->again_ms = 0;
        status = attempt_ask(attempt);
        if (status == RESULT_OK) {
            query->current = attempt;
            query_arm(query, query->sent_ms + attempt_timeout_ms(attempt, round));
            return;
        }
        if (status != RESULT_IO) {
            query_wait_local(query, attempt);
            return;
        }
        attempt_lost(attempt, PROBLEM_NETWORK);
    }
    query_wait(query);
}

void query_nudge(struct query *query, int64_t deadline_ms)
{
    int64_t now_ms = loop_now_ms(query->pool->loop);
    if (deadline_ms > query->deadline_ms)
        query->deadline_ms = deadline_ms;
    /* A question about a denial, and one over TCP, are in no need of it. */
    if (query->inquiry != NULL || now_ms - query->sent_ms < QUERY_NUDGE_MS ||
        (query->current != NULL && query->current->udp == NULL))
        return;
    query->current = NULL;
    query->tries = 0; /* short pauses again */
    query_next(query);
}

/* --- life cycle ------------------------------------------------------------------------------- */

static struct query *query_new(struct query_pool *pool, const struct question *question,
                               struct server *const *servers, unsigned count, int64_t deadline_ms)
{
    struct query *query = malloc(sizeof *query + count * sizeof query->attempts[0]);
    if (query == NULL)
        return NULL;
    *query = (struct query){.pool = pool,
                            .question = *question,
                            .count = count,
                            .problem_label = SERVER_NO_LABEL,
                            .start_ms = loop_now_ms(pool->loop),
                            .deadline_ms = deadline_ms};
    query->timer = loop_timer_new(pool->loop, on_timer, query);
    if (query->timer == NULL) {
        free(query);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++)
        query->attempts[i] = (struct attempt){.query = query, .server = server_ref(servers[i])};
    LIST_INSERT_HEAD(&pool->running, query, link);
    return query;
}

/* False: the query is over already. */
static bool query_begin(struct query *query)
{
    bool finished = false;
    query->finished = &finished;
    if (query->start_ms >= query->deadline_ms)
        query_fail(query, PROBLEM_DEADLINE);
    else
        query_next(query);
    if (!finished)
        query->finished = NULL;
    return !finished;
}

/* Ask; `query` NULL: there was no memory for it.  Returns the query unless it is over already. */
static struct query *query_run(struct query *query, source_done *done, void *arg)
{
    if (query == NULL) {
        struct source_result result = {.chain_ttl_s = UINT32_MAX};
        done(arg, &result);
        return NULL;
    }
    query->done = done;
    query->arg = arg;
    return query_begin(query) ? query : NULL;
}

struct query *query_start(struct query_pool *pool, const struct question *question,
                          struct server *const *servers, unsigned up, unsigned count,
                          int64_t deadline_ms, source_done *done, void *arg)
{
    struct query *query = query_new(pool, question, servers, count, deadline_ms);
    if (query != NULL)
        query->up = up;
    return query_run(query, done, arg);
}

struct query *query_start_proof(struct query_pool *pool, const struct question *question,
                                struct server *server, int64_t deadline_ms, struct denial *heard,
                                source_done *done, void *arg)
{
    struct query *query = query_new(pool, question, &server, 1, deadline_ms);
    if (query != NULL) {
        query->up = 1;
        query->heard = heard;
    }
    return query_run(query, done, arg);
}

void query_pause(struct query *query)
{
    for (unsigned i = 0; i < query->count; i++)
        attempt_close(&query->attempts[i]);
    query->current = NULL;
    loop_timer_disarm(query->timer);
}

void query_abandon(struct query *query)
{
    query->done = NULL;
    query_cancel(query);
}

void query_cancel(struct query *query)
{
    query->life = false; /* nothing follows from its end */
    query_fail(query, PROBLEM_CANCELLED);
}

void query_probe(struct query_pool *pool, const struct question *question, struct server *server)
{
    int64_t deadline_ms = loop_now_ms(pool->loop) + SERVER_TIMEOUT_MAX_MS;
    struct query *query = query_new(pool, question, &server, 1, deadline_ms);
    if (query != NULL)
        query_next(query);
}

void query_ask_for_life(struct query_pool *pool, struct server *server)
{
    /* The root's name servers: every resolver has them, and who does not recurse says so. */
    const struct question question = {.type = RR_NS, .length = 1};
    int64_t deadline_ms = loop_now_ms(pool->loop) + SERVER_LIFE_MS;
    struct query *query = query_new(pool, &question, &server, 1, deadline_ms);
    if (query == NULL) {
        query_pool_life(pool, server);
        return;
    }
    query->life = true;
    query_next(query);
}
