/* SPDX-License-Identifier: BSD-2-Clause */
#include "factstext.h"

#include <check.h>
#include <string.h>

/* True and *out for one of the words. */
static bool parse_outcome(const char *text, size_t length, struct dns_evidence *out)
{
    static const struct {
        const char *word;
        enum dns_outcome outcome;
    } words[] = {{"NX", DNS_NXDOMAIN},
                 {"NODATA", DNS_NODATA},
                 {"TEMP", DNS_TEMPERROR},
                 {"-", DNS_NOT_ASKED}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, text, length) == 0) {
            out->outcome = words[i].outcome;
            out->problem = out->outcome == DNS_TEMPERROR ? "SERVFAIL" : NULL;
            return true;
        }
    }
    return false;
}

/* "~" before an outcome: its answer is past its time. */
static const char *parse_age(const char *text, size_t *length, struct dns_evidence *out)
{
    if (*length == 0 || *text != '~')
        return text;
    out->origin = DNS_FROM_STALE;
    --*length;
    return text + 1;
}

static void parse_forward(const char *text, size_t length, struct ipaddr *addresses,
                          struct name_facts *out)
{
    text = parse_age(text, &length, &out->forward);
    if (parse_outcome(text, length, &out->forward))
        return;
    out->forward.outcome = DNS_FOUND;
    out->addresses = addresses;
    for (const char *end = text + length; text < end; out->address_count++) {
        char one[IPADDR_TEXT_MAX];
        size_t size = strcspn(text, ", ");
        ck_assert_uint_lt(size, sizeof one);
        ck_assert_uint_lt(out->address_count, FACTSTEXT_ADDRESSES_MAX);
        memcpy(one, text, size);
        one[size] = '\0';
        ck_assert_msg(ipaddr_parse(one, &addresses[out->address_count]) == RESULT_OK, "%s", one);
        text += size + (text[size] == ',');
    }
}

/* One "name=outcome". */
static void parse_name(const char *text, size_t length, struct factstext_memory *memory, size_t at,
                       const struct ipaddr *client)
{
    struct name_facts *name = &memory->names[at];
    char canonical[HOSTNAME_MAX + 1];
    size_t own = strcspn(text, "= ");
    memcpy(memory->texts[at], text, own);
    memory->texts[at][own] = '\0';
    name->name = memory->texts[at];
    name->flaw = hostname_parse(name->name, canonical);
    if (own < length)
        parse_forward(text + own + 1, length - own - 1, memory->addresses[at], name);
    name_facts_confirm(name, client);
}

static void parse_ptr(const char *text, struct factstext_memory *memory, struct facts *out)
{
    size_t all = strlen(text);
    text = parse_age(text, &all, &out->ptr);
    if (parse_outcome(text, all, &out->ptr))
        return;
    out->ptr.outcome = DNS_FOUND;
    out->names = memory->names;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        ck_assert_uint_lt(out->name_count, FACTSTEXT_NAMES_MAX);
        parse_name(text, length, memory, out->name_count++, &out->client);
        text += length;
        text += strspn(text, " ");
    }
}

void factstext_make(const struct factstext *text, struct factstext_memory *memory,
                    struct facts *out)
{
    memset(memory, 0, sizeof *memory);
    memset(out, 0, sizeof *out);
    if (text->client != NULL)
        ck_assert(ipaddr_parse(text->client, &out->client) == RESULT_OK);
    parse_ptr(text->ptr != NULL ? text->ptr : "-", memory, out);
    helo_parse(text->helo, &out->helo);
    if (text->helo_forward != NULL) {
        out->helo_name.name = out->helo.name;
        parse_forward(text->helo_forward, strlen(text->helo_forward),
                      memory->addresses[FACTSTEXT_NAMES_MAX], &out->helo_name);
        name_facts_confirm(&out->helo_name, &out->client);
    }
    struct {
        const char *text;
        struct dns_evidence *out;
    } others[] = {{text->helo_other, &out->helo_other}, {text->helo_mx, &out->helo_mx}};
    for (size_t i = 0; i < 2; i++) {
        size_t length = others[i].text != NULL ? strlen(others[i].text) : 0;
        const char *word = parse_age(others[i].text, &length, others[i].out);
        if (others[i].text != NULL && !parse_outcome(word, length, others[i].out))
            others[i].out->outcome = DNS_FOUND;
    }
    out->helo_domains = text->helo_domains;
    if (text->sender != NULL)
        memcpy(out->sender_domain, text->sender, strlen(text->sender) + 1);
    out->mta_resolve = text->mta;
    out->names_over = text->over;
    out->helo_is_ours = text->ours;
    out->client_is_ours = text->client_ours;
    out->resolver_down = text->down;
}
