/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UDP socket of one question to one server.  It is connected, so the kernel drops what other
 * addresses send and reports what comes back by ICMP.  The loop's thread.
 *
 * Making a socket and watching it costs more than the question itself, so those that are done with
 * are kept while questions come, without address and port: connected again, a
 * socket has another random port.
 */
#ifndef IPREVD_TRANSPORT_UDP_H
#define IPREVD_TRANSPORT_UDP_H

#include "dns/transport.h"

/* Sockets kept for later, of each address family: a burst's worth of a busy server. */
#define UDP_SPARE_MAX 128

struct udp;

struct udp_spare {
    struct udp *list[2][UDP_SPARE_MAX]; /* IPv4, IPv6 */
    unsigned count[2];
    bool usable; /* a socket loses its port here when it is disconnected */
};

void udp_spare_init(struct udp_spare *spare);

/* Close those that are kept. */
void udp_spare_clear(struct udp_spare *spare);

/*
 * Open; `spare` and `calls` are borrowed until udp_free().  RESULT_IO (errno), RESULT_NOMEM.  A
 * datagram that is larger than was asked for comes as an empty message: it cannot be an answer.
 */
enum result udp_open(struct loop *loop, struct udp_spare *spare,
                     const struct network_server *server, const struct transport_calls *calls,
                     void *arg, struct udp **out) MUST_CHECK;

/* Send one datagram, now or (buffer full) never: the sender asks again anyway.  RESULT_IO (errno).
 */
enum result udp_send(struct udp *udp, const uint8_t *message, size_t length) MUST_CHECK;

void udp_free(struct udp *udp); /* NULL is fine */

#endif
