/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lookup.c (asking and waiting) and lookup_facts.c (what follows from the answers) know of
 * each other.  Nobody else includes this.
 */
#ifndef IPREVD_LOOKUP_PRIVATE_H
#define IPREVD_LOOKUP_PRIVATE_H

#include "dns/lookup.h"

#include <pthread.h>

/* One question and what became of it. */
struct ask {
    struct part *part;
    bool asked, answered;
    struct answer *answer; /* NULL after `answered`: memory ran out */
    enum dns_origin origin;
    uint32_t ttl_left_s, took_ms;
    unsigned recoveries;              /* of the resolver, when it was asked */
    struct resolver_request *request; /* our handle; given back once */
};

/* The asks of the reverse part: the PTR, then the usable names in their order. */
enum { ASK_PTR, ASK_NAMES };
/* The asks of the EHLO part. */
enum { ASK_HELO, ASK_HELO_OTHER, ASK_HELO_MX, ASK_HELO_COUNT };

struct part {
    atomic_uint refs; /* the lookup's, and one for each ask under way */
    struct lookup *lookup;
    void (*answered)(struct part *part, struct ask *ask);
    int64_t deadline_ms;
    int64_t started_ms, last_ms; /* of the last answer */
    unsigned pending;
    bool dropped;
    size_t ask_count;
    char name[HOSTNAME_MAX + 1]; /* of the EHLO part; of the reverse part the preferred name */
    struct ask asks[];
};

struct lookup {
    atomic_uint refs; /* the session's, and one for each part */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct resolver *resolver;
    struct ipaddr client;
    bool all_cached;
    bool helo_failed; /* the EHLO part could not be made */
    void *facts_memory;
    struct part *helo;
    struct part reverse; /* last: its asks follow */
};

/* --- the names in a PTR answer --------------------------------------------------------------- */

/* Walks the names in the answer's canonical order, which is not the packet's; doubles left out. */
struct name_walk {
    const struct answer *answer;
    size_t next;
    const uint8_t *last;
    size_t last_length; /* 0: before the first */
    /* The current name. */
    enum hostname_flaw flaw;
    char name[HOSTNAME_MAX + 1]; /* canonical, for HOSTNAME_OK */
    char text[NAME_TEXT_MAX];    /* presentation form */
};

/* The next name; false: there is none. */
bool lookup_next_name(struct name_walk *walk);

/*
 * How many of the usable names are looked up in their order: all that there are places for, but one
 * less where the preferred name stands behind them.
 */
size_t lookup_names_in_order(const struct part *part, const struct answer *answer);

/* Has the name at hand, the usable-th usable one from 0, a place among the asks of the part? */
bool lookup_has_place(const struct part *part, const struct name_walk *walk, size_t usable,
                      size_t in_order);

#endif
