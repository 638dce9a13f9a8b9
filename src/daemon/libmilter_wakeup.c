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
    atomic_init(&wakeup->unread, 0);
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

/* SMFIC_ABORT, which needs no session before it and has no answer.  False: it cannot be sent. */
static bool send_abort(struct libmilter_wakeup *wakeup)
{
    static const char message[] = {0, 0, 0, 1, 'A'};
    if (wakeup->fd < 0)
        return false;
    atomic_fetch_add(&wakeup->unread, 1);
    if (send(wakeup->fd, message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof message)
        return true;
    libmilter_wakeup_read(wakeup);
    return false;
}

void libmilter_wake_worker(struct libmilter_wakeup *wakeup, int64_t since_ms, int64_t now_ms)
{
    int64_t last_ms = atomic_load(&wakeup->last_ms);
    if (last_ms > since_ms || !atomic_compare_exchange_strong(&wakeup->last_ms, &last_ms, now_ms))
        return;
    (void)pthread_mutex_lock(&wakeup->lock);
    if (atomic_load(&wakeup->unread) > 0 || !send_abort(wakeup)) {
        hang_up(wakeup);
        wakeup->fd = call(wakeup->listener_fd);
        (void)send_abort(wakeup); /* what is connected has been noticed anyway */
    }
    (void)pthread_mutex_unlock(&wakeup->lock);
}

void libmilter_wakeup_read(struct libmilter_wakeup *wakeup)
{
    unsigned unread = atomic_load(&wakeup->unread);
    while (unread > 0 && !atomic_compare_exchange_weak(&wakeup->unread, &unread, unread - 1))
        continue;
}
