/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/ipaddr.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define V4_BYTES 4
#define V6_BYTES 16

/* Bits of ::ffff:0:0/96, in which IPv4 addresses are mapped (RFC 4291 2.5.5.2). */
#define MAPPED_BITS 96
static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const uint8_t bytes[V6_BYTES])
{
    return memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

static struct ipaddr make_v4(const uint8_t bytes[V4_BYTES])
{
    struct ipaddr addr = {.family = IP_V4};
    memcpy(addr.bytes, bytes, V4_BYTES);
    return addr;
}

static struct ipaddr make_v6(const uint8_t bytes[V6_BYTES])
{
    if (is_mapped(bytes))
        return make_v4(bytes + sizeof mapped_prefix);
    struct ipaddr addr = {.family = IP_V6};
    memcpy(addr.bytes, bytes, V6_BYTES);
    return addr;
}

enum result ipaddr_from_bytes(const uint8_t *bytes, size_t length, struct ipaddr *out)
{
    if (length == V4_BYTES)
        *out = make_v4(bytes);
    else if (length == V6_BYTES)
        *out = make_v6(bytes);
    else
        return RESULT_INVALID;
    return RESULT_OK;
}

enum result ipaddr_from_sockaddr(const struct sockaddr *sa, struct ipaddr *out)
{
    /* Copied, not cast: libmilter promises no alignment for what it hands out. */
    if (sa == NULL)
        return RESULT_INVALID;
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in sin;
        memcpy(&sin, sa, sizeof sin);
        return ipaddr_from_bytes((const uint8_t *)&sin.sin_addr, V4_BYTES, out);
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 sin6;
        memcpy(&sin6, sa, sizeof sin6);
        return ipaddr_from_bytes(sin6.sin6_addr.s6_addr, V6_BYTES, out);
    }
    return RESULT_INVALID;
}

size_t ipaddr_to_sockaddr(const struct ipaddr *addr, uint16_t port, uint32_t scope,
                          struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == IP_V4) {
        struct sockaddr_in *sin = (struct sockaddr_in *)out;
        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
        memcpy(&sin->sin_addr, addr->bytes, V4_BYTES);
        return sizeof *sin;
    }
    if (addr->family == IP_V6) {
        struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        sin6->sin6_scope_id = scope;
        memcpy(&sin6->sin6_addr, addr->bytes, V6_BYTES);
        return sizeof *sin6;
    }
    return 0;
}

enum result ipaddr_parse(const char *text, struct ipaddr *out)
{
    uint8_t bytes[V6_BYTES];
    bool v6 = strchr(text, ':') != NULL;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return RESULT_INVALID;
    return ipaddr_from_bytes(bytes, v6 ? V6_BYTES : V4_BYTES, out);
}

/* Every session's address is written two or three times, and inet_ntop() goes through printf(). */
static char *put_octet(char *at, unsigned octet)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    return at;
}

/* Four octets and what follows them; `step` 1 or -1 from `bytes` on. */
static void put_octets(char *at, const uint8_t *bytes, int step, const char *rest)
{
    for (int i = 0; i < V4_BYTES; i++) {
        if (i > 0)
            *at++ = '.';
        at = put_octet(at, bytes[i * step]);
    }
    memcpy(at, rest, strlen(rest) + 1);
}

const char *ipaddr_format(const struct ipaddr *addr, char out[IPADDR_TEXT_MAX])
{
    if (addr->family == IP_V4)
        put_octets(out, addr->bytes, 1, "");
    else if (addr->family == IP_NONE ||
             inet_ntop(AF_INET6, addr->bytes, out, IPADDR_TEXT_MAX) == NULL)
        memcpy(out, "local", sizeof "local");
    return out;
}

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
    return ipaddr_compare(a, b) == 0;
}

bool ipaddr_is_loopback(const struct ipaddr *addr)
{
    static const uint8_t one[16] = {[15] = 1};
    return addr->family == IP_V4 ? addr->bytes[0] == 127
                                 : addr->family == IP_V6 && memcmp(addr->bytes, one, 16) == 0;
}

int ipaddr_compare(const struct ipaddr *a, const struct ipaddr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, ipaddr_bits(a) / 8);
}

const char *ipaddr_reverse_name(const struct ipaddr *addr, char out[IPADDR_REVERSE_MAX])
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *b = addr->bytes;
    out[0] = '\0';
    if (addr->family == IP_V4) {
        put_octets(out, b + V4_BYTES - 1, -1, ".in-addr.arpa");
    } else if (addr->family == IP_V6) {
        char *at = out;
        for (size_t i = V6_BYTES; i-- > 0;) {
            *at++ = hex[b[i] & 15];
            *at++ = '.';
            *at++ = hex[b[i] >> 4];
            *at++ = '.';
        }
        memcpy(at, "ip6.arpa", sizeof "ip6.arpa");
    }
    return out;
}

unsigned ipaddr_bits(const struct ipaddr *addr)
{
    return addr->family == IP_V4 ? 8 * V4_BYTES : addr->family == IP_V6 ? 8 * V6_BYTES : 0;
}

/* Zero all bits after the first `bits`; true when all of them were zero already. */
static bool clear_host_bits(struct ipaddr *addr, unsigned bits)
{
    bool clear = true;
    for (unsigned i = 0; i < V6_BYTES; i++) {
        unsigned first = i * 8;
        unsigned keep = bits <= first ? 0 : bits - first >= 8 ? 8 : bits - first;
        uint8_t host = (uint8_t)(0xff >> keep);
        clear = clear && (addr->bytes[i] & host) == 0;
        addr->bytes[i] &= (uint8_t)~host;
    }
    return clear;
}

/* A prefix length of one to three digits up to `max`. */
static bool parse_bits(const char *text, unsigned max, unsigned *out)
{
    unsigned bits = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 3 || (text[0] == '0' && length > 1))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    *out = bits;
    return bits <= max;
}

enum result ipnet_parse(const char *text, struct ipnet *out)
{
    char address[IPADDR_TEXT_MAX];
    size_t length = strcspn(text, "/");
    if (length >= sizeof address)
        return RESULT_INVALID;
    memcpy(address, text, length);
    address[length] = '\0';

    struct ipaddr addr = {.family = IP_V4};
    if (inet_pton(AF_INET, address, addr.bytes) != 1) {
        addr.family = IP_V6;
        if (inet_pton(AF_INET6, address, addr.bytes) != 1)
            return RESULT_INVALID;
    }
    unsigned bits = ipaddr_bits(&addr);
    if (text[length] == '/' && !parse_bits(text + length + 1, bits, &bits))
        return RESULT_INVALID;
    if (!clear_host_bits(&addr, bits))
        return RESULT_INVALID;
    if (addr.family == IP_V6 && bits >= MAPPED_BITS && is_mapped(addr.bytes)) {
        addr = make_v6(addr.bytes);
        bits -= MAPPED_BITS;
    }
    out->addr = addr;
    out->bits = (uint8_t)bits;
    return RESULT_OK;
}

const char *ipnet_format(const struct ipnet *net, char out[IPNET_TEXT_MAX])
{
    char address[IPADDR_TEXT_MAX];
    snprintf(out, IPNET_TEXT_MAX, "%s/%u", ipaddr_format(&net->addr, address), net->bits);
    return out;
}

bool ipnet_contains_rest(const struct ipnet *net, const struct ipaddr *addr)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(addr->bytes, net->addr.bytes, whole) != 0)
        return false;
    return rest == 0 || (addr->bytes[whole] ^ net->addr.bytes[whole]) >> (8 - rest) == 0;
}

struct ipnet ipnet_around(const struct ipaddr *addr, unsigned bits)
{
    unsigned all = ipaddr_bits(addr);
    struct ipnet net = {.addr = *addr, .bits = (uint8_t)(bits < all ? bits : all)};
    clear_host_bits(&net.addr, net.bits);
    return net;
}

uint32_t ipnet_hash(const struct ipnet *net)
{
    uint32_t hash = hash_byte(HASH_START, net->addr.family);
    hash = hash_byte(hash, net->bits);
    return hash_bytes(hash, net->addr.bytes, ipaddr_bits(&net->addr) / 8);
}
