/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/calendar.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] +
           (month == 2 && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)));
}

/* Counted day by day, over more than a period of 400 years. */
START_TEST(test_every_day)
{
    int64_t count = 0;
    for (int year = 1970; year <= 2500; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days_of(year, month); day++, count++) {
                char want[32], got[CALENDAR_DATE_SIZE];
                (void)snprintf(want, sizeof want, "%04d-%02d-%02d", year, month, day);
                ck_assert_str_eq(calendar_date(count, got), want);
                ck_assert_int_eq(calendar_days(year, month, day), count);
            }
}
END_TEST

START_TEST(test_ends)
{
    char got[CALENDAR_DATE_SIZE];
    ck_assert_str_eq(calendar_date(-1, got), "1970-01-01");
    ck_assert_str_eq(calendar_date(INT64_MIN, got), "1970-01-01");
    ck_assert_str_eq(calendar_date(INT64_MAX, got), "9999-12-31");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calendar");
    TCase *tcase = tcase_create("calendar");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_every_day);
    tcase_add_test(tcase, test_ends);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
