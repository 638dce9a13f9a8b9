/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/orgdomain.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    {"private section", "mail.a.github.io", "a.github.io"},
    {"private suffix alone", "github.io", NULL},
    {"international suffix", "mail.a.xn--55qx5d.cn", "a.xn--55qx5d.cn"},
    {"international name", "mail.xn--bcher-kva.example.com", "example.com"},
    {"underscore", "_x.my_host.example.org", "example.org"},
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
    {"tenants of a private suffix", "a.github.io", "b.github.io", false},
    {"one tenant", "mail.a.github.io", "a.github.io", true},
    {"a tenant and the suffix", "a.github.io", "github.io", false},
    {"a tenant and its landlord", "a.github.io", "www.github.io", false},
    {"end of a label only", "mail.example.org", "mail.badexample.org", false},
    {"international", "a.xn--bcher-kva.com", "b.xn--bcher-kva.com", true},
    {"under an international suffix", "a.xn--55qx5d.cn", "b.xn--55qx5d.cn", false},
    {"underscore", "my_host.example.org", "_x.example.org", true},
    {"wildcard and its exception", "a.city.kawasaki.jp", "b.c.kawasaki.jp", false},
};

START_TEST(test_same)
{
    struct orgdomain *list = orgdomain_load(NULL);
    ck_assert_msg(orgdomain_same(list, pairs[_i].a, pairs[_i].b) == pairs[_i].want, "%s",
                  pairs[_i].label);
    orgdomain_free(list);
}
END_TEST

/* orgdomain_same() and _exists() take short cuts: they must say what orgdomain_of() says. */
START_TEST(test_short_cuts)
{
    static const char *const names[] = {
        "",
        "org",
        "com",
        "jp",
        "uk",
        "co.uk",
        "example.org",
        "mail.example.org",
        "a.b.c.d.e.f.g.h.i.example.org",
        "xexample.org",
        "example.com",
        "mail.example.co.uk",
        "example.co.uk",
        "unlisted",
        "a.unlisted",
        "mail.a.unlisted",
        "kawasaki.jp",
        "b.kawasaki.jp",
        "a.b.kawasaki.jp",
        "c.b.kawasaki.jp",
        "x.a.b.kawasaki.jp",
        "city.kawasaki.jp",
        "mail.city.kawasaki.jp",
        "www.mail.city.kawasaki.jp",
        "github.io",
        "one.github.io",
        "mail.one.github.io",
        "two.github.io",
        "io",
        "amazonaws.com",
        "mail.amazonaws.com",
        "compute.amazonaws.com",
        "eu-west-1.compute.amazonaws.com",
        "a.eu-west-1.compute.amazonaws.com",
        "xn--85x722f.com.cn",
        "a.xn--85x722f.com.cn",
        "s3.dualstack.eu-west-1.amazonaws.com",
        "ck",
        "www.ck",
        "mail.www.ck",
        "b.ck",
        "a.b.ck",
    };
    struct orgdomain *list = orgdomain_load(NULL);
    size_t count = sizeof names / sizeof names[0], same = 0;
    for (size_t i = 0; i < count; i++) {
        const char *one = orgdomain_of(list, names[i]);
        ck_assert_msg(orgdomain_exists(list, names[i]) == (one != NULL), "%s", names[i]);
        for (size_t j = 0; j < count; j++) {
            const char *other = orgdomain_of(list, names[j]);
            bool want = one != NULL && other != NULL && strcmp(one, other) == 0;
            same += want;
            ck_assert_msg(orgdomain_same(list, names[i], names[j]) == want, "%s and %s", names[i],
                          names[j]);
        }
    }
    ck_assert_uint_gt(same, count);
    orgdomain_free(list);
}
END_TEST

#define DISTRIBUTED "/usr/share/publicsuffix/public_suffix_list.dat"
#define AROUND      8

/* What may be hard about a rule: itself, what is above, beside and below it.  Returns how many. */
static size_t names_around(const char *rule, char names[AROUND][300])
{
    static const char *const below[] = {"", "a.", "b.", "c.a.", "c.b.", "a.a.a."};
    const char *wildcard = "";
    size_t count = 0;
    if (rule[0] == '!') {
        rule++;
    } else if (rule[0] == '*') {
        wildcard = "q.";
        rule += 2;
    }
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        (void)snprintf(names[count++], 300, "%s%s%s", below[i], wildcard, rule);
    (void)snprintf(names[count++], 300, "%s", rule); /* of a wildcard: what is above it */
    const char *above = strchr(rule, '.');
    if (above != NULL)
        (void)snprintf(names[count++], 300, "a%s", above);
    return count;
}

static size_t compare_all(const struct orgdomain *list, char names[AROUND][300], size_t count)
{
    size_t same = 0;
    for (size_t i = 0; i < count; i++) {
        const char *one = orgdomain_of(list, names[i]);
        ck_assert_msg(orgdomain_exists(list, names[i]) == (one != NULL), "%s", names[i]);
        for (size_t j = 0; j < count; j++) {
            const char *other = orgdomain_of(list, names[j]);
            bool want = one != NULL && other != NULL && strcmp(one, other) == 0;
            same += want;
            if (orgdomain_same(list, names[i], names[j]) != want)
                ck_abort_msg("%s and %s", names[i], names[j]);
        }
    }
    return same;
}

START_TEST(test_short_cuts_at_every_rule)
{
    FILE *file = fopen(DISTRIBUTED, "r");
    if (file == NULL) {
        puts("skipped: no " DISTRIBUTED);
        return;
    }
    struct orgdomain *list = orgdomain_load(DISTRIBUTED);
    ck_assert_ptr_nonnull(list);
    char rule[256], names[AROUND][300];
    size_t rules = 0, same = 0;
    while (fgets(rule, sizeof rule, file) != NULL) {
        rule[strcspn(rule, " \t\r\n")] = '\0';
        size_t plain = strspn(rule, "abcdefghijklmnopqrstuvwxyz0123456789-.*!");
        if (rule[0] == '\0' || rule[plain] != '\0')
            continue; /* a comment; names of other scripts come as xn-- */
        rules++;
        same += compare_all(list, names, names_around(rule, names));
    }
    (void)fclose(file);
    ck_assert_uint_gt(rules, 1000);
    ck_assert_uint_gt(same, rules);
    orgdomain_free(list);
}
END_TEST

START_TEST(test_without_list)
{
    ck_assert_ptr_null(orgdomain_of(NULL, "mail.example.org"));
    ck_assert(!orgdomain_same(NULL, "example.org", "example.org"));
    ck_assert(!orgdomain_exists(NULL, "example.org"));
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
    tcase_set_timeout(tcase, 60);
    LOOP(tcase, test_domains, domains);
    LOOP(tcase, test_same, pairs);
    tcase_add_test(tcase, test_short_cuts);
    tcase_add_test(tcase, test_short_cuts_at_every_rule);
    tcase_add_test(tcase, test_without_list);
    tcase_add_test(tcase, test_own_list);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
