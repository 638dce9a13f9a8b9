/* SPDX-License-Identifier: BSD-2-Clause */
/* What `iprevctl find` looks for.  Pure; thread safe. */
#ifndef IPREVD_FIND_CONDITIONS_H
#define IPREVD_FIND_CONDITIONS_H

#include "ctl/report/report_entry.h"

/* As they were typed; NULL: any.  Borrowed. */
struct find_texts {
    const char *client, *sender, *recipient, *helo, *ptr, *queue_id, *check;
};

struct find_conditions {
    const struct find_texts *texts;
    struct ipnet client; /* with texts->client */
    enum check_id check; /* with texts->check */
};

/* False: *wrong says what is wrong, NULL that there is no condition.  `texts` is borrowed. */
bool find_conditions_parse(const struct find_texts *texts, struct find_conditions *out,
                           const char **wrong) MUST_CHECK;

/* Does all of it fit this decision? */
bool find_conditions_fit(const struct find_conditions *conditions,
                         const struct report_entry *entry);

#endif
