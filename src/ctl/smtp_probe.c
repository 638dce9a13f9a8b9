/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/smtp_probe.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct smtp_connection {
    int fd;
    int64_t deadline_ms;
    struct smtp_probe *out;
    char bytes[1024]; /* received and not looked at */
    size_t at, length;
};

/* False, for the caller to return. */
static bool fail(struct smtp_connection *to, const char *what, const char *why)
{
    (void)snprintf(to->out->failure, sizeof to->out->failure, "%s%s%s", what,
                   why != NULL ? ": " : "", why != NULL ? why : "");
    return false;
}

/* Until the socket can be read or written.  False: the time is up. */
static bool wait_for(const struct smtp_connection *to, short events)
{
    struct pollfd poll_fd = {.fd = to->fd, .events = events};
    for (;;) {
        int64_t left_ms = to->deadline_ms - clock_ms(&clock_system);
        int count = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;
        if (count >= 0 || errno != EINTR)
            return count > 0;
    }
}

static bool open_connection(struct smtp_connection *to, const struct ipaddr *address)
{
    struct sockaddr_storage storage;
    int error = 0;
    socklen_t length = (socklen_t)ipaddr_to_sockaddr(address, SMTP_PROBE_PORT, 0, &storage);
    socklen_t size = sizeof error;
    to->fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (to->fd < 0)
        return fail(to, "no connection", strerror(errno));
    if (connect(to->fd, (const struct sockaddr *)&storage, length) == 0)
        return true;
    if (errno != EINPROGRESS)
        return fail(to, "no connection", strerror(errno));
    if (!wait_for(to, POLLOUT))
        return fail(to, "no connection within 10 seconds", NULL);
    if (getsockopt(to->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error == 0 || fail(to, "no connection", strerror(error));
}

static bool receive(struct smtp_connection *to)
{
    if (!wait_for(to, POLLIN))
        return fail(to, "it says nothing within 10 seconds", NULL);
    ssize_t got = recv(to->fd, to->bytes, sizeof to->bytes, 0);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        return fail(to, "the connection broke", strerror(errno));
    if (got == 0)
        return fail(to, "it closed the connection", NULL);
    to->at = 0;
    to->length = got > 0 ? (size_t)got : 0;
    return true;
}

static bool read_reply(struct smtp_connection *to, struct smtp_reply *reply)
{
    while (reply->state == SMTP_REPLY_MORE) {
        if (to->at == to->length && !receive(to))
            return false;
        to->at += smtp_reply_feed(reply, to->bytes + to->at, to->length - to->at);
    }
    return reply->state == SMTP_REPLY_DONE || fail(to, "what it says is not SMTP", NULL);
}

/* What is said fits the socket's buffer. */
static bool say(struct smtp_connection *to, const char *text)
{
    ssize_t sent = send(to->fd, text, strlen(text), MSG_NOSIGNAL);
    return sent == (ssize_t)strlen(text) ||
           fail(to, "the connection broke", sent < 0 ? strerror(errno) : NULL);
}

/* EHLO with the address literal of our end (RFC 5321 4.1.3): it is true, and tells nothing new. */
static bool say_ehlo(struct smtp_connection *to)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof storage;
    struct ipaddr own = {.family = IP_NONE};
    char text[IPADDR_TEXT_MAX], line[IPADDR_TEXT_MAX + 32];
    if (getsockname(to->fd, (struct sockaddr *)&storage, &length) != 0 ||
        ipaddr_from_sockaddr((const struct sockaddr *)&storage, &own) != RESULT_OK)
        return fail(to, "our own address is not known", NULL);
    (void)snprintf(line, sizeof line, "EHLO [%s%s]\r\n", own.family == IP_V6 ? "IPv6:" : "",
                   ipaddr_format(&own, text));
    return say(to, line);
}

static void add_name(struct smtp_probe *out, const struct smtp_reply *reply)
{
    char name[HOSTNAME_MAX + 1];
    if (reply->code / 100 != 2 || !smtp_reply_name(reply, name))
        return;
    for (unsigned i = 0; i < out->count; i++)
        if (strcmp(out->names[i].name, name) == 0)
            return;
    memcpy(out->names[out->count].name, name, sizeof name);
    out->names[out->count++].fit = SMTP_FIT_UNKNOWN;
}

void smtp_probe_run(const struct ipaddr *address, struct smtp_probe *out)
{
    struct smtp_connection connection = {
        .fd = -1, .deadline_ms = clock_ms(&clock_system) + SMTP_PROBE_MS, .out = out};
    struct smtp_connection *to = &connection;
    memset(out, 0, sizeof *out);
    if (open_connection(to, address) && read_reply(to, &out->greeting)) {
        if (out->greeting.code != 220)
            (void)fail(to, "it takes no mail from here", NULL);
        else if (say_ehlo(to))
            (void)read_reply(to, &out->ehlo);
        (void)send(to->fd, "QUIT\r\n", 6, MSG_NOSIGNAL);
    }
    if (to->fd >= 0)
        (void)close(to->fd);
    add_name(out, &out->greeting);
    add_name(out, &out->ehlo);
}
