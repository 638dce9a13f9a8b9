/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as an argument.  Deadlines and cache ages are monotonic milliseconds;
 * wall-clock seconds serve only what people write down (until, log, saved files).
 */
#ifndef IPREVD_CLOCK_H
#define IPREVD_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*monotonic_ms)(void *arg);
    int64_t (*wall_s)(void *arg); /* seconds since 1970-01-01 UTC */
    void *arg;
};

/* The machine's clocks.  Thread safe. */
extern const struct clock clock_system;

static inline int64_t clock_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock->arg);
}

static inline int64_t clock_wall_s(const struct clock *clock)
{
    return clock->wall_s(clock->arg);
}

/* A wall clock as it is kept in 32 bits: until 2106; what is before 1970 is 0. */
static inline uint32_t clock_kept_s(int64_t wall_s)
{
    return wall_s < 0 ? 0 : wall_s > UINT32_MAX ? UINT32_MAX : (uint32_t)wall_s;
}

#endif
