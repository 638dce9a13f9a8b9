/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "dns_lab.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_SOA = 6, TYPE_OPT = 41 };

static int64_t by_hand_ms(void *arg)
{
    return *(int64_t *)arg;
}

static int64_t no_wall_s(void *arg)
{
    (void)arg;
    return 1700000000;
}

static int open_socket(uint16_t *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&where, &size), 0);
    *port = ntohs(where.sin_port);
    return fd;
}

void lab_open(struct lab *lab, unsigned servers)
{
    char path[] = "dns_lab.XXXXXX";
    *lab = (struct lab){.now_ms = 1000000, .server_count = servers};
    lab->clock = (struct clock){by_hand_ms, no_wall_s, &lab->now_ms};
    lab->log = mkstemp(path);
    ck_assert_int_ge(lab->log, 0);
    (void)unlink(path);
    ck_assert_int_eq(dup2(lab->log, STDERR_FILENO), STDERR_FILENO); /* each test is a process */
    log_open(LOG_SINK_STDERR, "test", NULL);
    lab->loop = loop_new_with(&lab->clock);
    lab->metrics = metrics_new();
    ck_assert(lab->loop != NULL && lab->metrics != NULL);
    for (unsigned i = 0; i < servers; i++)
        lab->servers[i] = open_socket(&lab->ports[i]);
}

int lab_listen(struct lab *lab, unsigned server)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    where.sin_port = htons(lab->ports[server]);
    while (bind(fd, (const struct sockaddr *)&where, sizeof where) != 0) {
        ck_assert_int_eq(errno, EADDRINUSE); /* of another program: then another port for both */
        int another = open_socket(&lab->ports[server]);
        (void)close(lab->servers[server]);
        lab->servers[server] = another;
        where.sin_port = htons(lab->ports[server]);
    }
    ck_assert_int_eq(listen(fd, 64), 0);
    return fd;
}

void lab_start(struct lab *lab, const struct network_settings *settings)
{
    struct network_settings own = {0};
    if (settings != NULL)
        own = *settings;
    if (own.resolv_conf == NULL)
        own.server_count = lab->server_count;
    for (unsigned i = 0; i < own.server_count; i++)
        own.servers[i] = (struct network_server){.addr = {.family = IP_V4, .bytes = {127, 0, 0, 1}},
                                                 .port = lab->ports[i]};
    lab->source = network_new(lab->loop, &own, lab->metrics);
    ck_assert_ptr_nonnull(lab->source);
}

void lab_close(struct lab *lab)
{
    loop_stop(lab->loop);
    if (lab->source != NULL)
        lab->source->ops->free(lab->source);
    loop_free(lab->loop);
    metrics_free(lab->metrics);
    for (unsigned i = 0; i < lab->server_count; i++)
        (void)close(lab->servers[i]);
    (void)close(lab->log);
}

void lab_settle(struct lab *lab)
{
    while (loop_step(lab->loop))
        ;
}

void lab_pass(struct lab *lab, int64_t ms)
{
    int64_t end_ms = lab->now_ms + ms;
    lab_settle(lab);
    while (loop_due_ms(lab->loop) <= end_ms) {
        if (loop_due_ms(lab->loop) > lab->now_ms)
            lab->now_ms = loop_due_ms(lab->loop);
        lab_settle(lab);
    }
    lab->now_ms = end_ms;
    lab_settle(lab);
}

static void on_done(void *arg, const struct source_result *result)
{
    struct lab_asker *asker = arg;
    ck_assert(!asker->done);
    asker->done = true;
    asker->handle = NULL;
    asker->nothing = result->answer == NULL;
    if (result->answer == NULL)
        return;
    asker->outcome = result->answer->outcome;
    asker->problem = result->answer->problem;
    asker->server = result->answer->server;
    asker->ttl_s = result->answer->ttl_s;
    if (asker->outcome == DNS_TEMPERROR)
        (void)snprintf(asker->text, sizeof asker->text, "%s", answer_problem_text(result->answer));
    answer_unref(result->answer);
}

/* "a.b" in wire form. */
static size_t put_name(const char *name, uint8_t *out)
{
    size_t at = 0;
    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        out[at++] = (uint8_t)length;
        memcpy(out + at, name, length);
        at += length;
        name += length;
        name += *name == '.';
    }
    out[at++] = 0;
    return at;
}

struct lab_asker *lab_ask(struct lab *lab, const char *name, uint16_t type, int64_t ms)
{
    struct question question = {.type = type};
    ck_assert_uint_lt(lab->asked, LAB_ASKERS);
    struct lab_asker *asker = &lab->askers[lab->asked++];
    question.length = (uint8_t)put_name(name, question.name);
    void *handle = lab->source->ops->ask(lab->source, &question, lab->now_ms + ms, on_done, asker);
    if (handle != NULL)
        asker->handle = handle;
    lab_settle(lab);
    return asker;
}

static unsigned u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

bool lab_take(struct lab *lab, unsigned server, struct lab_packet *out)
{
    socklen_t size = sizeof out->from;
    memset(out, 0, sizeof *out);
    out->server = server;
    ssize_t got = recvfrom(lab->servers[server], out->bytes, sizeof out->bytes, MSG_DONTWAIT,
                           (struct sockaddr *)&out->from, &size);
    if (got < 0)
        return false;
    out->length = (size_t)got;
    ck_assert_uint_ge(out->length, 12 + 5);
    size_t at = 12, used = 0;
    for (; out->bytes[at] != 0; at += 1U + out->bytes[at])
        used += (size_t)snprintf(out->name + used, sizeof out->name - used, "%s%.*s",
                                 used > 0 ? "." : "", out->bytes[at],
                                 (const char *)out->bytes + at + 1);
    out->type = (uint16_t)u16(out->bytes + at + 1);
    out->end = at + 5;
    out->edns = u16(out->bytes + 10) > 0;
    return true;
}

void lab_expect(struct lab *lab, unsigned server, const char *name, uint16_t type,
                struct lab_packet *out)
{
    ck_assert_msg(lab_take(lab, server, out), "no packet about %s", name);
    ck_assert_str_eq(out->name, name);
    ck_assert_uint_eq(out->type, type);
}

void lab_begin(struct lab_answer *answer, const struct lab_packet *packet, unsigned rcode)
{
    memset(answer, 0, sizeof *answer);
    memcpy(answer->bytes, packet->bytes, packet->end);
    answer->bytes[2] = 0x81; /* QR, RD */
    answer->bytes[3] = (uint8_t)(0x80 | rcode);
    memset(answer->bytes + 6, 0, 6);
    answer->length = packet->end;
}

void lab_record(struct lab_answer *answer, unsigned section, const char *owner, uint16_t type,
                uint32_t ttl_s, const void *data, size_t length)
{
    uint8_t *at = answer->bytes + answer->length + put_name(owner, answer->bytes + answer->length);
    answer->bytes[5 + 2 * section]++;
    *at++ = (uint8_t)(type >> 8);
    *at++ = (uint8_t)type;
    *at++ = type == TYPE_OPT ? 1232 >> 8 : 0;
    *at++ = type == TYPE_OPT ? 1232 & 255 : 1;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(ttl_s >> shift);
    *at++ = (uint8_t)(length >> 8);
    *at++ = (uint8_t)length;
    memcpy(at, data, length);
    answer->length = (size_t)(at - answer->bytes) + length;
    ck_assert_uint_le(answer->length, sizeof answer->bytes);
}

void lab_soa(struct lab_answer *answer, unsigned section, const char *owner)
{
    static const uint8_t data[] = {1, 'n', 0, 1, 'h', 0, 0, 0, 0, 1, 0, 0, 0,
                                   2, 0,   0, 0, 3,   0, 0, 0, 4, 0, 0, 0, 60};
    lab_record(answer, section, owner, TYPE_SOA, 60, data, sizeof data);
}

void lab_send(struct lab *lab, const struct lab_packet *packet, const struct lab_answer *answer)
{
    ck_assert_int_eq(sendto(lab->servers[packet->server], answer->bytes, answer->length, 0,
                            (const struct sockaddr *)&packet->from, sizeof packet->from),
                     (ssize_t)answer->length);
    lab_settle(lab);
}

void lab_reply(struct lab *lab, const struct lab_packet *packet, unsigned rcode)
{
    struct lab_answer answer;
    lab_begin(&answer, packet, rcode);
    lab_send(lab, packet, &answer);
}

unsigned lab_logged(const struct lab *lab, const char *text)
{
    static char buffer[1 << 16];
    ssize_t got = pread(lab->log, buffer, sizeof buffer - 1, 0);
    unsigned count = 0;
    ck_assert_int_ge(got, 0);
    buffer[got] = '\0';
    for (const char *at = buffer; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

int64_t lab_metric(const struct lab *lab, const char *name)
{
    const struct metric *metric = metrics_find(lab->metrics, name);
    ck_assert_ptr_nonnull(metric);
    return metric_value(metric, 0, 0);
}
