/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two configurations on the same attempts: what changes, by action, by the check that makes the
 * difference, and by the domain that sent.  A client that a configuration leaves alone counts as
 * accepted by it.  Memory is bounded.  Pure; one owner at a time.
 */
#ifndef IPREVD_REPLAY_COMPARE_H
#define IPREVD_REPLAY_COMPARE_H

#include "ctl/logs/maillog_event.h"
#include "ctl/ranking.h"
#include "site/decision.h"

/* Sides: a refusal now or later, or none. */
struct replay_changes {
    uint64_t stopped;  /* would be deferred or refused only by the other configuration */
    uint64_t passed;   /* likewise only by the first */
    uint64_t stricter; /* of one side, and more is done by the other configuration */
    uint64_t milder;   /* likewise less */
};

/* What a domain's row has besides: the first of its worst changes. */
struct replay_compare_row {
    struct replay_changes changes;
    bool stopped; /* the example is one of those */
    enum action before, after;
    char client[IPADDR_TEXT_MAX];
    char text[200];
};

struct replay_compare {
    uint64_t total;                                 /* attempts that one of them judges */
    uint64_t by_action[ACTION_COUNT][ACTION_COUNT]; /* as enforced: before, after */
    uint64_t now; /* changes with monitor and percent as they are configured */
    struct replay_changes changes;
    /* By the check that is the reason of the stricter one; CHECK_COUNT: a score. */
    struct replay_changes checks[CHECK_COUNT + 1];
    struct ranking *domains; /* extra is a struct replay_compare_row */
};

/* `seed` as for ranking_new().  False: out of memory. */
bool replay_compare_init(struct replay_compare *compare, uint64_t seed) MUST_CHECK;
void replay_compare_clear(struct replay_compare *compare);

/* NULL: left alone, but not both.  True: it changes what would be done. */
bool replay_compare_add(struct replay_compare *compare, const struct maillog_event *event,
                        const struct decision *decision, const struct decision *other);

/* What would be done if all were enforced; NULL: the client is left alone. */
enum action replay_compare_action(const struct decision *decision);

uint64_t replay_compare_sum(const struct replay_changes *changes);

#endif
