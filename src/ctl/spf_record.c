/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/spf_record.h"

#include <string.h>
#include <strings.h>

#define VERSION "v=spf1"

static const struct {
    const char *name;
    enum spf_kind kind;
    bool needs_lookup;
} mechanisms[] = {
    {"all", SPF_ALL, false},     {"include", SPF_ELSEWHERE, true}, {"a", SPF_A, true},
    {"mx", SPF_MX, true},        {"ptr", SPF_DYNAMIC, true},       {"ip4", SPF_ADDRESS, false},
    {"ip6", SPF_ADDRESS, false}, {"exists", SPF_DYNAMIC, true},
};

bool spf_record_is(const char *text)
{
    size_t length = strlen(VERSION);
    return strncasecmp(text, VERSION, length) == 0 && (text[length] == '\0' || text[length] == ' ');
}

static void broken(struct spf_term *out, const char *flaw)
{
    out->kind = SPF_BROKEN;
    out->flaw = flaw;
}

/* "24" in 0 to `most`, without more digits than needed; -1: it is none. */
static int prefix_of(const char *text, int most)
{
    int number = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length ||
        (length > 1 && text[0] == '0'))
        return -1;
    for (; *text != '\0'; text++)
        number = number * 10 + (*text - '0');
    return number <= most ? number : -1;
}

/* The value of ip4 and ip6: an address, and a prefix behind '/'. */
static void parse_address(char *value, bool v6, struct spf_term *out)
{
    int most = v6 ? 128 : 32, prefix = most;
    char *slash = strchr(value, '/');
    if (slash != NULL) {
        *slash = '\0';
        prefix = prefix_of(slash + 1, most);
    }
    bool colon = strchr(value, ':') != NULL; /* a mapped address is one of IPv4 for us */
    if (prefix < 0 || colon != v6 || ipaddr_parse(value, &out->address) != RESULT_OK)
        broken(out, "is no address or network");
    else if (prefix < most)
        out->kind = SPF_NETWORK;
}

/* "/24", "//64", "/24//64" at the end of a and mx are cut off.  False: they are wrong; *wide: one
   is shorter than an address. */
static bool cut_prefixes(char *value, bool *wide)
{
    char *slash = strchr(value, '/');
    *wide = false;
    if (slash == NULL)
        return true;
    char *v6 = strstr(slash, "//");
    if (v6 != NULL) {
        int prefix = prefix_of(v6 + 2, 128);
        if (prefix < 0)
            return false;
        *wide = prefix < 128;
        *v6 = '\0';
    }
    if (*slash == '/') {
        int prefix = prefix_of(slash + 1, 32);
        if (prefix < 0)
            return false;
        *wide = *wide || prefix < 32;
        *slash = '\0';
    }
    return true;
}

/* The domain of a, mx, include and redirect. */
static void parse_domain(const char *value, struct spf_term *out)
{
    if (strchr(value, '%') != NULL) {
        out->kind = SPF_DYNAMIC;
    } else if (value[0] == '\0') {
        broken(out, "lacks its domain");
    } else if (hostname_parse(value, out->domain) != HOSTNAME_OK) {
        out->domain[0] = '\0'; /* a single label is left there */
        broken(out, "has a domain that is none");
    }
}

/* `value` is what stands behind the name: "", ":x", "/24". */
static void parse_mechanism(size_t which, char *value, struct spf_term *out)
{
    enum spf_kind kind = mechanisms[which].kind;
    bool wide = false, domain = value[0] == ':';
    out->kind = kind;
    out->needs_lookup = mechanisms[which].needs_lookup;
    switch (kind) {
    case SPF_ADDRESS:
        parse_address(domain ? value + 1 : value, mechanisms[which].name[2] == '6', out);
        break;
    case SPF_A:
    case SPF_MX:
        if (!cut_prefixes(value, &wide)) {
            broken(out, "has a wrong prefix length");
            break;
        }
        if (domain)
            parse_domain(value + 1, out);
        if (wide && (out->kind == SPF_A || out->kind == SPF_MX))
            out->kind = SPF_NETWORK;
        break;
    case SPF_ELSEWHERE:
        parse_domain(domain ? value + 1 : value, out);
        break;
    case SPF_ALL:
        if (value[0] != '\0')
            broken(out, "has something behind \"all\"");
        break;
    case SPF_NETWORK:
    case SPF_DYNAMIC:
    case SPF_MODIFIER:
    case SPF_BROKEN:
        break;
    }
}

static void parse_modifier(char *text, char *equals, struct spf_term *out)
{
    *equals = '\0';
    out->kind = SPF_MODIFIER;
    if (strcasecmp(text, "redirect") != 0)
        return;
    out->kind = SPF_ELSEWHERE;
    out->needs_lookup = true;
    parse_domain(equals + 1, out);
}

static void parse(char *text, struct spf_term *out)
{
    size_t name = strcspn(text, ":/=");
    out->qualifier = '+';
    if (text[name] == '=' && name > 0) {
        parse_modifier(text, text + name, out);
        return;
    }
    if (strchr("+-~?", text[0]) != NULL) {
        out->qualifier = *text++;
        name = strcspn(text, ":/=");
    }
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (strlen(mechanisms[i].name) == name &&
            strncasecmp(text, mechanisms[i].name, name) == 0 && text[name] != '=') {
            parse_mechanism(i, text + name, out);
            return;
        }
    broken(out, "is no term of SPF");
}

bool spf_record_next(const char **at, struct spf_term *out)
{
    char text[SPF_TERM_MAX + 1];
    if (spf_record_is(*at))
        *at += strlen(VERSION);
    *at += strspn(*at, " ");
    size_t length = strcspn(*at, " ");
    if (length == 0)
        return false;
    memset(out, 0, sizeof *out);
    bool whole = length <= SPF_TERM_MAX;
    size_t kept = whole ? length : SPF_TERM_MAX;
    memcpy(out->text, *at, kept);
    memcpy(text, out->text, kept + 1);
    *at += length;
    if (whole)
        parse(text, out);
    else
        broken(out, "is longer than any domain");
    return true;
}
