/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/checks.h"

#include <string.h>

/* What is shown of untrusted names, in bytes, so that a sentence with three of them fits a reply.
 */
#define SHOWN_NAME_MAX  200 /* the one name that a sentence is about */
#define SHOWN_ITEM_MAX  64  /* one of several */
#define SHOWN_LIST_MAX  3   /* names or addresses listed; the rest is counted */
#define SHOWN_CLAIM_MAX 120 /* what the client said in EHLO */

/* Words */

static void put_addr(struct textbuf *out, const struct ipaddr *addr)
{
    char text[IPADDR_TEXT_MAX];
    textbuf_put(out, ipaddr_format(addr, text));
}

/* The separator before item i of n, of which SHOWN_LIST_MAX are shown. */
static void put_separator(struct textbuf *out, size_t i, size_t n)
{
    if (i > 0)
        textbuf_put(out, i + 1 == n && n <= SHOWN_LIST_MAX ? " and " : ", ");
}

static void put_rest(struct textbuf *out, size_t n)
{
    if (n > SHOWN_LIST_MAX)
        textbuf_printf(out, " and %zu more", n - SHOWN_LIST_MAX);
}

static void put_addresses(struct textbuf *out, const struct name_facts *name)
{
    for (size_t i = 0; i < name->address_count && i < SHOWN_LIST_MAX; i++) {
        put_separator(out, i, name->address_count);
        put_addr(out, &name->addresses[i]);
    }
    put_rest(out, name->address_count);
}

static const char *outcome_text(const struct dns_evidence *dns)
{
    switch (dns->outcome) {
    case DNS_NXDOMAIN:
        return "NXDOMAIN";
    case DNS_NODATA:
        return "no data";
    case DNS_TEMPERROR:
        return dns->problem != NULL ? dns->problem : "temporary failure";
    case DNS_FOUND:
    case DNS_NOT_ASKED:
        break;
    }
    return "not asked";
}

static const char *address_type(const struct facts *facts)
{
    return facts->client.family == IP_V6 ? "AAAA" : "A";
}

/* "resolves to 203.0.113.9", "does not resolve (NXDOMAIN)", "has no A record". */
static void put_resolution(struct textbuf *out, const struct facts *facts,
                           const struct name_facts *name)
{
    if (name->forward.outcome == DNS_FOUND && name->address_count > 0) {
        textbuf_put(out, "resolves to ");
        put_addresses(out, name);
    } else if (name->forward.outcome == DNS_NODATA || name->forward.outcome == DNS_FOUND) {
        textbuf_printf(out, "has no %s record", address_type(facts));
    } else {
        textbuf_printf(out, "does not resolve (%s)", outcome_text(&name->forward));
    }
}

static void put_claim(struct textbuf *out, const struct facts *facts)
{
    textbuf_put_untrusted(out, facts->helo.text, SHOWN_CLAIM_MAX);
}

/* "PTR mail.a.example", "no confirmed PTR". */
static void put_confirmed(struct textbuf *out, const struct evidence *evidence)
{
    if (evidence->iprev.confirmed != NULL) {
        textbuf_put(out, "PTR ");
        textbuf_put_untrusted(out, evidence->iprev.confirmed->name, SHOWN_CLAIM_MAX);
    } else {
        textbuf_put(out, "no confirmed PTR");
    }
}

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

static size_t count_usable(const struct facts *facts)
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

static void explain_ptr_missing(const struct evidence *evidence, struct textbuf *out)
{
    put_addr(out, &evidence->facts->client);
    textbuf_printf(out, " has no PTR record (%s)", outcome_text(&evidence->facts->ptr));
}

static bool ptr_invalid(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.result == IPREV_FAIL && count_usable(evidence->facts) == 0;
}

static const char *flaw_noun(enum hostname_flaw flaw)
{
    switch (flaw) {
    case HOSTNAME_EMPTY:
        return "the root";
    case HOSTNAME_IP_ADDRESS:
        return "an IP address";
    case HOSTNAME_ONE_LABEL:
        return "a single label";
    case HOSTNAME_MALFORMED:
        return "malformed";
    case HOSTNAME_OK:
        break;
    }
    return "a host name";
}

static void explain_ptr_invalid(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    if (facts->name_count == 0) {
        textbuf_put(out, "the PTR of ");
        put_addr(out, &facts->client);
        textbuf_put(out, " holds no name that can be read");
        return;
    }
    textbuf_put(out, facts->name_count > 1 ? "PTRs of " : "PTR of ");
    put_addr(out, &facts->client);
    textbuf_put(out, facts->name_count > 1 ? " are " : " is ");
    for (size_t i = 0; i < facts->name_count && i < SHOWN_LIST_MAX; i++) {
        put_separator(out, i, facts->name_count);
        textbuf_put_untrusted(out, facts->names[i].name,
                              facts->name_count > 1 ? SHOWN_ITEM_MAX : SHOWN_NAME_MAX);
        textbuf_printf(out, facts->name_count > 1 ? " (%s)" : ", %s",
                       flaw_noun(facts->names[i].flaw));
    }
    put_rest(out, facts->name_count);
    textbuf_put(out, facts->name_count > 1 ? ", none of them a host name" : ", not a host name");
}

static bool ptr_mismatch(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.result == IPREV_FAIL;
}

/* One item of the list of names: "mail.a.example (203.0.113.9)". */
static void put_name_item(struct textbuf *out, const struct name_facts *name)
{
    textbuf_put_untrusted(out, name->name, SHOWN_ITEM_MAX);
    if (name->flaw != HOSTNAME_OK) {
        textbuf_printf(out, " (%s)", flaw_noun(name->flaw));
    } else if (name->forward.outcome == DNS_FOUND && name->address_count > 0) {
        textbuf_put(out, " (");
        put_addr(out, &name->addresses[0]);
        if (name->address_count > 1)
            textbuf_printf(out, " and %zu more", name->address_count - 1);
        textbuf_put(out, ")");
    } else {
        textbuf_printf(out, " (%s)", outcome_text(&name->forward));
    }
}

static void explain_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    size_t total = facts->name_count;
    if (count_usable(facts) == 0) { /* nothing was looked up */
        put_addr(out, &facts->client);
        textbuf_put(out, " has no usable PTR name");
        return;
    }
    if (total == 1 && facts->names[0].flaw == HOSTNAME_OK) {
        textbuf_put(out, "PTR ");
        textbuf_put_untrusted(out, facts->names[0].name, SHOWN_NAME_MAX);
        textbuf_put(out, " ");
        put_resolution(out, facts, &facts->names[0]);
        if (facts->names[0].address_count > 0) {
            textbuf_put(out, ", not to ");
            put_addr(out, &facts->client);
        }
        return;
    }
    textbuf_put(out, "no PTR name of ");
    put_addr(out, &facts->client);
    textbuf_put(out, " resolves to it");
    for (size_t i = 0; i < total && i < SHOWN_LIST_MAX; i++) {
        if (i == 0)
            textbuf_put(out, ": ");
        put_separator(out, i, total);
        put_name_item(out, &facts->names[i]);
    }
    put_rest(out, total);
}

static bool ptr_generic(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->generic.generic;
}

static void explain_ptr_generic(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "PTR ");
    textbuf_put_untrusted(out, evidence->iprev.confirmed->name, SHOWN_NAME_MAX);
    textbuf_put(out, " names an access line, not a mail server (");
    textbuf_put(out, evidence->generic.why);
    textbuf_put(out, ")");
}

static bool ptr_excess(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.excess && !evidence->iprev.expired;
}

static void explain_ptr_excess(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    size_t usable = count_usable(facts);
    if (usable == 0) {
        textbuf_put(out, "none of the PTR names of ");
        put_addr(out, &facts->client);
        textbuf_put(out, " that were looked at is a host name");
    } else if (usable == 1) {
        textbuf_put(out, "the one PTR name of ");
        put_addr(out, &facts->client);
        textbuf_put(out, " that was looked up does not resolve to it");
    } else {
        textbuf_printf(out, "none of the %zu PTR names of ", usable);
        put_addr(out, &facts->client);
        textbuf_put(out, " that were looked up resolves to it");
    }
    textbuf_printf(out, ", and %zu more %s not looked up", facts->names_over,
                   facts->names_over == 1 ? "was" : "were");
}

/* A limit of ours alone defers nobody: that is ptr-excess. */
static bool dns_temperror(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->iprev.failed || evidence->iprev.expired;
}

/* The servers do not answer, and what they said before may not count against the client. */
static void explain_expired(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *expired = NULL;
    for (size_t i = 0; i < facts->name_count && expired == NULL; i++)
        if (dns_evidence_is_stale(&facts->names[i].forward))
            expired = &facts->names[i];
    if (dns_evidence_is_stale(&facts->ptr) || expired == NULL) {
        textbuf_put(out, "the last answer about the PTR of ");
        put_addr(out, &facts->client);
    } else {
        textbuf_printf(out, "the last answer about the %s of ", address_type(facts));
        textbuf_put_untrusted(out, expired->name, SHOWN_NAME_MAX);
        textbuf_put(out, ", PTR name of ");
        put_addr(out, &facts->client);
        textbuf_put(out, ",");
    }
    textbuf_put(out, " has expired, and no newer one can be had");
}

static void explain_dns_temperror(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    if (evidence->iprev.expired) {
        explain_expired(evidence, out);
        return;
    }
    if (facts->ptr.outcome != DNS_FOUND) {
        textbuf_put(out, "looking up the PTR of ");
        put_addr(out, &facts->client);
        textbuf_printf(out, " failed temporarily (%s)", outcome_text(&facts->ptr));
        return;
    }
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name->flaw != HOSTNAME_OK || name->forward.outcome != DNS_TEMPERROR)
            continue;
        textbuf_printf(out, "looking up the %s of ", address_type(facts));
        textbuf_put_untrusted(out, name->name, SHOWN_NAME_MAX);
        textbuf_put(out, ", PTR name of ");
        put_addr(out, &facts->client);
        textbuf_printf(out, ", failed temporarily (%s)", outcome_text(&name->forward));
        return;
    }
}

/* HELO */

static bool helo_missing(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_NONE && !evidence->facts->helo_unrecorded;
}

static void explain_helo_missing(const struct evidence *evidence, struct textbuf *out)
{
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " sent MAIL without HELO or EHLO");
}

static bool helo_invalid(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_INVALID;
}

static void explain_helo_invalid(const struct evidence *evidence, struct textbuf *out)
{
    if (evidence->facts->helo.text[0] == '\0') {
        textbuf_put(out, "EHLO has an empty name");
        return;
    }
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is neither a domain nor an address literal");
}

static bool helo_bare_ip(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_BARE_IP;
}

static void explain_helo_bare_ip(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is an IP address without brackets");
}

static bool helo_literal_mismatch(const struct evidence *evidence,
                                  const struct evidence_settings *settings)
{
    const struct facts *facts = evidence->facts;
    (void)settings;
    return facts->helo.kind == HELO_LITERAL && !ipaddr_equal(&facts->helo.literal, &facts->client);
}

static void explain_helo_literal_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is not the client's address ");
    put_addr(out, &evidence->facts->client);
}

static bool helo_not_fqdn(const struct evidence *evidence, const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind == HELO_ONE_LABEL;
}

static void explain_helo_not_fqdn(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is a single label, not a fully qualified name");
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
static bool helo_self_is_open(const struct facts *facts)
{
    return facts->helo_name.name != NULL && dns_evidence_is_open(&facts->helo_name.forward);
}

static void explain_helo_self(const struct evidence *evidence, struct textbuf *out)
{
    enum helo_kind kind = evidence->facts->helo.kind;
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " says EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, kind == HELO_LITERAL || kind == HELO_BARE_IP
                         ? ", which is one of our own addresses"
                         : ", which is one of our own names");
    if (helo_self_is_open(evidence->facts))
        textbuf_put(out, ", and it is not known for now whether it leads to the client");
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

static void explain_helo_unresolved(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    bool exists = facts->helo_name.forward.outcome != DNS_NXDOMAIN &&
                  facts->helo_other.outcome != DNS_NXDOMAIN &&
                  facts->helo_mx.outcome != DNS_NXDOMAIN;
    textbuf_put(out, "EHLO name ");
    put_claim(out, facts);
    textbuf_put(out, exists ? " has no A, AAAA or MX record" : " does not exist (NXDOMAIN)");
}

/* Has the EHLO name addresses, but none of the client's family? */
static bool is_of_other_family(const struct facts *facts)
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
           is_of_other_family(facts);
}

static void explain_helo_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    textbuf_put(out, "EHLO name ");
    put_claim(out, facts);
    textbuf_put(out, " ");
    put_resolution(out, facts, &facts->helo_name);
    if (is_of_other_family(facts))
        textbuf_printf(out, ", only %s, and so does not resolve to ",
                       facts->client.family == IP_V6 ? "A" : "AAAA");
    else
        textbuf_put(out, ", not to ");
    put_addr(out, &facts->client);
}

static bool helo_disagrees(const struct evidence *evidence,
                           const struct evidence_settings *settings)
{
    (void)settings;
    return evidence->facts->helo.kind != HELO_NONE && evidence->agreement != AGREEMENT_UNKNOWN &&
           evidence->agreement > evidence->required_agreement;
}

static void explain_helo_disagrees(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " does not fit ");
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " (");
    put_confirmed(out, evidence);
    textbuf_printf(out, "): agreement is %s, %s is required", agreement_text(evidence->agreement),
                   agreement_text(evidence->required_agreement));
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

static void explain_sender_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "sender domain ");
    textbuf_put_untrusted(out, evidence->facts->sender_domain, SHOWN_CLAIM_MAX);
    textbuf_put(out, " and PTR ");
    textbuf_put_untrusted(out, evidence->iprev.confirmed->name, SHOWN_CLAIM_MAX);
    textbuf_put(out, " of ");
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " belong to different organizations");
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

static void explain_mta_disagrees(const struct evidence *evidence, struct textbuf *out)
{
    static const char *const words[] = {[MTA_UNKNOWN] = "nothing",
                                        [MTA_OK] = "OK",
                                        [MTA_FAIL] = "FAIL",
                                        [MTA_FORGED] = "FORGED",
                                        [MTA_TEMP] = "TEMP"};
    textbuf_printf(out, "the MTA found %s", words[evidence->facts->mta_resolve]);
    if (evidence->facts->mta_name[0] != '\0') {
        textbuf_put(out, " (");
        textbuf_put_untrusted(out, evidence->facts->mta_name, SHOWN_CLAIM_MAX);
        textbuf_put(out, ")");
    }
    textbuf_put(out, " for ");
    put_addr(out, &evidence->facts->client);
    textbuf_printf(out, ", iprev is %s", iprev_result_text(evidence->iprev.result));
    if (evidence->iprev.confirmed != NULL) {
        textbuf_put(out, " (");
        put_confirmed(out, evidence);
        textbuf_put(out, ")");
    }
}

/* Who can fix it. */
#define FIX_BY_NETWORK "the owner of the network (usually the provider) can "
#define FIX_BY_ZONE    "the owner of the name's zone can "
#define FIX_BY_SERVER  "the administrator of the sending server can "

const struct check checks[CHECK_COUNT] = {
    [CHECK_PTR_MISSING] = {"ptr-missing", "the client has no PTR record", ACTION_REJECT, 5.0,
                           CHECK_ABOUT_RDNS, ptr_missing, explain_ptr_missing,
                           FIX_BY_NETWORK "set a PTR record for the address"},
    [CHECK_PTR_INVALID] = {"ptr-invalid", "no PTR name is a usable host name", ACTION_REJECT, 5.0,
                           CHECK_ABOUT_RDNS, ptr_invalid, explain_ptr_invalid,
                           FIX_BY_NETWORK "make the PTR record a fully qualified host name"},
    [CHECK_PTR_MISMATCH] = {"ptr-mismatch", "no PTR name resolves to the client (iprev=fail)",
                            ACTION_REJECT, 5.0, CHECK_ABOUT_RDNS, ptr_mismatch,
                            explain_ptr_mismatch,
                            FIX_BY_NETWORK
                            "correct the PTR record, or the owner of the name's zone "
                            "its address"},
    [CHECK_PTR_GENERIC] = {"ptr-generic",
                           "the confirmed PTR name is computed from the address, or matches the "
                           "site's patterns",
                           ACTION_TAG, 2.0, CHECK_ABOUT_RDNS, ptr_generic, explain_ptr_generic,
                           FIX_BY_NETWORK "set a PTR record with the mail server's own name"},
    [CHECK_PTR_EXCESS] = {"ptr-excess",
                          "there are more PTR names than max-ptr, and none of those looked up "
                          "resolves to the client",
                          ACTION_TAG, 2.0, CHECK_ABOUT_RDNS, ptr_excess, explain_ptr_excess,
                          FIX_BY_NETWORK "leave only the mail server's own name in the PTR record"},
    [CHECK_DNS_TEMPERROR] = {"dns-temperror", "a PTR or forward lookup failed temporarily",
                             ACTION_TEMPFAIL, 0.0, CHECK_ABOUT_DNS, dns_temperror,
                             explain_dns_temperror,
                             "try again later; if it stays, the owner of the zone can fix its "
                             "name servers"},
    [CHECK_HELO_MISSING] = {"helo-missing", "MAIL came without HELO or EHLO", ACTION_TAG, 2.0,
                            CHECK_ABOUT_HELO, helo_missing, explain_helo_missing,
                            FIX_BY_SERVER "make it send EHLO first"},
    [CHECK_HELO_INVALID] = {"helo-invalid", "EHLO is neither a domain nor an address literal",
                            ACTION_TAG, 2.0, CHECK_ABOUT_HELO, helo_invalid, explain_helo_invalid,
                            FIX_BY_SERVER "set its EHLO name to its fully qualified host name"},
    [CHECK_HELO_BARE_IP] = {"helo-bare-ip", "EHLO is an IP address without brackets", ACTION_TAG,
                            2.0, CHECK_ABOUT_HELO, helo_bare_ip, explain_helo_bare_ip,
                            FIX_BY_SERVER "set its EHLO name to its fully qualified host name"},
    [CHECK_HELO_LITERAL_MISMATCH] = {"helo-literal-mismatch",
                                     "EHLO is an address literal that is not the client's",
                                     ACTION_TAG, 2.0, CHECK_ABOUT_HELO, helo_literal_mismatch,
                                     explain_helo_literal_mismatch,
                                     FIX_BY_SERVER
                                     "set its EHLO name to its fully qualified host name"},
    [CHECK_HELO_NOT_FQDN] = {"helo-not-fqdn", "EHLO is a single label", ACTION_TAG, 1.5,
                             CHECK_ABOUT_HELO, helo_not_fqdn, explain_helo_not_fqdn,
                             FIX_BY_SERVER "set its EHLO name to its fully qualified host name"},
    [CHECK_HELO_SELF] = {"helo-self",
                         "a client outside our networks claims one of our names or addresses",
                         ACTION_REJECT, 5.0, CHECK_ABOUT_HELO, helo_self, explain_helo_self,
                         FIX_BY_SERVER "set its EHLO name to its own host name"},
    [CHECK_HELO_UNRESOLVED] = {"helo-unresolved", "the EHLO name has no A, AAAA or MX record",
                               ACTION_TAG, 1.5, CHECK_ABOUT_HELO, helo_unresolved,
                               explain_helo_unresolved,
                               FIX_BY_SERVER "set its EHLO name to one that resolves"},
    [CHECK_HELO_MISMATCH] = {"helo-mismatch", "the EHLO name resolves, but not to the client",
                             ACTION_ACCEPT, 0.5, CHECK_ABOUT_HELO, helo_mismatch,
                             explain_helo_mismatch,
                             FIX_BY_SERVER "set its EHLO name to one that resolves to it"},
    [CHECK_HELO_DISAGREES] = {"helo-disagrees",
                              "EHLO, PTR and address agree worse than required-agreement",
                              ACTION_TAG, 1.0, CHECK_ABOUT_HELO, helo_disagrees,
                              explain_helo_disagrees,
                              FIX_BY_SERVER "set its EHLO name to the PTR name of its address"},
    [CHECK_SENDER_PTR_MISMATCH] = {"sender-ptr-mismatch",
                                   "MAIL FROM and the confirmed PTR belong to different "
                                   "organizational domains",
                                   ACTION_ACCEPT, 0.0, CHECK_ABOUT_SENDER, sender_ptr_mismatch,
                                   explain_sender_ptr_mismatch,
                                   FIX_BY_SERVER "send this domain's mail through its own servers"},
    [CHECK_MTA_DISAGREES] = {"mta-disagrees", "our iprev result and the MTA's own differ",
                             ACTION_ACCEPT, 0.0, CHECK_ABOUT_RDNS, mta_disagrees,
                             explain_mta_disagrees,
                             "the administrator of this server can compare the MTA's resolver "
                             "with iprevd's"},
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
    return count_usable(facts) > 0 ? mismatch : mismatch | CHECK_BIT(CHECK_PTR_INVALID);
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
    if (helo_self_is_open(facts))
        out->open_checks = out->true_checks & CHECK_BIT(CHECK_HELO_SELF);
}

/* Is all that failed of our own side? */
static bool failed_by_us(const struct facts *facts)
{
    if (facts->ptr.outcome != DNS_FOUND)
        return facts->ptr.ours;
    bool ours = false;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name->flaw != HOSTNAME_OK || name->forward.outcome != DNS_TEMPERROR)
            continue;
        if (!name->forward.ours)
            return false;
        ours = true;
    }
    return ours;
}

const char *check_fix(enum check_id id, const struct evidence *evidence)
{
    if (id == CHECK_DNS_TEMPERROR &&
        (evidence->facts->resolver_down || failed_by_us(evidence->facts)))
        return "try again later; the fault is our resolver's";
    return checks[id].fix;
}
