/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_shadow.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 129 /* networks around an address, one a prefix length */

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

bool conf_shadow_find(const struct match *matches, size_t count,
                      void (*tell)(void *arg, const struct match *match, const struct match *by),
                      void *arg)
{
    size_t total = collect(matches, count, NULL);
    struct shadow_net *nets = calloc(total + 1, sizeof *nets);
    size_t *first = malloc((count + 1) * sizeof *first);
    bool ok = nets != NULL && first != NULL;
    if (ok) {
        memset(first, 0xff, (count + 1) * sizeof *first); /* SIZE_MAX: no network */
        (void)collect(matches, count, nets);
        qsort(nets, total, sizeof *nets, compare);
        sweep(nets, total, count, first);
        for (size_t i = 0; i < count; i++)
            if (first[i] < count && !net_list_has_tables(matches[i].client))
                tell(arg, &matches[i], &matches[first[i]]);
    }
    free(nets);
    free(first);
    return ok;
}
