/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network source before DNS servers that a test plays: sockets on loopback, a clock that is
 * moved by hand.  A datagram has arrived when send() returns, so nothing is waited for.
 */
#ifndef DNS_LAB_H
#define DNS_LAB_H

#include "dns/network.h"

#include <netinet/in.h>

#define LAB_SERVERS 3
#define LAB_ASKERS  8
#define LAB_MESSAGE 4096

enum { LAB_NOERROR = 0, LAB_FORMERR = 1, LAB_SERVFAIL = 2, LAB_NXDOMAIN = 3, LAB_REFUSED = 5 };
enum { LAB_TC = 0x02 };

/* A question that arrived at a server. */
struct lab_packet {
    unsigned server;
    struct sockaddr_in from;
    uint8_t bytes[LAB_MESSAGE];
    size_t length, end; /* of the whole, of the question */
    uint16_t type;
    char name[300]; /* in text */
    bool edns;
};

struct lab_asker {
    void *handle;
    bool done;
    uint8_t outcome, problem, server;
    uint32_t ttl_s;
    bool nothing;   /* no answer: out of memory */
    char text[300]; /* of a failure */
};

struct lab {
    int64_t now_ms;
    struct clock clock;
    struct loop *loop;
    struct metrics *metrics;
    struct source *source;
    unsigned server_count;
    int servers[LAB_SERVERS];
    uint16_t ports[LAB_SERVERS];
    struct lab_asker askers[LAB_ASKERS];
    unsigned asked;
    int log; /* what was logged, a file */
};

/* Open sockets for that many servers; the source is not made yet.  Logging goes to a file. */
void lab_open(struct lab *lab, unsigned servers);

/* A listener for TCP connections at a server's port, before lab_start(); the caller closes it. */
int lab_listen(struct lab *lab, unsigned server);

/* Make the source that asks these servers; `settings` may be NULL. */
void lab_start(struct lab *lab, const struct network_settings *settings);
void lab_close(struct lab *lab);

/* Everything that can run now does. */
void lab_settle(struct lab *lab);

/* Time passes: timers run when they are due, one after another. */
void lab_pass(struct lab *lab, int64_t ms);

/* Ask, until then from now; returns the asker. */
struct lab_asker *lab_ask(struct lab *lab, const char *name, uint16_t type, int64_t ms);

/* The next packet that arrived at this server, or false. */
bool lab_take(struct lab *lab, unsigned server, struct lab_packet *out);

/* The next packet must be there and about this name and type. */
void lab_expect(struct lab *lab, unsigned server, const char *name, uint16_t type,
                struct lab_packet *out);

/* Answers: begun, given records, sent. */
struct lab_answer {
    uint8_t bytes[LAB_MESSAGE];
    size_t length;
};
void lab_begin(struct lab_answer *answer, const struct lab_packet *packet, unsigned rcode);
/* section: 1 answer, 2 authority, 3 additional; data in wire form. */
void lab_record(struct lab_answer *answer, unsigned section, const char *owner, uint16_t type,
                uint32_t ttl_s, const void *data, size_t length);
void lab_soa(struct lab_answer *answer, unsigned section, const char *owner);
void lab_send(struct lab *lab, const struct lab_packet *packet, const struct lab_answer *answer);

/* An answer without records. */
void lab_reply(struct lab *lab, const struct lab_packet *packet, unsigned rcode);

/* How often a text is in the log so far. */
unsigned lab_logged(const struct lab *lab, const char *text);

int64_t lab_metric(const struct lab *lab, const char *name);

#endif
