/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Greylisting (RFC 6647): the action `greylist` defers a client until its network comes again, not
 * too early and not too late.  Networks are the key, as pools of servers try again from sibling
 * addresses, and nothing else is, as senders and recipients differ from one try to the next.
 *
 * Whatever goes wrong lets in: a full table, one that cannot be kept, a clock that was set back.
 * A decision takes what the table answered as one of its arguments.  Pure; thread safe.
 */
#ifndef IPREVD_GREYLIST_H
#define IPREVD_GREYLIST_H

#include "core/ipaddr.h"

/* Bits of a network that comes again. */
#define GREYLIST_NETWORK_V4 24
#define GREYLIST_NETWORK_V6 64

/* Who comes later than this after the first time begins anew, in seconds. */
#define GREYLIST_RETRY_S 86400

/* What is known of a network. */
struct greylisted {
    bool passed;     /* it came again in time */
    uint32_t when_s; /* wall clock: that it came first, or, if it passed, last */
};

enum greylist_answer {
    GREYLIST_NOT_ASKED, /* no policy says so, or there is no table */
    GREYLIST_FIRST,     /* it was not seen before */
    GREYLIST_EARLY,     /* it came again too early */
    GREYLIST_PASSED,    /* it came again in time, now or before */
    GREYLIST_NO_ROOM,   /* the table cannot take it */
    GREYLIST_UNKNOWN,   /* other hosts may have seen it, and did not say */
    GREYLIST_ANSWER_COUNT
};

/* "not-asked", "first", "early", "passed", "no-room", "unknown".  Static. */
const char *greylist_answer_text(enum greylist_answer answer);

/* Is the client let in?  One that could not be remembered would never be. */
static inline bool greylist_lets_in(enum greylist_answer answer)
{
    return answer == GREYLIST_PASSED || answer == GREYLIST_NO_ROOM || answer == GREYLIST_UNKNOWN;
}

/* The network comes for the first time. */
void greylist_begin(struct greylisted *entry, int64_t wall_s);

/* It comes again.  delay_s, keep_s: as of the policy and the memory. */
enum greylist_answer greylist_again(struct greylisted *entry, unsigned delay_s, unsigned keep_s,
                                    int64_t wall_s);

/* What two hosts know of a network, as one: that it passed, and last; else, that it came first. */
struct greylisted greylist_merge(const struct greylisted *a, const struct greylisted *b);

/* Is the same known? */
static inline bool greylist_equal(const struct greylisted *a, const struct greylisted *b)
{
    return a->passed == b->passed && a->when_s == b->when_s;
}

/* Does the entry say nothing any more? */
bool greylist_is_over(const struct greylisted *entry, unsigned keep_s, int64_t wall_s);

#endif
