/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP connection for one question (RFC 7766): connect, send, read messages until the owner has
 * what it waits for.  How long that may take is the owner's business.  The loop's thread.
 */
#ifndef IPREVD_TRANSPORT_TCP_H
#define IPREVD_TRANSPORT_TCP_H

#include "dns/transport.h"

#define TCP_QUERY_MAX 512 /* bytes of a query */

struct tcp;

/*
 * Connect and send `message` (at most TCP_QUERY_MAX bytes; copied).  `calls` is borrowed until
 * tcp_free(); they come later, not from within.  RESULT_IO (errno), RESULT_NOMEM.
 */
enum result tcp_open(struct loop *loop, const struct network_server *server, const uint8_t *message,
                     size_t length, const struct transport_calls *calls, void *arg,
                     struct tcp **out) MUST_CHECK;

void tcp_free(struct tcp *tcp); /* NULL is fine */

#endif
