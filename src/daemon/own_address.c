/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/own_address.h"

#include <sys/socket.h>
#include <unistd.h>

#define DISCARD_PORT 9 /* any: nothing is sent */

static bool has_as_its_own(int fd, const struct sockaddr_storage *to, socklen_t length,
                           const struct ipaddr *addr)
{
    struct sockaddr_storage own;
    socklen_t own_length = sizeof own;
    struct ipaddr found;
    return connect(fd, (const struct sockaddr *)to, length) == 0 &&
           getsockname(fd, (struct sockaddr *)&own, &own_length) == 0 &&
           ipaddr_from_sockaddr((const struct sockaddr *)&own, &found) == RESULT_OK &&
           ipaddr_equal(&found, addr);
}

bool own_address_is(const struct ipaddr *addr)
{
    struct sockaddr_storage to;
    socklen_t length = (socklen_t)ipaddr_to_sockaddr(addr, DISCARD_PORT, 0, &to);
    if (length == 0)
        return false;
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* nobody knows, and nobody is refused for that */
    bool own = has_as_its_own(fd, &to, length, addr);
    (void)close(fd);
    return own;
}
