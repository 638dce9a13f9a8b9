/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the resolver itself down, or only somebody's zone?  A window over the latest outcomes by zone
 * raises the suspicion: the questions about several different zones fail and hardly any succeed.  A
 * probe decides: a question that any resolver which does its work answers, asked of the servers
 * themselves.  So no set of broken zones opens the breaker, however many they are and however often
 * they are asked about.  It closes at a probe, too: when that is answered, or nearly all else is.
 */
#ifndef IPREVD_BREAKER_H
#define IPREVD_BREAKER_H

#include "base/metrics.h"
#include "dns/cache.h"
#include "dns/source.h"

/* Outcomes older than this say nothing any more, in milliseconds. */
#define BREAKER_WINDOW_MS 60000

/* Zones that are remembered: the ones heard of last. */
#define BREAKER_ZONES 64

/* So many different zones must fail, and so many times as many as succeed. */
#define BREAKER_OPEN_ZONES 4
#define BREAKER_OPEN_RATIO 4

/*
 * It closes without an answered probe, too, when this many times as many zones succeed as fail:
 * some servers never resolve the probe's name (no way to the Internet, or a filter).
 */
#define BREAKER_CLOSE_RATIO 16

/*
 * Milliseconds from one probe to the next: while lookups fail, and while it is open and one was
 * answered.  A probe that is not answered in BREAKER_PROBE_MS has failed.
 */
#define BREAKER_REST_MS  10000
#define BREAKER_HOPE_MS  1000
#define BREAKER_PROBE_MS 4000

struct breaker;

/* What a breaker works with; all are borrowed. */
struct breaker_services {
    struct sources *sources; /* what a probe asks */
    struct cache *cache;
    struct loop *loop;
    struct metric *outage; /* 1 while it is open; may be NULL */
    /* It has opened or closed.  On the loop's thread, in the middle of breaker_report(). */
    void (*changed)(void *arg, bool open);
    void *arg;
};

/* Closed.  NULL: out of memory. */
struct breaker *breaker_new(const struct breaker_services *services) MUST_CHECK;

/* After breaker_stop().  NULL is fine. */
void breaker_free(struct breaker *breaker);

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
    int64_t since_ms; /* monotonic; 0: it never opened */
};
struct breaker_health breaker_health(const struct breaker *breaker);
bool breaker_is_open(const struct breaker *breaker);

/* --- the rule, which is pure: time is an argument -------------------------------------------- */

enum breaker_probe {
    BREAKER_ANSWERED, /* with records, with none, or that there is no such name */
    BREAKER_FAILED,
    BREAKER_UNKNOWN, /* it could not be asked */
};

struct breaker_window {
    bool open;
    int64_t since_ms; /* when it opened or closed */
    bool probing;     /* a probe is under way */
    bool probed;      /* there has been one, and it said something */
    int64_t probe_ms; /* when the last one began */
    struct {
        uint64_t zone;
        int64_t when_ms;
        bool failed;
        bool used;
    } zones[BREAKER_ZONES];
};

/*
 * Take the outcome of a question.  Failures count only for PTR: the names in a PTR are chosen by
 * the owner of the reverse zone, and could be of many broken zones at once.  True: a probe must be
 * made now, and its outcome goes to breaker_window_probed().
 */
bool breaker_window_feed(struct breaker_window *window, const struct question *question,
                         bool failed, int64_t now_ms);

/* The probe's end.  True when the breaker opened or closed by it. */
bool breaker_window_probed(struct breaker_window *window, enum breaker_probe probe, int64_t now_ms);

/*
 * The question of a probe: an address of a name that does not exist, below a zone that no customer
 * owns.  `random`: another one each time, or a cache would answer.
 */
void breaker_question(uint64_t random, struct question *out);

#endif
