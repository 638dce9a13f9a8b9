/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/orgdomain.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *label, *name, *want;
} domains[] = {
    {"top level", "mail.example.org", "example.org"},
    {"itself", "example.org", "example.org"},
    {"second level", "a.b.example.co.uk", "example.co.uk"},
    {"public suffix", "co.uk", NULL},
    {"top level alone", "org", NULL},
    {"not in the list", "mail.a.unlisted", "a.unlisted"},
    {"wildcard", "mail.b.c.kawasaki.jp", "b.c.kawasaki.jp"},
    {"exception to a wildcard", "mail.city.kawasaki.jp", "city.kawasaki.jp"},
    {"empty", "", NULL},
};

START_TEST(test_domains)
{
    struct orgdomain *list = orgdomain_load(NULL);
    ck_assert_ptr_nonnull(list);
    const char *domain = orgdomain_of(list, domains[_i].name);
    if (domains[_i].want == NULL)
        ck_assert_msg(domain == NULL, "%s: %s", domains[_i].label, domain);
    else
        ck_assert_str_eq(domain, domains[_i].want);
    orgdomain_free(list);
}
END_TEST

static const struct {
    const char *label, *a, *b;
    bool want;
} pairs[] = {
    {"siblings", "a.example.org", "b.c.example.org", true},
    {"equal", "example.org", "example.org", true},
    {"others", "a.example.org", "a.example.net", false},
    {"under one suffix", "a.co.uk", "b.co.uk", false},
    {"the suffix itself", "co.uk", "co.uk", false},
};

START_TEST(test_same)
{
    struct orgdomain *list = orgdomain_load(NULL);
    ck_assert_msg(orgdomain_same(list, pairs[_i].a, pairs[_i].b) == pairs[_i].want, "%s",
                  pairs[_i].label);
    orgdomain_free(list);
}
END_TEST

START_TEST(test_without_list)
{
    ck_assert_ptr_null(orgdomain_of(NULL, "mail.example.org"));
    ck_assert(!orgdomain_same(NULL, "example.org", "example.org"));
    orgdomain_free(NULL);
    ck_assert_ptr_null(orgdomain_load("/nonexistent/public_suffix_list.dat"));
}
END_TEST

START_TEST(test_own_list)
{
    char path[] = "/tmp/test_orgdomain.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fputs("// ===BEGIN ICANN DOMAINS===\norg\ncampus.example\n// ===END ICANN DOMAINS===\n", file);
    ck_assert_int_eq(fclose(file), 0);
    struct orgdomain *list = orgdomain_load(path);
    unlink(path);
    ck_assert_ptr_nonnull(list);
    ck_assert_str_eq(orgdomain_of(list, "mail.physics.campus.example"), "physics.campus.example");
    orgdomain_free(list);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("orgdomain");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, test_domains, domains);
    LOOP(tcase, test_same, pairs);
    tcase_add_test(tcase, test_without_list);
    tcase_add_test(tcase, test_own_list);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
