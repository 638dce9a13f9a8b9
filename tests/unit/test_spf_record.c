/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/spf_record.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A record without its version, and "kind[:qualifier] value", with '|' between. */
static const struct {
    const char *label, *record, *want;
} cases[] = {
    {"nothing", "", ""},
    {"blanks", "   ", ""},
    {"addresses", " ip4:192.0.2.1 ip6:2001:db8::1", "address 192.0.2.1|address 2001:db8::1|"},
    {"prefixes of one address", " ip4:192.0.2.1/32 ip6:2001:db8::1/128",
     "address 192.0.2.1|address 2001:db8::1|"},
    {"networks", " ip4:192.0.2.0/24 ip6:2001:db8::/32 ip4:192.0.2.0/31",
     "network|network|network|"},
    {"qualifiers", " -ip4:192.0.2.1 ~a ?mx +all",
     "address:- 192.0.2.1|a:~ lookup|mx:? lookup|all|"},
    {"the own domain", " a mx", "a lookup|mx lookup|"},
    {"domains", " a:Mail.Acme.Example mx:acme.example.",
     "a mail.acme.example lookup|mx acme.example lookup|"},
    {"a with prefixes", " a/24 a/32 a//64 a/32//128 a:x.example/32 mx:x.example/24//64",
     "network lookup|a lookup|network lookup|a lookup|a x.example lookup|network lookup|"},
    {"elsewhere", " include:_spf.x.example redirect=y.example",
     "elsewhere _spf.x.example lookup|elsewhere y.example lookup|"},
    {"macros", " a:%{d}.x.example include:%{l}.x.example exists:%{i}.x.example ptr",
     "dynamic lookup|dynamic lookup|dynamic lookup|dynamic lookup|"},
    {"modifiers", " exp=why.example ra=x moo:x=y", "modifier|modifier|broken is no term of SPF|"},
    {"any case", " IP4:192.0.2.1 Include:X.Example ALL",
     "address 192.0.2.1|elsewhere x.example lookup|all|"},
    {"wrong addresses",
     " ip4:192.0.2 ip4: ip4 ip4:192.0.2.1/33 ip4:2001:db8::1 ip6:192.0.2.1 ip4:::1",
     "broken is no address or network|broken is no address or network|broken is no address or "
     "network|broken is no address or network|broken is no address or network|broken is no address "
     "or network|broken is no address or network|"},
    {"wrong prefixes", " a/ a/x a/033 mx//129 ip4:192.0.2.1/",
     "broken has a wrong prefix length|broken has a wrong prefix length|broken has a wrong prefix "
     "length|broken has a wrong prefix length|broken is no address or network|"},
    {"wrong domains", " include: include a:localhost mx:a..b a:192.0.2.1",
     "broken lacks its domain|broken lacks its domain|broken has a domain that is none|broken has "
     "a "
     "domain that is none|broken has a domain that is none|"},
    {"no terms", " nonsense - = :x all:x a=b",
     "broken is no term of SPF|broken is no term of "
     "SPF|broken is no term of SPF|broken is no term of SPF|broken has something behind "
     "\"all\"|modifier|"},
    {"bytes", " \x1b[2J \xff", "broken is no term of SPF|broken is no term of SPF|"},
};

static const char *kind_text(enum spf_kind kind)
{
    static const char *const texts[] = {"address", "network", "a",        "mx",    "elsewhere",
                                        "dynamic", "all",     "modifier", "broken"};
    return texts[kind];
}

START_TEST(terms)
{
    char record[1024], got[2048] = "", address[IPADDR_TEXT_MAX];
    struct spf_term term;
    size_t used = 0;
    (void)snprintf(record, sizeof record, "v=spf1%s", cases[_i].record);
    ck_assert(spf_record_is(record));
    for (const char *at = record; spf_record_next(&at, &term);) {
        used += (size_t)snprintf(got + used, sizeof got - used, "%s", kind_text(term.kind));
        if (term.qualifier != '+' && term.qualifier != 0 && term.kind != SPF_BROKEN)
            used += (size_t)snprintf(got + used, sizeof got - used, ":%c", term.qualifier);
        if (term.kind == SPF_ADDRESS)
            used += (size_t)snprintf(got + used, sizeof got - used, " %s",
                                     ipaddr_format(&term.address, address));
        if (term.kind == SPF_BROKEN)
            used += (size_t)snprintf(got + used, sizeof got - used, " %s", term.flaw);
        else if (term.domain[0] != '\0' && term.kind != SPF_NETWORK)
            used += (size_t)snprintf(got + used, sizeof got - used, " %s", term.domain);
        if (term.needs_lookup && term.kind != SPF_BROKEN)
            used += (size_t)snprintf(got + used, sizeof got - used, " lookup");
        used += (size_t)snprintf(got + used, sizeof got - used, "|");
        ck_assert_uint_lt(used, sizeof got);
    }
    ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s, not %s", cases[_i].label, got,
                  cases[_i].want);
}
END_TEST

START_TEST(version)
{
    ck_assert(spf_record_is("v=spf1") && spf_record_is("V=SPF1 -all"));
    ck_assert(!spf_record_is("v=spf10 -all") && !spf_record_is("v=spf2.0/pra") &&
              !spf_record_is("") && !spf_record_is(" v=spf1") && !spf_record_is("v=spf1\t-all"));
}
END_TEST

START_TEST(long_term)
{
    char record[2048];
    struct spf_term term;
    const char *at = record;
    (void)snprintf(record, sizeof record, "v=spf1 include:%01000d all", 7);
    ck_assert(spf_record_next(&at, &term));
    ck_assert_int_eq(term.kind, SPF_BROKEN);
    ck_assert_uint_eq(strlen(term.text), SPF_TERM_MAX);
    ck_assert(spf_record_next(&at, &term));
    ck_assert_int_eq(term.kind, SPF_ALL);
    ck_assert(!spf_record_next(&at, &term));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spf_record");
    TCase *tcase = tcase_create("spf_record");
    tcase_add_loop_test(tcase, terms, 0, (int)COUNT(cases));
    tcase_add_test(tcase, version);
    tcase_add_test(tcase, long_term);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
