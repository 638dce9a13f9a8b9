/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4() */
#endif

#include "daemon/exchange.h"

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
    PEER_HELD,    /* the answer comes later */
    PEER_WRITING, /* the answer is complete, or comes in portions */
};

struct exchange_peer {
    TAILQ_ENTRY(exchange_peer) link;
    struct exchange *exchange;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    enum peer_state state;
    bool nomem; /* something of the answer is missing */
    char *request;
    size_t request_length;
    char *answer;
    size_t answer_length, answer_size, answer_sent;
    bool (*more)(void *arg, struct exchange_peer *peer); /* NULL: all is there */
    void (*ended)(void *arg);
    void *stream_arg;
};

TAILQ_HEAD(peers, exchange_peer);

struct exchange {
    struct loop *loop;
    struct exchange_settings settings;
    int fd;
    struct loop_watch *watch;
    struct peers peers; /* oldest first */
    unsigned count;
    struct loop_timer *retry;
    bool paused; /* nobody is let in */
};

/* --- the end of a peer ---------------------------------------------------------------------- */

static void let_in(struct exchange *exchange, bool wanted)
{
    if (exchange->paused == wanted &&
        loop_watch_change(exchange->watch, wanted ? LOOP_READ : 0) == STATUS_OK)
        exchange->paused = !wanted;
}

static void peer_free(struct exchange_peer *peer)
{
    struct exchange *exchange = peer->exchange;
    loop_watch_free(peer->watch);
    loop_timer_free(peer->timer);
    (void)close(peer->fd);
    TAILQ_REMOVE(&exchange->peers, peer, link);
    exchange->count--;
    let_in(exchange, true);
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

static bool arm(struct exchange_peer *peer, int64_t after_ms)
{
    return loop_timer_arm(peer->timer, loop_now_ms(peer->exchange->loop) + after_ms) == STATUS_OK;
}

/* --- the answer ----------------------------------------------------------------------------- */

void exchange_send(struct exchange_peer *peer, const char *data, size_t length)
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
static bool fill(struct exchange_peer *peer)
{
    if (peer->answer_sent > 0) {
        peer->answer_length -= peer->answer_sent;
        memmove(peer->answer, peer->answer + peer->answer_sent, peer->answer_length);
        peer->answer_sent = 0;
    }
    while (peer->more != NULL && !peer->nomem &&
           peer->answer_length < peer->exchange->settings.answer_chunk)
        if (!peer->more(peer->stream_arg, peer))
            peer->more = NULL;
    return !peer->nomem;
}

/* Send what can be sent.  True: the peer goes on. */
static bool flush(struct exchange_peer *peer)
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
        if (!arm(peer, peer->exchange->settings.progress_ms))
            return false;
        if (peer->more != NULL) /* one portion a turn: others want the thread, too */
            return true;
    }
    return peer->more != NULL;
}

static void write_answer(struct exchange_peer *peer)
{
    if (peer->nomem || !flush(peer))
        peer_free(peer);
}

static void begin_writing(struct exchange_peer *peer)
{
    peer->state = PEER_WRITING;
    if (peer->nomem || !arm(peer, peer->exchange->settings.progress_ms) ||
        loop_watch_change(peer->watch, LOOP_WRITE) != STATUS_OK)
        peer_free(peer);
}

void exchange_finish(struct exchange_peer *peer)
{
    begin_writing(peer);
}

void exchange_stream(struct exchange_peer *peer,
                     bool (*more)(void *arg, struct exchange_peer *peer), void (*ended)(void *arg),
                     void *arg)
{
    peer->more = more;
    peer->ended = ended;
    peer->stream_arg = arg;
    begin_writing(peer);
}

void exchange_hold(struct exchange_peer *peer)
{
    peer->state = PEER_HELD;
    loop_timer_disarm(peer->timer);
}

/* --- the request ---------------------------------------------------------------------------- */

static void serve(struct exchange_peer *peer, size_t length)
{
    const struct exchange_settings *settings = &peer->exchange->settings;
    /* Until the answer is complete nothing is read and nothing written. */
    if (loop_watch_change(peer->watch, 0) != STATUS_OK) {
        peer_free(peer);
        return;
    }
    exchange_hold(peer);
    settings->serve(settings->arg, peer, peer->request, length);
}

static void read_request(struct exchange_peer *peer)
{
    const struct exchange_settings *settings = &peer->exchange->settings;
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
        exchange_send(peer, settings->too_long, strlen(settings->too_long));
        exchange_finish(peer);
    } else if (got == 0) {
        peer_free(peer);
    }
}

static void on_ready(void *arg, unsigned ready)
{
    struct exchange_peer *peer = arg;
    (void)ready;
    if (peer->state == PEER_READING)
        read_request(peer);
    else if (peer->state == PEER_WRITING)
        write_answer(peer);
}

/* --- newcomers ------------------------------------------------------------------------------ */

/* Make room for one more.  False: everybody has a request under way. */
static bool make_room(struct exchange *exchange)
{
    struct exchange_peer *peer;
    if (exchange->count < exchange->settings.max_peers)
        return true;
    TAILQ_FOREACH(peer, &exchange->peers, link)
    {
        if (peer->state == PEER_READING) {
            peer_free(peer);
            return true;
        }
    }
    return false;
}

/* Takes fd. */
static void welcome(struct exchange *exchange, int fd)
{
    struct exchange_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        (void)close(fd);
        return;
    }
    peer->exchange = exchange;
    peer->fd = fd;
    TAILQ_INSERT_TAIL(&exchange->peers, peer, link);
    exchange->count++;
    peer->request = malloc(exchange->settings.request_max + 1);
    peer->timer = loop_timer_new(exchange->loop, on_timer, peer);
    peer->watch = loop_watch_new(exchange->loop, fd, LOOP_READ, on_ready, peer);
    if (peer->request == NULL || peer->timer == NULL || peer->watch == NULL ||
        !arm(peer, exchange->settings.request_ms))
        peer_free(peer);
}

static void on_retry(void *arg)
{
    let_in(arg, true);
}

/* The newcomer stays in the queue: without a pause it would be announced again and again. */
static void pause_for_a_while(struct exchange *exchange)
{
    if (loop_timer_arm(exchange->retry, loop_now_ms(exchange->loop) + RETRY_MS) == STATUS_OK)
        let_in(exchange, false);
}

static void on_newcomer(void *arg, unsigned ready)
{
    struct exchange *exchange = arg;
    (void)ready;
    if (!make_room(exchange)) {
        let_in(exchange, false);
        return;
    }
    int fd = accept4(exchange->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        welcome(exchange, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_for_a_while(exchange);
}

struct exchange *exchange_new(struct loop *loop, int fd, const struct exchange_settings *settings)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        (void)close(fd);
        return NULL;
    }
    exchange->loop = loop;
    exchange->fd = fd;
    exchange->settings = *settings;
    TAILQ_INIT(&exchange->peers);
    exchange->retry = loop_timer_new(loop, on_retry, exchange);
    exchange->watch = loop_watch_new(loop, fd, LOOP_READ, on_newcomer, exchange);
    if (exchange->retry == NULL || exchange->watch == NULL) {
        exchange_free(exchange);
        return NULL;
    }
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    exchange->paused = false; /* nobody is let in any more */
    while (!TAILQ_EMPTY(&exchange->peers))
        peer_free(TAILQ_FIRST(&exchange->peers));
    loop_timer_free(exchange->retry);
    loop_watch_free(exchange->watch);
    (void)close(exchange->fd);
    free(exchange);
}
