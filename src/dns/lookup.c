/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lookup has two parts, the reverse one and that of the EHLO name, each an array of asks. Answers
 * arrive on the resolver's thread while the session's thread goes on; the lookup's mutex guards all
 * of it and is never held across a call into the resolver.  A part lives until its last answer
 * has come, even when the lookup was freed meanwhile, and keeps the lookup's memory that long.
 */
#include "dns/lookup_private.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

static int64_t now_ms(const struct lookup *lookup)
{
    return clock_ms(resolver_clock(lookup->resolver));
}

/* --- memory --------------------------------------------------------------------------------- */

static void lookup_unref(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->refs, 1) != 1)
        return;
    (void)pthread_cond_destroy(&lookup->changed);
    (void)pthread_mutex_destroy(&lookup->lock);
    free(lookup->facts_memory);
    free(lookup);
}

static void part_unref(struct part *part)
{
    if (atomic_fetch_sub(&part->refs, 1) != 1)
        return;
    struct lookup *lookup = part->lookup;
    for (size_t i = 0; i < part->ask_count; i++)
        answer_unref(part->asks[i].answer);
    if (part != &lookup->reverse)
        free(part);
    lookup_unref(lookup);
}

static size_t asks_size(size_t ask_count)
{
    return ask_count * sizeof(struct ask);
}

/* In zeroed memory. */
static void part_init(struct part *part, struct lookup *lookup, size_t ask_count,
                      int64_t deadline_ms, void (*answered)(struct part *part, struct ask *ask))
{
    atomic_init(&part->refs, 1);
    atomic_fetch_add(&lookup->refs, 1);
    part->lookup = lookup;
    part->answered = answered;
    part->deadline_ms = deadline_ms;
    part->started_ms = part->last_ms = now_ms(lookup);
    part->ask_count = ask_count;
    for (size_t i = 0; i < ask_count; i++)
        part->asks[i].part = part;
}

/* Nobody wants this part any more: give the handles back, which cancels what is under way. */
static void part_drop(struct part *part)
{
    if (part == NULL)
        return;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    part->dropped = true;
    pthread_mutex_unlock(&lookup->lock);
    /* Once dropped, nobody else touches the handles. */
    for (size_t i = 0; i < part->ask_count; i++) {
        resolver_cancel(lookup->resolver, part->asks[i].request);
        part->asks[i].request = NULL;
    }
    part_unref(part);
}

/* --- asking --------------------------------------------------------------------------------- */

/* An answer has come (answer taken; NULL: memory ran out).  Goes on to what follows from it. */
static void settle(struct ask *ask, struct answer *answer, const struct resolver_answer *delivery)
{
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    ask->answer = answer;
    ask->origin = delivery->origin;
    ask->ttl_left_s = delivery->ttl_left_s;
    ask->took_ms = delivery->took_ms;
    ask->answered = true;
    part->last_ms = now_ms(lookup);
    lookup->all_cached = lookup->all_cached && delivery->origin == DNS_FROM_CACHE;
    bool wanted = !part->dropped && answer != NULL;
    pthread_mutex_unlock(&lookup->lock);
    if (wanted)
        part->answered(part, ask);
    pthread_mutex_lock(&lookup->lock);
    part->pending--;
    if (part->pending == 0)
        (void)pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
}

static void on_answer(void *arg, const struct resolver_answer *delivery)
{
    struct ask *ask = arg;
    struct part *part = ask->part;
    settle(ask, answer_ref(delivery->answer), delivery);
    part_unref(part);
}

/* Keep the handle of a question under way, unless nobody wants it any more. */
static void keep_handle(struct ask *ask, struct resolver_request *request)
{
    struct lookup *lookup = ask->part->lookup;
    pthread_mutex_lock(&lookup->lock);
    bool dropped = ask->part->dropped;
    if (!dropped)
        ask->request = request;
    pthread_mutex_unlock(&lookup->lock);
    if (dropped)
        resolver_cancel(lookup->resolver, request);
}

/* Ask one question; the part stays pending until it is settled. */
static void ask_question(struct ask *ask, const struct question *question)
{
    static const struct resolver_answer nothing = {.origin = DNS_FROM_NETWORK};
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    struct resolver_answer now;
    struct resolver_request *request = NULL;
    ask->recoveries = resolver_recoveries(lookup->resolver);
    pthread_mutex_lock(&lookup->lock);
    ask->asked = true;
    part->pending++;
    pthread_mutex_unlock(&lookup->lock);
    atomic_fetch_add(&part->refs, 2); /* for the answer, and for this function */
    switch (resolver_ask(lookup->resolver, question, part->deadline_ms, on_answer, ask, &now,
                         &request)) {
    case RESULT_PENDING:
        keep_handle(ask, request);
        break;
    case RESULT_OK:
        settle(ask, now.answer, &now);
        part_unref(part);
        break;
    default:
        settle(ask, NULL, &nothing);
        part_unref(part);
        break;
    }
    part_unref(part);
}

static void ask_name(struct ask *ask, const char *name, enum rrtype type)
{
    struct question question;
    if (question_from_name(name, type, &question) == RESULT_OK)
        ask_question(ask, &question);
}

static enum rrtype own_type(const struct lookup *lookup)
{
    return lookup->client.family == IP_V6 ? RR_AAAA : RR_A;
}

/* --- the names in a PTR answer -------------------------------------------------------------- */

/* The bytes of the name at hand, which follow those of the one before. */
static const uint8_t *walk_bytes(const struct name_walk *walk, size_t *length)
{
    if (walk->last_length == 0)
        return answer_name(walk->answer, 0, length);
    const uint8_t *name = walk->last + walk->last_length;
    size_t used = 0;
    while (name[used] != 0)
        used += 1U + name[used];
    *length = used + 1;
    return name;
}

bool lookup_next_name(struct name_walk *walk)
{
    while (walk->next < walk->answer->count) {
        size_t length;
        const uint8_t *name = walk_bytes(walk, &length);
        bool again = walk->last != NULL && walk->last_length == length &&
                     memcmp(walk->last, name, length) == 0;
        walk->next++;
        walk->last = name;
        walk->last_length = length;
        if (again)
            continue;
        (void)wirename_text(name, length, walk->text);
        walk->flaw = hostname_parse(walk->text, walk->name);
        return true;
    }
    return false;
}

size_t lookup_names_in_order(const struct part *part, const struct answer *answer)
{
    size_t places = part->ask_count - ASK_NAMES, usable = 0;
    if (part->name[0] == '\0' || answer->count <= places)
        return places;
    struct name_walk walk = {.answer = answer};
    while (lookup_next_name(&walk)) {
        if (walk.flaw != HOSTNAME_OK)
            continue;
        if (strcmp(walk.name, part->name) == 0)
            return usable < places ? places : places - 1;
        usable++;
    }
    return places;
}

bool lookup_has_place(const struct part *part, const struct name_walk *walk, size_t usable,
                      size_t in_order)
{
    return usable < in_order ||
           (in_order < part->ask_count - ASK_NAMES && strcmp(walk->name, part->name) == 0);
}

/* Ask for the names of the PTR answer that `wanted` wants. */
static void ask_names(struct part *part, const struct answer *answer,
                      bool (*wanted)(struct ask *ask))
{
    size_t in_order = lookup_names_in_order(part, answer), usable = 0;
    struct name_walk walk = {.answer = answer};
    for (size_t i = ASK_NAMES; i < part->ask_count && lookup_next_name(&walk);) {
        if (walk.flaw != HOSTNAME_OK || !lookup_has_place(part, &walk, usable++, in_order))
            continue;
        struct ask *ask = &part->asks[i++];
        if (wanted(ask))
            ask_name(ask, walk.name, own_type(part->lookup));
    }
}

static bool is_new(struct ask *ask)
{
    return !ask->asked;
}

static void on_reverse_answer(struct part *part, struct ask *ask)
{
    if (ask == &part->asks[ASK_PTR] && ask->answer->outcome == DNS_FOUND)
        ask_names(part, ask->answer, is_new);
}

/* No address of the client's family does not mean that the name is nothing: RFC 5321 2.3.5, 5.1. */
static void on_helo_answer(struct part *part, struct ask *ask)
{
    if (ask != &part->asks[ASK_HELO] || ask->answer->outcome != DNS_NODATA)
        return;
    ask_name(&part->asks[ASK_HELO_OTHER], part->name,
             own_type(part->lookup) == RR_A ? RR_AAAA : RR_A);
    ask_name(&part->asks[ASK_HELO_MX], part->name, RR_MX);
}

/* --- asking again --------------------------------------------------------------------------- */

/*
 * Did the question fail, and have the servers come back since it was asked?  Then it is as if it
 * had not been asked.  Nothing of its part is under way.
 */
static bool is_to_be_asked_again(struct ask *ask)
{
    struct lookup *lookup = ask->part->lookup;
    if (!ask->answered || ask->answer == NULL || ask->answer->outcome != DNS_TEMPERROR ||
        dns_problem_is_ours((enum dns_problem)ask->answer->problem) ||
        ask->recoveries == resolver_recoveries(lookup->resolver))
        return false;
    resolver_cancel(lookup->resolver, ask->request);
    pthread_mutex_lock(&lookup->lock);
    answer_unref(ask->answer);
    ask->answer = NULL;
    ask->request = NULL;
    ask->asked = ask->answered = false;
    pthread_mutex_unlock(&lookup->lock);
    return true;
}

/* May the part's questions be asked again: have all been answered, and is there time left? */
static bool is_over_early(struct part *part)
{
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    bool over = part->pending == 0;
    pthread_mutex_unlock(&lookup->lock);
    return over && now_ms(lookup) < part->deadline_ms;
}

static void ask_reverse_again(struct part *part)
{
    struct ask *ptr = &part->asks[ASK_PTR];
    struct question question;
    if (is_to_be_asked_again(ptr)) {
        question_from_addr(&part->lookup->client, &question);
        ask_question(ptr, &question);
    } else if (ptr->answer != NULL && ptr->answer->outcome == DNS_FOUND) {
        ask_names(part, ptr->answer, is_to_be_asked_again);
    }
}

static void ask_helo_again(struct part *part)
{
    enum rrtype own = own_type(part->lookup);
    const enum rrtype types[ASK_HELO_COUNT] = {
        [ASK_HELO] = own, [ASK_HELO_OTHER] = own == RR_A ? RR_AAAA : RR_A, [ASK_HELO_MX] = RR_MX};
    for (size_t i = 0; i < ASK_HELO_COUNT; i++)
        if (is_to_be_asked_again(&part->asks[i]))
            ask_name(&part->asks[i], part->name, types[i]);
}

static void ask_again(struct lookup *lookup)
{
    if (is_over_early(&lookup->reverse))
        ask_reverse_again(&lookup->reverse);
    if (lookup->helo != NULL && is_over_early(lookup->helo))
        ask_helo_again(lookup->helo);
}

/* --- life ----------------------------------------------------------------------------------- */

struct lookup *lookup_start(struct resolver *resolver, const struct ipaddr *client,
                            unsigned max_ptr, const char *preferred, int64_t deadline_ms)
{
    size_t ask_count =
        ASK_NAMES + (max_ptr < LOOKUP_MAX_PTR_LIMIT ? max_ptr : LOOKUP_MAX_PTR_LIMIT);
    struct lookup *lookup = calloc(1, sizeof *lookup + asks_size(ask_count));
    if (lookup == NULL)
        return NULL;
    if (thread_lock_init(&lookup->lock, &lookup->changed) != RESULT_OK) {
        free(lookup);
        return NULL;
    }
    atomic_init(&lookup->refs, 1);
    lookup->resolver = resolver;
    lookup->client = *client;
    lookup->all_cached = true;
    part_init(&lookup->reverse, lookup, ask_count, deadline_ms, on_reverse_answer);
    memcpy(lookup->reverse.name, preferred, strnlen(preferred, HOSTNAME_MAX));
    struct question question;
    question_from_addr(client, &question);
    ask_question(&lookup->reverse.asks[ASK_PTR], &question);
    return lookup;
}

enum result lookup_helo(struct lookup *lookup, const struct helo *helo, int64_t deadline_ms)
{
    part_drop(lookup->helo);
    lookup->helo = NULL;
    lookup->helo_failed = false;
    if (helo->name[0] == '\0')
        return RESULT_OK;
    struct part *part = calloc(1, sizeof *part + asks_size(ASK_HELO_COUNT));
    if (part == NULL) {
        lookup->helo_failed = true;
        return RESULT_NOMEM;
    }
    part_init(part, lookup, ASK_HELO_COUNT, deadline_ms, on_helo_answer);
    memcpy(part->name, helo->name, sizeof part->name);
    lookup->helo = part;
    ask_name(&part->asks[ASK_HELO], part->name, own_type(lookup));
    return RESULT_OK;
}

void lookup_free(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    part_drop(&lookup->reverse);
    part_drop(lookup->helo);
    lookup_unref(lookup);
}

/* --- waiting -------------------------------------------------------------------------------- */

/* When the part needs waiting for, until when; with the lock held. */
static bool part_open(const struct part *part, int64_t now, int64_t *until_ms)
{
    if (part == NULL || part->pending == 0 || now >= part->deadline_ms)
        return false;
    if (part->deadline_ms < *until_ms)
        *until_ms = part->deadline_ms;
    return true;
}

static bool is_open(const struct lookup *lookup, int64_t *until_ms)
{
    int64_t now = now_ms(lookup);
    *until_ms = INT64_MAX;
    bool reverse = part_open(&lookup->reverse, now, until_ms);
    bool helo = part_open(lookup->helo, now, until_ms);
    return reverse || helo;
}

bool lookup_ready(struct lookup *lookup)
{
    int64_t until_ms;
    ask_again(lookup);
    pthread_mutex_lock(&lookup->lock);
    bool ready = !is_open(lookup, &until_ms);
    pthread_mutex_unlock(&lookup->lock);
    return ready;
}

/* Until it is ready or the moment has come, absolute; true: it is ready. */
static bool wait_until(struct lookup *lookup, int64_t most_ms)
{
    int64_t until_ms;
    bool open;
    pthread_mutex_lock(&lookup->lock);
    while ((open = is_open(lookup, &until_ms)) && now_ms(lookup) < most_ms) {
        if (until_ms > most_ms)
            until_ms = most_ms;
        const struct timespec until = thread_deadline(until_ms);
        (void)pthread_cond_timedwait(&lookup->changed, &lookup->lock, &until);
    }
    pthread_mutex_unlock(&lookup->lock);
    return !open;
}

void lookup_wait(struct lookup *lookup)
{
    (void)wait_until(lookup, INT64_MAX);
}

bool lookup_wait_ms(struct lookup *lookup, unsigned most_ms)
{
    return wait_until(lookup, now_ms(lookup) + most_ms);
}

/* With the lock held. */
static int64_t part_took_ms(const struct part *part, int64_t now)
{
    if (part == NULL)
        return 0;
    return (part->pending > 0 ? now : part->last_ms) - part->started_ms;
}

int64_t lookup_took_ms(struct lookup *lookup)
{
    int64_t now = now_ms(lookup);
    pthread_mutex_lock(&lookup->lock);
    int64_t reverse = part_took_ms(&lookup->reverse, now), helo = part_took_ms(lookup->helo, now);
    pthread_mutex_unlock(&lookup->lock);
    return reverse > helo ? reverse : helo;
}

bool lookup_all_cached(struct lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    bool cached = lookup->all_cached && lookup->reverse.pending == 0 &&
                  (lookup->helo == NULL || lookup->helo->pending == 0);
    pthread_mutex_unlock(&lookup->lock);
    return cached;
}
