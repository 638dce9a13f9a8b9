/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listener.h"

#include "daemon/libmilter.h"
#include "daemon/unixsocket.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Why there is no socket, in words. */
#define LISTEN_REASON_MAX 160

/* The path of a unix specification, or NULL. */
static const char *unix_path(const char *spec)
{
    static const char *const prefixes[] = {"unix:", "local:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(spec, prefixes[i], strlen(prefixes[i])) == 0)
            return spec + strlen(prefixes[i]);
    return spec[0] == '/' ? spec : NULL;
}

static enum result fail(const struct listener_settings *settings, const char *reason,
                        char error[LISTENER_ERROR_MAX])
{
    (void)snprintf(error, LISTENER_ERROR_MAX, "cannot listen on %s: %s", settings->spec, reason);
    return RESULT_IO;
}

/* libmilter looks a host name up and leaves an errno that says nothing of it.  `reason` is
   overwritten when the name has no address of that family. */
static void explain_host(const char *spec, char reason[LISTEN_REASON_MAX])
{
    bool ipv6 = strncmp(spec, "inet6:", strlen("inet6:")) == 0;
    const struct addrinfo wanted = {.ai_family = ipv6 ? AF_INET6 : AF_INET,
                                    .ai_socktype = SOCK_STREAM};
    const char *at = strchr(spec, '@');
    struct addrinfo *found;
    if (at == NULL || at[1] == '[')
        return;
    int status = getaddrinfo(at + 1, NULL, &wanted, &found);
    if (status == 0)
        freeaddrinfo(found);
    else
        (void)snprintf(reason, LISTEN_REASON_MAX, "the %s address of %s was not found (%s)",
                       ipv6 ? "IPv6" : "IPv4", at + 1, gai_strerror(status));
}

/* Let libmilter make the socket; the descriptor, or -1 with errno.  A unix socket has its mode from
   its first moment: a chmod() by name, as root, in a directory of the user that we become could be
   led elsewhere. */
static int make_socket(const struct listener_settings *settings)
{
    return libmilter_open_socket(settings->spec, settings->backlog, 0777 & ~settings->mode);
}

static enum result open_inet(const struct listener_settings *settings, struct listener *out,
                             char error[LISTENER_ERROR_MAX])
{
    int fd = make_socket(settings);
    if (fd < 0) {
        char reason[LISTEN_REASON_MAX];
        (void)snprintf(reason, sizeof reason, "%s", strerror(errno));
        explain_host(settings->spec, reason);
        return fail(settings, reason, error);
    }
    *out = (struct listener){.fd = fd};
    /* Accepted sockets inherit it; without it every answer with a header stalls for 40 ms. */
    const int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return RESULT_OK;
    enum result status = fail(settings, strerror(errno), error);
    listener_abandon(out);
    return status;
}

/* The group by name, or the one of whom we become. */
static bool find_group(const struct listener_settings *settings, gid_t *out)
{
    *out = settings->gid;
    if (settings->group == NULL)
        return true;
    const struct group *group = getgrnam(settings->group);
    if (group != NULL)
        *out = group->gr_gid;
    return group != NULL;
}

static enum result open_unix(const struct listener_settings *settings, const char *path,
                             struct listener *out, char error[LISTENER_ERROR_MAX])
{
    struct unixsocket_claim claim;
    gid_t gid;
    if (!find_group(settings, &gid)) {
        (void)snprintf(error, LISTENER_ERROR_MAX, "socket-group %s: no such group",
                       settings->group);
        return RESULT_IO;
    }
    if (unixsocket_claim(path, &claim) != RESULT_OK)
        return fail(settings, strerror(errno), error);
    int fd = make_socket(settings);
    int reason = errno;
    unixsocket_release(&claim);
    if (fd < 0)
        return fail(settings, strerror(reason), error);
    *out = (struct listener){.fd = fd, .path = path};
    if (unixsocket_give(path, settings->uid, gid) == RESULT_OK)
        return RESULT_OK;
    (void)snprintf(error, LISTENER_ERROR_MAX, "cannot give %s to %s%s: %s", path,
                   settings->group != NULL ? "group " : "its user",
                   settings->group != NULL ? settings->group : "", strerror(errno));
    listener_abandon(out);
    return RESULT_IO;
}

enum result listener_open(const struct listener_settings *settings, struct listener *out,
                          char error[LISTENER_ERROR_MAX])
{
    const char *path = unix_path(settings->spec);
    return path == NULL ? open_inet(settings, out, error) : open_unix(settings, path, out, error);
}

void listener_abandon(struct listener *listener)
{
    if (listener->path != NULL)
        (void)unlink(listener->path);
    (void)close(listener->fd);
    listener->fd = -1;
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
    /* While it still answers: afterwards the name may be somebody else's. */
    if (listener->path != NULL)
        (void)unlink(listener->path);
    /* libmilter goes on polling its descriptor: the quiet socket takes the place of the real one.
     */
    int quiet = open_quiet();
    if (quiet >= 0) {
        (void)dup2(quiet, listener->fd);
        (void)close(quiet);
    }
}
