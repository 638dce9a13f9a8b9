/* SPDX-License-Identifier: BSD-2-Clause */
/* What log line and JSON of a decision say in the same words. */
#ifndef IPREVD_DECISION_TEXT_H
#define IPREVD_DECISION_TEXT_H

#include "site/decision.h"

#define DECISION_PTR_MAX 1024

/* The confirmed name, or else all names that the PTR records gave, with commas between them. */
void decision_ptr_text(const struct decision *decision, struct textbuf *out);

/* DNSSEC vouches for the PTR records and, where one is confirmed, for its addresses. */
bool decision_is_secure(const struct decision *decision);

/* "hit": every answer came from the cache; "stale": some were past their time; else "miss". */
const char *decision_cache_text(const struct decision *decision,
                                const struct transaction *transaction);

#endif
