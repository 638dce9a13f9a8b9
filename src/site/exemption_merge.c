/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/exemption_merge.h"

#include <string.h>

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int exemption_compare(const struct exemption *a, const struct exemption *b)
{
    int order = compare_numbers(a->made_s, b->made_s);
    if (order == 0)
        order = compare_numbers(a->ended, b->ended);
    if (order == 0)
        order = compare_numbers(a->until_s, b->until_s);
    if (order == 0)
        order = strcmp(a->reason, b->reason);
    return order != 0 ? order : strcmp(a->by, b->by);
}

bool exemption_settle(struct exemption *exemption, int64_t wall_s)
{
    if (exemption->until_s > wall_s)
        return true;
    if (exemption->made_s > INT64_MAX - EXEMPTION_MAX_S) /* a file may say anything */
        return false;
    exemption->ended = true;
    exemption->reason[0] = '\0';
    exemption->until_s = exemption->made_s + EXEMPTION_MAX_S;
    return exemption->until_s > wall_s;
}

enum exemption_news exemption_judge(const struct exemption *known, const struct exemption *news,
                                    int64_t wall_s)
{
    if (news->made_s > wall_s + EXEMPTION_AHEAD_S)
        return EXEMPTION_AHEAD;
    if (news->until_s <= wall_s)
        return EXEMPTION_OVER;
    if (news->until_s - EXEMPTION_MAX_S > news->made_s)
        return EXEMPTION_UNSOUND;
    int order = known == NULL ? 1 : exemption_compare(news, known);
    return order > 0 ? EXEMPTION_TAKEN : order < 0 ? EXEMPTION_OLDER : EXEMPTION_SAME;
}
