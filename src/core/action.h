/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be done with a client, mildest first: the larger value wins.  Pure; thread safe. */
#ifndef IPREVD_ACTION_H
#define IPREVD_ACTION_H

#include <stdbool.h>

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

/* "accept", "tag", "quarantine", "greylist", "tempfail", "reject". */
const char *action_text(enum action action);

/* True and *out for one of the words. */
bool action_parse(const char *text, enum action *out);

#endif
