/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the daemon is: what `iprevctl status` shows, read from the counters and their owners.
 */
#ifndef IPREVD_STATUS_H
#define IPREVD_STATUS_H

#include "base/metrics.h"
#include "daemon/own_names.h"
#include "dns/network.h"
#include "dns/resolver.h"
#include "site/conf.h"
#include "site/greylist_table.h"
#include "site/json.h"

/* The last time that something was read, if that failed. */
struct status_failure {
    int64_t since_s;  /* wall clock; 0: it was good */
    char error[1024]; /* the first message */
};

/* Everything is borrowed during the call. */
struct status_sources {
    const struct conf *conf;
    const struct metrics *metrics;
    struct resolver *resolver;
    int64_t uptime_ms;
    size_t exemptions;
    struct client_memory *memory;
    struct greylist_table *greylist;
    struct own_names *own_names;
    bool stopping;
    const struct status_failure *reload, *tables;
};

/* Add the members of the answer to the object that is open.  Thread safe. */
void status_put(struct json_writer *json, const struct status_sources *sources);

/* How the DNS servers are.  Thread safe. */
struct status_servers {
    struct network_server_health list[NETWORK_SERVERS_MAX];
    size_t count; /* 0 with a zone file, too */
};
void status_servers(struct resolver *resolver, struct status_servers *out);

#endif
