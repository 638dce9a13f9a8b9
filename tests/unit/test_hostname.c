/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/hostname.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"
#define N253                                                                                       \
    L63 "." L63 "." L63 "."                                                                        \
        "a234567890123456789012345678901234567890123456789012345678901"

static const struct {
    const char *label, *text;
    enum hostname_flaw want;
    const char *want_name;
} names[] = {
    {"plain", "mail.example.org", HOSTNAME_OK, "mail.example.org"},
    {"case", "MAIL.Example.ORG", HOSTNAME_OK, "mail.example.org"},
    {"trailing dot", "mail.example.org.", HOSTNAME_OK, "mail.example.org"},
    {"underscore", "my_host.example.org", HOSTNAME_OK, "my_host.example.org"},
    {"hyphen at the end", "x-.example.org", HOSTNAME_OK, "x-.example.org"},
    {"digits first", "1and1.example.org", HOSTNAME_OK, "1and1.example.org"},
    {"address as labels", "192.0.2.1.example.org", HOSTNAME_OK, "192.0.2.1.example.org"},
    {"reverse name", "1.2.0.192.in-addr.arpa", HOSTNAME_OK, "1.2.0.192.in-addr.arpa"},
    {"punycode", "xn--bcher-kva.example", HOSTNAME_OK, "xn--bcher-kva.example"},
    {"label of 63", L63 ".example", HOSTNAME_OK, L63 ".example"},
    {"label of 64", L63 "x.example", HOSTNAME_MALFORMED, ""},
    {"253 bytes", N253, HOSTNAME_OK, N253},
    {"253 bytes and a dot", N253 ".", HOSTNAME_OK, N253},
    {"254 bytes", N253 "x", HOSTNAME_MALFORMED, ""},
    {"empty", "", HOSTNAME_EMPTY, ""},
    {"root", ".", HOSTNAME_EMPTY, ""},
    {"one label", "localhost", HOSTNAME_ONE_LABEL, "localhost"},
    {"one label with dot", "LOCALHOST.", HOSTNAME_ONE_LABEL, "localhost"},
    {"IPv4", "192.0.2.1", HOSTNAME_IP_ADDRESS, ""},
    {"IPv4 with dot", "192.0.2.1.", HOSTNAME_IP_ADDRESS, ""},
    {"a number", "3221225985", HOSTNAME_IP_ADDRESS, ""},
    {"three numbers", "192.0.2", HOSTNAME_IP_ADDRESS, ""},
    {"no octets", "999.999.999.999", HOSTNAME_IP_ADDRESS, ""},
    {"IPv6", "2001:db8::1", HOSTNAME_IP_ADDRESS, ""},
    {"literal", "[192.0.2.1]", HOSTNAME_IP_ADDRESS, ""},
    {"IPv6 literal", "[IPv6:2001:db8::1]", HOSTNAME_IP_ADDRESS, ""},
    {"empty literal", "[]", HOSTNAME_MALFORMED, ""},
    {"numeric top level", "mail.example.123", HOSTNAME_MALFORMED, ""},
    {"empty label", "mail..example", HOSTNAME_MALFORMED, ""},
    {"leading dot", ".example.org", HOSTNAME_MALFORMED, ""},
    {"two trailing dots", "example.org..", HOSTNAME_MALFORMED, ""},
    {"space", "mail example.org", HOSTNAME_MALFORMED, ""},
    {"escape", "mail\\032.example.org", HOSTNAME_MALFORMED, ""},
    {"8-bit", "m\xe4il.example.org", HOSTNAME_MALFORMED, ""},
    {"control", "mail\n.example.org", HOSTNAME_MALFORMED, ""},
    {"wildcard", "*.example.org", HOSTNAME_MALFORMED, ""},
    {"slash", "0/25.2.0.192.in-addr.arpa", HOSTNAME_MALFORMED, ""},
    {"one bad label", "local host", HOSTNAME_MALFORMED, ""},
};

START_TEST(test_names)
{
    char name[HOSTNAME_MAX + 1];
    memset(name, 'x', sizeof name);
    enum hostname_flaw flaw = hostname_parse(names[_i].text, name);
    ck_assert_msg(flaw == names[_i].want, "%s: %s", names[_i].label, hostname_flaw_text(flaw));
    ck_assert_str_eq(name, names[_i].want_name);
}
END_TEST

static const struct {
    const char *label, *name, *suffix;
    bool want;
} suffixes[] = {
    {"below", "a.b.example", "b.example", true},       {"itself", "b.example", "b.example", true},
    {"not a label", "ab.example", "b.example", false}, {"above", "example", "b.example", false},
    {"other", "a.b.test", "b.example", false},         {"nothing", "a.example", "", false},
};

START_TEST(test_under)
{
    ck_assert_msg(hostname_under(suffixes[_i].name, suffixes[_i].suffix) == suffixes[_i].want, "%s",
                  suffixes[_i].label);
}
END_TEST

static const struct {
    const char *label, *text;
    enum helo_kind want;
    const char *want_name, *want_literal;
} helos[] = {
    {"none", NULL, HELO_NONE, "", NULL},
    {"empty", "", HELO_INVALID, "", NULL},
    {"domain", "Mail.Example.ORG", HELO_DOMAIN, "mail.example.org", NULL},
    {"trailing dot", "mail.example.org.", HELO_DOMAIN, "mail.example.org", NULL},
    {"one label", "mailserver", HELO_ONE_LABEL, "", NULL},
    {"one label with dot", "localhost.", HELO_ONE_LABEL, "", NULL},
    {"literal", "[192.0.2.1]", HELO_LITERAL, "", "192.0.2.1"},
    {"IPv6 literal", "[IPv6:2001:db8::1]", HELO_LITERAL, "", "2001:db8::1"},
    {"IPv6 literal, case", "[ipv6:2001:DB8::1]", HELO_LITERAL, "", "2001:db8::1"},
    {"IPv6 literal without tag", "[2001:db8::1]", HELO_LITERAL, "", "2001:db8::1"},
    {"mapped literal", "[IPv6:::ffff:192.0.2.1]", HELO_LITERAL, "", "192.0.2.1"},
    {"IPv4 with tag", "[IPv6:192.0.2.1]", HELO_INVALID, "", NULL},
    {"zeros in front", "[198.051.100.001]", HELO_LITERAL, "", "198.51.100.1"},
    {"nothing but zeros", "[10.000.0.00]", HELO_LITERAL, "", "10.0.0.0"},
    {"four digits", "[198.0051.100.1]", HELO_INVALID, "", NULL},
    {"zeros in front, too large", "[256.051.100.001]", HELO_INVALID, "", NULL},
    {"zeros in front, bare", "198.051.100.001", HELO_BARE_IP, "", "198.51.100.1"},
    {"bad literal", "[999.1.1.1]", HELO_INVALID, "", NULL},
    {"open literal", "[192.0.2.1", HELO_INVALID, "", NULL},
    {"bracket", "[", HELO_INVALID, "", NULL},
    {"brackets", "[]", HELO_INVALID, "", NULL},
    {"literal and more", "[192.0.2.1]x", HELO_INVALID, "", NULL},
    {"name in brackets", "[mail.example.org]", HELO_INVALID, "", NULL},
    {"bare IPv4", "192.0.2.1", HELO_BARE_IP, "", "192.0.2.1"},
    {"bare IPv4 with dot", "192.0.2.1.", HELO_BARE_IP, "", "192.0.2.1"},
    {"bare IPv6", "2001:db8::1", HELO_BARE_IP, "", "2001:db8::1"},
    {"bare mapped", "::ffff:192.0.2.1", HELO_BARE_IP, "", "192.0.2.1"},
    {"no address", "300.1.1.1", HELO_INVALID, "", NULL},
    {"three numbers", "192.0.2", HELO_INVALID, "", NULL},
    {"underscore", "my_host.example.org", HELO_INVALID, "my_host.example.org", NULL},
    {"underscore alone", "MY_PC", HELO_INVALID, "", NULL},
    {"leading hyphen", "-mail.example.org", HELO_INVALID, "-mail.example.org", NULL},
    {"trailing hyphen", "mail.example-.org", HELO_INVALID, "mail.example-.org", NULL},
    {"U-labels", "mail.m\xc3\xbcller.example", HELO_INVALID, "mail.xn--mller-kva.example", NULL},
    {"A-labels", "mail.xn--mller-kva.example", HELO_DOMAIN, "mail.xn--mller-kva.example", NULL},
    {"space", "my host.example.org", HELO_INVALID, "", NULL},
    {"control", "mail\r\n.example.org", HELO_INVALID, "", NULL},
    {"8-bit", "\xffmail.example.org", HELO_INVALID, "", NULL},
    {"dots", "...", HELO_INVALID, "", NULL},
    {"dot", ".", HELO_INVALID, "", NULL},
    {"253 bytes", N253, HELO_DOMAIN, N253, NULL},
};

START_TEST(test_helo)
{
    struct helo helo;
    char text[IPADDR_TEXT_MAX];
    memset(&helo, 0x55, sizeof helo);
    helo_parse(helos[_i].text, &helo);
    ck_assert_msg(helo.kind == helos[_i].want, "%s: %d", helos[_i].label, (int)helo.kind);
    ck_assert_str_eq(helo.name, helos[_i].want_name);
    ck_assert(!helo.cut);
    ck_assert_str_eq(helo.text, helos[_i].text != NULL ? helos[_i].text : "");
    if (helos[_i].want_literal != NULL)
        ck_assert_str_eq(ipaddr_format(&helo.literal, text), helos[_i].want_literal);
    else
        ck_assert_int_eq(helo.literal.family, IP_NONE);
}
END_TEST

START_TEST(test_helo_is_cut)
{
    static const char first[] = {'a', '[', '1', '.', '-', '\xff', ':'};
    char text[5001];
    struct helo helo;
    memset(text, first[_i], sizeof text - 1);
    text[sizeof text - 1] = '\0';
    helo_parse(text, &helo);
    ck_assert_int_eq(helo.kind, HELO_INVALID);
    ck_assert(helo.cut);
    ck_assert_uint_eq(strlen(helo.text), HELO_TEXT_MAX);
    ck_assert_str_eq(helo.name, "");
    text[HELO_TEXT_MAX] = '\0';
    helo_parse(text, &helo);
    ck_assert(!helo.cut);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("hostname");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, test_names, names);
    LOOP(tcase, test_under, suffixes);
    LOOP(tcase, test_helo, helos);
    tcase_add_loop_test(tcase, test_helo_is_cut, 0, 7);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
