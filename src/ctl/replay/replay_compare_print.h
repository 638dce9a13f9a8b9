/* SPDX-License-Identifier: BSD-2-Clause */
/* What `iprevctl replay --compare` shows, as text on 80 columns or JSON. */
#ifndef IPREVD_REPLAY_COMPARE_PRINT_H
#define IPREVD_REPLAY_COMPARE_PRINT_H

#include "ctl/replay/replay_compare.h"
#include "ctl/replay/replay_tally.h"
#include "site/json.h"

#include <stdio.h>

/* The line above the rows. */
void replay_compare_print_head(FILE *stream);

/* "accept     reject     refused  192.0.2.1       ptr-missing: 192.0.2.1 has no PTR record" */
void replay_compare_print_row(FILE *stream, const struct maillog_event *event,
                              const struct decision *decision, const struct decision *other);

/* The JSON object of the stricter decision with file, line, logged, before and after in it.  False:
   out of memory. */
bool replay_compare_print_json(FILE *stream, const struct maillog_event *event,
                               const struct decision *decision, const struct decision *other,
                               const struct transaction *transaction) MUST_CHECK;

/* `tally`: who are correspondents.  `path`: of the other configuration. */
void replay_compare_print_summary(FILE *stream, const struct replay_compare *compare,
                                  const struct replay_tally *tally, const char *path);

/* A member "compared" of what is open. */
void replay_compare_put_json(struct json_writer *json, const struct replay_compare *compare,
                             const struct replay_tally *tally, const char *path);

#endif
