/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/watchdog.h"

#include "base/log.h"

/* Ticks without an answer from which on it is worth a line: a busy machine misses one or two. */
#define MISSED_LOGGED 3

/* Runs on the watched loop. */
static void answer(void *arg)
{
    struct watchdog *watchdog = arg;
    atomic_fetch_add(&watchdog->answered, 1);
}

/* At most one ping is under way.  Without memory for it nothing is known, and nothing is held
   against the loop. */
static void ping(struct watchdog *watchdog)
{
    if (loop_post(watchdog->watched, answer, watchdog) == RESULT_OK)
        watchdog->asked++;
}

void watchdog_init(struct watchdog *watchdog, struct loop *watched)
{
    *watchdog = (struct watchdog){.watched = watched};
    atomic_init(&watchdog->answered, 0);
    ping(watchdog);
}

bool watchdog_tick(struct watchdog *watchdog)
{
    if (atomic_load(&watchdog->answered) != watchdog->asked) {
        if (++watchdog->missed == MISSED_LOGGED)
            log_error("the DNS thread does not answer: the watchdog is not fed");
        return false;
    }
    if (watchdog->missed >= MISSED_LOGGED)
        log_info("the DNS thread answers again");
    watchdog->missed = 0;
    ping(watchdog);
    return true;
}
