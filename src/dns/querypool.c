/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/querypool.h"

#include "base/log.h"

#include <string.h>
#include <sys/random.h>

/* How long spare sockets stay without a question: longer than the gaps of a busy server. */
#define SPARE_MS 200

static void end_spare(void *arg)
{
    struct query_pool *pool = arg;

    pool->spare_ends = false;
    if (LIST_EMPTY(&pool->running))
        udp_spare_clear(&pool->spare);
}

void query_pool_rest(struct query_pool *pool)
{
    if (pool->spare_ends)
        return;
    pool->spare_ends =
        loop_timer_arm(pool->spare_timer, loop_now_ms(pool->loop) + SPARE_MS) == RESULT_OK;
    if (!pool->spare_ends)
        udp_spare_clear(&pool->spare);
}

enum result query_pool_init(struct query_pool *pool, struct loop *loop, void (*turn)(void *pool))
{
    memset(pool, 0, sizeof *pool);
    TAILQ_INIT(&pool->tcp_waiting);
    udp_spare_init(&pool->spare);
    LIST_INIT(&pool->running);
    pool->loop = loop;
    pool->attempts = QUERY_ATTEMPTS;
    pool->tcp_max = QUERY_TCP_DEFAULT;
    pool->tcp_turn = loop_timer_new(loop, turn, pool);
    pool->spare_timer = loop_timer_new(loop, end_spare, pool);
    if (pool->tcp_turn == NULL || pool->spare_timer == NULL ||
        pthread_mutex_init(&pool->lock, NULL) != 0) {
        loop_timer_free(pool->tcp_turn);
        loop_timer_free(pool->spare_timer);
        return RESULT_NOMEM;
    }
    loop_timer_background(pool->spare_timer);
    return RESULT_OK;
}

void query_pool_clear(struct query_pool *pool)
{
    udp_spare_clear(&pool->spare);
    loop_timer_free(pool->tcp_turn);
    loop_timer_free(pool->spare_timer);
    pthread_mutex_destroy(&pool->lock);
}

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

void query_pool_answered(struct query_pool *pool, struct server *server, int64_t rtt_ms, bool good)
{
    bool changed;

    pthread_mutex_lock(&pool->lock);
    changed = server_answered(server, rtt_ms, good, loop_now_ms(pool->loop));
    pthread_mutex_unlock(&pool->lock);
    if (changed)
        log_change(server);
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

void query_pool_stray(struct query_pool *pool, struct server *server)
{
    pthread_mutex_lock(&pool->lock);
    server->mismatched++;
    pthread_mutex_unlock(&pool->lock);
    metric_add(pool->metrics.mismatched, 0, 0, 1);
}
