/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listening socket on the loop on which every connection is one request and one answer, bounded
 * in all that a peer can cost: connections, bytes of a request, time until it is complete, time
 * without progress while the answer is read, bytes that wait to be sent.
 *
 * When all places are taken, the peer that has waited longest without a whole request makes room.
 * Peers that say nothing never lock out those that do.
 *
 * Everything runs on the loop's thread, or before the loop runs and after it was stopped.
 */
#ifndef IPREVD_REQUEST_SERVER_H
#define IPREVD_REQUEST_SERVER_H

#include "base/loop.h"

#include <stddef.h>
#include <sys/types.h>

struct request_server;
struct request_server_peer;

struct request_server_settings {
    unsigned max_peers;
    size_t request_max;   /* bytes */
    int64_t request_ms;   /* for the request to be complete, from the connection on */
    int64_t progress_ms;  /* without a byte of the answer read: the peer has gone */
    size_t answer_chunk;  /* bytes that wait to be sent before more is asked for */
    const char *too_long; /* answered to a request over request_max */
    /* Does the text hold a whole request?  Its length, else 0.  `ended`: no more will come. */
    size_t (*whole)(const char *text, size_t length, bool ended);
    /*
     * A request is there: answer by request_server_send() and request_server_finish(), now or
     * later.  Until then the peer stays valid, even if it hangs up, and has all the time that it
     * takes.  The text lives during the call.
     */
    void (*serve)(void *arg, struct request_server_peer *peer, const char *request, size_t length);
    void *arg;
};

/*
 * Serve on `fd` (listening, non-blocking; taken, also on failure).  `settings` is copied.  NULL:
 * out of memory.  free(NULL) is fine, and drops all peers.
 */
struct request_server *
request_server_new(struct loop *loop, int fd,
                   const struct request_server_settings *settings) MUST_CHECK;
void request_server_free(struct request_server *request_server);

/* Add to the answer (copied).  Without memory the peer is dropped when it is finished. */
void request_server_send(struct request_server_peer *peer, const char *data, size_t length);

/* The answer is complete: when all is sent the peer is gone.  The caller forgets the peer. */
void request_server_finish(struct request_server_peer *peer);

/*
 * An answer in portions: more(arg) is called when there is room, adds to the answer and returns
 * true while there is more; after false the answer is complete.  ended(arg) is called exactly once,
 * when the peer is done or gone.
 */
void request_server_stream(struct request_server_peer *peer,
                           bool (*more)(void *arg, struct request_server_peer *peer),
                           void (*ended)(void *arg), void *arg);

/* The user who connected to a unix socket.  False: the system does not say. */
bool request_server_uid(const struct request_server_peer *peer, uid_t *out);

#endif
