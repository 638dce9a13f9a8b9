/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences of the checks: what was found, who can fix it, and the record to ask for. */
#include "core/checks_text.h"

#include "core/namekind.h"

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

/* "resolves to 203.0.113.9", "does not exist (NXDOMAIN)", "has no A record", "is an alias (CNAME)
   for a name without A record". */
static void put_resolution(struct textbuf *out, const struct facts *facts,
                           const struct name_facts *name)
{
    if (name->forward.outcome == DNS_FOUND && name->address_count > 0) {
        textbuf_put(out, "resolves to ");
        put_addresses(out, name);
    } else if (name->forward.aliased && name->forward.outcome == DNS_NXDOMAIN) {
        textbuf_put(out, "is an alias (CNAME) for a name that does not exist (NXDOMAIN)");
    } else if (name->forward.aliased && name->forward.outcome == DNS_NODATA) {
        textbuf_printf(out, "is an alias (CNAME) for a name without %s record",
                       address_type(facts));
    } else if (name->forward.outcome == DNS_NODATA || name->forward.outcome == DNS_FOUND) {
        textbuf_printf(out, "has no %s record", address_type(facts));
    } else if (name->forward.outcome == DNS_NXDOMAIN) {
        textbuf_put(out, "does not exist (NXDOMAIN)");
    } else {
        textbuf_printf(out, "does not resolve (%s)", outcome_text(&name->forward));
    }
}

/* ", a private address": what the name resolves to and nobody outside can reach.  Of several
   addresses it would be said of the last. */
static void put_private(struct textbuf *out, const struct name_facts *name)
{
    const char *kind =
        name->address_count == 1 ? namekind_private_address(&name->addresses[0]) : NULL;
    if (kind != NULL)
        textbuf_printf(out, ", %s", kind);
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

void explain_ptr_missing(const struct evidence *evidence, struct textbuf *out)
{
    put_addr(out, &evidence->facts->client);
    textbuf_printf(out, " has no PTR record (%s)", outcome_text(&evidence->facts->ptr));
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

void explain_ptr_invalid(const struct evidence *evidence, struct textbuf *out)
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

void explain_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    size_t total = facts->name_count;
    char meant[HOSTNAME_MAX + 1];
    if (checks_count_usable(facts) == 0) { /* nothing was looked up */
        put_addr(out, &facts->client);
        textbuf_put(out, " has no usable PTR name");
        return;
    }
    if (total == 1 && facts->names[0].flaw == HOSTNAME_OK) {
        textbuf_put(out, "PTR ");
        textbuf_put_untrusted(out, facts->names[0].name, SHOWN_NAME_MAX);
        textbuf_put(out, " ");
        if (namekind_lacks_dot(facts->names[0].name, meant)) {
            textbuf_put(out, "lacks its final dot in the reverse zone");
            return;
        }
        if (facts->names[0].address_count == 0 &&
            namekind_local_ending(facts->names[0].name) != NULL) {
            textbuf_printf(out, "is known only inside a network (%s)",
                           namekind_local_ending(facts->names[0].name));
            return;
        }
        put_resolution(out, facts, &facts->names[0]);
        put_private(out, &facts->names[0]);
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

void explain_ptr_generic(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "PTR ");
    textbuf_put_untrusted(out, evidence->iprev.confirmed->name, SHOWN_NAME_MAX);
    textbuf_put(out, " looks like a provider's default name, not a mail server's own (");
    textbuf_put(out, evidence->generic.why);
    textbuf_put(out, ")");
}

void explain_ptr_excess(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    size_t usable = checks_count_usable(facts);
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

void explain_dns_temperror(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    if (evidence->iprev.expired) {
        explain_expired(evidence, out);
        return;
    }
    const struct dns_evidence *failed = checks_failed_lookup(evidence);
    if (failed != NULL && checks_failure_is_ours(evidence)) {
        textbuf_printf(out, "our DNS lookup failed (%s)", outcome_text(failed));
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

void explain_helo_missing(const struct evidence *evidence, struct textbuf *out)
{
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " sent MAIL without HELO or EHLO");
}

void explain_helo_invalid(const struct evidence *evidence, struct textbuf *out)
{
    if (evidence->facts->helo.text[0] == '\0') {
        textbuf_put(out, "EHLO has an empty name");
        return;
    }
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    if (evidence->facts->helo.name[0] != '\0' &&
        namekind_has_underscore(evidence->facts->helo.name))
        textbuf_put(out, " contains \"_\", which host names must not");
    else
        textbuf_put(out, " is neither a domain nor an address literal");
}

void explain_helo_bare_ip(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is an IP address without brackets");
}

void explain_helo_literal_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is not the client's address ");
    put_addr(out, &evidence->facts->client);
}

void explain_helo_not_fqdn(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, " is a single label, not a fully qualified name");
}

void explain_helo_self(const struct evidence *evidence, struct textbuf *out)
{
    enum helo_kind kind = evidence->facts->helo.kind;
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " says EHLO ");
    put_claim(out, evidence->facts);
    textbuf_put(out, kind == HELO_LITERAL || kind == HELO_BARE_IP
                         ? ", which is one of our own addresses"
                         : ", which is one of our own names");
    if (checks_helo_self_is_open(evidence->facts))
        textbuf_put(out, ", and it is not known for now whether it leads to the client");
}

void explain_helo_unresolved(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    bool exists = facts->helo_name.forward.outcome != DNS_NXDOMAIN &&
                  facts->helo_other.outcome != DNS_NXDOMAIN &&
                  facts->helo_mx.outcome != DNS_NXDOMAIN;
    textbuf_put(out, "EHLO name ");
    put_claim(out, facts);
    if (namekind_is_placeholder(facts->helo_name.name))
        textbuf_put(out, " is a placeholder");
    else if (namekind_local_ending(facts->helo_name.name) != NULL)
        textbuf_printf(out, " is known only inside a network (%s)",
                       namekind_local_ending(facts->helo_name.name));
    else
        textbuf_put(out, exists ? " has no A, AAAA or MX record" : " does not exist (NXDOMAIN)");
}

void explain_helo_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    textbuf_put(out, "EHLO name ");
    put_claim(out, facts);
    textbuf_put(out, " ");
    put_resolution(out, facts, &facts->helo_name);
    put_private(out, &facts->helo_name);
    if (checks_helo_is_of_other_family(facts))
        textbuf_printf(out, ", only %s, and so does not resolve to ",
                       facts->client.family == IP_V6 ? "A" : "AAAA");
    else
        textbuf_put(out, ", not to ");
    put_addr(out, &facts->client);
}

void explain_helo_disagrees(const struct evidence *evidence, struct textbuf *out)
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

/* The count ends at what is told apart: it is said as "at least". */
void explain_helo_unstable(const struct evidence *evidence, struct textbuf *out)
{
    put_addr(out, &evidence->facts->client);
    textbuf_printf(out, " said EHLO of at least %u different domains within a day, now ",
                   evidence->facts->helo_domains);
    put_claim(out, evidence->facts);
}

void explain_sender_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    textbuf_put(out, "sender domain ");
    textbuf_put_untrusted(out, evidence->facts->sender_domain, SHOWN_CLAIM_MAX);
    textbuf_put(out, " and PTR ");
    textbuf_put_untrusted(out, evidence->iprev.confirmed->name, SHOWN_CLAIM_MAX);
    textbuf_put(out, " of ");
    put_addr(out, &evidence->facts->client);
    textbuf_put(out, " belong to different organizations");
}

void explain_mta_disagrees(const struct evidence *evidence, struct textbuf *out)
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

/* Who can fix it */

/* Has the client this PTR name already? */
static bool is_ptr_name(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (strcmp(facts->names[i].name, name) == 0)
            return true;
    return false;
}

bool checks_name_is_own(const struct evidence *evidence, const char *name)
{
    char meant[HOSTNAME_MAX + 1];
    return !namekind_has_underscore(name) && !namekind_is_placeholder(name) &&
           namekind_local_ending(name) == NULL && !namekind_lacks_dot(name, meant) &&
           !generic_evaluate(name, &evidence->facts->client, true).generic;
}

const char *checks_wanted_ptr(const struct evidence *evidence, char out[HOSTNAME_MAX + 1])
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *helo = &facts->helo_name;
    if (namekind_private_address(&facts->client) != NULL)
        return NULL;
    if (helo->name != NULL && helo->confirmed && facts->helo.kind == HELO_DOMAIN &&
        checks_name_is_own(evidence, helo->name) && !is_ptr_name(facts, helo->name)) {
        memcpy(out, helo->name, strlen(helo->name) + 1);
        return out;
    }
    for (size_t i = 0; facts->names != NULL && i < facts->name_count; i++)
        if (facts->names[i].flaw == HOSTNAME_OK && namekind_lacks_dot(facts->names[i].name, out) &&
            out[0] != '\0' && checks_name_is_own(evidence, out) && !is_ptr_name(facts, out))
            return out;
    return NULL;
}

void checks_put_ptr_record(const struct facts *facts, const char *name, struct textbuf *out)
{
    char reverse[IPADDR_REVERSE_MAX];
    textbuf_printf(out, "%s. PTR ", ipaddr_reverse_name(&facts->client, reverse));
    textbuf_put_untrusted(out, name, HOSTNAME_MAX);
    textbuf_put(out, ".");
}

bool checks_put_record(const struct evidence *evidence, enum check_id id, struct textbuf *out)
{
    char memory[HOSTNAME_MAX + 1];
    if (id >= CHECK_COUNT || checks[id].subject != CHECK_ABOUT_RDNS || id == CHECK_MTA_DISAGREES)
        return false;
    if (evidence->facts->ptr.aliased) /* the record is at another name */
        return false;
    const char *name = checks_wanted_ptr(evidence, memory);
    if (name != NULL)
        checks_put_ptr_record(evidence->facts, name, out);
    return name != NULL;
}

/* What a PTR record has to hold, where the name itself is not known: it must lead back, too. */
#define SERVER_NAME "your mail server's public name, which must resolve to this address"

/* Who sets the PTR record; of a reverse name that is an alias it is not the provider. */
static void put_ask(const struct evidence *evidence, const char *what, struct textbuf *out)
{
    textbuf_printf(out, "ask %s %s",
                   evidence->facts->ptr.aliased
                       ? "the operator of the delegated reverse zone (RFC 2317)"
                       : "your hosting or Internet provider",
                   what);
}

/* The record itself stands behind it (checks_put_record()): what it is to be needs no words. */
static bool has_record(const struct evidence *evidence)
{
    char memory[HOSTNAME_MAX + 1];
    return !evidence->facts->ptr.aliased && checks_wanted_ptr(evidence, memory) != NULL;
}

void fix_ptr_missing(const struct evidence *evidence, struct textbuf *out)
{
    const char *kind = namekind_private_address(&evidence->facts->client);
    if (kind != NULL) {
        textbuf_printf(out,
                       "it is %s: whoever runs the receiving network has to set the "
                       "record in its own DNS, or to exempt the address",
                       kind);
        return;
    }
    put_ask(evidence, has_record(evidence) ? "to set it" : "to set it to " SERVER_NAME, out);
}

void fix_ptr_invalid(const struct evidence *evidence, struct textbuf *out)
{
    put_ask(evidence, "to make it " SERVER_NAME, out);
}

/* Never "set the A record": the name may be that of a web site. */
void fix_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *name = facts->name_count == 1 ? &facts->names[0] : NULL;
    char memory[HOSTNAME_MAX + 1];
    if (name != NULL && name->flaw == HOSTNAME_OK && namekind_lacks_dot(name->name, memory)) {
        textbuf_put(out, "the operator of the reverse zone must end the name with a dot");
        return;
    }
    if (checks_wanted_ptr(evidence, memory) == NULL && name != NULL && name->flaw == HOSTNAME_OK &&
        checks_name_is_own(evidence, name->name) && name->address_count == 0 &&
        !name->forward.aliased) {
        textbuf_printf(out, "add an %s record with ", address_type(facts));
        put_addr(out, &facts->client);
        textbuf_put(out, " to the name, or ");
    }
    put_ask(evidence,
            has_record(evidence) ? "to correct the PTR record"
                                 : "to change the PTR record to " SERVER_NAME,
            out);
}

void fix_ptr_generic(const struct evidence *evidence, struct textbuf *out)
{
    put_ask(evidence, "to set the PTR record to your mail server's own name", out);
}

void fix_ptr_excess(const struct evidence *evidence, struct textbuf *out)
{
    put_ask(evidence, "to leave only your mail server's own name in the PTR record", out);
}

const struct dns_evidence *checks_failed_lookup(const struct evidence *evidence)
{
    const struct facts *facts = evidence->facts;
    if (facts->ptr.outcome != DNS_FOUND)
        return &facts->ptr;
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].flaw == HOSTNAME_OK && facts->names[i].forward.outcome == DNS_TEMPERROR)
            return &facts->names[i].forward;
    return NULL;
}

bool checks_failure_is_ours(const struct evidence *evidence)
{
    const struct dns_evidence *failed = checks_failed_lookup(evidence);
    return evidence->facts->resolver_down || (failed != NULL && failed->fault == DNS_FAULT_OURS);
}

/* Who fixes a failure that is not ours. */
static void put_failed(const struct evidence *evidence, const struct dns_evidence *failed,
                       struct textbuf *out)
{
    switch (failed != NULL ? failed->fault : DNS_FAULT_SERVERS) {
    case DNS_FAULT_SIGNATURES:
        textbuf_put(out, "the owner of that zone must sign it again or correct its DS record");
        break;
    case DNS_FAULT_ALIASES:
        textbuf_put(out, "the owner of that zone must correct its CNAME records");
        break;
    case DNS_FAULT_UNKNOWN:
        textbuf_put(out, "our resolver or the name servers of the zone did not answer in time");
        break;
    default:
        textbuf_printf(out, "if this lasts for a day, the operator of %s must fix its name servers",
                       failed != &evidence->facts->ptr ? "that name's zone"
                       : evidence->facts->ptr.aliased  ? "the delegated reverse zone (RFC 2317)"
                                                      : "the reverse zone, usually your provider,");
    }
}

void fix_dns_temperror(const struct evidence *evidence, struct textbuf *out)
{
    if (checks_failure_is_ours(evidence) || evidence->iprev.expired) {
        textbuf_put(out, "nothing is wrong on your side; your server will try again by itself");
        return;
    }
    textbuf_put(out, "your server will try again by itself; ");
    put_failed(evidence, checks_failed_lookup(evidence), out);
}

/* The name that would agree, when there is one. */
void fix_helo_name(const struct evidence *evidence, struct textbuf *out)
{
    const struct name_facts *confirmed = evidence->iprev.confirmed;
    /* A mail service's server: whom the message is from cannot set anything there. */
    bool service = (evidence->true_checks & CHECK_BIT(CHECK_SENDER_PTR_MISMATCH)) != 0 &&
                   evidence->agreement == AGREEMENT_DOMAIN;
    textbuf_put(out, service
                         ? "there is nothing to set on the sender's side; the server's operator "
                           "can set its EHLO name to "
                         : "set your server's EHLO name to ");
    if (confirmed != NULL && checks_name_is_own(evidence, confirmed->name))
        textbuf_put_untrusted(out, confirmed->name, SHOWN_CLAIM_MAX);
    else
        textbuf_put(out, "its own host name, which must resolve to its address");
}

void fix_helo_missing(const struct evidence *evidence, struct textbuf *out)
{
    (void)evidence;
    textbuf_put(out, "make the sending program say EHLO first");
}

void fix_sender_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    (void)evidence;
    textbuf_put(out, "send this domain's mail through its own servers");
}

void fix_helo_unstable(const struct evidence *evidence, struct textbuf *out)
{
    (void)evidence;
    textbuf_put(out,
                "let every server behind this address say one and the same name in EHLO, that of "
                "its PTR record");
}

void fix_mta_disagrees(const struct evidence *evidence, struct textbuf *out)
{
    (void)evidence;
    textbuf_put(out, "nothing is wrong on your side; the receiving site must compare its mail "
                     "server's resolver with iprevd's");
}
