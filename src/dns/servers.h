/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known about each DNS server, and which is asked next.  A server is down when it has
 * been silent to several questions in a row for some time, when nothing listens there, or
 * when it keeps failing where another server answers; one that fails like all others is not to
 * blame.  Time is an argument and nothing here does I/O; not thread safe.
 */
#ifndef IPREVD_SERVERS_H
#define IPREVD_SERVERS_H

#include "dns/network.h"

/* Bounds of the time after which a question is sent again, in milliseconds. */
#define SERVER_TIMEOUT_FIRST_MS 1000 /* nothing measured yet (RFC 6298 2.1) */
#define SERVER_TIMEOUT_MIN_MS   250
#define SERVER_TIMEOUT_MAX_MS   3000

#define SERVER_SILENT_MAX   3      /* tries in a row without an answer ... */
#define SERVER_SILENT_MS    2000   /* ... and this long nothing heard: down */
#define SERVER_OUTDONE_MAX  5      /* failures in a row where another server answered: down */
#define SERVER_PROBE_MIN_MS 1000   /* a server that is down is tried again after this, ... */
#define SERVER_PROBE_MAX_MS 30000  /* ... twice as long each time, up to this */
#define SERVER_PLAIN_MS     900000 /* a server that refused EDNS0 is asked without for this long */
#define SERVER_LIFE_MS      1500   /* a sign of life is waited for, before a server is silent */
#define SERVER_CASE_MS                                                                             \
    3600000 /* a server that changes letters is asked in lower case for so long */

#define SERVER_STRAYS_MAX 100   /* packets a minute that answer nothing: more are no accident */
#define SERVER_STRAYS_MS  60000 /* ... counted for so long */

/* Whether denials have an SOA record, and how TCP connections are used, is known for this long. */
#define SERVER_HABIT_MS 3600000

/*
 * A resolver keeps what it was asked until it is answered, and each repetition by itself; of one
 * address it takes only so many at a time (Unbound since 1.17.1-2+deb12u3: wait-limit, 1,000) and
 * drops what comes above.  So of a server that owes more answers than this nothing is asked again.
 */
#define SERVER_LADEN_MAX     600
#define SERVER_LADEN_SLOTS   16   /* so many times ... */
#define SERVER_LADEN_SLOT_MS 1000 /* ... this long a silent zone's question stays there */

#define SERVER_NO_LABEL 255 /* answer.server of a server whose text is not kept */

/* Why a server is down. */
enum server_fault { SERVER_UP, SERVER_SILENT, SERVER_UNREACHABLE, SERVER_FAILING };

/* What comes of several questions on one TCP connection. */
enum server_pipeline {
    PIPELINE_UNKNOWN,
    PIPELINE_OVERTAKES, /* answers come as they are ready */
    PIPELINE_ALONE,     /* in order, behind silent ones, or the connection is closed after one */
};

struct server {
    struct network_server where;
    char text[SERVER_TEXT_MAX];
    uint8_t label; /* answer.server */
    bool trusted;  /* its AD bit counts */
    unsigned refs;
    enum server_fault fault;
    unsigned silent;        /* tries in a row without an answer */
    unsigned unreachable;   /* ... refused by its host or the network */
    unsigned outdone;       /* failures in a row where another server answered */
    int64_t heard_ms;       /* last answer, or first question */
    bool measured;          /* the next two are known */
    int64_t rtt_us, var_us; /* smoothed round-trip time and its deviation (RFC 6298) */
    int64_t probe_due_ms;
    int64_t probe_wait_ms;
    int64_t plain_until_ms;      /* no EDNS0 before this; 0: never refused */
    int64_t edns_ms;             /* when a question with EDNS0 was answered last; 0: none was */
    int64_t lower_until_ms;      /* questions in lower case before this; 0: it keeps letters */
    bool local;                  /* on this machine: nobody can guess what is asked of it */
    bool doubted;                /* a sign of life is waited for */
    int64_t sent_soa_ms;         /* a denial had an SOA record; 0: none had */
    int64_t strips_soa_until_ms; /* it is known to strip them from all denials; 0: it is not */
    enum server_pipeline pipeline;
    int64_t pipeline_until_ms; /* after this: PIPELINE_UNKNOWN */
    uint64_t queries, answers, timeouts, failures, mismatched;
    int64_t strays_since_ms;           /* packets that answered nothing: counted since, ... */
    unsigned strays;                   /* ... so many */
    unsigned owed[SERVER_LADEN_SLOTS]; /* packets that are not answered, by when they were sent */
    int64_t owed_slot;                 /* the newest of them */
};

/* The servers in configured order.  Each holds one reference. */
struct servers {
    struct server *list[NETWORK_SERVERS_MAX];
    unsigned count;
    unsigned next; /* with rotate: the one that comes first next time */
};

/* A new server with one reference; NULL: out of memory. */
struct server *server_new(const struct network_server *where, uint8_t label,
                          bool trusted) MUST_CHECK;
struct server *server_ref(struct server *server);
void server_unref(struct server *server); /* NULL is fine */

/* The server at that place, or NULL. */
struct server *servers_find(const struct servers *servers, const struct network_server *where);
void servers_clear(struct servers *servers);

/*
 * The order in which to ask: those that are up as configured (or, with `rotate`, beginning with
 * another one each time), then those that are down.  Returns how many are up; borrows the servers.
 */
unsigned servers_order(struct servers *servers, bool rotate,
                       struct server *out[NETWORK_SERVERS_MAX]);

/* One that is down and whose time for a probe has come (the next is set); NULL: none. */
struct server *servers_probe(struct servers *servers, int64_t now_ms);

/*
 * Milliseconds to wait for an answer in the given round (0 is the first): doubled with each.
 * `fixed_ms`: as configured, for the first; 0: as measured.
 */
int64_t server_timeout_ms(const struct server *server, unsigned fixed_ms, unsigned round);

bool server_plain(const struct server *server, int64_t now_ms);

/* Has it answered a question with EDNS0 in the last SERVER_PLAIN_MS? */
bool server_knows_edns(const struct server *server, int64_t now_ms);

/*
 * What happened.  Each returns true when the server changed between up and down by it: once a
 * change, so that it can be logged.
 */
void server_asked(struct server *server, int64_t now_ms);
/* Does it owe so many answers that nothing is to be asked again? */
bool server_is_laden(struct server *server, int64_t now_ms);
/* A usable answer; or (`good` false) an error code: it speaks, which only ends silence. */
bool server_answered(struct server *server, int64_t rtt_ms, bool good, int64_t now_ms) MUST_CHECK;
/*
 * A try was not answered: a silent zone's doing, perhaps.  True: so many were not that the server
 * is to be asked for something of its own, to which any answer is a sign of life.
 * server_showed_no_life() follows when none has come.
 */
bool server_was_silent(struct server *server, int64_t now_ms) MUST_CHECK;
bool server_showed_no_life(struct server *server, int64_t now_ms) MUST_CHECK;
bool server_was_unreachable(struct server *server, int64_t now_ms) MUST_CHECK;
/*
 * A packet that answered no question.  True, once a minute: so many came in it that somebody
 * guesses.
 */
bool server_sent_stray(struct server *server, int64_t now_ms) MUST_CHECK;
/* It failed to answer a question that another server then did answer. */
bool server_was_outdone(struct server *server, int64_t now_ms) MUST_CHECK;

#endif
