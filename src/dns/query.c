/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/query.h"

#include "base/log.h"
#include "dns/dnsmsg.h"
#include "dns/transport_tcp.h"
#include "dns/transport_udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lane {
    struct query *query;
    struct server *server;
    struct udp *udp;
    struct tcp *tcp;
    TAILQ_ENTRY(lane) link; /* in tcp_waiting */
    bool waiting;
    bool stream;  /* over TCP from now on */
    bool plain;   /* the query was sent without EDNS0 */
    bool no_edns; /* the server refused it */
    bool over;    /* nothing more is expected of it */
    bool erred;   /* it answered with an error */
    uint16_t id;
    unsigned strays;
    unsigned sent;    /* packets from this socket */
    int64_t asked_ms; /* when the socket was opened */
};

struct query {
    LIST_ENTRY(query) link;
    struct query_pool *pool;
    struct question question;
    source_done *done; /* NULL: a probe */
    void *arg;
    bool *finished; /* set while query_start() runs: where to say that we are gone */
    int64_t start_ms, deadline_ms, sent_ms;
    struct loop_timer *timer;
    enum dns_problem problem; /* the most informative so far */
    uint8_t problem_label;
    struct lane *current; /* the lane whose time is running; NULL: none */
    unsigned tries, up, count;
    struct lane lanes[];
};

static void query_next(struct query *query);
static enum result lane_stream(struct lane *lane);

/* ---- what is learned about servers ---- */

/* Time is measured where it is known which packet was answered (Karn, RFC 6298 3), by UDP. */
static void note_answered(struct lane *lane, bool good)
{
    struct query_pool *pool = lane->query->pool;
    bool measured = lane->udp != NULL && lane->sent == 1;

    query_pool_answered(pool, lane->server,
                        measured ? loop_now_ms(pool->loop) - lane->asked_ms : -1, good);
}

static void note_bad(struct lane *lane, query_pool_note *note)
{
    query_pool_failed(lane->query->pool, lane->server, note);
}

/* Those that failed at what `winner` could answer. */
static void note_outdone(struct query *query, const struct lane *winner)
{
    for (unsigned i = 0; i < query->count; i++)
        if (query->lanes[i].erred && &query->lanes[i] != winner)
            note_bad(&query->lanes[i], server_was_outdone);
}

/* How much a problem tells: what a server said is worth more than its silence. */
static unsigned weight(enum dns_problem problem)
{
    static const enum dns_problem by_weight[] = {
        PROBLEM_NETWORK, PROBLEM_TIMEOUT, PROBLEM_LIMIT,   PROBLEM_MALFORMED,
        PROBLEM_RCODE,   PROBLEM_REFUSED, PROBLEM_SERVFAIL};

    for (unsigned i = 0; i < sizeof by_weight / sizeof by_weight[0]; i++)
        if (by_weight[i] == problem)
            return i + 1;
    return 0;
}

static void note_problem(struct query *query, enum dns_problem problem, const struct lane *lane)
{
    if (weight(problem) <= weight(query->problem))
        return;
    query->problem = problem;
    query->problem_label = lane->server->label;
}

/* ---- the end of a lane and of a query ---- */

/* A turn for those who wait for a TCP connection; later, as their failing may end other queries. */
static void tcp_turn_at(struct query_pool *pool, int64_t due_ms)
{
    if (!TAILQ_EMPTY(&pool->tcp_waiting) && loop_timer_arm(pool->tcp_turn, due_ms) != RESULT_OK)
        log_error("out of memory: DNS queries over TCP are delayed");
}

static void lane_close(struct lane *lane)
{
    struct query_pool *pool = lane->query->pool;

    udp_free(lane->udp);
    lane->udp = NULL;
    if (lane->waiting) {
        TAILQ_REMOVE(&pool->tcp_waiting, lane, link);
        lane->waiting = false;
    }
    if (lane->tcp != NULL) {
        tcp_free(lane->tcp);
        lane->tcp = NULL;
        pool->tcp_open--;
        tcp_turn_at(pool, loop_now_ms(pool->loop));
    }
}

static bool lane_open(const struct lane *lane)
{
    return lane->udp != NULL || lane->tcp != NULL || lane->waiting;
}

static void query_free(struct query *query)
{
    struct query_pool *pool = query->pool;

    for (unsigned i = 0; i < query->count; i++) {
        lane_close(&query->lanes[i]);
        server_unref(query->lanes[i].server);
    }
    if (query->finished != NULL)
        *query->finished = true;
    LIST_REMOVE(query, link);
    loop_timer_free(query->timer);
    free(query);
    if (LIST_EMPTY(&pool->running))
        query_pool_rest(pool);
}

/* The query is gone when its asker hears of it: the asker may do as it likes. */
static void query_finish(struct query *query, struct source_result *result, uint8_t label)
{
    source_done *done = query->done;
    void *arg = query->arg;
    int64_t took_ms = loop_now_ms(query->pool->loop) - query->start_ms;

    if (result->answer != NULL) {
        result->answer->server = label;
        result->answer->origin = DNS_FROM_NETWORK;
        result->answer->took_ms = took_ms > 0 ? (uint32_t)took_ms : 0;
    }
    if (done != NULL && (result->answer == NULL || result->answer->problem != PROBLEM_CANCELLED))
        metric_observe_ms(query->pool->metrics.seconds, took_ms);
    query_free(query);
    if (done != NULL)
        done(arg, result);
    else
        answer_unref(result->answer);
}

static void query_fail(struct query *query, enum dns_problem problem)
{
    struct source_result result = {.chain_ttl_s = UINT32_MAX};

    result.answer = answer_new_problem(query->question.type, problem);
    query_finish(query, &result, query->problem_label);
}

static bool lanes_open(const struct query *query)
{
    for (unsigned i = 0; i < query->count; i++)
        if (lane_open(&query->lanes[i]))
            return true;
    return false;
}

static void query_fail_late(struct query *query)
{
    for (unsigned i = 0; i < query->count; i++)
        if (query->lanes[i].waiting)
            note_problem(query, PROBLEM_LIMIT, &query->lanes[i]);
    query_fail(query, query->problem != PROBLEM_NONE ? query->problem : PROBLEM_DEADLINE);
}

/* Nothing more will come from this server; the query goes on, or is over. */
static void lane_failed(struct lane *lane, enum dns_problem problem)
{
    struct query *query = lane->query;

    lane_close(lane);
    lane->over = true;
    note_problem(query, problem, lane);
    if (query->current == lane || (query->current == NULL && !lanes_open(query))) {
        query->current = NULL;
        query_next(query);
    }
}

/* ---- the timer ---- */

static void query_arm(struct query *query, int64_t due_ms)
{
    if (due_ms > query->deadline_ms)
        due_ms = query->deadline_ms;
    if (loop_timer_arm(query->timer, due_ms) != RESULT_OK)
        query_fail(query, PROBLEM_LIMIT);
}

static void on_timer(void *arg)
{
    struct query *query = arg;
    struct lane *lane = query->current;
    bool late = loop_now_ms(query->pool->loop) >= query->deadline_ms;

    query->current = NULL;
    /* A deadline that comes sooner than the server had time to answer says nothing about it. */
    if (lane != NULL && lane->udp != NULL && !late) {
        note_bad(lane, server_was_silent);
        metric_add(query->pool->metrics.timeouts, 0, 0, 1);
        note_problem(query, PROBLEM_TIMEOUT, lane);
    } else if (lane != NULL && lane->tcp != NULL && !late) {
        note_problem(query, PROBLEM_TIMEOUT, lane);
    }
    if (late)
        query_fail_late(query);
    else
        query_next(query);
}

/* ---- messages ---- */

static void lane_to_stream(struct lane *lane)
{
    struct query *query = lane->query;
    struct query_pool *pool = query->pool;

    lane_close(lane);
    lane->stream = true;
    metric_add(pool->metrics.tcp, 0, 0, 1);
    if (lane_stream(lane) != RESULT_OK) {
        lane_failed(lane, PROBLEM_NETWORK);
        return;
    }
    query->current = lane;
    query->sent_ms = loop_now_ms(pool->loop);
    query_arm(query, query->sent_ms + QUERY_TCP_MS);
}

static void lane_stray(struct lane *lane)
{
    struct query_pool *pool = lane->query->pool;

    query_pool_stray(pool, lane->server);
    if (++lane->strays >= QUERY_STRAYS_MAX && lane->udp != NULL)
        lane_to_stream(lane);
    else if (lane->strays >= QUERY_STRAYS_MAX)
        lane_failed(lane, PROBLEM_MALFORMED);
}

static enum result lane_ask(struct lane *lane);

/* How long this server is waited for before the next is asked. */
static int64_t lane_timeout_ms(const struct lane *lane, unsigned round)
{
    struct query_pool *pool = lane->query->pool;

    if (lane->tcp != NULL || lane->waiting)
        return QUERY_TCP_MS;
    return query_pool_spread(pool, server_timeout_ms(lane->server, pool->timeout_ms, round));
}

static void lane_without_edns(struct lane *lane)
{
    struct query *query = lane->query;
    enum result status;

    lane_close(lane);
    lane->no_edns = true;
    status = lane_ask(lane);
    if (status != RESULT_OK) {
        lane_failed(lane, status == RESULT_IO ? PROBLEM_NETWORK : PROBLEM_LIMIT);
        return;
    }
    query->current = lane;
    query_arm(query, query->sent_ms + lane_timeout_ms(lane, 0));
}

static void on_message(void *arg, const uint8_t *message, size_t length)
{
    struct lane *lane = arg;
    struct query *query = lane->query;
    bool datagram = lane->udp != NULL;
    struct dnsmsg_expect expect = {.question = &query->question,
                                   .id = lane->id,
                                   .edns = !lane->plain,
                                   .stream = !datagram,
                                   .trusted = lane->server->trusted};
    struct source_result result;
    enum dns_problem problem = PROBLEM_MALFORMED;

    switch (dnsmsg_parse(message, length, &expect, &result, &problem)) {
    case DNSMSG_STRAY:
        lane_stray(lane);
        return;
    case DNSMSG_TRUNCATED:
        note_answered(lane, true);
        lane_to_stream(lane);
        return;
    case DNSMSG_PLAIN:
        note_answered(lane, true);
        lane_without_edns(lane);
        return;
    case DNSMSG_FAILED:
        note_answered(lane, false);
        lane->erred = true;
        lane_failed(lane, problem);
        return;
    case DNSMSG_ANSWER:
        note_answered(lane, true);
        note_outdone(query, lane);
        if (lane->no_edns) /* it was EDNS0 indeed: spare it the detour for a while */
            lane->server->plain_until_ms = loop_now_ms(query->pool->loop) + SERVER_PLAIN_MS;
        query_finish(query, &result, lane->server->label);
        return;
    }
}

static void on_udp_failed(void *arg, int error)
{
    struct lane *lane = arg;

    if (!transport_error_is_local(error))
        note_bad(lane, server_was_unreachable);
    lane_failed(lane, transport_error_is_local(error) ? PROBLEM_LIMIT : PROBLEM_NETWORK);
}

/* Its UDP may be in order: the server is not down for this. */
static void on_tcp_failed(void *arg, int error)
{
    lane_failed(arg, error == 0 ? PROBLEM_MALFORMED : PROBLEM_NETWORK);
}

static const struct transport_calls udp_calls = {on_message, on_udp_failed};
static const struct transport_calls tcp_calls = {on_message, on_tcp_failed};

/* ---- asking ---- */

static size_t lane_query(struct lane *lane, uint8_t message[DNSMSG_QUERY_MAX])
{
    return dnsmsg_query(&lane->query->question, lane->id, !lane->plain, message);
}

static enum result lane_renew(struct lane *lane)
{
    struct query_pool *pool = lane->query->pool;

    lane->asked_ms = loop_now_ms(pool->loop);
    lane->sent = 0;
    lane->plain = lane->no_edns || server_plain(lane->server, lane->asked_ms);
    return query_pool_id(pool, &lane->id);
}

static void lane_wait_tcp(struct lane *lane)
{
    TAILQ_INSERT_TAIL(&lane->query->pool->tcp_waiting, lane, link);
    lane->waiting = true;
    metric_add(lane->query->pool->metrics.tcp_waits, 0, 0, 1);
}

/*
 * Connect, or wait for a turn.  RESULT_IO: the server cannot be reached (errno).  A lack of
 * descriptors is waited out.
 */
static enum result lane_stream(struct lane *lane)
{
    struct query_pool *pool = lane->query->pool;
    uint8_t message[DNSMSG_QUERY_MAX];
    enum result status;

    if (pool->tcp_open >= pool->tcp_max) {
        lane_wait_tcp(lane);
        return RESULT_OK;
    }
    status = lane_renew(lane);
    if (status == RESULT_OK)
        status = tcp_open(pool->loop, &lane->server->where, message, lane_query(lane, message),
                          &tcp_calls, lane, &lane->tcp);
    if (status == RESULT_OK) {
        pool->tcp_open++;
    } else if (status == RESULT_NOMEM || transport_error_is_local(errno)) {
        udp_spare_clear(&pool->spare); /* descriptors that nobody uses */
        lane_wait_tcp(lane);
        tcp_turn_at(pool, loop_now_ms(pool->loop) + QUERY_LOCAL_MS);
        status = RESULT_OK;
    }
    return status;
}

void query_turn(void *arg)
{
    struct query_pool *pool = arg;
    unsigned turns = pool->tcp_max; /* who must wait again goes to the end */

    while (turns-- > 0 && pool->tcp_open < pool->tcp_max && !TAILQ_EMPTY(&pool->tcp_waiting)) {
        struct lane *lane = TAILQ_FIRST(&pool->tcp_waiting);

        TAILQ_REMOVE(&pool->tcp_waiting, lane, link);
        lane->waiting = false;
        if (lane_stream(lane) != RESULT_OK)
            lane_failed(lane, PROBLEM_NETWORK);
        else if (lane->waiting)
            return; /* out of descriptors: another turn is on its way */
    }
}

static enum result lane_datagram(struct lane *lane)
{
    struct query_pool *pool = lane->query->pool;
    uint8_t message[DNSMSG_QUERY_MAX];
    enum result status = RESULT_OK;

    if (lane->udp == NULL) {
        status = lane_renew(lane);
        if (status == RESULT_OK)
            status = udp_open(pool->loop, &pool->spare, &lane->server->where, &udp_calls, lane,
                              &lane->udp);
    }
    if (status == RESULT_OK)
        status = udp_send(lane->udp, message, lane_query(lane, message));
    if (status == RESULT_OK)
        lane->sent++;
    return status;
}

/*
 * Ask this server, or ask again.  RESULT_IO: it cannot be reached.  RESULT_LIMIT, RESULT_NOMEM: we
 * cannot ask now.
 */
static enum result lane_ask(struct lane *lane)
{
    struct query *query = lane->query;
    struct query_pool *pool = query->pool;
    enum result status = RESULT_OK;

    if (lane->stream || pool->use_tcp) {
        if (!lane_open(lane))
            status = lane_stream(lane);
    } else {
        status = lane_datagram(lane);
    }
    if (status == RESULT_IO && transport_error_is_local(errno))
        return RESULT_LIMIT;
    if (status != RESULT_OK)
        return status;
    query->sent_ms = loop_now_ms(pool->loop);
    query_pool_asked(pool, lane->server);
    return RESULT_OK;
}

/* The lane of the next try, or NULL: servers that are up in every round, the others once. */
static struct lane *query_try(struct query *query, unsigned *round)
{
    unsigned attempts = query->pool->attempts, try = query->tries++;
    unsigned group = query->up > 0 ? query->up : query->count;

    *round = try / group;
    if (*round < attempts)
        return &query->lanes[try % group];
    *round = 0;
    try -= attempts * group;
    return group + try < query->count ? &query->lanes[group + try] : NULL;
}

/* Descriptors, ports or memory have run out: not the server's fault, and it may pass. */
static void query_wait_local(struct query *query, const struct lane *lane)
{
    note_problem(query, PROBLEM_LIMIT, lane);
    query->tries--;
    query->current = NULL;
    query_arm(query, loop_now_ms(query->pool->loop) + QUERY_LOCAL_MS);
}

/* All have been asked: wait for the slow ones, or end. */
static void query_last(struct query *query)
{
    int64_t due_ms = query->sent_ms + QUERY_PATIENCE_MS;

    query->tries--; /* stays at the end */
    query->current = NULL;
    if (lanes_open(query) && loop_now_ms(query->pool->loop) < due_ms)
        query_arm(query, due_ms);
    else
        query_fail_late(query);
}

/* Send to the next server.  The query may be gone afterwards. */
static void query_next(struct query *query)
{
    struct lane *lane;
    unsigned round;

    while ((lane = query_try(query, &round)) != NULL) {
        enum result status;

        if (lane->over)
            continue;
        status = lane_ask(lane);
        if (status == RESULT_OK) {
            query->current = lane;
            query_arm(query, query->sent_ms + lane_timeout_ms(lane, round));
            return;
        }
        if (status != RESULT_IO) {
            query_wait_local(query, lane);
            return;
        }
        lane_close(lane);
        lane->over = true;
        note_bad(lane, server_was_unreachable);
        note_problem(query, PROBLEM_NETWORK, lane);
    }
    query_last(query);
}

/* ---- life cycle ---- */

static struct query *query_new(struct query_pool *pool, const struct question *question,
                               struct server *const *servers, unsigned count)
{
    struct query *query = malloc(sizeof *query + count * sizeof query->lanes[0]);

    if (query == NULL)
        return NULL;
    *query = (struct query){.pool = pool,
                            .question = *question,
                            .count = count,
                            .problem_label = SERVER_NO_LABEL,
                            .start_ms = loop_now_ms(pool->loop)};
    query->timer = loop_timer_new(pool->loop, on_timer, query);
    if (query->timer == NULL) {
        free(query);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++)
        query->lanes[i] = (struct lane){.query = query, .server = server_ref(servers[i])};
    LIST_INSERT_HEAD(&pool->running, query, link);
    return query;
}

struct query *query_start(struct query_pool *pool, const struct question *question,
                          struct server *const *servers, unsigned up, unsigned count,
                          int64_t deadline_ms, source_done *done, void *arg)
{
    struct query *query = query_new(pool, question, servers, count);
    bool finished = false;

    if (query == NULL) {
        struct source_result result = {.chain_ttl_s = UINT32_MAX};

        done(arg, &result);
        return NULL;
    }
    query->up = up;
    query->deadline_ms = deadline_ms;
    query->done = done;
    query->arg = arg;
    query->finished = &finished;
    if (query->start_ms >= deadline_ms)
        query_fail(query, PROBLEM_DEADLINE);
    else
        query_next(query);
    if (finished)
        return NULL;
    query->finished = NULL;
    return query;
}

void query_cancel(struct query *query)
{
    query_fail(query, PROBLEM_CANCELLED);
}

void query_probe(struct query_pool *pool, const struct question *question, struct server *server)
{
    struct query *query = query_new(pool, question, &server, 1);

    if (query == NULL)
        return;
    query->count = 1;
    query->deadline_ms = query->start_ms + SERVER_TIMEOUT_MAX_MS;
    query_next(query);
}
