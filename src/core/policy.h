/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a site wants done about what is true: policy in, verdict out.  Pure; thread safe.
 */
#ifndef IPREVD_POLICY_H
#define IPREVD_POLICY_H

#include "core/action.h"
#include "core/checks.h"
#include "core/history.h"

/* What a site says about one check. */
struct check_rule {
    enum action action;
    double score;
    bool monitor;     /* record what it would have done, do nothing */
    unsigned percent; /* 0..100 of client networks to which it applies */
    const char
        *reply; /* the site's own reply (see reply.h), or NULL; borrowed from the configuration */
};

/* Scores are decimal fractions summed in binary: 0.1 ten times must reach 1.0.  Such that differ by
   less are the same sum in another order. */
#define POLICY_SCORE_EPSILON 1e-9

struct policy {
    const char *name;
    struct check_rule rules[CHECK_COUNT];
    enum agreement required_agreement;
    unsigned max_helo_domains;
    double tag_score;          /* 0: off */
    double reject_score;       /* 0: off */
    unsigned greylist_delay_s; /* of ACTION_GREYLIST */
    unsigned grace_s;          /* of a client that was right before (history.h); 0: none */
    enum action grace_action;  /* instead of a refusal; ACTION_TEMPFAIL at most */
};

/* What the whole site says, whatever the policy. */
struct policy_site {
    bool monitor;                       /* mode = monitor */
    enum action outage_action;          /* replaces the action of dns-temperror, whatever it is,
                                           while the resolver is down */
    struct neighbour_bits percent_bits; /* the client network whose hash decides about `percent` */
};

/* The refusals by these are turned by a grace. */
#define POLICY_GRACE_CHECKS                                                                        \
    (CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_PTR_INVALID) | CHECK_BIT(CHECK_PTR_MISMATCH))

/* What a set of true checks leads to. */
struct outcome {
    enum action action;
    check_set checks; /* the set */
    double score;     /* of all of them */
    bool by_score;    /* a threshold, not a single check, decided the action */
    check_set scored; /* then: the checks that made up the score */
    /* The first check behind the action; by_score: the one with the largest score; CHECK_COUNT: no
       check is true. */
    enum check_id reason;
    /* GRACE_GIVEN, GRACE_UNKNOWN: the action is what it is instead of a refusal; GRACE_OVER: the
       refusal follows a grace; GRACE_NONE: none has anything to do with it. */
    struct grace grace;
};

/* Has a grace decided it, so that it is to be spoken of? */
static inline bool outcome_is_of_grace(const struct outcome *outcome)
{
    return outcome->grace.state != GRACE_NONE &&
           (outcome->by_score || (POLICY_GRACE_CHECKS & CHECK_BIT(outcome->reason)) != 0);
}

struct verdict {
    struct outcome done;  /* by the checks that are enforced */
    struct outcome would; /* by all that are true: without monitor and percent */
};

/* The outcome whose reason is given: what is done, or what would be where nothing is done. */
static inline const struct outcome *verdict_reported(const struct verdict *verdict)
{
    return verdict->done.action > ACTION_ACCEPT ? &verdict->done : &verdict->would;
}

/* Defaults of a policy as the shipped configuration has them; name is borrowed. */
void policy_defaults(struct policy *policy, const char *name);

/*
 * Judge.  A check is left out of what is done when the site or the rule monitors it, or the
 * client's network is outside the rule's percent (by policy_bucket(), so a client's fate is
 * stable). Where dns-temperror stands for checks that rest on expired answers, it does at most what
 * they would do, and is enforced only if one of them is.  A check that is open defers at most, and
 * its score does not count.
 *
 * In grace (history_grace(); GRACE_UNKNOWN: with ACTION_TEMPFAIL) a check of POLICY_GRACE_CHECKS
 * that would refuse does grace_action, and so does a score that would refuse with these checks and
 * not without.
 */
struct verdict policy_judge(const struct policy *policy, const struct policy_site *site,
                            const struct evidence *evidence, const struct grace *grace);

/* Does `policy` (NULL: no checks) refuse for good anything less than `other` does? */
bool policy_refuses_less(const struct policy *policy, const struct policy *other);

/* Percent bucket 0..99 of a client for a check: stable per network and name of the check, whatever
   other checks there are; independent between checks. */
unsigned policy_bucket(const struct ipaddr *client, struct neighbour_bits bits,
                       enum check_id check);

#endif
