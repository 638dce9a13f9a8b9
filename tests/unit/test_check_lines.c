/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_lines.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *label, *text;
    size_t length;    /* 0: strlen() */
    const char *want; /* "address helo", "N:error" or "end", in their order, with '|' between */
} cases[] = {
    {"nothing", "", 0, "end"},
    {"an address", "192.0.2.1\n", 0, "192.0.2.1 |end"},
    {"an EHLO name", "2001:db8::1 mail.example\n", 0, "2001:db8::1 mail.example|end"},
    {"tabs, blanks and a carriage return", " \t192.0.2.1 \t a.example \r\n", 0,
     "192.0.2.1 a.example|end"},
    {"the last line without a line feed", "192.0.2.1\n192.0.2.2", 0, "192.0.2.1 |192.0.2.2 |end"},
    {"comments and empty lines", "# x\n\n  # y\n \n192.0.2.1\n", 0, "192.0.2.1 |end"},
    {"a mapped address", "::ffff:192.0.2.1\n", 0, "192.0.2.1 |end"},
    {"an error does not end it", "nonsense\n192.0.2.1\n", 0,
     "1:the first word is not an IP address|192.0.2.1 |end"},
    {"the number counts every line", "# a\n\nx y\n", 0,
     "3:the first word is not an IP address|end"},
    {"a third word", "192.0.2.1 a b\n", 0,
     "1:an address and an EHLO name are wanted, and there is more|end"},
    {"NUL", "192.0.2.1\0x\n192.0.2.2\n", 22, "1:holds a NUL byte|192.0.2.2 |end"},
    {"only a NUL, at the end", "\0", 1, "1:holds a NUL byte|end"},
    {"bytes of no character set", "192.0.2.1 \xff\xfe\n", 0, "192.0.2.1 \xff\xfe|end"},
};

static void read_all(FILE *stream, char out[1024])
{
    struct check_line line;
    const char *error = NULL;
    char addr[IPADDR_TEXT_MAX];
    uint64_t number = 0;
    size_t used = 0;
    enum check_line_kind kind;
    while ((kind = check_lines_next(stream, &number, &line, &error)) != CHECK_LINE_END) {
        ck_assert_int_ne(kind, CHECK_LINE_FAILED);
        if (kind == CHECK_LINE_BAD)
            used += (size_t)snprintf(out + used, 1024 - used, "%u:%s|", (unsigned)number, error);
        else
            used += (size_t)snprintf(out + used, 1024 - used, "%s %s|",
                                     ipaddr_format(&line.client, addr), line.helo);
        ck_assert_uint_lt(used, 1000);
    }
    (void)snprintf(out + used, 1024 - used, "end");
}

START_TEST(lines)
{
    char got[1024], copy[64];
    size_t length = cases[_i].length > 0 ? cases[_i].length : strlen(cases[_i].text);
    memcpy(copy, cases[_i].text, length);
    FILE *stream = length > 0 ? fmemopen(copy, length, "r") : fopen("/dev/null", "r");
    ck_assert_ptr_nonnull(stream);
    read_all(stream, got);
    (void)fclose(stream);
    ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s", cases[_i].label, got);
}
END_TEST

static const struct {
    const char *label;
    size_t blanks, helo;
    const char *want_error; /* NULL: a client */
} lengths[] = {
    {"the longest EHLO name", 1, HELO_TEXT_MAX, NULL},
    {"one byte more", 1, HELO_TEXT_MAX + 1, "the EHLO name is longer than 255 bytes"},
    {"the longest line", CHECK_LINE_MAX - 19, 10, NULL},
    {"a longer one", CHECK_LINE_MAX - 18, 10, "longer than 1024 bytes"},
    {"an endless one", 10000000, 10, "longer than 1024 bytes"},
};

START_TEST(long_lines)
{
    struct check_line line;
    const char *error = NULL;
    uint64_t number = 0;
    FILE *stream = tmpfile();
    ck_assert_ptr_nonnull(stream);
    (void)fputs("192.0.2.1", stream);
    for (size_t i = 0; i < lengths[_i].blanks; i++)
        (void)putc(' ', stream);
    for (size_t i = 0; i < lengths[_i].helo; i++)
        (void)putc('a', stream);
    (void)fputs("\n192.0.2.2\n", stream);
    rewind(stream);
    enum check_line_kind kind = check_lines_next(stream, &number, &line, &error);
    ck_assert_msg(kind == (lengths[_i].want_error == NULL ? CHECK_LINE_CLIENT : CHECK_LINE_BAD),
                  "%s", lengths[_i].label);
    if (lengths[_i].want_error != NULL)
        ck_assert_str_eq(error, lengths[_i].want_error);
    else
        ck_assert_uint_eq(strlen(line.helo), lengths[_i].helo);
    ck_assert_int_eq(check_lines_next(stream, &number, &line, &error), CHECK_LINE_CLIENT);
    ck_assert_uint_eq(number, 2);
    ck_assert_str_eq(line.helo, "");
    (void)fclose(stream);
}
END_TEST

START_TEST(stream_that_fails)
{
    struct check_line line;
    const char *error = NULL;
    uint64_t number = 0;
    FILE *stream = fopen("/", "r"); /* opens, and reading it fails */
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(check_lines_next(stream, &number, &line, &error), CHECK_LINE_FAILED);
    (void)fclose(stream);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check_lines");
    TCase *tcase = tcase_create("check_lines");
    tcase_add_loop_test(tcase, lines, 0, COUNT(cases));
    tcase_add_loop_test(tcase, long_lines, 0, COUNT(lengths));
    tcase_add_test(tcase, stream_that_fails);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
