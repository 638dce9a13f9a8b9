/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/denial.h"
#include "dns/dnsrr.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define V6      "8.b.d.0.1.0.0.2.ip6.arpa"
#define V6_NAME "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.2.1.0." V6

static void wire_of(const char *text, uint8_t *length, uint8_t name[WIRE_NAME_MAX])
{
    struct question question = {.length = 1};
    if (strcmp(text, ".") != 0)
        ck_assert_int_eq(question_from_name(text, RR_A, &question), RESULT_OK);
    *length = question.length;
    memcpy(name, question.name, question.length);
}

static struct denial denial_of(const char *name, const char *apex)
{
    struct denial denial = {0};
    wire_of(name, &denial.name_length, denial.name);
    if (apex != NULL)
        wire_of(apex, &denial.apex_length, denial.apex);
    return denial;
}

enum { NX = DNS_NXDOMAIN, NODATA = DNS_NODATA };

static const struct {
    const char *name, *apex;
    uint16_t type;
    int outcome;
    enum denial_proof want;
} judged[] = {
    /* reverse names: at or below in-addr.arpa and ip6.arpa */
    {"7.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", RR_PTR, NX, DENIAL_PROVED},
    {"7.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", RR_PTR, NODATA, DENIAL_PROVED},
    {"7.2.0.192.in-addr.arpa", "7.2.0.192.in-addr.arpa", RR_PTR, NODATA, DENIAL_PROVED},
    {"7.2.0.192.in-addr.arpa", "192.in-addr.arpa", RR_PTR, NX, DENIAL_PROVED},
    {"7.2.0.192.in-addr.arpa", "in-addr.arpa", RR_PTR, NX, DENIAL_PROVED},
    {"7.2.0.192.in-addr.arpa", "arpa", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.2.0.192.in-addr.arpa", ".", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.2.0.192.in-addr.arpa", ".", RR_PTR, NODATA, DENIAL_OTHER_SOA},
    {"7.2.0.192.in-addr.arpa", NULL, RR_PTR, NX, DENIAL_WITHOUT_SOA},
    {"7.2.0.192.in-addr.arpa", NULL, RR_PTR, NODATA, DENIAL_WITHOUT_SOA},
    {"7.2.0.192.in-addr.arpa", "3.0.192.in-addr.arpa", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.2.0.192.in-addr.arpa", "evil.example", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.2.0.192.in-addr.arpa", "ip6.arpa", RR_PTR, NX, DENIAL_OTHER_SOA},
    {V6_NAME, V6, RR_PTR, NX, DENIAL_PROVED},
    {V6_NAME, "ip6.arpa", RR_PTR, NX, DENIAL_PROVED},
    {V6_NAME, "arpa", RR_PTR, NX, DENIAL_OTHER_SOA},
    {V6_NAME, ".", RR_PTR, NX, DENIAL_OTHER_SOA},
    /* the end of a chain (RFC 2317) */
    {"7.0-15.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", RR_PTR, NX, DENIAL_PROVED},
    {"7.rev.example.com", "rev.example.com", RR_PTR, NX, DENIAL_PROVED},
    {"7.rev.example.com", "7.rev.example.com", RR_PTR, NODATA, DENIAL_PROVED},
    {"7.rev.example.com", "com", RR_PTR, NX, DENIAL_PROVED},
    {"7.rev.example.com", ".", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.rev.acme.local", ".", RR_PTR, NX, DENIAL_OTHER_SOA},
    {"7.rev.example.com", "2.0.192.in-addr.arpa", RR_PTR, NX, DENIAL_OTHER_SOA},
    /* other names */
    {"mail.example.com", "example.com", RR_A, NX, DENIAL_PROVED},
    {"mail.example.com", "mail.example.com", RR_A, NODATA, DENIAL_PROVED},
    {"mail.example.com", "com", RR_A, NX, DENIAL_PROVED},
    {"mail.example.com", "ample.com", RR_A, NX, DENIAL_OTHER_SOA},
    {"mail.example.com", "www.mail.example.com", RR_A, NX, DENIAL_OTHER_SOA},
    {"mail.example.com", NULL, RR_A, NX, DENIAL_WITHOUT_SOA},
    {"mail.example.com", ".", RR_A, NX, DENIAL_OTHER_SOA},
    {"mail.example.com", ".", RR_A, NODATA, DENIAL_OTHER_SOA},
    {"mail.example.co.uk", ".", RR_AAAA, NX, DENIAL_OTHER_SOA},
    {"mail.example.ck", ".", RR_A, NX, DENIAL_OTHER_SOA},
    {"mail.acme.local", ".", RR_A, NX, DENIAL_PROVED},
    {"mail.acme.local", ".", RR_MX, NX, DENIAL_PROVED},
    {"mail.acme.local", ".", RR_A, NODATA, DENIAL_OTHER_SOA},
    {"localhost.localdomain", ".", RR_A, NX, DENIAL_PROVED},
    {"localhost", ".", RR_A, NX, DENIAL_PROVED},
    {"com", ".", RR_A, NX, DENIAL_OTHER_SOA},
    {".", ".", RR_A, NODATA, DENIAL_OTHER_SOA},
};

START_TEST(test_judge)
{
    struct denial denial = denial_of(judged[_i].name, judged[_i].apex);
    ck_assert_msg(denial_judge(&denial, judged[_i].type, (enum dns_outcome)judged[_i].outcome) ==
                      judged[_i].want,
                  "%s by %s", judged[_i].name, judged[_i].apex);
}
END_TEST

static const struct {
    const char *name;
    uint16_t type;
    int outcome;
    const char *want[DENIAL_PARENTS_MAX + 2];
} asked[] = {
    {"7.2.0.192.in-addr.arpa",
     RR_PTR,
     NX,
     {"7.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", "0.192.in-addr.arpa", "192.in-addr.arpa"}},
    {"7.0-15.2.0.192.in-addr.arpa",
     RR_PTR,
     NX,
     {"7.0-15.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", "0.192.in-addr.arpa",
      "192.in-addr.arpa"}},
    {V6_NAME, RR_PTR, NODATA, {V6_NAME, "3.2.1.0." V6, V6}},
    {"7.rev.example.com",
     RR_PTR,
     NX,
     {"7.rev.example.com", "rev.example.com", "example.com", "com"}},
    {"mail.example.com", RR_A, NODATA, {"mail.example.com", "example.com", "com"}},
    {"a.b.c.d.e.f.com", RR_A, NX, {"a.b.c.d.e.f.com", "d.e.f.com", "e.f.com", "f.com", "com"}},
    {"mail.acme.local", RR_A, NX, {"mail.acme.local", "acme.local", "local", "."}},
    {"mail.acme.local", RR_PTR, NX, {"mail.acme.local", "acme.local", "local"}},
    {"mail.acme.local", RR_A, NODATA, {"mail.acme.local", "acme.local", "local"}},
    {"localhost", RR_A, NX, {"localhost", "."}},
};

START_TEST(test_questions)
{
    struct denial denial = denial_of(asked[_i].name, NULL);
    struct question question;
    char text[NAME_TEXT_MAX];
    unsigned number = 0;
    while (denial_question(&denial, asked[_i].type, (enum dns_outcome)asked[_i].outcome, number,
                           &question)) {
        ck_assert_ptr_nonnull(asked[_i].want[number]);
        ck_assert_int_eq(question.type, RR_SOA);
        ck_assert_str_eq(wirename_text(question.name, question.length, text),
                         asked[_i].want[number]);
        ck_assert_int_eq(question.name[question.length - 1], 0);
        number++;
    }
    ck_assert_ptr_null(asked[_i].want[number]);
}
END_TEST

START_TEST(test_control)
{
    struct question question;
    char text[NAME_TEXT_MAX];
    denial_control_question(&question);
    ck_assert_int_eq(question.type, RR_A);
    ck_assert_str_eq(wirename_text(question.name, question.length, text), "in-addr.arpa");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("denial");
    TCase *tcase = tcase_create("core");
    tcase_add_loop_test(tcase, test_judge, 0, sizeof judged / sizeof judged[0]);
    tcase_add_loop_test(tcase, test_questions, 0, sizeof asked / sizeof asked[0]);
    tcase_add_test(tcase, test_control);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
