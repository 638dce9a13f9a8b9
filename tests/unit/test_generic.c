/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/generic.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *label, *address, *name;
    const char *want; /* NULL: not generic */
} cases[] = {
    /* Decimal octets. */
    {"plain", "192.0.2.1", "192-0-2-1.isp.example", "contains 192-0-2-1 in label 1"},
    {"as labels", "192.0.2.1", "192.0.2.1.isp.example", "contains 192.0.2.1 in labels 1 to 4"},
    {"reversed", "192.0.2.1", "1-2-0-192.isp.example", "contains 1-2-0-192 reversed in label 1"},
    {"zero-padded", "192.0.2.1", "h192-000-002-001.isp.example",
     "contains 192-000-002-001 in label 1"},
    {"rotated", "192.0.2.1", "1.red-192-0-2.isp.example",
     "contains 1.red-192-0-2 in labels 1 to 2"},
    {"with x", "192.0.2.1", "192x0x2x1.isp.example", "contains 192x0x2x1 in label 1"},
    {"after a name", "192.0.2.1", "pa192-0-2-1.isp.example", "contains 192-0-2-1 in label 1"},
    {"behind other numbers", "192.0.2.10", "bl7-192-0-2-10.isp.example",
     "contains 192-0-2-10 in label 1"},
    {"three", "192.0.2.10", "h0-2-10.isp.example", "contains 0-2-10 in label 1"},
    {"three reversed", "192.0.2.10", "10.2.0.isp.example",
     "contains 10.2.0 reversed in labels 1 to 3"},
    {"two labels", "192.0.2.10", "192-0-2-10.hananet", "contains 192-0-2-10 in label 1"},
    {"single digits, all four", "1.2.3.4", "1-2-3-4.isp.example", "contains 1-2-3-4 in label 1"},
    {"another's address", "192.0.2.1", "203-0-113-9.isp.example", NULL},
    {"no octets", "192.0.2.1", "192-0-2-1000.isp.example", "contains 192-0-2 in label 1"},

    /* Run together. */
    {"twelve digits", "198.51.100.7", "p198051100007.isp.example",
     "octets run together 198051100007 in label 1"},
    {"twelve digits reversed", "198.51.100.7", "007100051198.isp.example",
     "octets run together 007100051198 reversed in label 1"},
    {"without padding", "198.51.100.7", "h198511007.isp.example",
     "octets run together 198511007 in label 1"},
    {"last two", "198.51.100.7", "c100007.isp.example", "octets run together 100007 in label 1"},
    {"one number", "198.51.100.7", "u3325256711.isp.example",
     "address as a number 3325256711 in label 1"},
    {"another number", "198.51.100.7", "u3325256712.isp.example", NULL},
    {"too short to be certain", "1.2.3.4", "web1234.isp.example", NULL},

    /* Hexadecimal. */
    {"eight digits", "198.51.100.7", "pc6336407.isp.example",
     "address in hexadecimal pc6336407 in label 1"},
    {"eight digits reversed", "198.51.100.7", "x076433c6.isp.example",
     "address in hexadecimal x076433c6 reversed in label 1"},
    {"bytes", "198.51.100.7", "c6-33-64-07.isp.example",
     "address in hexadecimal c6-33-64-07 in label 1"},
    {"two bytes and a word", "198.51.190.7", "node-c-be07.isp.example",
     "address in hexadecimal be07 in label 1 and word \"node\""},
    {"two bytes alone", "198.51.190.7", "be07.isp.example", NULL},

    /* IPv6. */
    {"groups", "2001:db8:0:1:2:3:4:5", "2001-db8-0-1-2-3-4-5.isp.example",
     "digits of the address in label 1"},
    {"padded groups", "2001:db8::5", "2001-0db8-0000-0000-0000-0000-0000-0005.isp.example",
     "digits of the address in label 1"},
    {"compressed", "2001:db8::5", "2001-db8--5.isp.example", "digits of the address in label 1"},
    {"digits", "2001:db8:12:3456:789a:bcde:f012:3456",
     "p20010db800123456789abcdef0123456.isp.example", "digits of the address in label 1"},
    {"nibbles", "2001:db8:12:3456:789a:bcde:f012:3456",
     "6.5.4.3.2.1.0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.0.8.b.d.0.1.0.0.2.isp.example",
     "digits of the address reversed in label 1"},
    {"interface identifier", "2001:db8::a1b2:c3d4:e5f6:789", "h-a1b2c3d4e5f60789.isp.example",
     "digits of the address in label 1"},
    {"a quarter and a word", "2001:db8::a1b2:c3d4:e5f6:789", "dyn-e5f60789.isp.example",
     "digits of the address in label 1 and word \"dyn\""},
    {"a quarter alone", "2001:db8::a1b2:c3d4:e5f6:789", "vla1-e5f60789aa.host.example", NULL},
    {"zeros", "2001:db8::1", "web00000000000000000.host.example", NULL},
    {"groups of zeros", "2001:db8::1", "a-0-0-0-0-1.host.example", NULL},
    {"a name", "2001:db8::beef", "beef.host.example", NULL},
    {"a mail server", "2001:db8::25", "mx25.mail.host.example", NULL},

    /* Two octets and a word. */
    {"word", "198.51.100.7", "ppp-100-7.isp.example", "contains 100-7 in label 1 and word \"ppp\""},
    {"word in another label", "198.51.100.7", "100-7.dynamic.isp.example",
     "contains 100-7 in label 1 and word \"dynamic\""},
    {"reversed", "198.51.7.113", "dyn-113-7.isp.example",
     "contains 113-7 reversed in label 1 and word \"dyn\""},
    {"first two", "198.51.100.7", "a-b-198-51.dsl.isp.example",
     "contains 198-51 in label 1 and word \"dsl\""},
    {"word of numbering", "198.51.100.7", "host-100-7.isp.example",
     "contains 100-7 in label 1 and word \"host\""},
    {"provider's name", "198.51.100.7", "k100-7.avdsl.example",
     "contains 100-7 in label 1 and word \"dsl\""},
    {"alone", "198.51.100.7", "100.7.isp.example", "contains 100.7 in labels 1 to 2"},
    {"alone, by a letter", "198.51.100.7", "7.c100.isp.example",
     "contains 7.c100 reversed in labels 1 to 2"},
    {"no word", "198.51.100.7", "k100-7.isp.example", NULL},
    {"two single digits", "192.0.2.1", "host-2-1.isp.example", NULL},
    {"not neighbours in the address", "198.51.100.7", "host-198-7.isp.example", NULL},
    {"letters between", "198.51.100.7", "host100and7.isp.example", NULL},
    {"one letter between", "198.51.100.7", "host100a7.isp.example", NULL},
    {"a word between", "198.51.100.7", "100.abc7.isp.example", NULL},
    {"two separators", "198.51.100.7", "host100--7.isp.example", NULL},

    /* Last octets that are there by more than chance. */
    {"pair behind letters", "203.0.113.166", "d113-166.isp.example", "contains 113-166 in label 1"},
    {"pair behind the provider's name", "198.51.231.46", "isp-d-231-46.isp-d.example",
     "contains 231-46 in label 1"},
    {"pair, a letter before each", "198.51.139.83", "n139-p83.uni.example",
     "contains 139-p83 in label 1"},
    {"pair, a letter between", "198.51.172.16", "u172n16.isp.example",
     "contains 172n16 in label 1"},
    {"pair reversed", "198.51.172.216", "k216-172.isp.example", "contains 216-172 in label 1"},
    {"pair, padded", "198.51.211.33", "uni-f-211-033.uni-f.example", "contains 211-033 in label 1"},
    {"pair, run together with a serial", "198.51.200.174", "wgp-37200-174.isp.example",
     "contains 37200-174 in label 1"},
    {"pair of small numbers", "198.51.12.14", "k12-14.isp.example", NULL},
    {"pair of other numbers", "198.51.139.83", "n139-p84.uni.example", NULL},
    {"pair in a cluster's second label", "198.51.139.183", "web.139-183.host.example", NULL},
    {"pair of a mail host", "198.51.139.183", "mail139-183.host.example", NULL},
    {"pair behind m", "198.51.115.113", "m115-113.portal.example", NULL},
    {"all octets behind m", "203.0.113.166", "m203-0-113-166.isp.example",
     "contains 203-0-113-166 in label 1"},
    {"two padded octets, one the last", "203.0.84.146", "work080146.isp.example",
     "contains 080146 in label 1"},
    {"six digits", "203.0.84.146", "order080147.shop.example", NULL},
    {"last octet and a word", "198.51.9.213", "cm213.kappa9.isp.example",
     "last octet 213 in label 1 and word \"cm\""},
    {"small last octet, third elsewhere", "203.0.77.10", "cm10.omega77.isp.example",
     "last octet 10 in label 1 and word \"cm\""},
    {"last octet of a user", "203.0.37.157", "user157.net352.isp.example",
     "last octet 157 in label 1 and word \"user\""},
    {"last octet behind another number", "198.51.195.93", "nas3-user93.isp.example",
     "last octet 93 in label 1 and word \"nas\""},
    {"address translation", "198.51.226.29", "snat-29.cgn.isp.example",
     "last octet 29 in label 1 and word \"cgn\""},
    {"padded last octet", "203.0.71.37", "natpool-1-037.uni.example",
     "last octet 037 in label 1 and word \"natpool\""},
    {"padded number alone", "203.0.71.45", "045.a.002.isp.example", "last octet 045 in label 1"},
    {"number alone", "203.0.71.184", "184.static.customer.example", NULL},
    {"one digit behind a word", "203.0.71.7", "user7.host.example", NULL},
    {"last octet of a server", "203.0.71.129", "srv129.host.example", NULL},
    {"last octet of a host", "203.0.71.29", "host29.host.example", NULL},
    {"last octet of an outbound server", "203.0.71.112", "out-112.esp.example", NULL},
    {"campus", "192.0.2.149", "guest-144-149.eduroam.uni.example",
     "last octet 149 in label 1 and word \"eduroam\""},
    {"letter and four digits", "198.51.75.170", "x4baa.x.isp.example",
     "last octets in hexadecimal x4baa in label 1"},
    {"four decimal digits and a word", "203.0.4.57", "ip-0439.isp.example",
     "last octets in hexadecimal 0439 in label 1 and word \"ip\""},
    {"hexadecimal behind a word and a number", "198.51.246.246", "node1f6f6.isp.example",
     "last octets in hexadecimal node1f6f6 in label 1 and word \"node\""},
    {"hexadecimal behind a name", "198.51.190.239", "cobeef.host.example", NULL},
    {"partly padded, run together", "203.0.40.100", "2030040100.user.isp.example",
     "octets run together 2030040100 in label 1"},

    /* Words that alone are a default name, and words with a number. */
    {"broadband", "198.51.100.7", "broadband.isp.example", "word \"broadband\""},
    {"customer", "198.51.100.7", "customer.isp.example", "word \"customer\""},
    {"reverse", "198.51.100.7", "reverse.isp.example", "word \"reverse\""},
    {"static", "198.51.100.7", "static.isp.example", "word \"static\""},
    {"words of lines", "198.51.100.7", "dynamic-vpn.dhcp.isp.example", "word \"dynamic\""},
    {"gateway of lines", "198.51.100.7", "gw-pppoe.isp.example", "word \"pppoe\""},
    {"word and number", "198.51.100.7", "dynamic-42.isp.example",
     "word \"dynamic\" and a number in label 1"},
    {"word and number 2", "198.51.100.7", "adsl-42.isp.example",
     "word \"adsl\" and a number in label 1"},
    {"home", "198.51.100.7", "home.host.example", NULL},
    {"gateway", "198.51.100.7", "gw.host.example", NULL},
    {"three letters below a country", "198.51.100.7", "a40-7-97.adsl.vol.cz",
     "word \"adsl\" and a number in label 1"},
    {"filter in the cloud", "203.0.113.15", "address-203-0-113-15.protect.corp.example", NULL},
    {"newsletter", "198.51.7.254", "p1-007254.news.corp.example", NULL},

    /* Words and a number. */
    {"pool", "198.51.100.7", "hy66632.dynamic.isp.example",
     "word \"dynamic\" and a number in label 1"},
    {"own label", "198.51.100.7", "cpe4414.isp.example", "word \"cpe\" and a number in label 1"},
    {"nothing but words", "198.51.100.7", "adsl.isp.example", "word \"adsl\""},
    {"placeholder", "198.51.100.7", "adsl-pool-xxx.isp.example", "word \"adsl\""},
    {"hardware address", "198.51.100.7", "h00045a0f1e2d.ne.client2.isp.example",
     "word \"client\" and a number in label 1"},
    {"hexadecimal name alone", "198.51.100.7", "a0045a0f1e2d.host.example", NULL},
    {"a long number", "198.51.100.7", "order202601021530.client.host.example", NULL},
    {"user of a cable network", "198.51.100.7", "user-pmngs6g.cable.isp.example",
     "word \"cable\" and a number in label 1"},
    {"small number", "198.51.100.7", "cust1.host.example", NULL},
    {"name in an access network", "198.51.100.7", "alice.dyn.isp.example", NULL},
    {"access, but of many meanings", "198.51.100.7", "wireless.campus.example", NULL},
    {"part of another word", "198.51.100.7", "landslide400.host.example", NULL},
    {"part of another word 2", "198.51.100.7", "liverpool400.host.example", NULL},

    /* Hard negatives: mail servers whose names carry parts of their addresses. */
    {"not 1.2.3.4", "1.2.3.4", "mail1and2.example", NULL},
    {"not 1.2.3.4 either", "1.2.3.4", "mail1and2.corp.example", NULL},
    {"m13-98", "203.0.13.98", "m13-98.163.example", NULL},
    {"mail-m121143", "203.0.121.143", "mail-m121143.corp.163.example", NULL},
    {"out30-15", "203.0.30.15", "out30-15.freemail.mail.example", NULL},
    {"a8-81.smtp-out", "203.0.8.81", "a8-81.smtp-out.ses.example", NULL},
    {"three octets of an mta", "203.0.20.16", "kl-0-20-16.kmta.shared.news.example", NULL},
    {"all octets of a mail business", "203.0.28.28", "28.28.0.203.phx1.emaildelivery.example",
     NULL},
    {"padded and outbound", "203.0.113.9", "mail-oln203000113009.outbound.protection.example",
     NULL},
    {"mta119-22", "203.0.119.22", "mta119-22.focus.example", NULL},
    {"n169-113", "203.0.169.113", "n169-113.mail.example.com", NULL},
    {"intent, but a subscriber's line", "203.0.113.9", "mx-ll-203-0-113-9.dynamic.isp.example",
     "contains 203-0-113-9 in label 1"},

    /* Mail servers. */
    {"mail", "198.51.100.7", "mail.host.example", NULL},
    {"numbered", "198.51.100.7", "mail07.host.example", NULL},
    {"last octet", "198.51.100.7", "host7.smart.example", NULL},
    {"mail server's own label", "198.51.100.7", "smtp100-7.host.example", NULL},
    {"number of the domain", "198.51.163.7", "m7.163.com", NULL},
    {"cluster", "198.51.100.7", "p-west1-cluster2-host4-snip4-1.eps.host.example", NULL},
    {"country", "198.51.100.7", "mx1.uni.ac.example", NULL},
    {"one label", "198.51.100.7", "localhost", NULL},
    {"empty", "198.51.100.7", "", NULL},
};

static struct ipaddr parse(const char *text)
{
    struct ipaddr addr;
    ck_assert_msg(ipaddr_parse(text, &addr) == RESULT_OK, "%s", text);
    return addr;
}

START_TEST(test_cases)
{
    struct ipaddr addr = parse(cases[_i].address);
    struct generic generic = generic_evaluate(cases[_i].name, &addr, false);
    ck_assert_msg(generic.generic == (cases[_i].want != NULL), "%s: %s: %s", cases[_i].label,
                  cases[_i].name, generic.why);
    ck_assert_str_eq(generic.why, cases[_i].want != NULL ? cases[_i].want : "");
}
END_TEST

static const struct {
    const char *label, *name;
    bool want, want_as_intent;
} statics[] = {
    {"static", "static-192-0-2-1.isp.example", true, false},
    {"static, part of a word", "statically-192-0-2-1.isp.example", true, true},
    {"static line", "192-0-2-1.static.dsl.isp.example", true, false},
    {"two octets", "static-2-113.isp.example", false, false},
    {"not static", "dyn-192-0-2-1.isp.example", true, true},
};

START_TEST(test_static)
{
    struct ipaddr addr = parse("192.0.2.1");
    ck_assert_msg(generic_evaluate(statics[_i].name, &addr, false).generic == statics[_i].want,
                  "%s", statics[_i].label);
    ck_assert_msg(generic_evaluate(statics[_i].name, &addr, true).generic ==
                      statics[_i].want_as_intent,
                  "%s", statics[_i].label);
}
END_TEST

/* Names of any bytes and any shape: nothing is read past the end (the sanitizers watch). */
START_TEST(test_odd_names)
{
    static const char *const units[] = {"1.",   "1-", "a1", "0",   "-",     ".",     "f.",   "_",
                                        "dsl1", "x",  "9",  "ff-", "mail1", "2001-", "\xff", "a"};
    static const char *const addresses[] = {"1.1.1.1", "0.0.0.0", "::", "2001:db8::1:1"};
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        char name[254] = "";
        for (size_t length = 0; length + strlen(units[u]) < sizeof name;
             length += strlen(units[u])) {
            memcpy(name + length, units[u], strlen(units[u]) + 1);
            char *exact = strdup(name);
            ck_assert_ptr_nonnull(exact);
            for (size_t a = 0; a < sizeof addresses / sizeof addresses[0]; a++) {
                struct ipaddr addr = parse(addresses[a]);
                struct generic generic = generic_evaluate(exact, &addr, false);
                ck_assert(generic.generic == (generic.why[0] != '\0'));
            }
            free(exact);
        }
    }
}
END_TEST

START_TEST(test_no_address)
{
    struct ipaddr none = {.family = IP_NONE};
    ck_assert(!generic_evaluate("192-0-2-1.isp.example", &none, false).generic);
    ck_assert(generic_evaluate("h77.dynamic.isp.example", &none, false).generic);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("generic");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, test_cases, cases);
    LOOP(tcase, test_static, statics);
    tcase_add_test(tcase, test_odd_names);
    tcase_add_test(tcase, test_no_address);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
