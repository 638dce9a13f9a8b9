/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/own_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DISCARD_PORT 9 /* any: nothing is sent */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *out, const struct ipaddr *addr)
{
    memset(out, 0, sizeof *out);
    if (addr->family == IP_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(DISCARD_PORT);
        memcpy(&out->v4.sin_addr, addr->bytes, sizeof out->v4.sin_addr);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(DISCARD_PORT);
    memcpy(&out->v6.sin6_addr, addr->bytes, sizeof out->v6.sin6_addr);
    return sizeof out->v6;
}

static bool has_as_its_own(int fd, const union address *to, socklen_t length,
                           const struct ipaddr *addr)
{
    union address own;
    socklen_t own_length = sizeof own;
    struct ipaddr found;
    return connect(fd, &to->any, length) == 0 && getsockname(fd, &own.any, &own_length) == 0 &&
           ipaddr_from_sockaddr(&own.any, &found) == RESULT_OK && ipaddr_equal(&found, addr);
}

bool own_address_is(const struct ipaddr *addr)
{
    union address to;
    if (addr->family == IP_NONE)
        return false;
    socklen_t length = fill(&to, addr);
    int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool own = has_as_its_own(fd, &to, length, addr);
    (void)close(fd);
    return own;
}
