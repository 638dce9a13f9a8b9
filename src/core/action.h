/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be done with a client, mildest first: the larger value wins.  Pure; thread safe. */
#ifndef IPREVD_ACTION_H
#define IPREVD_ACTION_H

#include <stdbool.h>

enum action { ACTION_ACCEPT, ACTION_TAG, ACTION_QUARANTINE, ACTION_TEMPFAIL, ACTION_REJECT };
#define ACTION_COUNT 5

/* "accept", "tag", "quarantine", "tempfail", "reject". */
const char *action_text(enum action action);

/* True and *out for one of the words. */
bool action_parse(const char *text, enum action *out);

#endif
