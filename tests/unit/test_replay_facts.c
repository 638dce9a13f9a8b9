/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from recorded names alone: iprev, agreement and checks without a question. */
#include "core/checks.h"
#include "ctl/replay/replay_facts.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *label;
    enum maillog_ptr state;
    const char *ptr, *helo; /* helo NULL: not recorded */
    const char *sender;
    enum iprev_result want_iprev;
    enum agreement want_agreement;
    check_set want_checks;
} cases[] = {
    {"exact", REPLAY_PTR_CONFIRMED, "mail.a.example", "Mail.A.example.", "u@a.example", IPREV_PASS,
     AGREEMENT_EXACT, 0},
    {"same domain", REPLAY_PTR_CONFIRMED, "out1.mail.debian.org", "smtp.debian.org", "", IPREV_PASS,
     AGREEMENT_DOMAIN, 0},
    {"another domain", REPLAY_PTR_CONFIRMED, "mail.debian.org", "mail.example.net", "", IPREV_PASS,
     AGREEMENT_NONE, CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"literal", REPLAY_PTR_CONFIRMED, "mail.a.example", "[192.0.2.7]", "", IPREV_PASS,
     AGREEMENT_LITERAL, 0},
    {"another literal", REPLAY_PTR_CONFIRMED, "mail.a.example", "[192.0.2.8]", "", IPREV_PASS,
     AGREEMENT_NONE, CHECK_BIT(CHECK_HELO_DISAGREES) | CHECK_BIT(CHECK_HELO_LITERAL_MISMATCH)},
    {"no PTR", REPLAY_PTR_NONE, "", "mail.debian.org", "", IPREV_PERMERROR, AGREEMENT_NONE,
     CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"unconfirmed", REPLAY_PTR_UNCONFIRMED, "mail.debian.org", "mail.debian.org", "", IPREV_FAIL,
     AGREEMENT_NONE, CHECK_BIT(CHECK_PTR_MISMATCH) | CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"an address as name", REPLAY_PTR_CONFIRMED, "192.0.2.7", "mail.debian.org", "", IPREV_FAIL,
     AGREEMENT_NONE,
     CHECK_BIT(CHECK_PTR_INVALID) | CHECK_BIT(CHECK_PTR_MISMATCH) |
         CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"odd bytes as name", REPLAY_PTR_CONFIRMED, "a\x01\xff b", "mail.debian.org", "", IPREV_FAIL,
     AGREEMENT_NONE,
     CHECK_BIT(CHECK_PTR_INVALID) | CHECK_BIT(CHECK_PTR_MISMATCH) |
         CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"generic", REPLAY_PTR_CONFIRMED, "ip-192-0-2-7.dsl.debian.org", "ip-192-0-2-7.dsl.debian.org",
     "", IPREV_PASS, AGREEMENT_EXACT, CHECK_BIT(CHECK_PTR_GENERIC)},
    {"EHLO not recorded", REPLAY_PTR_CONFIRMED, "mail.debian.org", NULL, "", IPREV_PASS,
     AGREEMENT_NONE, 0},
    {"no EHLO", REPLAY_PTR_CONFIRMED, "mail.debian.org", "", "", IPREV_PASS, AGREEMENT_NONE,
     CHECK_BIT(CHECK_HELO_MISSING)},
    {"one label", REPLAY_PTR_CONFIRMED, "mail.debian.org", "localhost", "", IPREV_PASS,
     AGREEMENT_NONE, CHECK_BIT(CHECK_HELO_NOT_FQDN) | CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"one of ours", REPLAY_PTR_CONFIRMED, "mail.debian.org", "mx.example.net", "", IPREV_PASS,
     AGREEMENT_NONE, CHECK_BIT(CHECK_HELO_SELF) | CHECK_BIT(CHECK_HELO_DISAGREES)},
    {"sender elsewhere", REPLAY_PTR_CONFIRMED, "mail.debian.org", "mail.debian.org", "u@kernel.org",
     IPREV_PASS, AGREEMENT_EXACT, CHECK_BIT(CHECK_SENDER_PTR_MISMATCH)},
};

START_TEST(test_facts)
{
    static char own_name[] = "mx.example.net";
    static char *own_names[] = {own_name};
    static struct replay_facts recorded;
    static struct conf conf;
    struct maillog_event event = {.ptr_state = cases[_i].state, .sender_recorded = true};
    struct orgdomain *list = orgdomain_load(NULL);
    struct evidence_settings settings = {
        .orgdomains = list, .neighbours = {24, 64}, .required_agreement = AGREEMENT_DOMAIN};
    struct evidence evidence;
    ck_assert_ptr_nonnull(list);
    conf.own_names = own_names;
    conf.own_name_count = strcmp(cases[_i].label, "one of ours") == 0;
    ck_assert_int_eq(ipaddr_parse("192.0.2.7", &event.client), RESULT_OK);
    maillog_copy(event.ptr, sizeof event.ptr, cases[_i].ptr, strlen(cases[_i].ptr));
    maillog_copy(event.sender, sizeof event.sender, cases[_i].sender, strlen(cases[_i].sender));
    event.helo_recorded = cases[_i].helo != NULL;
    if (event.helo_recorded)
        maillog_copy(event.helo, sizeof event.helo, cases[_i].helo, strlen(cases[_i].helo));
    ck_assert(replay_facts_recorded(&conf, &event, &recorded));
    evidence_evaluate(&recorded.facts, &settings,
                      event.helo_recorded ? DIALOGUE_MAIL : DIALOGUE_CONNECT, &evidence);
    ck_assert_msg(evidence.iprev.result == cases[_i].want_iprev, "%s: iprev %s", cases[_i].label,
                  iprev_result_text(evidence.iprev.result));
    ck_assert_msg(evidence.agreement == cases[_i].want_agreement, "%s: agreement %s",
                  cases[_i].label, agreement_text(evidence.agreement));
    ck_assert_msg(evidence.true_checks == cases[_i].want_checks, "%s: checks %#x, not %#x",
                  cases[_i].label, (unsigned)evidence.true_checks, (unsigned)cases[_i].want_checks);
    orgdomain_free(list);
}
END_TEST

START_TEST(test_nothing_recorded)
{
    static struct replay_facts recorded;
    static const struct conf conf;
    const struct maillog_event event = {.ptr_state = REPLAY_PTR_UNRECORDED};
    ck_assert(!replay_facts_recorded(&conf, &event, &recorded));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay_facts");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_facts, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, test_nothing_recorded);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
