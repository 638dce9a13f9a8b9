/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that answers lookups in one piece, for the daemon and for iprevctl: cache, DNS thread, source
 * of answers (servers or a zone file) and resolver.
 */
#ifndef IPREVD_DNS_SERVICE_H
#define IPREVD_DNS_SERVICE_H

#include "dns/lookup.h"
#include "dns/network.h"

struct dns_service;

#define DNS_SERVICE_ERROR_MAX 512

/* What an administrator may set; see the blocks dns and cache in iprevd.conf(5). */
struct dns_service_settings {
    const char *zone_file; /* answers come from this file; NULL: from servers */
    struct network_settings network;
    struct resolver_limits resolver;
    struct cache_limits cache;
};

/*
 * Build; makes no thread yet.  `settings` is borrowed during the call, `metrics` for the service's
 * life, and may be NULL.  NULL: `error` says why.
 */
struct dns_service *dns_service_new(const struct dns_service_settings *settings,
                                    struct metrics *metrics,
                                    char error[DNS_SERVICE_ERROR_MAX]) MUST_CHECK;

/* Can the zone file be read?  False: `error` says why, with its line.  Thread safe, but for
   rr_read_zone() (dnsrr.h). */
bool dns_service_test_zone(const char *path, char error[DNS_SERVICE_ERROR_MAX]) MUST_CHECK;

/* Start the DNS thread. */
enum result dns_service_start(struct dns_service *service) MUST_CHECK;

/*
 * Take over where answers come from, while running.  Nothing happens unless that differs: servers
 * that stay keep their health, round-trip times, sockets and counters, and a zone file is read
 * again only when it changed.  Another zone file, or servers in its place, empty the cache.  One
 * thread at a time.  On failure nothing has changed and `error` says why.
 */
enum result dns_service_set_source(struct dns_service *service,
                                   const struct dns_service_settings *settings,
                                   char error[DNS_SERVICE_ERROR_MAX]) MUST_CHECK;

/* Take over the limits of resolver and cache, while running.  One thread at a time. */
void dns_service_set_limits(struct dns_service *service,
                            const struct dns_service_settings *settings);

struct resolver *dns_service_resolver(struct dns_service *service);
struct cache *dns_service_cache(struct dns_service *service);
struct loop *dns_service_loop(struct dns_service *service);

/* Ends what is under way, stops the thread.  free(NULL) is fine. */
void dns_service_free(struct dns_service *service);

#endif
