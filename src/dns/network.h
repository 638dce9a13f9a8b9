/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source that asks DNS servers: connected UDP with a fresh port and ID per query,
 * EDNS0, TCP when truncated, the next server by measured health when one fails.
 */
#ifndef IPREVD_NETWORK_H
#define IPREVD_NETWORK_H

#include "base/loop.h"
#include "base/metrics.h"
#include "dns/source.h"

#define NETWORK_SERVERS_MAX 16
#define SERVER_TEXT_MAX     56 /* "[IPv6]:port" with NUL */

#define NETWORK_PORT 53

struct network_server {
    struct ipaddr addr;
    uint16_t port;  /* host order */
    uint32_t scope; /* interface index of a link-local IPv6 address; else 0 */
};

/*
 * "127.0.0.1", "127.0.0.1:5300", "::1", "[::1]:5353", "fe80::1%eth0".  A scope is needed by
 * link-local addresses only, and ignored elsewhere.  RESULT_INVALID otherwise.
 */
enum result network_server_parse(const char *text, struct network_server *out) MUST_CHECK;
bool network_server_equal(const struct network_server *a, const struct network_server *b);
const char *network_server_format(const struct network_server *server, char out[SERVER_TEXT_MAX]);

struct network_settings {
    struct network_server servers[NETWORK_SERVERS_MAX]; /* none: resolv_conf is read and watched */
    unsigned server_count;
    const char *resolv_conf; /* NULL: "/etc/resolv.conf"; copied */
    unsigned timeout_ms;     /* first try; 0: by measured round-trip time */
    unsigned attempts;       /* tries per server; 0: until the deadline */
    bool trust_ad;           /* the servers' AD bit counts even when not on loopback */
    unsigned max_tcp;        /* TCP connections at a time; 0: 64 */
    bool authoritative;      /* the servers have the zones themselves: no recursion is asked for */
};

/*
 * NULL: out of memory.  `loop` is borrowed.  `metrics` may be NULL.  That no server can be reached
 * is no error here. Reads resolv.conf when no servers are given.  From any thread; what is done
 * with the source, freeing it included, is then the loop's thread's.
 */
struct source *network_new(struct loop *loop, const struct network_settings *settings,
                           struct metrics *metrics) MUST_CHECK;

/*
 * Other settings for a network in use (reload).  Nothing happens if they are equal; servers that
 * stay keep all that is known about them, and questions under way go on.  From any thread,
 * one at a time, while the network is the resolver's source: the change is posted to the loop.
 * RESULT_NOMEM, RESULT_CLOSED: nothing has changed.
 */
enum result network_set(struct source *network, const struct network_settings *settings) MUST_CHECK;
bool network_settings_equal(const struct network_settings *a, const struct network_settings *b);

/* One server's health, for status and metrics.  Thread safe. */
struct network_server_health {
    char text[SERVER_TEXT_MAX];
    bool up;
    unsigned rtt_ms; /* smoothed; 0: not measured yet */
    uint64_t queries, answers, timeouts, failures,
        mismatched; /* mismatched: forged or stray packets dropped */
};
/* 0 when `network` is a source of another kind. */
size_t network_health(const struct source *network, struct network_server_health *out, size_t max);

#endif
