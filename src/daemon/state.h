/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What survives a restart: the files below state-dir.  A damaged one is reported, and what was
 * whole in it is used.  What is saved by root belongs to the owner of state-dir afterwards.  Does
 * I/O; one caller at a time.
 */
#ifndef IPREVD_STATE_H
#define IPREVD_STATE_H

#include "base/clock.h"
#include "dns/cache.h"
#include "site/client_memory.h"
#include "site/exemptions.h"
#include "site/greylist_table.h"

#define STATE_ERROR_MAX 256

/* `directory` NULL: nothing survives.  A damaged file of exemptions is set aside as FILE.bad. */
void state_load(const char *directory, struct exemptions *exemptions, struct cache *cache,
                struct client_memory *memory, const struct clock *clock);

/* False: `error` says why the exemptions would not survive. */
bool state_save_exemptions(const char *directory, struct exemptions *exemptions,
                           char error[STATE_ERROR_MAX]) MUST_CHECK;

/* What cannot be saved is logged: neither costs mail. */
void state_save_cache(const char *directory, struct cache *cache, const struct clock *clock);
void state_save_memory(const char *directory, struct client_memory *memory,
                       const struct clock *clock);

/* The same of greylisted networks.  While they cannot be saved nobody is greylisted. */
void state_load_greylist(const char *directory, struct greylist_table *greylist,
                         const struct clock *clock);
void state_save_greylist(const char *directory, struct greylist_table *greylist,
                         const struct clock *clock);

#endif
