/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which PTR names are looked up, in which order, and how many at a time.  Names are the reverse
 * zone's owner's choice, a hundred of them if he likes, so they are asked about a few at a time,
 * and no more once one leads back, unless the session says that another one matters.  Those that do
 * not answer must not keep the others from being asked in time: every few moments some more are.
 */
#include "dns/lookup_private.h"

#include <string.h>

/* How long it takes at most until some more names are asked about. */
#define NAMES_STEP_MS 1000

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

bool lookup_name_walk(struct name_walk *walk)
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

const struct answer *lookup_names_of(const struct part *reverse)
{
    const struct ask *ptr = &reverse->asks[ASK_PTR];
    return ptr->answered && ptr->answer != NULL && ptr->answer->outcome == DNS_FOUND ? ptr->answer
                                                                                     : NULL;
}

/* How many of the usable names are looked up in their order: all that there are places for, but one
   less where the preferred name stands behind them. */
static size_t names_in_order(const struct part *part, const struct answer *answer)
{
    size_t places = part->ask_count - ASK_NAMES, usable = 0;
    if (part->name[0] == '\0' || answer->count <= places)
        return places;
    struct name_walk walk = {.answer = answer};
    while (lookup_name_walk(&walk)) {
        if (walk.flaw != HOSTNAME_OK)
            continue;
        if (strcmp(walk.name, part->name) == 0)
            return usable < places ? places : places - 1;
        usable++;
    }
    return places;
}

void lookup_names_list(struct part *reverse)
{
    const struct answer *answer = lookup_names_of(reverse);
    size_t places = reverse->ask_count - ASK_NAMES, usable = 0;
    if (answer == NULL)
        return;
    size_t in_order = names_in_order(reverse, answer);
    struct name_walk walk = {.answer = answer};
    reverse->names_ms = lookup_now_ms(reverse->lookup);
    while (reverse->name_count < places && lookup_name_walk(&walk)) {
        if (walk.flaw != HOSTNAME_OK)
            continue;
        if (usable++ >= in_order && strcmp(walk.name, reverse->name) != 0)
            continue;
        struct ask *ask = &reverse->asks[ASK_NAMES + reverse->name_count++];
        ask->name = walk.last;
        ask->name_length = (uint8_t)walk.last_length;
    }
}

/* --- which is next --------------------------------------------------------------------------- */

bool lookup_names_confirmed(const struct part *reverse)
{
    for (size_t i = 0; i < reverse->name_count; i++)
        if (reverse->asks[ASK_NAMES + i].confirms)
            return true;
    return false;
}

static size_t count_under_way(const struct part *reverse)
{
    size_t count = 0;
    for (size_t i = 0; i < reverse->name_count; i++) {
        const struct ask *ask = &reverse->asks[ASK_NAMES + i];
        count += ask->asked && !ask->answered;
    }
    return count;
}

/* So that the last ones, too, have half of the time for their answers. */
static int64_t step_ms(const struct part *reverse)
{
    int64_t batches =
        (int64_t)(reverse->name_count + LOOKUP_NAMES_AT_ONCE - 1) / LOOKUP_NAMES_AT_ONCE;
    int64_t step = (reverse->deadline_ms - reverse->names_ms) / 2 / batches;
    return step > NAMES_STEP_MS ? NAMES_STEP_MS : step > 0 ? step : 1;
}

enum rank { RANK_NAMED, RANK_RELATED, RANK_OTHER };

/* The names that somebody claims come first, then what shares the client's or sender's domain. */
static enum rank rank_of(const struct part *reverse, const struct ask *ask)
{
    const struct lookup *lookup = reverse->lookup;
    char text[NAME_TEXT_MAX];
    (void)wirename_text(ask->name, ask->name_length, text);
    if ((lookup->helo != NULL && strcmp(text, lookup->helo->name) == 0) ||
        strcmp(text, reverse->name) == 0)
        return RANK_NAMED;
    return hostname_under(text, lookup->helo_domain) || hostname_under(text, lookup->sender_domain)
               ? RANK_RELATED
               : RANK_OTHER;
}

/* The best of the names that are to be asked about, in their order. */
static struct ask *best_name(struct part *reverse, enum rank *rank)
{
    bool confirmed = lookup_names_confirmed(reverse);
    struct ask *best = NULL;
    *rank = RANK_OTHER;
    for (size_t i = 0; i < reverse->name_count; i++) {
        struct ask *ask = &reverse->asks[ASK_NAMES + i];
        if (ask->asked || (confirmed && !ask->wanted))
            continue;
        enum rank own =
            reverse->name_count <= LOOKUP_NAMES_AT_ONCE ? RANK_OTHER : rank_of(reverse, ask);
        if (best == NULL || own < *rank) {
            best = ask;
            *rank = own;
        }
    }
    return best;
}

struct ask *lookup_names_next(struct part *reverse, int64_t now_ms)
{
    enum rank rank;
    struct ask *ask = best_name(reverse, &rank);
    if (ask == NULL)
        return NULL;
    int64_t may = LOOKUP_NAMES_AT_ONCE * (1 + (now_ms - reverse->names_ms) / step_ms(reverse));
    return rank == RANK_NAMED || (int64_t)count_under_way(reverse) < may ? ask : NULL;
}

int64_t lookup_names_due_ms(const struct part *reverse, int64_t now_ms)
{
    bool confirmed = lookup_names_confirmed(reverse), more = false;
    for (size_t i = 0; i < reverse->name_count; i++) {
        const struct ask *ask = &reverse->asks[ASK_NAMES + i];
        more = more || (!ask->asked && (!confirmed || ask->wanted));
    }
    if (!more || reverse->held || reverse->dropped)
        return INT64_MAX;
    int64_t due_ms = reverse->names_ms +
                     step_ms(reverse) * (int64_t)(count_under_way(reverse) / LOOKUP_NAMES_AT_ONCE);
    return due_ms > now_ms ? due_ms : now_ms;
}
