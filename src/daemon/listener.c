/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listener.h"

#include "daemon/mfapi.h"
#include "daemon/unixsocket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The listening socket is among the first descriptors: nothing else is open yet when it is made. */
#define FD_SEARCH_MAX 1024

/* The path of a unix specification, or NULL. */
static const char *unix_path(const char *spec)
{
    static const char *const prefixes[] = {"unix:", "local:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(spec, prefixes[i], strlen(prefixes[i])) == 0)
            return spec + strlen(prefixes[i]);
    return spec[0] == '/' ? spec : NULL;
}

/* The one listening socket of this process, or -1. */
static int find_listening_fd(void)
{
    for (int fd = 0; fd < FD_SEARCH_MAX; fd++) {
        int listening = 0;
        socklen_t length = sizeof listening;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening)
            return fd;
    }
    return -1;
}

static enum status fail(const struct listener_settings *settings, int reason,
                        char error[LISTENER_ERROR_MAX])
{
    (void)snprintf(error, LISTENER_ERROR_MAX, "cannot listen on %s: %s", settings->spec,
                   strerror(reason));
    errno = reason;
    return STATUS_IO;
}

/* 0: libmilter has opened the socket; else errno. */
static int open_socket(const struct listener_settings *settings)
{
    /* No moment in which others could connect: the mode is opened up after the bind. */
    mode_t umask_before = umask(0177);
    errno = 0;
    bool opened = mfapi_open_socket(settings->spec, settings->backlog);
    int reason = errno != 0 ? errno : EINVAL;
    (void)umask(umask_before);
    return opened ? 0 : reason;
}

static int open_unix(const char *path, const struct listener_settings *settings)
{
    struct unixsocket_claim claim;
    if (unixsocket_claim(path, &claim) != STATUS_OK)
        return errno;
    int reason = open_socket(settings);
    if (reason == 0 && unixsocket_open_up(path, settings->mode, settings->group) != STATUS_OK)
        reason = errno;
    unixsocket_release(&claim);
    return reason;
}

enum status listener_open(const struct listener_settings *settings, struct listener *out,
                          char error[LISTENER_ERROR_MAX])
{
    const char *path = unix_path(settings->spec);
    int reason = path != NULL ? open_unix(path, settings) : open_socket(settings);
    if (reason != 0)
        return fail(settings, reason, error);
    int fd = find_listening_fd();
    if (fd < 0)
        return fail(settings, EBADF, error);
    /* Accepted sockets inherit it; without it every answer with a header stalls for 40 ms. */
    int on = 1;
    if (path == NULL && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return fail(settings, errno, error);
    *out = (struct listener){.fd = fd, .path = path};
    return STATUS_OK;
}

/* A listening socket to which nobody ever connects; -1: none to be had. */
static int open_quiet(void)
{
    const struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&nobody, sizeof(sa_family_t)) == 0 &&
        listen(fd, 1) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

void listener_quiesce(struct listener *listener)
{
    /* libmilter goes on polling its descriptor: the quiet socket takes the place of the real one.
     */
    int quiet = open_quiet();
    if (quiet >= 0) {
        (void)dup2(quiet, listener->fd);
        (void)close(quiet);
    }
    if (listener->path != NULL)
        (void)unlink(listener->path);
}
