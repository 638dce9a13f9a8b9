/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* The listening socket is among the first descriptors: nothing else is open yet when it is made. */
#define FD_SEARCH_MAX 1024

static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t length = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

/* The listening sockets that we were started with: they are not ours. */
static void find_inherited(bool inherited[FD_SEARCH_MAX])
{
    for (int fd = 0; fd < FD_SEARCH_MAX; fd++)
        inherited[fd] = is_listening(fd);
}

/* The listening socket that has been made since, or -1. */
static int find_listening_fd(const bool inherited[FD_SEARCH_MAX])
{
    for (int fd = 0; fd < FD_SEARCH_MAX; fd++)
        if (!inherited[fd] && is_listening(fd))
            return fd;
    return -1;
}

int libmilter_open_socket(const char *spec, unsigned backlog, unsigned mode_mask)
{
    bool inherited[FD_SEARCH_MAX];
    find_inherited(inherited);
    mode_t umask_before = umask((mode_t)mode_mask);
    errno = 0;
    bool opened = libmilter_register(spec, backlog);
    int reason = errno != 0 ? errno : EINVAL;
    (void)umask(umask_before);
    int fd = opened ? find_listening_fd(inherited) : -1;
    errno = opened ? EBADF : reason;
    return fd;
}
