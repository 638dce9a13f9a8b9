/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test is a process of its own (Check forks): it may have its own standard error. */

/* Bytes read from the other end of a pipe that is standard error. */
static struct {
    int fd;
    pthread_t thread;
    char *text;
    size_t length;
} reader;

static void begin(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(close(ends[1]), 0);
    reader.fd = ends[0];
    log_open(LOG_SINK_STDERR, "test", NULL);
}

static void *read_all(void *arg)
{
    FILE *out = open_memstream(&reader.text, &reader.length);
    char some[4096];
    ssize_t got;
    while (out != NULL && (got = read(reader.fd, some, sizeof some)) > 0)
        (void)fwrite(some, 1, (size_t)got, out);
    if (out != NULL)
        (void)fclose(out);
    return arg;
}

static void tear_down(void)
{
    free(reader.text);
    reader.text = NULL;
}

static void start_reading(void)
{
    ck_assert_int_eq(pthread_create(&reader.thread, NULL, read_all, NULL), 0);
}

/* Everything that was written, after the log's end. */
static const char *all(void)
{
    ck_assert_int_eq(close(STDERR_FILENO), 0);
    ck_assert_int_eq(pthread_join(reader.thread, NULL), 0);
    ck_assert_ptr_nonnull(reader.text);
    return reader.text;
}

static void some_lines(void)
{
    log_error("a %s", "word");
    log_warning("%d", 42);
    log_info("plain");
    log_debug("not said");
    log_line(LOG_LEVEL_INFO, "100% as it is");
}

static const char want_lines[] = "error: a word\nwarning: 42\nplain\n100% as it is\n";

START_TEST(test_at_once)
{
    char got[256];
    begin();
    some_lines();
    ssize_t length = read(reader.fd, got, sizeof got - 1);
    ck_assert_int_gt(length, 0);
    got[length] = '\0';
    ck_assert_str_eq(got, want_lines);
}
END_TEST

/* What systemd sets for a program whose standard error it connects to the journal. */
static void name_journal(unsigned long long inode_offset)
{
    struct stat stream;
    char named[64];
    ck_assert_int_eq(fstat(STDERR_FILENO, &stream), 0);
    (void)snprintf(named, sizeof named, "%llu:%llu", (unsigned long long)stream.st_dev,
                   (unsigned long long)stream.st_ino + inode_offset);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", named, 1), 0);
    log_open(LOG_SINK_STDERR, "test", NULL);
}

static const char want_journal_lines[] =
    "<3>error: a word\n<4>warning: 42\n<6>plain\n<6>100% as it is\n";

START_TEST(test_journal_gets_priorities)
{
    begin();
    name_journal(0);
    start_reading();
    some_lines();
    ck_assert_int_eq(log_start(), RESULT_OK);
    some_lines();
    log_close();
    some_lines();
    const char *got = all();
    const size_t length = sizeof want_journal_lines - 1;
    ck_assert_uint_eq(strlen(got), 3 * length);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(strncmp(got + i * length, want_journal_lines, length), 0);
}
END_TEST

/* The variable is inherited; standard error is another file, or the variable means nothing. */
START_TEST(test_not_the_journal)
{
    begin();
    start_reading();
    name_journal(1);
    some_lines();
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "no numbers", 1), 0);
    log_open(LOG_SINK_STDERR, "test", NULL);
    some_lines();
    const char *got = all();
    const size_t length = sizeof want_lines - 1;
    ck_assert_uint_eq(strlen(got), 2 * length);
    ck_assert_str_eq(got + length, want_lines);
}
END_TEST

START_TEST(test_by_the_thread)
{
    begin();
    start_reading();
    ck_assert_int_eq(log_start(), RESULT_OK);
    some_lines();
    log_close();
    ck_assert_str_eq(all(), want_lines);
}
END_TEST

START_TEST(test_before_and_after_the_thread)
{
    begin();
    start_reading();
    log_info("before");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(log_start(), RESULT_OK);
        log_info("during %d", i);
        log_close();
        log_info("after");
    }
    log_close();
    ck_assert_str_eq(all(), "before\nduring 0\nafter\nduring 1\nafter\nduring 2\nafter\n");
}
END_TEST

START_TEST(test_long_line_is_cut)
{
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    begin();
    start_reading();
    ck_assert_int_eq(log_start(), RESULT_OK);
    log_line(LOG_LEVEL_ERROR, text);
    log_error("%s", text);
    log_info("end");
    log_close();
    const char *got = all();
    const char *second = strchr(got, '\n') + 1;
    ck_assert_int_eq(strncmp(got, "error: xxx", 10), 0);
    ck_assert_int_eq(strncmp(second, "error: xxx", 10), 0);
    ck_assert_uint_lt(strlen(got), 2 * 4200);
    ck_assert_str_eq(strrchr(second, 'x') + 1, "\nend\n");
}
END_TEST

#define MANY 40000

/* Nobody reads, more is logged than is kept: nobody waits, and what is lost is counted. */
START_TEST(test_slow_reader)
{
    begin();
    ck_assert_int_eq(log_start(), RESULT_OK);
    for (int i = 0; i < MANY; i++)
        log_info("line %06d, as long as the line that tells of a decision is: ...............", i);
    start_reading();
    log_close();
    const char *got = all();
    int last = -1, lines = 0;
    unsigned long long lost = 0;
    for (const char *at = got; *at != '\0'; at = strchr(at, '\n') + 1) {
        int n;
        unsigned long long some;
        if (sscanf(at, "line %d", &n) == 1) {
            ck_assert_int_gt(n, last);
            last = n;
            lines++;
        } else {
            ck_assert_int_eq(
                sscanf(at, "warning: the log is read too slowly: %llu lines were lost", &some), 1);
            lost += some;
        }
    }
    ck_assert_uint_gt(lost, 0);
    ck_assert_int_gt(lines, MANY / 4);
    ck_assert_uint_eq((unsigned long long)lines + lost, MANY);
    ck_assert_uint_eq(log_lost(), lost);
}
END_TEST

#define THREADS 4
#define EACH    5000

static void *log_some(void *arg)
{
    for (int i = 0; i < EACH; i++)
        log_info("thread %d line %d", *(int *)arg, i);
    return NULL;
}

/* Each thread's lines are whole, all there and in order. */
START_TEST(test_threads)
{
    pthread_t threads[THREADS];
    int ids[THREADS], next[THREADS] = {0};
    begin();
    start_reading();
    ck_assert_int_eq(log_start(), RESULT_OK);
    for (int i = 0; i < THREADS; i++) {
        ids[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_some, &ids[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    log_close();
    for (const char *at = all(); *at != '\0'; at = strchr(at, '\n') + 1) {
        int id, n;
        ck_assert_int_eq(sscanf(at, "thread %d line %d\n", &id, &n), 2);
        ck_assert(id >= 0 && id < THREADS);
        ck_assert_int_eq(n, next[id]++);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(next[i], EACH);
}
END_TEST

/* A pipe that never blocks, as some who start daemons give them: nothing is lost but for room. */
START_TEST(test_reader_of_a_pipe_that_does_not_block)
{
    enum { LINES = 10000 }; /* several pipes full, less than is kept */
    begin();
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(log_start(), RESULT_OK);
    for (int i = 0; i < LINES; i++)
        log_info("line %06d, that others follow: ...............", i);
    start_reading();
    log_close();
    int next = 0, n;
    for (const char *at = all(); *at != '\0'; at = strchr(at, '\n') + 1) {
        ck_assert_ptr_nonnull(strchr(at, '\n'));
        ck_assert_int_eq(sscanf(at, "line %d, that others follow: ...............\n", &n), 1);
        ck_assert_int_eq(n, next++);
    }
    ck_assert_int_eq(next, LINES);
    ck_assert_uint_eq(log_lost(), 0);
}
END_TEST

/* As when the journal is gone. */
START_TEST(test_reader_that_is_gone)
{
    begin();
    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(close(reader.fd), 0);
    log_info("at once");
    ck_assert_uint_eq(log_lost(), 1);
    ck_assert_int_eq(log_start(), RESULT_OK);
    some_lines();
    log_close();
    ck_assert_uint_eq(log_lost(), 1 + 4);
}
END_TEST

/* Who has stopped reading holds up no end: it would be killed, and a restart would wait for it. */
START_TEST(test_reader_that_is_stuck)
{
    begin();
    ck_assert_int_eq(log_start(), RESULT_OK);
    for (int i = 0; i < MANY; i++)
        log_info("line %06d, as long as the line that tells of a decision is: ...............", i);
    log_close();
    uint64_t lost = log_lost();
    log_info("nobody reads this either"); /* and nobody waits to write it */
    ck_assert_uint_eq(log_lost(), lost + 1);
    log_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_at_once);
    tcase_add_test(tcase, test_journal_gets_priorities);
    tcase_add_test(tcase, test_not_the_journal);
    tcase_add_test(tcase, test_by_the_thread);
    tcase_add_test(tcase, test_before_and_after_the_thread);
    tcase_add_test(tcase, test_long_line_is_cut);
    tcase_add_test(tcase, test_slow_reader);
    tcase_add_test(tcase, test_reader_of_a_pipe_that_does_not_block);
    tcase_add_test(tcase, test_reader_that_is_gone);
    tcase_add_test(tcase, test_reader_that_is_stuck);
    tcase_add_test(tcase, test_threads);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
