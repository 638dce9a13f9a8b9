/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers that do not answer, and that come back: what becomes of those who wait. */
#include "dns/pending_query_private.h"

/*
 * Milliseconds after which an answer that has not come is missed: a question is repeated until its
 * deadline, which is too long to wait before an outage is suspected.
 */
#define PENDING_MISSED_MS 2000

/*
 * When the servers have come back the questions under way are sent again: so many at a time, with
 * a pause, as a burst of thousands would overflow a resolver's buffer.
 */
#define AGAIN_AT_ONCE  32
#define AGAIN_PAUSE_MS 5

/* --- answers that are missed ---------------------------------------------------------------- */

static void arm_missed_timer(struct pending_queries *queries)
{
    const struct pending_query *first = TAILQ_FIRST(&queries->recent);
    if (first == NULL || queries->missed_armed)
        return;
    /* Without memory the next question tries again. */
    queries->missed_armed =
        loop_timer_arm(queries->missed_timer, first->sent_ms + PENDING_MISSED_MS) == RESULT_OK;
}

static void miss(struct pending_queries *queries, struct pending_query *query)
{
    query->missed = true;
    TAILQ_REMOVE(&queries->recent, query, recent);
    pending_share_silent(queries);
    breaker_report(queries->use.breaker, &query->question, NULL);
}

static void on_missed(void *arg)
{
    struct pending_queries *queries = arg;
    struct pending_query *query;
    queries->missed_armed = false;
    while ((query = TAILQ_FIRST(&queries->recent)) != NULL &&
           now_ms(queries) - query->sent_ms >= PENDING_MISSED_MS)
        miss(queries, query);
    arm_missed_timer(queries);
}

/* --- an outage ------------------------------------------------------------------------------ */

/* For the first who will have waited long enough. */
static void arm_outage_timer(struct pending_queries *queries)
{
    const struct resolver_request *first = TAILQ_FIRST(&queries->waiting);
    if (first == NULL || queries->outage_armed || !breaker_is_open(queries->use.breaker))
        return;
    /* Without memory the next asker tries again. */
    queries->outage_armed = loop_timer_arm(queries->outage_timer,
                                           first->asked_ms + RESOLVER_OUTAGE_WAIT_MS) == RESULT_OK;
}

static void on_outage_timer(void *arg)
{
    struct pending_queries *queries = arg;
    struct resolver_request *request;
    queries->outage_armed = false;
    while (breaker_is_open(queries->use.breaker) &&
           (request = TAILQ_FIRST(&queries->waiting)) != NULL &&
           now_ms(queries) - request->asked_ms >= RESOLVER_OUTAGE_WAIT_MS) {
        request->query->background = true; /* the answer is still wanted, by the cache */
        pending_deliver(queries, request, queries->outage);
    }
    arm_outage_timer(queries);
}

void pending_queries_outage(struct pending_queries *queries)
{
    if (breaker_denies(queries->use.breaker))
        cache_forget_denials(queries->use.cache, now_ms(queries));
    arm_outage_timer(queries);
}

/* --- the servers are back ------------------------------------------------------------------- */

/* A question under way that has not been sent again at this recovery; NULL: there is none. */
static struct pending_query *next_again(struct pending_queries *queries)
{
    for (; queries->again_list < queries->table_size; queries->again_list++) {
        struct pending_query *query;
        LIST_FOREACH(query, &queries->table[queries->again_list], link)
        {
            if (query->sent_again != atomic_load(&queries->recoveries))
                return query;
        }
    }
    return NULL;
}

static void on_again_timer(void *arg)
{
    struct pending_queries *queries = arg;
    struct pending_query *query;
    for (unsigned i = 0; i < AGAIN_AT_ONCE && (query = next_again(queries)) != NULL; i++) {
        query->sent_again = atomic_load(&queries->recoveries);
        pending_nudge(query);
    }
    /* Without memory they are sent at their own times. */
    if (queries->again_list < queries->table_size &&
        loop_timer_arm(queries->again_timer, now_ms(queries) + AGAIN_PAUSE_MS) != RESULT_OK)
        queries->again_list = queries->table_size;
}

void pending_queries_recovered(struct pending_queries *queries)
{
    /* What failed in the outage would outlive it by failure-ttl. */
    cache_forget_failures(queries->use.cache, now_ms(queries));
    atomic_fetch_add(&queries->recoveries, 1);
    queries->again_list = 0;
    if (!queries->closing && loop_timer_arm(queries->again_timer, now_ms(queries)) != RESULT_OK)
        queries->again_list = queries->table_size;
}

unsigned pending_queries_recoveries(const struct pending_queries *queries)
{
    return atomic_load(&queries->recoveries);
}

/* --- what is watched ------------------------------------------------------------------------- */

void pending_watch_query(struct pending_query *query)
{
    struct pending_queries *queries = query->queries;
    query->sent_again = atomic_load(&queries->recoveries);
    query->missed = false;
    TAILQ_INSERT_TAIL(&queries->recent, query, recent);
    arm_missed_timer(queries);
}

void pending_unwatch_query(struct pending_query *query)
{
    if (!query->missed)
        TAILQ_REMOVE(&query->queries->recent, query, recent);
}

void pending_watch_request(struct resolver_request *request)
{
    if (request->done == NULL)
        return;
    TAILQ_INSERT_TAIL(&request->queries->waiting, request, waiting);
    arm_outage_timer(request->queries);
}

void pending_unwatch_request(struct resolver_request *request)
{
    if (request->done != NULL)
        TAILQ_REMOVE(&request->queries->waiting, request, waiting);
}

bool pending_watch_open(struct pending_queries *queries)
{
    struct loop *loop = queries->use.loop;
    TAILQ_INIT(&queries->recent);
    TAILQ_INIT(&queries->waiting);
    queries->missed_timer = loop_timer_new(loop, on_missed, queries);
    queries->outage_timer = loop_timer_new(loop, on_outage_timer, queries);
    queries->again_timer = loop_timer_new(loop, on_again_timer, queries);
    queries->outage = answer_new_problem(RR_PTR, PROBLEM_TIMEOUT);
    return queries->missed_timer != NULL && queries->outage_timer != NULL &&
           queries->again_timer != NULL && queries->outage != NULL;
}

void pending_watch_close(struct pending_queries *queries)
{
    loop_timer_free(queries->missed_timer);
    loop_timer_free(queries->outage_timer);
    loop_timer_free(queries->again_timer);
    answer_unref(queries->outage);
}
