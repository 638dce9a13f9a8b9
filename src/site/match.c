/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/match.h"

#include <string.h>

static bool ptr_matches(const struct pattern_list *list, const struct facts *facts, bool confirmed)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].confirmed == confirmed &&
            pattern_list_find(list, facts->names[i].name) != NULL)
            return true;
    return false;
}

/* By the name that was understood, or else by what the client said. */
static bool helo_matches(const struct pattern_list *list, const struct helo *helo)
{
    if (helo->kind == HELO_NONE)
        return false;
    return (helo->name[0] != '\0' && pattern_list_find(list, helo->name) != NULL) ||
           pattern_list_find(list, helo->text) != NULL;
}

static bool text_matches(const struct pattern_list *list, const char *text)
{
    return list != NULL && text != NULL && pattern_list_find(list, text) != NULL;
}

/* The conditions on anything but what the DNS says. */
static bool others_match(const struct match *match, const struct match_subject *subject)
{
    const struct facts *facts = subject->facts;
    if (match->client != NULL && !net_list_has(match->client, &facts->client))
        return false;
    if (match->listener != NULL && !text_matches(match->listener, subject->listener))
        return false;
    if (match->recipient != NULL && !text_matches(match->recipient, subject->recipient))
        return false;
    if (match->sender != NULL && !text_matches(match->sender, subject->sender))
        return false;
    return match->helo == NULL || helo_matches(match->helo, &facts->helo);
}

static bool block_matches(const struct match *match, const struct match_subject *subject)
{
    if (!others_match(match, subject))
        return false;
    if (match->listed != NULL && !listed_fits(match->listed, subject->facts))
        return false;
    if (match->ptr != NULL && !ptr_matches(match->ptr, subject->facts, true))
        return false;
    return match->unconfirmed_ptr == NULL ||
           ptr_matches(match->unconfirmed_ptr, subject->facts, false);
}

static bool is_over(const struct match *match, int64_t wall_s)
{
    return match->until_s != 0 && wall_s >= match->until_s;
}

const struct match *match_find(const struct match *matches, size_t count,
                               const struct match_subject *subject, int64_t wall_s)
{
    for (size_t i = 0; i < count; i++)
        if (!is_over(&matches[i], wall_s) && block_matches(&matches[i], subject))
            return &matches[i];
    return NULL;
}

/* --- blocks while answers are awaited --------------------------------------------------------- */

/* Does a condition on PTR names hold if every name that is awaited fits, or (`fits` false) if none
   does? */
static bool ptr_would_match(const struct pattern_list *list, const struct facts *facts,
                            bool confirmed, bool fits)
{
    if (list == NULL)
        return true;
    if (facts->ptr.awaited)
        return fits;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        bool counts = name->forward.awaited ? fits : name->confirmed == confirmed;
        if (counts && pattern_list_find(list, name->name) != NULL)
            return true;
    }
    return false;
}

static bool ptrs_would_match(const struct match *match, const struct facts *facts, bool fits)
{
    return ptr_would_match(match->ptr, facts, true, fits) &&
           ptr_would_match(match->unconfirmed_ptr, facts, false, fits);
}

static bool block_would_match(const struct match *match, const struct facts *facts, bool fits)
{
    return ptrs_would_match(match, facts, fits) &&
           (match->listed == NULL || listed_would_fit(match->listed, facts, fits));
}

bool match_is_settled(const struct match *matches, size_t count,
                      const struct match_subject *subject, int64_t wall_s)
{
    for (size_t i = 0; i < count; i++) {
        if (is_over(&matches[i], wall_s) || !others_match(&matches[i], subject))
            continue;
        if (block_would_match(&matches[i], subject->facts, false))
            return true;
        if (block_would_match(&matches[i], subject->facts, true))
            return false;
    }
    return true;
}

bool match_asks_for_ptr(const struct match *matches, size_t count, const char *name, int64_t wall_s)
{
    for (size_t i = 0; i < count; i++) {
        if (is_over(&matches[i], wall_s))
            continue;
        if (text_matches(matches[i].ptr, name) || text_matches(matches[i].unconfirmed_ptr, name))
            return true;
    }
    return false;
}

/* --- DNS lists ---------------------------------------------------------------------------------
 */

bool match_is_silent(const struct match *match, const struct match_subject *subject, int64_t wall_s,
                     bool fits)
{
    return match->listed != NULL && !is_over(match, wall_s) && others_match(match, subject) &&
           ptrs_would_match(match, subject->facts, fits) &&
           listed_is_silent(match->listed, subject->facts);
}

/* Is all known at connect that it asks for? */
static bool is_certain(const struct match *match)
{
    return match->listed == NULL && match->ptr == NULL && match->unconfirmed_ptr == NULL &&
           match->helo == NULL && match->sender == NULL && match->recipient == NULL &&
           match->until_s == 0;
}

size_t match_list_zones(const struct match *matches, size_t count,
                        const struct match_subject *subject, int64_t wall_s,
                        const char *zones[LISTED_ZONES_MAX])
{
    size_t zone_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct match *match = &matches[i];
        if (is_over(match, wall_s) ||
            (match->client != NULL && !net_list_has(match->client, &subject->facts->client)) ||
            (match->listener != NULL && !text_matches(match->listener, subject->listener)))
            continue;
        if (is_certain(match))
            break;
        if (match->listed != NULL)
            zone_count = listed_zones(match->listed, zones, LISTED_ZONES_MAX, zone_count);
    }
    return zone_count;
}
