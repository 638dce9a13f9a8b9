/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lookup has two parts, the reverse one and that of the EHLO name, each an array of asks. Answers
 * arrive on the resolver's thread while the session's thread goes on; the lookup's mutex guards all
 * of it and is never held across a call into the resolver.  A part lives until its last answer
 * has come, even when the lookup was freed meanwhile, and keeps the lookup's memory that long.
 */
#include "dns/lookup.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

/* PTR names that are no host names and are shown all the same: evidence, not a burden. */
#define UNUSABLE_SHOWN_MAX 10

/* One question and what became of it. */
struct ask {
    struct part *part;
    bool asked, answered;
    struct answer *answer; /* NULL after `answered`: memory ran out */
    enum dns_origin origin;
    uint32_t ttl_left_s, took_ms;
    struct resolver_request *request; /* our handle; given back once */
};

/* The asks of the reverse part: the PTR, then the usable names in their order. */
enum { ASK_PTR, ASK_NAMES };
/* The asks of the EHLO part. */
enum { ASK_HELO, ASK_HELO_OTHER, ASK_HELO_MX, ASK_HELO_COUNT };

struct part {
    atomic_uint refs; /* the lookup's, and one for each ask under way */
    struct lookup *lookup;
    void (*answered)(struct part *part, struct ask *ask);
    int64_t deadline_ms;
    int64_t started_ms, last_ms; /* of the last answer */
    unsigned pending;
    bool dropped;
    size_t ask_count;
    char name[HOSTNAME_MAX + 1]; /* of the EHLO part; of the reverse part the preferred name */
    struct ask asks[];
};

struct lookup {
    atomic_uint refs; /* the session's, and one for each part */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct resolver *resolver;
    struct ipaddr client;
    bool all_cached;
    bool helo_failed; /* the EHLO part could not be made */
    void *facts_memory;
    struct part *helo;
    struct part reverse; /* last: its asks follow */
};

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

/* Walks the names in the answer's canonical order, which is not the packet's; doubles left out. */
struct name_walk {
    const struct answer *answer;
    size_t next;
    const uint8_t *last;
    size_t last_length; /* 0: before the first */
    /* The current name. */
    enum hostname_flaw flaw;
    char name[HOSTNAME_MAX + 1]; /* canonical, for HOSTNAME_OK */
    char text[NAME_TEXT_MAX];    /* presentation form */
};

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

static bool walk_name(struct name_walk *walk)
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

/* How many of the usable names are looked up in their order: all that there are places for, but one
   less where the preferred name stands behind them. */
static size_t names_in_order(const struct part *part, const struct answer *answer)
{
    size_t places = part->ask_count - ASK_NAMES, usable = 0;
    if (part->name[0] == '\0' || answer->count <= places)
        return places;
    struct name_walk walk = {.answer = answer};
    while (walk_name(&walk)) {
        if (walk.flaw != HOSTNAME_OK)
            continue;
        if (strcmp(walk.name, part->name) == 0)
            return usable < places ? places : places - 1;
        usable++;
    }
    return places;
}

/* Has the name at hand, the usable-th usable one from 0, a place among the asks of the part? */
static bool has_place(const struct part *part, const struct name_walk *walk, size_t usable,
                      size_t in_order)
{
    return usable < in_order ||
           (in_order < part->ask_count - ASK_NAMES && strcmp(walk->name, part->name) == 0);
}

static void on_reverse_answer(struct part *part, struct ask *ask)
{
    if (ask != &part->asks[ASK_PTR] || ask->answer->outcome != DNS_FOUND)
        return;
    size_t in_order = names_in_order(part, ask->answer), usable = 0;
    struct name_walk walk = {.answer = ask->answer};
    for (size_t i = ASK_NAMES; i < part->ask_count && walk_name(&walk);)
        if (walk.flaw == HOSTNAME_OK && has_place(part, &walk, usable++, in_order))
            ask_name(&part->asks[i++], walk.name, own_type(part->lookup));
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

/* --- facts ---------------------------------------------------------------------------------- */

/* One block for all that facts point to, by facts_room().  What needs alignment is taken first. */
struct arena {
    char *memory;
    size_t used;
};

static void *take(struct arena *arena, size_t size)
{
    void *taken = arena->memory + arena->used;
    arena->used += size;
    return taken;
}
_Static_assert(_Alignof(struct ipaddr) == 1, "addresses are taken in between texts");

static struct dns_evidence evidence_of(const struct lookup *lookup, const struct ask *ask)
{
    struct dns_evidence evidence = {.outcome = DNS_NOT_ASKED};
    if (!ask->asked)
        return evidence;
    if (!ask->answered) {
        evidence.outcome = DNS_TEMPERROR;
        evidence.problem = dns_problem_text(PROBLEM_DEADLINE);
        return evidence;
    }
    const struct answer *answer = ask->answer;
    evidence.outcome = (enum dns_outcome)answer->outcome;
    evidence.origin = ask->origin;
    evidence.secure = answer->secure;
    evidence.ttl_s = ask->ttl_left_s;
    evidence.took_ms = ask->took_ms;
    if (ask->origin == DNS_FROM_NETWORK)
        evidence.server = resolver_server_text(lookup->resolver, answer->server);
    if (answer->outcome == DNS_TEMPERROR)
        evidence.problem = dns_problem_text((enum dns_problem)answer->problem);
    return evidence;
}

/* How many addresses the answer holds. */
static size_t address_count(const struct ask *ask)
{
    return ask->answered && ask->answer->outcome == DNS_FOUND ? ask->answer->count : 0;
}

/* Forward outcome and addresses of a name. */
static void fill_addresses(const struct lookup *lookup, const struct ask *ask, struct arena *arena,
                           struct name_facts *out)
{
    size_t count = address_count(ask);
    struct ipaddr *addresses = take(arena, count * sizeof *addresses);
    for (size_t i = 0; i < count; i++)
        answer_address(ask->answer, i, &addresses[i]);
    out->forward = evidence_of(lookup, ask);
    out->addresses = addresses;
    out->address_count = count;
    name_facts_confirm(out, &lookup->client);
}

static char *take_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(take(arena, size), text, size);
}

/* The answer to the PTR question if it has names, else NULL. */
static const struct answer *names_of(const struct part *part)
{
    const struct ask *ptr = &part->asks[ASK_PTR];
    return ptr->answered && ptr->answer->outcome == DNS_FOUND ? ptr->answer : NULL;
}

/* The most names that are shown. */
static size_t names_max(const struct part *part)
{
    const struct answer *answer = names_of(part);
    size_t most = part->ask_count - ASK_NAMES + UNUSABLE_SHOWN_MAX + 1; /* 1: the EHLO name */
    return answer == NULL ? 0 : answer->count < most ? answer->count : most;
}

/* The ask of the usable name at hand, the usable-th from 0, of which *asked have a place already;
   NULL: it is not looked up. */
static const struct ask *ask_of(const struct lookup *lookup, const struct name_walk *walk,
                                size_t usable, size_t in_order, size_t *asked)
{
    const struct part *reverse = &lookup->reverse;
    if (*asked < reverse->ask_count && has_place(reverse, walk, usable, in_order))
        return &reverse->asks[(*asked)++];
    if (lookup->helo != NULL && strcmp(walk->name, lookup->helo->name) == 0)
        return &lookup->helo->asks[ASK_HELO];
    return NULL;
}

/*
 * The PTR's names into `names`.  Returns how many; *over: usable ones that were not looked up.
 */
static size_t fill_names(const struct lookup *lookup, struct arena *arena, struct name_facts *names,
                         size_t *over)
{
    const struct part *part = &lookup->reverse;
    const struct answer *answer = names_of(part);
    size_t count = 0, asked = ASK_NAMES, usable = 0, unusable = 0;
    *over = 0;
    if (answer == NULL)
        return 0;
    *over = answer->dropped;
    size_t in_order = names_in_order(part, answer);
    struct name_walk walk = {.answer = answer};
    while (walk_name(&walk)) {
        const struct ask *ask = NULL;
        if (walk.flaw == HOSTNAME_OK) {
            ask = ask_of(lookup, &walk, usable++, in_order, &asked);
            *over += ask == NULL;
        }
        if (ask == NULL && (walk.flaw == HOSTNAME_OK || unusable++ >= UNUSABLE_SHOWN_MAX))
            continue;
        struct name_facts *out = &names[count++];
        *out = (struct name_facts){.flaw = walk.flaw};
        out->name = take_text(arena, ask != NULL ? walk.name : walk.text);
        if (ask != NULL)
            fill_addresses(lookup, ask, arena, out);
    }
    return count;
}

/* The EHLO part into facts. */
static void fill_helo(const struct lookup *lookup, struct arena *arena, struct facts *facts)
{
    const struct part *part = lookup->helo;
    struct name_facts *out = &facts->helo_name;
    *out = (struct name_facts){0};
    facts->helo_other = facts->helo_mx = (struct dns_evidence){0};
    if (part == NULL)
        return;
    out->name = take_text(arena, part->name);
    fill_addresses(lookup, &part->asks[ASK_HELO], arena, out);
    facts->helo_other = evidence_of(lookup, &part->asks[ASK_HELO_OTHER]);
    facts->helo_mx = evidence_of(lookup, &part->asks[ASK_HELO_MX]);
    if (out->forward.outcome == DNS_NXDOMAIN) { /* of all types at once */
        facts->helo_other = out->forward;
        facts->helo_mx = out->forward;
    }
}

/* Bytes that suffice for all that facts point to. */
static size_t facts_room(const struct lookup *lookup)
{
    const struct part *reverse = &lookup->reverse;
    size_t names = names_max(reverse), room = names * sizeof(struct name_facts);
    if (names > 0) {
        /* A byte of a wire name is up to four of text, and its end is the text's NUL. */
        size_t text = 4 * (size_t)names_of(reverse)->payload_length;
        room += text < names * NAME_TEXT_MAX ? text : names * NAME_TEXT_MAX;
    }
    for (size_t i = ASK_NAMES; i < reverse->ask_count; i++)
        room += address_count(&reverse->asks[i]) * sizeof(struct ipaddr);
    if (lookup->helo != NULL)
        room += strlen(lookup->helo->name) + 1 + /* twice: it may be a PTR name, too */
                2 * address_count(&lookup->helo->asks[ASK_HELO]) * sizeof(struct ipaddr);
    return room;
}

/* Was there no memory for an answer?  What follows from the others is not what the DNS says. */
static bool ran_out(const struct part *part)
{
    for (size_t i = 0; part != NULL && i < part->ask_count; i++) {
        const struct ask *ask = &part->asks[i];
        if (ask->answered && (ask->answer == NULL || (ask->answer->outcome == DNS_TEMPERROR &&
                                                      ask->answer->problem == PROBLEM_MEMORY)))
            return true;
    }
    return false;
}

/* With the lock held, so that nothing changes between measuring and filling. */
static enum result fill_facts(struct lookup *lookup, struct facts *facts)
{
    if (ran_out(&lookup->reverse) || ran_out(lookup->helo))
        return RESULT_NOMEM;
    free(lookup->facts_memory);
    lookup->facts_memory = malloc(facts_room(lookup) + 1);
    if (lookup->facts_memory == NULL)
        return RESULT_NOMEM;
    struct arena arena = {.memory = lookup->facts_memory};
    struct name_facts *names = take(&arena, names_max(&lookup->reverse) * sizeof *names);
    facts->client = lookup->client;
    facts->ptr = evidence_of(lookup, &lookup->reverse.asks[ASK_PTR]);
    facts->name_count = fill_names(lookup, &arena, names, &facts->names_over);
    facts->names = names;
    fill_helo(lookup, &arena, facts);
    return RESULT_OK;
}

enum result lookup_facts(struct lookup *lookup, struct facts *facts)
{
    if (lookup->helo_failed)
        return RESULT_NOMEM;
    pthread_mutex_lock(&lookup->lock);
    enum result status = fill_facts(lookup, facts);
    pthread_mutex_unlock(&lookup->lock);
    facts->resolver_down = resolver_is_down(lookup->resolver);
    return status;
}
