/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/engine.h"

#include "dns/zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct engine {
    struct metrics *metrics;
    struct cache *cache;
    struct loop *loop;
    struct resolver *resolver;
};

/* The source of answers that the configuration names.  NULL: `error` says why. */
static struct source *make_source(const struct engine *engine, const struct conf *conf,
                                  char error[ENGINE_ERROR_MAX])
{
    struct source *source = NULL;
    if (conf->zone_file == NULL) {
        source = network_new(engine->loop, &conf->network, engine->metrics);
        if (source == NULL)
            (void)snprintf(error, ENGINE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
        return source;
    }
    unsigned line = 0;
    char why[256] = "";
    enum result status = zonefile_load(conf->zone_file, &source, &line, why, sizeof why);
    if (status == RESULT_OK)
        return source;
    if (status == RESULT_INVALID)
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s:%u: %s", conf->zone_file, line, why);
    else
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s: %s", conf->zone_file,
                       status == RESULT_IO ? strerror(errno) : result_text(status));
    return NULL;
}

/* Keys the cache's hash against names that somebody chose to collide. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed ^= (uint64_t)clock_ms(&clock_system) * UINT64_C(0x9e3779b97f4a7c15);
    return seed;
}

static bool build(struct engine *engine, const struct conf *conf, char error[ENGINE_ERROR_MAX])
{
    (void)snprintf(error, ENGINE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    engine->cache = cache_new(&conf->cache, random_seed());
    engine->loop = loop_new();
    if (engine->cache == NULL || engine->loop == NULL)
        return false;
    struct source *source = make_source(engine, conf, error);
    if (source == NULL)
        return false;
    engine->resolver = resolver_new(source, engine->cache, engine->loop, &clock_system,
                                    &conf->resolver, engine->metrics);
    return engine->resolver != NULL;
}

struct engine *engine_new(const struct conf *conf, struct metrics *metrics,
                          char error[ENGINE_ERROR_MAX])
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
        return NULL;
    }
    engine->metrics = metrics;
    if (build(engine, conf, error))
        return engine;
    engine_free(engine);
    return NULL;
}

enum result engine_start(struct engine *engine)
{
    return loop_start(engine->loop, "iprevd-dns");
}

enum result engine_reload(struct engine *engine, const struct conf *conf,
                          char error[ENGINE_ERROR_MAX])
{
    struct source *source = make_source(engine, conf, error);
    if (source == NULL)
        return RESULT_INVALID;
    enum result status = resolver_set_source(engine->resolver, source);
    if (status != RESULT_OK) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s", result_text(status));
        return status;
    }
    cache_set_limits(engine->cache, &conf->cache);
    if (conf->zone_file != NULL)
        (void)cache_flush_all(engine->cache); /* the file may have changed */
    return RESULT_OK;
}

struct resolver *engine_resolver(struct engine *engine)
{
    return engine->resolver;
}

struct cache *engine_cache(struct engine *engine)
{
    return engine->cache;
}

struct loop *engine_loop(struct engine *engine)
{
    return engine->loop;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->loop != NULL)
        loop_stop(engine->loop);
    resolver_free(engine->resolver);
    loop_free(engine->loop);
    cache_free(engine->cache);
    free(engine);
}
