/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rouse.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

void rouse_init(struct rouse *rouse, int listener_fd)
{
    rouse->listener_fd = listener_fd;
    rouse->fd = -1;
    atomic_init(&rouse->last_ms, INT64_MIN);
    (void)pthread_mutex_init(&rouse->lock, NULL);
}

static void hang_up(struct rouse *rouse)
{
    if (rouse->fd >= 0)
        (void)close(rouse->fd);
    rouse->fd = -1;
}

void rouse_clear(struct rouse *rouse)
{
    hang_up(rouse);
    (void)pthread_mutex_destroy(&rouse->lock);
}

/* Connected, or on the way there; either makes libmilter look. */
static int call(int listener_fd)
{
    struct sockaddr_storage self;
    socklen_t length = sizeof self;
    if (getsockname(listener_fd, (struct sockaddr *)&self, &length) != 0)
        return -1;
    int fd = socket(self.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&self, length) == 0 || errno == EINPROGRESS)
        return fd;
    (void)close(fd);
    return -1;
}

/* SMFIC_ABORT, which needs no session before it and has no answer.  False: libmilter hung up. */
static bool say_something(int fd)
{
    static const char message[] = {0, 0, 0, 1, 'A'};
    return send(fd, message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
           errno == EAGAIN; /* there is plenty that it has not read yet */
}

void rouse_worker(struct rouse *rouse, int64_t since_ms, int64_t now_ms)
{
    int64_t last_ms = atomic_load(&rouse->last_ms);
    if (last_ms > since_ms || !atomic_compare_exchange_strong(&rouse->last_ms, &last_ms, now_ms))
        return;
    (void)pthread_mutex_lock(&rouse->lock);
    if (rouse->fd < 0 || !say_something(rouse->fd)) {
        hang_up(rouse);
        rouse->fd = call(rouse->listener_fd);
    }
    (void)pthread_mutex_unlock(&rouse->lock);
}
