/* SPDX-License-Identifier: BSD-2-Clause */
/* For targets that come to decisions: what is told of one can be read back, and says the same. */
#ifndef IPREVD_FUZZ_TOLD_H
#define IPREVD_FUZZ_TOLD_H

#include "site/decision.h"

/* Log line and JSON, as the report reads them. */
void told_check_decision(const struct decision *decision, const struct transaction *transaction);

/* The reply for ACTION_TEMPFAIL or ACTION_REJECT. */
void told_check_reply(const struct reply *reply, bool reject);

/* The value of Authentication-Results or X-Iprevd. */
void told_check_field(const char *value);

#endif
