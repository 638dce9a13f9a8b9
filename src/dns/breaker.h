/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the resolver itself down, or only somebody's zone?  A window over the latest outcomes by zone
 * raises the suspicion: the questions about several different zones fail and hardly any succeed, or
 * all of many networks are denied.  A probe decides: questions that any resolver which does its
 * work answers, asked of the servers themselves.  So no set of broken or empty zones opens the
 * breaker, however many they are and however often they are asked about.  It closes at a probe,
 * too.
 */
#ifndef IPREVD_BREAKER_H
#define IPREVD_BREAKER_H

#include "base/metrics.h"
#include "dns/cache.h"
#include "dns/finding.h"
#include "dns/source.h"

/* Outcomes older than this say nothing any more, in milliseconds. */
#define BREAKER_WINDOW_MS 60000

/* Zones that are remembered: the ones heard of last. */
#define BREAKER_ZONES 64

/* So many different zones must fail, and so many times as many as succeed. */
#define BREAKER_OPEN_ZONES 4
#define BREAKER_OPEN_RATIO 4

/* Or they fail and not one has succeeded for so many milliseconds: a busy server's resolver went.
 */
#define BREAKER_RECENT_MS 5000

/*
 * It closes without an answered probe, too, when this many times as many zones succeed as fail:
 * some servers never resolve the probe's name (no way to the Internet, or a filter).
 */
#define BREAKER_CLOSE_RATIO 16

/*
 * A resolver that denies everything: in so many milliseconds so many networks (/16, /32 of IPv6)
 * were denied, and not one PTR record was found.
 */
#define BREAKER_DENIED_MS       600000
#define BREAKER_DENIED_NETWORKS 20

/*
 * Milliseconds from one probe to the next: while there is suspicion, and while it is open.  A probe
 * that is not answered in BREAKER_PROBE_MS has failed, while it is open in BREAKER_CLOSING_MS.
 */
#define BREAKER_REST_MS    10000
#define BREAKER_OPEN_MS    1000
#define BREAKER_PROBE_MS   4000
#define BREAKER_CLOSING_MS 2000

/* The address whose PTR record every resolver of the Internet finds: a root server's. */
#define BREAKER_CONTROL "198.41.0.4"

/* Clients whose PTR record was found lately: they are asked for, too. */
#define BREAKER_FOUND_MAX 3

struct breaker;

/* What a breaker works with; all are borrowed. */
struct breaker_services {
    struct sources *sources; /* what a probe asks */
    struct cache *cache;
    struct loop *loop;
    struct metric *outage; /* 1 while it is open; may be NULL */
    struct finding_log *findings;
    /* It has opened or closed.  On the loop's thread, in the middle of breaker_report(). */
    void (*changed)(void *arg, bool open);
    void *arg;
    struct ipaddr control; /* as breaker_set_control() changes it; IP_NONE: none */
};

/* Closed.  NULL: out of memory. */
struct breaker *breaker_new(const struct breaker_services *services) MUST_CHECK;

/* After breaker_stop().  NULL is fine. */
void breaker_free(struct breaker *breaker);

/*
 * The address whose PTR record a probe asks for, of IP_NONE: none.  Any thread; RESULT_NOMEM or
 * RESULT_CLOSED: it stays as it was.
 */
enum result breaker_set_control(struct breaker *breaker, const struct ipaddr *control) MUST_CHECK;

/* Ends a probe under way, and makes no more.  The loop's thread, or none when it was stopped. */
void breaker_stop(struct breaker *breaker);

/*
 * The outcome of a question, which may begin a probe.  `answer` NULL: it has not come for so long
 * that it is missed.  The loop's thread.
 */
void breaker_report(struct breaker *breaker, const struct question *question,
                    const struct answer *answer);

/* Any thread, without a lock. */
struct breaker_health {
    bool open;
    bool denies;      /* it is open as the servers deny everything */
    int64_t since_ms; /* monotonic; 0: it never opened */
};
struct breaker_health breaker_health(const struct breaker *breaker);
bool breaker_is_open(const struct breaker *breaker);

/* Open, as the servers deny everything: denials are not to be believed. */
bool breaker_denies(const struct breaker *breaker);

/* --- the rule, which is pure: time is an argument -------------------------------------------- */

enum breaker_outcome {
    BREAKER_ZONE_FOUND,
    BREAKER_ZONE_DENIES, /* there is no such name or record */
    BREAKER_ZONE_FAILS,
};

/* What is suspected, and a probe decides. */
enum breaker_suspicion {
    BREAKER_NOTHING,
    BREAKER_DOWN,       /* the servers do not resolve */
    BREAKER_DENIES_ALL, /* they deny everything */
};

enum breaker_probe {
    BREAKER_ANSWERED, /* as a resolver does that is neither down nor denies everything */
    BREAKER_FAILED,   /* the suspicion is right */
    BREAKER_UNCLEAR,  /* nothing follows from what was answered */
    BREAKER_UNKNOWN,  /* nothing was answered at all, or by servers that are not asked any more */
};

struct breaker_window {
    bool open;
    enum breaker_suspicion cause;   /* of its being open */
    enum breaker_suspicion probing; /* about what a probe is under way */
    int64_t since_ms;               /* when it opened or closed */
    bool probed;                    /* there has been one, and it was answered */
    int64_t probe_ms;               /* when the last one began */
    bool found;                     /* a PTR record was: */
    int64_t found_ms;               /* when last */
    struct {
        uint64_t zone;
        int64_t when_ms;
        enum breaker_outcome outcome;
        bool used;
    } zones[BREAKER_ZONES];
};

/*
 * Take the outcome of a question.  Failures count only for PTR: the names in a PTR are chosen by
 * the owner of the reverse zone, and could be of many broken zones at once.  What is returned must
 * be probed now, and the outcome goes to breaker_window_probed(); while it is open probes are begun
 * by breaker_window_again().
 */
enum breaker_suspicion breaker_window_feed(struct breaker_window *window,
                                           const struct question *question,
                                           enum breaker_outcome outcome, int64_t now_ms);

/* It is open, and BREAKER_OPEN_MS have passed: what is to be probed again, if anything. */
enum breaker_suspicion breaker_window_again(struct breaker_window *window, int64_t now_ms);

/* The probe's end.  True when the breaker opened or closed by it. */
bool breaker_window_probed(struct breaker_window *window, enum breaker_probe probe, int64_t now_ms);

/*
 * A question of the probe: an address of a name that does not exist, below a zone that no customer
 * owns.  `random`: another one each time, or a cache would answer.
 */
void breaker_question(uint64_t random, struct question *out);

/* The zone that stands for the question, as a hash. */
uint64_t breaker_zone(const struct question *question);

#endif
