/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#endif

#include "dns/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t make_address(const struct network_server *server, union address *out)
{
    memset(out, 0, sizeof *out);
    if (server->addr.family == IP_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(server->port);
        memcpy(&out->v4.sin_addr, server->addr.bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(server->port);
    out->v6.sin6_scope_id = server->scope;
    memcpy(&out->v6.sin6_addr, server->addr.bytes, 16);
    return sizeof out->v6;
}

int transport_connect(const struct network_server *server, int type)
{
    union address address;
    socklen_t length = make_address(server, &address);
    int fd = socket(address.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, &address.any, length) != 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int transport_reconnect(int fd, const struct network_server *server)
{
    union address address;
    socklen_t length = make_address(server, &address);
    return connect(fd, &address.any, length);
}

/* Nothing arrives any more: the rest is read, and with it an error that nobody has seen. */
static bool drain(int fd)
{
    for (int i = 0; i < TRANSPORT_READS_MAX; i++) {
        char byte;
        if (recv(fd, &byte, 1, MSG_TRUNC) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
    }
    return false;
}

bool transport_disconnect(int fd)
{
    struct sockaddr nobody;
    memset(&nobody, 0, sizeof nobody);
    nobody.sa_family = AF_UNSPEC;
    return connect(fd, &nobody, sizeof nobody) == 0 && drain(fd);
}

bool transport_can_disconnect(void)
{
    /* Connecting a datagram socket sends nothing. */
    const struct network_server here = {.addr = {.family = IP_V4, .bytes = {127, 0, 0, 1}},
                                        .port = NETWORK_PORT};
    union address address;
    socklen_t length = sizeof address;
    int fd = transport_connect(&here, SOCK_DGRAM);
    bool can;
    if (fd < 0)
        return false;
    memset(&address, 0, sizeof address);
    can = transport_disconnect(fd) && getsockname(fd, &address.any, &length) == 0 &&
          address.any.sa_family == AF_INET && address.v4.sin_port == 0;
    close(fd);
    return can;
}

bool transport_error_is_local(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
    case EADDRNOTAVAIL: /* no source port is free */
    case EADDRINUSE:
        return true;
    default:
        return false;
    }
}
