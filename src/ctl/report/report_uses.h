/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often, and when last, the match blocks of the configuration and the exemptions in effect
 * (iprevctl allow) decided: which of them nobody needs any more.  One owner at a time.
 */
#ifndef IPREVD_REPORT_USES_H
#define IPREVD_REPORT_USES_H

#include "ctl/report/report_entry.h"
#include "site/conf.h"
#include "site/exemptions.h"

struct report_use {
    const char *name;   /* of the block, or the exemption's subject */
    const char *reason; /* or NULL */
    uint64_t hits;
    int64_t last_s; /* 0: never, or no times */
};

struct report_uses {
    struct report_use *blocks, *exemptions;
    size_t block_count, exemption_count;
    struct exemption *subjects; /* what `exemptions` borrow from */
    struct exemptions *running; /* borrowed; NULL: unknown */
};

/* `conf` and `exemptions` (NULL: unknown), which nobody changes, are borrowed.  False: out of
   memory. */
bool report_uses_init(struct report_uses *uses, const struct conf *conf,
                      struct exemptions *exemptions) MUST_CHECK;
void report_uses_clear(struct report_uses *uses);

void report_uses_add(struct report_uses *uses, const struct report_entry *entry);

#endif
