/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/descriptors.h"

#include "base/log.h"
#include "daemon/privileges.h"

/* Descriptors besides sessions and DNS: listeners, control, metrics, files, loops. */
#define DESCRIPTORS_OTHER 256

void descriptors_provide(const struct conf *conf)
{
    size_t wanted =
        conf->max_sessions + conf->resolver.max_queries + conf->network.max_tcp + DESCRIPTORS_OTHER;
    size_t limit = privileges_raise_descriptors(wanted);
    if (limit < wanted)
        log_warning(
            "only %zu file descriptors are allowed, but max-sessions = %u and the DNS limits "
            "may need %zu: raise LimitNOFILE or lower max-sessions",
            limit, conf->max_sessions, wanted);
}
