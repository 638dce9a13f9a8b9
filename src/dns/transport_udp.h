/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UDP socket of one question to one server.  It is connected, so the kernel drops what other
 * addresses send and reports what comes back by ICMP.  The loop's thread.
 */
#ifndef IPREVD_TRANSPORT_UDP_H
#define IPREVD_TRANSPORT_UDP_H

#include "dns/transport.h"

struct udp;

/*
 * Open; `calls` is borrowed until udp_free().  STATUS_IO (errno), STATUS_NOMEM.  A datagram that is
 * larger than was asked for comes as an empty message: it cannot be an answer.
 */
enum status udp_open(struct loop *loop, const struct network_server *server,
                     const struct transport_calls *calls, void *arg, struct udp **out) MUST_CHECK;

/* Send one datagram, now or (buffer full) never: the sender asks again anyway.  STATUS_IO (errno).
 */
enum status udp_send(struct udp *udp, const uint8_t *message, size_t length) MUST_CHECK;

void udp_free(struct udp *udp); /* NULL is fine */

#endif
