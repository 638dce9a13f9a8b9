/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may ask when the servers have enough to do.  A resolver has a bound on what it resolves at a
 * time (1,024 questions in Unbound), and when a client's names are silent its questions stay there
 * for seconds.  So no more than a window of questions are under way; it shrinks when they time out
 * and grows with answers.  While it is full, a network with more questions than another gives way:
 * its oldest one waits and is sent again when there is room.  What was given up without an answer
 * lives on in the resolver for a while: until then its place is for clients with few questions
 * only.  When there is no room to wait either,
 * the oldest question of the network that has most is dropped.
 */
#include "base/log.h"
#include "dns/pending_query_private.h"

#include <stdlib.h>

/* An Unbound has as many questions of its own, about names of servers, as it is asked. */
#define WINDOW_MAX     256
#define WINDOW_MIN     64
#define WINDOW_REST_MS 500 /* from one reduction to the next: its effect must be seen first */
#define SHARE_MIN      2   /* of every network: a PTR and an EHLO name */
#define JOSTLE_MS      500 /* under way so long, a question gives way to an equal, ... */
#define JOSTLE_PART    4   /* ... as long as no more than this part of the window was given up */
#define TURN_MS        50  /* how often those that wait are looked at */
#define TURN_QUERIES   32  /* of a turn */

static unsigned window_max(const struct pending_queries *queries)
{
    unsigned max = atomic_load(&queries->max_queries);
    return max < WINDOW_MAX ? max : WINDOW_MAX;
}

static unsigned window_of(const struct pending_queries *queries)
{
    unsigned max = window_max(queries);
    return queries->share.window < max ? queries->share.window : max;
}

/* --- what was given up ----------------------------------------------------------------------- */

/* Those whose time is over are forgotten: a slot holds what was given up in GIVEN_UP_SLOT_MS. */
static unsigned given_up(struct pending_queries *queries)
{
    struct pending_share *share = &queries->share;
    int64_t slot = now_ms(queries) / SHARE_GIVEN_UP_SLOT_MS;
    if (slot - share->given_up_slot > SHARE_GIVEN_UP_SLOTS)
        share->given_up_slot = slot - SHARE_GIVEN_UP_SLOTS;
    while (share->given_up_slot < slot) {
        share->given_up_slot++;
        share->given_up[share->given_up_slot % SHARE_GIVEN_UP_SLOTS] = 0;
    }
    unsigned sum = 0;
    for (unsigned i = 0; i < SHARE_GIVEN_UP_SLOTS; i++)
        sum += share->given_up[i];
    return sum;
}

static void give_up(struct pending_queries *queries)
{
    (void)given_up(queries);
    queries->share.given_up[queries->share.given_up_slot % SHARE_GIVEN_UP_SLOTS]++;
}

/* --- networks ------------------------------------------------------------------------------- */

static struct share_network *find_network(struct pending_queries *queries, uint64_t key)
{
    struct share_network *network;
    LIST_FOREACH(network, &queries->share.table[key % SHARE_LISTS], link)
    {
        if (network->key == key)
            return network;
    }
    network = calloc(1, sizeof *network);
    if (network == NULL)
        return NULL;
    network->key = key;
    TAILQ_INIT(&network->queries);
    LIST_INSERT_HEAD(&queries->share.table[key % SHARE_LISTS], network, link);
    TAILQ_INSERT_TAIL(&queries->share.networks, network, all);
    queries->share.network_count++;
    return network;
}

/* The oldest of its questions that is under way, or NULL. */
static struct pending_query *oldest_under_way(const struct share_network *network)
{
    struct pending_query *query;
    if (network->under_way == 0)
        return NULL;
    TAILQ_FOREACH(query, &network->queries, shared)
    {
        if (!query->waiting && query->handle != NULL)
            return query;
    }
    return NULL;
}

bool pending_share_join(struct pending_query *query, uint64_t key)
{
    query->network = find_network(query->queries, key);
    if (query->network == NULL)
        return false;
    query->network->count++;
    TAILQ_INSERT_TAIL(&query->network->queries, query, shared);
    return true;
}

static void note_figures(const struct pending_queries *queries)
{
    metric_set(queries->use.metrics->waiting, 0, 0, queries->share.waiting_count);
    metric_set(queries->use.metrics->window, 0, 0, window_of(queries));
}

static void arm_turn(struct pending_queries *queries, int64_t after_ms)
{
    struct pending_share *share = &queries->share;
    /* Without memory the next end of a question tries again. */
    if (!TAILQ_EMPTY(&share->waiting) &&
        loop_timer_arm(share->turn, now_ms(queries) + after_ms) != RESULT_OK)
        loop_timer_disarm(share->turn);
}

/* --- under way and waiting ------------------------------------------------------------------ */

static void begin_wait(struct pending_query *query, bool first)
{
    struct pending_share *share = &query->queries->share;
    query->waiting = true;
    share->waiting_count++;
    if (first)
        TAILQ_INSERT_TAIL(&share->waiting, query, turn);
    else
        TAILQ_INSERT_HEAD(&share->waiting, query, turn);
    arm_turn(query->queries, TURN_MS);
    note_figures(query->queries);
}

static void end_wait(struct pending_query *query)
{
    struct pending_share *share = &query->queries->share;
    query->waiting = false;
    share->waiting_count--;
    TAILQ_REMOVE(&share->waiting, query, turn);
}

static void begin_under_way(struct pending_query *query)
{
    query->sent_ms = now_ms(query->queries);
    query->network->under_way++;
    query->queries->share.under_way++;
    pending_watch_query(query);
}

static void end_under_way(struct pending_query *query)
{
    query->network->under_way--;
    query->queries->share.under_way--;
    pending_unwatch_query(query);
}

void pending_share_postponed(struct pending_query *query)
{
    query->postponed = false;
    give_up(query->queries);
    end_under_way(query);
    begin_wait(query, false);
}

void pending_share_leave(struct pending_query *query)
{
    struct pending_queries *queries = query->queries;
    struct share_network *network = query->network;
    if (query->waiting) {
        end_wait(query);
    } else {
        end_under_way(query);
        if ((query->abandoned || query->dropped) && now_ms(queries) - query->sent_ms >= JOSTLE_MS)
            give_up(queries);
    }
    TAILQ_REMOVE(&network->queries, query, shared);
    network->count--;
    if (network->count == 0) {
        LIST_REMOVE(network, link);
        TAILQ_REMOVE(&queries->share.networks, network, all);
        queries->share.network_count--;
        free(network);
    }
    arm_turn(queries, 0);
    note_figures(queries);
}

/* --- who gives way -------------------------------------------------------------------------- */

/* Does `other`, whose oldest question is `query`, give way to `network`?  An equal: if `jostle`. */
static bool gives_way(const struct share_network *other, const struct pending_query *query,
                      const struct share_network *network, bool jostle)
{
    if (other->count != network->count)
        return other->count > network->count;
    return jostle && now_ms(query->queries) - query->sent_ms >= JOSTLE_MS;
}

static bool is_within_share(const struct pending_queries *queries,
                            const struct share_network *network)
{
    unsigned share = window_of(queries) / queries->share.network_count;
    return network->under_way < (share > SHARE_MIN ? share : SHARE_MIN);
}

/* A question under way that gives way to one of this network; NULL: none. */
static struct pending_query *find_victim(struct pending_queries *queries,
                                         const struct share_network *network)
{
    struct share_network *other;
    struct pending_query *found = NULL;
    if (!is_within_share(queries, network))
        return NULL;
    bool jostle = given_up(queries) < window_of(queries) / JOSTLE_PART;
    TAILQ_FOREACH(other, &queries->share.networks, all)
    {
        struct pending_query *query = other == network ? NULL : oldest_under_way(other);
        if (query == NULL || !gives_way(other, query, network, jostle))
            continue;
        if (found == NULL || other->count > found->network->count ||
            (other->count == found->network->count && query->sent_ms < found->sent_ms))
            found = query;
    }
    return found;
}

/* It is cancelled at the source, and waits when this returns. */
static void postpone(struct pending_query *query)
{
    metric_add(query->queries->use.metrics->postponed, 0, 0, 1);
    query->postponed = true;
    query->source->ops->cancel(query->source, query->handle);
}

static bool has_room(struct pending_queries *queries, const struct share_network *network)
{
    unsigned under_way = queries->share.under_way, window = window_of(queries);
    if (under_way + given_up(queries) < window)
        return true;
    /* The place of what was given up: nobody has to give way for it. */
    if (under_way < window && network->under_way < SHARE_MIN)
        return true;
    struct pending_query *victim = find_victim(queries, network);
    if (victim == NULL)
        return false;
    if (under_way >= window)
        postpone(victim);
    return true;
}

bool pending_share_admit(struct pending_query *query)
{
    if (!has_room(query->queries, query->network)) {
        begin_wait(query, true);
        return false;
    }
    begin_under_way(query);
    return true;
}

/* --- turns ---------------------------------------------------------------------------------- */

/* Of those that wait, one of the network that has least; of equals the newest, which has time. */
static struct pending_query *next_waiting(const struct pending_queries *queries)
{
    struct pending_query *query, *best = NULL;
    TAILQ_FOREACH_REVERSE(query, &queries->share.waiting, pending_queue, turn)
    {
        if (best == NULL || query->network->count < best->network->count)
            best = query;
    }
    return best;
}

/* Their askers' time is up. */
static void end_late(struct pending_queries *queries)
{
    struct pending_query *query, *next;
    int64_t now = now_ms(queries);
    for (query = TAILQ_FIRST(&queries->share.waiting); query != NULL; query = next) {
        next = TAILQ_NEXT(query, turn);
        if (now < query->deadline_ms)
            continue;
        pending_complete(query, answer_ref(queries->refused));
        next = TAILQ_FIRST(&queries->share.waiting); /* askers may have done anything */
    }
}

static void on_turn(void *arg)
{
    struct pending_queries *queries = arg;
    struct pending_query *query;
    unsigned turns = 0;
    end_late(queries);
    while ((query = next_waiting(queries)) != NULL) {
        if (turns++ == TURN_QUERIES || !has_room(queries, query->network))
            break;
        end_wait(query);
        begin_under_way(query);
        pending_ask_source(query);
    }
    arm_turn(queries, turns > TURN_QUERIES ? 1 : TURN_MS);
    note_figures(queries);
}

/* --- the window ----------------------------------------------------------------------------- */

void pending_share_silent(struct pending_queries *queries)
{
    struct pending_share *share = &queries->share;
    int64_t now = now_ms(queries);
    unsigned window = window_of(queries);
    /* Silence means little while the servers have little to do. */
    if (share->under_way < window / 2 || now - share->reduced_ms < WINDOW_REST_MS)
        return;
    share->reduced_ms = now;
    share->window = window - window / 4 > WINDOW_MIN ? window - window / 4 : WINDOW_MIN;
    note_figures(queries);
}

void pending_share_answered(struct pending_queries *queries, const struct answer *answer)
{
    struct pending_share *share = &queries->share;
    if (answer->outcome == DNS_TEMPERROR &&
        (answer->problem == PROBLEM_TIMEOUT || answer->problem == PROBLEM_DEADLINE))
        pending_share_silent(queries);
    else if (answer->outcome != DNS_TEMPERROR ||
             !dns_problem_is_ours((enum dns_problem)answer->problem))
        share->window += share->window < WINDOW_MAX;
}

/* --- when there is no room at all ----------------------------------------------------------- */

static void log_drop(struct pending_queries *queries, const struct share_network *network)
{
    struct pending_share *share = &queries->share;
    char text[IPNET_TEXT_MAX];
    struct ipnet net;
    metric_add(queries->use.metrics->dropped, 0, 0, 1);
    share->drops++;
    if (!finding_note(queries->use.findings, FINDING_DROPS, queries->use.loop))
        return;
    resolver_network_of(network->key, &net);
    log_warning("%u DNS questions were dropped, as %u are pending; clients of %s have most, %u",
                share->drops, queries->count, ipnet_format(&net, text), network->count);
    share->drops = 0;
}

void pending_share_drop(struct pending_queries *queries)
{
    struct share_network *network, *most = TAILQ_FIRST(&queries->share.networks);
    TAILQ_FOREACH(network, &queries->share.networks, all)
    {
        if (network->count > most->count)
            most = network;
    }
    if (most == NULL)
        return;
    struct pending_query *query = TAILQ_FIRST(&most->queries);
    log_drop(queries, most);
    if (query->waiting) {
        pending_complete(query, answer_ref(queries->refused));
    } else if (query->handle != NULL) {
        query->dropped = true;
        query->source->ops->cancel(query->source, query->handle);
    }
}

/* --- life ----------------------------------------------------------------------------------- */

bool pending_share_open(struct pending_queries *queries)
{
    struct pending_share *share = &queries->share;
    share->window = WINDOW_MAX;
    TAILQ_INIT(&share->networks);
    TAILQ_INIT(&share->waiting);
    note_figures(queries);
    share->turn = loop_timer_new(queries->use.loop, on_turn, queries);
    return share->turn != NULL;
}

void pending_share_close(struct pending_queries *queries)
{
    loop_timer_free(queries->share.turn);
}
