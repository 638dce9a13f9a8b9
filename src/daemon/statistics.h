/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon counts about sessions and decisions, in the registry of base/metrics.h.
 * Counting is thread safe.
 */
#ifndef IPREVD_STATISTICS_H
#define IPREVD_STATISTICS_H

#include "base/metrics.h"
#include "daemon/session.h"
#include "site/decision.h"

struct statistics;

/* Counts what DNS lists said, by the label "answer". */
#define STATISTICS_LISTS_METRIC "iprevd_dns_list_answers_total"

/* Declare in `metrics` (borrowed).  NULL: out of memory.  free(NULL) is fine. */
struct statistics *statistics_new(struct metrics *metrics) MUST_CHECK;
void statistics_free(struct statistics *statistics);

void statistics_session_opened(struct statistics *statistics);
void statistics_session_deferred(struct statistics *statistics); /* over max-sessions */
void statistics_ehlo_limit(struct statistics *statistics);
void statistics_session_closed(struct statistics *statistics);
void statistics_decided(struct statistics *statistics, const struct decision *decision,
                        const struct transaction *transaction);
/* After so many clients of local networks and no other it is worth a word. */
#define STATISTICS_LOCAL_ONLY 200

/* Something is left alone.  True once: all clients so far were local, STATISTICS_LOCAL_ONLY of
 * them. */
bool statistics_left(struct statistics *statistics, enum session_left reason) MUST_CHECK;
void statistics_reloaded(struct statistics *statistics, bool ok, int64_t wall_s);
void statistics_tables_read(struct statistics *statistics, bool ok); /* and nothing else */
void statistics_tables_are(struct statistics *statistics, bool ok); /* those in force the newest? */

#endif
