/* SPDX-License-Identifier: BSD-2-Clause */
/* The facts that follow from a lookup's answers. */
#include "dns/lookup_private.h"

#include <stdlib.h>
#include <string.h>

/* PTR names that are no host names and are shown all the same: evidence, not a burden. */
#define UNUSABLE_SHOWN_MAX 10

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
    if (*asked < reverse->ask_count && lookup_has_place(reverse, walk, usable, in_order))
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
    size_t in_order = lookup_names_in_order(part, answer);
    struct name_walk walk = {.answer = answer};
    while (lookup_next_name(&walk)) {
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
