/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of DNS servers as text: the part of network.h that needs no network. */
#include "dns/network.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, uint16_t *out)
{
    unsigned value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > UINT16_MAX)
            return false;
    }
    *out = (uint16_t)value;
    return value != 0;
}

static bool is_link_local(const struct ipaddr *addr)
{
    return addr->family == IP_V6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

/* The address with its scope, which only link-local addresses have need of. */
static enum result parse_address(char *text, struct network_server *out)
{
    char *scope = strchr(text, '%');

    if (scope != NULL)
        *scope++ = '\0';
    if (ipaddr_parse(text, &out->addr) != RESULT_OK)
        return RESULT_INVALID;
    out->scope = 0;
    if (scope == NULL || !is_link_local(&out->addr))
        return scope == NULL || out->addr.family == IP_V6 ? RESULT_OK : RESULT_INVALID;
    out->scope = if_nametoindex(scope);
    if (out->scope == 0) {
        char *end;
        unsigned long long index = strtoull(scope, &end, 10);

        if (*scope < '0' || *scope > '9' || *end != '\0' || index == 0 || index > UINT32_MAX)
            return RESULT_INVALID;
        out->scope = (uint32_t)index;
    }
    return RESULT_OK;
}

enum result network_server_parse(const char *text, struct network_server *out)
{
    char copy[SERVER_TEXT_MAX + IF_NAMESIZE], *address = copy, *port = NULL;
    struct network_server server = {.port = NETWORK_PORT};
    size_t length = strlen(text);

    if (length >= sizeof copy)
        return RESULT_INVALID;
    memcpy(copy, text, length + 1);
    if (*copy == '[') {
        char *end = strchr(copy, ']');

        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return RESULT_INVALID;
        if (end[1] == ':')
            port = end + 2;
        *end = '\0';
        address = copy + 1;
        if (strchr(address, ':') == NULL) /* brackets are for IPv6 */
            return RESULT_INVALID;
    } else if ((port = strchr(copy, ':')) != NULL) {
        if (strchr(port + 1, ':') == NULL)
            *port++ = '\0';
        else
            port = NULL; /* IPv6 without brackets */
    }
    if ((port != NULL && !parse_port(port, &server.port)) ||
        parse_address(address, &server) != RESULT_OK)
        return RESULT_INVALID;
    *out = server;
    return RESULT_OK;
}

bool network_server_equal(const struct network_server *a, const struct network_server *b)
{
    return ipaddr_equal(&a->addr, &b->addr) && a->port == b->port && a->scope == b->scope;
}

const char *network_server_format(const struct network_server *server, char out[SERVER_TEXT_MAX])
{
    char text[IPADDR_TEXT_MAX];
    unsigned port = server->port;

    ipaddr_format(&server->addr, text);
    if (server->addr.family == IP_V6)
        snprintf(out, SERVER_TEXT_MAX, "[%s]:%u", text, port);
    else
        snprintf(out, SERVER_TEXT_MAX, "%s:%u", text, port);
    return out;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool network_settings_equal(const struct network_settings *a, const struct network_settings *b)
{
    if (a->server_count != b->server_count || !text_equal(a->resolv_conf, b->resolv_conf) ||
        a->timeout_ms != b->timeout_ms || a->attempts != b->attempts ||
        a->trust_ad != b->trust_ad || a->max_tcp != b->max_tcp ||
        a->authoritative != b->authoritative)
        return false;
    for (unsigned i = 0; i < a->server_count; i++)
        if (!network_server_equal(&a->servers[i], &b->servers[i]))
            return false;
    return true;
}
