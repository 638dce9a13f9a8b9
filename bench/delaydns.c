/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS server with a settable delay, for benchmarks: UDP on 127.0.0.1.
 *
 *     delaydns [--port N] [--delay MS] [--silent A.B] [--ttl S]
 *
 * Every name below in-addr.arpa that is an IPv4 address has one PTR, and the name given there leads
 * back to the address; other types of these names have no data, other names do not exist.  Reverse
 * names of the addresses below A.B (A.B.0.0/16) are never answered.  Port 0, the default, is any:
 * one line "port N" is printed when it serves.  Ends at SIGTERM, and says then what it has done.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg(), ppoll() */
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH      64
#define QUERY_MAX  512
#define ANSWER_MAX 512
/* Answers that wait: 30,000 a second for a second. */
#define RING 32768

#define HEADER    12
#define TYPE_A    1
#define TYPE_PTR  12
#define NXDOMAIN  3
#define GIVEN_LEN 9 /* "m" and the address, in hex */

static const char forward_zone[] = "\5delay\7example"; /* with the root's zero */
static const char reverse_zone[] = "\7in-addr\4arpa";

struct waiting {
    struct sockaddr_in peer;
    int64_t due_ns;
    size_t length;
    uint8_t message[ANSWER_MAX];
};

struct server {
    int fd;
    int64_t delay_ns;
    uint32_t ttl_s;
    bool has_silent;
    uint32_t silent; /* the upper 16 bits of an address */
    struct waiting *ring;
    unsigned head, count; /* of the ring: all wait equally long, so they are due in order */
    uint64_t answered, kept_silent, dropped;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- messages ---- */

static uint8_t *put_16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put_32(uint8_t *at, uint32_t value)
{
    return put_16(put_16(at, value >> 16), value & 0xffff);
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

/* The length of the name at the start, the root's zero included; 0: none that we take. */
static size_t name_length(const uint8_t *name, size_t max)
{
    size_t at = 0;

    while (at < max && name[at] != 0) {
        if (name[at] > 63)
            return 0;
        at += 1U + name[at];
    }
    return at < max && at < 256 ? at + 1 : 0;
}

static bool below(const uint8_t *name, size_t length, const char *zone, size_t zone_length)
{
    return length > zone_length &&
           strncasecmp((const char *)name + length - zone_length, zone, zone_length) == 0;
}

/* The address of "d.c.b.a.in-addr.arpa". */
static bool reverse_address(const uint8_t *name, size_t length, uint32_t *out)
{
    uint32_t address = 0;
    size_t at = 0;

    if (!below(name, length, reverse_zone, sizeof reverse_zone))
        return false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned digits = name[at++], octet = 0;

        if (digits == 0 || digits > 3)
            return false;
        for (; digits > 0; digits--, at++) {
            if (name[at] < '0' || name[at] > '9')
                return false;
            octet = octet * 10 + name[at] - '0';
        }
        if (octet > 255)
            return false;
        address |= octet << (8 * i);
    }
    *out = address;
    return at == length - sizeof reverse_zone;
}

/* The address that a name which was given away stands for.  Mixed, so that the name does not look
 * like one that was made from an address. */
static const uint32_t mix = UINT32_C(0x9e3779b9);

static bool given_address(const uint8_t *name, size_t length, uint32_t *out)
{
    uint32_t value = 0;

    if (length != 1 + GIVEN_LEN + sizeof forward_zone || name[0] != GIVEN_LEN ||
        !below(name, length, forward_zone, sizeof forward_zone))
        return false;
    for (unsigned i = 2; i <= GIVEN_LEN; i++) {
        uint8_t c = name[i] | 0x20;

        if (c < 'a' || c > 'p')
            return false;
        value = value << 4 | (uint32_t)(c - 'a');
    }
    *out = value * UINT32_C(0x144cbc89); /* the mix's inverse */
    return true;
}

static size_t give_name(uint32_t address, uint8_t out[1 + GIVEN_LEN + sizeof forward_zone])
{
    uint32_t value = address * mix;

    out[0] = GIVEN_LEN;
    out[1] = 'm';
    for (unsigned i = 0; i < 8; i++)
        out[2 + i] = (uint8_t)('a' + (value >> (28 - 4 * i) & 15));
    memcpy(out + 1 + GIVEN_LEN, forward_zone, sizeof forward_zone);
    return 1 + GIVEN_LEN + sizeof forward_zone;
}

static uint8_t *put_record(uint8_t *at, unsigned type, uint32_t ttl_s, const void *data,
                           size_t length)
{
    at = put_16(at, 0xc000 | HEADER); /* the question's name */
    at = put_16(put_16(at, type), 1);
    at = put_16(put_32(at, ttl_s), (unsigned)length);
    return put_bytes(at, data, length);
}

static uint8_t *put_soa(uint8_t *at, uint32_t ttl_s)
{
    static const uint8_t root[1];
    uint8_t *size;

    at = put_bytes(at, root, sizeof root);
    at = put_16(put_16(at, 6), 1);
    size = put_32(at, ttl_s);
    at = put_bytes(size + 2, root, sizeof root);
    at = put_bytes(at, root, sizeof root);
    at = put_32(put_32(put_32(at, 1), 3600), 600);
    at = put_32(put_32(at, 86400), ttl_s);
    put_16(size, (unsigned)(at - size - 2));
    return at;
}

/* The length of the answer, 0 for none. */
static size_t answer(struct server *server, const uint8_t *query, size_t length,
                     uint8_t out[ANSWER_MAX])
{
    static const uint8_t opt[] = {0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0};
    uint8_t data[256], *at;
    const uint8_t *name = query + HEADER;
    size_t name_size, data_size = 0;
    unsigned type, code = 0;
    uint32_t address;

    if (length < HEADER || (query[2] & 0xf8) != 0 || query[4] != 0 || query[5] != 1)
        return 0;
    name_size = name_length(name, length - HEADER);
    if (name_size == 0 || HEADER + name_size + 4 > length)
        return 0;
    type = (unsigned)name[name_size] << 8 | name[name_size + 1];
    if (reverse_address(name, name_size, &address)) {
        if (server->has_silent && address >> 16 == server->silent) {
            server->kept_silent++;
            return 0;
        }
        if (type == TYPE_PTR)
            data_size = give_name(address, data);
    } else if (given_address(name, name_size, &address)) {
        if (type == TYPE_A)
            data_size = (size_t)(put_32(data, address) - data);
    } else {
        code = NXDOMAIN;
    }
    at = put_bytes(out, query, HEADER + name_size + 4);
    out[2] = (uint8_t)(0x80 | (query[2] & 1)); /* QR, RD */
    out[3] = (uint8_t)(0x80 | code);           /* RA */
    put_16(out + 6, data_size > 0);
    put_16(out + 8, data_size == 0);
    put_16(out + 10, query[11] > 0);
    at = data_size > 0 ? put_record(at, type, server->ttl_s, data, data_size)
                       : put_soa(at, server->ttl_s);
    if (query[11] > 0)
        at = put_bytes(at, opt, sizeof opt);
    return (size_t)(at - out);
}

/* ---- in and out ---- */

static void send_batch(struct server *server, struct mmsghdr *batch, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(server->fd, batch + done, count - done, 0);

        if (sent > 0) {
            done += (unsigned)sent;
            server->answered += (unsigned)sent;
        } else if (errno != EINTR) { /* who asked is gone, or the buffer is full */
            done++;
            server->dropped++;
        }
    }
}

static void send_due(struct server *server)
{
    struct mmsghdr batch[BATCH];
    struct iovec vectors[BATCH];
    int64_t now = now_ns();

    while (server->count > 0 && server->ring[server->head].due_ns <= now) {
        unsigned count = 0;

        memset(batch, 0, sizeof batch);
        while (count < BATCH && server->count > 0 && server->ring[server->head].due_ns <= now) {
            struct waiting *waiting = &server->ring[server->head];

            vectors[count] = (struct iovec){waiting->message, waiting->length};
            batch[count].msg_hdr.msg_name = &waiting->peer;
            batch[count].msg_hdr.msg_namelen = sizeof waiting->peer;
            batch[count].msg_hdr.msg_iov = &vectors[count];
            batch[count++].msg_hdr.msg_iovlen = 1;
            server->head = (server->head + 1) % RING;
            server->count--;
        }
        send_batch(server, batch, count);
    }
}

static void take(struct server *server, const uint8_t *query, size_t length,
                 const struct sockaddr_in *peer, int64_t now)
{
    struct waiting *waiting = &server->ring[(server->head + server->count) % RING];

    if (server->count == RING) {
        server->dropped++;
        return;
    }
    waiting->length = answer(server, query, length, waiting->message);
    if (waiting->length == 0)
        return;
    waiting->peer = *peer;
    waiting->due_ns = now + server->delay_ns;
    server->count++;
}

static void receive(struct server *server)
{
    uint8_t queries[BATCH][QUERY_MAX];
    struct sockaddr_in peers[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr batch[BATCH];
    int64_t now;
    int count;

    memset(batch, 0, sizeof batch);
    for (unsigned i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){queries[i], QUERY_MAX / 2};
        batch[i].msg_hdr.msg_name = &peers[i];
        batch[i].msg_hdr.msg_namelen = sizeof peers[i];
        batch[i].msg_hdr.msg_iov = &vectors[i];
        batch[i].msg_hdr.msg_iovlen = 1;
    }
    count = recvmmsg(server->fd, batch, BATCH, MSG_DONTWAIT, NULL);
    now = now_ns();
    for (int i = 0; i < count; i++)
        take(server, queries[i], batch[i].msg_len, &peers[i], now);
}

static void serve(struct server *server)
{
    struct pollfd ready = {.fd = server->fd, .events = POLLIN};
    sigset_t open;

    sigemptyset(&open); /* SIGTERM comes in ppoll() only */
    while (!stopped) {
        struct timespec wait = {0, 0};
        int64_t left = 0;

        if (server->count > 0)
            left = server->ring[server->head].due_ns - now_ns();
        if (left > 0)
            wait = (struct timespec){(time_t)(left / 1000000000), (long)(left % 1000000000)};
        if (ppoll(&ready, 1, server->count > 0 ? &wait : NULL, &open) > 0)
            receive(server);
        send_due(server);
    }
}

/* ---- start ---- */

static bool start(struct server *server, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int buffer = 8 << 20;

    server->ring = calloc(RING, sizeof *server->ring);
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (server->ring == NULL || server->fd < 0 ||
        bind(server->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &length) != 0)
        return false;
    if (setsockopt(server->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        (void)setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return true;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static int usage(void)
{
    fputs("usage: delaydns [--port N] [--delay MS] [--silent A.B] [--ttl S]\n", stderr);
    return 64;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"delay", required_argument, NULL, 'd'},
                                            {"silent", required_argument, NULL, 's'},
                                            {"ttl", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    struct server server = {.ttl_s = 3600};
    unsigned port = 0, high, low;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p' && sscanf(optarg, "%u", &port) == 1 && port <= UINT16_MAX)
            continue;
        if (option == 'd') {
            server.delay_ns = (int64_t)(strtod(optarg, NULL) * 1e6);
        } else if (option == 't') {
            server.ttl_s = (uint32_t)strtoul(optarg, NULL, 10);
        } else if (option == 's' && sscanf(optarg, "%u.%u", &high, &low) == 2) {
            server.has_silent = true;
            server.silent = high << 8 | low;
        } else {
            return usage();
        }
    }
    if (optind != argc || server.delay_ns < 0)
        return usage();
    catch_signals();
    if (!start(&server, (uint16_t)port)) {
        perror("delaydns");
        return 1;
    }
    serve(&server);
    printf("%" PRIu64 " answered, %" PRIu64 " kept silent, %" PRIu64 " dropped\n", server.answered,
           server.kept_silent, server.dropped);
    free(server.ring);
    return 0;
}
