/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dns_service.h"

#include "dns/zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* By what a file is known to have changed. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct dns_service {
    struct metrics *metrics;
    struct cache *cache;
    struct loop *loop;
    struct resolver *resolver;
    /* The source in use: a zone file, if there is a path, else servers. */
    char *zone_file;
    struct file_stamp stamp;
    struct source *network; /* the resolver's */
};

/* --- the source ----------------------------------------------------------------------------- */

static struct file_stamp stamp_of(const char *path)
{
    struct stat info;
    struct file_stamp stamp = {0};
    if (stat(path, &info) == 0)
        stamp = (struct file_stamp){.device = info.st_dev,
                                    .inode = info.st_ino,
                                    .size = info.st_size,
                                    .modified = info.st_mtim,
                                    .changed = info.st_ctim};
    return stamp;
}

static bool time_equal(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           time_equal(&a->modified, &b->modified) && time_equal(&a->changed, &b->changed);
}

/* What a source is made of, until it is in use. */
struct new_source {
    struct source *source;
    char *zone_file;
    struct file_stamp stamp;
};

static bool open_zone(const char *path, struct new_source *out, char error[DNS_SERVICE_ERROR_MAX])
{
    unsigned line = 0;
    char why[256] = "";
    out->stamp = stamp_of(path); /* before it is read: a change meanwhile is seen the next time */
    out->zone_file = strdup(path);
    enum result status = out->zone_file == NULL
                             ? RESULT_NOMEM
                             : zonefile_load(path, &out->source, &line, why, sizeof why);
    if (status == RESULT_OK)
        return true;
    if (status == RESULT_INVALID)
        (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s:%u: %s", path, line, why);
    else
        (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s: %s", path,
                       status == RESULT_IO ? strerror(errno) : result_text(status));
    free(out->zone_file);
    return false;
}

bool dns_service_test_zone(const char *path, char error[DNS_SERVICE_ERROR_MAX])
{
    struct new_source made = {0};
    if (!open_zone(path, &made, error))
        return false;
    made.source->ops->free(made.source);
    free(made.zone_file);
    return true;
}

static bool open_source(const struct dns_service *service,
                        const struct dns_service_settings *settings, struct new_source *out,
                        char error[DNS_SERVICE_ERROR_MAX])
{
    *out = (struct new_source){0};
    if (settings->zone_file != NULL)
        return open_zone(settings->zone_file, out, error);
    out->source = network_new(service->loop, &settings->network, service->metrics);
    if (out->source == NULL)
        (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    return out->source != NULL;
}

/* The resolver has it now. */
static void use_source(struct dns_service *service, const struct new_source *made)
{
    free(service->zone_file);
    service->zone_file = made->zone_file;
    service->stamp = made->stamp;
    service->network = made->zone_file == NULL ? made->source : NULL;
}

static bool is_same_zone(const struct dns_service *service, const char *path)
{
    if (service->zone_file == NULL || path == NULL || strcmp(service->zone_file, path) != 0)
        return false;
    struct file_stamp stamp = stamp_of(path);
    return stamp_equal(&stamp, &service->stamp);
}

enum result dns_service_set_source(struct dns_service *service,
                                   const struct dns_service_settings *settings,
                                   char error[DNS_SERVICE_ERROR_MAX])
{
    struct new_source made;
    enum result status;
    if (is_same_zone(service, settings->zone_file))
        return RESULT_OK;
    if (service->network != NULL && settings->zone_file == NULL) {
        status = network_set(service->network, &settings->network);
    } else {
        if (!open_source(service, settings, &made, error))
            return RESULT_INVALID;
        status = resolver_set_source(service->resolver, made.source);
        if (status == RESULT_OK)
            use_source(service, &made);
        else
            free(made.zone_file);
    }
    if (status != RESULT_OK)
        (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s", result_text(status));
    return status;
}

void dns_service_set_limits(struct dns_service *service,
                            const struct dns_service_settings *settings)
{
    resolver_set_limits(service->resolver, &settings->resolver);
    cache_set_limits(service->cache, &settings->cache);
}

/* --- life ----------------------------------------------------------------------------------- */

/* Keys the cache's hash against names that somebody chose to collide. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed ^= (uint64_t)clock_ms(&clock_system) * UINT64_C(0x9e3779b97f4a7c15);
    return seed;
}

static bool build(struct dns_service *service, const struct dns_service_settings *settings,
                  char error[DNS_SERVICE_ERROR_MAX])
{
    struct new_source made;
    (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    service->cache = cache_new(&settings->cache, random_seed());
    service->loop = loop_new();
    if (service->cache == NULL || service->loop == NULL ||
        !open_source(service, settings, &made, error))
        return false;
    service->resolver = resolver_new(made.source, service->cache, service->loop,
                                     &settings->resolver, service->metrics);
    if (service->resolver == NULL) {
        free(made.zone_file);
        return false;
    }
    use_source(service, &made);
    return true;
}

struct dns_service *dns_service_new(const struct dns_service_settings *settings,
                                    struct metrics *metrics, char error[DNS_SERVICE_ERROR_MAX])
{
    struct dns_service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        (void)snprintf(error, DNS_SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
        return NULL;
    }
    service->metrics = metrics;
    if (build(service, settings, error))
        return service;
    dns_service_free(service);
    return NULL;
}

enum result dns_service_start(struct dns_service *service)
{
    return loop_start(service->loop, "iprevd-dns");
}

struct resolver *dns_service_resolver(struct dns_service *service)
{
    return service->resolver;
}

struct cache *dns_service_cache(struct dns_service *service)
{
    return service->cache;
}

struct loop *dns_service_loop(struct dns_service *service)
{
    return service->loop;
}

void dns_service_free(struct dns_service *service)
{
    if (service == NULL)
        return;
    if (service->loop != NULL)
        loop_stop(service->loop);
    resolver_free(service->resolver);
    loop_free(service->loop);
    cache_free(service->cache);
    free(service->zone_file);
    free(service);
}
