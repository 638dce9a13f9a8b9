/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/checks_text.h"

#include <string.h>

static bool is_negative(enum dns_outcome outcome)
{
    return outcome == DNS_NODATA || outcome == DNS_NXDOMAIN;
}

/* Does something open, or past its time, stand between us and all that the PTR says?  Of a name
   that is not confirmed: could it be, after all? */
static bool ptr_is_settled(const struct facts *facts)
{
    return facts->names_over == 0 && !dns_evidence_is_stale(&facts->ptr);
}

size_t checks_count_usable(const struct facts *facts)
{
    size_t usable = 0;
    for (size_t i = 0; i < facts->name_count; i++)
        usable += facts->names[i].flaw == HOSTNAME_OK;
    return usable;
}

/* Reverse DNS */

static bool ptr_missing(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.result == IPREV_PERMERROR;
}

static bool ptr_invalid(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.result == IPREV_FAIL && checks_count_usable(evidence->facts) == 0;
}

static bool ptr_mismatch(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.result == IPREV_FAIL;
}

static bool ptr_generic(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->generic.generic;
}

static bool ptr_excess(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.excess && !evidence->iprev.expired;
}

/* A limit of ours alone defers nobody: that is ptr-excess. */
static bool dns_temperror(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.failed || evidence->iprev.expired;
}

/* HELO */

static bool helo_missing(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_NONE && !evidence->facts->helo_unrecorded;
}

static bool helo_invalid(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_INVALID;
}

static bool helo_bare_ip(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_BARE_IP;
}

static bool helo_literal_mismatch(const struct evidence *evidence,
                                  const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    (void)settings;
    return facts->helo.kind == HELO_LITERAL && !ipaddr_equal(&facts->helo.literal, &facts->client);
}

static bool helo_not_fqdn(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_ONE_LABEL;
}

/*
 * Nobody can make our name resolve to his own address: a client to which it does is one of our
 * hosts.  Where that is not known, the check is true for the time being: see open_checks.
 */
static bool helo_self(const struct evidence *evidence, const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    (void)settings;
    return facts->helo_is_ours && facts->helo.kind != HELO_NONE && !facts->client_is_ours &&
           !facts->helo_name.confirmed;
}

/* Could the own name that the client claims still turn out to be its own? */
bool checks_helo_self_is_open(const struct facts *facts)
{
    return facts->helo_name.name != NULL && dns_evidence_is_open(&facts->helo_name.forward);
}

static bool helo_unresolved(const struct evidence *evidence,
                            const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    const struct dns_evidence *answers[] = {&facts->helo_name.forward, &facts->helo_other,
                                            &facts->helo_mx};
    bool all_negative = true;
    bool no_such_name = false;
    (void)settings;
    if (facts->helo.kind == HELO_NONE || facts->helo_name.name == NULL)
        return false;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        enum dns_outcome outcome = answers[i]->outcome;
        if (outcome == DNS_FOUND || dns_evidence_is_open(answers[i]))
            return false;
        all_negative = all_negative && is_negative(outcome);
        no_such_name = no_such_name || outcome == DNS_NXDOMAIN;
    }
    /* NXDOMAIN speaks of every type (RFC 2308 5): the others need not have been asked. */
    return all_negative || no_such_name;
}

/* Has the EHLO name addresses, but none of the client's family? */
bool checks_helo_is_of_other_family(const struct facts *facts)
{
    return facts->helo_name.forward.outcome == DNS_NODATA &&
           facts->helo_other.outcome == DNS_FOUND && !dns_evidence_is_stale(&facts->helo_other);
}

static bool helo_mismatch(const struct evidence *evidence, const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *name = &facts->helo_name;
    (void)settings;
    if (facts->helo.kind == HELO_NONE || name->name == NULL || name->confirmed ||
        dns_evidence_is_stale(&name->forward))
        return false;
    return (name->forward.outcome == DNS_FOUND && name->address_count > 0) ||
           checks_helo_is_of_other_family(facts);
}

static bool helo_disagrees(const struct evidence *evidence,
                           const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind != HELO_NONE && evidence->agreement != AGREEMENT_UNKNOWN &&
           evidence->agreement > evidence->required_agreement;
}

static bool helo_unstable(const struct evidence *evidence, const struct evidence_settings *settings)
{
    return evidence->facts->helo_domains > settings->max_helo_domains;
}

/* The envelope and the MTA */

static bool sender_ptr_mismatch(const struct evidence *evidence,
                                const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    const struct orgdomain *list = settings->orgdomains;
    bool known = false;
    if (facts->sender_domain[0] == '\0' || !ptr_is_settled(facts))
        return false;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        bool confirmed = name->confirmed;
        if (!confirmed && !name_facts_is_open(name))
            continue;
        if (orgdomain_same(list, name->name, facts->sender_domain))
            return false;
        known = known || (confirmed && !dns_evidence_is_stale(&name->forward) &&
                          orgdomain_exists(list, name->name));
    }
    return known && orgdomain_exists(list, facts->sender_domain);
}

static bool mta_disagrees(const struct evidence *evidence, const struct evidence_settings *settings)
{
    enum iprev_result ours = evidence->iprev.result;
    const struct name_facts *confirmed = evidence->iprev.confirmed;
    (void)settings;
    if (ours == IPREV_TEMPERROR || dns_evidence_is_stale(&evidence->facts->ptr) ||
        (confirmed != NULL && dns_evidence_is_stale(&confirmed->forward)))
        return false;
    switch (evidence->facts->mta_resolve) {
    case MTA_OK:
        return ours != IPREV_PASS;
    case MTA_FAIL:
        return ours == IPREV_PASS;
    case MTA_FORGED:
        return ours != IPREV_FAIL;
    case MTA_UNKNOWN:
    case MTA_TEMP:
        break;
    }
    return false;
}

const struct check checks[CHECK_COUNT] = {
    [CHECK_PTR_MISSING] = {"ptr-missing", "the client has no PTR record", ACTION_REJECT, 5.0,
                           CHECK_ABOUT_RDNS, ptr_missing, explain_ptr_missing, fix_ptr_missing},
    [CHECK_PTR_INVALID] = {"ptr-invalid", "no PTR name is a usable host name", ACTION_REJECT, 5.0,
                           CHECK_ABOUT_RDNS, ptr_invalid, explain_ptr_invalid, fix_ptr_invalid},
    [CHECK_PTR_MISMATCH] = {"ptr-mismatch", "no PTR name resolves to the client (iprev=fail)",
                            ACTION_REJECT, 5.0, CHECK_ABOUT_RDNS, ptr_mismatch,
                            explain_ptr_mismatch, fix_ptr_mismatch},
    [CHECK_PTR_GENERIC] = {"ptr-generic",
                           "the confirmed PTR name is computed from the address, or matches the "
                           "site's patterns",
                           ACTION_TAG, 2.0, CHECK_ABOUT_RDNS, ptr_generic, explain_ptr_generic,
                           fix_ptr_generic},
    [CHECK_PTR_EXCESS] = {"ptr-excess",
                          "there are more PTR names than max-ptr, and none of those looked up "
                          "resolves to the client",
                          ACTION_TAG, 2.0, CHECK_ABOUT_RDNS, ptr_excess, explain_ptr_excess,
                          fix_ptr_excess},
    [CHECK_DNS_TEMPERROR] = {"dns-temperror", "a PTR or forward lookup failed temporarily",
                             ACTION_TEMPFAIL, 0.0, CHECK_ABOUT_DNS, dns_temperror,
                             explain_dns_temperror, fix_dns_temperror},
    [CHECK_HELO_MISSING] = {"helo-missing", "MAIL came without HELO or EHLO", ACTION_TAG, 2.0,
                            CHECK_ABOUT_HELO, helo_missing, explain_helo_missing, fix_helo_missing},
    [CHECK_HELO_INVALID] = {"helo-invalid", "EHLO is neither a domain nor an address literal",
                            ACTION_TAG, 2.0, CHECK_ABOUT_HELO, helo_invalid, explain_helo_invalid,
                            fix_helo_name},
    [CHECK_HELO_BARE_IP] = {"helo-bare-ip", "EHLO is an IP address without brackets", ACTION_TAG,
                            2.0, CHECK_ABOUT_HELO, helo_bare_ip, explain_helo_bare_ip,
                            fix_helo_name},
    [CHECK_HELO_LITERAL_MISMATCH] = {"helo-literal-mismatch",
                                     "EHLO is an address literal that is not the client's",
                                     ACTION_TAG, 2.0, CHECK_ABOUT_HELO, helo_literal_mismatch,
                                     explain_helo_literal_mismatch, fix_helo_name},
    [CHECK_HELO_NOT_FQDN] = {"helo-not-fqdn", "EHLO is a single label", ACTION_TAG, 1.5,
                             CHECK_ABOUT_HELO, helo_not_fqdn, explain_helo_not_fqdn, fix_helo_name},
    [CHECK_HELO_SELF] = {"helo-self",
                         "a client outside our networks claims one of our names or addresses",
                         ACTION_REJECT, 5.0, CHECK_ABOUT_HELO, helo_self, explain_helo_self,
                         fix_helo_name},
    [CHECK_HELO_UNRESOLVED] = {"helo-unresolved", "the EHLO name has no A, AAAA or MX record",
                               ACTION_TAG, 1.5, CHECK_ABOUT_HELO, helo_unresolved,
                               explain_helo_unresolved, fix_helo_name},
    [CHECK_HELO_MISMATCH] = {"helo-mismatch", "the EHLO name resolves, but not to the client",
                             ACTION_ACCEPT, 0.5, CHECK_ABOUT_HELO, helo_mismatch,
                             explain_helo_mismatch, fix_helo_name},
    [CHECK_HELO_DISAGREES] = {"helo-disagrees",
                              "EHLO, PTR and address agree worse than required-agreement",
                              ACTION_TAG, 1.0, CHECK_ABOUT_HELO, helo_disagrees,
                              explain_helo_disagrees, fix_helo_name},
    [CHECK_HELO_UNSTABLE] =
        {"helo-unstable",
         "the address said EHLO of more domains within a day than max-helo-domains", ACTION_ACCEPT,
         0.5, CHECK_ABOUT_HELO, helo_unstable, explain_helo_unstable, fix_helo_unstable},
    [CHECK_SENDER_PTR_MISMATCH] = {"sender-ptr-mismatch",
                                   "MAIL FROM and the confirmed PTR belong to different "
                                   "organizational domains",
                                   ACTION_ACCEPT, 0.0, CHECK_ABOUT_SENDER, sender_ptr_mismatch,
                                   explain_sender_ptr_mismatch, fix_sender_ptr_mismatch},
    [CHECK_MTA_DISAGREES] = {"mta-disagrees", "our iprev result and the MTA's own differ",
                             ACTION_ACCEPT, 0.0, CHECK_ABOUT_RDNS, mta_disagrees,
                             explain_mta_disagrees, fix_mta_disagrees},
};

bool check_by_name(const char *name, enum check_id *out)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if (strcmp(name, checks[i].name) == 0) {
            *out = (enum check_id)i;
            return true;
        }
    }
    return false;
}

/* One name against the site's patterns, then by its structure. */
static struct generic judge_name(const char *name, const struct facts *facts,
                                 const struct evidence_settings *settings)
{
    const char *word = settings->generic_pattern != NULL
                           ? settings->generic_pattern(settings->generic_arg, name)
                           : NULL;
    if (word == NULL)
        return generic_evaluate(name, &facts->client, settings->static_is_intent);
    struct generic generic = {.generic = true};
    struct textbuf why;
    textbuf_init(&why, generic.why, sizeof generic.why);
    textbuf_put(&why, "pattern ");
    textbuf_put_untrusted(&why, word, sizeof generic.why - sizeof "pattern ");
    return generic;
}

bool evidence_name_is_generic(const char *name, const struct facts *facts,
                              const struct evidence_settings *settings)
{
    return judge_name(name, facts, settings).generic;
}

/*
 * A client is generic when every confirmed name is: one name of its own is what makes a mail
 * server, and the order of names in the answer must not decide.  A name that may be confirmed yet
 * counts for the client, and so do answers past their time.
 */
static struct generic judge_names(const struct facts *facts, const struct iprev *iprev,
                                  const struct evidence_settings *settings)
{
    struct generic none = {.generic = false};
    if (iprev->confirmed == NULL || !ptr_is_settled(facts) ||
        dns_evidence_is_stale(&iprev->confirmed->forward))
        return none;
    struct generic generic = judge_name(iprev->confirmed->name, facts, settings);
    for (size_t i = 0; i < facts->name_count && generic.generic; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name != iprev->confirmed && (name->confirmed || name_facts_is_open(name)) &&
            !judge_name(name->name, facts, settings).generic)
            return none;
    }
    return generic;
}

/* The checks that would be true if answers past their time counted against the client. */
static check_set expired_checks(const struct facts *facts, const struct iprev *iprev)
{
    if (!iprev->expired)
        return 0;
    if (facts->ptr.outcome != DNS_FOUND)
        return CHECK_BIT(CHECK_PTR_MISSING);
    if (iprev->excess)
        return CHECK_BIT(CHECK_PTR_EXCESS);
    check_set mismatch = CHECK_BIT(CHECK_PTR_MISMATCH);
    return checks_count_usable(facts) > 0 ? mismatch : mismatch | CHECK_BIT(CHECK_PTR_INVALID);
}

/* Can the check be known at this point of the dialogue? */
static bool is_due(enum check_id id, enum dialogue dialogue)
{
    if (id == CHECK_HELO_MISSING)
        return dialogue >= DIALOGUE_MAIL;
    switch (checks[id].subject) {
    case CHECK_ABOUT_HELO:
        return dialogue >= DIALOGUE_HELO;
    case CHECK_ABOUT_SENDER:
        return dialogue >= DIALOGUE_MAIL;
    case CHECK_ABOUT_RDNS:
    case CHECK_ABOUT_DNS:
        break;
    }
    return true;
}

void evidence_evaluate(const struct facts *facts, const struct evidence_settings *settings,
                       enum dialogue dialogue, struct evidence *out)
{
    memset(out, 0, sizeof *out);
    out->facts = facts;
    out->iprev = iprev_evaluate(facts);
    out->required_agreement = settings->required_agreement;
    out->agreement =
        agreement_evaluate(facts, &out->iprev, settings->orgdomains, settings->neighbours);
    if (facts->client.family == IP_NONE)
        return;
    out->generic = judge_names(facts, &out->iprev, settings);
    out->expired_checks = expired_checks(facts, &out->iprev);
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if (is_due((enum check_id)i, dialogue) && checks[i].holds(out, settings))
            out->true_checks |= CHECK_BIT(i);
    if (checks_helo_self_is_open(facts))
        out->open_checks = out->true_checks & CHECK_BIT(CHECK_HELO_SELF);
}
