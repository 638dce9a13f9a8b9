/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a zone's own name servers say now: they are found by NS and asked without recursion, so that
 * nobody's cache is between.  Blocks; thread safe.
 */
#ifndef IPREVD_AUTHORITY_H
#define IPREVD_AUTHORITY_H

#include "ctl/hostlookup.h"
#include "dns/dns_service.h"

#define AUTHORITY_NAMES_MAX 6 /* name servers of a zone that are looked up */

struct authority_answer {
    bool asked;               /* its servers were found and asked; else `failure` says why not */
    const char *failure;      /* static; NULL: none */
    char zone[NAME_TEXT_MAX]; /* the zone that the name is in; "": not found */
    char server[SERVER_TEXT_MAX + HOSTNAME_MAX + 1]; /* who answered, with its name */
    struct dns_records records;                      /* its evidence has `server`, or NULL */
};

/*
 * `resolver` finds the zone and its servers, from `skip` labels above the name on; `settings` are
 * its service's, but for the servers.  RESULT_NOMEM.
 */
enum result authority_ask(struct resolver *resolver, const struct dns_service_settings *settings,
                          const struct dns_name *name, uint16_t type, unsigned skip,
                          int64_t deadline_ms, struct authority_answer *out) MUST_CHECK;

#endif
