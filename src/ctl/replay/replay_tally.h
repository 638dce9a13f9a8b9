/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What decisions add up to: by action and what the log says happened, by check, by the domain that
 * sent.  Memory is bounded: domains beyond the cap are one row.  Pure; one owner at a time.
 */
#ifndef IPREVD_REPLAY_TALLY_H
#define IPREVD_REPLAY_TALLY_H

#include "ctl/logs/maillog_event.h"
#include "ctl/ranking.h"
#include "ctl/replay/replay_judge.h"

#define REPLAY_EXAMPLE_MAX 200 /* bytes of the sentence kept as a domain's example */

struct replay_check_count {
    uint64_t hits;    /* the check was true */
    uint64_t alone;   /* and no other */
    uint64_t decides; /* and is the reason why it would not be accepted */
};

/* What a domain's row has besides: the worst that would be done, to whom and why; "" without. */
struct replay_example {
    enum action action;
    char client[IPADDR_TEXT_MAX];
    char text[REPLAY_EXAMPLE_MAX];
};

struct replay_tally {
    uint64_t total;
    uint64_t by_action[ACTION_COUNT][REPLAY_OUTCOME_COUNT]; /* as enforced, by what the log says */
    uint64_t now[ACTION_COUNT]; /* with monitor and percent as they are configured */
    uint64_t grace;             /* in grace, so not refused */
    uint64_t skipped[REPLAY_SKIP_COUNT];
    struct replay_check_count checks[CHECK_COUNT];
    int64_t first_s, last_s; /* 0: no times */
    struct ranking *domains; /* by what would be done; extra is a struct replay_example */
    /* Organizational domains to which this site's own users wrote. */
    struct ranking *correspondents;
};

/* `seed` keys the hash against names that somebody chose to collide.  False: out of memory. */
bool replay_tally_init(struct replay_tally *tally, uint64_t seed) MUST_CHECK;
/* Mail was delivered to that address. */
void replay_tally_delivered(struct replay_tally *tally, const struct orgdomain *list,
                            const char *recipient);

/* Did own users write to that domain? */
bool replay_tally_is_correspondent(const struct replay_tally *tally, const char *domain);

void replay_tally_clear(struct replay_tally *tally);

/* Who sent it: the envelope's domain if it was recorded, else the confirmed name's or the EHLO
   name's, else the client's network, which is written to `memory`. */
const char *replay_tally_domain(const struct decision *decision, char memory[IPNET_TEXT_MAX]);

void replay_tally_add(struct replay_tally *tally, const struct maillog_event *event,
                      const struct decision *decision);

#endif
