/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be done with a client, mildest first: the larger value wins.  Pure; thread safe. */
#ifndef IPREVD_ACTION_H
#define IPREVD_ACTION_H

#include <stdbool.h>
#include <stdint.h>

enum action {
    ACTION_ACCEPT,
    ACTION_TAG,
    ACTION_QUARANTINE,
    ACTION_GREYLIST, /* deferred until the client's network comes again (core/greylist.h) */
    ACTION_TEMPFAIL,
    ACTION_REJECT,
};
#define ACTION_COUNT 6

/* Does the mail not come in, for now or for good? */
static inline bool action_refuses(enum action action)
{
    return action >= ACTION_GREYLIST;
}

/* Of counts by action: what came in with a mark, what was deferred, what did not come in. */
static inline uint64_t action_sum_marked(const uint64_t counts[ACTION_COUNT])
{
    return counts[ACTION_TAG] + counts[ACTION_QUARANTINE];
}
static inline uint64_t action_sum_deferred(const uint64_t counts[ACTION_COUNT])
{
    return counts[ACTION_GREYLIST] + counts[ACTION_TEMPFAIL];
}
static inline uint64_t action_sum_refused(const uint64_t counts[ACTION_COUNT])
{
    return action_sum_deferred(counts) + counts[ACTION_REJECT];
}

/* "accept", "tag", "quarantine", "greylist", "tempfail", "reject". */
const char *action_text(enum action action);

/* True and *out for one of the words. */
bool action_parse(const char *text, enum action *out);

#endif
