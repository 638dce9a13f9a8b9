/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small world for scenarios: a clock that is moved by hand and a DNS that answers from zone
 * text, late, with a failure or not at all.  Everything behind it is the real code.
 */
#ifndef IPREVD_WORLD_H
#define IPREVD_WORLD_H

#include "dns/resolver.h"

struct world;

/* `zone` is master-file text.  NULL: `error` says why. */
struct world *world_new(const char *zone, char *error, size_t error_size);

const struct clock *world_clock(const struct world *world);

/* The loop that goes by that clock, for resolver_new(): to be stopped before resolver_free(). */
struct loop *world_loop(struct world *world);

/* A source for resolver_new(), which frees it; the world must outlive it. */
struct source *world_source(struct world *world);

/* Answers about `name` come late by delay_ms, or never, or fail. */
bool world_slow(struct world *world, const char *name, int64_t delay_ms);
bool world_silent(struct world *world, const char *name);
bool world_fail(struct world *world, const char *name, const char *problem);
/* There is no such name, says its zone, which needs an SOA record for it. */
bool world_deny(struct world *world, const char *name);
/* As the zone says again. */
bool world_mend(struct world *world, const char *name);

/* Somebody sets the machine's clock: wall time jumps, and no time passes. */
void world_step_clock(struct world *world, int64_t seconds);

/* Let time pass, and run what is due meanwhile, each at its own time. */
void world_advance(struct world *world, int64_t ms);

/* Questions that reached the source so far. */
unsigned world_questions(const struct world *world);

/* As it was when it was new: the clock, the rules, and nobody waits.  The resolver must be gone. */
void world_restart(struct world *world);

void world_free(struct world *world);

#endif
