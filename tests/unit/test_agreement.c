/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/agreement.h"

#include "factstext.h"

#include <check.h>
#include <stdlib.h>

#define C4  .client = "192.0.2.1"
#define C6  .client = "2001:db8::1"
#define OWN .ptr = "mail.a.example=192.0.2.1"

static const struct {
    const char *label;
    struct factstext facts;
    enum agreement want;
} cases[] = {
    {"EHLO is the PTR name",
     {C4, OWN, .helo = "mail.a.example", .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"case and dot",
     {C4, OWN, .helo = "MAIL.A.Example.", .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"EHLO is the second PTR name",
     {C4, .ptr = "a.example=192.0.2.1 z.example=192.0.2.1", .helo = "z.example",
      .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"EHLO is an unconfirmed PTR name",
     {C4, .ptr = "mail.a.example=203.0.113.9", .helo = "mail.a.example",
      .helo_forward = "203.0.113.9"},
     AGREEMENT_NONE},
    {"underscore, confirmed",
     {C4, .ptr = "my_host.a.example=192.0.2.1", .helo = "my_host.a.example",
      .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"EHLO resolves to the client",
     {C4, OWN, .helo = "b.example", .helo_forward = "203.0.113.9,192.0.2.1"},
     AGREEMENT_FORWARD},
    {"forward without PTR",
     {C4, .ptr = "NX", .helo = "b.example", .helo_forward = "192.0.2.1"},
     AGREEMENT_FORWARD},
    {"forward beats domain",
     {C4, OWN, .helo = "b.a.example", .helo_forward = "192.0.2.1"},
     AGREEMENT_FORWARD},
    {"own literal", {C4, .ptr = "NX", .helo = "[192.0.2.1]"}, AGREEMENT_LITERAL},
    {"own IPv6 literal", {C6, .ptr = "NX", .helo = "[IPv6:2001:DB8:0::1]"}, AGREEMENT_LITERAL},
    {"own literal whatever fails", {C4, .ptr = "TEMP", .helo = "[192.0.2.1]"}, AGREEMENT_LITERAL},
    {"own IPv6 literal without a tag",
     {C6, .ptr = "NX", .helo = "[2001:db8::1]"},
     AGREEMENT_LITERAL},
    {"own IPv6 literal, other notation",
     {C6, .ptr = "NX", .helo = "[ipv6:2001:0db8:0000:0000:0:0:0:1]"},
     AGREEMENT_LITERAL},
    {"literal of the mapped address",
     {C4, .ptr = "NX", .helo = "[IPv6:::ffff:192.0.2.1]"},
     AGREEMENT_LITERAL},
    {"mapped client, plain literal",
     {.client = "::ffff:192.0.2.1", .ptr = "NX", .helo = "[192.0.2.1]"},
     AGREEMENT_LITERAL},
    {"literal of another mapped address",
     {C4, OWN, .helo = "[IPv6:::ffff:192.0.2.2]"},
     AGREEMENT_NONE},
    {"compatible is not mapped", {C4, OWN, .helo = "[IPv6:::192.0.2.1]"}, AGREEMENT_NONE},
    {"literal with a dot behind", {C4, OWN, .helo = "[192.0.2.1]."}, AGREEMENT_NONE},
    {"literal with zeros in front", {C4, OWN, .helo = "[192.0.02.1]"}, AGREEMENT_LITERAL},
    {"tenants of a private suffix",
     {C4, .ptr = "a.github.io=192.0.2.1", .helo = "b.github.io", .helo_forward = "NX"},
     AGREEMENT_NONE},
    {"two trailing dots", {C4, OWN, .helo = "mail.a.example.."}, AGREEMENT_NONE},
    {"A-label in capitals",
     {C4, .ptr = "mail.xn--bcher-kva.example=192.0.2.1", .helo = "MAIL.XN--BCHER-KVA.EXAMPLE",
      .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"U-label is its A-label",
     {C4, .ptr = "mail.xn--bcher-kva.example=192.0.2.1",
      .helo = "mail.b\xc3\xbc"
              "cher.example",
      .helo_forward = "192.0.2.1"},
     AGREEMENT_EXACT},
    {"another's literal", {C4, OWN, .helo = "[192.0.2.2]"}, AGREEMENT_NONE},
    {"bare address is no literal", {C4, OWN, .helo = "192.0.2.1"}, AGREEMENT_NONE},
    {"same domain",
     {C4, OWN, .helo = "out.x.a.example", .helo_forward = "203.0.113.9"},
     AGREEMENT_DOMAIN},
    {"same domain, not resolving",
     {C4, OWN, .helo = "out.a.example", .helo_forward = "NX"},
     AGREEMENT_DOMAIN},
    {"same public suffix only",
     {C4, .ptr = "mail.a.co.uk=192.0.2.1", .helo = "mail.b.co.uk", .helo_forward = "NX"},
     AGREEMENT_NONE},
    {"domain of an unconfirmed name",
     {C4, .ptr = "mail.a.example=NX", .helo = "out.a.example", .helo_forward = "NX"},
     AGREEMENT_NONE},
    {"domain beats network",
     {C4, OWN, .helo = "out.a.example", .helo_forward = "192.0.2.99"},
     AGREEMENT_DOMAIN},
    {"neighbour", {C4, OWN, .helo = "b.example", .helo_forward = "192.0.2.99"}, AGREEMENT_NETWORK},
    {"next network", {C4, OWN, .helo = "b.example", .helo_forward = "192.0.3.1"}, AGREEMENT_NONE},
    {"IPv6 neighbour",
     {C6, .ptr = "NX", .helo = "b.example", .helo_forward = "2001:db8::ffff:1"},
     AGREEMENT_NETWORK},
    {"IPv6 next network",
     {C6, .ptr = "NX", .helo = "b.example", .helo_forward = "2001:db8:0:1::1"},
     AGREEMENT_NONE},
    {"nothing in common", {C4, OWN, .helo = "b.example", .helo_forward = "NX"}, AGREEMENT_NONE},
    {"no EHLO", {C4, OWN}, AGREEMENT_NONE},
    {"one label", {C4, .ptr = "TEMP", .helo = "localhost"}, AGREEMENT_NONE},
    {"invalid", {C4, .ptr = "TEMP", .helo = "x y"}, AGREEMENT_NONE},

    {"PTR failed, nothing proven",
     {C4, .ptr = "TEMP", .helo = "b.example", .helo_forward = "NX"},
     AGREEMENT_UNKNOWN},
    {"PTR failed, EHLO might be it",
     {C4, .ptr = "TEMP", .helo = "b.example", .helo_forward = "192.0.2.1"},
     AGREEMENT_UNKNOWN},
    {"EHLO's address failed",
     {C4, OWN, .helo = "b.example", .helo_forward = "TEMP"},
     AGREEMENT_UNKNOWN},
    {"EHLO's address failed, domain proven, better possible",
     {C4, OWN, .helo = "out.a.example", .helo_forward = "TEMP"},
     AGREEMENT_UNKNOWN},
    {"EHLO's address not asked", {C4, OWN, .helo = "b.example"}, AGREEMENT_UNKNOWN},
    {"exact needs no more",
     {C4, OWN, .helo = "mail.a.example", .helo_forward = "TEMP"},
     AGREEMENT_EXACT},
    {"EHLO's PTR name failed",
     {C4, .ptr = "mail.a.example=TEMP", .helo = "mail.a.example", .helo_forward = "NX"},
     AGREEMENT_UNKNOWN},
    {"a name of the same domain failed",
     {C4, .ptr = "mail.a.example=TEMP", .helo = "out.a.example", .helo_forward = "NX"},
     AGREEMENT_UNKNOWN},
    {"a name of another domain failed",
     {C4, .ptr = "mail.b.example=TEMP", .helo = "out.a.example", .helo_forward = "NX"},
     AGREEMENT_NONE},
    {"what failed could not be better than forward",
     {C4, .ptr = "mail.a.example=TEMP", .helo = "out.a.example", .helo_forward = "192.0.2.1"},
     AGREEMENT_FORWARD},
    {"what failed could not be better than network",
     {C4, .ptr = "mail.b.example=TEMP", .helo = "out.a.example", .helo_forward = "192.0.2.9"},
     AGREEMENT_NETWORK},
};

static const struct neighbour_bits neighbours = {24, 64};

START_TEST(test_grades)
{
    struct factstext_memory memory;
    struct facts facts;
    struct orgdomain *list = orgdomain_load(NULL);
    ck_assert_ptr_nonnull(list);
    factstext_make(&cases[_i].facts, &memory, &facts);
    struct iprev iprev = iprev_evaluate(&facts);
    enum agreement agreement = agreement_evaluate(&facts, &iprev, list, neighbours);
    ck_assert_msg(agreement == cases[_i].want, "%s: %s", cases[_i].label,
                  agreement_text(agreement));
    orgdomain_free(list);
}
END_TEST

START_TEST(test_without_list)
{
    static const struct factstext text = {C4, OWN, .helo = "out.a.example", .helo_forward = "NX"};
    struct factstext_memory memory;
    struct facts facts;
    factstext_make(&text, &memory, &facts);
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_int_eq(agreement_evaluate(&facts, &iprev, NULL, neighbours), AGREEMENT_NONE);
}
END_TEST

START_TEST(test_neighbour_sizes)
{
    static const struct factstext text = {C4, OWN, .helo = "b.example",
                                          .helo_forward = "192.0.3.1"};
    struct factstext_memory memory;
    struct facts facts;
    factstext_make(&text, &memory, &facts);
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_int_eq(agreement_evaluate(&facts, &iprev, NULL, (struct neighbour_bits){23, 64}),
                     AGREEMENT_NETWORK);
    ck_assert_int_eq(agreement_evaluate(&facts, &iprev, NULL, (struct neighbour_bits){32, 64}),
                     AGREEMENT_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("agreement");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_grades, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, test_without_list);
    tcase_add_test(tcase, test_neighbour_sizes);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
