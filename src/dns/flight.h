/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flights: the questions under way, one for each name and type, and who waits for them.  For
 * resolver.c only.  All of it belongs to one thread, that of the loop (or the caller's without a
 * loop), and needs no lock; other threads get here through loop_post().
 */
#ifndef IPREVD_FLIGHT_H
#define IPREVD_FLIGHT_H

#include "dns/resolver.h"

#include <sys/queue.h>

/*
 * One asker.  It has two owners, its flight (until done) and the asker's handle (until
 * resolver_cancel()), and a reference for each message posted about it.
 */
struct resolver_request {
    TAILQ_ENTRY(resolver_request) link; /* in its flight's waiters */
    atomic_uint refs;
    atomic_bool answered; /* done was called: set on the loop's thread */
    struct resolver *resolver;
    struct flight *flight; /* NULL: not begun, or done */
    resolver_done *done;   /* NULL: a refresh in the background */
    void *arg;
    struct answer *stale; /* to fall back on, or NULL */
    int64_t stale_due_ms; /* when to fall back on it at the latest */
    int64_t asked_ms, deadline_ms;
    uint64_t hash; /* of the question: its place in the table of flights */
    struct question question;
};

/* A source, and who uses it: the resolver, and each flight that began with it. */
struct origin {
    SLIST_ENTRY(origin) link; /* among the retired */
    struct source *source;
    unsigned users;
};

/* Milliseconds after which an answer that has not come is missed, whoever hangs up then. */
#define FLIGHT_IN_VAIN_MS 2000

struct flight;
LIST_HEAD(flight_list, flight);

enum flight_event {
    FLIGHT_BEGAN,
    FLIGHT_LANDED,
    FLIGHT_REFUSED,   /* at the limit, or out of memory */
    FLIGHT_CANCELLED, /* an asker has gone */
    FLIGHT_STALE,     /* a stale answer was given */
    FLIGHT_IN_VAIN,   /* nobody waits any more, after FLIGHT_IN_VAIN_MS without an answer */
};

struct flights {
    struct resolver *resolver;
    struct cache *cache; /* borrowed, as are the next three */
    struct loop *loop;   /* or NULL */
    const struct clock *clock;
    struct origin *origin;                   /* of new flights */
    SLIST_HEAD(, origin) retired;            /* nobody uses them any more; not freed yet */
    bool sweeping;                           /* flights_sweep() was posted */
    atomic_uint max_queries, max_cname_hops; /* any thread may change them */
    struct flight_list *table;               /* by question */
    size_t table_size;                       /* a power of two */
    unsigned count;
    bool closing; /* nothing begins any more */
    /* Answers for when there is no memory to make one. */
    struct answer *refused, *cancelled, *nomem;

    /* What the resolver counts and learns; `answer` is for FLIGHT_LANDED. */
    void (*on_event)(struct resolver *resolver, enum flight_event event,
                     const struct question *question, const struct answer *answer);
    /* The number under which a server's text is kept: it outlives the source. */
    uint8_t (*server_number)(struct resolver *resolver, const struct source *source,
                             unsigned server);
};

/* The rest of *flights is filled by the caller before.  RESULT_NOMEM. */
enum result flights_init(struct flights *flights) MUST_CHECK;

/* Cancels every flight: all who wait are told.  Fine when init failed. */
void flights_clear(struct flights *flights);

/*
 * One user less.  A source without users is freed by a call of its own on the loop's thread
 * (without a loop by flights_sweep()): the last user may leave while that source calls it, and the
 * source goes on afterwards.
 */
void origin_release(struct flights *flights, struct origin *origin);

/* Free the sources that nobody uses.  Not from within a call of a source. */
void flights_sweep(struct flights *flights);

/* Join the request's flight, or begin one; its done may be called before this returns. */
void flights_begin(struct flights *flights, struct resolver_request *request);

/* The request's asker has gone: done is called if it was not. */
void flights_drop(struct flights *flights, struct resolver_request *request);

/* Give the stale answers that are due. */
void flights_give_stale(struct flights *flights);

void request_unref(struct resolver_request *request);

#endif
