/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files logrotate left of a log. */
#include "ctl/rotated.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *base, *name;
    bool want;
} names[] = {
    {"decisions.json", "decisions.json.1", true},
    {"decisions.json", "decisions.json.12.gz", true},
    {"decisions.json", "decisions.json.3.xz", true},
    {"decisions.json", "decisions.json.3.bz2", true},
    {"decisions.json", "decisions.json.3.zst", true},
    {"decisions.json", "decisions.json-20261128", true},
    {"decisions.json", "decisions.json-20261128.gz", true},
    {"decisions.json", "decisions.json-2026-11-28", true},
    {"decisions.json", "decisions.json-20261128_1200.gz", true},
    {"decisions.json", "decisions.json-20261128-1764288000", true},
    {"decisions.json", "decisions.json.2026-11-28.zst", true},
    {"decisions.json", "decisions.json_20261128.lz4", true},
    {"decisions.json", "decisions.json.20261128T030000.lz", true},
    {"decisions.json", "decisions.1.json", true},
    {"decisions.json", "decisions-20261128.json.gz", true},
    {"decisions", "decisions.1", true},
    {"decisions.json", "decisions.json", false},
    {"decisions.json", "decisions.json.gz", false},
    {"decisions.json", "decisions.json.old", false},
    {"decisions.json", "decisions.json.1.old", false},
    {"decisions.json", "decisions.json.", false},
    {"decisions.json", "decisions.json.1~", false},
    {"decisions.json", "decisions.json-1", false},
    {"decisions.json", "decisions.json.1-2", false},
    {"decisions.json", "decisions.json.T20261128", false},
    {"decisions.json", "decisions.json-", false},
    {"decisions.json", "decisions.json-test", false},
    {"decisions.json", "decisions.json2", false},
    {"decisions.json", "mydecisions.json.1", false},
    {"decisions.json", "decisions-mx2.json", false},
    {"decisions.json", "decisions.json.99999999999999999999999", false},
    {".json", ".json.1", true},
    {".json", ".1.json", false},
};

START_TEST(siblings)
{
    ck_assert_msg(rotated_is_sibling(names[_i].base, names[_i].name) == names[_i].want, "%s of %s",
                  names[_i].name, names[_i].base);
}
END_TEST

static char directory[] = "/tmp/test_rotated.XXXXXX";

static void put(const char *name, long written_s)
{
    char path[256];
    const struct timespec times[2] = {{.tv_sec = written_s}, {.tv_sec = written_s}};
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(futimens(fd, times), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* The names found, without the directory. */
static const char *found(int64_t since_s)
{
    static char text[512];
    char path[256];
    struct rotated files;
    (void)snprintf(path, sizeof path, "%s/log", directory);
    ck_assert_int_eq(rotated_find(path, since_s, &files), RESULT_OK);
    text[0] = '\0';
    for (size_t i = 0; i < files.count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
                       strrchr(files.paths[i], '/') + 1);
    rotated_free(&files);
    return text;
}

START_TEST(oldest_first)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    put("log", 5000);
    put("log.1", 4000);
    put("log.2.gz", 3000);
    put("log.10.gz", 1000);
    put("log.9.gz", 2000);
    put("other.1", 4000);
    ck_assert_str_eq(found(0), "log.10.gz log.9.gz log.2.gz log.1 log ");
    ck_assert_str_eq(found(3000), "log.2.gz log.1 log ");
    ck_assert_str_eq(found(9000), "log "); /* it may be written to at any moment */
    put("log.1.gz", 4000);                 /* half done */
    ck_assert_str_eq(found(4000), "log.1 log ");
    struct rotated files;
    ck_assert_int_eq(rotated_find("/nowhere/log", 0, &files), RESULT_IO);
    rotated_free(&files);
    (void)execlp("rm", "rm", "-r", directory, NULL); /* a test has a process of its own */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rotated");
    TCase *tc = tcase_create("rotated");
    tcase_add_loop_test(tc, siblings, 0, (int)COUNT(names));
    tcase_add_test(tc, oldest_first);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
