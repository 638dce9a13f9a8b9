/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the daemon is: what `iprevctl status` shows, read from the counters and from whoever knows.
 */
#ifndef IPREVD_STATUS_H
#define IPREVD_STATUS_H

#include "base/metrics.h"
#include "dns/resolver.h"
#include "site/conf.h"
#include "site/json.h"

/* Everything is borrowed during the call. */
struct status_sources {
    const struct conf *conf;
    const struct metrics *metrics;
    struct resolver *resolver;
    int64_t uptime_ms;
    size_t exemptions;
    bool stopping;
};

/* Add the members of the answer to the object that is open.  Thread safe. */
void status_put(struct json_writer *json, const struct status_sources *sources);

#endif
