/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running daemon remembers of a client. */
#ifndef IPREVD_RUNNING_MEMORY_H
#define IPREVD_RUNNING_MEMORY_H

#include "site/conf.h"

/*
 * Ask the daemon of that configuration, and others_silent as in struct transaction.  Nothing is
 * known where none is there to be asked, or where it is an older one.  RESULT_NOMEM.  Thread safe.
 */
enum result running_memory_ask(const struct conf *conf, const struct ipaddr *client,
                               struct history *out, bool *others_silent) MUST_CHECK;

#endif
