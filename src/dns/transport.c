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

static socklen_t make_address(const struct network_server *server, struct sockaddr_storage *out)
{
    return (socklen_t)ipaddr_to_sockaddr(&server->addr, server->port, server->scope, out);
}

int transport_connect(const struct network_server *server, int type)
{
    struct sockaddr_storage address;
    socklen_t length = make_address(server, &address);
    int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, length) != 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int transport_reconnect(int fd, const struct network_server *server)
{
    struct sockaddr_storage address;
    socklen_t length = make_address(server, &address);
    return connect(fd, (const struct sockaddr *)&address, length);
}

bool transport_drain(int fd)
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
    return connect(fd, &nobody, sizeof nobody) == 0;
}

bool transport_can_disconnect(void)
{
    /* Connecting a datagram socket sends nothing. */
    const struct network_server here = {.addr = {.family = IP_V4, .bytes = {127, 0, 0, 1}},
                                        .port = NETWORK_PORT};
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = transport_connect(&here, SOCK_DGRAM);
    bool can;
    if (fd < 0)
        return false;
    memset(&address, 0, sizeof address);
    can = transport_disconnect(fd) && getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
          address.sin_family == AF_INET && address.sin_port == 0;
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
