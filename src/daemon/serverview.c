/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/serverview.h"

static void look(void *arg, const struct source *source)
{
    struct serverview *view = arg;
    view->count = network_health(source, view->list, NETWORK_SERVERS_MAX);
}

void serverview_take(struct resolver *resolver, struct serverview *out)
{
    out->count = 0;
    resolver_look_at_source(resolver, look, out);
}
