/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts from what was recorded, without asking anybody.  The recorded PTR name counts as the
 * confirmed one.  Of EHLO nothing is known but the name: it agrees exactly, by its domain, as a
 * literal, or not at all; helo-unresolved and helo-mismatch never occur, nor do the grades
 * `forward` and `network`.  Pure; thread safe.
 */
#ifndef IPREVD_REPLAY_FACTS_H
#define IPREVD_REPLAY_FACTS_H

#include "ctl/logs/maillog_event.h"
#include "site/conf.h"

#define REPLAY_PTR_SHOWN_MAX (4 * HOSTNAME_MAX + 4)

struct replay_facts {
    struct facts facts; /* borrows from the rest: do not copy */
    struct name_facts name;
    char name_text[REPLAY_PTR_SHOWN_MAX];
};

/* What does not come from the DNS, for lookups too: client, EHLO, the sender's domain. */
void replay_facts_envelope(const struct conf *conf, const struct maillog_event *event,
                           struct facts *out);

/* Is anything recorded of the PTR name?  Not where its lookup failed before there was one. */
bool replay_facts_are_recorded(const struct maillog_event *event);

/* False when it is not. */
bool replay_facts_recorded(const struct conf *conf, const struct maillog_event *event,
                           struct replay_facts *out);

#endif
