/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/history.h"

#include "base/clock.h"

#define DAY_S CALENDAR_DAY_S

/* Never 0, which is no time. */
static uint32_t kept_time(int64_t wall_s)
{
    return clock_kept_s(wall_s > 1 ? wall_s : 1);
}

unsigned history_day(int64_t wall_s)
{
    return kept_time(wall_s) / DAY_S;
}

/* --- what facts say -------------------------------------------------------------------------- */

static bool anything_awaited(const struct facts *facts)
{
    bool awaited = facts->ptr.awaited;
    for (size_t i = 0; i < facts->name_count; i++)
        awaited = awaited || facts->names[i].forward.awaited;
    return awaited;
}

/* By an answer in time, whichever of the names it is that iprev speaks of? */
static bool is_confirmed(const struct facts *facts)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].confirmed && !dns_evidence_is_stale(&facts->names[i].forward))
            return true;
    return false;
}

enum history_event history_event_of(const struct facts *facts, const struct iprev *iprev)
{
    switch (iprev->result) {
    case IPREV_PASS:
        return !dns_evidence_is_stale(&facts->ptr) && is_confirmed(facts) ? HISTORY_PASS
                                                                          : HISTORY_NOTHING;
    case IPREV_FAIL:
    case IPREV_PERMERROR:
        return facts->resolver_down || anything_awaited(facts) ? HISTORY_NOTHING : HISTORY_FAILURE;
    case IPREV_TEMPERROR:
        break;
    }
    return HISTORY_NOTHING;
}

/* --- what is remembered ---------------------------------------------------------------------- */

/* Days that have not come yet are from before the clock was set back. */
static void bound_days(struct history *history, uint16_t today)
{
    if (history->last_day > today)
        history->last_day = today;
    if (history->previous_day != 0 && history->previous_day >= history->last_day)
        history->previous_day = history->last_day > 0 ? (uint16_t)(history->last_day - 1) : 0;
}

bool history_equal(const struct history *a, const struct history *b)
{
    return a->failed_s == b->failed_s && a->last_day == b->last_day &&
           a->previous_day == b->previous_day && a->passed_since == b->passed_since;
}

bool history_pass(struct history *history, int64_t wall_s)
{
    const struct history before = *history;
    uint16_t today = (uint16_t)history_day(wall_s);
    bound_days(history, today);
    bool another_day = history->last_day != today;
    if (another_day)
        history->previous_day = history->last_day;
    history->last_day = today;
    if (history->failed_s != 0 && history->passed_since && another_day)
        history->failed_s = 0;
    history->passed_since = history->failed_s != 0;
    return !history_equal(history, &before);
}

bool history_fail(struct history *history, int64_t wall_s)
{
    const struct history before = *history;
    uint32_t now = kept_time(wall_s);
    if (history->failed_s == 0 || now < history->failed_s)
        history->failed_s = now;
    history->passed_since = false;
    return !history_equal(history, &before);
}

/* --- what two hosts remember ------------------------------------------------------------------ */

static void add_day(struct history *history, uint16_t day)
{
    if (day > history->last_day) {
        history->previous_day = history->last_day;
        history->last_day = day;
    } else if (day < history->last_day && day > history->previous_day) {
        history->previous_day = day;
    }
}

static unsigned failed_day(const struct history *history)
{
    return history->failed_s / DAY_S;
}

static bool has_ended(const struct history *failing, const struct history *other)
{
    return other->failed_s == 0 && other->previous_day > failed_day(failing);
}

/* Has it passed on one day since it failed?  Who saw it pass last knows better. */
static bool passed_since(const struct history *failing, const struct history *other)
{
    bool others =
        other->failed_s == 0 ? other->last_day > failed_day(failing) : other->passed_since;
    if (failing->last_day != other->last_day)
        return failing->last_day > other->last_day ? failing->passed_since : others;
    return failing->passed_since && (others || other->failed_s == 0);
}

struct history history_merge(const struct history *a, const struct history *b)
{
    const struct history *failing = a, *other = b;
    struct history both = *a;
    add_day(&both, b->last_day);
    add_day(&both, b->previous_day);
    if (a->failed_s == 0 || (b->failed_s != 0 && b->failed_s < a->failed_s)) {
        failing = b;
        other = a;
    }
    both.failed_s = has_ended(failing, other) ? 0 : failing->failed_s;
    both.passed_since = both.failed_s != 0 && passed_since(failing, other);
    return both;
}

/* --- what it is worth ------------------------------------------------------------------------- */

unsigned history_seen_day(const struct history *history)
{
    unsigned failed = failed_day(history);
    return failed > history->last_day ? failed : history->last_day;
}

const char *grace_state_text(enum grace_state state)
{
    static const char *const texts[GRACE_STATE_COUNT] = {[GRACE_NONE] = "none",
                                                         [GRACE_GIVEN] = "given",
                                                         [GRACE_OVER] = "over",
                                                         [GRACE_UNKNOWN] = "unknown"};
    return texts[state];
}

const char *history_date(int64_t wall_s, char out[CALENDAR_DATE_SIZE])
{
    return calendar_date(history_day(wall_s), out);
}

struct grace history_grace(const struct history *history, unsigned keep_s, unsigned grace_s,
                           int64_t wall_s)
{
    struct history known = *history;
    struct grace grace = {.state = GRACE_NONE};
    uint32_t now = kept_time(wall_s);
    if (grace_s == 0 || known.previous_day == 0)
        return grace;
    bound_days(&known, (uint16_t)history_day(wall_s));
    uint32_t failed = known.failed_s == 0 || now < known.failed_s ? now : known.failed_s;
    if (failed / DAY_S > known.previous_day + keep_s / DAY_S)
        return grace;
    grace.right_s = (int64_t)known.last_day * DAY_S;
    grace.failed_s = failed;
    grace.until_s = grace.failed_s + grace_s;
    grace.state = now < grace.until_s ? GRACE_GIVEN : GRACE_OVER;
    return grace;
}
