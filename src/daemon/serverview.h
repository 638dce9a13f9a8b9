/* SPDX-License-Identifier: BSD-2-Clause */
/* How the DNS servers are, for whoever shows it.  Thread safe. */
#ifndef IPREVD_SERVERVIEW_H
#define IPREVD_SERVERVIEW_H

#include "dns/network.h"
#include "dns/resolver.h"

struct serverview {
    struct network_server_health list[NETWORK_SERVERS_MAX];
    size_t count; /* 0 with a zone file, too */
};

void serverview_take(struct resolver *resolver, struct serverview *out);

#endif
