/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/exporter.h"

#include "base/log.h"
#include "daemon/request_server.h"
#include "daemon/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Connections at a time: a Prometheus or two, and somebody who looks. */
#define PEERS_MAX 16

/* Bytes of a request with its header; Prometheus sends some 300. */
#define REQUEST_MAX_BYTES 4096

/* From connecting to the end of the request, and for the answer without progress. */
#define REQUEST_MS  5000
#define PROGRESS_MS 10000

struct exporter {
    struct exporter_services services;
    struct request_server *request_server;
};

/* --- what is exported ----------------------------------------------------------------------- */

static void print_head(FILE *stream, const char *name, const char *kind, const char *help)
{
    (void)fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void print_one(FILE *stream, const char *name, const char *kind, const char *help,
                      uint64_t value)
{
    print_head(stream, name, kind, help);
    (void)fprintf(stream, "%s %" PRIu64 "\n", name, value);
}

static void print_server_counter(FILE *stream, const struct status_servers *servers,
                                 const char *name, const char *help, size_t offset)
{
    print_head(stream, name, "counter", help);
    for (size_t i = 0; i < servers->count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&servers->list[i] + offset, sizeof value);
        (void)fprintf(stream, "%s{server=\"%s\"} %" PRIu64 "\n", name, servers->list[i].text,
                      value);
    }
}

static void print_servers(const struct exporter_services *services, FILE *stream)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } counters[] = {
        {"iprevd_dns_server_queries_total", "Questions sent to a DNS server.",
         offsetof(struct network_server_health, queries)},
        {"iprevd_dns_server_answers_total", "Answers of a DNS server.",
         offsetof(struct network_server_health, answers)},
        {"iprevd_dns_server_timeouts_total", "Questions that a DNS server left unanswered.",
         offsetof(struct network_server_health, timeouts)},
        {"iprevd_dns_server_failures_total", "Error codes of a DNS server, and refused packets.",
         offsetof(struct network_server_health, failures)},
        {"iprevd_dns_server_mismatched_total", "Packets that answered no question of ours.",
         offsetof(struct network_server_health, mismatched)},
    };
    struct status_servers servers;
    status_servers(services->resolver, &servers);
    print_head(stream, "iprevd_dns_server_up", "gauge", "1 while a DNS server answers.");
    for (size_t i = 0; i < servers.count; i++)
        (void)fprintf(stream, "iprevd_dns_server_up{server=\"%s\"} %d\n", servers.list[i].text,
                      servers.list[i].up);
    print_head(stream, "iprevd_dns_server_rtt_seconds", "gauge",
               "Smoothed round-trip time of a DNS server; 0 until it is measured.");
    for (size_t i = 0; i < servers.count; i++)
        (void)fprintf(stream, "iprevd_dns_server_rtt_seconds{server=\"%s\"} %.3f\n",
                      servers.list[i].text, servers.list[i].rtt_ms / 1000.0);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        print_server_counter(stream, &servers, counters[i].name, counters[i].help,
                             counters[i].offset);
}

static void print_memory(const struct exporter_services *services, FILE *stream)
{
    struct client_memory_stats stats;
    services->memory(services->arg, &stats);
    print_one(stream, "iprevd_memory_clients", "gauge", "Clients that are remembered.",
              stats.clients);
    print_one(stream, "iprevd_memory_bytes", "gauge", "Bytes of the memory of clients in use.",
              stats.bytes);
    print_one(stream, "iprevd_memory_size_bytes", "gauge",
              "Bytes that the memory of clients may use (the option size).", stats.size_bytes);
    print_one(stream, "iprevd_memory_replaced_total", "counter",
              "Clients forgotten to make room for others.", stats.replaced);
    print_one(stream, "iprevd_memory_left_out_total", "counter",
              "New clients not remembered for want of room.", stats.left_out);
}

/* Everything that is exported.  RESULT_IO when the stream fails. */
static enum result print(const struct exporter_services *services, FILE *stream)
{
    resolver_update_figures(services->resolver);
    enum result status = metrics_print(services->metrics, stream);
    if (status != RESULT_OK)
        return status;
    print_one(stream, "iprevd_cache_size_bytes", "gauge",
              "Bytes that the cache may use (the option size).",
              services->cache_size(services->arg));
    print_servers(services, stream);
    print_one(stream, "iprevd_exemptions", "gauge", "Exemptions made by iprevctl allow.",
              services->exemptions(services->arg));
    print_memory(services, stream);
    print_one(
        stream, "iprevd_table_limit_hits_total", "counter",
        "Patterns of tables given up at a limit of time or memory, since the tables were read.",
        services->table_limit_hits(services->arg));
    print_one(stream, "iprevd_log_lines_lost_total", "counter",
              "Log lines lost because the reader of the log is too slow or gone.", log_lost());
    print_one(stream, "process_start_time_seconds", "gauge", "When the daemon was started.",
              (uint64_t)services->start_s);
    return ferror(stream) != 0 ? RESULT_IO : RESULT_OK;
}

/* --- HTTP ----------------------------------------------------------------------------------- */

/* The request line and the header; a body is of no interest. */
static size_t whole_request(const char *text, size_t length, bool ended)
{
    (void)ended; /* an empty line ends a header, and nothing else */
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] != '\n')
            continue;
        if (text[i + 1] == '\n')
            return i + 2;
        if (i + 2 < length && text[i + 1] == '\r' && text[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static bool begins(const char *text, size_t length, const char *with)
{
    size_t size = strlen(with);
    return length >= size && memcmp(text, with, size) == 0;
}

/* The status line for a request: "200 OK" and others. */
static const char *judge(const char *request, size_t length)
{
    static const char target[] = "/metrics";
    const char *end = memchr(request, '\n', length);
    const char *space = memchr(request, ' ', length);
    if (end == NULL || space == NULL || space > end || space == request)
        return "400 Bad Request";
    const char *at = space + 1;
    const char *last = memchr(at, ' ', (size_t)(end - at));
    if (last == NULL || !begins(last + 1, (size_t)(end - last - 1), "HTTP/1."))
        return "400 Bad Request";
    if (!begins(at, (size_t)(last - at), target) ||
        (at[sizeof target - 1] != ' ' && at[sizeof target - 1] != '?'))
        return "404 Not Found";
    return begins(request, (size_t)(space - request), "GET") && space - request == 3
               ? "200 OK"
               : "405 Method Not Allowed";
}

/* Everything as text, malloc'ed; NULL: out of memory. */
static char *make_body(const struct exporter_services *services, size_t *length)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, length);
    if (stream == NULL)
        return NULL;
    bool ok = print(services, stream) == RESULT_OK;
    if (fclose(stream) == 0 && ok)
        return text;
    free(text);
    return NULL;
}

static void serve(void *arg, struct request_server_peer *peer, const char *request, size_t length)
{
    struct exporter *exporter = arg;
    const char *verdict = judge(request, length);
    char *body = NULL, head[256];
    size_t body_length = 0;
    bool good = strncmp(verdict, "200", 3) == 0;
    if (good && (body = make_body(&exporter->services, &body_length)) == NULL) {
        good = false;
        verdict = "503 Service Unavailable";
    }
    int head_length = snprintf(head, sizeof head,
                               "HTTP/1.1 %s\r\nContent-Type: text/plain%s\r\n"
                               "Content-Length: %zu\r\nAllow: GET\r\nConnection: close\r\n\r\n",
                               verdict, good ? "; version=0.0.4; charset=utf-8" : "",
                               good ? body_length : strlen(verdict) + 1);
    request_server_send(peer, head, (size_t)head_length);
    if (good) {
        request_server_send(peer, body, body_length);
    } else {
        request_server_send(peer, verdict, strlen(verdict));
        request_server_send(peer, "\n", 1);
    }
    free(body);
    request_server_finish(peer);
}

/* --- life ----------------------------------------------------------------------------------- */

struct exporter *exporter_new(const struct exporter_services *services, int fd)
{
    struct exporter *exporter = calloc(1, sizeof *exporter);
    const struct request_server_settings settings = {
        .max_peers = PEERS_MAX,
        .request_max = REQUEST_MAX_BYTES,
        .request_ms = REQUEST_MS,
        .progress_ms = PROGRESS_MS,
        .answer_chunk = 0,
        .too_long = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n",
        .whole = whole_request,
        .serve = serve,
        .arg = exporter,
    };
    if (exporter != NULL)
        exporter->services = *services;
    struct request_server *request_server = request_server_new(services->loop, fd, &settings);
    if (exporter == NULL || request_server == NULL) {
        request_server_free(request_server);
        free(exporter);
        return NULL;
    }
    exporter->request_server = request_server;
    return exporter;
}

void exporter_free(struct exporter *exporter)
{
    if (exporter == NULL)
        return;
    request_server_free(exporter->request_server);
    free(exporter);
}
