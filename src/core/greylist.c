/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/greylist.h"

#include "base/clock.h"

const char *greylist_answer_text(enum greylist_answer answer)
{
    static const char *const texts[GREYLIST_ANSWER_COUNT] = {
        [GREYLIST_NOT_ASKED] = "not-asked", [GREYLIST_FIRST] = "first",
        [GREYLIST_EARLY] = "early",         [GREYLIST_PASSED] = "passed",
        [GREYLIST_NO_ROOM] = "no-room",     [GREYLIST_UNKNOWN] = "unknown",
    };
    return texts[answer];
}

void greylist_begin(struct greylisted *entry, int64_t wall_s)
{
    *entry = (struct greylisted){.when_s = clock_kept_s(wall_s)};
}

bool greylist_is_over(const struct greylisted *entry, unsigned keep_s, int64_t wall_s)
{
    uint32_t now = clock_kept_s(wall_s);
    return now > entry->when_s &&
           now - entry->when_s > (entry->passed ? keep_s : (unsigned)GREYLIST_RETRY_S);
}

enum greylist_answer greylist_again(struct greylisted *entry, unsigned delay_s, unsigned keep_s,
                                    int64_t wall_s)
{
    uint32_t now = clock_kept_s(wall_s);
    if (greylist_is_over(entry, keep_s, wall_s)) {
        greylist_begin(entry, wall_s);
        return GREYLIST_FIRST;
    }
    /* A clock that was set back does not say how long ago that was. */
    if (!entry->passed && now >= entry->when_s && now - entry->when_s < delay_s)
        return GREYLIST_EARLY;
    if (!entry->passed || now > entry->when_s)
        *entry = (struct greylisted){.passed = true, .when_s = now};
    return GREYLIST_PASSED;
}

struct greylisted greylist_merge(const struct greylisted *a, const struct greylisted *b)
{
    if (a->passed != b->passed)
        return a->passed ? *a : *b;
    return (a->when_s > b->when_s) == a->passed ? *a : *b;
}
