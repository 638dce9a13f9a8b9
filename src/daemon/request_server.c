/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4() */
#endif

#include "daemon/request_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that are asked of the system at a time. */
#define READ_CHUNK 2048

/* Without descriptors or memory for a newcomer, wait so long before looking again. */
#define RETRY_MS 1000

enum peer_state {
    PEER_READING, /* the request is not complete */
    PEER_SERVED,  /* the request is there, the answer is not complete */
    PEER_WRITING, /* the answer is complete, or comes in portions */
};

struct request_server_peer {
    TAILQ_ENTRY(request_server_peer) link;
    struct request_server *request_server;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    enum peer_state state;
    bool nomem; /* something of the answer is missing */
    char *request;
    size_t request_length;
    char *answer;
    size_t answer_length, answer_size, answer_sent;
    bool (*more)(void *arg, struct request_server_peer *peer); /* NULL: all is there */
    void (*ended)(void *arg);
    void *stream_arg;
};

TAILQ_HEAD(peers, request_server_peer);

struct request_server {
    struct loop *loop;
    struct request_server_settings settings;
    int fd;
    struct loop_watch *watch;
    struct peers peers; /* oldest first */
    unsigned count;
    struct loop_timer *retry;
    bool paused; /* nobody is let in */
};

/* --- the end of a peer ---------------------------------------------------------------------- */

static void let_in(struct request_server *request_server, bool wanted)
{
    if (request_server->paused == wanted &&
        loop_watch_change(request_server->watch, wanted ? LOOP_READ : 0) == RESULT_OK)
        request_server->paused = !wanted;
}

static void peer_free(struct request_server_peer *peer)
{
    struct request_server *request_server = peer->request_server;
    loop_watch_free(peer->watch);
    loop_timer_free(peer->timer);
    (void)close(peer->fd);
    TAILQ_REMOVE(&request_server->peers, peer, link);
    request_server->count--;
    let_in(request_server, true);
    if (peer->ended != NULL)
        peer->ended(peer->stream_arg);
    free(peer->request);
    free(peer->answer);
    free(peer);
}

static void on_timer(void *arg)
{
    peer_free(arg);
}

static bool arm(struct request_server_peer *peer, int64_t after_ms)
{
    return loop_timer_arm(peer->timer, loop_now_ms(peer->request_server->loop) + after_ms) ==
           RESULT_OK;
}

/* --- the answer ----------------------------------------------------------------------------- */

void request_server_send(struct request_server_peer *peer, const char *data, size_t length)
{
    if (peer->nomem)
        return;
    size_t needed = peer->answer_length + length;
    if (needed > peer->answer_size) {
        size_t size = needed < 1024 ? 1024 : needed + needed / 2;
        char *grown = realloc(peer->answer, size);
        if (grown == NULL) {
            peer->nomem = true;
            return;
        }
        peer->answer = grown;
        peer->answer_size = size;
    }
    memcpy(peer->answer + peer->answer_length, data, length);
    peer->answer_length = needed;
}

/* Let a stream fill what is free.  False: memory is out. */
static bool fill(struct request_server_peer *peer)
{
    if (peer->answer_sent > 0) {
        peer->answer_length -= peer->answer_sent;
        memmove(peer->answer, peer->answer + peer->answer_sent, peer->answer_length);
        peer->answer_sent = 0;
    }
    while (peer->more != NULL && !peer->nomem &&
           peer->answer_length < peer->request_server->settings.answer_chunk)
        if (!peer->more(peer->stream_arg, peer))
            peer->more = NULL;
    return !peer->nomem;
}

/* Send what can be sent.  True: the peer goes on. */
static bool flush(struct request_server_peer *peer)
{
    if (!fill(peer))
        return false;
    while (peer->answer_sent < peer->answer_length) {
        ssize_t sent = send(peer->fd, peer->answer + peer->answer_sent,
                            peer->answer_length - peer->answer_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        peer->answer_sent += (size_t)sent;
        if (!arm(peer, peer->request_server->settings.progress_ms))
            return false;
        if (peer->more != NULL) /* one portion a turn: others want the thread, too */
            return true;
    }
    return peer->more != NULL;
}

static void write_answer(struct request_server_peer *peer)
{
    if (peer->nomem || !flush(peer))
        peer_free(peer);
}

static void begin_writing(struct request_server_peer *peer)
{
    peer->state = PEER_WRITING;
    if (peer->nomem || !arm(peer, peer->request_server->settings.progress_ms) ||
        loop_watch_change(peer->watch, LOOP_WRITE) != RESULT_OK)
        peer_free(peer);
}

void request_server_finish(struct request_server_peer *peer)
{
    begin_writing(peer);
}

void request_server_stream(struct request_server_peer *peer,
                           bool (*more)(void *arg, struct request_server_peer *peer),
                           void (*ended)(void *arg), void *arg)
{
    peer->more = more;
    peer->ended = ended;
    peer->stream_arg = arg;
    begin_writing(peer);
}

/* --- the request ---------------------------------------------------------------------------- */

static void serve(struct request_server_peer *peer, size_t length)
{
    const struct request_server_settings *settings = &peer->request_server->settings;
    /* Until the answer is complete nothing is read and nothing written. */
    if (loop_watch_change(peer->watch, 0) != RESULT_OK) {
        peer_free(peer);
        return;
    }
    peer->state = PEER_SERVED;
    loop_timer_disarm(peer->timer);
    settings->serve(settings->arg, peer, peer->request, length);
}

static void read_request(struct request_server_peer *peer)
{
    const struct request_server_settings *settings = &peer->request_server->settings;
    size_t room = settings->request_max + 1 - peer->request_length;
    ssize_t got = recv(peer->fd, peer->request + peer->request_length,
                       room < READ_CHUNK ? room : READ_CHUNK, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            peer_free(peer);
        return;
    }
    peer->request_length += (size_t)got;
    size_t length = settings->whole(peer->request, peer->request_length, got == 0);
    if (length > 0 && length <= settings->request_max) {
        serve(peer, length);
    } else if (length > 0 || peer->request_length > settings->request_max) {
        request_server_send(peer, settings->too_long, strlen(settings->too_long));
        request_server_finish(peer);
    } else if (got == 0) {
        peer_free(peer);
    }
}

static void on_ready(void *arg, unsigned ready)
{
    struct request_server_peer *peer = arg;
    (void)ready;
    if (peer->state == PEER_READING)
        read_request(peer);
    else if (peer->state == PEER_WRITING)
        write_answer(peer);
}

/* --- newcomers ------------------------------------------------------------------------------ */

/* Make room for one more.  False: everybody has a request under way. */
static bool make_room(struct request_server *request_server)
{
    struct request_server_peer *peer;
    if (request_server->count < request_server->settings.max_peers)
        return true;
    TAILQ_FOREACH(peer, &request_server->peers, link)
    {
        if (peer->state == PEER_READING) {
            peer_free(peer);
            return true;
        }
    }
    return false;
}

/* Takes fd. */
static void welcome(struct request_server *request_server, int fd)
{
    struct request_server_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        (void)close(fd);
        return;
    }
    peer->request_server = request_server;
    peer->fd = fd;
    TAILQ_INSERT_TAIL(&request_server->peers, peer, link);
    request_server->count++;
    peer->request = malloc(request_server->settings.request_max + 1);
    peer->timer = loop_timer_new(request_server->loop, on_timer, peer);
    peer->watch = loop_watch_new(request_server->loop, fd, LOOP_READ, on_ready, peer);
    if (peer->request == NULL || peer->timer == NULL || peer->watch == NULL ||
        !arm(peer, request_server->settings.request_ms))
        peer_free(peer);
}

static void on_retry(void *arg)
{
    let_in(arg, true);
}

/* The newcomer stays in the queue: without a pause it would be announced again and again. */
static void pause_for_a_while(struct request_server *request_server)
{
    if (loop_timer_arm(request_server->retry, loop_now_ms(request_server->loop) + RETRY_MS) ==
        RESULT_OK)
        let_in(request_server, false);
}

static void on_newcomer(void *arg, unsigned ready)
{
    struct request_server *request_server = arg;
    (void)ready;
    if (!make_room(request_server)) {
        let_in(request_server, false);
        return;
    }
    int fd = accept4(request_server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        welcome(request_server, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_for_a_while(request_server);
}

struct request_server *request_server_new(struct loop *loop, int fd,
                                          const struct request_server_settings *settings)
{
    struct request_server *request_server = calloc(1, sizeof *request_server);
    if (request_server == NULL) {
        (void)close(fd);
        return NULL;
    }
    request_server->loop = loop;
    request_server->fd = fd;
    request_server->settings = *settings;
    TAILQ_INIT(&request_server->peers);
    request_server->retry = loop_timer_new(loop, on_retry, request_server);
    request_server->watch = loop_watch_new(loop, fd, LOOP_READ, on_newcomer, request_server);
    if (request_server->retry == NULL || request_server->watch == NULL) {
        request_server_free(request_server);
        return NULL;
    }
    return request_server;
}

bool request_server_uid(const struct request_server_peer *peer, uid_t *out)
{
#ifdef SO_PEERCRED
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return false;
    *out = credentials.uid;
    return true;
#else
    gid_t group;
    return getpeereid(peer->fd, out, &group) == 0;
#endif
}

void request_server_free(struct request_server *request_server)
{
    if (request_server == NULL)
        return;
    request_server->paused = false; /* nobody is let in any more */
    while (!TAILQ_EMPTY(&request_server->peers))
        peer_free(TAILQ_FIRST(&request_server->peers));
    loop_timer_free(request_server->retry);
    loop_watch_free(request_server->watch);
    (void)close(request_server->fd);
    free(request_server);
}
