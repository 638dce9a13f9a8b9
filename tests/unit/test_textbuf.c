/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/textbuf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *label;
    const char *text;
    size_t max;
    const char *want_text, *want_field;
} cases[] = {
    {"plain", "mail.example.org", 99, "mail.example.org", "k=mail.example.org"},
    {"empty", "", 99, "", "k=\"\""},
    {"NULL", NULL, 99, "", "k=\"\""},
    {"CR LF", "a\r\nb", 99, "a\\x0d\\x0ab", "k=a\\x0d\\x0ab"},
    {"8-bit", "\xe4\xff", 99, "\\xe4\\xff", "k=\\xe4\\xff"},
    {"delete", "\x7f", 99, "\\x7f", "k=\\x7f"},
    {"backslash", "a\\b", 99, "a\\x5cb", "k=a\\x5cb"},
    {"space", "a b", 99, "a b", "k=\"a b\""},
    {"quote", "a\"b", 99, "a\"b", "k=\"a\\\"b\""},
    {"equals", "x=1", 99, "x=1", "k=\"x=1\""},
    {"percent", "%s%n", 99, "%s%n", "k=%s%n"},
    {"parentheses", "(a)b)", 99, "(a)b)", "k=(a)b)"},
    {"just fits", "abcdef", 6, "abcdef", "k=abcdef"},
    {"one too long", "abcdefg", 6, "abc...", "k=abc..."},
    {"no half escape", "abc\n\n\n", 8, "abc...", "k=abc..."},
    {"escape just fits", "ab\n", 6, "ab\\x0a", "k=ab\\x0a"},
};

START_TEST(test_escapes)
{
    char memory[128];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, cases[_i].text, cases[_i].max);
    ck_assert_msg(strcmp(memory, cases[_i].want_text) == 0, "%s: %s", cases[_i].label, memory);
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_field(&buf, "k", cases[_i].text, cases[_i].max);
    ck_assert_msg(strcmp(memory, cases[_i].want_field) == 0, "%s: %s", cases[_i].label, memory);
    ck_assert(!buf.cut);
}
END_TEST

/* What the site wrote keeps its characters, whole ones, and nothing else that is not ASCII. */
static const struct {
    const char *label, *text;
    size_t max;
    const char *want;
} own[] = {
    {"UTF-8", "f\xc3\xbcr \xe2\x82\xac \xf0\x9f\x93\xa7", 99,
     "f\xc3\xbcr \xe2\x82\xac \xf0\x9f\x93\xa7"},
    {"a control character of C1",
     "a\xc2\x9b"
     "b",
     99, "a\\xc2\\x9bb"},
    {"half a character", "a\xc3", 99, "a\\xc3"},
    {"escape and delete", "\x1b[2J\x7f", 99, "\\x1b[2J\\x7f"},
    {"no half character", "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 6, "\xc3\xbc..."},
    {"just fits", "\xc3\xbc\xc3\xbc", 4, "\xc3\xbc\xc3\xbc"},
};

START_TEST(test_own)
{
    char memory[128];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_own(&buf, own[_i].text, own[_i].max);
    ck_assert_msg(strcmp(memory, own[_i].want) == 0, "%s: %s", own[_i].label, memory);
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_own_field(&buf, "k", "f\xc3\xbcr \"uns\"", 99);
    ck_assert_str_eq(memory, "k=\"f\xc3\xbcr \\\"uns\\\"\"");
}
END_TEST

START_TEST(test_bounded)
{
    char memory[8];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put(&buf, "1234567");
    ck_assert_str_eq(memory, "1234567");
    ck_assert(!buf.cut);
    textbuf_put(&buf, "8");
    ck_assert_str_eq(memory, "1234567");
    ck_assert(buf.cut);

    textbuf_init(&buf, memory, sizeof memory);
    textbuf_printf(&buf, "%d", 1234567);
    ck_assert(!buf.cut);
    textbuf_printf(&buf, "%s", "overflow");
    ck_assert_str_eq(memory, "1234567");
    ck_assert(buf.cut);

    textbuf_init(&buf, memory, 1);
    textbuf_put_field(&buf, "key", "value", 9);
    ck_assert_str_eq(memory, "");
    ck_assert(buf.cut);
}
END_TEST

START_TEST(test_fields_are_separated)
{
    char memory[64];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_field(&buf, "a", "1", 9);
    textbuf_put_field(&buf, "b", "2 3", 9);
    ck_assert_str_eq(memory, "a=1 b=\"2 3\"");
}
END_TEST

START_TEST(test_own_words)
{
    char memory[128];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_word(&buf, "action", "accept");
    textbuf_put_number(&buf, "zero", 0);
    textbuf_put_number(&buf, "most", UINT64_MAX);
    textbuf_put_sentence(&buf, "reason", "\"a\" is not \"b\"");
    textbuf_put_sentence(&buf, "none", "");
    ck_assert_str_eq(memory, "action=accept zero=0 most=18446744073709551615 "
                             "reason=\"\\\"a\\\" is not \\\"b\\\"\" none=\"\"");
    ck_assert(!buf.cut);

    textbuf_init(&buf, memory, 8);
    textbuf_put_number(&buf, "n", 1234567);
    ck_assert_str_eq(memory, "n=12345");
    ck_assert(buf.cut);
}
END_TEST

/* What needs no escape takes a way of its own: it ends at the same lengths. */
START_TEST(test_plain_text_at_its_limit)
{
    char memory[32], want[32];
    struct textbuf buf;
    const char text[] = "abcdefghij";
    for (size_t max = 0; max <= 12; max++) {
        textbuf_init(&buf, memory, sizeof memory);
        textbuf_put_untrusted(&buf, text, max);
        if (max >= 10)
            strcpy(want, text);
        else
            (void)snprintf(want, sizeof want, "%.*s%.*s", max < 3 ? 0 : (int)max - 3, text,
                           max < 3 ? (int)max : 3, "...");
        ck_assert_str_eq(memory, want);
        textbuf_init(&buf, memory, sizeof memory);
        textbuf_put_field(&buf, "k", text, max);
        ck_assert_str_eq(memory + 2, want);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("textbuf");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_escapes, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_loop_test(tcase, test_own, 0, (int)(sizeof own / sizeof own[0]));
    tcase_add_test(tcase, test_bounded);
    tcase_add_test(tcase, test_fields_are_separated);
    tcase_add_test(tcase, test_own_words);
    tcase_add_test(tcase, test_plain_text_at_its_limit);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
