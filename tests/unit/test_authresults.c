/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/authresults.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *label;
    const char *value;
    bool want_forged;
} cases[] = {
    {"plain", "mx.example.net; iprev=pass policy.iprev=192.0.2.1", true},
    {"our other filter", "mx.example.net; dkim=pass header.d=example.org", false},
    {"no result", "mx.example.net; none", false},
    {"another host", "mx.example.org; iprev=pass", false},
    {"longer name", "mx.example.net.evil; iprev=pass", false},
    {"shorter name", "mx.example; iprev=pass", false},
    {"case", "MX.Example.NET; IPREV=pass", true},
    {"second result", "mx.example.net; spf=pass; iprev=fail", true},
    {"version", "mx.example.net 1; iprev/1=pass", true},
    {"folded", " mx.example.net;\r\n\tspf=pass;\r\n\tiprev=pass", true},
    {"folded by line feeds", "mx.example.net;\n\tiprev=pass", true},
    {"comment first", "(hi) mx.example.net (there); (x) iprev (y) = pass", true},
    {"nested comments", "((a(b)c)) mx.example.net; iprev=pass", true},
    {"quoted id", "\"mx.example.net\"; iprev=pass", true},
    {"quoted id with escapes", "\"mx\\.example.net\"; iprev=pass", true},
    {"another quoted id", "\"mx.example.org\"; iprev=pass", false},
    {"quoted id cut short", "\"mx.example\"; iprev=pass", false},
    {"semicolon in a quoted string", "mx.example.net; x-y=pass reason=\"a; iprev=pass\"", false},
    {"semicolon in a comment", "mx.example.net; x-y=pass (; iprev=pass)", false},
    {"a method that begins alike", "mx.example.net; iprevious=pass", false},
    {"a property of that name", "mx.example.net; x-y=pass policy.iprev=192.0.2.1", false},
    {"comment does not end, method named", "mx.example.net; spf=pass (; iprev=pass", true},
    {"comment does not end, not named", "mx.example.net; spf=pass (;", false},
    {"quote does not end, method named", "mx.example.net; spf=pass reason=\"; iprev=pass", true},
    {"first comment does not end", "(mx.example.net; iprev=pass", true},
    {"deep nesting", "((((((((((((((((((a)))))))))))))))))) mx.example.net; iprev=pass", true},
    {"no space", "mx.example.net;iprev=pass", true},
    {"no semicolon", "mx.example.net iprev=pass", true},
    {"no semicolon, another method", "mx.example.net dkim=pass", false},
    {"a comma for the semicolon", "mx.example.net, iprev=pass", true},
    {"an equals sign", "mx.example.net=x; iprev=pass", true},
    {"a trailing dot", "mx.example.net.; iprev=pass", true},
    {"a comment for the semicolon", "mx.example.net (x) iprev=pass", true},
    {"a version without a semicolon", "mx.example.net 1 iprev=pass", true},
    {"a version that is none", "mx.example.net one; iprev=pass", true},
    {"another host, no semicolon", "mx.example.net2 iprev=pass", false},
    {"quoted id, no semicolon", "\"mx.example.net\" iprev=pass", true},
    {"empty", "", false},
    {"id only", "mx.example.net", false},
    {"id and semicolon", "mx.example.net;", false},
    {"backslash at the end of a comment", "mx.example.net; spf=pass (\\", false},
    {"backslash at the end of a quote", "mx.example.net; spf=\"\\", false},
};

START_TEST(test_forged)
{
    ck_assert_msg(authresults_forges(cases[_i].value, "mx.example.net") == cases[_i].want_forged,
                  "%s: %s", cases[_i].label, cases[_i].value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authresults");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_forged, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
