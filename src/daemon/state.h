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

struct state {
    struct exemptions *exemptions;
    struct cache *cache;
    struct client_memory *memory;
    struct greylist_table *greylist;
};

/* `directory` NULL: nothing survives.  A damaged file of exemptions is set aside as FILE.bad. */
void state_load(const char *directory, const struct state *state, const struct clock *clock);

/* False: `error` says why the exemptions would not survive. */
bool state_save_exemptions(const char *directory, struct exemptions *exemptions,
                           char error[STATE_ERROR_MAX]) MUST_CHECK;

/*
 * All but the exemptions.  What cannot be saved is logged: it costs no mail.  While greylisted
 * networks cannot be saved nobody is greylisted.
 */
void state_save(const char *directory, const struct state *state, const struct clock *clock);

#endif
