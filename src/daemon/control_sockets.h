/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management sockets: control and metrics.  They are opened with the listener,
 * while there still are the privileges to make them; a daemon without them still serves mail.
 */
#ifndef IPREVD_CONTROL_SOCKETS_H
#define IPREVD_CONTROL_SOCKETS_H

#include "site/conf.h"

#include <sys/types.h>

/* Listening, non-blocking; -1: off, or it could not be. */
struct control_sockets {
    int control, metrics;
};

/*
 * Open what the configuration wants; what cannot be is logged.  The control socket is given to uid
 * and, without control-group, gid.
 */
void control_sockets_open(const struct conf *conf, uid_t uid, gid_t gid,
                          struct control_sockets *out);

/* Give back what service_start() did not take: a start that failed. */
void control_sockets_close(const struct conf *conf, struct control_sockets *sockets);

#endif
