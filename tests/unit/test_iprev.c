/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/iprev.h"

#include "factstext.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *label;
    struct factstext facts;
    enum iprev_result want;
    const char *want_name; /* NULL: none confirmed */
} cases[] = {
    {"confirmed",
     {.client = "192.0.2.1", .ptr = "mail.a.example=192.0.2.1"},
     IPREV_PASS,
     "mail.a.example"},
    {"one of several addresses",
     {.client = "192.0.2.1", .ptr = "mail.a.example=203.0.113.9,192.0.2.1,192.0.2.2"},
     IPREV_PASS,
     "mail.a.example"},
    {"second name",
     {.client = "192.0.2.1", .ptr = "a.example=NX b.example=192.0.2.1"},
     IPREV_PASS,
     "b.example"},
    {"any match beats a temporary failure",
     {.client = "192.0.2.1", .ptr = "a.example=TEMP b.example=192.0.2.1"},
     IPREV_PASS,
     "b.example"},
    {"first of two",
     {.client = "192.0.2.1", .ptr = "a.example=192.0.2.1 b.example=192.0.2.1"},
     IPREV_PASS,
     "a.example"},
    {"EHLO's of two",
     {.client = "192.0.2.1",
      .ptr = "a.example=192.0.2.1 b.example=192.0.2.1",
      .helo = "B.example."},
     IPREV_PASS,
     "b.example"},
    {"EHLO's is not confirmed",
     {.client = "192.0.2.1", .ptr = "a.example=192.0.2.1 b.example=NX", .helo = "b.example"},
     IPREV_PASS,
     "a.example"},
    {"IPv6",
     {.client = "2001:db8::1", .ptr = "mail.a.example=2001:db8::1"},
     IPREV_PASS,
     "mail.a.example"},
    {"mapped client",
     {.client = "::ffff:192.0.2.1", .ptr = "mail.a.example=192.0.2.1"},
     IPREV_PASS,
     "mail.a.example"},
    {"beside an unusable name",
     {.client = "192.0.2.1", .ptr = "localhost a.example=192.0.2.1"},
     IPREV_PASS,
     "a.example"},
    {"another address",
     {.client = "192.0.2.1", .ptr = "mail.a.example=203.0.113.9"},
     IPREV_FAIL,
     NULL},
    {"name does not exist", {.client = "192.0.2.1", .ptr = "mail.a.example=NX"}, IPREV_FAIL, NULL},
    {"name without address",
     {.client = "192.0.2.1", .ptr = "mail.a.example=NODATA"},
     IPREV_FAIL,
     NULL},
    {"none of several",
     {.client = "192.0.2.1", .ptr = "a.example=NX b.example=203.0.113.9"},
     IPREV_FAIL,
     NULL},
    {"unusable only", {.client = "192.0.2.1", .ptr = "localhost 192.0.2.1"}, IPREV_FAIL, NULL},
    {"unusable name's address does not count",
     {.client = "192.0.2.1", .ptr = "localhost=192.0.2.1"},
     IPREV_FAIL,
     NULL},
    {"beyond max-ptr, not asked",
     {.client = "192.0.2.1", .ptr = "a.example=NX b.example=-"},
     IPREV_FAIL,
     NULL},
    {"forward failed",
     {.client = "192.0.2.1", .ptr = "mail.a.example=TEMP"},
     IPREV_TEMPERROR,
     NULL},
    {"one forward failed",
     {.client = "192.0.2.1", .ptr = "a.example=NX b.example=TEMP"},
     IPREV_TEMPERROR,
     NULL},
    {"PTR failed", {.client = "192.0.2.1", .ptr = "TEMP"}, IPREV_TEMPERROR, NULL},
    {"PTR not asked", {.client = "192.0.2.1", .ptr = "-"}, IPREV_TEMPERROR, NULL},
    {"expired, and confirmed all the same",
     {.client = "192.0.2.1", .ptr = "~mail.a.example=~192.0.2.1"},
     IPREV_PASS,
     "mail.a.example"},
    {"expired: another address",
     {.client = "192.0.2.1", .ptr = "mail.a.example=~203.0.113.9"},
     IPREV_TEMPERROR,
     NULL},
    {"expired: name does not exist",
     {.client = "192.0.2.1", .ptr = "a.example=203.0.113.9 b.example=~NX"},
     IPREV_TEMPERROR,
     NULL},
    {"expired PTR, name leads elsewhere",
     {.client = "192.0.2.1", .ptr = "~mail.a.example=203.0.113.9"},
     IPREV_TEMPERROR,
     NULL},
    {"expired PTR without a usable name",
     {.client = "192.0.2.1", .ptr = "~localhost"},
     IPREV_TEMPERROR,
     NULL},
    {"expired: no name", {.client = "192.0.2.1", .ptr = "~NX"}, IPREV_TEMPERROR, NULL},
    {"expired: no data", {.client = "192.0.2.1", .ptr = "~NODATA"}, IPREV_TEMPERROR, NULL},
    {"some were left out",
     {.client = "192.0.2.1", .ptr = "a.example=NX", .over = 1},
     IPREV_TEMPERROR,
     NULL},
    {"some were left out, and one leads back",
     {.client = "192.0.2.1", .ptr = "a.example=NX b.example=192.0.2.1", .over = 1},
     IPREV_PASS,
     "b.example"},
    {"no name", {.client = "192.0.2.1", .ptr = "NX"}, IPREV_PERMERROR, NULL},
    {"no data", {.client = "192.0.2.1", .ptr = "NODATA"}, IPREV_PERMERROR, NULL},
};

START_TEST(test_results)
{
    struct factstext_memory memory;
    struct facts facts;
    factstext_make(&cases[_i].facts, &memory, &facts);
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_msg(iprev.result == cases[_i].want, "%s: %s", cases[_i].label,
                  iprev_result_text(iprev.result));
    ck_assert_msg((iprev.confirmed != NULL) == (cases[_i].want_name != NULL), "%s",
                  cases[_i].label);
    if (iprev.confirmed != NULL)
        ck_assert_str_eq(iprev.confirmed->name, cases[_i].want_name);
}
END_TEST

START_TEST(test_texts)
{
    ck_assert_str_eq(iprev_result_text(IPREV_PASS), "pass");
    ck_assert_str_eq(iprev_result_text(IPREV_FAIL), "fail");
    ck_assert_str_eq(iprev_result_text(IPREV_TEMPERROR), "temperror");
    ck_assert_str_eq(iprev_result_text(IPREV_PERMERROR), "permerror");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iprev");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_results, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, test_texts);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
