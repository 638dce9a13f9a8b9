/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/servers.h"

#include <stdlib.h>
#include <string.h>

struct server *server_new(const struct network_server *where, uint8_t label, bool trusted)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->where = *where;
    network_server_format(where, server->text);
    server->label = label;
    server->trusted = trusted;
    server->local = ipaddr_is_loopback(&where->addr);
    server->refs = 1;
    return server;
}

struct server *server_ref(struct server *server)
{
    server->refs++;
    return server;
}

void server_unref(struct server *server)
{
    if (server != NULL && --server->refs == 0)
        free(server);
}

struct server *servers_find(const struct servers *servers, const struct network_server *where)
{
    for (unsigned i = 0; i < servers->count; i++)
        if (network_server_equal(&servers->list[i]->where, where))
            return servers->list[i];
    return NULL;
}

void servers_clear(struct servers *servers)
{
    for (unsigned i = 0; i < servers->count; i++)
        server_unref(servers->list[i]);
    memset(servers, 0, sizeof *servers);
}

unsigned servers_order(struct servers *servers, bool rotate,
                       struct server *out[NETWORK_SERVERS_MAX])
{
    unsigned first = 0, count = 0, up;
    if (rotate && servers->count > 0) {
        first = servers->next % servers->count;
        servers->next = first + 1;
    }
    for (unsigned i = 0; i < servers->count; i++) {
        struct server *server = servers->list[(first + i) % servers->count];
        if (server->fault == SERVER_UP)
            out[count++] = server;
    }
    up = count;
    for (unsigned i = 0; i < servers->count; i++) {
        struct server *server = servers->list[(first + i) % servers->count];
        if (server->fault != SERVER_UP)
            out[count++] = server;
    }
    return up;
}

struct server *servers_probe(struct servers *servers, int64_t now_ms)
{
    for (unsigned i = 0; i < servers->count; i++) {
        struct server *server = servers->list[i];
        if (server->fault == SERVER_UP || now_ms < server->probe_due_ms)
            continue;
        server->probe_wait_ms *= 2;
        if (server->probe_wait_ms > SERVER_PROBE_MAX_MS)
            server->probe_wait_ms = SERVER_PROBE_MAX_MS;
        server->probe_due_ms = now_ms + server->probe_wait_ms;
        return server;
    }
    return NULL;
}

int64_t server_timeout_ms(const struct server *server, unsigned fixed_ms, unsigned round)
{
    int64_t wait_ms = SERVER_TIMEOUT_FIRST_MS;
    if (fixed_ms > 0)
        return (int64_t)fixed_ms << (round < 4 ? round : 4);
    if (server->measured)
        wait_ms = (server->rtt_us + 4 * server->var_us) / 1000;
    if (wait_ms < SERVER_TIMEOUT_MIN_MS)
        wait_ms = SERVER_TIMEOUT_MIN_MS;
    for (; round > 0 && wait_ms < SERVER_TIMEOUT_MAX_MS; round--)
        wait_ms *= 2;
    return wait_ms < SERVER_TIMEOUT_MAX_MS ? wait_ms : SERVER_TIMEOUT_MAX_MS;
}

bool server_knows_edns(const struct server *server, int64_t now_ms)
{
    return server->edns_ms != 0 && now_ms - server->edns_ms < SERVER_PLAIN_MS;
}

bool server_plain(const struct server *server, int64_t now_ms)
{
    return now_ms < server->plain_until_ms;
}

/* --- what it owes ---------------------------------------------------------------------------- */

/* Bring the slots up to date: what is older than all of them is no longer there. */
static void turn_owed(struct server *server, int64_t now_ms)
{
    int64_t slot = now_ms / SERVER_LADEN_SLOT_MS;
    if (slot - server->owed_slot > SERVER_LADEN_SLOTS)
        server->owed_slot = slot - SERVER_LADEN_SLOTS;
    while (server->owed_slot < slot)
        server->owed[(uint64_t)++server->owed_slot % SERVER_LADEN_SLOTS] = 0;
}

/* Most answers are to what was asked last. */
static void pay(struct server *server, int64_t now_ms)
{
    turn_owed(server, now_ms);
    for (int64_t slot = server->owed_slot; slot > server->owed_slot - SERVER_LADEN_SLOTS; slot--) {
        unsigned *owed = &server->owed[(uint64_t)slot % SERVER_LADEN_SLOTS];
        if (*owed == 0)
            continue;
        --*owed;
        return;
    }
}

bool server_is_laden(struct server *server, int64_t now_ms)
{
    unsigned sum = 0;
    turn_owed(server, now_ms);
    for (unsigned i = 0; i < SERVER_LADEN_SLOTS; i++)
        sum += server->owed[i];
    return sum >= SERVER_LADEN_MAX;
}

/* --- what happened --------------------------------------------------------------------------- */

void server_asked(struct server *server, int64_t now_ms)
{
    turn_owed(server, now_ms);
    server->owed[(uint64_t)server->owed_slot % SERVER_LADEN_SLOTS]++;
    if (server->queries++ == 0)
        server->heard_ms = now_ms; /* silence begins with the first question */
}

/* RFC 6298 2.2 and 2.3. */
static void measure(struct server *server, int64_t rtt_us)
{
    int64_t difference;
    if (!server->measured) {
        server->measured = true;
        server->rtt_us = rtt_us;
        server->var_us = rtt_us / 2;
        return;
    }
    difference = server->rtt_us > rtt_us ? server->rtt_us - rtt_us : rtt_us - server->rtt_us;
    server->var_us += (difference - server->var_us) / 4;
    server->rtt_us += (rtt_us - server->rtt_us) / 8;
}

static bool set_fault(struct server *server, enum server_fault fault, int64_t now_ms)
{
    if ((server->fault == SERVER_UP) == (fault == SERVER_UP))
        return false;
    server->fault = fault;
    memset(server->owed, 0, sizeof server->owed); /* it has begun anew, or will */
    server->probe_wait_ms = SERVER_PROBE_MIN_MS;
    server->probe_due_ms = now_ms + SERVER_PROBE_MIN_MS;
    return true;
}

bool server_answered(struct server *server, int64_t rtt_ms, bool good, int64_t now_ms)
{
    server->answers++;
    server->silent = 0;
    pay(server, now_ms);
    server->unreachable = 0;
    server->heard_ms = now_ms;
    if (rtt_ms >= 0)
        measure(server, rtt_ms * 1000);
    if (good)
        server->outdone = 0;
    else
        server->failures++;
    /* What went down for its errors is not better for another error. */
    if (!good && server->fault == SERVER_FAILING)
        return false;
    return set_fault(server, SERVER_UP, now_ms);
}

bool server_was_silent(struct server *server, int64_t now_ms)
{
    server->timeouts++;
    server->silent++;
    if (server->doubted || server->fault != SERVER_UP || server->silent < SERVER_SILENT_MAX ||
        now_ms - server->heard_ms < SERVER_SILENT_MS)
        return false;
    server->doubted = true;
    return true;
}

bool server_showed_no_life(struct server *server, int64_t now_ms)
{
    server->doubted = false;
    return server->silent >= SERVER_SILENT_MAX && set_fault(server, SERVER_SILENT, now_ms);
}

bool server_was_unreachable(struct server *server, int64_t now_ms)
{
    server->failures++;
    server->unreachable++;
    if (server->unreachable < SERVER_SILENT_MAX)
        return false;
    return set_fault(server, SERVER_UNREACHABLE, now_ms);
}

bool server_was_outdone(struct server *server, int64_t now_ms)
{
    if (++server->outdone < SERVER_OUTDONE_MAX)
        return false;
    return set_fault(server, SERVER_FAILING, now_ms);
}

bool server_sent_stray(struct server *server, int64_t now_ms)
{
    server->mismatched++;
    if (server->strays == 0 || now_ms - server->strays_since_ms >= SERVER_STRAYS_MS) {
        server->strays_since_ms = now_ms;
        server->strays = 0;
    }
    return ++server->strays == SERVER_STRAYS_MAX;
}
