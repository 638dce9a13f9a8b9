/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `iprevctl replay` shows: a line a decision, or the sum of all on 80 columns, as text or
 * JSON.
 */
#ifndef IPREVD_REPLAY_PRINT_H
#define IPREVD_REPLAY_PRINT_H

#include "ctl/logs/maillog_feed.h"
#include "ctl/replay/replay_compare.h"
#include "ctl/replay/replay_tally.h"

#include <stdio.h>

/* What the sums are of. */
struct replay_run {
    const struct policy *policy; /* of --policy, or NULL */
    bool no_dns;
    bool lists;                           /* a match block asks DNS lists, which nobody does here */
    const struct replay_compare *compare; /* of --compare, or NULL */
    const char *compared;                 /* with that configuration */
    uint64_t files, problems;
    struct maillog_counts counts;
};

/* The line above the table. */
void replay_print_head(FILE *stream);

/* "reject     accepted  192.0.2.1       ptr-missing: 192.0.2.1 has no PTR record" */
void replay_print_row(FILE *stream, const struct maillog_event *event,
                      const struct decision *decision);

/* The decision's JSON object with file, line and logged in it.  False: out of memory. */
bool replay_print_json(FILE *stream, const struct maillog_event *event,
                       const struct decision *decision,
                       const struct transaction *transaction) MUST_CHECK;

/* The same with `more`, an object with members. */
bool replay_print_json_with(FILE *stream, const struct maillog_event *event,
                            const struct decision *decision, const struct transaction *transaction,
                            const char *more) MUST_CHECK;

/* What the log says became of it: "accepted". */
const char *replay_print_logged(const struct maillog_event *event);

void replay_print_summary(FILE *stream, const struct replay_tally *tally,
                          const struct replay_run *run);

/* One JSON object.  False: out of memory. */
bool replay_print_summary_json(FILE *stream, const struct replay_tally *tally,
                               const struct replay_run *run) MUST_CHECK;

#endif
