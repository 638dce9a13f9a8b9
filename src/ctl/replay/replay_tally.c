/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_tally.h"

bool replay_tally_init(struct replay_tally *tally, uint64_t seed)
{
    memset(tally, 0, sizeof *tally);
    tally->domains = ranking_new(seed, sizeof(struct replay_example));
    tally->correspondents = ranking_new(seed, 0);
    return tally->domains != NULL && tally->correspondents != NULL;
}

void replay_tally_clear(struct replay_tally *tally)
{
    ranking_free(tally->domains);
    ranking_free(tally->correspondents);
    tally->domains = tally->correspondents = NULL;
}

void replay_tally_delivered(struct replay_tally *tally, const struct orgdomain *list,
                            const char *recipient)
{
    char name[HOSTNAME_MAX + 1];
    const char *at = strrchr(recipient, '@');
    if (at == NULL || hostname_parse(at + 1, name) != HOSTNAME_OK)
        return;
    const char *organisation = orgdomain_of(list, name);
    (void)ranking_add(tally->correspondents, organisation != NULL ? organisation : name,
                      ACTION_ACCEPT, 0);
}

bool replay_tally_is_correspondent(const struct replay_tally *tally, const char *domain)
{
    return ranking_find(tally->correspondents, domain) != NULL;
}

const char *replay_tally_domain(const struct decision *decision, char memory[IPNET_TEXT_MAX])
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

static void keep_example(struct replay_example *example, const struct decision *decision)
{
    char reason[REASON_MAX];
    if (decision->verdict.would.action <= example->action)
        return;
    example->action = decision->verdict.would.action;
    (void)reply_reason(&decision->evidence, &decision->verdict.would, reason);
    (void)ipaddr_format(&decision->evidence.facts->client, example->client);
    maillog_copy(example->text, sizeof example->text, reason, strlen(reason));
}

static void add_checks(struct replay_tally *tally, const struct verdict *verdict)
{
    bool single = (verdict->would.checks & (verdict->would.checks - 1)) == 0;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if ((verdict->would.checks & CHECK_BIT(i)) == 0)
            continue;
        tally->checks[i].hits++;
        tally->checks[i].alone += single;
        tally->checks[i].decides +=
            verdict->would.reason == i && verdict->would.action > ACTION_ACCEPT;
    }
}

void replay_tally_add(struct replay_tally *tally, const struct maillog_event *event,
                      const struct decision *decision)
{
    char memory[IPNET_TEXT_MAX];
    const struct verdict *verdict = &decision->verdict;
    tally->total++;
    tally->by_action[verdict->would.action][event->outcome]++;
    tally->now[verdict->done.action]++;
    tally->grace += verdict->would.grace.state == GRACE_GIVEN;
    add_checks(tally, verdict);
    if (event->wall_s != 0 && (tally->first_s == 0 || event->wall_s < tally->first_s))
        tally->first_s = event->wall_s;
    if (event->wall_s > tally->last_s)
        tally->last_s = event->wall_s;
    const struct ranking_row *row =
        ranking_add(tally->domains, replay_tally_domain(decision, memory), verdict->would.action,
                    event->wall_s);
    keep_example(row->extra, decision);
}
