/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_clients.h"

struct ranking *report_clients_new(uint64_t seed)
{
    return ranking_new(seed, sizeof(struct report_client));
}

/* The organizational domain of a name, or the name; NULL: it is none. */
static const char *domain_of(const struct conf *conf, const char *text, char name[HOSTNAME_MAX + 1])
{
    if (hostname_parse(text, name) != HOSTNAME_OK)
        return NULL;
    const char *domain = orgdomain_of(conf->orgdomains, name);
    return domain != NULL ? domain : name;
}

/* The newest is the first, whatever the order of the log. */
static void see_address(struct report_client *client, const struct ipaddr *address, bool newest)
{
    size_t at = 0;
    while (at < client->address_count && !ipaddr_equal(&client->addresses[at], address))
        at++;
    if (at == client->address_count) {
        if (at == REPORT_ADDRESSES_MAX) {
            client->more_addresses = true;
            at--;
        } else {
            client->address_count++;
        }
    }
    if (!newest && client->address_count > 1) {
        client->addresses[at] = *address; /* at > 0, or it is the first already */
        return;
    }
    memmove(&client->addresses[1], &client->addresses[0], at * sizeof client->addresses[0]);
    client->addresses[0] = *address;
}

void report_clients_add(struct ranking *clients, const struct conf *conf,
                        const struct report_entry *entry, enum check_id check)
{
    char name[HOSTNAME_MAX + 1], network[IPNET_TEXT_MAX];
    if (!action_refuses(entry->would))
        return;
    const char *domain = domain_of(conf, entry->ptr, name);
    if (domain == NULL)
        domain = domain_of(conf, entry->helo, name);
    if (domain == NULL) {
        const struct neighbour_bits *bits = &conf->neighbours;
        struct ipnet net =
            ipnet_around(&entry->client, entry->client.family == IP_V6 ? bits->v6 : bits->v4);
        domain = ipnet_format(&net, network);
    }
    const struct ranking_row *row = ranking_add(clients, domain, entry->would, entry->wall_s);
    if (row == ranking_others(clients))
        return; /* what is known of one of them is not about the others */
    struct report_client *client = row->extra;
    see_address(client, &entry->client, entry->wall_s >= client->wall_s);
    if (entry->wall_s < client->wall_s)
        return;
    client->wall_s = entry->wall_s;
    client->confirmed = entry->confirmed;
    client->would = entry->would;
    client->check = check;
    maillog_copy(client->ptr, sizeof client->ptr, entry->ptr, strlen(entry->ptr));
    maillog_copy(client->helo, sizeof client->helo, entry->helo, strlen(entry->helo));
    maillog_copy(client->reason, sizeof client->reason, entry->reason, strlen(entry->reason));
    if (entry->sender[0] != '\0')
        maillog_copy(client->sender, sizeof client->sender, entry->sender, strlen(entry->sender));
}
