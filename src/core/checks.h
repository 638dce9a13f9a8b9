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
    CHECK_HELO_UNSTABLE,
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
    unsigned max_helo_domains;
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
    /* Who can fix it and how, said to the sender: likewise. */
    void (*fix)(const struct evidence *evidence, struct textbuf *out);
};

extern const struct check checks[CHECK_COUNT];

/* True and *out for a known name. */
bool check_by_name(const char *name, enum check_id *out);

/*
 * Could it be a mail server's own host name: not generic, no underscore, known outside its own
 * network, not below in-addr.arpa or ip6.arpa?  `name` is canonical.
 */
bool checks_name_is_own(const struct evidence *evidence, const char *name);

/*
 * The name that the client's PTR record should hold, as far as that is certain: its EHLO name if
 * that resolves to the client, or a PTR name without the reverse zone that a forgotten dot added.
 * NULL when there is none, and never a name that is there already.  Returns NULL or out.
 */
const char *checks_wanted_ptr(const struct evidence *evidence, char out[HOSTNAME_MAX + 1]);

/* "7.100.51.198.in-addr.arpa. PTR mail.a.example." */
void checks_put_ptr_record(const struct facts *facts, const char *name, struct textbuf *out);

/* That record with the wanted name, if the check is cured by it; false: it is not known. */
bool checks_put_record(const struct evidence *evidence, enum check_id id, struct textbuf *out);

/* Of dns-temperror: the first lookup that failed, or NULL; and was it our failure, or our
   resolver's, so that it says nothing about the sender? */
const struct dns_evidence *checks_failed_lookup(const struct evidence *evidence);
bool checks_failure_is_ours(const struct evidence *evidence);

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

#endif
