/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_sockets.h"

#include "base/log.h"
#include "daemon/control.h"
#include "daemon/unixsocket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that may wait to be accepted. */
#define BACKLOG 64

/* Without its group it is of use still: to root, and to the user that we become. */
static void give_to_group(const struct conf *conf)
{
    if (unixsocket_give_to_group(conf->control, conf->control_group) == RESULT_OK)
        return;
    if (errno == ENOENT)
        log_error(
            "control-group = \"%s\": there is no such group: only root and iprevd's user reach "
            "the control socket",
            conf->control_group);
    else
        log_error(
            "control-group = \"%s\": %s: only root and iprevd's user reach the control socket; "
            "iprevd's user has to be a member (SupplementaryGroups=%s in the unit)",
            conf->control_group, strerror(errno), conf->control_group);
}

static int open_control(const struct conf *conf, uid_t uid, gid_t gid)
{
    int fd = -1;
    if (conf->control == NULL)
        return -1;
    if (unixsocket_listen(conf->control, CONTROL_MODE, BACKLOG, &fd) != RESULT_OK) {
        log_error("control socket %s: %s: iprevctl will not reach this daemon", conf->control,
                  strerror(errno));
        return -1;
    }
    if (conf->control_group != NULL)
        give_to_group(conf);
    if (unixsocket_give(conf->control, uid, conf->control_group == NULL ? gid : (gid_t)-1) !=
        RESULT_OK)
        log_error("control socket %s: %s: it stays root's", conf->control, strerror(errno));
    return fd;
}

static int open_endpoint(const char *text)
{
    struct network_server where;
    struct sockaddr_storage addr;
    if (network_server_parse(text, &where) != RESULT_OK) {
        errno = EINVAL;
        return -1;
    }
    socklen_t length = (socklen_t)ipaddr_to_sockaddr(&where.addr, where.port, where.scope, &addr);
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    /* A scrape's connection that lingers from before must not keep a new daemon from its port. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (addr.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&addr, length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static int open_metrics(const struct conf *conf)
{
    if (conf->metrics == NULL)
        return -1;
    int fd = open_endpoint(conf->metrics);
    if (fd < 0)
        log_error("metrics %s: %s: nothing is exported", conf->metrics, strerror(errno));
    return fd;
}

void control_sockets_open(const struct conf *conf, uid_t uid, gid_t gid,
                          struct control_sockets *out)
{
    *out = (struct control_sockets){.control = open_control(conf, uid, gid),
                                    .metrics = open_metrics(conf)};
}

void control_sockets_close(const struct conf *conf, struct control_sockets *sockets)
{
    if (sockets->control >= 0) {
        (void)unlink(conf->control);
        (void)close(sockets->control);
    }
    if (sockets->metrics >= 0)
        (void)close(sockets->metrics);
    *sockets = (struct control_sockets){-1, -1};
}
