/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/listed.h"

#include "site/word_list.h"

#include <stdlib.h>
#include <string.h>

struct list_word {
    char zone[DNSLIST_ZONE_MAX + 1];
    struct dnslist_filter filter;
};

struct listed {
    char **words; /* as configured */
    size_t count;
    struct list_word *lists;
};

enum result listed_new(const char *const *words, size_t count, struct listed **out, size_t *bad,
                       const char **why)
{
    struct listed *listed = calloc(1, sizeof *listed);
    *bad = 0;
    *why = NULL;
    if (listed == NULL)
        return RESULT_NOMEM;
    listed->words = word_list_copy(words, count);
    listed->lists = calloc(count + 1, sizeof *listed->lists);
    listed->count = count;
    enum result status = listed->words == NULL || listed->lists == NULL ? RESULT_NOMEM : RESULT_OK;
    for (size_t i = 0; status == RESULT_OK && i < count; i++) {
        *bad = i;
        *why = dnslist_parse(words[i], listed->lists[i].zone, &listed->lists[i].filter);
        if (*why != NULL)
            status = RESULT_INVALID;
    }
    if (status == RESULT_OK)
        *out = listed;
    else
        listed_free(listed);
    return status;
}

/* NULL: it was not asked. */
static const struct list_facts *facts_of(const struct list_word *word, const struct facts *facts)
{
    for (size_t i = 0; i < facts->list_count; i++)
        if (strcmp(facts->lists[i].zone, word->zone) == 0)
            return &facts->lists[i];
    return NULL;
}

bool listed_would_fit(const struct listed *listed, const struct facts *facts, bool fits)
{
    for (size_t i = 0; i < listed->count; i++) {
        const struct list_facts *list = facts_of(&listed->lists[i], facts);
        if (list == NULL)
            continue;
        if (list->answer.awaited ? fits : dnslist_fits(&listed->lists[i].filter, list))
            return true;
    }
    return false;
}

bool listed_fits(const struct listed *listed, const struct facts *facts)
{
    return listed_would_fit(listed, facts, false);
}

bool listed_is_silent(const struct listed *listed, const struct facts *facts)
{
    bool silent = false;
    for (size_t i = 0; i < listed->count; i++) {
        const struct list_facts *list = facts_of(&listed->lists[i], facts);
        silent = silent || (list != NULL && dnslist_is_silent(dnslist_state(list)));
    }
    return silent && !listed_would_fit(listed, facts, true);
}

bool listed_looks_for(const struct listed *listed, const struct list_facts *list)
{
    for (size_t i = 0; i < listed->count; i++)
        if (strcmp(list->zone, listed->lists[i].zone) == 0 &&
            dnslist_fits(&listed->lists[i].filter, list))
            return true;
    return false;
}

static bool word_is_covered(const struct listed *wide, const struct list_word *word, size_t *left)
{
    for (size_t i = 0; *left > 0 && i < wide->count; i++, (*left)--)
        if (strcmp(wide->lists[i].zone, word->zone) == 0 &&
            dnslist_filter_covers(&wide->lists[i].filter, &word->filter))
            return true;
    return false;
}

bool listed_covers(const struct listed *wide, const struct listed *narrow, size_t *left)
{
    for (size_t i = 0; i < narrow->count; i++)
        if (!word_is_covered(wide, &narrow->lists[i], left))
            return false;
    return true;
}

static bool has_zone(const char *const *zones, size_t count, const char *zone)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(zones[i], zone) == 0)
            return true;
    return false;
}

size_t listed_zones(const struct listed *listed, const char **zones, size_t max, size_t count)
{
    for (size_t i = 0; i < listed->count && count < max; i++)
        if (!has_zone(zones, count, listed->lists[i].zone))
            zones[count++] = listed->lists[i].zone;
    return count;
}

const char *const *listed_words(const struct listed *listed, size_t *count)
{
    *count = listed->count;
    return (const char *const *)listed->words;
}

void listed_free(struct listed *listed)
{
    if (listed == NULL)
        return;
    free(listed->lists);
    word_list_free(listed->words);
    free(listed);
}
