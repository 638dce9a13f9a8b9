/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_sums.h"

#include <string.h>
#include <time.h>

const int64_t report_wait_ms[REPORT_WAITS - 1] = {1, 5, 20, 50, 100, 500, 2000, 8000};

bool report_sums_init(struct report_sums *sums, const struct conf *conf,
                      struct exemptions *exemptions, uint64_t seed)
{
    memset(sums, 0, sizeof *sums);
    sums->networks = ranking_new(seed, 0);
    sums->domains = ranking_new(seed, 0);
    sums->clients = report_clients_new(seed);
    bool uses = report_uses_init(&sums->uses, conf, exemptions);
    return sums->networks != NULL && sums->domains != NULL && sums->clients != NULL && uses;
}

void report_sums_clear(struct report_sums *sums)
{
    ranking_free(sums->networks);
    ranking_free(sums->domains);
    ranking_free(sums->clients);
    report_uses_clear(&sums->uses);
    sums->networks = sums->domains = sums->clients = NULL;
}

static int date_of(int64_t wall_s)
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (localtime_r(&wall, &tm) == NULL)
        return 0;
    return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

/* The row of a date, kept in order; NULL when there is no room for one older than all. */
static struct report_day *day_of(struct report_sums *sums, int date)
{
    size_t at = sums->day_count;
    while (at > 0 && sums->days[at - 1].date > date)
        at--;
    if (at > 0 && sums->days[at - 1].date == date)
        return &sums->days[at - 1];
    if (sums->day_count == REPORT_DAYS_MAX) {
        if (at == 0)
            return NULL;
        at--; /* the oldest day goes */
        memmove(&sums->days[0], &sums->days[1], at * sizeof sums->days[0]);
    } else {
        memmove(&sums->days[at + 1], &sums->days[at],
                (sums->day_count - at) * sizeof sums->days[0]);
        sums->day_count++;
    }
    memset(&sums->days[at], 0, sizeof sums->days[at]);
    sums->days[at].date = date;
    return &sums->days[at];
}

static void see(int64_t wall_s, int64_t *first_s, int64_t *last_s)
{
    if (wall_s == 0)
        return;
    if (*first_s == 0 || wall_s < *first_s)
        *first_s = wall_s;
    if (wall_s > *last_s)
        *last_s = wall_s;
}

static void add_checks(struct report_sums *sums, struct report_day *day,
                       const struct report_entry *entry, enum check_id decided)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        struct report_check *check = &sums->checks[i];
        if ((entry->checks & CHECK_BIT(i)) == 0)
            continue;
        check->hits++;
        check->alone += entry->checks == CHECK_BIT(i);
        check->decided += decided == (enum check_id)i;
        see(entry->wall_s, &check->first_s, &check->last_s);
        if (day != NULL)
            day->by_check[i]++;
    }
}

static void add_wait(struct report_sums *sums, const struct report_entry *entry)
{
    size_t i = 0;
    while (i < REPORT_WAITS - 1 && entry->dns_ms >= report_wait_ms[i])
        i++;
    sums->waits[i]++;
    sums->by_cache[entry->cache]++;
}

static void add_names(struct report_sums *sums, const struct conf *conf,
                      const struct report_entry *entry)
{
    char network[IPNET_TEXT_MAX], name[HOSTNAME_MAX + 1];
    const struct neighbour_bits *bits = &conf->neighbours;
    struct ipnet net =
        ipnet_around(&entry->client, entry->client.family == IP_V6 ? bits->v6 : bits->v4);
    (void)ranking_add(sums->networks, ipnet_format(&net, network), entry->would, entry->wall_s);
    /* Who sent it: the envelope's domain, else the confirmed name's or the EHLO name's. */
    const char *at = strrchr(entry->sender, '@');
    if ((at == NULL || hostname_parse(at + 1, name) != HOSTNAME_OK) &&
        (!entry->confirmed || hostname_parse(entry->ptr, name) != HOSTNAME_OK) &&
        hostname_parse(entry->helo, name) != HOSTNAME_OK) {
        (void)ranking_add(sums->domains, network, entry->would, entry->wall_s);
        return;
    }
    const char *organisation = orgdomain_of(conf->orgdomains, name);
    (void)ranking_add(sums->domains, organisation != NULL ? organisation : name, entry->would,
                      entry->wall_s);
}

/* NULL: it has no name, or is one too many. */
static struct report_server *server_of(struct report_sums *sums, const char *name)
{
    if (name[0] == '\0')
        return NULL;
    for (size_t i = 0; i < sums->server_count; i++)
        if (strcmp(sums->servers[i].name, name) == 0)
            return &sums->servers[i];
    if (sums->server_count == REPORT_SERVERS_MAX)
        return NULL;
    struct report_server *server = &sums->servers[sums->server_count++];
    (void)strcpy(server->name, name);
    return server;
}

static void add_server(struct report_sums *sums, const struct report_entry *entry)
{
    struct report_server *server = server_of(sums, entry->mta);
    if (server == NULL)
        return;
    server->total++;
    server->by_action[entry->action]++;
    server->by_would[entry->would]++;
    see(entry->wall_s, &server->first_s, &server->last_s);
}

/* As it is configured now, for records that do not say what their checks would do. */
static const struct policy *policy_of(const struct conf *conf, const struct report_entry *entry)
{
    return conf->policy_count == 0 ? NULL : conf_policy(conf, entry->policy);
}

void report_sums_add(struct report_sums *sums, const struct conf *conf,
                     const struct report_entry *entry)
{
    struct report_day *day = entry->wall_s == 0 ? NULL : day_of(sums, date_of(entry->wall_s));
    sums->total++;
    sums->monitored += entry->monitor;
    sums->by_action[entry->action]++;
    sums->by_would[entry->would]++;
    sums->spared += action_refuses(entry->would) && !action_refuses(entry->action);
    sums->grace += entry->grace == GRACE_GIVEN;
    see(entry->wall_s, &sums->first_s, &sums->last_s);
    if (day != NULL) {
        day->by_action[entry->action]++;
        day->by_would[entry->would]++;
    }
    enum check_id decided = report_entry_decided(entry, policy_of(conf, entry));
    add_checks(sums, day, entry, decided);
    add_wait(sums, entry);
    add_names(sums, conf, entry);
    add_server(sums, entry);
    report_clients_add(sums->clients, conf, entry, decided);
    report_uses_add(&sums->uses, entry);
}
