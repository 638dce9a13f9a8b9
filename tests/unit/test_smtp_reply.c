/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/smtp_reply.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "code text (name)" and what is left, or "more", or "broken". */
static const struct {
    const char *label, *bytes;
    size_t length; /* 0: strlen() */
    const char *want;
} cases[] = {
    {"nothing", "", 0, "more"},
    {"one line", "220 mail.acme.example ESMTP Postfix\r\n", 0,
     "220 mail.acme.example ESMTP Postfix (mail.acme.example)"},
    {"without the end", "220 mail.acme.example", 0, "more"},
    {"a bare line feed", "220 Mail.Acme.Example\n", 0, "220 Mail.Acme.Example (mail.acme.example)"},
    {"only a code", "220\r\n", 0, "220  ()"},
    {"several lines", "250-mail.acme.example\r\n250-SIZE 1\r\n250 HELP\r\n", 0,
     "250 mail.acme.example (mail.acme.example)"},
    {"several lines, not all of them", "250-mail.acme.example\r\n250-SIZE 1\r\n", 0, "more"},
    {"what is behind is not its own", "220 a.example\r\n250 x\r\n", 0,
     "220 a.example (a.example)+7"},
    {"a refusal", "554 5.7.1 go away\r\n", 0, "554 5.7.1 go away ()"},
    {"deferred", "421 mail.acme.example too busy\r\n", 0,
     "421 mail.acme.example too busy (mail.acme.example)"},
    {"no host name first", "220 *** ESMTP\r\n", 0, "220 *** ESMTP ()"},
    {"one label", "220 localhost ESMTP\r\n", 0, "220 localhost ESMTP ()"},
    {"another code on the way", "250-a.example\r\n251 b\r\n", 0, "broken"},
    {"no code", "hello\r\n", 0, "broken"},
    {"an empty line", "\r\n", 0, "broken"},
    {"two digits", "22 a\r\n", 0, "broken"},
    {"four digits", "2200 a\r\n", 0, "broken"},
    {"a code of no kind", "120 a\r\n", 0, "broken"},
    {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", 0, "broken"},
    {"NUL", "220 a\0b.example\r\n", 17, "220 a?b.example ()"},
    {"a lone NUL line", "\0\n", 2, "broken"},
};

static void show(const struct smtp_reply *reply, size_t left, char out[512])
{
    char name[HOSTNAME_MAX + 1];
    if (reply->state != SMTP_REPLY_DONE) {
        (void)snprintf(out, 512, "%s", reply->state == SMTP_REPLY_MORE ? "more" : "broken");
        return;
    }
    int used = snprintf(out, 512, "%u %s (%.100s)", reply->code, reply->text,
                        smtp_reply_name(reply, name) ? name : "");
    if (left > 0)
        (void)snprintf(out + used, 512 - (size_t)used, "+%zu", left);
}

/* As it comes, and byte by byte: the same. */
START_TEST(replies)
{
    size_t length = cases[_i].length > 0 ? cases[_i].length : strlen(cases[_i].bytes), used = 0;
    char got[512];
    struct smtp_reply whole, slow;
    smtp_reply_begin(&whole);
    smtp_reply_begin(&slow);
    show(&whole, 0, got);
    size_t left = length - smtp_reply_feed(&whole, cases[_i].bytes, length);
    show(&whole, left, got);
    ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s, not %s", cases[_i].label, got,
                  cases[_i].want);
    while (used < length && smtp_reply_feed(&slow, cases[_i].bytes + used, 1) == 1)
        used++;
    show(&slow, length - used, got);
    ck_assert_msg(slow.state == SMTP_REPLY_BROKEN || strcmp(got, cases[_i].want) == 0, "%s: %s",
                  cases[_i].label, got);
}
END_TEST

START_TEST(bounded)
{
    struct smtp_reply reply;
    char line[2000];
    memset(line, 'x', sizeof line);
    memcpy(line, "220 ", 4);
    smtp_reply_begin(&reply);
    ck_assert_uint_eq(smtp_reply_feed(&reply, line, sizeof line), sizeof line);
    ck_assert_uint_eq(smtp_reply_feed(&reply, "\n", 1), 1);
    ck_assert_int_eq(reply.state, SMTP_REPLY_DONE);
    ck_assert_uint_eq(strlen(reply.text), SMTP_REPLY_TEXT_MAX);
    smtp_reply_begin(&reply);
    for (unsigned i = 0; i < 100 && reply.state == SMTP_REPLY_MORE; i++)
        (void)smtp_reply_feed(&reply, line, sizeof line);
    ck_assert_int_eq(reply.state, SMTP_REPLY_BROKEN);
    smtp_reply_begin(&reply);
    for (unsigned i = 0; i < 10000 && reply.state == SMTP_REPLY_MORE; i++)
        (void)smtp_reply_feed(&reply, "220-a.example\r\n", 15);
    ck_assert_int_eq(reply.state, SMTP_REPLY_BROKEN);
    ck_assert_str_eq(reply.text, "a.example");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_reply");
    TCase *tcase = tcase_create("smtp_reply");
    tcase_add_loop_test(tcase, replies, 0, (int)COUNT(cases));
    tcase_add_test(tcase, bounded);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
