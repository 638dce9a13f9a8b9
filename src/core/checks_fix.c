/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences of the checks: who can fix it, and the record to ask for. */
#include "core/checks_text.h"

#include "core/namekind.h"

#include <string.h>

#define FIX_NAME_MAX 120 /* bytes of an untrusted name, so that the sentence fits a reply */

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
static void put_server_name(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    const char *helo = facts->helo.name; /* which might be asked for */
    const char *ptr = facts->names != NULL && facts->name_count == 1 ? facts->names[0].name : "";
    const char *ending = namekind_local_ending(helo);
    textbuf_put(out, "your mail server's public name");
    if (namekind_has_underscore(helo) || namekind_has_underscore(ptr))
        textbuf_put(out, ", without \"_\"");
    else if (ending != NULL)
        textbuf_printf(out, ", none in %s", ending);
    textbuf_put(out, ", which must resolve to this address");
}

/* Who sets the PTR record; of a reverse name that is an alias it is not the provider. */
static void put_ask(const struct evidence *evidence, const char *what, struct textbuf *out)
{
    textbuf_printf(out, "ask %s %s",
                   evidence->facts->ptr.aliased
                       ? "the operator of the delegated reverse zone (RFC 2317), usually you,"
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
    if (has_record(evidence)) {
        put_ask(evidence, "to set it", out);
        return;
    }
    put_ask(evidence, "to set it to ", out);
    put_server_name(evidence, out);
    if (!evidence->facts->ptr.aliased)
        textbuf_put(out, "; if they set none, send through their mail relay");
}

void fix_ptr_invalid(const struct evidence *evidence, struct textbuf *out)
{
    put_ask(evidence, "to make it ", out);
    put_server_name(evidence, out);
}

/* Never "set the A record": the name may be that of a web site. */
void fix_ptr_mismatch(const struct evidence *evidence, struct textbuf *out)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *name = facts->name_count == 1 ? &facts->names[0] : NULL;
    char memory[HOSTNAME_MAX + 1];
    if (name != NULL && name->flaw == HOSTNAME_OK && namekind_lacks_dot(name->name, memory)) {
        textbuf_put(out,
                    "the operator of the reverse zone, usually your provider, must end the name "
                    "with a dot");
        return;
    }
    if (checks_wanted_ptr(evidence, memory) == NULL && name != NULL && name->flaw == HOSTNAME_OK &&
        checks_name_is_own(evidence, name->name) && name->address_count == 0 &&
        !name->forward.aliased) {
        char client[IPADDR_TEXT_MAX];
        textbuf_printf(out, "add an %s record with %s to the name, or ", checks_address_type(facts),
                       ipaddr_format(&facts->client, client));
    }
    if (has_record(evidence)) {
        put_ask(evidence, "to correct the PTR record", out);
        return;
    }
    put_ask(evidence,
            facts->name_count > 1 ? "to leave one PTR record, with "
                                  : "to change the PTR record to ",
            out);
    put_server_name(evidence, out);
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

/* Whose zone it is that failed. */
static const char *zone_of(const struct evidence *evidence, const struct dns_evidence *failed)
{
    if (failed != &evidence->facts->ptr)
        return "that name's zone";
    return evidence->facts->ptr.aliased ? "the delegated reverse zone (RFC 2317), usually you,"
                                        : "the reverse zone, usually your provider,";
}

/* Who fixes a failure that is not ours.  Some do not pass by themselves. */
static void put_failed(const struct evidence *evidence, const struct dns_evidence *failed,
                       struct textbuf *out)
{
    const char *zone = zone_of(evidence, failed);
    switch (failed != NULL ? failed->fault : DNS_FAULT_SERVERS) {
    case DNS_FAULT_SIGNATURES:
        textbuf_printf(out,
                       ", but first the operator of %s must sign it again or correct its DS record",
                       zone);
        break;
    case DNS_FAULT_ALIASES:
        textbuf_printf(out, ", but first the operator of %s must correct its CNAME records", zone);
        break;
    case DNS_FAULT_UNKNOWN:
        textbuf_put(out, "; our resolver or the name servers of the zone did not answer in time");
        break;
    default:
        textbuf_printf(
            out, "; if this lasts for a day, the operator of %s must fix its name servers", zone);
    }
}

void fix_dns_temperror(const struct evidence *evidence, struct textbuf *out)
{
    if (checks_failure_is_ours(evidence) || evidence->iprev.expired) {
        textbuf_put(out, "nothing is wrong on your side; your server will try again by itself");
        return;
    }
    textbuf_put(out, "your server will try again by itself");
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
        textbuf_put_untrusted(out, confirmed->name, FIX_NAME_MAX);
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
