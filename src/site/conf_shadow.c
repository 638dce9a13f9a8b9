/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_shadow.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 129 /* networks around an address, one a prefix length */

/* Pairs of words, networks and blocks that are compared for one configuration: milliseconds. */
#define COMPARISONS_MAX 1000000

/* A network of a match block. */
struct shadow_net {
    struct ipnet net;
    size_t block;
    bool decides; /* for everybody in it */
};

/* Does the block fit everybody in its networks, for good? */
static bool decides_by_client(const struct match *match)
{
    return match->client != NULL && match_asks_for_client_only(match);
}

/* A network before those within it; of equal ones the first block's. */
static int compare(const void *a, const void *b)
{
    const struct shadow_net *x = a, *y = b;
    int order = x->net.addr.family - y->net.addr.family;
    if (order == 0)
        order = memcmp(x->net.addr.bytes, y->net.addr.bytes, sizeof x->net.addr.bytes);
    if (order == 0)
        order = x->net.bits - y->net.bits;
    return order != 0 ? order : (x->block > y->block) - (x->block < y->block);
}

static size_t collect(const struct match *matches, size_t count, struct shadow_net *nets)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t net_count = 0;
        const struct ipnet *of =
            matches[i].client != NULL ? net_list_nets(matches[i].client, &net_count) : NULL;
        for (size_t j = 0; j < net_count; j++) {
            if (nets != NULL)
                nets[total] = (struct shadow_net){of[j], i, decides_by_client(&matches[i])};
            total++;
        }
    }
    return total;
}

/* For every network the first block that decides for all of it: into first[block], the last of
   them; count where there is none. */
static void sweep(const struct shadow_net *nets, size_t total, size_t count, size_t *first)
{
    struct {
        struct ipnet net;
        size_t block; /* the first that decides for it */
    } around[DEPTH_MAX];
    size_t depth = 0;
    for (size_t i = 0; i < total; i++) {
        const struct shadow_net *net = &nets[i];
        while (depth > 0 && !ipnet_contains(&around[depth - 1].net, &net->net.addr))
            depth--;
        size_t by = depth > 0 ? around[depth - 1].block : count;
        size_t covered = by < net->block ? by : count;
        if (first[net->block] == SIZE_MAX || covered > first[net->block])
            first[net->block] = covered;
        if (net->decides && net->block < by)
            by = net->block;
        if (depth > 0 && around[depth - 1].net.bits == net->net.bits)
            depth--; /* the same network */
        if (depth < DEPTH_MAX) {
            around[depth].net = net->net;
            around[depth++].block = by;
        }
    }
}

static bool net_is_covered(const struct net_list *wide, const struct ipnet *net, size_t *left)
{
    size_t count;
    const struct ipnet *nets = net_list_nets(wide, &count);
    for (size_t i = 0; *left > 0 && i < count; i++, (*left)--)
        if (nets[i].bits <= net->bits && ipnet_contains(&nets[i], &net->addr))
            return true;
    return false;
}

static bool covers_clients(const struct net_list *wide, const struct net_list *narrow, size_t *left)
{
    size_t count = 0;
    const struct ipnet *nets = narrow != NULL ? net_list_nets(narrow, &count) : NULL;
    if (wide == NULL)
        return true;
    if (narrow == NULL || net_list_has_tables(narrow))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!net_is_covered(wide, &nets[i], left))
            return false;
    return true;
}

/* Does `wide` fit whenever `narrow` does? */
static bool covers(const struct match *wide, const struct match *narrow, size_t *left)
{
    struct pattern_list *of_wide[MATCH_LISTS], *of_narrow[MATCH_LISTS];
    if (wide->until_s != 0 && (narrow->until_s == 0 || narrow->until_s > wide->until_s))
        return false;
    match_lists(wide, of_wide);
    match_lists(narrow, of_narrow);
    for (size_t i = 0; i < MATCH_LISTS; i++)
        if (of_wide[i] != NULL &&
            (of_narrow[i] == NULL || !pattern_list_covers(of_wide[i], of_narrow[i], left)))
            return false;
    if (wide->listed != NULL &&
        (narrow->listed == NULL || !listed_covers(wide->listed, narrow->listed, left)))
        return false;
    return covers_clients(wide->client, narrow->client, left);
}

/* The first block that fits whenever block `i` does; `i` where there is none. */
static size_t find_wider(const struct match *matches, size_t i, size_t *left)
{
    for (size_t j = 0; *left > 0 && j < i; j++, (*left)--)
        if (!(matches[j].client == NULL && match_asks_for_client_only(&matches[j])) &&
            covers(&matches[j], &matches[i], left))
            return j;
    return i;
}

bool conf_shadow_find(const struct match *matches, size_t count,
                      void (*tell)(void *arg, const struct match *match, const struct match *by),
                      void *arg)
{
    size_t total = collect(matches, count, NULL);
    struct shadow_net *nets = calloc(total + 1, sizeof *nets);
    size_t *first = malloc((count + 1) * sizeof *first), left = COMPARISONS_MAX;
    bool ok = nets != NULL && first != NULL;
    if (ok) {
        memset(first, 0xff, (count + 1) * sizeof *first); /* SIZE_MAX: no network */
        (void)collect(matches, count, nets);
        qsort(nets, total, sizeof *nets, compare);
        sweep(nets, total, count, first);
        for (size_t i = 0; i < count; i++) {
            bool by_networks = first[i] < count && !net_list_has_tables(matches[i].client);
            size_t by = by_networks ? first[i] : find_wider(matches, i, &left);
            if (by != i)
                tell(arg, &matches[i], &matches[by]);
        }
    }
    free(nets);
    free(first);
    return ok;
}
