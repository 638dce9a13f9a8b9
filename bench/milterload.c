/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load of whole SMTP sessions over the milter protocol, as an MTA with many clients makes it:
 * negotiate, connect, EHLO, MAIL, RCPT, two header fields, end of message, quit.  One thread a
 * session at a time.  Prints one line of figures as JSON.
 *
 *     milterload -s inet:8899@127.0.0.1 -c 16 -n 10000 [-a 192.0.2.0/1000] [-d MS] [-w N] [-i]
 *
 *   -s  socket: inet:PORT@HOST or unix:PATH
 *   -c  sessions at a time
 *   -n  sessions in all
 *   -a  clients: the N-th session is address A + N modulo COUNT (default 10.0.0.1/1)
 *   -d  milliseconds between two commands of the dialogue (default 0)
 *   -w  this many clients more that take -d between two commands, as long as the others, which then
 *       take none, are at work; only the others are counted
 *   -i  stay idle after EHLO until standard input ends, for measuring memory: one thread for all
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)
#define PACKET_MAX  65536
#define NEGOTIATED  0x1fffffU /* every protocol flag of version 6 */
#define ACTIONS     0x1ffU

/* Protocol flags: events that are not sent, and those without an answer. */
enum {
    NO_CONNECT = 0x1,
    NO_HELO = 0x2,
    NO_MAIL = 0x4,
    NO_RCPT = 0x8,
    NO_BODY = 0x10,
    NO_HEADERS = 0x20,
    NO_EOH = 0x40,
    NR_HEADER = 0x80,
    NO_DATA = 0x200,
    NR_CONNECT = 0x1000,
    NR_HELO = 0x2000,
    NR_MAIL = 0x4000,
    NR_RCPT = 0x8000,
    NR_DATA = 0x10000,
    NR_EOH = 0x40000,
    NR_BODY = 0x80000,
};

static struct {
    struct sockaddr_storage addr;
    socklen_t addr_length;
    unsigned concurrency;
    unsigned long sessions;
    uint32_t first; /* host order */
    uint32_t addresses;
    unsigned delay_ms;
    unsigned slow; /* clients beside those that are counted */
    bool idle;
    atomic_bool done; /* slow clients need not go on */
    atomic_ulong next;
    atomic_ulong refused, broken, accepted;
    double *took_ms; /* a session */
} load;

/* How a session ended. */
enum end { BROKEN, REFUSED, ACCEPTED };

struct link {
    int fd;
    uint32_t steps;
    unsigned char out[PACKET_MAX];
    size_t out_length;
};

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void put(struct link *link, char command, const void *data, size_t length)
{
    uint32_t size = htonl((uint32_t)length + 1);
    memcpy(link->out + link->out_length, &size, 4);
    link->out[link->out_length + 4] = (unsigned char)command;
    if (length > 0)
        memcpy(link->out + link->out_length + 5, data, length);
    link->out_length += length + 5;
}

static bool flush(struct link *link)
{
    size_t sent = 0;
    while (sent < link->out_length) {
        ssize_t n = send(link->fd, link->out + sent, link->out_length - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    link->out_length = 0;
    return true;
}

static bool read_all(int fd, void *to, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = recv(fd, (char *)to + got, length - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* One packet; returns its command, 0 when the filter is gone. */
static char get(struct link *link, unsigned char *data, size_t max)
{
    uint32_t size;
    char command;
    if (!read_all(link->fd, &size, 4) || (size = ntohl(size)) == 0 || size > max ||
        !read_all(link->fd, &command, 1) || !read_all(link->fd, data, size - 1))
        return 0;
    return command;
}

/* The answer to an event: edits before it are skipped. */
static char answer(struct link *link)
{
    unsigned char data[4096];
    char command;
    do
        command = get(link, data, sizeof data);
    while (command != 0 && strchr("hi+-m2beqp", command) != NULL);
    return command;
}

/* Send an event unless it is not wanted; returns 'c' when nothing is to be waited for. */
static char event(struct link *link, uint32_t skip, uint32_t noreply, char command,
                  const void *data, size_t length)
{
    if ((link->steps & skip) != 0)
        return 'c';
    put(link, command, data, length);
    if ((link->steps & noreply) != 0)
        return 'c';
    return flush(link) ? answer(link) : 0;
}

static void macros(struct link *link, char command, const char *data, size_t length)
{
    char block[256];
    block[0] = command;
    memcpy(block + 1, data, length);
    put(link, 'D', block, length + 1);
}

static bool negotiate(struct link *link)
{
    const uint32_t offer[3] = {htonl(6), htonl(ACTIONS), htonl(NEGOTIATED)};
    unsigned char data[4096];
    put(link, 'O', offer, sizeof offer);
    if (!flush(link) || get(link, data, sizeof data) != 'O')
        return false;
    memcpy(&link->steps, data + 8, 4);
    link->steps = ntohl(link->steps);
    return true;
}

static bool on_connect(struct link *link, unsigned long n)
{
    struct in_addr client = {.s_addr = htonl(load.first + (uint32_t)(n % load.addresses))};
    char data[128], text[INET_ADDRSTRLEN];
    (void)inet_ntop(AF_INET, &client, text, sizeof text);
    int length = snprintf(data, sizeof data, "unknown%c4%c%c%s", 0, 0x62, 0x6c, text);
    static const char known[] = "j\0mx.example.net\0{daemon_name}\0smtpd";
    macros(link, 'C', known, sizeof known);
    return event(link, NO_CONNECT, NR_CONNECT, 'C', data, (size_t)length + 1) == 'c';
}

/* Slow clients look up now and then whether the load is over. */
static void pause_dialogue(unsigned ms)
{
    const unsigned slice_ms = 50;
    while (ms > 0 && !load.done) {
        unsigned now = ms < slice_ms ? ms : slice_ms;
        (void)usleep(now * 1000);
        ms -= now;
    }
}

static bool message(struct link *link)
{
    static const char from[] = "From\0a@example.org", subject[] = "Subject\0hello";
    if (event(link, NO_DATA, NR_DATA, 'T', NULL, 0) != 'c' ||
        event(link, NO_HEADERS, NR_HEADER, 'L', from, sizeof from) != 'c' ||
        event(link, NO_HEADERS, NR_HEADER, 'L', subject, sizeof subject) != 'c' ||
        event(link, NO_EOH, NR_EOH, 'N', NULL, 0) != 'c')
        return false;
    if (event(link, NO_BODY, NR_BODY, 'B', "hello\r\n", 7) == 0)
        return false;
    macros(link, 'E',
           "i\0"
           "4Abc",
           7);
    char end = event(link, 0, 0, 'E', NULL, 0);
    return end == 'c' || end == 'a';
}

/* The flush at RCPT is the first answer that the SMTP client waits for. */
static enum end session(struct link *link, unsigned long n, unsigned pause_ms)
{
    static const char helo[] = "mail.example.org", from[] = "<a@example.org>",
                      to[] = "<b@example.net>";
    char at_rcpt = 0;
    bool ok = negotiate(link) && on_connect(link, n);
    pause_dialogue(pause_ms);
    ok = ok && event(link, NO_HELO, NR_HELO, 'H', helo, sizeof helo) == 'c';
    pause_dialogue(pause_ms);
    ok = ok && event(link, NO_MAIL, NR_MAIL, 'M', from, sizeof from) == 'c';
    pause_dialogue(pause_ms);
    if (ok)
        at_rcpt = event(link, NO_RCPT, NR_RCPT, 'R', to, sizeof to);
    enum end end = BROKEN;
    if (at_rcpt == 'y' || at_rcpt == 'r' || at_rcpt == 't')
        end = REFUSED;
    else if (at_rcpt == 'c' && message(link))
        end = ACCEPTED;
    put(link, 'Q', NULL, 0);
    return flush(link) ? end : BROKEN;
}

static bool open_link(struct link *link)
{
    int on = 1;
    link->out_length = 0;
    link->fd = socket(load.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return false;
    if (load.addr.ss_family != AF_UNIX)
        (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(link->fd, (struct sockaddr *)&load.addr, load.addr_length) == 0)
        return true;
    (void)close(link->fd);
    return false;
}

static enum end whole_session(struct link *link, unsigned long n, unsigned pause_ms)
{
    if (!open_link(link))
        return BROKEN;
    enum end end = session(link, n, pause_ms);
    (void)close(link->fd);
    return end;
}

static void *worker(void *arg)
{
    atomic_ulong *const counters[] = {
        [BROKEN] = &load.broken, [REFUSED] = &load.refused, [ACCEPTED] = &load.accepted};
    struct link *link = malloc(sizeof *link);
    unsigned pause_ms = load.slow > 0 ? 0 : load.delay_ms;
    unsigned long n;
    (void)arg;
    while (link != NULL && (n = atomic_fetch_add(&load.next, 1)) < load.sessions) {
        double start = now_ms();
        (void)atomic_fetch_add(counters[whole_session(link, n, pause_ms)], 1);
        load.took_ms[n] = now_ms() - start;
    }
    free(link);
    return NULL;
}

static void *slow_worker(void *arg)
{
    struct link *link = malloc(sizeof *link);
    (void)arg;
    for (unsigned long n = 0; link != NULL && !load.done; n++)
        (void)whole_session(link, n, load.delay_ms);
    free(link);
    return NULL;
}

/*
 * All sessions up to EHLO from one thread: ten thousand threads that wait would measure the
 * scheduler.  Says how many came so far, and why no more.
 */
static void stay_idle(void)
{
    static const char helo[] = "mail.example.org";
    struct link *link = malloc(sizeof *link);
    unsigned count = 0;
    errno = 0;
    while (link != NULL && count < load.concurrency && open_link(link) && negotiate(link) &&
           on_connect(link, count) &&
           event(link, NO_HELO, NR_HELO, 'H', helo, sizeof helo) == 'c' && flush(link))
        count++; /* its descriptor stays open until this program ends */
    (void)printf("idle %u %s\n", count,
                 count == load.concurrency ? "all"
                 : errno != 0              ? strerror(errno)
                                           : "closed by the filter");
    (void)fflush(stdout);
    while (getchar() != EOF)
        ;
    free(link);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double share)
{
    return load.took_ms[(size_t)((double)(load.sessions - 1) * share)];
}

static bool parse_socket(const char *spec)
{
    if (strncmp(spec, "unix:", 5) == 0 &&
        strlen(spec + 5) < sizeof((struct sockaddr_un *)0)->sun_path) {
        struct sockaddr_un *un = (struct sockaddr_un *)&load.addr;
        un->sun_family = AF_UNIX;
        (void)strcpy(un->sun_path, spec + 5);
        load.addr_length = sizeof *un;
        return true;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)&load.addr;
    unsigned port;
    char host[64];
    if (sscanf(spec, "inet:%u@%63s", &port, host) != 2 ||
        inet_pton(AF_INET, host, &in->sin_addr) != 1)
        return false;
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    load.addr_length = sizeof *in;
    return true;
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
    bool ok = true, has_socket = false;
    int option;
    while (ok && (option = getopt(argc, argv, "s:c:n:a:d:w:i")) != -1) {
        if (option == 's')
            ok = has_socket = parse_socket(optarg);
        else if (option == 'c')
            ok = (load.concurrency = (unsigned)strtoul(optarg, NULL, 10)) > 0;
        else if (option == 'n')
            ok = (load.sessions = strtoul(optarg, NULL, 10)) > 0;
        else if (option == 'a')
            ok = parse_addresses(optarg);
        else if (option == 'd')
            load.delay_ms = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'w')
            load.slow = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'i')
            load.idle = true;
        else
            ok = false;
    }
    return ok && has_socket && optind == argc;
}

static void start(pthread_t *threads, unsigned count, void *(*function)(void *))
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        exit(EXIT_FAILURE);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], &attributes, function, NULL) != 0) {
            perror("milterload: thread");
            exit(EXIT_FAILURE);
        }
    (void)pthread_attr_destroy(&attributes);
}

static void join(pthread_t *threads, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

static void run(void)
{
    pthread_t *threads = calloc((size_t)load.concurrency + load.slow, sizeof *threads);
    load.took_ms = calloc(load.sessions, sizeof *load.took_ms);
    if (threads == NULL || load.took_ms == NULL)
        exit(EXIT_FAILURE);
    start(threads + load.concurrency, load.slow, slow_worker);
    if (load.slow > 0)
        (void)usleep(load.delay_ms * 1000); /* until they are spread over their dialogues */
    double start_ms = now_ms();
    start(threads, load.concurrency, worker);
    join(threads, load.concurrency);
    double took = now_ms() - start_ms;
    load.done = true;
    join(threads + load.concurrency, load.slow);
    qsort(load.took_ms, load.sessions, sizeof *load.took_ms, by_value);
    (void)printf(
        "{\"sessions\":%lu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_ms\":%.3f,"
        "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"accepted\":%lu,\"refused\":%lu,\"broken\":%lu}\n",
        load.sessions, took / 1e3, (double)load.sessions / took * 1e3, percentile(0.5),
        percentile(0.99), percentile(1), atomic_load(&load.accepted), atomic_load(&load.refused),
        atomic_load(&load.broken));
    free(load.took_ms);
    free(threads);
}

int main(int argc, char **argv)
{
    load.concurrency = 1;
    load.sessions = 1000;
    load.first = 0x0a000001;
    load.addresses = 1;
    if (!parse_options(argc, argv)) {
        (void)fprintf(stderr,
                      "usage: milterload -s SOCKET [-c N] [-n N] [-a ADDRESS/COUNT] [-d MS] "
                      "[-w N] [-i]\n");
        return 64;
    }
    if (load.idle) {
        stay_idle();
        return EXIT_SUCCESS;
    }
    run();
    return atomic_load(&load.broken) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
