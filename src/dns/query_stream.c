/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP connections that questions share (RFC 7766): many on one where everything goes over TCP, each
 * matched to its answer by ID and question, in whatever order answers come.  Resolvers differ:
 * Unbound accepts 10 connections, and answers what is ready; dnsmasq answers one question after the
 * other; others close a connection after one.  What a server does is learned from its answers.  A
 * question that follows a truncated answer has a connection of its own: it is for large answers.
 */
#include "dns/query_private.h"

#include "dns/transport_tcp.h"

#include <errno.h>
#include <stdlib.h>

#define SHARED_FEW  10  /* questions on a connection before there is another one, ... */
#define STREAMS_FEW 8   /* ... until there are so many: Unbound accepts 10, unless set */
#define SHARED_MAX  20  /* on one: BIND reads 23 at a time, Unbound 32 */
#define BLOCKED_MS  300 /* a connection on which nothing came for so long may be blocked */

struct query_stream {
    LIST_ENTRY(query_stream) link;
    struct query_pool *pool;
    struct server *server;                         /* a reference */
    struct tcp *tcp;                               /* NULL: it has broken */
    TAILQ_HEAD(stream_attempts, attempt) attempts; /* the oldest first */
    unsigned count;                                /* of them */
    unsigned answers;                              /* that came so far */
    unsigned left;                                 /* whose askers have left, not answered yet */
    unsigned strays;
    int64_t heard_ms; /* the last answer, or the first of the questions that wait */
};

/* --- what is known of the server -------------------------------------------------------------- */

static enum server_pipeline pipeline_of(const struct query_pool *pool, const struct server *server)
{
    if (!pool->settings.use_tcp)
        return PIPELINE_ALONE;
    return loop_now_ms(pool->loop) < server->pipeline_until_ms ? server->pipeline
                                                               : PIPELINE_UNKNOWN;
}

static void learn(struct query_pool *pool, struct server *server, enum server_pipeline pipeline)
{
    server->pipeline = pipeline;
    server->pipeline_until_ms = loop_now_ms(pool->loop) + SERVER_HABIT_MS;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Nobody is on it. */
static void stream_free(struct query_stream *stream)
{
    struct query_pool *pool = stream->pool;
    if (stream->tcp != NULL) {
        LIST_REMOVE(stream, link);
        pool->tcp_open--;
    }
    tcp_free(stream->tcp);
    server_unref(stream->server);
    free(stream);
}

/* All who are on it go on by themselves, and may do anything to each other. */
static void stream_broke(struct query_stream *stream, int error)
{
    struct query_pool *pool = stream->pool;
    struct attempt *attempt;
    bool progress = stream->answers > 0;
    if (stream->answers == 1 && stream->count > 0)
        learn(pool, stream->server, PIPELINE_ALONE);
    LIST_REMOVE(stream, link);
    pool->tcp_open--;
    tcp_free(stream->tcp);
    stream->tcp = NULL;
    while ((attempt = TAILQ_FIRST(&stream->attempts)) != NULL) {
        attempt_close(attempt);
        attempt_broken(attempt, error, progress);
    }
    stream_free(stream);
}

/* --- messages --------------------------------------------------------------------------------- */

static struct attempt *find(const struct query_stream *stream, unsigned id)
{
    struct attempt *attempt;
    TAILQ_FOREACH(attempt, &stream->attempts, beside)
    {
        if (attempt->id == id)
            return attempt;
    }
    return NULL;
}

/* It answers nothing that is asked here, or not any more. */
static void on_stray(struct query_stream *stream)
{
    if (stream->left > 0) {
        stream->left--;
        return;
    }
    query_pool_stray(stream->pool, stream->server);
    if (++stream->strays >= QUERY_STRAYS_MAX)
        stream_broke(stream, 0);
}

static void on_message(void *arg, const uint8_t *message, size_t length)
{
    struct query_stream *stream = arg;
    struct attempt *attempt =
        length < 2 ? NULL : find(stream, (unsigned)message[0] << 8 | message[1]);
    if (attempt == NULL) {
        on_stray(stream);
        return;
    }
    stream->heard_ms = loop_now_ms(stream->pool->loop);
    stream->answers++;
    attempt->heard = true;
    if (attempt != TAILQ_FIRST(&stream->attempts))
        learn(stream->pool, stream->server, PIPELINE_OVERTAKES);
    else if (attempt->moved && pipeline_of(stream->pool, stream->server) == PIPELINE_UNKNOWN)
        learn(stream->pool, stream->server, PIPELINE_ALONE); /* it was answered elsewhere at once */
    attempt_message(attempt, message, length);
}

static void on_failed(void *arg, int error)
{
    stream_broke(arg, error);
}

static const struct transport_calls calls = {on_message, on_failed};

/* --- choosing --------------------------------------------------------------------------------- */

static bool is_quiet(const struct query_stream *stream)
{
    return stream->count > 0 && loop_now_ms(stream->pool->loop) - stream->heard_ms >= BLOCKED_MS;
}

/* The open connection with fewest questions, fewer than `limit`; `busy`: one that is not quiet. */
static struct query_stream *least(const struct query_pool *pool, const struct server *server,
                                  unsigned limit, bool busy)
{
    struct query_stream *stream, *best = NULL;
    LIST_FOREACH(stream, &pool->streams, link)
    {
        if (stream->server != server || stream->count >= limit || (busy && is_quiet(stream)))
            continue;
        if (best == NULL || stream->count < best->count)
            best = stream;
    }
    return best;
}

static unsigned count_to(const struct query_pool *pool, const struct server *server)
{
    const struct query_stream *stream;
    unsigned count = 0;
    LIST_FOREACH(stream, &pool->streams, link)
    {
        count += stream->server == server;
    }
    return count;
}

/* A connection that is to be shared; NULL: a new one is better, if there may be one. */
static struct query_stream *choose(const struct query_pool *pool, const struct server *server)
{
    enum server_pipeline pipeline = pipeline_of(pool, server);
    if (pipeline == PIPELINE_ALONE)
        return NULL;
    bool overtakes = pipeline == PIPELINE_OVERTAKES;
    struct query_stream *stream = least(pool, server, SHARED_FEW, !overtakes);
    if (stream == NULL && overtakes && count_to(pool, server) >= STREAMS_FEW)
        stream = least(pool, server, SHARED_MAX, false);
    return stream;
}

/* May there be one more?  One that nobody uses makes room. */
static bool has_place(struct query_pool *pool)
{
    struct query_stream *stream;
    if (pool->tcp_open < pool->settings.tcp_max)
        return true;
    LIST_FOREACH(stream, &pool->streams, link)
    {
        if (stream->count == 0) {
            stream_free(stream);
            return true;
        }
    }
    return false;
}

/* When there may be no more connections. */
static struct query_stream *choose_any(const struct query_pool *pool, const struct server *server)
{
    return pipeline_of(pool, server) == PIPELINE_ALONE ? NULL
                                                       : least(pool, server, SHARED_MAX, false);
}

bool query_stream_has_room(struct query_pool *pool, struct server *server)
{
    return choose(pool, server) != NULL || has_place(pool) || choose_any(pool, server) != NULL;
}

static enum result stream_open(struct query_pool *pool, struct server *server,
                               struct query_stream **out)
{
    struct query_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return RESULT_NOMEM;
    enum result status = tcp_open(pool->loop, &server->where, &calls, stream, &stream->tcp);
    if (status != RESULT_OK) {
        int error = errno;
        free(stream);
        errno = error;
        return status;
    }
    stream->pool = pool;
    stream->server = server_ref(server);
    TAILQ_INIT(&stream->attempts);
    LIST_INSERT_HEAD(&pool->streams, stream, link);
    pool->tcp_open++;
    *out = stream;
    return RESULT_OK;
}

/* --- questions -------------------------------------------------------------------------------- */

/* An ID that no question on the connection has. */
static enum result make_distinct(const struct query_stream *stream, struct attempt *attempt)
{
    enum result status = RESULT_OK;
    while (status == RESULT_OK && find(stream, attempt->id) != NULL)
        status = query_pool_id(stream->pool, &attempt->id);
    return status;
}

static enum result put(struct query_stream *stream, struct attempt *attempt)
{
    uint8_t message[DNSMSG_QUERY_MAX];
    enum result status = make_distinct(stream, attempt);
    if (status == RESULT_OK)
        status = tcp_send(stream->tcp, message, attempt_query(attempt, message));
    if (status != RESULT_OK)
        return status;
    if (stream->count++ == 0)
        stream->heard_ms = loop_now_ms(stream->pool->loop);
    TAILQ_INSERT_TAIL(&stream->attempts, attempt, beside);
    attempt->tcp = stream;
    attempt->heard = false;
    return RESULT_OK;
}

enum result query_stream_join(struct attempt *attempt)
{
    struct query_pool *pool = attempt->query->pool;
    struct query_stream *stream = choose(pool, attempt->server);
    enum result status = RESULT_OK;
    if (stream == NULL && has_place(pool))
        status = stream_open(pool, attempt->server, &stream);
    else if (stream == NULL)
        stream = choose_any(pool, attempt->server);
    if (status != RESULT_OK)
        return status;
    if (stream == NULL)
        return RESULT_LIMIT;
    status = put(stream, attempt);
    if (status != RESULT_OK && stream->count == 0)
        stream_free(stream);
    return status;
}

/* Is it worth keeping for the next question?  One a server is. */
static bool is_spare(const struct query_stream *stream)
{
    const struct query_stream *other;
    if (stream->left > 0 || pipeline_of(stream->pool, stream->server) == PIPELINE_ALONE)
        return false;
    LIST_FOREACH(other, &stream->pool->streams, link)
    {
        if (other != stream && other->server == stream->server && other->count == 0)
            return false;
    }
    return true;
}

void query_stream_leave(struct attempt *attempt)
{
    struct query_stream *stream = attempt->tcp;
    attempt->tcp = NULL;
    TAILQ_REMOVE(&stream->attempts, attempt, beside);
    stream->count--;
    stream->left += !attempt->heard;
    if (stream->count == 0 && stream->tcp != NULL && !is_spare(stream))
        stream_free(stream);
}

bool query_stream_is_shared(const struct attempt *attempt)
{
    const struct query_stream *stream = attempt->tcp;
    return stream != NULL && attempt != TAILQ_FIRST(&stream->attempts) &&
           pipeline_of(stream->pool, stream->server) != PIPELINE_OVERTAKES;
}

bool query_stream_is_blocked(const struct attempt *attempt)
{
    const struct query_stream *stream = attempt->tcp;
    return stream != NULL && attempt != TAILQ_FIRST(&stream->attempts) &&
           stream->heard_ms <= attempt->asked_ms && is_quiet(stream);
}

void query_stream_rest(struct query_pool *pool)
{
    struct query_stream *stream, *next;
    for (stream = LIST_FIRST(&pool->streams); stream != NULL; stream = next) {
        next = LIST_NEXT(stream, link);
        if (stream->count == 0)
            stream_free(stream);
    }
}
