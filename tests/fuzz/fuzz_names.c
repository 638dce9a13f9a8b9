/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that a client says or that its DNS says of it, and what is concluded from them.  Lines: the
 * client's address, the EHLO text, then PTR names, each with a first byte that says how its forward
 * lookup ended: '=' the client, '!' somebody else, '/' a neighbour, '~' temporary failure, '-'
 * nothing; '?' is the PTR lookup itself failing.
 */
#include "fuzz.h"

#include "core/agreement.h"
#include "core/generic.h"
#include "core/iprev.h"
#include "core/orgdomain.h"

#include <ctype.h>
#include <string.h>

#define NAMES_MAX 8

enum place {
    NAME_GOOD,
    NAME_IP_ADDRESS,
    NAME_MALFORMED,
    HELO_IS_DOMAIN,
    HELO_IS_LITERAL,
    HELO_IS_BARE,
    HELO_IS_INVALID,
    GENERIC_OCTETS,
    GENERIC_TOGETHER,
    GENERIC_NUMBER,
    GENERIC_HEX,
    GENERIC_V6,
    GENERIC_WORD,
    PASSES,
    FAILS,
    STAYS_OPEN,
    AGREES_EXACT,
    AGREES_FORWARD,
    AGREES_DOMAIN,
    AGREES_NETWORK,
    AGREES_UNKNOWN,
};

FUZZ_PLACES([NAME_GOOD] = "host-name", [NAME_IP_ADDRESS] = "ip-address",
            [NAME_MALFORMED] = "malformed", [HELO_IS_DOMAIN] = "helo-domain",
            [HELO_IS_LITERAL] = "helo-literal", [HELO_IS_BARE] = "helo-bare-ip",
            [HELO_IS_INVALID] = "helo-invalid", [GENERIC_OCTETS] = "octets",
            [GENERIC_TOGETHER] = "together", [GENERIC_NUMBER] = "number", [GENERIC_HEX] = "hex",
            [GENERIC_V6] = "v6", [GENERIC_WORD] = "word", [PASSES] = "pass", [FAILS] = "fail",
            [STAYS_OPEN] = "temperror", [AGREES_EXACT] = "exact", [AGREES_FORWARD] = "forward",
            [AGREES_DOMAIN] = "domain", [AGREES_NETWORK] = "network", [AGREES_UNKNOWN] = "unknown");

static const struct orgdomain *suffixes(void)
{
    static struct orgdomain *list;
    if (list == NULL)
        list = orgdomain_load(NULL);
    CHECK(list != NULL);
    return list;
}

/* --- one name -------------------------------------------------------------------------------- */

static void check_canonical(const char *name)
{
    size_t label = 0, length = strlen(name);
    CHECK(length >= 1 && length <= HOSTNAME_MAX);
    for (const char *c = name; *c != '\0'; c++) {
        CHECK((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' ||
              *c == '.');
        CHECK(*c != '.' || label > 0);
        label = *c == '.' ? 0 : label + 1;
        CHECK(label <= 63);
    }
    CHECK(label > 0);
}

/* In other letters, and with the root's dot, it is the same name. */
static void check_same(const char *text, enum hostname_flaw flaw, const char *name)
{
    char again[HOSTNAME_MAX + 1];
    size_t length = strlen(text);
    char *other = malloc(length + 2);
    CHECK(other != NULL);
    for (size_t i = 0; i <= length; i++)
        other[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    CHECK(hostname_parse(other, again) == flaw && strcmp(again, name) == 0);
    if (length > 0 && text[length - 1] != '.') {
        other[length] = '.';
        other[length + 1] = '\0';
        CHECK(hostname_parse(other, again) == flaw && strcmp(again, name) == 0);
    }
    free(other);
}

static void check_orgdomain(const char *name)
{
    const char *domain = orgdomain_of(suffixes(), name);
    CHECK(orgdomain_same(suffixes(), name, name) == (domain != NULL));
    if (domain == NULL)
        return;
    CHECK(domain >= name && domain < name + strlen(name));
    CHECK(hostname_under(name, domain));
    CHECK(strchr(domain, '.') != NULL);
    CHECK(orgdomain_of(suffixes(), domain) == domain);
    CHECK(orgdomain_same(suffixes(), name, domain));
}

static enum hostname_flaw check_name(const char *text, char out[HOSTNAME_MAX + 1])
{
    char again[HOSTNAME_MAX + 1];
    enum hostname_flaw flaw = hostname_parse(text, out);
    if (flaw != HOSTNAME_OK && flaw != HOSTNAME_ONE_LABEL) {
        CHECK(out[0] == '\0');
    } else {
        check_canonical(out);
        CHECK((strchr(out, '.') == NULL) == (flaw == HOSTNAME_ONE_LABEL));
        CHECK(hostname_parse(out, again) == flaw && strcmp(again, out) == 0);
        CHECK(hostname_under(out, out));
        check_orgdomain(out);
    }
    check_same(text, flaw, out);
    fuzz_reach(flaw == HOSTNAME_OK           ? NAME_GOOD
               : flaw == HOSTNAME_IP_ADDRESS ? NAME_IP_ADDRESS
                                             : NAME_MALFORMED);
    return flaw;
}

/* --- names computed from addresses ------------------------------------------------------------ */

/* How many octets of the address stand in the name as decimal numbers. */
static unsigned octets_in(const char *name, const struct ipaddr *addr)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 4; i++)
        for (const char *c = name; *c != '\0'; c++) {
            if (!isdigit((unsigned char)*c) || (c > name && isdigit((unsigned char)c[-1])))
                continue;
            if (strtoul(c, NULL, 10) == addr->bytes[i]) {
                count++;
                break;
            }
        }
    return count;
}

/* The words between two texts of a reason stand in the name. */
static void check_quoted(const char *why, const char *before, const char *name)
{
    char quoted[GENERIC_WHY_MAX];
    const char *from = why + strlen(before);
    size_t length = strcspn(from, " \"");
    CHECK(length > 0 && length < sizeof quoted);
    memcpy(quoted, from, length);
    quoted[length] = '\0';
    CHECK(strstr(name, quoted) != NULL);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Every form of evidence names what it found, and it is there. */
static void check_why(const struct generic *generic, const char *name, const struct ipaddr *addr)
{
    static const struct {
        const char *text;
        enum place place;
        enum ipfamily family;
    } forms[] = {{"octets run together ", GENERIC_TOGETHER, IP_V4},
                 {"contains ", GENERIC_OCTETS, IP_V4},
                 {"address as a number ", GENERIC_NUMBER, IP_V4},
                 {"address in hexadecimal ", GENERIC_HEX, IP_V4},
                 {"digits of the address", GENERIC_V6, IP_V6},
                 {"word \"", GENERIC_WORD, IP_NONE}};
    size_t i = 0;
    CHECK(fuzz_printable(generic->why, strlen(generic->why), false));
    while (i < sizeof forms / sizeof forms[0] && !begins(generic->why, forms[i].text))
        i++;
    CHECK(i < sizeof forms / sizeof forms[0]);
    CHECK(forms[i].family == IP_NONE || forms[i].family == (enum ipfamily)addr->family);
    if (forms[i].place != GENERIC_V6)
        check_quoted(generic->why, forms[i].text, name);
    if (forms[i].place == GENERIC_OCTETS)
        CHECK(octets_in(name, addr) >= 2);
    fuzz_reach(forms[i].place);
}

static void check_generic(const char *name, const struct ipaddr *addr)
{
    struct generic plain = generic_evaluate(name, addr, false);
    struct generic intent = generic_evaluate(name, addr, true);
    struct generic of_words = generic_evaluate(name, &(struct ipaddr){0}, false);
    CHECK(plain.generic == (plain.why[0] != '\0'));
    CHECK(intent.generic == (intent.why[0] != '\0'));
    CHECK(plain.generic || !intent.generic); /* intent excuses, and never accuses */
    CHECK(strstr(name, "static") != NULL ||
          (intent.generic == plain.generic && strcmp(intent.why, plain.why) == 0));
    if (plain.generic)
        check_why(&plain, name, addr);
    if (of_words.generic)
        CHECK(begins(of_words.why, "word \"") && plain.generic);
}

/* --- EHLO --------------------------------------------------------------------------------------
 */

static void check_literal(const struct helo *helo)
{
    char text[IPADDR_TEXT_MAX], bracketed[IPADDR_TEXT_MAX + 8];
    struct helo again;
    CHECK(helo->literal.family == IP_V4 || helo->literal.family == IP_V6);
    CHECK(helo->name[0] == '\0');
    ipaddr_format(&helo->literal, text);
    helo_parse(text, &again);
    CHECK(again.kind == HELO_BARE_IP && ipaddr_equal(&again.literal, &helo->literal));
    (void)snprintf(bracketed, sizeof bracketed, "[%s%s]",
                   helo->literal.family == IP_V6 ? "IPv6:" : "", text);
    helo_parse(bracketed, &again);
    CHECK(again.kind == HELO_LITERAL && ipaddr_equal(&again.literal, &helo->literal));
}

static void check_helo(const char *text, struct helo *out)
{
    char again[HOSTNAME_MAX + 1];
    size_t length = strlen(text);
    memset(out, 0xff, sizeof *out);
    helo_parse(text, out);
    CHECK(out->kind != HELO_NONE);
    CHECK(out->cut == (length > HELO_TEXT_MAX));
    CHECK(strlen(out->text) == (out->cut ? HELO_TEXT_MAX : length));
    CHECK(strncmp(out->text, text, strlen(out->text)) == 0);
    if (out->name[0] != '\0') {
        CHECK(out->kind == HELO_DOMAIN || out->kind == HELO_INVALID);
        CHECK(hostname_parse(out->name, again) == HOSTNAME_OK && strcmp(again, out->name) == 0);
    }
    if (out->kind == HELO_LITERAL || out->kind == HELO_BARE_IP)
        check_literal(out);
    else
        CHECK(out->literal.family == IP_NONE);
    if (out->kind == HELO_DOMAIN)
        CHECK(out->name[0] != '\0' && strchr(out->name, '_') == NULL && !out->cut);
    fuzz_reach(out->kind == HELO_DOMAIN    ? HELO_IS_DOMAIN
               : out->kind == HELO_LITERAL ? HELO_IS_LITERAL
               : out->kind == HELO_BARE_IP ? HELO_IS_BARE
                                           : HELO_IS_INVALID);
}

/* --- what follows ------------------------------------------------------------------------------
 */

struct client {
    struct facts facts;
    struct name_facts names[NAMES_MAX];
    char texts[NAMES_MAX][HOSTNAME_MAX + 1];
    struct ipaddr neighbour, stranger;
};

static void add_name(struct client *client, const char *text)
{
    size_t i = client->facts.name_count;
    if (text[0] == '?') {
        client->facts.ptr.outcome = DNS_TEMPERROR;
        client->facts.name_count = 0;
    }
    if (i == NAMES_MAX || text[0] == '\0' || client->facts.ptr.outcome == DNS_TEMPERROR)
        return;
    struct name_facts *name = &client->names[i];
    name->flaw = check_name(text + 1, client->texts[i]);
    name->name = client->texts[i];
    if (name->flaw == HOSTNAME_OK) {
        check_generic(name->name, &client->facts.client);
        name->forward.outcome = text[0] == '~'   ? DNS_TEMPERROR
                                : text[0] == '-' ? DNS_NXDOMAIN
                                                 : DNS_FOUND;
        name->addresses = text[0] == '='   ? &client->facts.client
                          : text[0] == '/' ? &client->neighbour
                                           : &client->stranger;
        name->address_count = name->forward.outcome == DNS_FOUND;
    }
    name_facts_confirm(name, &client->facts.client);
    client->facts.name_count++;
}

/* The EHLO name's own lookup: as that of the PTR name of the same text, or by its first letter: a
   neighbour, the client (forward), a temporary failure. */
static void add_helo(struct client *client)
{
    struct facts *facts = &client->facts;
    if (facts->helo.name[0] == '\0')
        return;
    facts->helo_name.name = facts->helo.name;
    facts->helo_name.forward.outcome = DNS_NXDOMAIN;
    for (size_t i = 0; i < facts->name_count; i++)
        if (strcmp(facts->names[i].name, facts->helo.name) == 0)
            facts->helo_name = facts->names[i];
    if (facts->helo.name[0] == 'n' || facts->helo.name[0] == 'f') {
        facts->helo_name.forward.outcome = DNS_FOUND;
        facts->helo_name.addresses =
            facts->helo.name[0] == 'n' ? &client->neighbour : &facts->client;
        facts->helo_name.address_count = 1;
    } else if (facts->helo.name[0] == 't') {
        facts->helo_name.forward.outcome = DNS_TEMPERROR;
        facts->helo_name.address_count = 0;
    }
    name_facts_confirm(&facts->helo_name, &facts->client);
}

static struct iprev check_iprev(const struct facts *facts)
{
    struct iprev iprev = iprev_evaluate(facts);
    bool open = false;
    for (size_t i = 0; i < facts->name_count; i++)
        open = open || (facts->names[i].flaw == HOSTNAME_OK &&
                        facts->names[i].forward.outcome == DNS_TEMPERROR);
    CHECK((iprev.result == IPREV_PASS) == (iprev.confirmed != NULL));
    if (iprev.confirmed != NULL)
        CHECK(iprev.confirmed->confirmed);
    if (facts->ptr.outcome == DNS_TEMPERROR)
        CHECK(iprev.result == IPREV_TEMPERROR);
    if (iprev.result == IPREV_FAIL)
        CHECK(!open);
    /* The order of the names does not matter. */
    struct facts turned = *facts;
    struct name_facts names[NAMES_MAX];
    for (size_t i = 0; i < facts->name_count; i++)
        names[i] = facts->names[facts->name_count - 1 - i];
    turned.names = names;
    CHECK(iprev_evaluate(&turned).result == iprev.result);
    fuzz_reach(iprev.result == IPREV_PASS   ? PASSES
               : iprev.result == IPREV_FAIL ? FAILS
                                            : STAYS_OPEN);
    return iprev;
}

/* The same with every temporary failure settled for the worse. */
static enum agreement settled_agreement(const struct facts *facts)
{
    struct facts settled = *facts;
    struct name_facts names[NAMES_MAX];
    for (size_t i = 0; i < facts->name_count; i++) {
        names[i] = facts->names[i];
        if (names[i].forward.outcome == DNS_TEMPERROR)
            names[i].forward.outcome = DNS_NXDOMAIN;
    }
    settled.names = names;
    if (settled.ptr.outcome == DNS_TEMPERROR) {
        settled.ptr.outcome = DNS_NXDOMAIN;
        settled.name_count = 0;
    }
    if (settled.helo_name.forward.outcome == DNS_TEMPERROR)
        settled.helo_name.forward.outcome = DNS_NXDOMAIN;
    struct iprev iprev = iprev_evaluate(&settled);
    return agreement_evaluate(&settled, &iprev, suffixes(), (struct neighbour_bits){24, 64});
}

static void check_agreement(const struct facts *facts, const struct iprev *iprev)
{
    const struct neighbour_bits bits = {24, 64};
    enum agreement grade = agreement_evaluate(facts, iprev, suffixes(), bits);
    enum agreement without = agreement_evaluate(facts, iprev, NULL, bits);
    enum agreement settled = settled_agreement(facts);
    CHECK(without != AGREEMENT_DOMAIN);
    CHECK(settled != AGREEMENT_UNKNOWN);
    CHECK(grade == AGREEMENT_UNKNOWN || facts->ptr.outcome == DNS_TEMPERROR || grade == settled);
    CHECK((grade == AGREEMENT_LITERAL) ==
          (facts->helo.kind == HELO_LITERAL && ipaddr_equal(&facts->helo.literal, &facts->client)));
    if (grade == AGREEMENT_EXACT)
        CHECK(iprev->confirmed != NULL && strcmp(iprev->confirmed->name, facts->helo.name) == 0);
    static const int places[AGREEMENT_COUNT] = {[AGREEMENT_EXACT] = AGREES_EXACT,
                                                [AGREEMENT_FORWARD] = AGREES_FORWARD,
                                                [AGREEMENT_LITERAL] = -1,
                                                [AGREEMENT_DOMAIN] = AGREES_DOMAIN,
                                                [AGREEMENT_NETWORK] = AGREES_NETWORK,
                                                [AGREEMENT_NONE] = -1,
                                                [AGREEMENT_UNKNOWN] = AGREES_UNKNOWN};
    if (places[grade] >= 0)
        fuzz_reach((size_t)places[grade]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_lines lines = {data, data + size};
    static struct client client;
    char *text = fuzz_line(&lines);
    memset(&client, 0, sizeof client);
    bool known = text != NULL && ipaddr_parse(text, &client.facts.client) == RESULT_OK;
    free(text);
    char *helo = known ? fuzz_line(&lines) : NULL;
    if (helo == NULL)
        return 0;
    client.neighbour = client.stranger = client.facts.client;
    client.neighbour.bytes[client.neighbour.family == IP_V4 ? 3 : 15] ^= 1;
    client.stranger.bytes[0] ^= 1;
    client.facts.ptr.outcome = DNS_FOUND;
    client.facts.names = client.names;
    check_helo(helo, &client.facts.helo);
    free(helo);
    while ((text = fuzz_line(&lines)) != NULL) {
        add_name(&client, text);
        free(text);
    }
    add_helo(&client);
    struct iprev iprev = check_iprev(&client.facts);
    check_agreement(&client.facts, &iprev);
    return 0;
}
