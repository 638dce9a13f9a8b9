/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts in, decisions out, in the same order: from recorded facts, or from lookups side by side,
 * so many at a time and a second.  One owner at a time.
 */
#ifndef IPREVD_REPLAY_JUDGE_H
#define IPREVD_REPLAY_JUDGE_H

#include "ctl/logs/maillog_event.h"
#include "dns/dns_service.h"
#include "site/conf.h"
#include "site/decision.h"

/* Lookups under way at a time: enough to hide the network, few enough for any resolver. */
#define REPLAY_IN_FLIGHT 64

/* Why an attempt is not judged, as the daemon would not. */
enum replay_skip {
    REPLAY_SKIP_LOCAL,         /* local-networks */
    REPLAY_SKIP_AUTHENTICATED, /* skip-authenticated */
    REPLAY_SKIP_RELAY,         /* trusted-relays: the client behind it was not recorded */
    REPLAY_SKIP_UNRECORDED,    /* no PTR name was recorded, and nobody is to be asked */
    REPLAY_SKIP_FAILED,        /* likewise, and the lookup failed then */
};
#define REPLAY_SKIP_COUNT 5

/* Of two configurations that are compared: which leave the client alone. */
struct replay_left {
    bool alone, other;
};

struct replay_visitor {
    /* All is borrowed.  transaction->wall_s is when it was recorded; 0: that is not known. */
    void (*decided)(void *arg, const struct maillog_event *event, const struct decision *decision,
                    const struct transaction *transaction);
    void (*skipped)(void *arg, enum replay_skip why);
    /* With replay_judge_compare(), behind decided(): by both configurations, of which one may leave
       the client alone, which is NULL. */
    void (*compared)(void *arg, const struct maillog_event *event, const struct decision *decision,
                     const struct decision *other, const struct transaction *transaction);
    void *arg;
};

struct replay_judge;

/*
 * `conf`, `dns` and `visitor` are borrowed; dns NULL: by what was recorded.  `policy`: judge
 * by it whatever the match blocks say; NULL: by conf.  rate: clients looked up a second that the
 * cache does not know, 0: no limit.  NULL: out of memory.
 *
 * By what was recorded, a client has the grace that the attempts before earn it, if they have
 * times. The DNS of today says nothing about days that were.
 */
struct replay_judge *replay_judge_new(const struct conf *conf, const struct policy *policy,
                                      struct dns_service *dns, unsigned rate, int64_t now_s,
                                      const struct replay_visitor *visitor) MUST_CHECK;

/*
 * Decide by this configuration, too, which is borrowed; `policy` as before.  Answers of the DNS are
 * those that the first one's settings bring.
 */
void replay_judge_compare(struct replay_judge *judge, const struct conf *other,
                          const struct policy *policy);

/* Judge (the event is copied as far as it is needed later).  Out of memory is remembered. */
void replay_judge_event(struct replay_judge *judge, const struct maillog_event *event);

/* Wait for what is under way.  RESULT_NOMEM: something was lost for lack of memory. */
enum result replay_judge_finish(struct replay_judge *judge) MUST_CHECK;

void replay_judge_free(struct replay_judge *judge); /* NULL is fine */

#endif
