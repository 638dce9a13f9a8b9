/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_everybody.h"

/* Samples a family: an eighth of all addresses is not taken for everything. */
#define SAMPLES 32

static struct ipaddr sample(enum ipfamily family, unsigned i)
{
    struct ipaddr addr = {.family = (uint8_t)family};
    /* IPv6 has its hosts in 2000::/3. */
    addr.bytes[0] = (uint8_t)(family == IP_V4 ? i * (256 / SAMPLES) + 1 : 0x20 + i);
    for (unsigned byte = 1; byte < ipaddr_bits(&addr) / 8; byte++)
        addr.bytes[byte] = (uint8_t)(37 * i + 91 * byte);
    return addr;
}

static bool has_all(bool (*has)(const void *arg, const struct ipaddr *addr), const void *arg,
                    enum ipfamily family)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct ipaddr addr = sample(family, i);
        if (!has(arg, &addr))
            return false;
    }
    return true;
}

enum everybody everybody_in(bool (*has)(const void *arg, const struct ipaddr *addr),
                            const void *arg)
{
    bool v4 = has_all(has, arg, IP_V4), v6 = has_all(has, arg, IP_V6);
    return v4 && v6 ? EVERYBODY_YES : v4 ? EVERYBODY_V4 : v6 ? EVERYBODY_V6 : EVERYBODY_NO;
}

static bool list_has(const void *arg, const struct ipaddr *addr)
{
    return net_list_has(arg, addr);
}

/* NULL: no condition, which holds of everybody. */
static bool fits_all(const struct pattern_list *list, const char *const samples[3])
{
    for (size_t i = 0; list != NULL && i < 3; i++)
        if (pattern_list_find(list, samples[i]) == NULL)
            return false;
    return true;
}

enum everybody everybody_matches(const struct match *match)
{
    static const char *const hosts[] = {"a.example.org", "relay-7.mx.example.com", "x1.invalid"};
    static const char *const mail[] = {"a@example.org", "info.7@mx.example.com", "x1@q.invalid"};
    static const char *const words[] = {"smtpd", "x1", "other"};
    if (match->listed != NULL || match->ptr != NULL ||
        match->unconfirmed_ptr != NULL || /* not everybody has a name */
        !fits_all(match->helo, hosts) || !fits_all(match->sender, mail) ||
        !fits_all(match->recipient, mail) || !fits_all(match->listener, words))
        return EVERYBODY_NO;
    return match->client == NULL ? EVERYBODY_YES : everybody_in(list_has, match->client);
}

const char *everybody_text(enum everybody who)
{
    return who == EVERYBODY_V4   ? "every IPv4 client"
           : who == EVERYBODY_V6 ? "every IPv6 client"
                                 : "every client";
}
