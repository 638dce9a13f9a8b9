/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/advice.h"

#include "factstext.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define C4   .client = "198.51.100.7"
#define C6   .client = "2001:db8::1"
#define PASS .ptr = "mail.a.example=198.51.100.7"

/* The whole texts are in tests/advice; here is what holds whatever is wrong. */
static const struct {
    const char *label;
    struct factstext facts;
    struct inquiry more;
    const char *want[3];     /* in this order */
    const char *want_not[3]; /* nowhere */
} cases[] = {
    {"nothing is wrong",
     {C4, PASS, .helo = "mail.a.example", .helo_forward = "198.51.100.7"},
     {0},
     {NULL},
     {"."}},
    {"the record that is there is not asked for",
     {C4, .ptr = "198-51-100-7.dsl.isp.test=198.51.100.7", .helo = "198-51-100-7.dsl.isp.test",
      .helo_forward = "198.51.100.7"},
     {0},
     {"PTR NAME."},
     {"PTR 198-51-100-7"}},
    {"nothing beside a CNAME",
     {C4, .ptr = "mail.a.example=NX", .helo = "mail.a.example", .helo_forward = "NX"},
     {.alias = "gone.a.example"},
     {"an alias (CNAME) for gone.a.example", "PTR NAME."},
     {"mail.a.example. A "}},
    {"nothing for a domain with an address",
     {C4, .ptr = "a.example=203.0.113.9", .helo = "a.example", .helo_forward = "203.0.113.9"},
     {0},
     {"Leave the address records", "for example mail.a.example", "PTR NAME."},
     {"a.example. A "}},
    {"nothing for a name that a neighbour has, too",
     {C4, .ptr = "mail.isp.example=203.0.113.9"},
     {.shared = true},
     {"placeholder or default name of the provider", "PTR NAME."},
     {"mail.isp.example. A "}},
    {"no underscore",
     {C4, .ptr = "NX", .helo = "mail_out.a.example", .helo_forward = "198.51.100.7"},
     {0},
     {"PTR NAME.", "contains \"_\""},
     {"PTR mail_out"}},
    {"a private client",
     {.client = "192.168.1.1", .ptr = "NX"},
     {0},
     {"private address"},
     {"in-addr"}},
    {"an address that is none",
     {.client = "0.0.0.0", .ptr = "NX"},
     {0},
     {"0.0.0.0 is an unspecified address"},
     {"in-addr"}},
    {"an address that no host has",
     {.client = "224.0.0.1", .ptr = "NX"},
     {0},
     {"a multicast address"},
     {"in-addr"}},
    {"a PTR name that only its own network knows",
     {C4, .ptr = "mail.a.local=NX"},
     {0},
     {"That name is known only inside a network", "PTR NAME."},
     {"default name", "mail.a.local. A "}},
    {"a PTR name that is a placeholder",
     {C4, .ptr = "localhost.localdomain=NX"},
     {0},
     {"That name is a placeholder", "PTR NAME."},
     {"default name"}},
    {"several addresses",
     {C4, .ptr = "mail.a.example=10.0.0.1,203.0.113.9"},
     {0},
     {"whose A records say 10.0.0.1, 203.0.113.9."},
     {"private"}},
    {"EHLO is the reverse name",
     {C4, .ptr = "NX", .helo = "7.100.51.198.in-addr.arpa", .helo_forward = "NX"},
     {0},
     {"it is a name of the reverse DNS"},
     {"provider's default"}},
    {"a carrier's network",
     {.client = "100.64.0.1", .ptr = "NX"},
     {0},
     {"carrier-grade NAT"},
     {"PTR"}},
    {"delegated: the customer's zone",
     {C4, .ptr = "NX", .helo = "mail.a.example", .helo_forward = "198.51.100.7"},
     {.chain_count = 1,
      .chain = {"7.0-27.100.51.198.in-addr.arpa"},
      .zone = "0-27.100.51.198.in-addr.arpa"},
     {"by the operator of 0-27.100.51.198.in-addr.arpa",
      "7.0-27.100.51.198.in-addr.arpa. PTR mail.a"},
     {"ticket", "\n7.100.51.198.in-addr.arpa. PTR"}},
    {"delegated, and the servers fail",
     {C4, .ptr = "TEMP"},
     {.chain_count = 1, .chain = {"7.0-27.100.51.198.in-addr.arpa"}},
     {"is an alias (CNAME) for 7.0-27.100.51.198.in-addr.arpa", "delegated to the customer"},
     {"the provider"}},
    {"our resolver is down",
     {C4, .ptr = "TEMP", .helo = "localhost", .down = true},
     {0},
     {"The failure is on our side"},
     {"EHLO", "provider"}},
    {"EHLO is not the matter of a failure",
     {C4, .ptr = "TEMP", .helo = "localhost"},
     {0},
     {"The name servers of 7.100.51.198.in-addr.arpa", "dig +trace -x 198.51.100.7"},
     {"EHLO", "smtp_helo_name"}},
    {"EHLO: the PTR name, in every mail server's words",
     {C4, PASS, .helo = "localhost"},
     {0},
     {"smtp_helo_name = mail.a.example", "define(`confHELO_NAME', `mail.a.example')dnl",
      "Set-SendConnector CONNECTOR -Fqdn mail.a.example"},
     {"`NAME'"}},
    {"no address for an EHLO name where the PTR name is good",
     {C4, PASS, .helo = "shop.example", .helo_forward = "203.0.113.1"},
     {0},
     {"Set the EHLO name to mail.a.example"},
     {"shop.example. A"}},
    {"IPv6 only is wrong",
     {C6, .ptr = "NX", .helo = "mail.a.example", .helo_forward = "2001:db8::1"},
     {.other_in_order = true, .other = {IP_V4, {192, 0, 2, 1}}},
     {"8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.a.example.", "IPv4 is in order (192.0.2.1)",
      "inet_protocols=ipv4"},
     {NULL}},
    {"hostile names",
     {C4, .ptr = "x.example=203.0.113.9", .helo = "\033[2J"},
     {0},
     {"The PTR record of 198.51.100.7 says x.example"},
     {"\033"}},
};

static void look(const struct factstext *text, const struct inquiry *given, struct advice *advice)
{
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct orgdomain *list = orgdomain_load(NULL);
    struct inquiry more = *given;
    struct evidence_settings settings = {
        .orgdomains = list, .neighbours = {24, 64}, .required_agreement = AGREEMENT_DOMAIN};
    ck_assert_ptr_nonnull(list);
    more.orgdomains = list;
    factstext_make(text, &memory, &facts);
    evidence_evaluate(&facts, &settings, text->helo != NULL ? DIALOGUE_MAIL : DIALOGUE_CONNECT,
                      &evidence);
    advice_make(&evidence, evidence.true_checks, &more, advice);
    orgdomain_free(list);
}

static void join(const char *label, const struct advice *got, char *all)
{
    all[0] = '\0';
    ck_assert_uint_le(got->count, ADVICE_MAX);
    for (size_t i = 0; i < got->count; i++) {
        const char *text = got->lines[i].text;
        size_t length = strlen(text);
        bool sentence = got->lines[i].kind == ADVICE_SENTENCE;
        ck_assert_msg(length > 0 && length < ADVICE_TEXT_MAX - 1, "%s", label);
        ck_assert_msg(!sentence || strchr(".:", text[length - 1]) != NULL, "%s: %s", label, text);
        for (const char *at = text; *at != '\0'; at++)
            ck_assert_msg(*at >= ' ' && *at <= '~', "%s: %s", label, text);
        strcat(strcat(all, text), "\n");
    }
}

START_TEST(advice)
{
    struct advice *got = malloc(sizeof *got);
    char *all = malloc(ADVICE_MAX * (ADVICE_TEXT_MAX + 1));
    ck_assert(got != NULL && all != NULL);
    look(&cases[_i].facts, &cases[_i].more, got);
    join(cases[_i].label, got, all);
    const char *at = all;
    for (size_t i = 0; i < COUNT(cases[_i].want) && cases[_i].want[i] != NULL; i++) {
        at = strstr(at, cases[_i].want[i]);
        ck_assert_msg(at != NULL, "%s: \"%s\" is missing: %s", cases[_i].label, cases[_i].want[i],
                      all);
    }
    for (size_t i = 0; i < COUNT(cases[_i].want_not) && cases[_i].want_not[i] != NULL; i++)
        ck_assert_msg(strstr(all, cases[_i].want_not[i]) == NULL, "%s: \"%s\" is there: %s",
                      cases[_i].label, cases[_i].want_not[i], all);
    free(all);
    free(got);
}
END_TEST

/* Whatever is true, it fits. */
START_TEST(longest_names)
{
    struct advice *got = malloc(sizeof *got);
    struct inquiry *more = calloc(1, sizeof *more);
    char *all = malloc(ADVICE_MAX * (ADVICE_TEXT_MAX + 1));
    char name[HOSTNAME_MAX + 1], ptr[HOSTNAME_MAX + 8];
    ck_assert(got != NULL && more != NULL && all != NULL);
    memset(name, 'z', HOSTNAME_MAX);
    for (size_t i = 60; i < HOSTNAME_MAX; i += 61)
        name[i] = '.';
    name[HOSTNAME_MAX] = '\0';
    (void)snprintf(ptr, sizeof ptr, "%s=NX", name);
    const struct factstext texts[] = {
        {C6, .ptr = ptr, .helo = name, .helo_forward = "NX", .sender = name},
        {C6, .ptr = "NX", .helo = name, .helo_forward = "2001:db8::1", .sender = name},
        {C6, PASS, .helo = name, .helo_forward = "NX", .sender = name}};
    for (size_t i = 0; i < COUNT(texts); i++) {
        look(&texts[i], more, got);
        ck_assert_uint_gt(got->count, 2);
        join("longest names", got, all);
    }
    free(all);
    free(more);
    free(got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("advice");
    TCase *tcase = tcase_create("advice");
    tcase_add_loop_test(tcase, advice, 0, COUNT(cases));
    tcase_add_test(tcase, longest_names);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
