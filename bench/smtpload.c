/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load of whole SMTP sessions with one message each, as many clients make it: every session comes
 * from an address of its own, bound to before connecting.  One thread a session at a time.  Prints
 * one line of figures as JSON.
 *
 *     smtpload -p 25 -c 20 -n 1000 [-a 10.1.0.0/60000] [-d MS]
 *
 *   -p  port on 127.0.0.1
 *   -c  sessions at a time
 *   -n  sessions in all
 *   -a  clients: the N-th session comes from address A + N modulo COUNT (default 127.0.0.1/1);
 *       the addresses have to be this machine's
 *   -d  milliseconds before each command (default 0): a client that is some way off
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)
#define REPLY_MAX   4096

static struct {
    uint16_t port;
    unsigned concurrency;
    unsigned long sessions;
    uint32_t first; /* host order */
    uint32_t addresses;
    unsigned delay_ms;
    atomic_ulong next;
    atomic_ulong accepted, refused, broken;
    double *banner_ms, *rcpt_ms, *whole_ms; /* a session, from connect() on */
} load;

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The class of a whole reply (2 to 5), its lines read up to the last; 0 when there is none. */
static int reply(int fd)
{
    char text[REPLY_MAX];
    size_t length = 0;
    for (;;) {
        ssize_t n = length < sizeof text ? recv(fd, text + length, sizeof text - length, 0) : 0;
        if (n <= 0)
            return 0;
        length += (size_t)n;
        if (text[length - 1] != '\n')
            continue;
        size_t line = length - 1; /* start of the last line */
        while (line > 0 && text[line - 1] != '\n')
            line--;
        if (length - line > 3 && text[line + 3] != '-')
            return text[line] - '0';
    }
}

static int command(int fd, const char *text)
{
    size_t length = strlen(text);
    if (load.delay_ms > 0)
        (void)usleep(load.delay_ms * 1000);
    if (send(fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        return 0;
    return reply(fd);
}

static int connect_from(uint32_t source)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(load.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static int dialogue(int fd, unsigned long n, double start)
{
    static const char message[] = "From: <a@example.org>\r\nTo: <user@example.net>\r\n"
                                  "Subject: hello\r\nMessage-Id: <1@example.org>\r\n"
                                  "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\nhello\r\n.\r\n";
    int class = reply(fd);
    load.banner_ms[n] = now_ms() - start;
    if (class == 2 && (class = command(fd, "EHLO mail.example.org\r\n")) == 2 &&
        (class = command(fd, "MAIL FROM:<a@example.org>\r\n")) == 2)
        class = command(fd, "RCPT TO:<user@example.net>\r\n");
    load.rcpt_ms[n] = now_ms() - start;
    if (class == 2 && (class = command(fd, "DATA\r\n")) == 3)
        class = command(fd, message);
    (void)command(fd, "QUIT\r\n");
    return class;
}

static void *worker(void *arg)
{
    unsigned long n;
    (void)arg;
    while ((n = atomic_fetch_add(&load.next, 1)) < load.sessions) {
        double start = now_ms();
        int fd = connect_from(load.first + (uint32_t)(n % load.addresses));
        int class = fd < 0 ? 0 : dialogue(fd, n, start);
        if (fd >= 0)
            (void)close(fd);
        load.whole_ms[n] = now_ms() - start;
        (void)atomic_fetch_add(class == 2                 ? &load.accepted
                               : class == 4 || class == 5 ? &load.refused
                                                          : &load.broken,
                               1);
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(const char *name, double *took_ms)
{
    qsort(took_ms, load.sessions, sizeof *took_ms, by_value);
    (void)printf("\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,", name,
                 took_ms[(size_t)((double)(load.sessions - 1) * 0.5)], name,
                 took_ms[(size_t)((double)(load.sessions - 1) * 0.99)]);
}

static void run(pthread_t *threads)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        exit(EXIT_FAILURE);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    double start = now_ms();
    for (unsigned i = 0; i < load.concurrency; i++)
        if (pthread_create(&threads[i], &attributes, worker, NULL) != 0)
            exit(EXIT_FAILURE);
    for (unsigned i = 0; i < load.concurrency; i++)
        (void)pthread_join(threads[i], NULL);
    double took_s = (now_ms() - start) / 1e3;
    (void)printf("{\"sessions\":%lu,\"seconds\":%.3f,\"per_second\":%.1f,", load.sessions, took_s,
                 (double)load.sessions / took_s);
    print_percentiles("banner", load.banner_ms);
    print_percentiles("rcpt", load.rcpt_ms);
    print_percentiles("whole", load.whole_ms);
    (void)printf("\"accepted\":%lu,\"refused\":%lu,\"broken\":%lu}\n", load.accepted, load.refused,
                 load.broken);
}

static bool parse_addresses(const char *text)
{
    char address[INET_ADDRSTRLEN];
    struct in_addr first;
    if (sscanf(text, "%15[0-9.]/%u", address, &load.addresses) != 2 || load.addresses == 0 ||
        inet_pton(AF_INET, address, &first) != 1)
        return false;
    load.first = ntohl(first.s_addr);
    return true;
}

static bool parse_options(int argc, char **argv)
{
    bool ok = true;
    int option;
    while (ok && (option = getopt(argc, argv, "p:c:n:a:d:")) != -1) {
        if (option == 'p')
            ok = (load.port = (uint16_t)strtoul(optarg, NULL, 10)) > 0;
        else if (option == 'c')
            ok = (load.concurrency = (unsigned)strtoul(optarg, NULL, 10)) > 0;
        else if (option == 'n')
            ok = (load.sessions = strtoul(optarg, NULL, 10)) > 0;
        else if (option == 'a')
            ok = parse_addresses(optarg);
        else if (option == 'd')
            load.delay_ms = (unsigned)strtoul(optarg, NULL, 10);
        else
            ok = false;
    }
    return ok && load.port > 0 && optind == argc;
}

int main(int argc, char **argv)
{
    load.concurrency = 1;
    load.sessions = 1000;
    load.first = INADDR_LOOPBACK;
    load.addresses = 1;
    if (!parse_options(argc, argv)) {
        (void)fputs("usage: smtpload -p PORT [-c N] [-n N] [-a ADDRESS/COUNT] [-d MS]\n", stderr);
        return 64;
    }
    pthread_t *threads = calloc(load.concurrency, sizeof *threads);
    double *times = calloc(load.sessions, 3 * sizeof *times);
    if (threads == NULL || times == NULL)
        return EXIT_FAILURE;
    load.banner_ms = times;
    load.rcpt_ms = times + load.sessions;
    load.whole_ms = times + 2 * load.sessions;
    run(threads);
    free(times);
    free(threads);
    return load.broken == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
