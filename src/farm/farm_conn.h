/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one server of a store: requests out in order, replies in the same order, with a
 * deadline.  Everything on the loop's thread; nothing waits.
 */
#ifndef IPREVD_FARM_CONN_H
#define IPREVD_FARM_CONN_H

#include "base/loop.h"
#include "farm/resp.h"

struct farm_conn;

#define FARM_WHY_MAX                                                                               \
    256 /* bytes of a sentence's part, with NUL; nothing untrusted is unescaped                    \
         */

struct farm_conn_calls {
    /* The reply to the oldest request; borrowed.  farm_conn_fail() is allowed, freeing is not. */
    void (*replied)(void *arg, struct farm_conn *conn, const struct resp_reply *reply);
    /* It is over, and `why`.  The last call: the connection is to be freed, here or later. */
    void (*ended)(void *arg, struct farm_conn *conn, const char *why);
    void *arg;
};

/*
 * Connect to "unix:/path", "192.0.2.1:6379" or "[2001:db8::1]:6379".  From then on no reply may
 * take longer than timeout_ms.  NULL: `why` says why not.
 */
struct farm_conn *farm_conn_new(struct loop *loop, const char *server, unsigned timeout_ms,
                                const struct farm_conn_calls *calls,
                                char why[FARM_WHY_MAX]) MUST_CHECK;

/* Not within replied().  free(NULL) is fine. */
void farm_conn_free(struct farm_conn *conn);

/* Add a request, which farm_conn_flush() sends; words end with NULL. */
void farm_conn_ask(struct farm_conn *conn, const char *const words[]);
void farm_conn_flush(struct farm_conn *conn);

/* Have it end, soon; or, where memory for that is out, when its owner sees farm_conn_failure(). */
void farm_conn_fail(struct farm_conn *conn, const char *why);

/* Is it over, or about to be?  If so, why; else NULL. */
const char *farm_conn_failure(const struct farm_conn *conn);

#endif
