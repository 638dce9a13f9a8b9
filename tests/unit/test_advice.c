/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/advice.h"

#include "factstext.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define C4   .client = "198.51.100.7"
#define C6   .client = "2001:db8::1"
#define PASS .ptr = "mail.a.example=198.51.100.7"

static const struct {
    const char *label;
    struct factstext facts;
    size_t want_count;
    const char *want[4]; /* what the advice says, in this order */
} cases[] = {
    {"nothing is wrong",
     {C4, PASS, .helo = "mail.a.example", .helo_forward = "198.51.100.7"},
     0,
     {0}},
    {"no PTR: the reverse name, and whose it is",
     {C4, .ptr = "NX"},
     1,
     {"198.51.100.7 is set by the owner of the network, usually the provider",
      "\"7.100.51.198.in-addr.arpa. PTR NAME.\"", "whose A record must be 198.51.100.7."}},
    {"no PTR, and a good EHLO name",
     {C4, .ptr = "NX", .helo = "mail.a.example", .helo_forward = "198.51.100.7"},
     1,
     {"\"7.100.51.198.in-addr.arpa. PTR mail.a.example.\"", "leads back to the address already"}},
    {"no PTR: an IPv6 client",
     {C6, .ptr = "NX"},
     1,
     {"8.b.d.0.1.0.0.2.ip6.arpa. PTR NAME.\"", "AAAA record must be 2001:db8::1."}},
    {"a PTR that is no host name says no more than that",
     {C4, .ptr = "localhost"},
     1,
     {"what it holds is no host name", "usually the provider"}},
    {"which record says what",
     {C4, .ptr = "mail.a.example=203.0.113.9"},
     1,
     {"The PTR record of 198.51.100.7 says mail.a.example, whose A record says 203.0.113.9.",
      "sets \"mail.a.example. A 198.51.100.7\".", "usually the provider, sets \"7.100.51.198"}},
    {"the name has no address",
     {C4, .ptr = "mail.a.example=NX"},
     1,
     {"says mail.a.example, which has no A record.", "\"mail.a.example. A 198.51.100.7\""}},
    {"many addresses",
     {C4, .ptr = "mail.a.example=192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4"},
     1,
     {"192.0.2.1, 192.0.2.2, 192.0.2.3, ..."}},
    {"the reverse zone fails", {C4, .ptr = "TEMP"}, 1, {"those of 7.100.51.198.in-addr.arpa"}},
    {"the name's zone fails",
     {C4, .ptr = "a.example=NX mail.b.example=TEMP"},
     1,
     {"those of mail.b.example, which the owner of that zone runs"}},
    {"EHLO: say the PTR name, and where that is set",
     {C4, PASS, .helo = "localhost"},
     1,
     {"\"EHLO mail.a.example\"", "smtp_helo_name in main.cf", "confDOMAIN_NAME",
      "primary_hostname"}},
    {"EHLO: Exchange, and Sendmail's macro",
     {C4, PASS, .helo = "[192.0.2.1]"},
     1,
     {"macro $j", "helo_data", "Set-SendConnector -Fqdn"}},
    {"EHLO: or the name's zone is wrong",
     {C4, PASS, .helo = "mx.b.example", .helo_forward = "203.0.113.1"},
     1,
     {"\"EHLO mail.a.example\"", "Or, when mx.b.example is the right name",
      "sets its A record to 198.51.100.7."}},
    {"EHLO: no PTR to say",
     {C4, .ptr = "NX", .helo = "localhost"},
     2,
     {"should say its own host name in EHLO"}},
    {"a provider's name is not what to say",
     {C4, .ptr = "198-51-100-7.dsl.isp.example=198.51.100.7", .helo = "localhost"},
     2,
     {"a provider gives to every line", "should say its own host name in EHLO"}},
    {"no EHLO", {C4, PASS}, 1, {"says neither HELO nor EHLO"}},
    {"hostile names",
     {C4, .ptr = "x.example=203.0.113.9", .helo = "\033[2J"},
     2,
     {"The PTR record of 198.51.100.7 says x.example"}},
};

static void look(size_t i, struct advice *advice)
{
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct orgdomain *list = orgdomain_load(NULL);
    struct evidence_settings settings = {
        .orgdomains = list, .neighbours = {24, 64}, .required_agreement = AGREEMENT_DOMAIN};
    ck_assert_ptr_nonnull(list);
    factstext_make(&cases[i].facts, &memory, &facts);
    evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
    check_set set = evidence.true_checks;
    if (facts.helo.kind == HELO_NONE && cases[i].want_count == 1 &&
        strcmp(cases[i].label, "no EHLO") != 0)
        set &= ~CHECK_BIT(CHECK_HELO_MISSING); /* these are about the PTR */
    advice_make(&evidence, set, advice);
    orgdomain_free(list);
}

START_TEST(advice)
{
    struct advice *got = malloc(sizeof *got);
    char all[ADVICE_MAX * ADVICE_TEXT_MAX] = "";
    ck_assert_ptr_nonnull(got);
    look((size_t)_i, got);
    for (size_t i = 0; i < got->count; i++) {
        size_t length = strlen(got->text[i]);
        ck_assert_msg(length > 0 && got->text[i][length - 1] == '.', "%s: %s", cases[_i].label,
                      got->text[i]);
        for (const char *at = got->text[i]; *at != '\0'; at++)
            ck_assert_msg(*at >= ' ' && *at <= '~', "%s: %s", cases[_i].label, got->text[i]);
        strcat(all, got->text[i]);
    }
    ck_assert_msg(got->count == cases[_i].want_count, "%s: %zu: %s", cases[_i].label, got->count,
                  all);
    const char *at = all;
    for (size_t i = 0; i < COUNT(cases[_i].want) && cases[_i].want[i] != NULL; i++) {
        at = strstr(at, cases[_i].want[i]);
        ck_assert_msg(at != NULL, "%s: \"%s\" is missing: %s", cases[_i].label, cases[_i].want[i],
                      all);
    }
    free(got);
}
END_TEST

/* Whatever is true, it fits. */
START_TEST(all_checks)
{
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence = {.facts = &facts};
    static struct advice got;
    char name[HOSTNAME_MAX + 1];
    struct factstext text = {C6, .ptr = "NX", .helo = name, .helo_forward = "NX", .sender = name};
    memset(name, 'a', HOSTNAME_MAX);
    for (size_t i = 60; i < HOSTNAME_MAX; i += 61)
        name[i] = '.';
    name[HOSTNAME_MAX] = '\0';
    factstext_make(&text, &memory, &facts);
    advice_make(&evidence, (CHECK_BIT(CHECK_COUNT) - 1) & ~CHECK_BIT(CHECK_PTR_GENERIC), &got);
    ck_assert_uint_gt(got.count, 4);
    for (size_t i = 0; i < got.count; i++)
        ck_assert_uint_lt(strlen(got.text[i]), ADVICE_TEXT_MAX - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("advice");
    TCase *tcase = tcase_create("advice");
    tcase_add_loop_test(tcase, advice, 0, COUNT(cases));
    tcase_add_test(tcase, all_checks);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
