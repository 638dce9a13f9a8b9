/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/query_private.h"

#include "base/log.h"

#include <stdlib.h>
#include <sys/random.h>

/* How long spare sockets stay without a question: longer than the gaps of a busy server. */
#define SPARE_MS 200

static void end_spare(void *arg)
{
    struct query_pool *pool = arg;
    pool->spare_ends = false;
    if (!LIST_EMPTY(&pool->running))
        return;
    udp_spare_clear(&pool->spare);
    query_stream_rest(pool);
}

void query_pool_rest(struct query_pool *pool)
{
    if (pool->spare_ends)
        return;
    pool->spare_ends =
        loop_timer_arm(pool->spare_timer, loop_now_ms(pool->loop) + SPARE_MS) == RESULT_OK;
    if (pool->spare_ends)
        return;
    udp_spare_clear(&pool->spare);
    query_stream_rest(pool);
}

/* --- life cycle ------------------------------------------------------------------------------- */

struct query_pool *query_pool_new(struct loop *loop, struct metrics *metrics)
{
    struct query_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    TAILQ_INIT(&pool->tcp_waiting);
    LIST_INIT(&pool->running);
    LIST_INIT(&pool->streams);
    pool->loop = loop;
    pool->settings = (struct query_settings){.tcp_max = QUERY_TCP_MAX};
    pool->tcp_turn = loop_timer_new(loop, query_pool_turn, pool);
    pool->spare_timer = loop_timer_new(loop, end_spare, pool);
    if (pool->tcp_turn == NULL || pool->spare_timer == NULL ||
        !query_metrics_declare(&pool->metrics, metrics) ||
        !finding_declare(&pool->findings, metrics) || pthread_mutex_init(&pool->lock, NULL) != 0) {
        loop_timer_free(pool->tcp_turn);
        loop_timer_free(pool->spare_timer);
        free(pool);
        return NULL;
    }
    /* Without random numbers there are no questions either: see query_pool_id(). */
    if (getrandom(&pool->proof_seed, sizeof pool->proof_seed, 0) < 0)
        pool->proof_seed = (uint64_t)(uintptr_t)pool;
    udp_spare_init(&pool->spare);
    return pool;
}

void query_pool_free(struct query_pool *pool)
{
    if (pool == NULL)
        return;
    while (!LIST_EMPTY(&pool->running))
        query_cancel(LIST_FIRST(&pool->running));
    udp_spare_clear(&pool->spare);
    query_stream_rest(pool);
    loop_timer_free(pool->tcp_turn);
    loop_timer_free(pool->spare_timer);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void query_pool_set(struct query_pool *pool, const struct query_settings *settings)
{
    pool->settings = *settings;
    if (pool->settings.tcp_max == 0)
        pool->settings.tcp_max = QUERY_TCP_MAX;
}

void query_pool_lock(struct query_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
}

void query_pool_unlock(struct query_pool *pool)
{
    pthread_mutex_unlock(&pool->lock);
}

/* --- for the queries -------------------------------------------------------------------------- */

enum result query_pool_id(struct query_pool *pool, uint16_t *out)
{
    if (pool->id_count == 0) {
        ssize_t got = getrandom(pool->ids, sizeof pool->ids, 0);
        if (got != (ssize_t)sizeof pool->ids)
            return RESULT_IO;
        pool->id_count = sizeof pool->ids / sizeof pool->ids[0];
    }
    *out = pool->ids[--pool->id_count];
    return RESULT_OK;
}

int64_t query_pool_spread(struct query_pool *pool, int64_t wait_ms)
{
    uint16_t random;
    if (query_pool_id(pool, &random) != RESULT_OK)
        return wait_ms;
    return wait_ms + wait_ms * random / (4 * UINT16_MAX);
}

static void log_change(const struct server *server)
{
    switch (server->fault) {
    case SERVER_UP:
        log_info("DNS server %s answers again", server->text);
        break;
    case SERVER_SILENT:
        log_warning("DNS server %s does not answer", server->text);
        break;
    case SERVER_UNREACHABLE:
        log_warning("DNS server %s cannot be reached", server->text);
        break;
    case SERVER_FAILING:
        log_warning("DNS server %s fails where another one answers", server->text);
        break;
    }
}

void query_pool_asked(struct query_pool *pool, struct server *server)
{
    pthread_mutex_lock(&pool->lock);
    server_asked(server, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
}

bool query_pool_is_laden(struct query_pool *pool, struct server *server)
{
    pthread_mutex_lock(&pool->lock);
    bool laden = server_is_laden(server, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    return laden;
}

void query_pool_answered(struct query_pool *pool, struct server *server, int64_t rtt_ms, bool good)
{
    bool changed;
    pthread_mutex_lock(&pool->lock);
    changed = server_answered(server, rtt_ms, good, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    if (!changed)
        return;
    log_change(server);
    pool->came_back = pool->came_back || server->fault == SERVER_UP;
}

bool query_pool_came_back(struct query_pool *pool)
{
    bool came_back = pool->came_back;
    pool->came_back = false;
    return came_back;
}

void query_pool_failed(struct query_pool *pool, struct server *server, query_pool_note *note)
{
    bool changed;
    pthread_mutex_lock(&pool->lock);
    changed = note(server, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    if (changed)
        log_change(server);
}

void query_pool_silent(struct query_pool *pool, struct server *server)
{
    pthread_mutex_lock(&pool->lock);
    bool doubted = server_was_silent(server, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    if (doubted)
        query_ask_for_life(pool, server);
}

void query_pool_life(struct query_pool *pool, struct server *server)
{
    query_pool_failed(pool, server, server_showed_no_life);
}

void query_pool_stray(struct query_pool *pool, struct server *server)
{
    pthread_mutex_lock(&pool->lock);
    bool is_flood = server_sent_stray(server, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    if (is_flood && finding_note(&pool->findings, FINDING_GUESSING, pool->loop))
        log_warning("%d packets within a minute pretend to come from DNS server %s and answer no "
                    "question: somebody guesses; they are dropped",
                    SERVER_STRAYS_MAX, server->text);
    metric_add(pool->metrics.mismatched, 0, 0, 1);
}
