/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lookup.c (asking and waiting), lookup_names.c (which PTR name is asked about next),
 * lookup_elsewhere.c (what is no DNS) and lookup_facts.c (what is known) know of each other. Nobody
 * else includes this.
 *
 * A lookup has three parts, the reverse one, that of the EHLO name and that of DNS lists, each an
 * array of asks. Answers
 * arrive on the resolver's thread while the session's thread goes on; the lookup's mutex guards all
 * of it and is never held across a call into the resolver.  A part lives until its last answer
 * has come, even when the lookup was freed meanwhile, and keeps the lookup's memory that long.
 */
#ifndef IPREVD_LOOKUP_PRIVATE_H
#define IPREVD_LOOKUP_PRIVATE_H

#include "base/thread.h"
#include "dns/lookup.h"

/* One question and what became of it. */
struct ask {
    struct part *part;
    bool asked, answered;
    bool cancelled; /* asked, but not any more: it will be as if it had never been */
    bool wanted;    /* of a PTR name: by lookup_ask_names() */
    bool confirms;  /* of a PTR name: its addresses hold the client's */
    uint8_t name_length;
    const uint8_t *name;   /* of a PTR name: in the answer to the PTR question */
    const char *zone;      /* of a DNS list: borrowed, not after the part was dropped */
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
    int64_t deadline_ms;
    int64_t started_ms, last_ms; /* of the last answer */
    unsigned pending;
    bool dropped;
    bool failed; /* an answer was a temporary failure */
    bool held;   /* nothing is asked until lookup_go_on() */
    size_t ask_count;
    /* Of the reverse part: the asks from ASK_NAMES on that have a name, and since when. */
    size_t name_count;
    int64_t names_ms;
    char name[HOSTNAME_MAX + 1]; /* of the EHLO part; of the reverse part the preferred name */
    struct ask asks[];
};

struct lookup {
    atomic_uint refs; /* the session's, and one for each part */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct resolver *resolver;
    struct ipaddr client;
    uint64_t network; /* its resolver_network() */
    bool all_cached;
    bool helo_failed, lists_failed;     /* that part could not be made */
    bool news;                          /* something was answered since lookup_facts() */
    char helo_domain[HOSTNAME_MAX + 1]; /* of lookup_favour() */
    char sender_domain[HOSTNAME_MAX + 1];
    void *facts_memory;
    enum lookup_elsewhere elsewhere;
    int64_t elsewhere_until_ms; /* so long it is awaited */
    struct part *helo, *lists;  /* NULL: there is none */
    struct part reverse;        /* last: its asks follow */
};

static inline int64_t lookup_now_ms(const struct lookup *lookup)
{
    return clock_ms(resolver_clock(lookup->resolver));
}

static inline enum rrtype lookup_own_type(const struct lookup *lookup)
{
    return lookup->client.family == IP_V6 ? RR_AAAA : RR_A;
}

/* Give a reference back. */
void lookup_unref(struct lookup *lookup);

/* lookup_elsewhere.c: may an answer from elsewhere still come?  As part_open(); with the lock held.
 */
bool lookup_elsewhere_is_open(const struct lookup *lookup, int64_t now_ms, int64_t *until_ms);

/* PTR names that are asked about at a time. */
#define LOOKUP_NAMES_AT_ONCE 3

/* May an answer to this part's questions still come?  With the lock held. */
bool lookup_part_waits(const struct part *part, int64_t now_ms);

/* --- PTR names (lookup_names.c), with the lock held ---------------------------------------------
 */

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

/* False: there are no more. */
bool lookup_name_walk(struct name_walk *walk);

/* The answer to the PTR question if it has names, else NULL. */
const struct answer *lookup_names_of(const struct part *reverse);

/* The PTR question was answered: which of its names have a place among the asks. */
void lookup_names_list(struct part *reverse);

/* Has one of them led back to the client? */
bool lookup_names_confirmed(const struct part *reverse);

/* The ask of the name that is to be asked about now, or NULL. */
struct ask *lookup_names_next(struct part *reverse, int64_t now_ms);

/* When there will be one, if no answer comes; INT64_MAX: never. */
int64_t lookup_names_due_ms(const struct part *reverse, int64_t now_ms);

#endif
