/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/transport_tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX 2 /* bytes that say a message's length (RFC 1035 4.2.2) */

struct tcp {
    const struct transport_calls *calls;
    void *arg;
    int fd;
    struct loop_watch *watch;
    bool *freed; /* set while a call to the owner is under way: where to say that it freed us */

    bool connected;
    uint8_t out[TCP_OUT_MAX]; /* what waits to be sent */
    size_t out_length;

    uint8_t prefix[PREFIX];
    size_t got;       /* bytes of prefix and message read */
    size_t length;    /* of the message, once the prefix is complete */
    uint8_t *message; /* as large as announced: the number of connections is capped */
};

/* Call the owner; false when it freed us. */
static bool tell_failed(struct tcp *tcp, int error)
{
    bool freed = false;
    tcp->freed = &freed;
    tcp->calls->failed(tcp->arg, error);
    if (!freed)
        tcp->freed = NULL;
    return !freed;
}

static bool tell_message(struct tcp *tcp)
{
    bool freed = false;
    uint8_t *message = tcp->message;
    tcp->message = NULL; /* ours until the call is over, even when the connection goes */
    tcp->got = 0;
    tcp->freed = &freed;
    tcp->calls->message(tcp->arg, message, tcp->length);
    free(message);
    if (!freed)
        tcp->freed = NULL;
    return !freed;
}

static bool again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* As much as there is room for on the way; false when the connection has failed (errno). */
static bool send_some(struct tcp *tcp)
{
    ssize_t sent = send(tcp->fd, tcp->out, tcp->out_length, MSG_NOSIGNAL);
    if (sent < 0)
        return again(errno);
    tcp->out_length -= (size_t)sent;
    memmove(tcp->out, tcp->out + sent, tcp->out_length);
    return true;
}

/* Has the connection come to stand?  Else an errno. */
static int connect_error(const struct tcp *tcp)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* The connection stands, or has failed; send what waits.  False: it has failed. */
static bool write_some(struct tcp *tcp)
{
    int error = tcp->connected ? 0 : connect_error(tcp);
    tcp->connected = true;
    /* Of one that was broken off what has arrived is read first, and then the end. */
    if (error == 0 && !send_some(tcp))
        tcp->out_length = 0;
    if (error == 0 && tcp->out_length == 0 && loop_watch_change(tcp->watch, LOOP_READ) != RESULT_OK)
        error = ENOMEM;
    if (error != 0)
        (void)tell_failed(tcp, error);
    return error == 0;
}

/* The prefix is complete: make room for the message. */
static bool start_message(struct tcp *tcp)
{
    tcp->length = (size_t)tcp->prefix[0] << 8 | tcp->prefix[1];
    tcp->message = malloc(tcp->length + 1); /* an empty one is a message too */
    if (tcp->message == NULL) {
        tell_failed(tcp, ENOMEM);
        return false;
    }
    return true;
}

/* One read; false when there is nothing more for now, or for ever. */
static bool read_some(struct tcp *tcp)
{
    bool in_prefix = tcp->got < PREFIX;
    uint8_t *at = in_prefix ? tcp->prefix + tcp->got : tcp->message + (tcp->got - PREFIX);
    size_t want = in_prefix ? PREFIX - tcp->got : PREFIX + tcp->length - tcp->got;
    ssize_t got = recv(tcp->fd, at, want, 0);
    if (got < 0 && again(errno))
        return false;
    if (got <= 0) {
        tell_failed(tcp, got < 0 ? errno : 0);
        return false;
    }
    tcp->got += (size_t)got;
    if (in_prefix && tcp->got == PREFIX && !start_message(tcp))
        return false;
    if (tcp->got >= PREFIX && tcp->got == PREFIX + tcp->length)
        return tell_message(tcp);
    return true;
}

static void on_ready(void *arg, unsigned ready)
{
    struct tcp *tcp = arg;
    if (tcp->out_length > 0 && !write_some(tcp))
        return;
    if ((ready & LOOP_READ) == 0)
        return;
    for (int i = 0; i < TRANSPORT_READS_MAX; i++)
        if (!read_some(tcp))
            return;
}

enum result tcp_open(struct loop *loop, const struct network_server *server,
                     const struct transport_calls *calls, void *arg, struct tcp **out)
{
    struct tcp *tcp = calloc(1, sizeof *tcp);
    if (tcp == NULL)
        return RESULT_NOMEM;
    tcp->calls = calls;
    tcp->arg = arg;
    tcp->fd = transport_connect(server, SOCK_STREAM);
    if (tcp->fd < 0) {
        int error = errno;
        free(tcp);
        errno = error;
        return RESULT_IO;
    }
    /* A question behind another one must not wait for what acknowledges that. */
    (void)setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    tcp->watch = loop_watch_new(loop, tcp->fd, LOOP_WRITE, on_ready, tcp);
    if (tcp->watch == NULL) {
        tcp_free(tcp);
        return RESULT_NOMEM;
    }
    *out = tcp;
    return RESULT_OK;
}

enum result tcp_send(struct tcp *tcp, const uint8_t *message, size_t length)
{
    uint8_t *at = tcp->out + tcp->out_length;
    if (length > TCP_QUERY_MAX)
        return RESULT_INVALID;
    if (TCP_OUT_MAX - tcp->out_length < PREFIX + length)
        return RESULT_LIMIT;
    at[0] = (uint8_t)(length >> 8);
    at[1] = (uint8_t)length;
    memcpy(at + PREFIX, message, length);
    tcp->out_length += PREFIX + length;
    /* Most often there is room at once.  An error comes back when the socket is looked at. */
    if (!tcp->connected || (send_some(tcp) && tcp->out_length == 0))
        return RESULT_OK;
    return loop_watch_change(tcp->watch, LOOP_READ | LOOP_WRITE);
}

void tcp_free(struct tcp *tcp)
{
    if (tcp == NULL)
        return;
    if (tcp->freed != NULL)
        *tcp->freed = true;
    loop_watch_free(tcp->watch);
    close(tcp->fd);
    free(tcp->message);
    free(tcp);
}
