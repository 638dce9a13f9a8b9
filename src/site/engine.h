/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lookups as the configuration wants them: cache, DNS thread, source of answers and resolver in
 * one piece, for the daemon and for iprevctl.
 */
#ifndef IPREVD_ENGINE_H
#define IPREVD_ENGINE_H

#include "dns/lookup.h"
#include "site/conf.h"

struct engine;

#define ENGINE_ERROR_MAX 512

/*
 * Build for a configuration (borrowed during the call); makes no thread yet.  `metrics` is borrowed
 * for the engine's life and may be NULL.  NULL: `error` says why.
 */
struct engine *engine_new(const struct conf *conf, struct metrics *metrics,
                          char error[ENGINE_ERROR_MAX]) MUST_CHECK;

/* Start the DNS thread. */
enum result engine_start(struct engine *engine) MUST_CHECK;

/*
 * Take over the DNS part of a new configuration while running.  On failure nothing has changed and
 * `error` says why.
 */
enum result engine_reload(struct engine *engine, const struct conf *conf,
                          char error[ENGINE_ERROR_MAX]) MUST_CHECK;

struct resolver *engine_resolver(struct engine *engine);
struct cache *engine_cache(struct engine *engine);
struct loop *engine_loop(struct engine *engine);

/* Ends what is under way, stops the thread.  free(NULL) is fine. */
void engine_free(struct engine *engine);

#endif
