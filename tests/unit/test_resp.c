/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies of a store, sound and hostile, whole and byte by byte; and the form of requests. */
#include "farm/resp.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reply as text: +OK, -ERR, :1, "text", nil, [a b]. */
static void show(const struct resp_reply *reply, FILE *out)
{
    static const char marks[] = {[RESP_STATUS] = '+', [RESP_ERROR] = '-'};
    switch (reply->kind) {
    case RESP_TEXT:
        (void)fprintf(out, "\"%s\"", reply->text);
        break;
    case RESP_STATUS:
    case RESP_ERROR:
        (void)fprintf(out, "%c%s", marks[reply->kind], reply->text);
        break;
    case RESP_INTEGER:
        (void)fprintf(out, ":%lld", (long long)reply->integer);
        break;
    case RESP_NIL:
        (void)fputs("nil", out);
        break;
    case RESP_LIST:
        (void)fputc('[', out);
        for (size_t i = 0; i < reply->count; i++) {
            (void)fputs(i > 0 ? " " : "", out);
            show(reply->items[i], out);
        }
        (void)fputc(']', out);
        break;
    }
}

/* What comes of bytes that arrive `step` at a time: the replies, or how it ends. */
static char *read_all(const char *bytes, size_t length, size_t step)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct resp_reader *reader = resp_reader_new();
    enum result status = RESULT_OK;
    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(reader);
    for (size_t at = 0; at < length && status == RESULT_OK; at += step) {
        struct resp_reply *reply;
        status = resp_reader_feed(reader, bytes + at, length - at < step ? length - at : step);
        while (status == RESULT_OK && (status = resp_reader_next(reader, &reply)) == RESULT_OK) {
            show(reply, out);
            (void)fputc(';', out);
            resp_reply_free(reply);
        }
        status = status == RESULT_PENDING ? RESULT_OK : status;
    }
    if (status != RESULT_OK)
        (void)fputs(status == RESULT_LIMIT     ? "limit"
                    : status == RESULT_INVALID ? "invalid"
                                               : "?",
                    out);
    resp_reader_free(reader);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static const struct {
    const char *label, *bytes, *want;
} replies[] = {
    {"status", "+OK\r\n", "+OK;"},
    {"two", "+OK\r\n:7\r\n", "+OK;:7;"},
    {"error", "-READONLY no\r\n", "-READONLY no;"},
    {"numbers", ":-9223372036854775808\r\n:0\r\n", ":-9223372036854775808;:0;"},
    {"text", "$5\r\na\r\nbc\r\n", "\"a\r\nbc\";"},
    {"empty", "$0\r\n\r\n*0\r\n", "\"\";[];"},
    {"nil", "$-1\r\n*-1\r\n", "nil;nil;"},
    {"a list", "*3\r\n$1\r\na\r\n$-1\r\n*2\r\n:1\r\n+x\r\n", "[\"a\" nil [:1 +x]];"},
    {"an answer of XREAD",
     "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n",
     "[[\"s\" [[\"1-0\" [\"k\" \"v\"]]]]];"},
    {"half", "$5\r\nab", ""},
    {"HTTP", "HTTP/1.1 400 Bad Request\r\n", "invalid"},
    {"no number", ":x\r\n", "invalid"},
    {"a number that is too large", ":9223372036854775808\r\n", "invalid"},
    {"a length below -1", "$-2\r\n", "invalid"},
    {"a list below -1", "*-2\r\n", "invalid"},
    {"after what is sound", "+OK\r\n\001", "+OK;invalid"},
    {"a list of two thousand million", "*2000000000\r\n", "limit"},
    {"lists that are large together", "*2\r\n*40000\r\n:1\r\n", ""},
    {"and too large", "*65536\r\n*1\r\n", "limit"},
    {"deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "limit"},
};

START_TEST(test_replies)
{
    size_t length = strlen(replies[_i].bytes);
    for (size_t step = 1; step <= length; step++) {
        char *got = read_all(replies[_i].bytes, length, step);
        /* What hiredis does not know by its first byte may be a depth to it. */
        ck_assert_msg(strcmp(got, replies[_i].want) == 0 ||
                          (strcmp(replies[_i].want, "limit") == 0 && strcmp(got, "invalid") == 0),
                      "%s, %zu bytes at a time: %s", replies[_i].label, step, got);
        free(got);
    }
}
END_TEST

static char *repeated(char byte, size_t count, const char *head, size_t *length)
{
    *length = strlen(head) + count;
    char *text = malloc(*length);
    ck_assert_ptr_nonnull(text);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), byte, count);
    return text;
}

START_TEST(test_sizes)
{
    size_t length;
    char *text = repeated('x', RESP_TEXT_MAX + 3, "$65537\r\n", &length);
    memcpy(text + length - 2, "\r\n", 2);
    char *got = read_all(text, length, 16384);
    ck_assert_str_eq(got, "limit");
    free(got);
    free(text);
    text = repeated('x', RESP_BYTES_MAX + 1, "+", &length); /* a line without end */
    got = read_all(text, length, 65536);
    ck_assert_str_eq(got, "limit");
    free(got);
    free(text);
}
END_TEST

/* Many replies of moderate size are no large one. */
START_TEST(test_many)
{
    struct resp_reader *reader = resp_reader_new();
    size_t length;
    char *text = repeated('x', 60002, "$60000\r\n", &length);
    memcpy(text + length - 2, "\r\n", 2);
    for (size_t i = 0; i < 2 * RESP_BYTES_MAX / length; i++) {
        struct resp_reply *reply;
        ck_assert_int_eq(resp_reader_feed(reader, text, length), RESULT_OK);
        ck_assert_int_eq(resp_reader_next(reader, &reply), RESULT_OK);
        ck_assert_uint_eq(reply->length, 60000);
        resp_reply_free(reply);
        ck_assert_int_eq(resp_reader_next(reader, &reply), RESULT_PENDING);
    }
    free(text);
    resp_reader_free(reader);
}
END_TEST

START_TEST(test_request)
{
    static const char *const words[] = {"HSET", "a\0b", ""};
    static const size_t lengths[] = {4, 3, 0};
    static const char want[] = "*3\r\n$4\r\nHSET\r\n$3\r\na\0b\r\n$0\r\n\r\n";
    char *out;
    size_t length;
    ck_assert_int_eq(resp_request(3, words, lengths, &out, &length), RESULT_OK);
    ck_assert_uint_eq(length, sizeof want - 1);
    ck_assert_mem_eq(out, want, length);
    free(out);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("resp");
    TCase *tests = tcase_create("resp");
    tcase_add_loop_test(tests, test_replies, 0, COUNT(replies));
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_many);
    tcase_add_test(tests, test_request);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
