/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/transport_tcp.h"

#include <errno.h>
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

    uint8_t query[PREFIX + TCP_QUERY_MAX];
    size_t query_length, query_sent;

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

/* The connection stands, or has failed; send what is left of the query. */
static void write_some(struct tcp *tcp)
{
    int error = 0;
    socklen_t size = sizeof error;
    ssize_t sent;
    if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        tell_failed(tcp, error);
        return;
    }
    sent = send(tcp->fd, tcp->query + tcp->query_sent, tcp->query_length - tcp->query_sent,
                MSG_NOSIGNAL);
    if (sent < 0) {
        if (!again(errno))
            tell_failed(tcp, errno);
        return;
    }
    tcp->query_sent += (size_t)sent;
    if (tcp->query_sent == tcp->query_length &&
        loop_watch_change(tcp->watch, LOOP_READ) != RESULT_OK)
        tell_failed(tcp, ENOMEM);
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
    (void)ready;
    if (tcp->query_sent < tcp->query_length) {
        write_some(tcp);
        return;
    }
    for (int i = 0; i < TRANSPORT_READS_MAX; i++)
        if (!read_some(tcp))
            return;
}

enum result tcp_open(struct loop *loop, const struct network_server *server, const uint8_t *message,
                     size_t length, const struct transport_calls *calls, void *arg,
                     struct tcp **out)
{
    struct tcp *tcp;
    if (length > TCP_QUERY_MAX)
        return RESULT_INVALID;
    tcp = calloc(1, sizeof *tcp);
    if (tcp == NULL)
        return RESULT_NOMEM;
    tcp->calls = calls;
    tcp->arg = arg;
    tcp->query[0] = (uint8_t)(length >> 8);
    tcp->query[1] = (uint8_t)length;
    memcpy(tcp->query + PREFIX, message, length);
    tcp->query_length = PREFIX + length;
    tcp->fd = transport_connect(server, SOCK_STREAM);
    if (tcp->fd < 0) {
        int error = errno;
        free(tcp);
        errno = error;
        return RESULT_IO;
    }
    tcp->watch = loop_watch_new(loop, tcp->fd, LOOP_WRITE, on_ready, tcp);
    if (tcp->watch == NULL) {
        tcp_free(tcp);
        return RESULT_NOMEM;
    }
    *out = tcp;
    return RESULT_OK;
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
