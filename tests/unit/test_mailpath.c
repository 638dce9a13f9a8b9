/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/idn.h"
#include "core/mailpath.h"

#include <check.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

/* Memory that is out, as libidn2 says it. */
static bool out_of_memory;
int __real_idn2_to_ascii_8z(const char *input, char **output, int flags);
int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags);
int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags)
{
    return out_of_memory ? IDN2_MALLOC : __real_idn2_to_ascii_8z(input, output, flags);
}

static const struct {
    const char *label;
    const char *path;
    const char *want;
    const char *want_domain;
} cases[] = {
    {"plain", "<user@example.org>", "user@example.org", "example.org"},
    {"without brackets", "user@example.org", "user@example.org", "example.org"},
    {"null sender", "<>", "", ""},
    {"nothing", "", "", ""},
    {"postmaster alone", "<postmaster>", "postmaster", ""},
    {"quoted postmaster alone", "<\"Postmaster\">", "Postmaster", ""},
    {"case of the domain", "<User@EXAMPLE.Org>", "User@example.org", "example.org"},
    {"trailing dot", "<user@example.org.>", "user@example.org", "example.org"},
    {"needless quotes", "<\"postmaster\"@example.net>", "postmaster@example.net", "example.net"},
    {"quotes in the middle", "<post\"mas\"ter@example.net>", "postmaster@example.net",
     "example.net"},
    {"needless backslashes", "<\"post\\master\"@example.net>", "postmaster@example.net",
     "example.net"},
    {"backslash outside quotes", "<post\\master@example.net>", "postmaster@example.net",
     "example.net"},
    {"needed quotes", "<\"john doe\"@example.org>", "\"john doe\"@example.org", "example.org"},
    {"an @ in quotes", "<\"postmaster@example.net\"@example.org>",
     "\"postmaster@example.net\"@example.org", "example.org"},
    {"an @ without quotes", "<postmaster@example.net@example.org>",
     "\"postmaster@example.net\"@example.org", "example.org"},
    {"escaped quote", "<\"a\\\"b\"@example.org>", "\"a\\\"b\"@example.org", "example.org"},
    {"escaped backslash", "<\"a\\\\b\"@example.org>", "\"a\\\\b\"@example.org", "example.org"},
    {"empty quotes", "<\"\"@example.org>", "\"\"@example.org", "example.org"},
    {"source route", "<@relay.example:postmaster@example.net>", "postmaster@example.net",
     "example.net"},
    {"long source route", "<@a.example,@b.example:user@example.net>", "user@example.net",
     "example.net"},
    {"source route with a literal", "<@[IPv6:2001:db8::1]:user@example.net>", "user@example.net",
     "example.net"},
    {"a route that ends nowhere", "<@example.net>", "\"\"@example.net", "example.net"},
    {"a colon in quotes", "<\"a:b\"@example.org>", "\"a:b\"@example.org", "example.org"},
    {"blanks", "< postmaster@example.net >", "postmaster@example.net", "example.net"},
    {"blanks around", " \t<postmaster@example.net> ", "postmaster@example.net", "example.net"},
    {"blanks at the @", "<postmaster @ example.net>", "postmaster@example.net", "example.net"},
    {"a blank inside", "<post master@example.net>", "\"post master\"@example.net", "example.net"},
    {"a blank in quotes stays", "<\"postmaster \"@example.net>", "\"postmaster \"@example.net",
     "example.net"},
    {"literal", "<user@[192.0.2.1]>", "user@[192.0.2.1]", ""},
    {"literal of IPv6", "<user@[IPv6:2001:DB8::1]>", "user@[ipv6:2001:db8::1]", ""},
    {"no domain behind the @", "<user@>", "user", ""},
    {"one label", "<user@localhost>", "user@localhost", ""},
    {"only one bracket", "<user@example.org", "\"<user\"@example.org", "example.org"},
    {"quotes that do not end", "<\"user@example.org>", "\"user@example.org\"", "?"},
    {"backslash at the end", "<user\\>", "\"user\\\\\"", ""},
    {"dots", "<.user..name.@example.org>", ".user..name.@example.org", "example.org"},
    {"U-label", "<user@m\xc3\xbcller.example>", "user@xn--mller-kva.example",
     "xn--mller-kva.example"},
    {"U-label, upper case", "<user@M\xc3\x9cLLER.Example>", "user@xn--mller-kva.example",
     "xn--mller-kva.example"},
    {"U-label, decomposed", "<user@mu\xcc\x88ller.example>", "user@xn--mller-kva.example",
     "xn--mller-kva.example"},
    {"ideographic full stop", "<user@example\xe3\x80\x82org>", "user@example.org", "example.org"},
    {"UTF-8 local part", "<m\xc3\xbcller@example.org>", "m\xc3\xbcller@example.org", "example.org"},
    {"not UTF-8", "<user@m\xfcller.example>", "user@m\xfcller.example", ""},
    {"a broken A-label stays", "<user@xn--0.example>", "user@xn--0.example", "xn--0.example"},
};

START_TEST(test_canonical)
{
    char out[MAILPATH_MAX + 1], again[MAILPATH_MAX + 1], domain[HOSTNAME_MAX + 1];
    ck_assert_msg(strcmp(mailpath_canonical(cases[_i].path, out), cases[_i].want) == 0,
                  "%s: %s, not %s", cases[_i].label, out, cases[_i].want);
    bool has = mailpath_domain(out, domain);
    ck_assert_int_eq(has, domain[0] != '\0');
    if (cases[_i].want_domain[0] != '?')
        ck_assert_msg(strcmp(domain, cases[_i].want_domain) == 0, "%s: domain %s", cases[_i].label,
                      domain);
    ck_assert_msg(strcmp(mailpath_canonical(out, again), out) == 0, "%s: %s becomes %s",
                  cases[_i].label, out, again);
}
END_TEST

/* With brackets, which have a short way, and without: the same of every path of few bytes. */
START_TEST(test_brackets_change_nothing)
{
    static const char bytes[] = "aZ9.-_@>< \"\\[:";
    enum { ALL = sizeof bytes - 1, LONG = 5 };
    for (unsigned n = 0; n < ALL * ALL * ALL * ALL * ALL; n++) {
        char path[LONG + 3] = "<", bare[MAILPATH_MAX + 1], out[MAILPATH_MAX + 1];
        unsigned rest = n;
        for (size_t i = 1; i <= LONG; i++, rest /= ALL)
            path[i] = bytes[rest % ALL];
        char *text = path + 1;
        bool nested = text[0] == '<' || text[LONG - 1] == '>' || text[0] == ' ' ||
                      text[LONG - 1] == ' ' || text[LONG - 1] == '\\';
        (void)mailpath_canonical(text, bare);
        path[LONG + 1] = '>';
        if (!nested)
            ck_assert_msg(strcmp(mailpath_canonical(path, out), bare) == 0, "%s: %s, not %s", path,
                          out, bare);
    }
}
END_TEST

/* Nothing is written behind the end, whatever is cut. */
START_TEST(test_long)
{
    static const char *const units[] = {"a", "\"", "\\", "@", "<", "\xc3\xbc", ".", " "};
    char path[4 * MAILPATH_MAX], out[MAILPATH_MAX + 2];
    size_t used = 0, unit = strlen(units[_i]);
    while (used + unit < sizeof path - 1) {
        memcpy(path + used, units[_i], unit);
        used += unit;
    }
    path[used] = '\0';
    out[MAILPATH_MAX + 1] = 'X';
    ck_assert_uint_le(strlen(mailpath_canonical(path, out)), MAILPATH_MAX);
    ck_assert_int_eq(out[MAILPATH_MAX + 1], 'X');
}
END_TEST

static void assert_name(const char *text, enum hostname_flaw want_flaw, const char *want)
{
    char out[HOSTNAME_MAX + 1];
    enum hostname_flaw flaw;
    ck_assert_int_eq(idn_hostname_parse(text, out, &flaw), RESULT_OK);
    ck_assert_int_eq(flaw, want_flaw);
    ck_assert_str_eq(out, want);
}

START_TEST(test_names)
{
    char out[HOSTNAME_MAX + 1];
    assert_name("Mail.Example", HOSTNAME_OK, "mail.example");
    assert_name("mail.m\xc3\xbcller.example.", HOSTNAME_OK, "mail.xn--mller-kva.example");
    assert_name("m\xfcller.example", HOSTNAME_MALFORMED, "");
    ck_assert_int_eq(idn_to_ascii("a_b.example", out), RESULT_OK);
    ck_assert_str_eq(out, "a_b.example");
}
END_TEST

/* A name that could not be converted for want of memory is not a name that is wrong. */
START_TEST(test_nomem)
{
    char out[MAILPATH_MAX + 1], name[HOSTNAME_MAX + 1];
    enum hostname_flaw flaw;
    struct helo helo;
    out_of_memory = true;
    ck_assert_ptr_null(mailpath_canonical("<user@m\xc3\xbcller.example>", out));
    ck_assert_str_eq(mailpath_canonical("<user@example.org>", out), "user@example.org");
    ck_assert_int_eq(idn_hostname_parse("m\xc3\xbcller.example", name, &flaw), RESULT_NOMEM);
    helo_parse("mail.m\xc3\xbcller.example", &helo);
    ck_assert(helo.nomem);
    out_of_memory = false;
    helo_parse("mail.m\xc3\xbcller.example", &helo);
    ck_assert(!helo.nomem);
    ck_assert_str_eq(helo.name, "mail.xn--mller-kva.example");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mailpath");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_canonical, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_loop_test(tcase, test_long, 0, 8);
    tcase_add_test(tcase, test_names);
    tcase_add_test(tcase, test_brackets_change_nothing);
    tcase_add_test(tcase, test_nomem);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
