/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/advice.h"

#include <string.h>

#define NAME_SHOWN_MAX  200 /* bytes of a untrusted name */
#define NAMES_SHOWN_MAX 3

/* Where the EHLO name is set. */
static const char ehlo_settings[] =
    "The EHLO name is set in Postfix by smtp_helo_name in main.cf (without it, myhostname), in "
    "Sendmail by confDOMAIN_NAME in sendmail.mc (macro $j), in Exim by helo_data of the smtp "
    "transport (without it, primary_hostname), in Exchange by the FQDN of the send connector "
    "(Set-SendConnector -Fqdn).";

static struct textbuf begin(struct advice *out)
{
    struct textbuf buf;
    textbuf_init(&buf, out->text[out->count], ADVICE_TEXT_MAX);
    return buf;
}

static const char *type_of(const struct facts *facts)
{
    return facts->client.family == IP_V6 ? "AAAA" : "A";
}

static void put_name(struct textbuf *buf, const char *name)
{
    textbuf_put_untrusted(buf, name, NAME_SHOWN_MAX);
}

static void put_client(struct textbuf *buf, const struct facts *facts)
{
    char text[IPADDR_TEXT_MAX];
    textbuf_put(buf, ipaddr_format(&facts->client, text));
}

static bool resolves_to_client(const struct name_facts *name)
{
    return name->name != NULL && name->flaw == HOSTNAME_OK && name->confirmed;
}

/* The first usable PTR name, or NULL. */
static const struct name_facts *first_usable(const struct facts *facts)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].flaw == HOSTNAME_OK)
            return &facts->names[i];
    return NULL;
}

/* "2.2.0.192.in-addr.arpa. PTR mail.example.org." */
static void put_wanted_ptr(struct textbuf *buf, const struct facts *facts)
{
    char reverse[IPADDR_REVERSE_MAX];
    textbuf_printf(buf, "\"%s. PTR ", ipaddr_reverse_name(&facts->client, reverse));
    if (resolves_to_client(&facts->helo_name)) {
        put_name(buf, facts->helo_name.name);
        textbuf_put(buf, ".\": that name leads back to the address already.");
        return;
    }
    textbuf_printf(buf,
                   "NAME.\", NAME being the mail server's own host name, whose %s record must be ",
                   type_of(facts));
    put_client(buf, facts);
    textbuf_put(buf, ".");
}

static void put_who_sets_ptr(struct textbuf *buf, const struct facts *facts)
{
    textbuf_put(buf, "The PTR record of ");
    put_client(buf, facts);
    textbuf_put(buf, " is set by the owner of the network, usually the provider (in a panel, or by "
                     "a ticket), not in the domain's own zone.  Ask for ");
    put_wanted_ptr(buf, facts);
}

static void advise_missing(const struct evidence *evidence, struct textbuf *buf)
{
    put_who_sets_ptr(buf, evidence->facts);
}

static void advise_invalid(const struct evidence *evidence, struct textbuf *buf)
{
    textbuf_put(buf, "The PTR record is there, but what it holds is no host name that can be "
                     "looked up.  ");
    put_who_sets_ptr(buf, evidence->facts);
}

/* Which record says what, and either way out of it. */
static void advise_mismatch(const struct evidence *evidence, struct textbuf *buf)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *name = first_usable(facts);
    if (name == NULL) {
        put_who_sets_ptr(buf, facts);
        return;
    }
    textbuf_put(buf, "The PTR record of ");
    put_client(buf, facts);
    textbuf_put(buf, " says ");
    put_name(buf, name->name);
    if (name->address_count > 0) {
        char text[IPADDR_TEXT_MAX];
        textbuf_printf(buf, ", whose %s record says ", type_of(facts));
        for (size_t i = 0; i < name->address_count && i < NAMES_SHOWN_MAX; i++)
            textbuf_printf(buf, "%s%s", i > 0 ? ", " : "",
                           ipaddr_format(&name->addresses[i], text));
        if (name->address_count > NAMES_SHOWN_MAX)
            textbuf_put(buf, ", ...");
    } else {
        textbuf_printf(buf, ", which has no %s record", type_of(facts));
    }
    textbuf_put(buf, ".  One of the two has to change.  If the name is right, the owner of its "
                     "zone sets \"");
    put_name(buf, name->name);
    textbuf_printf(buf, ". %s ", type_of(facts));
    put_client(buf, facts);
    textbuf_put(buf, "\".  If it is not, the owner of the network, usually the provider, sets ");
    put_wanted_ptr(buf, facts);
}

static void advise_generic(const struct evidence *evidence, struct textbuf *buf)
{
    textbuf_put(buf, "PTR and address agree, but the name is one that a provider gives to every "
                     "line.  ");
    put_who_sets_ptr(buf, evidence->facts);
}

/* Whose name servers failed. */
static void advise_temperror(const struct evidence *evidence, struct textbuf *buf)
{
    const struct facts *facts = evidence->facts;
    char reverse[IPADDR_REVERSE_MAX];
    textbuf_put(buf, "Nothing is known to be wrong with the records.  Name servers did not answer "
                     "as they should: those of ");
    if (facts->ptr.outcome != DNS_FOUND) {
        textbuf_printf(buf, "%s, which the owner of the network runs",
                       ipaddr_reverse_name(&facts->client, reverse));
    } else {
        const struct name_facts *name = first_usable(facts);
        for (size_t i = 0; i < facts->name_count; i++)
            if (facts->names[i].flaw == HOSTNAME_OK &&
                facts->names[i].forward.outcome == DNS_TEMPERROR) {
                name = &facts->names[i];
                break;
            }
        put_name(buf, name != NULL ? name->name : "the PTR name");
        textbuf_put(buf, ", which the owner of that zone runs");
    }
    textbuf_put(buf,
                "; or the resolver that was asked here.  Check again before you contact anyone.");
}

/* Then it is said with the PTR already. */
static bool is_ptr_name(const struct facts *facts)
{
    const struct name_facts *name = first_usable(facts);
    return name != NULL && strcmp(name->name, facts->helo_name.name) == 0;
}

/* The name that would agree: a confirmed PTR name, if it is not a provider's. */
static void advise_helo(const struct evidence *evidence, struct textbuf *buf)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *confirmed = evidence->iprev.confirmed;
    if (confirmed != NULL && !evidence->generic.generic) {
        textbuf_put(buf, "The server should say \"EHLO ");
        put_name(buf, confirmed->name);
        textbuf_put(buf, "\", the PTR name of its address.  ");
    } else {
        textbuf_put(buf, "The server should say its own host name in EHLO: the one that the PTR "
                         "record of ");
        put_client(buf, facts);
        textbuf_printf(buf, " holds once it is right, and whose %s record is that address.  ",
                       type_of(facts));
    }
    if (facts->helo_name.name != NULL && facts->helo_name.forward.outcome == DNS_FOUND &&
        !resolves_to_client(&facts->helo_name) && !is_ptr_name(facts)) {
        textbuf_put(buf, "Or, when ");
        put_name(buf, facts->helo_name.name);
        textbuf_printf(buf, " is the right name, the owner of its zone sets its %s record to ",
                       type_of(facts));
        put_client(buf, facts);
        textbuf_put(buf, ".  ");
    }
    textbuf_put(buf, ehlo_settings);
}

static void advise_helo_missing(const struct evidence *evidence, struct textbuf *buf)
{
    (void)evidence;
    textbuf_put(buf, "The program that sends says neither HELO nor EHLO before MAIL (RFC 5321 "
                     "4.1.1.1): a script or a device, not a mail server.  Let it hand its mail to "
                     "one.");
}

static void advise_sender(const struct evidence *evidence, struct textbuf *buf)
{
    textbuf_put(buf, "Mail of ");
    put_name(buf, evidence->facts->sender_domain);
    textbuf_put(buf, " comes from a host of another organisation.  Where that is not meant, its "
                     "administrator sends it through the domain's own servers.");
}

#define HELO_CHECKS                                                                                \
    (CHECK_BIT(CHECK_HELO_INVALID) | CHECK_BIT(CHECK_HELO_BARE_IP) |                               \
     CHECK_BIT(CHECK_HELO_LITERAL_MISMATCH) | CHECK_BIT(CHECK_HELO_NOT_FQDN) |                     \
     CHECK_BIT(CHECK_HELO_SELF) | CHECK_BIT(CHECK_HELO_UNRESOLVED) |                               \
     CHECK_BIT(CHECK_HELO_MISMATCH) | CHECK_BIT(CHECK_HELO_DISAGREES))

void advice_make(const struct evidence *evidence, check_set set, struct advice *out)
{
    /* One piece for several checks of one cure. */
    static const struct {
        check_set checks;
        void (*advise)(const struct evidence *evidence, struct textbuf *buf);
    } pieces[] = {
        {CHECK_BIT(CHECK_PTR_MISSING), advise_missing},
        {CHECK_BIT(CHECK_PTR_INVALID), advise_invalid},
        {CHECK_BIT(CHECK_PTR_MISMATCH), advise_mismatch},
        {CHECK_BIT(CHECK_PTR_GENERIC), advise_generic},
        {CHECK_BIT(CHECK_DNS_TEMPERROR), advise_temperror},
        {CHECK_BIT(CHECK_HELO_MISSING), advise_helo_missing},
        {HELO_CHECKS, advise_helo},
        {CHECK_BIT(CHECK_SENDER_PTR_MISMATCH), advise_sender},
    };
    /* Of a PTR that is no host name, ptr-mismatch says nothing new. */
    if ((set & CHECK_BIT(CHECK_PTR_INVALID)) != 0)
        set &= ~CHECK_BIT(CHECK_PTR_MISMATCH);
    out->count = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        if ((pieces[i].checks & set) == 0)
            continue;
        struct textbuf buf = begin(out);
        pieces[i].advise(evidence, &buf);
        out->count++;
    }
}
