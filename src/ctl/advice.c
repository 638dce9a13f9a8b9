/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/advice.h"

#include "core/namekind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLAIM_MAX  200 /* bytes of what the client said in EHLO */
#define LISTED_MAX 3   /* names or addresses listed; the rest is counted */

/* One piece of advice under way. */
struct advising {
    const struct evidence *evidence;
    const struct facts *facts;
    const struct inquiry *more;
    struct advice *out;
    char client[IPADDR_TEXT_MAX];
    char reverse[IPADDR_REVERSE_MAX];
    const char *type;                 /* "A" or "AAAA" */
    const struct name_facts *subject; /* as inquiry_subject() */
    char wanted[HOSTNAME_MAX + 1];    /* what the PTR should hold; "" unknown */
};

/* --- words ---------------------------------------------------------------------------------- */

static void say(struct advising *to, enum advice_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Names are escaped where they come from (facts.h, wirename_text()). */
static void say(struct advising *to, enum advice_kind kind, const char *format, ...)
{
    struct advice *out = to->out;
    struct advice_line *line = &out->lines[out->count];
    va_list args;
    line->kind = kind;
    va_start(args, format);
    (void)vsnprintf(line->text, sizeof line->text, format, args);
    va_end(args);
    if (out->count < ADVICE_MAX)
        out->count++;
}

#define SAY(...)  say(to, ADVICE_SENTENCE, __VA_ARGS__)
#define LINE(...) say(to, ADVICE_LINE, __VA_ARGS__)

static const char *org_of(const struct advising *to, const char *name)
{
    return orgdomain_of(to->more->orgdomains, name);
}

/* A registered domain, or its web server: its addresses are not the mail server's to change. */
static bool is_of_the_web(const struct advising *to, const char *name)
{
    const char *org = org_of(to, name);
    if (org != NULL && strcmp(org, name) == 0)
        return true;
    return strncmp(name, "www.", 4) == 0 || strchr(name, '.') == strrchr(name, '.');
}

/* "192.0.2.1, 192.0.2.2, 192.0.2.3 and 4 more" */
static const char *addresses_of(const struct name_facts *name, char *out, size_t size)
{
    struct textbuf buf;
    char text[IPADDR_TEXT_MAX];
    textbuf_init(&buf, out, size);
    for (size_t i = 0; i < name->address_count && i < LISTED_MAX; i++)
        textbuf_printf(&buf, "%s%s", i > 0 ? ", " : "", ipaddr_format(&name->addresses[i], text));
    if (name->address_count > LISTED_MAX)
        textbuf_printf(&buf, " and %zu more", name->address_count - LISTED_MAX);
    return out;
}

/* Is the PTR record another zone's, by an alias (RFC 2317)? */
static const char *ptr_owner(const struct advising *to)
{
    return to->more->chain_count > 0 ? to->more->chain[to->more->chain_count - 1] : to->reverse;
}

/* --- the PTR record ------------------------------------------------------------------------- */

/* Why what the server says in EHLO cannot be its PTR name; NULL: it can, or nothing was said. */
static const char *why_not_helo(const struct advising *to)
{
    const char *name = to->facts->helo.name;
    char meant[HOSTNAME_MAX + 1];
    if (name[0] == '\0')
        return NULL;
    if (namekind_has_underscore(name))
        return "contains \"_\", which host names must not";
    if (namekind_is_placeholder(name))
        return "is a placeholder";
    if (namekind_local_ending(name) != NULL)
        return "is known only inside a network";
    if (namekind_lacks_dot(name, meant))
        return "is a name of the reverse DNS";
    if (!checks_name_is_own(to->evidence, name))
        return "is a provider's default name";
    return NULL;
}

/* An example of a good name: EHLO's if it has no address yet, else one in its or the sender's
   domain. */
static const char *example_of(const struct advising *to, char *out, size_t size)
{
    const char *name = to->facts->helo.name, *org = NULL;
    const struct name_facts *helo = &to->facts->helo_name;
    bool own = name[0] != '\0' && checks_name_is_own(to->evidence, name);
    bool unused = helo->address_count == 0 && to->more->helo_alias[0] == '\0';
    out[0] = '\0';
    if (own && unused && !is_of_the_web(to, name)) {
        (void)snprintf(out, size, ", for example %s", name);
        return out;
    }
    if (own)
        org = org_of(to, name);
    if (org == NULL && to->facts->sender_domain[0] != '\0')
        org = org_of(to, to->facts->sender_domain);
    if (org != NULL)
        (void)snprintf(out, size, ", for example mail.%s", org);
    return out;
}

static void say_how_to_verify(struct advising *to, const char *name)
{
    if (strcmp(name, "NAME") == 0)
        SAY("To verify (the first must answer NAME, the second %s):", to->client);
    else
        SAY("To verify (the first must answer %s, the second %s):", name, to->client);
    LINE("dig +short -x %s", to->client);
    LINE("dig +short %s %s", name, to->type);
    SAY("On Windows: nslookup %s, or in PowerShell Resolve-DnsName %s.", to->client, to->client);
}

/* The record to ask for, the words to ask with, and how to see that it is there. */
static void say_record(struct advising *to)
{
    char example[HOSTNAME_MAX + 40];
    const char *name = to->wanted[0] != '\0' ? to->wanted : "NAME";
    const char *flaw = why_not_helo(to);
    if (to->wanted[0] == '\0') {
        SAY("The record to ask for, NAME being your mail server's own host name%s:",
            example_of(to, example, sizeof example));
        LINE("%s. PTR NAME.", ptr_owner(to));
        SAY("NAME needs an address record in its own domain:");
        LINE("NAME. %s %s", to->type, to->client);
        if (flaw != NULL)
            SAY("The EHLO name %s cannot be that name: it %s.", to->facts->helo.name, flaw);
    } else {
        SAY("The record to ask for:");
        LINE("%s. PTR %s.", ptr_owner(to), name);
    }
    if (to->more->chain_count == 0) {
        SAY("For the provider's ticket:");
        LINE("Please set the reverse DNS (PTR record) of %s to %s.", to->client, name);
    }
    say_how_to_verify(to, name);
}

/* Who sets the PTR record. */
static void say_who(struct advising *to)
{
    if (to->more->chain_count > 0)
        SAY("%s is an alias (CNAME) for %s: the provider has delegated it (RFC 2317).  The PTR "
            "record is set there, by the operator of %s, usually the customer.",
            to->reverse, ptr_owner(to), to->more->zone[0] != '\0' ? to->more->zone : "its zone");
    else
        SAY("It is set by the owner of the network, usually your hosting or Internet provider (in "
            "its "
            "customer panel, or by a ticket), not in your own domain%s%s%s.",
            to->more->zone[0] != '\0' ? ": in the zone " : "", to->more->zone, "");
}

/* Ways to send until then. */
static void say_meanwhile(struct advising *to)
{
    char other[IPADDR_TEXT_MAX];
    if (to->more->other_in_order && to->facts->client.family == IP_V6)
        SAY("IPv4 is in order (%s): until the PTR record is right, send by IPv4 only, in Postfix "
            "with "
            "\"-o inet_protocols=ipv4\" at the service smtp/unix in master.cf.",
            ipaddr_format(&to->more->other, other));
    else if (to->more->other_in_order)
        SAY("IPv6 is in order (%s).", ipaddr_format(&to->more->other, other));
    if (to->more->chain_count == 0)
        SAY("If your provider sets no PTR record of your own for this address, as on home lines "
            "and in "
            "some clouds, send through its mail relay (smarthost).");
}

static void say_age(struct advising *to)
{
    const struct dns_evidence *ptr = &to->facts->ptr;
    if (ptr->origin != DNS_FROM_ZONE && ptr->ttl_s >= 60)
        SAY("If the record was set a short while ago, there is nothing left to do but wait: the "
            "resolver keeps this answer for another %u min %u s.",
            ptr->ttl_s / 60, ptr->ttl_s % 60);
}

static void advise_missing(struct advising *to)
{
    SAY("%s has no PTR record (reverse DNS).", to->client);
    say_who(to);
    say_record(to);
    say_meanwhile(to);
    say_age(to);
}

static void advise_invalid(struct advising *to)
{
    const struct name_facts *name = to->facts->name_count > 0 ? &to->facts->names[0] : NULL;
    if (name != NULL)
        SAY("The PTR record of %s holds \"%s\", which %s: no host name that can be looked up.",
            to->client, name->name, hostname_flaw_text(name->flaw));
    else
        SAY("The PTR record of %s holds no host name.", to->client);
    say_who(to);
    say_record(to);
}

/* --- a PTR name that leads elsewhere -------------------------------------------------------- */

/* What the PTR name is, and where it leads. */
static void say_contradiction(struct advising *to)
{
    const struct name_facts *name = to->subject;
    char addresses[LISTED_MAX * IPADDR_TEXT_MAX + 32];
    const char *kind =
        name->address_count == 1 ? namekind_private_address(&name->addresses[0]) : NULL;
    if (to->facts->name_count > 1)
        SAY("%s has %zu PTR records, and no name leads back to it.  One record is enough.",
            to->client, to->facts->name_count);
    if (to->more->alias[0] != '\0' && name->address_count == 0)
        SAY("The PTR record of %s says %s, an alias (CNAME) for %s, which has no %s record.",
            to->client, name->name, to->more->alias, to->type);
    else if (name->address_count > 0)
        SAY("The PTR record of %s says %s, whose %s %s %s%s%s.", to->client, name->name, to->type,
            name->address_count > 1 ? "records say" : "record says",
            addresses_of(name, addresses, sizeof addresses), kind != NULL ? ", " : "",
            kind != NULL ? kind : "");
    else if (to->more->other_family)
        SAY("The PTR record of %s says %s, which has only %s records.", to->client, name->name,
            to->facts->client.family == IP_V6 ? "A (IPv4)" : "AAAA (IPv6)");
    else if (name->forward.outcome == DNS_NXDOMAIN)
        SAY("The PTR record of %s says %s, which does not exist (NXDOMAIN).", to->client,
            name->name);
    else
        SAY("The PTR record of %s says %s, which has no %s record.", to->client, name->name,
            to->type);
}

/* Can an address record be added to the PTR name?  Not beside a CNAME, not to a domain or a web
   server that has other addresses, and not by us to a provider's name. */
static bool can_add_address(const struct advising *to)
{
    const struct name_facts *name = to->subject;
    if (to->more->alias[0] != '\0' || to->more->shared ||
        !checks_name_is_own(to->evidence, name->name))
        return false;
    if (name->address_count > 0 && namekind_private_address(&name->addresses[0]) == NULL &&
        is_of_the_web(to, name->name))
        return false;
    return true;
}

static bool helo_is_subject(const struct advising *to)
{
    return to->subject != NULL && strcmp(to->facts->helo.name, to->subject->name) == 0;
}

static void say_added_address(struct advising *to)
{
    SAY("If %s is this server's name, add this record to its domain:", to->subject->name);
    LINE("%s. %s %s", to->subject->name, to->type, to->client);
    say_how_to_verify(to, to->subject->name);
}

/* The final dot is missing in the reverse zone's file. */
static void advise_dot(struct advising *to, const char *meant)
{
    SAY("The PTR record of %s says %s: the final dot is missing in the file of the reverse zone, "
        "so that "
        "the zone's name was added.",
        to->client, to->subject->name);
    SAY("The operator of %s must write the dot behind the name:",
        to->more->zone[0] != '\0' ? to->more->zone : "that zone");
    LINE("%s. PTR %s.", ptr_owner(to), meant[0] != '\0' ? meant : "NAME");
    say_how_to_verify(to, meant[0] != '\0' ? meant : "NAME");
}

static void advise_mismatch(struct advising *to)
{
    const struct name_facts *name = to->subject;
    char meant[HOSTNAME_MAX + 1];
    if (name == NULL) {
        advise_invalid(to);
        return;
    }
    if (namekind_lacks_dot(name->name, meant)) {
        advise_dot(to, meant);
        return;
    }
    say_contradiction(to);
    if (to->wanted[0] != '\0') {
        SAY("The EHLO name %s leads back to the address already: the PTR record has to change.",
            to->wanted);
    } else if (namekind_has_underscore(name->name)) {
        SAY("Host names must not contain \"_\": ask for a PTR record with another name.");
    } else if (namekind_is_placeholder(name->name) || namekind_local_ending(name->name) != NULL) {
        SAY("That name is %s: ask for a PTR record with a public name.",
            namekind_is_placeholder(name->name) ? "a placeholder" : "known only inside a network");
    } else if (to->more->shared || !checks_name_is_own(to->evidence, name->name)) {
        SAY("That is a placeholder or default name of the provider, who alone could give it an "
            "address.  Ask for a PTR record with a name of your own.");
    } else if (!can_add_address(to)) {
        SAY("%s  The PTR record has to change.",
            to->more->alias[0] != '\0'
                ? "No address record can stand beside the CNAME."
                : "Leave the address records of that name as they are: they may "
                  "be a web site's.");
    } else {
        say_added_address(to);
        if (helo_is_subject(to))
            return;
        SAY("If it is not, the PTR record has to change.");
    }
    say_who(to);
    say_record(to);
    say_meanwhile(to);
}

/* Providers whose customers can set a PTR record, and where. */
static void say_where_in_clouds(struct advising *to)
{
    static const struct {
        const char *domain, *where;
    } clouds[] = {
        {"amazonaws.com",
         "In AWS it is set for an Elastic IP address: Actions, Update reverse DNS."},
        {"googleusercontent.com",
         "In Google Cloud it is set at the instance's network interface: Public DNS PTR record."},
        {"azure.com", "In Azure: az network public-ip update -g GROUP -n IP --reverse-fqdn NAME."},
        {"linodeusercontent.com", "In Linode's Cloud Manager: Network, Edit RDNS."},
        {"your-server.de", "At Hetzner it is set at the server: Networking or IPs, reverse DNS."},
    };
    for (size_t i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        if (to->subject != NULL && hostname_under(to->subject->name, clouds[i].domain))
            SAY("%s", clouds[i].where);
}

static void advise_generic(struct advising *to)
{
    SAY("PTR and address agree, but %s looks like a provider's default name, not a mail server's "
        "own "
        "(%s).  Ask the provider for a PTR record with a name of your own.",
        to->evidence->iprev.confirmed->name, to->evidence->generic.why);
    say_where_in_clouds(to);
    say_record(to);
    say_meanwhile(to);
}

static void advise_excess(struct advising *to)
{
    SAY("%s has more PTR records than are looked up, and none of those that were leads back to it. "
        " "
        "One record is enough.",
        to->client);
    say_who(to);
    say_record(to);
}

/* --- failures ------------------------------------------------------------------------------- */

static void advise_temperror(struct advising *to)
{
    const struct dns_evidence *failed = checks_failed_lookup(to->evidence);
    const char *problem = failed != NULL && failed->problem != NULL ? failed->problem : "expired";
    bool reverse = to->facts->ptr.outcome != DNS_FOUND;
    const char *name = to->reverse;
    for (size_t i = 0; i < to->facts->name_count && !reverse && failed != NULL; i++)
        if (&to->facts->names[i].forward == failed)
            name = to->facts->names[i].name;
    if (checks_failure_is_ours(to->evidence)) {
        SAY("The failure is on our side (%s): it says nothing about the client, and its records "
            "may be in "
            "order.  Look at the name servers of this host, then check again.",
            problem);
        return;
    }
    if (failed != NULL && failed->fault == DNS_FAULT_SIGNATURES) {
        SAY("%s: %s.  The owner of that zone must sign it again or correct the DS record at the "
            "registrar.  What is wrong is shown by dnsviz.net, or:",
            name, problem);
        LINE("delv %s %s", name, reverse ? "PTR" : to->type);
        return;
    }
    if (failed != NULL && failed->fault == DNS_FAULT_ALIASES) {
        SAY("%s: %s.  The owner of its zone must correct the CNAME records.", name, problem);
        LINE("dig %s %s", name, reverse ? "PTR" : to->type);
        return;
    }
    if (reverse && to->more->chain_count > 0)
        SAY("%s is an alias (CNAME) for %s (RFC 2317), and that name cannot be looked up (%s).  "
            "Its zone "
            "is delegated to the customer, whose name servers must be put right.",
            to->reverse, ptr_owner(to), problem);
    else
        SAY("The name servers of %s do not answer as they should (%s).  Mail is deferred, not "
            "refused, "
            "and the sending server tries again.",
            name, problem);
    if (reverse && to->more->chain_count == 0)
        SAY("If it lasts longer than a day, show this to the provider, who runs the reverse zone:");
    else
        SAY("If it lasts longer than a day, show this to the owner of the zone:");
    LINE(reverse ? "dig +trace -x %s" : "dig +trace %s", reverse ? to->client : name);
}

/* --- EHLO ----------------------------------------------------------------------------------- */

static void say_settings(struct advising *to, const char *name)
{
    SAY("Where it is set, in Postfix's main.cf, Sendmail's sendmail.mc, Exim's transport and "
        "Exchange:");
    LINE("smtp_helo_name = %s", name);
    LINE("define(`confHELO_NAME', `%s')dnl", name);
    LINE("helo_data = %s", name);
    LINE("Set-SendConnector CONNECTOR -Fqdn %s", name);
}

/* What is wrong with the name itself. */
static void say_what_helo_is(struct advising *to)
{
    const struct facts *facts = to->facts;
    const char *name = facts->helo.name, *flaw = why_not_helo(to);
    const struct name_facts *found = &facts->helo_name;
    const char *kind =
        found->address_count > 0 ? namekind_private_address(&found->addresses[0]) : NULL;
    if (flaw != NULL && !found->confirmed)
        SAY("The EHLO name %s %s.", name, flaw);
    else if (kind != NULL)
        SAY("The EHLO name %s resolves to %s: that is what your own network sees.", name, kind);
    else if (to->more->helo_alias[0] != '\0' && found->address_count == 0 && !found->confirmed)
        SAY("The EHLO name %s is an alias (CNAME) for %s, which has no address.", name,
            to->more->helo_alias);
}

/* Does the server belong to a mail service, not to the sender? */
static const char *service_of(const struct advising *to)
{
    /* Services whose servers say names in EHLO that their customers cannot change. */
    static const char *const known[] = {
        "outlook.com",     "google.com",          "amazonses.com", "sendgrid.net",
        "mailgun.net",     "mtasv.net",           "pphosted.com",  "mimecast.com",
        "messagelabs.com", "yahoo.com",           "mcsv.net",      "rsgsv.net",
        "zoho.com",        "messagingengine.com", "protonmail.ch", "mailjet.com",
        "sendinblue.com",  "sparkpostmail.com",   "apple.com",     "icloud.com",
    };
    const struct name_facts *confirmed = to->evidence->iprev.confirmed;
    const char *org = confirmed != NULL ? org_of(to, confirmed->name) : NULL;
    if (org == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(org, known[i]) == 0)
            return org;
    bool others = (to->evidence->true_checks & CHECK_BIT(CHECK_SENDER_PTR_MISMATCH)) != 0;
    bool its_name = to->facts->helo.name[0] != '\0' &&
                    orgdomain_same(to->more->orgdomains, to->facts->helo.name, confirmed->name);
    return others && its_name ? org : NULL;
}

static void advise_helo(struct advising *to)
{
    const struct name_facts *confirmed = to->evidence->iprev.confirmed;
    const char *service = service_of(to), *sender = to->facts->sender_domain;
    if (service != NULL) {
        SAY("%s belongs to %s, as a mail service%s%s: there is nothing to set on the sender's "
            "side.  The "
            "receiving site can exempt the service with a match block.",
            to->client, service, sender[0] != '\0' ? " for " : "", sender);
        return;
    }
    say_what_helo_is(to);
    if (confirmed != NULL && checks_name_is_own(to->evidence, confirmed->name)) {
        SAY("Set the EHLO name to %s, the PTR name of the address.", confirmed->name);
        say_settings(to, confirmed->name);
    } else {
        if (confirmed != NULL && namekind_has_underscore(confirmed->name))
            SAY("The PTR name %s contains \"_\", which host names must not: it cannot be said in "
                "EHLO.  Ask for a PTR record with another name.",
                confirmed->name);
        SAY("Set the EHLO name to the server's own host name, NAME: the one in the corrected PTR "
            "record, "
            "which resolves to %s.",
            to->client);
        say_settings(to, "NAME");
    }
}

static void advise_helo_missing(struct advising *to)
{
    SAY("The program that sends says neither HELO nor EHLO before MAIL (RFC 5321 4.1.1.1): a "
        "script or a "
        "device, not a mail server.  Let it hand its mail to one.");
}

static void advise_sender(struct advising *to)
{
    const struct name_facts *confirmed = to->evidence->iprev.confirmed;
    SAY("%s is %s, of another organization than the sender's domain %s.  That is right for a mail "
        "service that sends for it; otherwise send through the domain's own servers.",
        to->client, confirmed != NULL ? confirmed->name : "", to->facts->sender_domain);
}

/* --- all of it ------------------------------------------------------------------------------ */

#define HELO_CHECKS                                                                                \
    (CHECK_BIT(CHECK_HELO_INVALID) | CHECK_BIT(CHECK_HELO_BARE_IP) |                               \
     CHECK_BIT(CHECK_HELO_LITERAL_MISMATCH) | CHECK_BIT(CHECK_HELO_NOT_FQDN) |                     \
     CHECK_BIT(CHECK_HELO_SELF) | CHECK_BIT(CHECK_HELO_UNRESOLVED) |                               \
     CHECK_BIT(CHECK_HELO_MISMATCH) | CHECK_BIT(CHECK_HELO_DISAGREES) |                            \
     CHECK_BIT(CHECK_HELO_UNSTABLE))
#define PTR_CHECKS                                                                                 \
    (CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_PTR_INVALID) | CHECK_BIT(CHECK_PTR_MISMATCH) | \
     CHECK_BIT(CHECK_PTR_EXCESS))

/* What one cure settles needs no second: see the cases. */
static check_set without_consequences(const struct advising *to, check_set set)
{
    if ((set & CHECK_BIT(CHECK_DNS_TEMPERROR)) != 0)
        return CHECK_BIT(CHECK_DNS_TEMPERROR); /* nothing else can be said before it is over */
    if ((set & CHECK_BIT(CHECK_PTR_INVALID)) != 0)
        set &=
            ~CHECK_BIT(CHECK_PTR_MISMATCH); /* of a PTR that is no host name it says nothing new */
    /* With the right PTR record or address, a good EHLO name is right, too. */
    if ((set & (PTR_CHECKS | CHECK_BIT(CHECK_PTR_GENERIC))) != 0 &&
        (to->wanted[0] != '\0' || to->facts->helo_name.confirmed || helo_is_subject(to)))
        set &= ~HELO_CHECKS;
    return set;
}

/* Have the zones' own servers what is missing already?  Then it is said, and nothing else is to be
   done. */
static bool say_done(struct advising *to)
{
    const struct check_now *now = to->more->now;
    if (now == NULL || !now->leads_back || !(now->ptr_differs || now->forward_differs))
        return false;
    const struct authority_answer *newer = now->ptr_differs ? &now->ptr : &now->forward;
    SAY("Nothing is left to do but wait.  The zone's own server, %s, says %s already%s.",
        newer->server, now->ptr_differs ? now->name : to->client,
        now->ptr_differs ? ", and that name leads back" : "");
    SAY("The resolver that was asked here has kept the older answer; it expires in %s.  Other "
        "resolvers may have kept it for as long.",
        now->until);
    return true;
}

/* What works here, and may not elsewhere. */
static void say_notes(struct advising *to)
{
    const struct name_facts *confirmed = to->evidence->iprev.confirmed;
    if (confirmed == NULL)
        return;
    if (to->more->alias[0] != '\0')
        SAY("The PTR name %s is an alias (CNAME) for %s.  iprevd follows it, others do not: set "
            "the PTR "
            "record to %s.",
            confirmed->name, to->more->alias, to->more->alias);
    for (size_t i = 0; i < to->facts->name_count && i < LISTED_MAX; i++) {
        const struct name_facts *name = &to->facts->names[i];
        if (!name->confirmed && !name_facts_is_open(name))
            SAY("%zu PTR records, of which %s does not lead back.  Remove it: some receivers look "
                "at one "
                "record only.",
                to->facts->name_count, name->name);
    }
}

void advice_make(const struct evidence *evidence, check_set set, const struct inquiry *more,
                 struct advice *out)
{
    /* One piece for several checks of one cure; what matters most comes first. */
    static const struct {
        check_set checks;
        void (*advise)(struct advising *to);
    } pieces[] = {
        {CHECK_BIT(CHECK_DNS_TEMPERROR), advise_temperror},
        {CHECK_BIT(CHECK_PTR_MISSING), advise_missing},
        {CHECK_BIT(CHECK_PTR_INVALID), advise_invalid},
        {CHECK_BIT(CHECK_PTR_MISMATCH), advise_mismatch},
        {CHECK_BIT(CHECK_PTR_EXCESS), advise_excess},
        {CHECK_BIT(CHECK_PTR_GENERIC), advise_generic},
        {CHECK_BIT(CHECK_HELO_MISSING), advise_helo_missing},
        {HELO_CHECKS, advise_helo},
        {CHECK_BIT(CHECK_SENDER_PTR_MISMATCH), advise_sender},
    };
    struct advising advising = {.evidence = evidence,
                                .facts = evidence->facts,
                                .more = more,
                                .out = out,
                                .type = evidence->facts->client.family == IP_V6 ? "AAAA" : "A",
                                .subject = inquiry_subject(evidence)};
    struct advising *to = &advising;
    const char *kind = namekind_private_address(&evidence->facts->client);
    (void)ipaddr_format(&evidence->facts->client, to->client);
    (void)ipaddr_reverse_name(&evidence->facts->client, to->reverse);
    if (checks_wanted_ptr(evidence, to->wanted) == NULL)
        to->wanted[0] = '\0';
    out->count = 0;
    if (kind != NULL && (set & (PTR_CHECKS | CHECK_BIT(CHECK_DNS_TEMPERROR))) != 0) {
        SAY("%s is %s: the world sees another one.  Check that one.", to->client, kind);
        return;
    }
    set = without_consequences(to, set);
    if ((set & PTR_CHECKS) != 0 && say_done(to)) {
        set &= ~PTR_CHECKS;
        if (evidence->facts->helo_name.name != NULL && more->now->helo[0] == '\0')
            set &= ~HELO_CHECKS; /* the EHLO name is that PTR name */
    }
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        if ((pieces[i].checks & set) != 0)
            pieces[i].advise(to);
    say_notes(to);
}
