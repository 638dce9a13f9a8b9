/* SPDX-License-Identifier: BSD-2-Clause */
/* Records and their times out of files. */
#include "ctl/logs/maillog_reader.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_S    INT64_C(1795262400) /* 2026-11-21 12:00:00 UTC */
#define TEXT_MAX 2048

static char path[64];

static void write_file(const char *content, int64_t changed_s)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)changed_s}, {.tv_sec = (time_t)changed_s}};
    (void)strcpy(path, "/tmp/iprevd-reader-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    ck_assert_int_eq(futimens(fd, times), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void put_time(int64_t wall_s, char out[32])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    ck_assert_ptr_nonnull(gmtime_r(&wall, &tm));
    if (wall_s == 0 || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        (void)strcpy(out, "unknown");
}

/* "2026-11-21 12:00:00 program message\n" of each record, "- message" with or without a time of
   each other line. */
static void read_file(char out[TEXT_MAX])
{
    char error[REPLAY_ERROR_MAX], when[32];
    struct maillog_reader *reader;
    struct maillog_item item;
    size_t used = 0;
    enum result status;
    out[0] = '\0';
    ck_assert_int_eq(maillog_reader_open(path, NOW_S, &reader, error), RESULT_OK);
    while ((status = maillog_reader_next(reader, &item, error)) == RESULT_OK) {
        put_time(item.record.wall_s, when);
        used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s %s %s\n", when,
                                 item.kind == MAILLOG_ITEM_RECORD ? item.record.program : "-",
                                 item.record.message);
        ck_assert_uint_lt(used, TEXT_MAX);
    }
    ck_assert_int_eq(status, RESULT_NOTFOUND);
    maillog_reader_close(reader);
    ck_assert_int_eq(unlink(path), 0);
}

/* --- years ---------------------------------------------------------------------------------- */

#define L(stamp) stamp " mx a: x\n"
#define W(time)  time " a x\n"

static const struct {
    const char *label, *content;
    int64_t changed_s; /* 0: just now */
    const char *want;
} years[] = {
    {"this year", L("Nov 19 10:00:00") L("Nov 20 10:00:00"), 0,
     W("2026-11-19 10:00:00") W("2026-11-20 10:00:00")},
    {"a year begins", L("Dec 31 23:59:59") L("Jan  1 00:00:01"), 0,
     W("2025-12-31 23:59:59") W("2026-01-01 00:00:01")},
    {"two years begin",
     L("Nov  1 10:00:00") L("Mar  1 10:00:00") L("Dec  1 10:00:00") L("Feb  1 10:00:00"), 0,
     W("2024-11-01 10:00:00") W("2025-03-01 10:00:00") W("2025-12-01 10:00:00")
         W("2026-02-01 10:00:00")},
    {"a day to come makes all of last year", L("Nov 20 10:00:00") L("Nov 25 10:00:00"), 0,
     W("2025-11-20 10:00:00") W("2025-11-25 10:00:00")},
    {"by the file's last change", L("Nov 19 10:00:00") L("Nov 20 10:00:00"), NOW_S - 86400 * 180,
     W("2025-11-19 10:00:00") W("2025-11-20 10:00:00")},
    {"a change that never was", L("Nov 20 10:00:00"), 1, W("2026-11-20 10:00:00")},
    {"Feb 29 is of a leap year, and so is all around it",
     L("Feb 28 23:59:59") L("Feb 29 10:00:00") L("Mar  1 00:00:00"), 0,
     W("2024-02-28 23:59:59") W("2024-02-29 10:00:00") W("2024-03-01 00:00:00")},
    {"Feb 29, and then a year begins",
     L("Feb 29 10:00:00") L("Dec 31 10:00:00") L("Jan  1 10:00:00"), 0,
     W("2024-02-29 10:00:00") W("2024-12-31 10:00:00") W("2025-01-01 10:00:00")},
    {"out of order", L("Nov 19 10:00:00") L("Nov 18 10:00:00") L("Nov 20 10:00:00"), 0,
     W("2026-11-19 10:00:00") W("2026-11-18 10:00:00") W("2026-11-20 10:00:00")},
    {"out of order at the end of a year",
     L("Dec 31 23:59:59") L("Jan  1 00:00:00") L("Dec 31 23:59:59") L("Jan  1 00:00:01"), 0,
     W("2025-12-31 23:59:59") W("2026-01-01 00:00:00") W("2025-12-31 23:59:59")
         W("2026-01-01 00:00:01")},
    {"newer files first", L("Nov 19 10:00:00") L("Aug  1 10:00:00"), 0,
     W("2026-11-19 10:00:00") W("2026-08-01 10:00:00")},
    {"of a zone that is ahead", L("Nov 21 23:00:00") L("Nov 22 01:00:00"), 0,
     W("2026-11-21 23:00:00") W("2026-11-22 01:00:00")},
    {"with years between", L("Dec 31 23:59:59") L("2026-01-01T00:00:01Z") L("Jan  1 00:00:02"), 0,
     W("2025-12-31 23:59:59") W("2026-01-01 00:00:01") W("2026-01-01 00:00:02")},
    {"behind a container's name",
     "postfix-1  | " L("Dec 31 23:59:59") "postfix-1  | " L("Jan  1 00:00:01"), 0,
     W("2025-12-31 23:59:59") W("2026-01-01 00:00:01")},
    {"seconds of one minute", L("Nov 20 10:00:59") L("Nov 20 10:00:07") L("Nov 20 10:01:00"), 0,
     W("2026-11-20 10:00:59") W("2026-11-20 10:00:07") W("2026-11-20 10:01:00")},
    {"one minute in two forms",
     L("2026-11-20 10:00:01") L("2026-11-20 10:00:02+01:00") L("2026-11-20 10:00:03"), 0,
     W("2026-11-20 10:00:01") W("2026-11-20 09:00:02") W("2026-11-20 10:00:03")},
    {"month names of another language", L("Dez 31 23:59:59") L("Mär  1 00:00:01"), 0,
     W("2025-12-31 23:59:59") W("2026-03-01 00:00:01")},
};

START_TEST(test_years)
{
    char got[TEXT_MAX];
    write_file(years[_i].content, years[_i].changed_s != 0 ? years[_i].changed_s : NOW_S);
    read_file(got);
    ck_assert_msg(strcmp(got, years[_i].want) == 0, "%s:\n%s", years[_i].label, got);
}
END_TEST

/* --- lines without a tag -------------------------------------------------------------------- */

static const struct {
    const char *label, *content, *want;
} bare[] = {
    {"alone", "client=192.0.2.1 x\n", "unknown - client=192.0.2.1 x\n"},
    {"with a level", "<6>hello world\n", "unknown - hello world\n"},
    {"docker logs -t", "2026-11-20T12:00:00.123456789Z hello world\n",
     "2026-11-20 12:00:00 - hello world\n"},
    {"docker's files",
     "{\"log\":\"hello world\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T12:00:00.1Z\"}\n",
     "2026-11-20 12:00:00 - hello world\n"},
    {"docker's files with a record",
     "{\"log\":\"Nov 20 10:00:00 mx a: x\\n\",\"stream\":\"stderr\","
     "\"time\":\"2026-11-20T12:00:00.1Z\"}\n",
     "2026-11-20 10:00:00 a x\n"},
    {"compose", "iprevd-1  | hello world\n", "unknown - hello world\n"},
    {"containerd's files", "2026-11-20T12:00:00.1Z stderr F hello world\n",
     "2026-11-20 12:00:00 - hello world\n"},
    {"an object that is no record", "{\"client\":\"192.0.2.1\"}\n",
     "unknown - {\"client\":\"192.0.2.1\"}\n"},
    {"a record without an identifier",
     "{\"MESSAGE\":\"hello\",\"_COMM\":\"a\",\"__REALTIME_TIMESTAMP\":\"1795176000000000\"}\n",
     "2026-11-20 12:00:00 a hello\n"},
};

START_TEST(test_bare)
{
    char got[TEXT_MAX];
    write_file(bare[_i].content, NOW_S);
    read_file(got);
    ck_assert_msg(strcmp(got, bare[_i].want) == 0, "%s:\n%s", bare[_i].label, got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maillog_reader");
    TCase *tcase = tcase_create("all");
    (void)setenv("TZ", "UTC", 1);
    tcase_add_loop_test(tcase, test_years, 0, COUNT(years));
    tcase_add_loop_test(tcase, test_bare, 0, COUNT(bare));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
