/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Internet addresses and networks as values.  An IPv4-mapped IPv6 address
 * (::ffff:192.0.2.1) is the IPv4 address from the border on: no other module ever
 * sees the mapped form.  Pure; thread safe.
 */
#ifndef IPREVD_IPADDR_H
#define IPREVD_IPADDR_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct sockaddr_storage;

enum ipfamily { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ipaddr {
    uint8_t family;    /* enum ipfamily; IP_NONE: no address (local submission) */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4, the rest zero */
};

/* A network: `addr` with all bits after the first `bits` zero. */
struct ipnet {
    struct ipaddr addr;
    uint8_t bits; /* 0..32 or 0..128 */
};

#define IPADDR_TEXT_MAX    46 /* longest text form with NUL */
#define IPNET_TEXT_MAX     50
#define IPADDR_REVERSE_MAX 74 /* 64 + "ip6.arpa" + NUL, without trailing dot */

/* From the 4 or 16 bytes of an A or AAAA record.  `length` is 4 or 16, else RESULT_INVALID. */
enum result ipaddr_from_bytes(const uint8_t *bytes, size_t length, struct ipaddr *out) MUST_CHECK;

/* From the address of a connection; other families than INET and INET6: RESULT_INVALID. */
enum result ipaddr_from_sockaddr(const struct sockaddr *sa, struct ipaddr *out) MUST_CHECK;

/*
 * The same in reverse, for connect() and bind(); `scope` is an interface's number, of use with
 * link-local addresses only.  Returns the length of *out; 0 for IP_NONE.
 */
size_t ipaddr_to_sockaddr(const struct ipaddr *addr, uint16_t port, uint32_t scope,
                          struct sockaddr_storage *out);

/* Text form: "192.0.2.1", "2001:db8::1"; strict (inet_pton), no brackets, no scope. */
enum result ipaddr_parse(const char *text, struct ipaddr *out) MUST_CHECK;

/* Write the text form (RFC 5952 for IPv6); "local" for IP_NONE.  Returns out. */
const char *ipaddr_format(const struct ipaddr *addr, char out[IPADDR_TEXT_MAX]);

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b);

/* 127.0.0.0/8, ::1. */
bool ipaddr_is_loopback(const struct ipaddr *addr);

/* A total order for sorting: IPv4 before IPv6, then by bytes.  <0, 0, >0. */
int ipaddr_compare(const struct ipaddr *a, const struct ipaddr *b);

/* The name whose PTR RRset speaks of addr: "1.2.0.192.in-addr.arpa", no trailing dot. */
const char *ipaddr_reverse_name(const struct ipaddr *addr, char out[IPADDR_REVERSE_MAX]);

/* Number of address bits: 32 or 128; 0 for IP_NONE. */
unsigned ipaddr_bits(const struct ipaddr *addr);

/*
 * "192.0.2.0/24", "2001:db8::/32", or a bare address (a network of one).  Bits set
 * after the prefix are RESULT_INVALID: an administrator who wrote 10.1.2.3/8 meant
 * something else.  A mapped network (::ffff:192.0.2.0/120) becomes IPv4.
 */
enum result ipnet_parse(const char *text, struct ipnet *out) MUST_CHECK;
const char *ipnet_format(const struct ipnet *net, char out[IPNET_TEXT_MAX]);

/* The rest of ipnet_contains(): of one family, and not told apart by the first byte. */
bool ipnet_contains_rest(const struct ipnet *net, const struct ipaddr *addr);

/* Is the address in the network?  Lists of networks ask for each, and the first byte says no of
   nearly all. */
static inline bool ipnet_contains(const struct ipnet *net, const struct ipaddr *addr)
{
    if (addr->family == IP_NONE || addr->family != net->addr.family ||
        (net->bits >= 8 && addr->bytes[0] != net->addr.bytes[0]))
        return false;
    return ipnet_contains_rest(net, addr);
}

/* The network of `bits` bits around addr (bits larger than the family's are the whole address). */
struct ipnet ipnet_around(const struct ipaddr *addr, unsigned bits);

/* A stable 32-bit hash of the network (FNV-1a over family, bits and bytes): the same on every
 * machine. */
uint32_t ipnet_hash(const struct ipnet *net);

#endif
