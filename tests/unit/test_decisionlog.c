/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/decisionlog.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two of these fill the queue more than half. */
#define BIG (1U << 20)

static struct metrics *metrics;
static struct decisionlog *decisions;
static char directory[32], path[64];

static void setup(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/iprevd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/decisions", directory);
    metrics = metrics_new();
    ck_assert_ptr_nonnull(metrics);
    decisions = decisionlog_new(metrics);
    ck_assert_ptr_nonnull(decisions);
}

static void teardown(void)
{
    decisionlog_free(decisions);
    metrics_free(metrics);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0);
}

static int64_t counted(size_t fate)
{
    return metric_value(metrics_find(metrics, "iprevd_decision_log_lines_total"), fate, 0);
}

static char *line(size_t length)
{
    char *text = malloc(length + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

/* End the log, which writes what waits, and count the lines of the file. */
static size_t finish(void)
{
    decisionlog_free(decisions);
    decisions = NULL;
    size_t lines = 0;
    FILE *stream = fopen(path, "r");
    for (int c; stream != NULL && (c = getc(stream)) != EOF;)
        lines += c == '\n';
    if (stream != NULL)
        (void)fclose(stream);
    return lines;
}

START_TEST(test_off_until_there_is_a_path)
{
    ck_assert(!decisionlog_wanted(decisions));
    ck_assert_int_eq(decisionlog_set_path(decisions, path), RESULT_OK);
    ck_assert(decisionlog_wanted(decisions));
    ck_assert_int_eq(decisionlog_set_path(decisions, NULL), RESULT_OK);
    ck_assert(!decisionlog_wanted(decisions));
}
END_TEST

/* A disk that takes nothing at all is a thread that does not run. */
START_TEST(test_full_queue_costs_lines)
{
    ck_assert_int_eq(decisionlog_set_path(decisions, path), RESULT_OK);
    for (unsigned i = 0; i < 7; i++)
        decisionlog_put(decisions, line(BIG));
    ck_assert_int_eq(counted(1), 3);
    decisionlog_put(decisions, NULL); /* its maker had no memory */
    ck_assert_int_eq(counted(1), 4);
    ck_assert_int_eq(decisionlog_start(decisions), RESULT_OK);
    ck_assert_uint_eq(finish(), 4);
    ck_assert_int_eq(counted(0), 4);
    ck_assert_int_eq(counted(1), 4);
}
END_TEST

START_TEST(test_order_and_end)
{
    ck_assert_int_eq(decisionlog_set_path(decisions, path), RESULT_OK);
    ck_assert_int_eq(decisionlog_start(decisions), RESULT_OK);
    for (size_t i = 1; i <= 100; i++)
        decisionlog_put(decisions, line(i));
    ck_assert_uint_eq(finish(), 100);
    FILE *stream = fopen(path, "r");
    char read[128];
    for (size_t i = 1; i <= 100; i++) {
        ck_assert_ptr_nonnull(fgets(read, sizeof read, stream));
        ck_assert_uint_eq(strlen(read), i + 1);
    }
    (void)fclose(stream);
}
END_TEST

/* In a container, or under a manager that has a socket there: it can't be opened, and is used. */
START_TEST(test_standard_output)
{
    int ends[2], flags = 0;
    char text[64] = "";
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(decisionlog_set_path(decisions, "/dev/stdout"), RESULT_OK);
    ck_assert_int_eq(decisionlog_start(decisions), RESULT_OK);
    decisionlog_put(decisions, line(3));
    ck_assert_int_eq(read(ends[0], text, sizeof text), 4);
    ck_assert_str_eq(text, "xxx\n");
    flags = fcntl(STDOUT_FILENO, F_GETFL);
    ck_assert_int_eq(flags & O_NONBLOCK, 0); /* it is not ours alone */
    /* Nobody reads: lines are lost, and the end comes. */
    for (unsigned i = 0; i < 4096; i++)
        decisionlog_put(decisions, line(1000));
    decisionlog_free(decisions);
    decisions = NULL;
    ck_assert_int_gt(counted(1), 0);
    ck_assert_int_eq(counted(0) + counted(1), 4097);
}
END_TEST

START_TEST(test_no_thread_frees_what_waits)
{
    ck_assert_int_eq(decisionlog_set_path(decisions, path), RESULT_OK);
    decisionlog_put(decisions, line(10));
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decisionlog");
    TCase *tests = tcase_create("decisionlog");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_off_until_there_is_a_path);
    tcase_add_test(tests, test_full_queue_costs_lines);
    tcase_add_test(tests, test_order_and_end);
    tcase_add_test(tests, test_standard_output);
    tcase_add_test(tests, test_no_thread_frees_what_waits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
