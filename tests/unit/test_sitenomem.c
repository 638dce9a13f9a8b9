/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of ours fails, for every n: a configuration with tables is then not loaded
 * and says so, a decision's JSON is not written, and nothing leaks or crashes.  Only allocations of
 * this program's own objects fail: the linker wraps them (libconfuse ends the program when memory
 * is out, which this cannot show).
 */
#include "factstext.h"
#include "failing_alloc.h"
#include "site/decision.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "test_sitenomem.tmp.XXXXXX";
static const char *const files[] = {"c", "t.cidr", "t.pcre", "t.regexp", "t.hash"};
static char paths[5][64];

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    strcpy(folder, "test_sitenomem.tmp.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (size_t i = 0; i < 5; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, files[i]);
    write_file(paths[0],
               "own-names = {a.example, b.example} help-url = \"https://x.example\"\n"
               "local-networks += {192.0.2.0/24} generic-names = {\"*.dyn.example\", pcre:t.pcre}\n"
               "policy p { check ptr-missing { reply = \"550 5.7.25 no\" } }\n"
               "match m { client = {192.0.2.0/24, cidr:t.cidr} helo = {regexp:t.regexp}\n"
               "sender = {texthash:t.hash} policy = p reason = x }\n");
    write_file(paths[1], "if 192.0.0.0/8\n192.0.2.0/24 OK\n!10.0.0.0/8 NO\nendif\n");
    write_file(paths[2], "if /example/\n/^dsl.pool/ x\nendif\n");
    write_file(paths[3], "/^(a+)+?$/!/b/ x\n");
    write_file(paths[4], "a.example x\n\"b c\" y\n");
}

static void teardown(void)
{
    alloc_fail_at(0, false);
    for (size_t i = 0; i < 5; i++)
        unlink(paths[i]);
    rmdir(folder);
}

static unsigned errors;

static void count_error(void *arg, const char *message)
{
    (void)arg;
    (void)message;
    errors++;
}

static const struct conf_report report = {count_error, NULL, NULL, NULL};

START_TEST(test_load)
{
    struct conf *conf = NULL;
    long n = 0;
    for (; conf == NULL && n < 10000; n++) {
        errors = 0;
        alloc_fail_at(n + 1, false);
        conf = conf_load(paths[0], 0, &report);
        bool failed = alloc_failed();
        alloc_fail_at(0, false);
        ck_assert_msg((conf == NULL) == (errors > 0), "allocation %ld", n);
        /* The one thing that is done without: the list of public suffixes, which is warned of. */
        if (conf != NULL && failed) {
            ck_assert_msg(conf->orgdomains == NULL, "allocation %ld", n);
            conf_unref(conf);
            conf = NULL;
        }
    }
    ck_assert_msg(n > 100 && n < 10000, "%ld", n);
    conf_unref(conf);
}
END_TEST

START_TEST(test_json)
{
    static const struct factstext who = {
        .client = "198.51.100.7", .ptr = "a.example=203.0.113.9", .helo = "a.example"};
    const struct transaction transaction = {.dialogue = DIALOGUE_MAIL, .stage = "rcpt"};
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    struct conf *conf = conf_load(paths[0], 0, &report);
    ck_assert_ptr_nonnull(conf);
    factstext_make(&who, &memory, &facts);
    decision_make(conf, &facts, &transaction, &decision);
    char *line = NULL;
    long n = 0;
    for (; line == NULL && n < 1000; n++) {
        alloc_fail_at(n + 1, false);
        line = decision_json(&decision, &transaction);
        bool failed = alloc_failed();
        alloc_fail_at(0, false);
        ck_assert_msg((line == NULL) == failed, "allocation %ld", n);
    }
    ck_assert_int_gt(n, 10);
    free(line);
    conf_unref(conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sitenomem");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_load);
    tcase_add_test(tcase, test_json);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
