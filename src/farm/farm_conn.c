/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#endif

#include "farm/farm_conn.h"

#include "base/log.h"
#include "dns/network.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Bytes that are asked of the system at a time, and how often before others have their turn. */
#define READ_CHUNK 32768
#define READ_TURNS 16

#define WORDS_MAX 12 /* of a request */

static const char UNIX_PREFIX[] = "unix:";

struct farm_conn {
    struct loop *loop;
    struct farm_conn_calls calls;
    int64_t timeout_ms;
    int fd;
    bool connected;
    struct loop_watch *watch;
    struct loop_timer *deadline;
    struct resp_reader *reader;
    size_t awaited;
    char *out;
    size_t out_length, out_sent, out_size;
    char why[FARM_WHY_MAX]; /* "": it goes on */
    char in[READ_CHUNK];
};

/* --- the end --------------------------------------------------------------------------------- */

static void on_deadline(void *arg);

void farm_conn_fail(struct farm_conn *conn, const char *why)
{
    if (conn->why[0] != '\0')
        return;
    (void)snprintf(conn->why, sizeof conn->why, "%s", why);
    /* The timer calls as soon as our caller has returned; without memory for it, the next event. */
    if (loop_timer_arm(conn->deadline, loop_now_ms(conn->loop)) != RESULT_OK)
        log_error("farm: out of memory");
}

const char *farm_conn_failure(const struct farm_conn *conn)
{
    return conn->why[0] != '\0' ? conn->why : NULL;
}

static void end(struct farm_conn *conn)
{
    loop_timer_disarm(conn->deadline);
    loop_watch_free(conn->watch);
    conn->watch = NULL;
    conn->calls.ended(conn->calls.arg, conn, conn->why);
}

static void on_deadline(void *arg)
{
    struct farm_conn *conn = arg;
    if (conn->why[0] == '\0')
        (void)snprintf(conn->why, sizeof conn->why,
                       conn->connected ? "no reply for %lld ms" : "no connection within %lld ms",
                       (long long)conn->timeout_ms);
    end(conn);
}

static void expect_reply(struct farm_conn *conn)
{
    if (conn->why[0] != '\0')
        return;
    if (conn->awaited == 0)
        loop_timer_disarm(conn->deadline);
    else if (loop_timer_arm(conn->deadline, loop_now_ms(conn->loop) + conn->timeout_ms) !=
             RESULT_OK)
        farm_conn_fail(conn, "out of memory");
}

/* --- requests -------------------------------------------------------------------------------- */

static bool reserve(struct farm_conn *conn, size_t length)
{
    if (conn->out_sent > 0) {
        memmove(conn->out, conn->out + conn->out_sent, conn->out_length - conn->out_sent);
        conn->out_length -= conn->out_sent;
        conn->out_sent = 0;
    }
    if (conn->out_size - conn->out_length >= length)
        return true;
    size_t size = 2 * conn->out_size + length;
    char *out = realloc(conn->out, size);
    if (out == NULL)
        return false;
    conn->out = out;
    conn->out_size = size;
    return true;
}

void farm_conn_ask(struct farm_conn *conn, const char *const words[])
{
    size_t count = 0, lengths[WORDS_MAX], length = 0;
    char *request = NULL;
    for (; count < WORDS_MAX && words[count] != NULL; count++)
        lengths[count] = strlen(words[count]);
    if (resp_request(count, words, lengths, &request, &length) != RESULT_OK ||
        !reserve(conn, length)) {
        free(request);
        farm_conn_fail(conn, "out of memory");
        return;
    }
    memcpy(conn->out + conn->out_length, request, length);
    conn->out_length += length;
    free(request);
    if (conn->awaited++ == 0)
        expect_reply(conn);
}

static void watch(struct farm_conn *conn)
{
    bool more = conn->out_sent < conn->out_length || !conn->connected;
    if (loop_watch_change(conn->watch, more ? LOOP_READ | LOOP_WRITE : LOOP_READ) != RESULT_OK)
        farm_conn_fail(conn, "out of memory");
}

void farm_conn_flush(struct farm_conn *conn)
{
    while (conn->connected && conn->out_sent < conn->out_length && conn->why[0] == '\0') {
        ssize_t sent = send(conn->fd, conn->out + conn->out_sent, conn->out_length - conn->out_sent,
                            MSG_NOSIGNAL);
        if (sent >= 0)
            conn->out_sent += (size_t)sent;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            farm_conn_fail(conn, strerror(errno));
    }
    if (conn->why[0] == '\0')
        watch(conn);
}

/* --- replies --------------------------------------------------------------------------------- */

static void take_reply(struct farm_conn *conn, struct resp_reply *reply)
{
    if (conn->awaited == 0) {
        farm_conn_fail(conn, "it says what nobody asked for");
    } else {
        conn->awaited--;
        expect_reply(conn);
        conn->calls.replied(conn->calls.arg, conn, reply);
    }
    resp_reply_free(reply);
}

static const char *failure_of(enum result status)
{
    return status == RESULT_LIMIT     ? "its reply is too large"
           : status == RESULT_INVALID ? "it does not speak the protocol"
                                      : "out of memory";
}

static void take_bytes(struct farm_conn *conn, const char *bytes, size_t length)
{
    struct resp_reply *reply;
    enum result status = resp_reader_feed(conn->reader, bytes, length);
    while (conn->why[0] == '\0' && status == RESULT_OK &&
           (status = resp_reader_next(conn->reader, &reply)) == RESULT_OK)
        take_reply(conn, reply);
    if (status != RESULT_OK && status != RESULT_PENDING)
        farm_conn_fail(conn, failure_of(status));
}

static void read_replies(struct farm_conn *conn)
{
    for (int turn = 0; turn < READ_TURNS && conn->why[0] == '\0'; turn++) {
        ssize_t got = recv(conn->fd, conn->in, sizeof conn->in, 0);
        if (got > 0)
            take_bytes(conn, conn->in, (size_t)got);
        else if (got == 0)
            farm_conn_fail(conn, "it has closed the connection");
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        else if (errno != EINTR)
            farm_conn_fail(conn, strerror(errno));
    }
}

static void finish_connecting(struct farm_conn *conn)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    conn->connected = error == 0;
    if (error != 0)
        farm_conn_fail(conn, strerror(error));
    else
        expect_reply(conn); /* where nothing was asked nothing is late */
}

static void on_ready(void *arg, unsigned ready)
{
    struct farm_conn *conn = arg;
    if (!conn->connected)
        finish_connecting(conn);
    if (conn->connected && (ready & LOOP_READ) != 0)
        read_replies(conn);
    if (conn->why[0] == '\0')
        farm_conn_flush(conn);
    if (conn->why[0] != '\0')
        end(conn);
}

/* --- life ------------------------------------------------------------------------------------ */

/* 0: no such address. */
static socklen_t address_of(const char *server, struct sockaddr_storage *out)
{
    struct network_server where;
    memset(out, 0, sizeof *out);
    if (strncmp(server, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        struct sockaddr_un *local = (struct sockaddr_un *)out;
        const char *path = server + strlen(UNIX_PREFIX);
        local->sun_family = AF_UNIX;
        if (strlen(path) >= sizeof local->sun_path)
            return 0;
        (void)snprintf(local->sun_path, sizeof local->sun_path, "%s", path);
        return sizeof *local;
    }
    if (network_server_parse(server, &where) != RESULT_OK)
        return 0;
    return (socklen_t)ipaddr_to_sockaddr(&where.addr, where.port, where.scope, out);
}

/* A socket that connects, or -1 with errno. */
static int open_socket(const char *server)
{
    struct sockaddr_storage address;
    int on = 1;
    socklen_t length = address_of(server, &address);
    if (length == 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (address.ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

struct farm_conn *farm_conn_new(struct loop *loop, const char *server, unsigned timeout_ms,
                                const struct farm_conn_calls *calls, char why[FARM_WHY_MAX])
{
    int fd = open_socket(server);
    if (fd < 0) {
        (void)snprintf(why, FARM_WHY_MAX, "%s", strerror(errno));
        return NULL;
    }
    struct farm_conn *conn = calloc(1, sizeof *conn);
    if (conn != NULL) {
        *conn =
            (struct farm_conn){.loop = loop, .calls = *calls, .timeout_ms = timeout_ms, .fd = fd};
        conn->deadline = loop_timer_new(loop, on_deadline, conn);
        conn->reader = resp_reader_new();
        conn->watch = loop_watch_new(loop, fd, LOOP_READ | LOOP_WRITE, on_ready, conn);
        if (conn->deadline != NULL && conn->reader != NULL && conn->watch != NULL &&
            loop_timer_arm(conn->deadline, loop_now_ms(loop) + timeout_ms) == RESULT_OK)
            return conn;
    }
    (void)snprintf(why, FARM_WHY_MAX, "out of memory");
    if (conn == NULL)
        (void)close(fd);
    farm_conn_free(conn);
    return NULL;
}

void farm_conn_free(struct farm_conn *conn)
{
    if (conn == NULL)
        return;
    loop_watch_free(conn->watch);
    loop_timer_free(conn->deadline);
    (void)close(conn->fd);
    resp_reader_free(conn->reader);
    free(conn->out);
    free(conn);
}
