/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dnslist.h"

#include <stdio.h>
#include <string.h>

/* --- the filter ------------------------------------------------------------------------------ */

static void set_range(uint32_t set[8], unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++)
        set[i / 32] |= UINT32_C(1) << i % 32;
}

static bool set_has(const uint32_t set[8], unsigned number)
{
    return (set[number / 32] >> number % 32 & 1) != 0;
}

/* A number of 0 to 255; *text goes behind it. */
static bool parse_number(const char **text, unsigned *out)
{
    unsigned value = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 4; digits++, (*text)++)
        value = 10 * value + (unsigned)(**text - '0');
    *out = value;
    return digits > 0 && digits < 4 && value <= 255;
}

/* "N" or "N..N" */
static const char *parse_range(const char **text, uint32_t set[8])
{
    unsigned from, to;
    if (!parse_number(text, &from))
        return "a number of the filter is not one from 0 to 255";
    to = from;
    if (strncmp(*text, "..", 2) == 0) {
        *text += 2;
        if (!parse_number(text, &to))
            return "a number of the filter is not one from 0 to 255";
    }
    if (to < from)
        return "a range of the filter ends before it begins";
    set_range(set, from, to);
    return NULL;
}

/* One of the four: a number, or "[...]". */
static const char *parse_set(const char **text, uint32_t set[8])
{
    if (**text != '[') {
        unsigned number;
        if (!parse_number(text, &number))
            return "the filter is not four numbers from 0 to 255 or [...] between dots";
        set_range(set, number, number);
        return NULL;
    }
    do {
        (*text)++; /* '[' or ';' */
        const char *wrong = parse_range(text, set);
        if (wrong != NULL)
            return wrong;
    } while (**text == ';');
    if (**text != ']')
        return "in a filter's [...] numbers and ranges N..N stand between semicolons";
    (*text)++;
    return NULL;
}

static const char *parse_filter(const char *text, struct dnslist_filter *filter)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0 && *text++ != '.')
            return "the filter is not four numbers from 0 to 255 or [...] between dots";
        const char *wrong = parse_set(&text, filter->sets[i]);
        if (wrong != NULL)
            return wrong;
    }
    if (*text != '\0')
        return "something stands behind the filter's four numbers";
    if (!set_has(filter->sets[0], 127))
        return "lists answer with addresses in 127.0.0.0/8: the filter's first number is 127";
    return NULL;
}

const char *dnslist_parse(const char *text, char zone[DNSLIST_ZONE_MAX + 1],
                          struct dnslist_filter *filter)
{
    char name[HOSTNAME_MAX + 1], canonical[HOSTNAME_MAX + 1];
    size_t length = strcspn(text, "=");
    *filter = (struct dnslist_filter){.any = text[length] == '\0'};
    if (strchr(text, '*') != NULL)
        return "weights are postscreen's: here a list fits or not";
    if (length > DNSLIST_ZONE_MAX)
        return "the list's domain is too long for an address before it";
    memcpy(name, text, length);
    name[length] = '\0';
    if (hostname_parse(name, canonical) != HOSTNAME_OK)
        return "it does not begin with a list's domain";
    memcpy(zone, canonical, strlen(canonical) + 1);
    return filter->any ? NULL : parse_filter(text + length + 1, filter);
}

bool dnslist_filter_covers(const struct dnslist_filter *wide, const struct dnslist_filter *narrow)
{
    if (wide->any || narrow->any)
        return wide->any == narrow->any;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 8; j++)
            if ((narrow->sets[i][j] & ~wide->sets[i][j]) != 0)
                return false;
    return true;
}

/* --- the question ---------------------------------------------------------------------------- */

const char *dnslist_name(const struct ipaddr *client, const char *zone, char out[HOSTNAME_MAX + 1])
{
    char reverse[IPADDR_REVERSE_MAX];
    const char *end = client->family == IP_V6 ? "ip6.arpa" : "in-addr.arpa";
    size_t length = strlen(ipaddr_reverse_name(client, reverse)) - strlen(end);
    (void)snprintf(out, HOSTNAME_MAX + 1, "%.*s%s", (int)length, reverse, zone);
    return out;
}

/* --- the answer ------------------------------------------------------------------------------ */

static bool is_refusal(const struct ipaddr *addr)
{
    const uint8_t *bytes = addr->bytes;
    if (addr->family != IP_V4 || bytes[0] != 127)
        return true;
    return (bytes[1] == 255 && bytes[2] == 255) ||
           (bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 255);
}

enum dnslist_state dnslist_state(const struct list_facts *list)
{
    if (list->answer.outcome == DNS_NOT_ASKED)
        return list->answer.awaited ? DNSLIST_AWAITED : DNSLIST_NOT_ASKED;
    if (list->answer.awaited)
        return DNSLIST_AWAITED;
    if (dns_evidence_is_open(&list->answer))
        return DNSLIST_FAILS;
    if (list->answer.outcome != DNS_FOUND)
        return DNSLIST_NOT_LISTED;
    for (size_t i = 0; i < list->address_count; i++)
        if (is_refusal(&list->addresses[i]))
            return DNSLIST_REFUSES;
    return list->address_count > 0 ? DNSLIST_LISTED : DNSLIST_NOT_LISTED;
}

const char *dnslist_state_text(enum dnslist_state state)
{
    static const char *const texts[] = {
        [DNSLIST_NOT_ASKED] = "not-asked", [DNSLIST_AWAITED] = "awaited",
        [DNSLIST_LISTED] = "listed",       [DNSLIST_NOT_LISTED] = "not-listed",
        [DNSLIST_REFUSES] = "refuses",     [DNSLIST_FAILS] = "fails",
    };
    return texts[state];
}

static bool filter_holds(const struct dnslist_filter *filter, const struct ipaddr *addr)
{
    static const uint8_t test[] = {127, 0, 0, 1};
    if (filter->any)
        return memcmp(addr->bytes, test, sizeof test) != 0;
    for (unsigned i = 0; i < 4; i++)
        if (!set_has(filter->sets[i], addr->bytes[i]))
            return false;
    return true;
}

bool dnslist_fits(const struct dnslist_filter *filter, const struct list_facts *list)
{
    if (dnslist_state(list) != DNSLIST_LISTED)
        return false;
    for (size_t i = 0; i < list->address_count; i++)
        if (filter_holds(filter, &list->addresses[i]))
            return true;
    return false;
}
