/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a site wants done about what is true: policy in, verdict out.  Pure; thread safe.
 */
#ifndef IPREVD_POLICY_H
#define IPREVD_POLICY_H

#include "core/action.h"
#include "core/checks.h"

/* What a site says about one check. */
struct check_rule {
    enum action action;
    double score;
    bool monitor;     /* record what it would have done, do nothing */
    unsigned percent; /* 0..100 of client networks to which it applies */
    const char
        *reply; /* the site's own reply (see reply.h), or NULL; borrowed from the configuration */
};

struct policy {
    const char *name;
    struct check_rule rules[CHECK_COUNT];
    enum agreement required_agreement;
    double tag_score;    /* 0: off */
    double reject_score; /* 0: off */
};

/* What the whole site says, whatever the policy. */
struct policy_site {
    bool monitor;                       /* mode = monitor */
    enum action outage_action;          /* replaces the action of dns-temperror, whatever it is,
                                           while the resolver is down */
    struct neighbour_bits percent_bits; /* the client network whose hash decides about `percent` */
};

struct verdict {
    enum action action;    /* what is done */
    enum action would;     /* what would be done without monitor and percent; >= action is not
                              guaranteed to differ */
    check_set checks;      /* those that are true */
    check_set enforced;    /* those of them that count for `action` */
    double score;          /* of all true checks */
    double enforced_score; /* of the enforced ones */
    bool by_score;         /* a threshold, not a single check, decided what `reason` is behind */
    check_set scored;      /* then: the checks that made up the score ... */
    double told_score;     /* ... and their sum */
    enum check_id reason;  /* the first check behind `would` (behind `action` when it is worse than
                              accept; when a score decided, the one with the largest score);
                              CHECK_COUNT when no check is true */
    /* by_score, scored and reason of `would`. */
    bool would_by_score;
    check_set would_scored;
    enum check_id would_reason;
};

/* The verdict that it would be without monitor and percent: `would` is done, and told. */
struct verdict verdict_enforced(const struct verdict *verdict);

/* Defaults of a policy as the shipped configuration has them; name is borrowed. */
void policy_defaults(struct policy *policy, const char *name);

/*
 * Judge.  A check is left out of `enforced` when the site or the rule monitors it, or the client's
 * network is outside the rule's percent (by ipnet_hash, so a client's fate is stable).  Where
 * dns-temperror stands for checks that rest on expired answers, it does at most what they would
 * do, and is enforced only if one of them is.
 */
struct verdict policy_judge(const struct policy *policy, const struct policy_site *site,
                            const struct evidence *evidence);

/* Percent bucket 0..99 of a client for a check: stable per network, independent between checks. */
unsigned policy_bucket(const struct ipaddr *client, struct neighbour_bits bits,
                       enum check_id check);

#endif
