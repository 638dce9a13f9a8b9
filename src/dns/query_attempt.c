/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/query_private.h"

#include "base/log.h"
#include "dns/dnsmsg.h"

#include <errno.h>

/*
 * Packets with EDNS0 to a server of which it is not known that it understands it: silence may be
 * what it makes of it.
 */
#define EDNS_TRIES 2

static enum result attempt_stream(struct attempt *attempt);

/* --- what is learned about the server --------------------------------------------------------- */

/* Time is measured where it is known which packet was answered (Karn, RFC 6298 3), by UDP. */
static void note_answered(struct attempt *attempt, bool good)
{
    struct query_pool *pool = attempt->query->pool;
    if (!attempt->plain)
        attempt->server->edns_ms = loop_now_ms(pool->loop);
    bool measured = attempt->udp != NULL && attempt->sent == 1;
    query_pool_answered(pool, attempt->server,
                        measured ? loop_now_ms(pool->loop) - attempt->asked_ms : -1, good);
}

void attempt_blame(struct attempt *attempt, query_pool_note *note)
{
    query_pool_failed(attempt->query->pool, attempt->server, note);
}

/* --- its end ---------------------------------------------------------------------------------- */

/* A turn for those who wait for a TCP connection; later, as their failing may end other queries. */
static void tcp_turn_at(struct query_pool *pool, int64_t due_ms)
{
    if (!TAILQ_EMPTY(&pool->tcp_waiting) && loop_timer_arm(pool->tcp_turn, due_ms) != RESULT_OK)
        log_error("out of memory: DNS queries over TCP are delayed");
}

void attempt_close(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    udp_free(attempt->udp);
    attempt->udp = NULL;
    if (attempt->waiting) {
        TAILQ_REMOVE(&pool->tcp_waiting, attempt, link);
        attempt->waiting = false;
    }
    if (attempt->tcp != NULL) {
        query_stream_leave(attempt);
        tcp_turn_at(pool, loop_now_ms(pool->loop));
    }
}

bool attempt_open(const struct attempt *attempt)
{
    return attempt->udp != NULL || attempt->tcp != NULL || attempt->waiting;
}

/* The query goes on if it was waiting for this server. */
static void attempt_over(struct attempt *attempt)
{
    struct query *query = attempt->query;
    if (query->current == attempt || query->current == NULL) {
        query->current = NULL;
        query_next(query);
    }
}

void attempt_failed(struct attempt *attempt, enum dns_problem problem)
{
    attempt_close(attempt);
    attempt->over = true;
    query_note_problem(attempt->query, problem, attempt);
    attempt_over(attempt);
}

void attempt_lost(struct attempt *attempt, enum dns_problem problem)
{
    struct query_pool *pool = attempt->query->pool;
    int64_t wait_ms = QUERY_AGAIN_MIN_MS;
    attempt_close(attempt);
    query_note_problem(attempt->query, problem, attempt);
    if (!attempt->stream)
        attempt_blame(attempt, server_was_unreachable);
    else if (attempt->refused + 1 >= QUERY_TCP_TRIES)
        attempt->over = true; /* by UDP it answers: it is not down for this */
    for (unsigned i = 0; i < attempt->refused && wait_ms < QUERY_AGAIN_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > QUERY_AGAIN_MAX_MS)
        wait_ms = QUERY_AGAIN_MAX_MS;
    attempt->refused++;
    attempt->again_ms = loop_now_ms(pool->loop) + query_pool_spread(pool, wait_ms);
}

/* We have no descriptor, port or memory just now: not the server's fault, and it may pass. */
static void attempt_postponed(struct attempt *attempt)
{
    attempt_close(attempt);
    query_note_problem(attempt->query, PROBLEM_LIMIT, attempt);
    attempt->again_ms = loop_now_ms(attempt->query->pool->loop) + QUERY_LOCAL_MS;
    attempt_over(attempt);
}

/* It could not be asked (errno). */
static void attempt_not_asked(struct attempt *attempt, enum result status)
{
    if (status != RESULT_IO) {
        attempt_postponed(attempt);
        return;
    }
    attempt_lost(attempt, PROBLEM_NETWORK);
    attempt_over(attempt);
}

/* --- messages --------------------------------------------------------------------------------- */

static void attempt_to_stream(struct attempt *attempt)
{
    struct query *query = attempt->query;
    struct query_pool *pool = query->pool;
    attempt_close(attempt);
    attempt->stream = true;
    metric_add(pool->metrics.tcp, 0, 0, 1);
    enum result status = attempt_stream(attempt);
    if (status != RESULT_OK) {
        attempt_not_asked(attempt, status);
        return;
    }
    query->current = attempt;
    query->sent_ms = loop_now_ms(pool->loop);
    query_arm(query, query->sent_ms + attempt_timeout_ms(attempt, 0));
}

static void attempt_stray(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    query_pool_stray(pool, attempt->server);
    if (++attempt->strays >= QUERY_STRAYS_MAX && attempt->udp != NULL)
        attempt_to_stream(attempt);
    else if (attempt->strays >= QUERY_STRAYS_MAX)
        attempt_failed(attempt, PROBLEM_MALFORMED);
}

/* How long this server is waited for before the next is asked. */
int64_t attempt_timeout_ms(const struct attempt *attempt, unsigned round)
{
    const struct query *query = attempt->query;
    const struct query_settings *settings = &query->pool->settings;
    int64_t wait_ms, share_ms;
    if (attempt->tcp != NULL || attempt->waiting)
        return query_stream_is_shared(attempt) ? QUERY_TCP_SHARED_MS : QUERY_TCP_MS;
    wait_ms = server_timeout_ms(attempt->server, settings->timeout_ms, round);
    if (settings->timeout_ms == 0 && round == 0) {
        /* Every server has its turn before the deadline. */
        share_ms = (query->deadline_ms - query->start_ms) / ((int64_t)query->count + 1);
        if (settings->most_ms > 0 && wait_ms > settings->most_ms)
            wait_ms = settings->most_ms;
        if (wait_ms > share_ms)
            wait_ms = share_ms;
    }
    return query_pool_spread(query->pool, wait_ms);
}

/* Ask the server again at once, on another socket. */
static void attempt_anew(struct attempt *attempt)
{
    struct query *query = attempt->query;
    enum result status;
    attempt_close(attempt);
    status = attempt_ask(attempt);
    if (status != RESULT_OK) {
        attempt_not_asked(attempt, status);
        return;
    }
    query->current = attempt;
    query_arm(query, query->sent_ms + attempt_timeout_ms(attempt, 0));
}

/* Whether the server sends SOA records with denials tells a stripped one from one without. */
static void note_soa(struct attempt *attempt, const struct denial *denial)
{
    if (denial->apex_length == 0)
        return;
    attempt->server->sent_soa_ms = loop_now_ms(attempt->query->pool->loop);
    attempt->server->strips_soa_until_ms = 0;
}

/* It was EDNS0 indeed: spare the server, or us, the detour for a while. */
static void note_plain(struct attempt *attempt)
{
    struct server *server = attempt->server;
    int64_t now_ms = loop_now_ms(attempt->query->pool->loop);
    if (attempt->mute && !server_plain(server, now_ms)) {
        (void)finding_note(&attempt->query->pool->findings, FINDING_NO_EDNS,
                           attempt->query->pool->loop);
        log_warning("DNS server %s answers questions with EDNS0 by silence: it is asked without "
                    "for %d minutes",
                    server->text, SERVER_PLAIN_MS / 60000);
    }
    server->plain_until_ms = now_ms + SERVER_PLAIN_MS;
}

static bool is_denial(const struct source_result *result)
{
    return result->answer != NULL && !result->chained && answer_is_denial(result->answer);
}

/* A denial is believed only with its proof. */
static void on_denial(struct attempt *attempt, struct source_result *result,
                      const struct denial *denial)
{
    struct query *query = attempt->query;
    note_soa(attempt, denial);
    switch (denial_judge(denial, query->question.type, (enum dns_outcome)result->answer->outcome)) {
    case DENIAL_WITHOUT_SOA:
        query_inquire(attempt, result, denial);
        return;
    case DENIAL_OTHER_SOA:
        answer_unref(result->answer);
        query_unproved(attempt, PROBLEM_OTHER_SOA);
        return;
    case DENIAL_PROVED:
        query_outdone(query, attempt);
        query_finish(query, result, attempt->server->label);
        return;
    }
}

static void on_answer(struct attempt *attempt, struct source_result *result,
                      const struct denial *denial)
{
    struct query *query = attempt->query;
    if (attempt->no_edns || attempt->mute)
        note_plain(attempt);
    if (is_denial(result) && query->heard == NULL && query->done != NULL) {
        on_denial(attempt, result, denial);
        return;
    }
    if (is_denial(result) && query->heard != NULL) {
        note_soa(attempt, denial);
        *query->heard = *denial;
    }
    query_outdone(query, attempt);
    query_finish(query, result, attempt->server->label);
}

/* The question came back in other letters: by the server, or by somebody who guessed the rest. */
static void on_other_case(struct attempt *attempt)
{
    struct server *server = attempt->server;
    int64_t now_ms = loop_now_ms(attempt->query->pool->loop);
    query_pool_stray(attempt->query->pool, server);
    if (server->lower_until_ms <= now_ms) {
        (void)finding_note(&attempt->query->pool->findings, FINDING_LETTERS,
                           attempt->query->pool->loop);
        log_info("DNS server %s changes the letters of questions: it is asked in lower case",
                 server->text);
    }
    server->lower_until_ms = now_ms + SERVER_CASE_MS;
    attempt_anew(attempt); /* from another port, with another ID */
}

/* What the server says of its failure. */
static void on_failed(struct attempt *attempt, const uint8_t *message, size_t length,
                      enum dns_problem problem)
{
    char reason[DNSMSG_REASON_MAX];
    bool of_the_zone = dns_problem_is_of_the_zone(problem);
    note_answered(attempt, of_the_zone);
    if (query_note_problem(attempt->query, problem, attempt) &&
        dnsmsg_reason(message, length, reason))
        query_note_reason(attempt->query,
                          answer_new_reason(attempt->query->question.type, problem, reason));
    if (problem == PROBLEM_SERVFAIL && attempt->query->done != NULL)
        query_suspect_limit(attempt->query->pool, attempt->server, &attempt->query->question);
    if (of_the_zone) { /* it is an answer: no other server is asked for a better one */
        struct query *query = attempt->query;
        query_fail(query, problem);
        return;
    }
    attempt->erred = true;
    attempt_failed(attempt, problem);
}

void attempt_message(struct attempt *attempt, const uint8_t *message, size_t length)
{
    struct query *query = attempt->query;
    bool datagram = attempt->udp != NULL;
    if (attempt->mute && dnsmsg_has_edns(message, length)) /* late, but it does answer that */
        attempt->mute = attempt->plain = false;
    struct dnsmsg_expect expect = {.question = &query->question,
                                   .id = attempt->id,
                                   .edns = !attempt->plain,
                                   .stream = !datagram,
                                   .trusted = attempt->server->trusted,
                                   .upper = attempt->upper};
    struct source_result result;
    struct denial denial;
    enum dns_problem problem = PROBLEM_MALFORMED;
    enum dnsmsg_kind kind = dnsmsg_parse(message, length, &expect, &result, &denial, &problem);
    if (query->life && kind != DNSMSG_STRAY) { /* whatever it says */
        struct source_result nothing = {.chain_ttl_s = UINT32_MAX};
        if (kind == DNSMSG_ANSWER)
            answer_unref(result.answer);
        note_answered(attempt, true);
        query_finish(query, &nothing, attempt->server->label);
        return;
    }
    switch (kind) {
    case DNSMSG_STRAY:
        attempt_stray(attempt);
        return;
    case DNSMSG_OTHER_CASE:
        on_other_case(attempt);
        return;
    case DNSMSG_TRUNCATED:
        note_answered(attempt, true);
        attempt_to_stream(attempt);
        return;
    case DNSMSG_PLAIN:
        note_answered(attempt, true);
        attempt->no_edns = true;
        attempt_anew(attempt);
        return;
    case DNSMSG_FAILED:
        on_failed(attempt, message, length, problem);
        return;
    case DNSMSG_ANSWER:
        note_answered(attempt, true);
        on_answer(attempt, &result, &denial);
        return;
    }
}

static void on_udp_failed(void *arg, int error)
{
    struct attempt *attempt = arg;
    attempt_not_asked(attempt, transport_error_is_local(error) ? RESULT_LIMIT : RESULT_IO);
}

void attempt_broken(struct attempt *attempt, int error, bool progress)
{
    if (progress && attempt->cut < QUERY_TCP_TRIES) {
        attempt->cut++;
        attempt->again_ms = loop_now_ms(attempt->query->pool->loop);
    } else {
        attempt_lost(attempt, error == 0 ? PROBLEM_MALFORMED : PROBLEM_NETWORK);
    }
    attempt_over(attempt);
}

static void on_udp_message(void *arg, const uint8_t *message, size_t length)
{
    attempt_message(arg, message, length);
}

static const struct transport_calls udp_calls = {on_udp_message, on_udp_failed};

/* --- asking ----------------------------------------------------------------------------------- */

size_t attempt_query(const struct attempt *attempt, uint8_t message[DNSMSG_QUERY_MAX])
{
    return dnsmsg_query(&attempt->query->question, attempt->id, !attempt->plain,
                        !attempt->query->pool->settings.authoritative, attempt->upper, message);
}

/* The letters to send in upper case: of what goes over a network, a random half. */
static enum result choose_letters(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    enum result status = RESULT_OK;
    attempt->upper = 0;
    if (attempt->server->local || attempt->stream ||
        attempt->asked_ms < attempt->server->lower_until_ms)
        return RESULT_OK;
    for (unsigned i = 0; i < 4 && status == RESULT_OK; i++) {
        uint16_t bits = 0;
        status = query_pool_id(pool, &bits);
        attempt->upper = attempt->upper << 16 | bits;
    }
    return status;
}

static enum result attempt_renew(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    attempt->asked_ms = loop_now_ms(pool->loop);
    attempt->sent = 0;
    attempt->plain = attempt->no_edns || server_plain(attempt->server, attempt->asked_ms);
    attempt->mute = false;
    enum result status = choose_letters(attempt);
    return status == RESULT_OK ? query_pool_id(pool, &attempt->id) : status;
}

static void log_tcp_limit(struct query_pool *pool)
{
    if (!finding_note(&pool->findings, FINDING_TCP_FULL, pool->loop))
        return;
    log_warning("all %u TCP connections to DNS servers are in use (dns.max-tcp): questions wait",
                pool->settings.tcp_max);
}

static void attempt_wait_tcp(struct attempt *attempt)
{
    TAILQ_INSERT_TAIL(&attempt->query->pool->tcp_waiting, attempt, link);
    attempt->waiting = true;
    metric_add(attempt->query->pool->metrics.tcp_waits, 0, 0, 1);
}

/*
 * Connect, or wait for a turn.  RESULT_IO: the server cannot be reached (errno).  A lack of
 * descriptors is waited out.
 */
static enum result attempt_stream(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    enum result status = attempt_renew(attempt);
    if (status == RESULT_OK)
        status = query_stream_join(attempt);
    if (status == RESULT_LIMIT) {
        log_tcp_limit(pool);
        attempt_wait_tcp(attempt);
        status = RESULT_OK;
    } else if (status == RESULT_NOMEM || (status == RESULT_IO && transport_error_is_local(errno))) {
        udp_spare_clear(&pool->spare); /* descriptors that nobody uses */
        attempt_wait_tcp(attempt);
        tcp_turn_at(pool, loop_now_ms(pool->loop) + QUERY_LOCAL_MS);
        status = RESULT_OK;
    }
    return status;
}

void query_pool_turn(void *arg)
{
    struct query_pool *pool = arg;
    unsigned turns = pool->settings.tcp_max; /* who must wait again goes to the end */
    struct attempt *attempt;
    while (turns-- > 0 && (attempt = TAILQ_FIRST(&pool->tcp_waiting)) != NULL &&
           query_stream_has_room(pool, attempt->server)) {
        TAILQ_REMOVE(&pool->tcp_waiting, attempt, link);
        attempt->waiting = false;
        enum result status = attempt_stream(attempt);
        if (status != RESULT_OK)
            attempt_not_asked(attempt, status);
        else if (attempt->waiting)
            return; /* out of descriptors: another turn is on its way */
    }
}

static enum result attempt_datagram(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    uint8_t message[DNSMSG_QUERY_MAX];
    enum result status = RESULT_OK;
    if (attempt->udp == NULL) {
        status = attempt_renew(attempt);
        if (status == RESULT_OK)
            status = udp_open(pool->loop, &pool->spare, &attempt->server->where, &udp_calls,
                              attempt, &attempt->udp);
    }
    if (status == RESULT_OK && attempt->sent >= EDNS_TRIES && !attempt->plain &&
        !server_knows_edns(attempt->server, loop_now_ms(pool->loop)))
        attempt->plain = attempt->mute = true;
    if (status == RESULT_OK)
        status = udp_send(attempt->udp, message, attempt_query(attempt, message));
    if (status == RESULT_OK)
        attempt->sent++;
    return status;
}

/*
 * Ask this server, or ask again.  RESULT_IO: it cannot be reached.  RESULT_LIMIT, RESULT_NOMEM: we
 * cannot ask now.
 */
enum result attempt_ask(struct attempt *attempt)
{
    struct query *query = attempt->query;
    struct query_pool *pool = query->pool;
    enum result status = RESULT_OK;
    if (attempt->stream || pool->settings.use_tcp) {
        if (query_stream_is_blocked(attempt)) { /* in order, behind one that is silent? */
            attempt_close(attempt);
            attempt->moved = true;
        }
        if (!attempt_open(attempt))
            status = attempt_stream(attempt);
    } else if (attempt->udp != NULL && attempt->sent > 0 &&
               query_pool_is_laden(pool, attempt->server)) {
        query->sent_ms = loop_now_ms(pool->loop); /* another pause: the question is there */
        return RESULT_OK;
    } else {
        status = attempt_datagram(attempt);
    }
    if (status == RESULT_IO && transport_error_is_local(errno))
        return RESULT_LIMIT;
    if (status != RESULT_OK)
        return status;
    query->sent_ms = loop_now_ms(pool->loop);
    query_pool_asked(pool, attempt->server);
    return RESULT_OK;
}
