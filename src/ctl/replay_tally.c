/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_tally.h"

#include <stdlib.h>

#define HASH_SLOTS (2 * REPLAY_DOMAINS_MAX) /* a power of two, half full at most */

struct row {
    struct replay_domain domain;
    char name[HOSTNAME_MAX + 1];
};

struct replay_domains {
    uint64_t seed;
    size_t count;
    struct row *rows[HASH_SLOTS]; /* open addressing */
};

bool replaytally_init(struct replay_tally *tally, uint64_t seed)
{
    memset(tally, 0, sizeof *tally);
    tally->others.name = "(others)";
    tally->domains = calloc(1, sizeof *tally->domains);
    if (tally->domains == NULL)
        return false;
    tally->domains->seed = seed;
    return true;
}

void replaytally_clear(struct replay_tally *tally)
{
    if (tally->domains == NULL)
        return;
    for (size_t i = 0; i < HASH_SLOTS; i++)
        free(tally->domains->rows[i]);
    free(tally->domains);
    tally->domains = NULL;
}

/* The row of a name, made when there is room; else that of the others. */
static struct replay_domain *row_of(struct replay_tally *tally, const char *name)
{
    struct replay_domains *domains = tally->domains;
    size_t slot = wirename_hash((const uint8_t *)name, strlen(name), domains->seed) % HASH_SLOTS;
    for (; domains->rows[slot] != NULL; slot = (slot + 1) % HASH_SLOTS)
        if (strcmp(domains->rows[slot]->name, name) == 0)
            return &domains->rows[slot]->domain;
    struct row *row = domains->count < REPLAY_DOMAINS_MAX ? calloc(1, sizeof *row) : NULL;
    if (row == NULL)
        return &tally->others;
    replay_copy(row->name, sizeof row->name, name, strlen(name));
    row->domain.name = row->name;
    domains->rows[slot] = row;
    domains->count++;
    return &row->domain;
}

/* Who sent it: the envelope's domain if it was recorded, else the confirmed name's or the EHLO
   name's, else the client's network. */
static const char *sending_domain(const struct decision *decision,
                                  char memory[IPNET_TEXT_MAX + HOSTNAME_MAX])
{
    const struct facts *facts = decision->evidence.facts;
    const struct orgdomain *list = decision->conf->orgdomains;
    const char *name = facts->sender_domain;
    if (name[0] == '\0' && decision->evidence.iprev.confirmed != NULL)
        name = decision->evidence.iprev.confirmed->name;
    else if (name[0] == '\0')
        name = facts->helo.name;
    const char *organisation = name[0] != '\0' ? orgdomain_of(list, name) : NULL;
    if (organisation != NULL)
        return organisation;
    if (name[0] != '\0')
        return name;
    const struct neighbour_bits *bits = &decision->conf->neighbours;
    struct ipnet net =
        ipnet_around(&facts->client, facts->client.family == IP_V6 ? bits->v6 : bits->v4);
    return ipnet_format(&net, memory);
}

static void add_domain(struct replay_domain *domain, const struct decision *decision)
{
    enum action would = decision->verdict.would;
    domain->total++;
    domain->by_action[would]++;
    if (would <= domain->example_action)
        return;
    domain->example_action = would;
    char reason[REASON_MAX];
    const struct verdict enforced = verdict_enforced(&decision->verdict);
    (void)reply_reason(&decision->evidence, &enforced, reason);
    (void)ipaddr_format(&decision->evidence.facts->client, domain->example_client);
    replay_copy(domain->example, sizeof domain->example, reason, strlen(reason));
}

static void add_checks(struct replay_tally *tally, const struct verdict *verdict)
{
    bool single = (verdict->checks & (verdict->checks - 1)) == 0;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if ((verdict->checks & CHECK_BIT(i)) == 0)
            continue;
        tally->checks[i].hits++;
        tally->checks[i].alone += single;
        tally->checks[i].decides += verdict->would_reason == i && verdict->would > ACTION_ACCEPT;
    }
}

void replaytally_add(struct replay_tally *tally, const struct replay_event *event,
                     const struct decision *decision)
{
    char memory[IPNET_TEXT_MAX + HOSTNAME_MAX];
    const struct verdict *verdict = &decision->verdict;
    tally->total++;
    tally->by_action[verdict->would][event->outcome]++;
    tally->now[verdict->action]++;
    add_checks(tally, verdict);
    if (event->wall_s != 0 && (tally->first_s == 0 || event->wall_s < tally->first_s))
        tally->first_s = event->wall_s;
    if (event->wall_s > tally->last_s)
        tally->last_s = event->wall_s;
    add_domain(row_of(tally, sending_domain(decision, memory)), decision);
}

/* --- order ----------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_harm(const void *a, const void *b)
{
    const struct replay_domain *const *left = a, *const *right = b;
    int order = 0;
    for (unsigned i = ACTION_COUNT; order == 0 && i-- > ACTION_TAG;)
        order = compare((*left)->by_action[i], (*right)->by_action[i]);
    return order != 0 ? order : strcmp((*left)->name, (*right)->name);
}

size_t replaytally_worst(const struct replay_tally *tally, const struct replay_domain **out,
                         size_t max, size_t *of)
{
    size_t found = 0;
    const struct replay_domain **all = calloc(tally->domains->count + 1, sizeof *all);
    *of = 0;
    if (all == NULL)
        return 0;
    for (size_t i = 0; i < HASH_SLOTS; i++) {
        const struct row *row = tally->domains->rows[i];
        if (row != NULL && row->domain.by_action[ACTION_ACCEPT] < row->domain.total)
            all[found++] = &row->domain;
    }
    qsort(all, found, sizeof all[0], by_harm);
    *of = found;
    if (found > max)
        found = max;
    memcpy(out, all, found * sizeof all[0]);
    free(all);
    return found;
}
