/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

void libmilter_wakeup_init(struct libmilter_wakeup *wakeup, int listener_fd)
{
    wakeup->listener_fd = listener_fd;
    wakeup->fd = -1;
    atomic_init(&wakeup->last_ms, INT64_MIN);
    (void)pthread_mutex_init(&wakeup->lock, NULL);
}

static void hang_up(struct libmilter_wakeup *wakeup)
{
    if (wakeup->fd >= 0)
        (void)close(wakeup->fd);
    wakeup->fd = -1;
}

void libmilter_wakeup_clear(struct libmilter_wakeup *wakeup)
{
    hang_up(wakeup);
    (void)pthread_mutex_destroy(&wakeup->lock);
}

/* Connected, or on the way there; either makes libmilter look. */
static int call(int listener_fd)
{
    struct sockaddr_storage self = {0};
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

void libmilter_wake_worker(struct libmilter_wakeup *wakeup, int64_t since_ms, int64_t now_ms)
{
    int64_t last_ms = atomic_load(&wakeup->last_ms);
    if (last_ms > since_ms || !atomic_compare_exchange_strong(&wakeup->last_ms, &last_ms, now_ms))
        return;
    (void)pthread_mutex_lock(&wakeup->lock);
    if (wakeup->fd < 0 || !say_something(wakeup->fd)) {
        hang_up(wakeup);
        wakeup->fd = call(wakeup->listener_fd);
    }
    (void)pthread_mutex_unlock(&wakeup->lock);
}
