/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP connection for questions (RFC 7766): connect, send, read messages, as many as the owner
 * likes.  Which message answers what, and how long that may take, is the owner's business.  The
 * loop's thread.
 */
#ifndef IPREVD_TRANSPORT_TCP_H
#define IPREVD_TRANSPORT_TCP_H

#include "dns/transport.h"

#define TCP_QUERY_MAX 512   /* bytes of a query */
#define TCP_OUT_MAX   16384 /* bytes that wait to be sent */

struct tcp;

/*
 * Connect.  `calls` is borrowed until tcp_free(); they come later, not from within.  RESULT_IO
 * (errno), RESULT_NOMEM.
 */
enum result tcp_open(struct loop *loop, const struct network_server *server,
                     const struct transport_calls *calls, void *arg, struct tcp **out) MUST_CHECK;

/*
 * Send `message` (at most TCP_QUERY_MAX bytes; copied) when there is room on the way.  What fails
 * is heard of by calls.failed, later.  RESULT_LIMIT: too much waits already.  RESULT_NOMEM.
 */
enum result tcp_send(struct tcp *tcp, const uint8_t *message, size_t length) MUST_CHECK;

void tcp_free(struct tcp *tcp); /* NULL is fine */

#endif
