/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the resolver itself down, or only somebody's zone?  A window over the latest outcomes by zone:
 * the breaker opens when the questions about many different zones fail and hardly any succeed, so
 * one broken zone never opens it, however often it is asked.  Pure: time is an argument; not
 * locked.
 */
#ifndef IPREVD_BREAKER_H
#define IPREVD_BREAKER_H

#include "dns/answer.h"

/* Outcomes older than this say nothing any more, in milliseconds. */
#define BREAKER_WINDOW_MS 60000

/* Zones that are remembered: the ones heard of last. */
#define BREAKER_ZONES 64

/* So many different zones must fail, and so many times as many as succeed. */
#define BREAKER_OPEN_ZONES 8
#define BREAKER_OPEN_RATIO 4

/* So many different zones must answer for it to close. */
#define BREAKER_CLOSE_ZONES 2

struct breaker {
    bool open;
    int64_t since_ms; /* when it opened or closed */
    struct {
        uint64_t zone;
        int64_t when_ms;
        bool failed;
        bool used;
    } zones[BREAKER_ZONES];
};

/*
 * Take the outcome of a question.  Failures count only for PTR: the names in a PTR are chosen by
 * whoever owns the reverse zone, and could be of many broken zones at once.  True when the breaker
 * opened or closed by it.
 */
bool breaker_feed(struct breaker *breaker, const struct question *question, bool failed,
                  int64_t now_ms);

#endif
