/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From facts to a decision by the site's configuration: the one path that daemon, `iprevctl check`
 * and `iprevctl replay` share.  Also how a decision is written: log line, headers, JSON.
 */
#ifndef IPREVD_DECISION_H
#define IPREVD_DECISION_H

#include "core/greylist.h"
#include "core/reply.h"
#include "site/conf.h"

/* What is known besides the facts. */
struct transaction {
    enum dialogue dialogue;
    const char *sender, *recipient, *listener; /* as struct match_subject */
    const char *mta;                           /* {j}, or NULL */
    const char *queue_id;                      /* {i}, or NULL */
    const char *stage;                         /* stage_text() of where it was made */
    int64_t wall_s;                            /* 0, for decision_json() only: nobody knows */
    int64_t dns_ms;                            /* waited for the DNS */
    bool all_cached;
    const char *exempt;  /* reason of an exemption at run time (iprevctl allow), or NULL */
    bool exempt_awaited; /* `exempt` NULL: by PTR names that are awaited there may be one yet */
    /* The facts are of a client behind this trusted relay, of ours by configuration: at most
       relay-action is done.  NULL: it is the client that connected. */
    const struct ipaddr *relay;
    const struct history *history; /* of the client; NULL: nothing is known */
    int64_t found_s;               /* when the facts were found, for the grace; 0: wall_s */
    bool others_awaited;           /* other hosts may know more of the client, and are asked */
    bool others_silent;            /* ... and did not answer: it is spared if it is not in grace */
    /* What the table of greylisted networks answered, where that was asked.  A decision whose
       action is greylist without it is one to ask about. */
    enum greylist_answer greylist;
    bool as_enforced; /* judge as if mode were enforce; `monitor` and `percent` of checks stay */
};

struct decision {
    const struct conf *conf;     /* borrowed */
    const struct match *match;   /* NULL: none matched */
    const struct policy *policy; /* NULL: policy none */
    const char *exempt;          /* as in struct transaction; borrowed */
    struct evidence evidence;    /* borrows facts */
    struct verdict verdict;
    /* Checks that what is awaited may make true or not: none of them counts as true.  Empty without
       a policy, which has no checks. */
    check_set undecided;
    bool final; /* as decision_is_final() says */
    /* A DNS list said nothing that could have meant a policy which refuses less: it is refused for
       now at most. */
    bool list_silent;
    /* The policy's action was greylist, and became tag or did not: what was answered. */
    enum greylist_answer greylist;
    /* Of the verdict, in the words of the reply; of an exempt client, why it is exempt; "" when
       nothing is wrong. */
    char reason[REASON_MAX];
};

/* How the reason of a client begins that is exempt at run time. */
#define DECISION_EXEMPT_WORDS "exempt for now"

/* Decide.  Never fails. */
void decision_make(const struct conf *conf, const struct facts *facts,
                   const struct transaction *transaction, struct decision *out);

/*
 * The same in two steps: match block, policy and evidence; then the verdict, with the checks that
 * are undecided if something is awaited.
 */
void decision_begin(const struct conf *conf, const struct facts *facts,
                    const struct transaction *transaction, struct decision *out);
void decision_finish(struct decision *decision, const struct transaction *transaction);

/*
 * Of a decision that was begun: can nothing that is awaited change what comes of it?  That is its
 * match block, its exemption, and the actions of what is done and of what would be done; of mail
 * that is let in its agreement and total score, too, which its header says.
 */
bool decision_is_final(const struct decision *decision, const struct transaction *transaction);

/*
 * Of one that was begun: is it worth to look up one more PTR name, whose addresses are awaited? Not
 * once a name is confirmed and this one can neither improve the agreement, nor fit a condition on
 * PTR names, nor share the sender's domain, nor show that the client is not generic.
 */
bool decision_asks_for_name(const struct decision *decision, const struct transaction *transaction,
                            const char *name);

/* The reply for verdict.done.action TEMPFAIL or REJECT; `prefix` as for reply_build(). */
void decision_reply(const struct decision *decision, size_t prefix, struct reply *out);

#define DECISION_LINE_MAX 2768

/* The policy's name, "none" without one. */
const char *decision_policy_name(const struct decision *decision);

/*
 * The log line: key=value, in this order: client ptr iprev helo agreement checks score action mode
 * policy match stage mta dns_ms cache queue_id sender recipient; then, where there is something to
 * say, relay, secure, lists (what each DNS list says that was asked), would (what would have been
 * done without monitor, percent and relay-action), greylist (what the table of networks answered),
 * undecided (checks that nobody waited for), grace with right_until and refused_from, and reason.
 * "-" stands for nothing.
 */
void decision_log_line(const struct decision *decision, const struct transaction *transaction,
                       char out[DECISION_LINE_MAX]);

/* Value of Authentication-Results without the field name; authserv_id is checked and escaped. */
#define DECISION_HEADER_MAX 998
void decision_auth_results(const struct decision *decision, const char *authserv_id,
                           char out[DECISION_HEADER_MAX]);

/* Value of X-Iprevd. */
void decision_tag_header(const struct decision *decision, char out[DECISION_HEADER_MAX]);

/*
 * One JSON object without line feeds, malloc'ed: the caller frees; NULL: out of memory.  The keys
 * of the log line, all of them always (checks is a list, null stands for nothing), and more: see
 * iprevd.conf(5).
 */
char *decision_json(const struct decision *decision,
                    const struct transaction *transaction) MUST_CHECK;

#endif
