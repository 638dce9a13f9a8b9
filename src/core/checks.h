/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks: what can be wrong with a client, when it is, and how it is said.
 * One table row a check (checks.c); CONTRIBUTING says how to add one.  Pure; thread safe.
 */
#ifndef IPREVD_CHECKS_H
#define IPREVD_CHECKS_H

#include "base/textbuf.h"
#include "core/action.h"
#include "core/agreement.h"
#include "core/facts.h"
#include "core/generic.h"
#include "core/iprev.h"

/* In this order they are listed everywhere; of two with the same action the first gives the reason.
 */
enum check_id {
    CHECK_PTR_MISSING,
    CHECK_PTR_INVALID,
    CHECK_PTR_MISMATCH,
    CHECK_PTR_GENERIC,
    CHECK_PTR_EXCESS,
    CHECK_DNS_TEMPERROR,
    CHECK_HELO_MISSING,
    CHECK_HELO_INVALID,
    CHECK_HELO_BARE_IP,
    CHECK_HELO_LITERAL_MISMATCH,
    CHECK_HELO_NOT_FQDN,
    CHECK_HELO_SELF,
    CHECK_HELO_UNRESOLVED,
    CHECK_HELO_MISMATCH,
    CHECK_HELO_DISAGREES,
    CHECK_SENDER_PTR_MISMATCH,
    CHECK_MTA_DISAGREES,
    CHECK_COUNT,
};

/* A set of checks: bit 1 << check_id. */
typedef uint32_t check_set;
#define CHECK_BIT(id) ((check_set)1 << (id))

/* What a check speaks of: decides the enhanced status code and when it can be known. */
enum check_subject {
    CHECK_ABOUT_RDNS,   /* 5.7.25: known from connect on */
    CHECK_ABOUT_DNS,    /* 4.7.25: temporary */
    CHECK_ABOUT_HELO,   /* 5.7.1: known from HELO on */
    CHECK_ABOUT_SENDER, /* 5.7.1: known from MAIL on */
};

/* How the evidence is to be read: what a policy may set. */
struct evidence_settings {
    const struct orgdomain *orgdomains; /* may be NULL */
    struct neighbour_bits neighbours;
    enum agreement required_agreement;
    bool static_is_intent;
    /* The site's own patterns of generic names; NULL: none.  Returns a static or long-lived word
       for the pattern that matched, or NULL. */
    const char *(*generic_pattern)(void *arg, const char *name);
    void *generic_arg;
};

/* The facts and everything that follows from them. */
struct evidence {
    const struct facts *facts; /* borrowed */
    struct iprev iprev;
    enum agreement agreement;
    enum agreement required_agreement;
    struct generic generic; /* of the confirmed name */
    check_set true_checks;
    /* dns-temperror is true in the place of these, which expired answers would have made true. */
    check_set expired_checks;
    /* Those of true_checks that a lookup which failed temporarily could clear: they defer at most.
     */
    check_set open_checks;
};

struct check {
    const char *name;           /* "ptr-missing": configuration, log, header, metrics */
    const char *when;           /* one line for manual and --help */
    enum action default_action; /* of the shipped policy */
    double default_score;
    enum check_subject subject;
    bool (*holds)(const struct evidence *evidence, const struct evidence_settings *settings);
    /* The sentence that names the evidence: no trailing dot, untrusted text escaped. */
    void (*explain)(const struct evidence *evidence, struct textbuf *out);
    /* Who can fix it and how, one sentence without trailing dot; of a client: check_fix(). */
    const char *fix;
};

extern const struct check checks[CHECK_COUNT];

/* True and *out for a known name. */
bool check_by_name(const char *name, enum check_id *out);

/* Is this name of the client generic, by the site's patterns or by its structure? */
bool evidence_name_is_generic(const char *name, const struct facts *facts,
                              const struct evidence_settings *settings);

/*
 * Judge the facts.  `dialogue` says how far the dialogue is: before MAIL, helo-missing cannot be
 * true yet.  The result borrows `facts`.
 */
enum dialogue { DIALOGUE_CONNECT, DIALOGUE_HELO, DIALOGUE_MAIL };
void evidence_evaluate(const struct facts *facts, const struct evidence_settings *settings,
                       enum dialogue dialogue, struct evidence *out);

/* Who can fix it for that client: not the owner of a zone about which our own resolver says nothing.
   Pure. */
const char *check_fix(enum check_id id, const struct evidence *evidence);

#endif
