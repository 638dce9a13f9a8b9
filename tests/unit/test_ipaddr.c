/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/ipaddr.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
    const char *label, *text;
    enum result want;
    const char *want_text, *want_reverse;
} addresses[] = {
    {"IPv4", "192.0.2.1", RESULT_OK, "192.0.2.1", "1.2.0.192.in-addr.arpa"},
    {"IPv4 highest", "255.255.255.255", RESULT_OK, "255.255.255.255",
     "255.255.255.255.in-addr.arpa"},
    {"IPv6", "2001:DB8:0:0::1", RESULT_OK, "2001:db8::1",
     "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
    {"IPv6 all", "::", RESULT_OK,
     "::", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
    {"mapped is IPv4", "::ffff:192.0.2.1", RESULT_OK, "192.0.2.1", "1.2.0.192.in-addr.arpa"},
    {"mapped in hexadecimal", "::ffff:c000:201", RESULT_OK, "192.0.2.1", "1.2.0.192.in-addr.arpa"},
    {"one zero group stays", "2001:db8:0:1:1:1:1:1", RESULT_OK, "2001:db8:0:1:1:1:1:1", NULL},
    {"empty", "", RESULT_INVALID, NULL, NULL},
    {"brackets", "[192.0.2.1]", RESULT_INVALID, NULL, NULL},
    {"three octets", "192.0.2", RESULT_INVALID, NULL, NULL},
    {"octet too large", "192.0.2.256", RESULT_INVALID, NULL, NULL},
    {"leading zero", "192.0.2.01", RESULT_INVALID, NULL, NULL},
    {"scope", "fe80::1%eth0", RESULT_INVALID, NULL, NULL},
    {"space", "192.0.2.1 ", RESULT_INVALID, NULL, NULL},
    {"prefix", "192.0.2.0/24", RESULT_INVALID, NULL, NULL},
    {"two gaps", "2001::1::2", RESULT_INVALID, NULL, NULL},
};

START_TEST(test_addresses)
{
    struct ipaddr addr;
    char text[IPADDR_TEXT_MAX];
    char reverse[IPADDR_REVERSE_MAX];
    ck_assert_msg(ipaddr_parse(addresses[_i].text, &addr) == addresses[_i].want, "%s",
                  addresses[_i].label);
    if (addresses[_i].want != RESULT_OK)
        return;
    ck_assert_str_eq(ipaddr_format(&addr, text), addresses[_i].want_text);
    if (addresses[_i].want_reverse != NULL)
        ck_assert_str_eq(ipaddr_reverse_name(&addr, reverse), addresses[_i].want_reverse);
}
END_TEST

static const struct {
    const char *label, *text;
    enum result want;
    const char *want_text;
} networks[] = {
    {"IPv4", "192.0.2.0/24", RESULT_OK, "192.0.2.0/24"},
    {"bare IPv4", "192.0.2.1", RESULT_OK, "192.0.2.1/32"},
    {"bare IPv6", "::1", RESULT_OK, "::1/128"},
    {"everything", "0.0.0.0/0", RESULT_OK, "0.0.0.0/0"},
    {"IPv6", "2001:db8::/32", RESULT_OK, "2001:db8::/32"},
    {"odd prefix", "192.0.2.128/25", RESULT_OK, "192.0.2.128/25"},
    {"mapped", "::ffff:192.0.2.0/120", RESULT_OK, "192.0.2.0/24"},
    {"mapped whole", "::ffff:0:0/96", RESULT_OK, "0.0.0.0/0"},
    {"mapped bare", "::ffff:192.0.2.1", RESULT_OK, "192.0.2.1/32"},
    {"shorter than mapped", "::/64", RESULT_OK, "::/64"},
    {"host bits", "10.1.2.3/8", RESULT_INVALID, NULL},
    {"host bits of IPv6", "2001:db8::1/64", RESULT_INVALID, NULL},
    {"too long", "192.0.2.0/33", RESULT_INVALID, NULL},
    {"too long for IPv6", "::/129", RESULT_INVALID, NULL},
    {"mapped host bits", "::ffff:192.0.2.1/95", RESULT_INVALID, NULL},
    {"no length", "192.0.2.0/", RESULT_INVALID, NULL},
    {"negative", "192.0.2.0/-1", RESULT_INVALID, NULL},
    {"leading zero", "192.0.2.0/024", RESULT_INVALID, NULL},
    {"netmask", "192.0.2.0/255.255.255.0", RESULT_INVALID, NULL},
    {"overflow", "192.0.2.0/4294967320", RESULT_INVALID, NULL},
    {"nothing", "/24", RESULT_INVALID, NULL},
    {"long", "1111111111111111111111111111111111111111111111111111111111/8", RESULT_INVALID, NULL},
};

START_TEST(test_networks)
{
    struct ipnet net;
    char text[IPNET_TEXT_MAX];
    ck_assert_msg(ipnet_parse(networks[_i].text, &net) == networks[_i].want, "%s",
                  networks[_i].label);
    if (networks[_i].want == RESULT_OK)
        ck_assert_str_eq(ipnet_format(&net, text), networks[_i].want_text);
}
END_TEST

static const struct {
    const char *label, *net, *addr;
    bool want;
} members[] = {
    {"first", "192.0.2.0/24", "192.0.2.0", true},
    {"last", "192.0.2.0/24", "192.0.2.255", true},
    {"next", "192.0.2.0/24", "192.0.3.0", false},
    {"half", "192.0.2.128/25", "192.0.2.127", false},
    {"everything", "0.0.0.0/0", "203.0.113.9", true},
    {"other family", "0.0.0.0/0", "2001:db8::1", false},
    {"IPv6 everything", "::/0", "2001:db8::1", true},
    {"IPv6 and IPv4", "::/0", "192.0.2.1", false},
    {"mapped client", "192.0.2.0/24", "::ffff:192.0.2.7", true},
    {"one", "::1", "::1", true},
    {"not one", "::1", "::2", false},
};

START_TEST(test_members)
{
    struct ipnet net;
    struct ipaddr addr;
    ck_assert(ipnet_parse(members[_i].net, &net) == RESULT_OK);
    ck_assert(ipaddr_parse(members[_i].addr, &addr) == RESULT_OK);
    ck_assert_msg(ipnet_contains(&net, &addr) == members[_i].want, "%s", members[_i].label);
}
END_TEST

START_TEST(test_around)
{
    struct ipaddr addr;
    struct ipnet net;
    char text[IPNET_TEXT_MAX];
    ck_assert(ipaddr_parse("192.0.2.77", &addr) == RESULT_OK);
    net = ipnet_around(&addr, 24);
    ck_assert_str_eq(ipnet_format(&net, text), "192.0.2.0/24");
    net = ipnet_around(&addr, 64);
    ck_assert_str_eq(ipnet_format(&net, text), "192.0.2.77/32");
    net = ipnet_around(&addr, 0);
    ck_assert_str_eq(ipnet_format(&net, text), "0.0.0.0/0");
    ck_assert(ipaddr_parse("2001:db8:1:2:3::4", &addr) == RESULT_OK);
    net = ipnet_around(&addr, 64);
    ck_assert_str_eq(ipnet_format(&net, text), "2001:db8:1:2::/64");
}
END_TEST

START_TEST(test_bytes)
{
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1};
    struct ipaddr addr = {.family = IP_NONE};
    char text[IPADDR_TEXT_MAX];
    ck_assert(ipaddr_from_bytes(mapped, 16, &addr) == RESULT_OK);
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.1");
    ck_assert(ipaddr_from_bytes(mapped, 5, &addr) == RESULT_INVALID);
    ck_assert(ipaddr_from_bytes(mapped, 0, &addr) == RESULT_INVALID);
}
END_TEST

START_TEST(test_sockaddr)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
    struct sockaddr_in sin = {.sin_family = AF_INET};
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct ipaddr addr;
    char text[IPADDR_TEXT_MAX];
    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.1", &sin6.sin6_addr), 1);
    ck_assert(ipaddr_from_sockaddr((struct sockaddr *)&sin6, &addr) == RESULT_OK);
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.1");
    ck_assert_int_eq(inet_pton(AF_INET, "192.0.2.2", &sin.sin_addr), 1);
    ck_assert(ipaddr_from_sockaddr((struct sockaddr *)&sin, &addr) == RESULT_OK);
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.2");
    ck_assert(ipaddr_from_sockaddr(&local, &addr) == RESULT_INVALID);
    ck_assert(ipaddr_from_sockaddr(NULL, &addr) == RESULT_INVALID);
}
END_TEST

START_TEST(test_to_sockaddr)
{
    struct sockaddr_storage out;
    const struct sockaddr_in *sin = (const struct sockaddr_in *)&out;
    const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&out;
    struct ipaddr addr, back;
    ck_assert(ipaddr_parse("192.0.2.3", &addr) == RESULT_OK);
    ck_assert_uint_eq(ipaddr_to_sockaddr(&addr, 53, 7, &out), sizeof *sin);
    ck_assert_uint_eq(ntohs(sin->sin_port), 53);
    ck_assert(ipaddr_from_sockaddr((struct sockaddr *)&out, &back) == RESULT_OK);
    ck_assert(ipaddr_equal(&addr, &back));
    ck_assert(ipaddr_parse("fe80::1", &addr) == RESULT_OK);
    ck_assert_uint_eq(ipaddr_to_sockaddr(&addr, 8896, 7, &out), sizeof *sin6);
    ck_assert_uint_eq(ntohs(sin6->sin6_port), 8896);
    ck_assert_uint_eq(sin6->sin6_scope_id, 7);
    ck_assert(ipaddr_from_sockaddr((struct sockaddr *)&out, &back) == RESULT_OK);
    ck_assert(ipaddr_equal(&addr, &back));
    addr.family = IP_NONE;
    ck_assert_uint_eq(ipaddr_to_sockaddr(&addr, 53, 0, &out), 0);
}
END_TEST

START_TEST(test_order_and_none)
{
    struct ipaddr none = {.family = IP_NONE};
    struct ipaddr v4, v6, low;
    struct ipnet all;
    char text[IPADDR_TEXT_MAX];
    char reverse[IPADDR_REVERSE_MAX];
    ck_assert(ipaddr_parse("255.0.0.1", &v4) == RESULT_OK);
    ck_assert(ipaddr_parse("9.0.0.1", &low) == RESULT_OK);
    ck_assert(ipaddr_parse("::1", &v6) == RESULT_OK);
    ck_assert_int_lt(ipaddr_compare(&v4, &v6), 0);
    ck_assert_int_gt(ipaddr_compare(&v6, &v4), 0);
    ck_assert_int_lt(ipaddr_compare(&low, &v4), 0);
    ck_assert_int_eq(ipaddr_compare(&v4, &v4), 0);
    ck_assert(!ipaddr_equal(&none, &v4));
    ck_assert(ipaddr_equal(&none, &none));
    ck_assert_str_eq(ipaddr_format(&none, text), "local");
    ck_assert_str_eq(ipaddr_reverse_name(&none, reverse), "");
    ck_assert_uint_eq(ipaddr_bits(&none), 0);
    ck_assert(ipnet_parse("0.0.0.0/0", &all) == RESULT_OK);
    ck_assert(!ipnet_contains(&all, &none));
}
END_TEST

/* The hash decides about `percent`: it must never change, or clients' fates do. */
START_TEST(test_hash_is_fixed)
{
    struct ipnet net;
    ck_assert(ipnet_parse("192.0.2.0/24", &net) == RESULT_OK);
    ck_assert_uint_eq(ipnet_hash(&net), UINT32_C(2581240371));
    ck_assert(ipnet_parse("2001:db8::/64", &net) == RESULT_OK);
    ck_assert_uint_eq(ipnet_hash(&net), UINT32_C(4103799245));
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("ipaddr");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, test_addresses, addresses);
    LOOP(tcase, test_networks, networks);
    LOOP(tcase, test_members, members);
    tcase_add_test(tcase, test_around);
    tcase_add_test(tcase, test_bytes);
    tcase_add_test(tcase, test_sockaddr);
    tcase_add_test(tcase, test_to_sockaddr);
    tcase_add_test(tcase, test_order_and_none);
    tcase_add_test(tcase, test_hash_is_fixed);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
