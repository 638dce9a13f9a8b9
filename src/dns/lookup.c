/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/lookup_private.h"

#include "core/dnslist.h"

#include <stdlib.h>
#include <string.h>

/* --- memory --------------------------------------------------------------------------------- */

void lookup_unref(struct lookup *lookup)
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
                      int64_t deadline_ms)
{
    atomic_init(&part->refs, 1);
    atomic_fetch_add(&lookup->refs, 1);
    part->lookup = lookup;
    part->deadline_ms = deadline_ms;
    part->started_ms = part->last_ms = lookup_now_ms(lookup);
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

static bool helo_has_no_address(const struct part *part)
{
    const struct ask *ask = &part->asks[ASK_HELO];
    return ask->answered && ask->answer != NULL && ask->answer->outcome == DNS_NODATA;
}

/*
 * The EHLO name.  No address of the client's family does not mean that it is nothing: RFC 5321
 * 2.3.5, 5.1.
 */
static struct ask *next_of_helo(struct part *part, struct question *question)
{
    enum rrtype own = lookup_own_type(part->lookup);
    const enum rrtype types[ASK_HELO_COUNT] = {
        [ASK_HELO] = own, [ASK_HELO_OTHER] = own == RR_A ? RR_AAAA : RR_A, [ASK_HELO_MX] = RR_MX};
    for (size_t i = 0; i < (helo_has_no_address(part) ? ASK_HELO_COUNT : ASK_HELO_OTHER); i++)
        if (!part->asks[i].asked && question_from_name(part->name, types[i], question) == RESULT_OK)
            return &part->asks[i];
    return NULL;
}

static struct ask *next_of_lists(struct part *part, struct question *question)
{
    char name[HOSTNAME_MAX + 1];
    for (size_t i = 0; i < part->ask_count; i++) {
        struct ask *ask = &part->asks[i];
        if (!ask->asked && question_from_name(dnslist_name(&part->lookup->client, ask->zone, name),
                                              RR_A, question) == RESULT_OK)
            return ask;
    }
    return NULL;
}

static struct ask *next_of_reverse(struct part *part, struct question *question)
{
    const struct lookup *lookup = part->lookup;
    if (!part->asks[ASK_PTR].asked) {
        question_from_addr(&lookup->client, question);
        return &part->asks[ASK_PTR];
    }
    struct ask *ask = lookup_names_next(part, lookup_now_ms(lookup));
    if (ask == NULL)
        return NULL;
    question->type = (uint16_t)lookup_own_type(lookup);
    question->length = ask->name_length;
    memcpy(question->name, ask->name, ask->name_length);
    return ask;
}

static struct ask *next_of(struct part *part, struct question *question)
{
    const struct lookup *lookup = part->lookup;
    if (part == &lookup->reverse)
        return next_of_reverse(part, question);
    return part == lookup->lists ? next_of_lists(part, question) : next_of_helo(part, question);
}

/* What is to be asked now, and is from here on pending; NULL: nothing. */
static struct ask *take_next(struct part *part, struct question *question, int64_t *deadline_ms)
{
    struct lookup *lookup = part->lookup;
    struct ask *ask = NULL;
    pthread_mutex_lock(&lookup->lock);
    if (!part->dropped && !part->held)
        ask = next_of(part, question);
    if (ask != NULL) {
        ask->asked = true;
        ask->recoveries = resolver_recoveries(lookup->resolver);
        part->pending++;
        *deadline_ms = part->deadline_ms;
    }
    pthread_mutex_unlock(&lookup->lock);
    return ask;
}

static bool is_clients(const struct ask *ask)
{
    const struct ipaddr *client = &ask->part->lookup->client;
    struct ipaddr addr;
    if (ask->name == NULL || ask->answer == NULL || ask->answer->outcome != DNS_FOUND)
        return false;
    for (size_t i = 0; i < ask->answer->count; i++) {
        answer_address(ask->answer, i, &addr);
        if (ipaddr_equal(&addr, client))
            return true;
    }
    return false;
}

/* An answer has come (answer taken; NULL: memory ran out).  With the lock held. */
static void record(struct ask *ask, struct answer *answer, const struct resolver_answer *delivery)
{
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    ask->answer = answer;
    ask->origin = delivery->origin;
    ask->ttl_left_s = delivery->ttl_left_s;
    ask->took_ms = delivery->took_ms;
    ask->answered = true;
    ask->confirms = is_clients(ask);
    part->failed = part->failed || (answer != NULL && answer->outcome == DNS_TEMPERROR);
    part->last_ms = lookup_now_ms(lookup);
    lookup->all_cached = lookup->all_cached && delivery->origin == DNS_FROM_CACHE;
    if (part == &lookup->reverse && ask == &part->asks[ASK_PTR])
        lookup_names_list(part);
}

/* The question was given up, and is as if it had never been asked.  With the lock held. */
static bool forget_cancelled(struct ask *ask, const struct answer *answer)
{
    if (!ask->cancelled || answer == NULL || answer->outcome != DNS_TEMPERROR ||
        answer->problem != PROBLEM_CANCELLED)
        return false;
    ask->asked = ask->cancelled = false;
    return true;
}

static void ask_all(struct part *part);

static void on_answer(void *arg, const struct resolver_answer *delivery)
{
    struct ask *ask = arg;
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    if (!forget_cancelled(ask, delivery->answer))
        record(ask, answer_ref(delivery->answer), delivery);
    pthread_mutex_unlock(&lookup->lock);
    ask_all(part); /* the part is pending until that is done */
    pthread_mutex_lock(&lookup->lock);
    part->pending--;
    lookup->news = true;
    (void)pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    part_unref(part);
}

/* Answered at once. */
static void on_answer_now(struct ask *ask, const struct resolver_answer *now)
{
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    record(ask, now->answer, now);
    part->pending--;
    pthread_mutex_unlock(&lookup->lock);
    part_unref(part);
}

/* Keep the handle of a question under way, unless nobody wants it any more. */
static void keep_handle(struct ask *ask, struct resolver_request *request)
{
    struct part *part = ask->part;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    bool unwanted = part->dropped || part->held;
    ask->cancelled = unwanted && !ask->answered;
    if (!unwanted)
        ask->request = request;
    pthread_mutex_unlock(&lookup->lock);
    if (unwanted)
        resolver_cancel(lookup->resolver, request);
}

/* Ask everything that is to be asked now. */
static void ask_all(struct part *part)
{
    static const struct resolver_answer nothing = {.origin = DNS_FROM_NETWORK};
    struct resolver *resolver = part->lookup->resolver;
    struct resolver_answer now;
    struct resolver_request *request;
    struct question question;
    int64_t deadline_ms;
    struct ask *ask;
    atomic_fetch_add(&part->refs, 1);
    while ((ask = take_next(part, &question, &deadline_ms)) != NULL) {
        atomic_fetch_add(&part->refs, 1); /* the answer's */
        switch (resolver_ask(resolver, &question, part->lookup->network, deadline_ms, on_answer,
                             ask, &now, &request)) {
        case RESULT_PENDING:
            keep_handle(ask, request);
            break;
        case RESULT_OK:
            on_answer_now(ask, &now);
            break;
        default:
            on_answer_now(ask, &nothing);
            break;
        }
    }
    part_unref(part);
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
    lookup->network = resolver_network(client);
    lookup->all_cached = true;
    part_init(&lookup->reverse, lookup, ask_count, deadline_ms);
    memcpy(lookup->reverse.name, preferred, strnlen(preferred, HOSTNAME_MAX));
    ask_all(&lookup->reverse);
    return lookup;
}

/* In the place of the EHLO part that was. */
static void put_helo(struct lookup *lookup, struct part *part)
{
    pthread_mutex_lock(&lookup->lock);
    struct part *before = lookup->helo;
    lookup->helo = part;
    pthread_mutex_unlock(&lookup->lock);
    part_drop(before);
}

enum result lookup_helo(struct lookup *lookup, const struct helo *helo, bool now,
                        int64_t deadline_ms)
{
    struct part *part = NULL;
    lookup->helo_failed = false;
    if (helo->name[0] != '\0') {
        part = calloc(1, sizeof *part + asks_size(ASK_HELO_COUNT));
        lookup->helo_failed = part == NULL;
    }
    if (part != NULL) {
        part_init(part, lookup, ASK_HELO_COUNT, deadline_ms);
        memcpy(part->name, helo->name, sizeof part->name);
        part->held = !now;
    }
    put_helo(lookup, part);
    if (part != NULL)
        ask_all(part);
    return lookup->helo_failed ? RESULT_NOMEM : RESULT_OK;
}

enum result lookup_lists(struct lookup *lookup, const char *const *zones, size_t count,
                         int64_t deadline_ms)
{
    if (count == 0)
        return RESULT_OK;
    struct part *part = calloc(1, sizeof *part + asks_size(count));
    lookup->lists_failed = part == NULL;
    if (part == NULL)
        return RESULT_NOMEM;
    part_init(part, lookup, count, deadline_ms);
    for (size_t i = 0; i < count; i++)
        part->asks[i].zone = zones[i];
    pthread_mutex_lock(&lookup->lock);
    lookup->lists = part;
    pthread_mutex_unlock(&lookup->lock);
    ask_all(part);
    return RESULT_OK;
}

bool lookup_orders_names(struct lookup *lookup)
{
    const struct part *reverse = &lookup->reverse;
    pthread_mutex_lock(&lookup->lock);
    bool orders = !reverse->asks[ASK_PTR].answered || reverse->name_count > LOOKUP_NAMES_AT_ONCE;
    pthread_mutex_unlock(&lookup->lock);
    return orders;
}

static void copy_domain(char out[HOSTNAME_MAX + 1], const char *domain)
{
    size_t length = domain != NULL ? strnlen(domain, HOSTNAME_MAX) : 0;
    if (length > 0)
        memcpy(out, domain, length);
    out[length] = '\0';
}

void lookup_favour(struct lookup *lookup, const char *helo_domain, const char *sender_domain)
{
    pthread_mutex_lock(&lookup->lock);
    copy_domain(lookup->helo_domain, helo_domain);
    copy_domain(lookup->sender_domain, sender_domain);
    pthread_mutex_unlock(&lookup->lock);
}

/* From now on until another deadline.  With the lock held. */
static void begin_anew(struct part *part, int64_t deadline_ms)
{
    part->deadline_ms = deadline_ms;
    part->started_ms = part->last_ms = part->names_ms = lookup_now_ms(part->lookup);
}

void lookup_ask_names(struct lookup *lookup, int64_t deadline_ms,
                      bool (*wanted)(void *arg, const char *name), void *arg)
{
    struct part *reverse = &lookup->reverse;
    char text[NAME_TEXT_MAX];
    bool more = false;
    pthread_mutex_lock(&lookup->lock);
    for (size_t i = 0; i < reverse->name_count; i++) {
        struct ask *ask = &reverse->asks[ASK_NAMES + i];
        if (!ask->asked && !ask->wanted)
            ask->wanted = wanted(arg, wirename_text(ask->name, ask->name_length, text));
        more = more || (ask->wanted && !ask->asked);
    }
    if (more && !lookup_part_waits(reverse, lookup_now_ms(lookup)) &&
        deadline_ms > reverse->deadline_ms)
        begin_anew(reverse, deadline_ms);
    pthread_mutex_unlock(&lookup->lock);
    ask_all(reverse);
}

/* The next request of the part that is to be given up, or NULL. */
static struct resolver_request *take_request(struct part *part)
{
    struct lookup *lookup = part->lookup;
    struct resolver_request *request = NULL;
    pthread_mutex_lock(&lookup->lock);
    part->held = part->held || part->pending > 0;
    for (size_t i = 0; i < part->ask_count && request == NULL; i++) {
        struct ask *ask = &part->asks[i];
        if (ask->request == NULL || ask->answered)
            continue;
        request = ask->request;
        ask->request = NULL;
        ask->cancelled = true;
    }
    pthread_mutex_unlock(&lookup->lock);
    return request;
}

static void hold(struct part *part)
{
    struct resolver_request *request;
    while (part != NULL && (request = take_request(part)) != NULL)
        resolver_cancel(part->lookup->resolver, request);
}

void lookup_hold(struct lookup *lookup)
{
    hold(&lookup->reverse);
    hold(lookup->helo);
    hold(lookup->lists);
}

static void go_on(struct part *part, int64_t deadline_ms)
{
    if (part == NULL)
        return;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    bool held = part->held;
    if (held) {
        part->held = false;
        begin_anew(part, deadline_ms);
    }
    pthread_mutex_unlock(&lookup->lock);
    if (held)
        ask_all(part);
}

void lookup_go_on(struct lookup *lookup, int64_t deadline_ms)
{
    go_on(&lookup->reverse, deadline_ms);
    go_on(lookup->helo, deadline_ms);
    go_on(lookup->lists, deadline_ms);
}

void lookup_free(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    part_drop(&lookup->reverse);
    part_drop(lookup->helo);
    part_drop(lookup->lists);
    lookup_unref(lookup);
}

/* --- asking again --------------------------------------------------------------------------- */

/*
 * Did the question fail, and have the servers come back since it was asked?  Then it is as if it
 * had not been asked.  With the lock held.  *request is to be given back.
 */
static bool forget_failure(struct ask *ask, unsigned recoveries, struct resolver_request **request)
{
    if (!ask->answered || ask->answer == NULL || ask->answer->outcome != DNS_TEMPERROR ||
        dns_problem_is_ours((enum dns_problem)ask->answer->problem) ||
        ask->recoveries == recoveries)
        return false;
    *request = ask->request;
    answer_unref(ask->answer);
    ask->answer = NULL;
    ask->request = NULL;
    ask->asked = ask->answered = false;
    return true;
}

/* Only what is over early: all has been answered, and there is time left. */
static bool forget_failures(struct part *part, unsigned recoveries)
{
    bool forgot = false;
    if (part == NULL)
        return false;
    struct lookup *lookup = part->lookup;
    pthread_mutex_lock(&lookup->lock);
    size_t count = part->failed ? part->ask_count : 0;
    pthread_mutex_unlock(&lookup->lock);
    for (size_t i = 0; i < count; i++) {
        struct resolver_request *request = NULL;
        pthread_mutex_lock(&lookup->lock);
        if (part->pending == 0 && lookup_now_ms(lookup) < part->deadline_ms)
            forgot = forget_failure(&part->asks[i], recoveries, &request) || forgot;
        pthread_mutex_unlock(&lookup->lock);
        resolver_cancel(lookup->resolver, request);
    }
    return forgot;
}

void lookup_ask_again(struct lookup *lookup)
{
    unsigned recoveries = resolver_recoveries(lookup->resolver);
    if (forget_failures(&lookup->reverse, recoveries))
        ask_all(&lookup->reverse);
    if (forget_failures(lookup->helo, recoveries))
        ask_all(lookup->helo);
    if (forget_failures(lookup->lists, recoveries))
        ask_all(lookup->lists);
}

/* --- waiting -------------------------------------------------------------------------------- */

bool lookup_part_waits(const struct part *part, int64_t now_ms)
{
    return part->held || now_ms < part->deadline_ms;
}

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
    int64_t now = lookup_now_ms(lookup);
    *until_ms = INT64_MAX;
    bool reverse = part_open(&lookup->reverse, now, until_ms);
    bool helo = part_open(lookup->helo, now, until_ms);
    bool lists = part_open(lookup->lists, now, until_ms);
    bool elsewhere = lookup_elsewhere_is_open(lookup, now, until_ms);
    return reverse || helo || lists || elsewhere;
}

/* Ask about more names if it is time; with the lock held, which is let go meanwhile. */
static void ask_more(struct lookup *lookup, int64_t *due_ms)
{
    int64_t now = lookup_now_ms(lookup);
    *due_ms = lookup_names_due_ms(&lookup->reverse, now);
    if (*due_ms > now)
        return;
    pthread_mutex_unlock(&lookup->lock);
    ask_all(&lookup->reverse);
    pthread_mutex_lock(&lookup->lock);
    *due_ms = lookup_names_due_ms(&lookup->reverse, now);
}

static bool look(struct lookup *lookup, bool news_too)
{
    int64_t until_ms, due_ms;
    lookup_ask_again(lookup);
    pthread_mutex_lock(&lookup->lock);
    ask_more(lookup, &due_ms);
    bool ready = !is_open(lookup, &until_ms) || (news_too && lookup->news);
    pthread_mutex_unlock(&lookup->lock);
    return ready;
}

bool lookup_ready(struct lookup *lookup)
{
    return look(lookup, false);
}

bool lookup_has_news(struct lookup *lookup)
{
    return look(lookup, true);
}

bool lookup_has_changed(struct lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    bool news = lookup->news;
    pthread_mutex_unlock(&lookup->lock);
    return news;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until it is ready, or something was answered where that is enough, or the moment has come,
   absolute.  True: it is not only the moment. */
static bool wait_until(struct lookup *lookup, bool news_too, int64_t most_ms)
{
    int64_t until_ms, due_ms;
    bool wait;
    pthread_mutex_lock(&lookup->lock);
    for (;;) {
        ask_more(lookup, &due_ms);
        wait = is_open(lookup, &until_ms) && !(news_too && lookup->news);
        int64_t now = lookup_now_ms(lookup);
        if (!wait || now >= most_ms)
            break;
        until_ms = sooner(sooner(until_ms, most_ms), due_ms);
        const struct timespec until = thread_deadline(until_ms);
        (void)pthread_cond_timedwait(&lookup->changed, &lookup->lock, &until);
    }
    pthread_mutex_unlock(&lookup->lock);
    return !wait;
}

void lookup_wait(struct lookup *lookup)
{
    (void)wait_until(lookup, false, INT64_MAX);
}

static bool every_name(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return true;
}

void lookup_wait_for_all(struct lookup *lookup)
{
    lookup_wait(lookup);
    lookup_ask_names(lookup, lookup->reverse.deadline_ms, every_name, NULL);
    lookup_wait(lookup);
}

void lookup_wait_for_news(struct lookup *lookup)
{
    (void)wait_until(lookup, true, INT64_MAX);
}

bool lookup_wait_ms(struct lookup *lookup, unsigned most_ms)
{
    return wait_until(lookup, true, lookup_now_ms(lookup) + most_ms);
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
    int64_t now = lookup_now_ms(lookup);
    pthread_mutex_lock(&lookup->lock);
    int64_t reverse = part_took_ms(&lookup->reverse, now), helo = part_took_ms(lookup->helo, now);
    int64_t lists = part_took_ms(lookup->lists, now);
    pthread_mutex_unlock(&lookup->lock);
    int64_t most = reverse > helo ? reverse : helo;
    return most > lists ? most : lists;
}

bool lookup_all_cached(struct lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    bool cached = lookup->all_cached && lookup->reverse.pending == 0 &&
                  (lookup->helo == NULL || lookup->helo->pending == 0) &&
                  (lookup->lists == NULL || lookup->lists->pending == 0);
    pthread_mutex_unlock(&lookup->lock);
    return cached;
}
