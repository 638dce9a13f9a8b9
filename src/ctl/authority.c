/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The servers of a zone. */
struct authority {
    struct network_server servers[NETWORK_SERVERS_MAX];
    char names[NETWORK_SERVERS_MAX][HOSTNAME_MAX + 1]; /* whose address each is */
    unsigned count;
};

static void add_family(struct authority *authority, const char *name,
                       const struct host_family *family)
{
    for (size_t i = 0; i < family->count && authority->count < NETWORK_SERVERS_MAX; i++) {
        authority->servers[authority->count] =
            (struct network_server){.addr = family->addresses[i], .port = NETWORK_PORT};
        (void)snprintf(authority->names[authority->count], sizeof authority->names[0], "%s", name);
        authority->count++;
    }
}

/* The addresses of the zone's name servers.  RESULT_NOMEM. */
static enum result find_servers(struct resolver *resolver, const struct dns_name *zone,
                                int64_t deadline_ms, struct authority *out)
{
    struct dns_records *list = malloc(sizeof *list);
    struct host *host = malloc(sizeof *host);
    enum result status = RESULT_NOMEM;
    if (list != NULL && host != NULL)
        status = hostlookup_records(resolver, zone, RR_NS, deadline_ms, list);
    for (size_t i = 0; status == RESULT_OK && i < list->count && i < AUTHORITY_NAMES_MAX; i++) {
        char name[HOSTNAME_MAX + 1];
        if (hostname_parse(list->texts[i], name) != HOSTNAME_OK)
            continue;
        status = hostlookup_host(resolver, name, deadline_ms, host);
        if (status == RESULT_INVALID) {
            status = RESULT_OK;
            continue;
        }
        add_family(out, name, &host->v4);
        add_family(out, name, &host->v6);
    }
    free(host);
    free(list);
    return status == RESULT_NOMEM ? RESULT_NOMEM : RESULT_OK;
}

static void name_server(const struct authority *authority, struct authority_answer *out)
{
    char text[SERVER_TEXT_MAX];
    const char *server = out->records.evidence.server;
    out->records.evidence.server = NULL; /* it goes with its service */
    for (unsigned i = 0; server != NULL && i < authority->count; i++)
        if (strcmp(network_server_format(&authority->servers[i], text), server) == 0) {
            (void)snprintf(out->server, sizeof out->server, "%s %s", authority->names[i], server);
            out->records.evidence.server = out->server;
            return;
        }
}

static enum result ask_servers(const struct authority *authority,
                               const struct dns_service_settings *settings,
                               const struct dns_name *name, uint16_t type, int64_t deadline_ms,
                               struct authority_answer *out)
{
    struct dns_service_settings direct = *settings;
    char error[DNS_SERVICE_ERROR_MAX];
    direct.zone_file = NULL;
    direct.resolver.control = (struct ipaddr){.family = IP_NONE};
    direct.network.authoritative = true;
    direct.network.trust_ad = false;
    direct.network.server_count = authority->count;
    memcpy(direct.network.servers, authority->servers, sizeof authority->servers);
    struct dns_service *service = dns_service_new(&direct, NULL, error);
    enum result status = RESULT_NOMEM;
    if (service != NULL && dns_service_start(service) == RESULT_OK)
        status = hostlookup_records(dns_service_resolver(service), name, type, deadline_ms,
                                    &out->records);
    if (status == RESULT_OK) {
        out->asked = true;
        name_server(authority, out);
    }
    dns_service_free(service);
    return status;
}

enum result authority_ask(struct resolver *resolver, const struct dns_service_settings *settings,
                          const struct dns_name *name, uint16_t type, unsigned skip,
                          int64_t deadline_ms, struct authority_answer *out)
{
    struct dns_name zone;
    memset(out, 0, sizeof *out);
    enum result status = hostlookup_zone(resolver, name, skip, deadline_ms, &zone);
    if (status != RESULT_OK) {
        out->failure = "its zone cannot be found";
        return status == RESULT_NOMEM ? RESULT_NOMEM : RESULT_OK;
    }
    memcpy(out->zone, zone.text, sizeof out->zone);
    struct authority *authority = calloc(1, sizeof *authority);
    status =
        authority != NULL ? find_servers(resolver, &zone, deadline_ms, authority) : RESULT_NOMEM;
    if (status == RESULT_OK && authority->count > 0)
        status = ask_servers(authority, settings, name, type, deadline_ms, out);
    else
        out->failure = "no address of its name servers can be found";
    free(authority);
    return status;
}
