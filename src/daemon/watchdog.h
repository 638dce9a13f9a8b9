/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the service manager's watchdog is fed: only when the loop that feeds it ticked and the DNS
 * loop has answered a ping since the tick before.  A hung loop of either kind thereby ends the
 * daemon; a slow disk does not, as neither loop waits for one.
 */
#ifndef IPREVD_WATCHDOG_H
#define IPREVD_WATCHDOG_H

#include "base/loop.h"

#include <stdatomic.h>

struct watchdog {
    struct loop *watched; /* borrowed: it is stopped before the watchdog goes */
    unsigned asked;       /* pings so far */
    unsigned missed;      /* ticks since the last ping was answered */
    atomic_uint answered; /* the number of the last ping that was answered */
};

/* The first ping is sent.  `watched` is borrowed. */
void watchdog_init(struct watchdog *watchdog, struct loop *watched);

/*
 * A tick.  True: feed the manager's watchdog.  What is wrong, and that it is right again, is logged
 * once.  One thread.
 */
bool watchdog_tick(struct watchdog *watchdog) MUST_CHECK;

#endif
