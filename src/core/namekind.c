/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/namekind.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool namekind_is_placeholder(const char *name)
{
    return strcmp(name, "localhost") == 0 || hostname_under(name, "localdomain") ||
           hostname_under(name, "localhost") || hostname_under(name, "invalid");
}

const char *namekind_local_ending(const char *name)
{
    /* Reserved, or never given away by ICANN because networks use them: RFC 6762 appendix G, RFC
       8375, the ICANN board's decisions of 2018 and 2024. */
    static const char *const endings[] = {
        ".local",   ".localdomain", ".internal", ".home.arpa", ".lan",       ".home", ".corp",
        ".private", ".intranet",    ".intern",   ".priv",      ".workgroup", ".test", ".mail",
    };
    /* Nearly every name is told by the first letter of its last label: replies ask. */
    const char *last = strrchr(name, '.');
    last = last == NULL ? name : last + 1;
    for (size_t i = 0; i < COUNT(endings); i++)
        if ((last[0] == endings[i][1] || last[0] == 'a' /* arpa */) &&
            hostname_under(name, endings[i] + 1))
            return endings[i];
    return NULL;
}

/* A label of a reverse zone: a number, a hexadecimal digit, or a range of RFC 2317. */
static bool is_reverse_label(const char *label, size_t length, bool v6)
{
    if (v6)
        return length == 1 && strspn(label, "0123456789abcdef") >= 1;
    return length > 0 && label[0] >= '0' && label[0] <= '9' &&
           strspn(label, "0123456789-/_") >= length;
}

bool namekind_lacks_dot(const char *name, char meant[HOSTNAME_MAX + 1])
{
    static const char *const roots[] = {".in-addr.arpa", ".ip6.arpa"};
    size_t length = strlen(name);
    meant[0] = '\0';
    for (size_t i = 0; i < COUNT(roots); i++) {
        size_t root = strlen(roots[i]);
        if (length <= root || strcmp(name + length - root, roots[i]) != 0)
            continue;
        char text[HOSTNAME_MAX + 1];
        size_t end = length - root;
        while (end > 0) {
            size_t label = end;
            while (label > 0 && name[label - 1] != '.')
                label--;
            if (!is_reverse_label(name + label, end - label, i == 1))
                break;
            end = label > 0 ? label - 1 : 0;
        }
        memcpy(text, name, end);
        text[end] = '\0';
        if (hostname_parse(text, meant) != HOSTNAME_OK)
            meant[0] = '\0';
        return true;
    }
    return false;
}

bool namekind_has_underscore(const char *name)
{
    return strchr(name, '_') != NULL;
}

const char *namekind_private_address(const struct ipaddr *addr)
{
    /* Of IANA's special-purpose registries (RFC 6890) those that hosts and routers use. */
    static const struct {
        struct ipnet net;
        const char *kind;
    } nets[] = {
        {{{IP_V4, {10}}, 8}, "a private address"},
        {{{IP_V4, {172, 16}}, 12}, "a private address"},
        {{{IP_V4, {192, 168}}, 16}, "a private address"},
        {{{IP_V4, {100, 64}}, 10}, "a carrier-grade NAT address"},
        {{{IP_V4, {127}}, 8}, "a loopback address"},
        {{{IP_V4, {169, 254}}, 16}, "a link-local address"},
        {{{IP_V4, {0}}, 8}, "an unspecified address"},
        {{{IP_V4, {224}}, 4}, "a multicast address"},
        {{{IP_V4, {240}}, 4}, "a reserved address"},
        {{{IP_V6, {0xfc}}, 7}, "a private address"},
        {{{IP_V6, {0xfe, 0x80}}, 10}, "a link-local address"},
        {{{IP_V6, {[15] = 1}}, 128}, "a loopback address"},
        {{{IP_V6, {0xff}}, 8}, "a multicast address"},
        {{{IP_V6, {0}}, 128}, "an unspecified address"},
    };
    for (size_t i = 0; i < COUNT(nets); i++)
        if (ipnet_contains(&nets[i].net, addr))
            return nets[i].kind;
    return NULL;
}
