/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/transport_udp.h"

#include "dns/dnsmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct udp {
    struct udp_spare *spare;
    unsigned family;                     /* its place there */
    const struct transport_calls *calls; /* NULL: it is a spare one */
    void *arg;
    int fd;
    unsigned sent, received; /* datagrams since it was connected */
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
    udp->received++;
    udp->calls->message(udp->arg, message, length > DNSMSG_UDP_SIZE ? 0 : (size_t)length);
    if (!freed)
        udp->freed = NULL;
    return !freed;
}

static void on_ready(void *arg, unsigned ready)
{
    const struct udp *udp = arg;
    (void)ready;
    if (udp->calls == NULL) { /* given back; what came before that is for nobody */
        (void)transport_drain(udp->fd);
        return;
    }
    for (int i = 0; i < TRANSPORT_READS_MAX; i++)
        if (!read_one(arg))
            return;
}

void udp_spare_init(struct udp_spare *spare)
{
    memset(spare, 0, sizeof *spare);
    spare->usable = transport_can_disconnect();
}

static void udp_close(struct udp *udp)
{
    loop_watch_free(udp->watch);
    close(udp->fd);
    free(udp);
}

void udp_spare_clear(struct udp_spare *spare)
{
    for (unsigned family = 0; family < 2; family++)
        while (spare->count[family] > 0)
            udp_close(spare->list[family][--spare->count[family]]);
}

/* A spare socket, connected to the server; NULL when there is none. */
static struct udp *udp_again(struct udp_spare *spare, unsigned family,
                             const struct network_server *server)
{
    struct udp *udp;
    if (spare->count[family] == 0)
        return NULL;
    udp = spare->list[family][--spare->count[family]];
    if (transport_reconnect(udp->fd, server) != 0) {
        udp_close(udp); /* a new one says why it cannot be */
        return NULL;
    }
    return udp;
}

/* NULL with errno; ENOMEM among others. */
static struct udp *udp_new(struct loop *loop, const struct network_server *server)
{
    struct udp *udp = calloc(1, sizeof *udp);
    int error;
    if (udp == NULL)
        return NULL;
    udp->fd = transport_connect(server, SOCK_DGRAM);
    if (udp->fd >= 0) {
        udp->watch = loop_watch_new(loop, udp->fd, LOOP_READ, on_ready, udp);
        if (udp->watch != NULL)
            return udp;
        close(udp->fd);
        errno = ENOMEM;
    }
    error = errno;
    free(udp);
    errno = error;
    return NULL;
}

enum result udp_open(struct loop *loop, struct udp_spare *spare,
                     const struct network_server *server, const struct transport_calls *calls,
                     void *arg, struct udp **out)
{
    unsigned family = server->addr.family == IP_V4 ? 0 : 1;
    struct udp *udp = udp_again(spare, family, server);
    if (udp == NULL)
        udp = udp_new(loop, server);
    if (udp == NULL)
        return errno == ENOMEM ? RESULT_NOMEM : RESULT_IO;
    udp->spare = spare;
    udp->family = family;
    udp->sent = udp->received = 0;
    udp->calls = calls;
    udp->arg = arg;
    *out = udp;
    return RESULT_OK;
}

enum result udp_send(struct udp *udp, const uint8_t *message, size_t length)
{
    udp->sent++;
    if (send(udp->fd, message, length, MSG_NOSIGNAL) >= 0 || errno == EAGAIN ||
        errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS)
        return RESULT_OK;
    return RESULT_IO;
}

/*
 * Free it of its server, port, and what has arrived.  Nothing else has, most likely, where one
 * datagram was sent and one came: a look for it would be a system call for each question.
 */
static bool clean(const struct udp *udp)
{
    bool is_answered = udp->sent == 1 && udp->received == 1;
    return transport_disconnect(udp->fd) && (is_answered || transport_drain(udp->fd));
}

void udp_free(struct udp *udp)
{
    struct udp_spare *spare;
    if (udp == NULL)
        return;
    if (udp->freed != NULL)
        *udp->freed = true;
    udp->freed = NULL;
    spare = udp->spare;
    if (!spare->usable || spare->count[udp->family] == UDP_SPARE_MAX || !clean(udp)) {
        udp_close(udp);
        return;
    }
    udp->calls = NULL;
    spare->list[udp->family][spare->count[udp->family]++] = udp;
}
