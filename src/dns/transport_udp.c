/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/transport_udp.h"

#include "dns/dnsmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct udp {
    const struct transport_calls *calls;
    void *arg;
    int fd;
    struct loop_watch *watch;
    bool *freed; /* set while a call to the owner is under way: where to say that it freed us */
};

/* One datagram; false when there is none, or when the socket was freed or has failed. */
static bool read_one(struct udp *udp)
{
    uint8_t message[DNSMSG_UDP_SIZE + 1];
    ssize_t length = recv(udp->fd, message, sizeof message, 0);
    bool freed = false;

    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    udp->freed = &freed;
    if (length < 0) {
        udp->calls->failed(udp->arg, errno);
        if (!freed)
            udp->freed = NULL;
        return false;
    }
    udp->calls->message(udp->arg, message, length > DNSMSG_UDP_SIZE ? 0 : (size_t)length);
    if (!freed)
        udp->freed = NULL;
    return !freed;
}

static void on_ready(void *arg, unsigned ready)
{
    (void)ready;
    for (int i = 0; i < TRANSPORT_READS_MAX; i++)
        if (!read_one(arg))
            return;
}

enum status udp_open(struct loop *loop, const struct network_server *server,
                     const struct transport_calls *calls, void *arg, struct udp **out)
{
    struct udp *udp = calloc(1, sizeof *udp);

    if (udp == NULL)
        return STATUS_NOMEM;
    udp->calls = calls;
    udp->arg = arg;
    udp->fd = transport_connect(server, SOCK_DGRAM);
    if (udp->fd < 0) {
        int error = errno;

        free(udp);
        errno = error;
        return STATUS_IO;
    }
    udp->watch = loop_watch_new(loop, udp->fd, LOOP_READ, on_ready, udp);
    if (udp->watch == NULL) {
        udp_free(udp);
        return STATUS_NOMEM;
    }
    *out = udp;
    return STATUS_OK;
}

enum status udp_send(struct udp *udp, const uint8_t *message, size_t length)
{
    if (send(udp->fd, message, length, MSG_NOSIGNAL) >= 0 || errno == EAGAIN ||
        errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS)
        return STATUS_OK;
    return STATUS_IO;
}

void udp_free(struct udp *udp)
{
    if (udp == NULL)
        return;
    if (udp->freed != NULL)
        *udp->freed = true;
    loop_watch_free(udp->watch);
    close(udp->fd);
    free(udp);
}
