/* SPDX-License-Identifier: BSD-2-Clause */
/* What a lookup knows, as facts. */
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

/* What is known of a question.  `needed`: something depends on it; else nobody asks. */
static struct dns_evidence evidence_of(const struct ask *ask, bool needed, struct facts *facts)
{
    const struct lookup *lookup = ask->part->lookup;
    struct dns_evidence evidence = {.outcome = DNS_NOT_ASKED};
    if (!ask->answered) {
        /* What nothing depended on proves nothing, and is asked when something does. */
        evidence.awaited = !needed || lookup_part_waits(ask->part, lookup_now_ms(lookup));
        facts->awaited = facts->awaited || evidence.awaited;
        if (!needed)
            return evidence;
        evidence.outcome = DNS_TEMPERROR;
        evidence.fault = DNS_FAULT_UNKNOWN;
        evidence.problem = evidence.awaited ? "not waited for" : dns_problem_text(PROBLEM_DEADLINE);
        return evidence;
    }
    const struct answer *answer = ask->answer;
    evidence.outcome = (enum dns_outcome)answer->outcome;
    evidence.origin = ask->origin;
    evidence.secure = answer->secure;
    evidence.aliased = answer->aliased;
    evidence.ttl_s = ask->ttl_left_s;
    evidence.took_ms = ask->took_ms;
    if (ask->origin == DNS_FROM_NETWORK)
        evidence.server = resolver_server_text(lookup->resolver, answer->server);
    if (answer->outcome == DNS_TEMPERROR) {
        evidence.problem = answer_problem_text(answer);
        evidence.fault = dns_problem_fault((enum dns_problem)answer->problem);
    }
    return evidence;
}

/* How many addresses the answer holds. */
static size_t address_count(const struct ask *ask)
{
    return ask->answered && ask->answer->outcome == DNS_FOUND ? ask->answer->count : 0;
}

/* Forward outcome and addresses of a name. */
static void fill_addresses(const struct ask *ask, bool needed, struct arena *arena,
                           struct facts *facts, struct name_facts *out)
{
    size_t count = address_count(ask);
    struct ipaddr *addresses = take(arena, count * sizeof *addresses);
    for (size_t i = 0; i < count; i++)
        answer_address(ask->answer, i, &addresses[i]);
    out->forward = evidence_of(ask, needed, facts);
    out->addresses = addresses;
    out->address_count = count;
    name_facts_confirm(out, &facts->client);
}

static char *take_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(take(arena, size), text, size);
}

/* The most names that are shown. */
static size_t names_max(const struct part *part)
{
    const struct answer *answer = lookup_names_of(part);
    size_t most = part->ask_count - ASK_NAMES + UNUSABLE_SHOWN_MAX + 1; /* 1: the EHLO name */
    return answer == NULL ? 0 : answer->count < most ? answer->count : most;
}

/* The ask of the usable name at hand, of those of which *listed are passed; NULL: it is not looked
   up. */
static const struct ask *ask_of(const struct lookup *lookup, const struct name_walk *walk,
                                size_t *listed)
{
    const struct part *reverse = &lookup->reverse;
    const struct ask *ask = NULL;
    if (*listed < reverse->name_count && reverse->asks[ASK_NAMES + *listed].name == walk->last)
        ask = &reverse->asks[ASK_NAMES + (*listed)++];
    if ((ask == NULL || !ask->asked) && lookup->helo != NULL &&
        strcmp(walk->name, lookup->helo->name) == 0)
        ask = &lookup->helo->asks[ASK_HELO];
    return ask;
}

/* Those of `unusable` names are shown of which there are not too many. */
static bool is_shown(const struct ask *ask, enum hostname_flaw flaw, size_t *unusable)
{
    return ask != NULL || (flaw != HOSTNAME_OK && (*unusable)++ < UNUSABLE_SHOWN_MAX);
}

/* The PTR's names into `names`; names_over: usable ones that are not looked up. */
static void fill_names(const struct lookup *lookup, struct arena *arena, struct name_facts *names,
                       struct facts *facts)
{
    const struct answer *answer = lookup_names_of(&lookup->reverse);
    size_t listed = 0, unusable = 0;
    facts->names = names;
    facts->name_count = facts->names_over = 0;
    if (answer == NULL)
        return;
    facts->names_over = answer->dropped;
    bool confirmed = lookup_names_confirmed(&lookup->reverse);
    struct name_walk walk = {.answer = answer};
    while (lookup_name_walk(&walk)) {
        const struct ask *ask = NULL;
        if (walk.flaw == HOSTNAME_OK) {
            ask = ask_of(lookup, &walk, &listed);
            facts->names_over += ask == NULL;
        }
        if (!is_shown(ask, walk.flaw, &unusable))
            continue;
        struct name_facts *out = &names[facts->name_count++];
        *out = (struct name_facts){.flaw = walk.flaw};
        out->name = take_text(arena, ask != NULL ? walk.name : walk.text);
        if (ask != NULL)
            fill_addresses(ask, ask->asked || ask->wanted || !confirmed, arena, facts, out);
    }
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
    fill_addresses(&part->asks[ASK_HELO], true, arena, facts, out);
    if (out->forward.outcome == DNS_NODATA) {
        facts->helo_other = evidence_of(&part->asks[ASK_HELO_OTHER], true, facts);
        facts->helo_mx = evidence_of(&part->asks[ASK_HELO_MX], true, facts);
    }
    if (out->forward.outcome == DNS_NXDOMAIN) { /* of all types at once */
        facts->helo_other = out->forward;
        facts->helo_mx = out->forward;
    }
}

/* What DNS lists say, into `lists`, which has a place for each. */
static void fill_lists(const struct lookup *lookup, struct arena *arena, struct list_facts *lists,
                       struct facts *facts)
{
    const struct part *part = lookup->lists;
    facts->lists = lists;
    facts->list_count = part != NULL ? part->ask_count : 0;
    for (size_t i = 0; i < facts->list_count; i++) {
        const struct ask *ask = &part->asks[i];
        size_t count = address_count(ask);
        struct ipaddr *addresses = take(arena, count * sizeof *addresses);
        for (size_t j = 0; j < count; j++)
            answer_address(ask->answer, j, &addresses[j]);
        lists[i] = (struct list_facts){.zone = ask->zone,
                                       .answer = evidence_of(ask, true, facts),
                                       .addresses = addresses,
                                       .address_count = count};
    }
}

/* Bytes that suffice for all that facts point to. */
static size_t facts_room(const struct lookup *lookup)
{
    const struct part *reverse = &lookup->reverse;
    size_t names = names_max(reverse), room = names * sizeof(struct name_facts);
    if (names > 0) {
        /* A byte of a wire name is up to four of text, and its end is the text's NUL. */
        size_t text = 4 * (size_t)lookup_names_of(reverse)->payload_length;
        room += text < names * NAME_TEXT_MAX ? text : names * NAME_TEXT_MAX;
    }
    for (size_t i = ASK_NAMES; i < reverse->ask_count; i++)
        room += address_count(&reverse->asks[i]) * sizeof(struct ipaddr);
    if (lookup->helo != NULL)
        room += strlen(lookup->helo->name) + 1 + /* twice: it may be a PTR name, too */
                2 * address_count(&lookup->helo->asks[ASK_HELO]) * sizeof(struct ipaddr);
    for (size_t i = 0; lookup->lists != NULL && i < lookup->lists->ask_count; i++)
        room += sizeof(struct list_facts) +
                address_count(&lookup->lists->asks[i]) * sizeof(struct ipaddr);
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
    if (lookup->helo_failed || lookup->lists_failed || ran_out(&lookup->reverse) ||
        ran_out(lookup->helo) || ran_out(lookup->lists))
        return RESULT_NOMEM;
    char *memory = malloc(facts_room(lookup) + 1);
    if (memory == NULL)
        return RESULT_NOMEM; /* the facts of before are still pointed to */
    free(lookup->facts_memory);
    lookup->facts_memory = memory;
    struct arena arena = {.memory = lookup->facts_memory};
    struct name_facts *names = take(&arena, names_max(&lookup->reverse) * sizeof *names);
    struct list_facts *lists =
        take(&arena, lookup->lists != NULL ? lookup->lists->ask_count * sizeof *lists : 0);
    lookup->news = false;
    facts->awaited = false;
    facts->client = lookup->client;
    facts->ptr = evidence_of(&lookup->reverse.asks[ASK_PTR], true, facts);
    fill_names(lookup, &arena, names, facts);
    fill_helo(lookup, &arena, facts);
    fill_lists(lookup, &arena, lists, facts);
    return RESULT_OK;
}

enum result lookup_facts(struct lookup *lookup, struct facts *facts)
{
    pthread_mutex_lock(&lookup->lock);
    enum result status = fill_facts(lookup, facts);
    pthread_mutex_unlock(&lookup->lock);
    if (status == RESULT_OK)
        facts->resolver_down = resolver_is_down(lookup->resolver);
    return status;
}
