/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of one client's reverse DNS, and the grace that it earns.  Pure; thread safe.
 *
 * A client that was right before is not refused on the day on which its PTR or A record vanishes.
 *
 * A pass is iprev=pass by answers in time.  A failure is ptr-missing, ptr-mismatch or ptr-invalid
 * that is proved: by answers in time, with nothing awaited, and while the resolver is up.  Whatever
 * else is found (temporary failures, stale answers, limits of ours) says nothing: it neither starts
 * nor ends a grace.
 *
 * A client is in grace while it fails, for a policy's `grace` from the first failure, if it had
 * passed on two days at least within `keep` before that.  Failures end with passes on two days
 * behind the last of them; until then the first one counts, so that grace is given once.
 *
 * Grace makes a refusal milder and does nothing else.  So whatever is forgotten, or remembered
 * wrongly, nobody is refused that the policy alone would let in.  A clock that was set back makes
 * days of the past of those that have not come yet.
 */
#ifndef IPREVD_HISTORY_H
#define IPREVD_HISTORY_H

#include "base/calendar.h"
#include "core/iprev.h"

/* What a set of facts says about the client's reverse DNS. */
enum history_event { HISTORY_NOTHING, HISTORY_PASS, HISTORY_FAILURE };

/* Days are UTC days since 1970.  All zero: nothing is known. */
struct history {
    uint32_t failed_s;               /* wall clock: it fails since then; 0: it does not */
    uint16_t last_day, previous_day; /* on which it passed; 0: none */
    bool passed_since;               /* on one day, since the last failure */
};

/* The first failure of a client that is in grace, and its end. */
enum grace_state {
    GRACE_NONE,
    GRACE_GIVEN,   /* it is in grace, or would be if it failed now */
    GRACE_OVER,    /* it was, and has used it up */
    GRACE_UNKNOWN, /* other hosts may know that it was right, and did not say: deferred at most */
    GRACE_STATE_COUNT,
};

/* Is a client spared? */
static inline bool grace_spares(enum grace_state state)
{
    return state == GRACE_GIVEN || state == GRACE_UNKNOWN;
}

/* "none", "given", "over", "unknown": logs, JSON and metrics.  Static. */
const char *grace_state_text(enum grace_state state);

struct grace {
    enum grace_state state;
    /* Of GRACE_GIVEN and GRACE_OVER: wall clock, in seconds.  Else 0. */
    int64_t right_s;  /* a second of the last day on which it was right */
    int64_t failed_s; /* it fails since then */
    int64_t until_s;  /* refused from then on */
};

/* iprev is that of the facts. */
enum history_event history_event_of(const struct facts *facts, const struct iprev *iprev);

/*
 * The client passes now, at wall_s; or it failed at wall_s, which may be learned afterwards: of two
 * failures the earlier one counts.  Does that change anything?
 */
bool history_pass(struct history *history, int64_t wall_s);
bool history_fail(struct history *history, int64_t wall_s);

/*
 * What a failure that is found at wall_s is worth, whether history_fail() has been called for it or
 * not.  keep_s: so long before the first failure two passes count.  grace_s 0: GRACE_NONE.
 */
struct grace history_grace(const struct history *history, unsigned keep_s, unsigned grace_s,
                           int64_t wall_s);

/*
 * What two hosts know of a client, as one: the last two of their days, and the earliest failure.
 * The one's failure has ended where the other knows of none, and of passes on two later days.
 */
struct history history_merge(const struct history *a, const struct history *b);

/* Is the same known? */
bool history_equal(const struct history *a, const struct history *b);

/* The last day on which it passed or failed: who was not seen for longer is forgotten first. */
unsigned history_seen_day(const struct history *history);

/* "2026-11-20", of a wall clock between 1970 and 2106.  Returns out. */
const char *history_date(int64_t wall_s, char out[CALENDAR_DATE_SIZE]);

/* Of a wall clock; before 1970 and after 2106 it is as near as a day can be told. */
unsigned history_day(int64_t wall_s);

#endif
