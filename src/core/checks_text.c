/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences of the checks: what was found. */
#include "core/checks_text.h"

#include "core/namekind.h"

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

const char *checks_address_type(const struct facts *facts)
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
                       checks_address_type(facts));
    } else if (name->forward.outcome == DNS_NODATA || name->forward.outcome == DNS_FOUND) {
        textbuf_printf(out, "has no %s record", checks_address_type(facts));
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
        textbuf_printf(out, "the last answer about the %s of ", checks_address_type(facts));
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
        textbuf_printf(out, "looking up the %s of ", checks_address_type(facts));
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
