/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source of DNS answers for tests that says what a script says, with a clock that stands still
 * until it is told to go on.
 */
#ifndef IPREVD_SCRIPTED_SOURCE_H
#define IPREVD_SCRIPTED_SOURCE_H

#include "base/clock.h"
#include "base/loop.h"
#include "dns/source.h"

struct scripted;

#define SCRIPTED_START_MS 1000000    /* the clock's first monotonic time */
#define SCRIPTED_START_S  1700000000 /* and wall-clock time */
#define SCRIPTED_NEVER    (-1)       /* as delay: no answer before the asker's deadline */

/* A script without lines: every name is NXDOMAIN.  Ends the test program when memory is out. */
struct scripted *scripted_new(void);

/* After the resolver that has the source was freed. */
void scripted_free(struct scripted *scripted);

/* The loop that goes by scripted_clock(), for resolver_new(). */
struct loop *scripted_loop(struct scripted *scripted);

/* Run what is due now: every answer without a delay is given then.  With a thread: nothing to do. */
void scripted_run(struct scripted *scripted);

/* No more is asked: before resolver_free(). */
void scripted_stop(struct scripted *scripted);

/* For resolver_new(), which takes it: it may be handed out once for each resolver. */
struct source *scripted_source(struct scripted *scripted);
const struct clock *scripted_clock(struct scripted *scripted);

/* Instead of that loop one with a thread and the machine's clock: delays pass in real time. */
void scripted_use_loop(struct scripted *scripted, struct loop *loop);

/*
 * "*.example" stands for the names right below it that have no answers of their own.
 * The next answer for a name and type, after `delay_ms` (0: while being asked); the last
 * one given repeats.  `spec` is words: 192.0.2.1 ...       addresses (A, AAAA), or names (PTR, MX)
 * with \DDD escapes, "." the root NXDOMAIN NODATA     negative answers SERVFAIL REFUSED TIMEOUT
 * NETWORK RCODE MALFORMED LOOP LIMIT DEADLINE    failures CNAME name          the message has only
 * the alias NOMEM               the source ran out of memory ttl=N (default 3600) chain-ttl=N
 * hops=N dropped=N server=N ad zone
 */
void scripted_on(struct scripted *scripted, const char *name, enum rrtype type, const char *spec,
                 int64_t delay_ms);

/* Let time pass; answers and timers that fall due come in order, each at its own time. */
void scripted_advance(struct scripted *scripted, int64_t by_ms);
/* The wall clock, by itself. */
void scripted_set_wall(struct scripted *scripted, int64_t wall_s);

/* How often was this asked; how many questions are open, and were cancelled. */
unsigned scripted_asked(struct scripted *scripted, const char *name, enum rrtype type);
unsigned scripted_asked_all(struct scripted *scripted);
unsigned scripted_open(struct scripted *scripted);
unsigned scripted_cancelled(struct scripted *scripted);
/* How often an open question was asked to be repeated. */
unsigned scripted_nudged(struct scripted *scripted);
/* With the next answer a server has come back. */
void scripted_comes_back(struct scripted *scripted);
/* Sources freed so far. */
unsigned scripted_freed(struct scripted *scripted);

/* A question from text with \DDD escapes; and an answer from a spec (one reference). */
struct question scripted_question(const char *name, enum rrtype type);
struct answer *scripted_answer(enum rrtype type, const char *spec);

#endif
