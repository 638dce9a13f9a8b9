/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/metrics.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const colours[] = {"red", "blue"};
static const char *const sizes[] = {"big", "small", "tiny"};

static char *printed(const struct metrics *metrics)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(metrics_print(metrics, stream), RESULT_OK);
    fclose(stream);
    return text;
}

START_TEST(test_prints_what_was_counted)
{
    struct metrics *metrics = metrics_new();
    struct metric *plain = metrics_declare(
        metrics, &(struct metric_desc){"t_total", "Things.", METRIC_COUNTER, {{0}}});
    struct metric *both = metrics_declare(
        metrics, &(struct metric_desc){
                     "b", "Both.", METRIC_GAUGE, {{"colour", colours, 2}, {"size", sizes, 3}}});
    metric_add(plain, 0, 0, 2);
    metric_add(plain, 0, 0, 3);
    metric_set(both, 1, 2, -7);
    metric_add(both, 2, 0, 99);
    metric_add(both, 0, 3, 99);
    metric_add(plain, 0, 1, 99);
    char *text = printed(metrics);
    ck_assert_str_eq(text,
                     "# HELP t_total Things.\n# TYPE t_total counter\nt_total 5\n"
                     "# HELP b Both.\n# TYPE b gauge\n"
                     "b{colour=\"red\",size=\"big\"} 0\nb{colour=\"red\",size=\"small\"} 0\n"
                     "b{colour=\"red\",size=\"tiny\"} 0\nb{colour=\"blue\",size=\"big\"} 0\n"
                     "b{colour=\"blue\",size=\"small\"} 0\nb{colour=\"blue\",size=\"tiny\"} -7\n");
    free(text);
    ck_assert_int_eq(metric_value(plain, 0, 0), 5);
    ck_assert_int_eq(metric_value(both, 1, 2), -7);
    ck_assert_int_eq(metric_value(both, 9, 9), 0);
    metrics_free(metrics);
}
END_TEST

START_TEST(test_declared_again_is_the_same)
{
    const struct metric_desc desc = {"again_total", "Again.", METRIC_COUNTER, {{0}}};
    struct metrics *metrics = metrics_new();
    ck_assert_ptr_null(metrics_find(metrics, "again_total"));
    struct metric *metric = metrics_declare(metrics, &desc);
    metric_add(metric, 0, 0, 7);
    ck_assert_ptr_eq(metrics_declare(metrics, &desc), metric);
    ck_assert_ptr_eq(metrics_find(metrics, "again_total"), metric);
    ck_assert_ptr_null(metrics_find(metrics, "again"));
    char *text = printed(metrics);
    ck_assert_str_eq(text,
                     "# HELP again_total Again.\n# TYPE again_total counter\nagain_total 7\n");
    free(text);
    metrics_free(metrics);
}
END_TEST

START_TEST(test_histogram_is_cumulative)
{
    struct metrics *metrics = metrics_new();
    struct metric *metric = metrics_declare(
        metrics, &(struct metric_desc){"h_seconds", "Time.", METRIC_HISTOGRAM_MS, {{0}}});
    metric_observe_ms(metric, 0);
    metric_observe_ms(metric, 1);
    metric_observe_ms(metric, 3);
    metric_observe_ms(metric, 99999);
    char *text = printed(metrics);
    ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"0.001\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"0.005\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"10\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"+Inf\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_seconds_sum 100.003\nh_seconds_count 4\n"));
    ck_assert_int_eq(metric_value(metric, 0, 0), 4);
    free(text);
    metrics_free(metrics);
}
END_TEST

START_TEST(test_nothing_is_survived)
{
    metrics_free(NULL);
    metric_add(NULL, 0, 0, 1);
    metric_set(NULL, 0, 0, 1);
    metric_observe_ms(NULL, 1);
    ck_assert_int_eq(metric_value(NULL, 0, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_prints_what_was_counted);
    tcase_add_test(tcase, test_declared_again_is_the_same);
    tcase_add_test(tcase, test_histogram_is_cumulative);
    tcase_add_test(tcase, test_nothing_is_survived);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
