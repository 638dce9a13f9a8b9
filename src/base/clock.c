/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t system_monotonic_ms(void *arg)
{
    (void)arg;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_s(void *arg)
{
    (void)arg;
    return (int64_t)time(NULL);
}

const struct clock clock_system = {system_monotonic_ms, system_wall_s, NULL};
