/* SPDX-License-Identifier: BSD-2-Clause */
/* What UDP and TCP to a DNS server have in common.  The loop's thread. */
#ifndef IPREVD_TRANSPORT_H
#define IPREVD_TRANSPORT_H

#include "dns/network.h"

/* Messages read in one turn of the loop, so that a flood on one socket does not starve others. */
#define TRANSPORT_READS_MAX 16

/* What a socket has to tell its owner.  The owner may free it from within either call. */
struct transport_calls {
    void (*message)(void *arg, const uint8_t *message, size_t length); /* borrowed for the call */
    void (*failed)(void *arg, int error); /* an errno; 0: the server closed.  Nothing follows. */
};

/*
 * A non-blocking socket of that type (SOCK_DGRAM, SOCK_STREAM) that is connected, or connecting,
 * to the server; -1 with errno otherwise.  The kernel chooses a random source port.
 */
int transport_connect(const struct network_server *server, int type);

/*
 * Take a datagram socket from its server, and from its port: it has none until it is connected
 * again, and then another random one.  False: close it.
 */
bool transport_disconnect(int fd);

/* Throw away what has arrived, and an error that nobody has seen.  False: there is still more. */
bool transport_drain(int fd);

/* Connect such a socket; 0, or -1 with errno. */
int transport_reconnect(int fd, const struct network_server *server);

/* Does transport_disconnect() give the port back here?  Linux does, the BSDs keep it. */
bool transport_can_disconnect(void);

/*
 * Is an errno of ours (descriptors, memory, ports have run out) rather than a sign of the server or
 * of the way to it?
 */
bool transport_error_is_local(int error);

#endif
