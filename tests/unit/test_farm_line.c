/* SPDX-License-Identifier: BSD-2-Clause */
/* Signed lines: what one host writes another reads, and nothing else is read. */
#include "farm/farm_line.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1790000000)

static struct farm_key key = {
    .farm = "mx", .bytes = "0123456789abcdef0123456789abcdef", .length = 32};
static const struct exemption example = {.subject = ".example.org",
                                         .reason = "ticket 4711: \"ja\"",
                                         .made_s = NOW,
                                         .until_s = NOW + 86400};

/* RFC 4231 names no key of 32 bytes; this one is from openssl dgst -sha256 -mac HMAC. */
START_TEST(test_signature)
{
    char out[FARM_SIGNATURE_MAX];
    farm_sign(&key, "exemptions", "192.0.2.1", "1\t2", 3, out);
    ck_assert_str_eq(out, "c7136557ba89c40b341646ef9f2a5b827a6034321c819d9f9d0efbf66e814bb8");
}
END_TEST

START_TEST(test_exemption)
{
    char line[FARM_LINE_MAX];
    struct exemption got, ended = example;
    farm_line_exemption(&key, "mx1", &example, line);
    ck_assert(farm_line_read_exemption(&key, example.subject, line, &got));
    ck_assert_str_eq(got.subject, example.subject);
    ck_assert_str_eq(got.reason, example.reason);
    ck_assert_str_eq(got.by, "mx1");
    ck_assert(got.made_s == example.made_s && got.until_s == example.until_s && !got.ended);
    ended.ended = true;
    ended.reason[0] = '\0';
    (void)snprintf(ended.by, sizeof ended.by, "mx9");
    farm_line_exemption(&key, "mx1", &ended, line);
    ck_assert(farm_line_read_exemption(&key, example.subject, line, &got));
    ck_assert(got.ended && strcmp(got.by, "mx9") == 0);
}
END_TEST

/* Every bit of a line counts, and where it stands, and whose farm it is. */
START_TEST(test_every_bit)
{
    char line[FARM_LINE_MAX];
    struct exemption got;
    farm_line_exemption(&key, "mx1", &example, line);
    for (size_t i = 0; i < 8 * strlen(line); i++) {
        line[i / 8] = (char)(line[i / 8] ^ (1 << (i % 8)));
        ck_assert(!farm_line_read_exemption(&key, example.subject, line, &got));
        line[i / 8] = (char)(line[i / 8] ^ (1 << (i % 8)));
    }
    ck_assert(!farm_line_read_exemption(&key, ".example.net", line, &got));
    struct farm_key other = key;
    other.farm = "mx2";
    ck_assert(!farm_line_read_exemption(&other, example.subject, line, &got));
    other = key;
    other.bytes[31] ^= 1;
    ck_assert(!farm_line_read_exemption(&other, example.subject, line, &got));
    ck_assert(farm_line_read_exemption(&key, example.subject, line, &got));
}
END_TEST

/* A line that is signed, by a program of another version or with a mistake. */
static const struct {
    const char *label, *subject, *text;
    bool want;
} signed_lines[] = {
    {"as it is", "192.0.2.1", "1\t5\t6\tallow\tmx1\twhy", true},
    {"no reason", "192.0.2.1", "1\t5\t6\tallow\tmx1\t", true},
    {"ended", "192.0.2.1", "1\t5\t6\tunallow\tmx1\t", true},
    {"version", "192.0.2.1", "2\t5\t6\tallow\tmx1\twhy", false},
    {"more words", "192.0.2.1", "1\t5\t6\tallow\tmx1\twhy\tnot", false},
    {"fewer words", "192.0.2.1", "1\t5\t6\tallow\tmx1", false},
    {"another deed", "192.0.2.1", "1\t5\t6\trefuse\tmx1\twhy", false},
    {"no time", "192.0.2.1", "1\tx\t6\tallow\tmx1\twhy", false},
    {"a time and more", "192.0.2.1", "1\t5\t6x\tallow\tmx1\twhy", false},
    {"before 1970", "192.0.2.1", "1\t-5\t6\tallow\tmx1\twhy", false},
    {"a time without end", "192.0.2.1", "1\t5\t9223372036854775807\tallow\tmx1\twhy", false},
    {"a host with a space", "192.0.2.1", "1\t5\t6\tallow\tmx 1\twhy", false},
    {"no host", "192.0.2.1", "1\t5\t6\tallow\t\twhy", false},
    {"a subject that is not canonical", "192.0.2.1/32", "1\t5\t6\tallow\tmx1\twhy", false},
    {"no subject", "everybody", "1\t5\t6\tallow\tmx1\twhy", false},
};

START_TEST(test_signed_lines)
{
    char line[FARM_LINE_MAX], signature[FARM_SIGNATURE_MAX];
    struct exemption got;
    const char *text = signed_lines[_i].text, *subject = signed_lines[_i].subject;
    farm_sign(&key, FARM_EXEMPTIONS, subject, text, strlen(text), signature);
    (void)snprintf(line, sizeof line, "%s\t%s", text, signature);
    ck_assert_msg(farm_line_read_exemption(&key, subject, line, &got) == signed_lines[_i].want,
                  "%s", signed_lines[_i].label);
}
END_TEST

START_TEST(test_unsigned_lines)
{
    static const char *const lines[] = {"", "\t", "1\t5\t6\tallow\tmx1\twhy", "\t\t\t\t\t\t\t\t\t",
                                        "1\t5\t6\tallow\tmx1\twhy\t"};
    char line[2 * FARM_LINE_MAX];
    struct exemption got;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert(!farm_line_read_exemption(&key, "192.0.2.1", lines[i], &got));
    memset(line, 'x', sizeof line);
    line[sizeof line - 2] = '\t';
    line[sizeof line - 1] = '\0';
    ck_assert(!farm_line_read_exemption(&key, "192.0.2.1", line, &got));
}
END_TEST

START_TEST(test_longest)
{
    char line[FARM_LINE_MAX];
    struct exemption longest = {.made_s = NOW, .until_s = NOW + 1}, got;
    char name[HOSTNAME_MAX + 1];
    memset(name, 'a', HOSTNAME_MAX);
    name[HOSTNAME_MAX] = '\0';
    for (size_t i = 63; i < HOSTNAME_MAX; i += 64)
        name[i] = '.';
    (void)snprintf(longest.subject, sizeof longest.subject, ".%s", name);
    memset(longest.reason, 'r', EXEMPTION_REASON_MAX - 1);
    memset(longest.by, 'b', EXEMPTION_BY_MAX - 1);
    farm_line_exemption(&key, "mx1", &longest, line);
    ck_assert(farm_line_read_exemption(&key, longest.subject, line, &got));
}
END_TEST

START_TEST(test_notes)
{
    char line[FARM_LINE_MAX];
    struct farm_note note = {.made_s = NOW, .host = "mx1", .text = "{\"mode\":\"enforce\"}"}, got;
    ck_assert(farm_line_note(&key, FARM_HOSTS, "mx1", &note, line));
    ck_assert(farm_line_read_note(&key, FARM_HOSTS, "mx1", line, &got));
    ck_assert(got.made_s == NOW && strcmp(got.host, "mx1") == 0 &&
              strcmp(got.text, note.text) == 0);
    /* A heartbeat is no flush, and no other host's. */
    ck_assert(!farm_line_read_note(&key, FARM_FLUSH, "mx1", line, &got));
    ck_assert(!farm_line_read_note(&key, FARM_HOSTS, "mx2", line, &got));
}
END_TEST

/* --- clients ---------------------------------------------------------------------------------- */

START_TEST(test_client_word)
{
    char word[FARM_CLIENT_WORD_MAX], other[FARM_CLIENT_WORD_MAX];
    struct ipaddr one, two;
    ck_assert_int_eq(ipaddr_parse("192.0.2.1", &one), RESULT_OK);
    ck_assert_int_eq(ipaddr_parse("192.0.2.2", &two), RESULT_OK);
    farm_client_word(&key, FARM_CLIENT, &one, 32, word);
    ck_assert_uint_eq(strlen(word), FARM_CLIENT_WORD_MAX - 1);
    farm_client_word(&key, FARM_CLIENT, &two, 32, other);
    ck_assert_str_ne(word, other);
    farm_client_word(&key, FARM_GREYLIST, &one, 24, word);
    farm_client_word(&key, FARM_GREYLIST, &two, 24, other);
    ck_assert_str_eq(word, other);
    farm_client_word(&key, FARM_CLIENT, &one, 24, other);
    ck_assert_str_ne(word, other);
    struct farm_key another = key;
    another.bytes[0] ^= 1;
    farm_client_word(&another, FARM_GREYLIST, &one, 24, other);
    ck_assert_str_ne(word, other);
}
END_TEST

static const struct {
    const char *label, *text;
    bool want;
} histories[] = {
    {"as it is", "1\t1790000000\t20717\t20716\tpassed", true},
    {"it does not fail", "1\t0\t20717\t20716\twaiting", true},
    {"one day", "1\t0\t20717\t0\twaiting", true},
    {"nothing", "1\t0\t0\t0\twaiting", true},
    {"another version", "2\t0\t20717\t0\twaiting", false},
    {"days in disorder", "1\t0\t20716\t20717\twaiting", false},
    {"the same day twice", "1\t0\t20717\t20717\twaiting", false},
    {"passed since no failure", "1\t0\t20717\t20716\tpassed", false},
    {"a day past the last one", "1\t0\t65536\t0\twaiting", false},
    {"a time past the last one", "1\t4294967296\t20717\t0\twaiting", false},
    {"before 1970", "1\t-1\t20717\t0\twaiting", false},
    {"another word", "1\t0\t20717\t0\tfailed", false},
    {"fewer words", "1\t0\t20717\t0", false},
    {"more words", "1\t0\t20717\t0\twaiting\t", false},
};

START_TEST(test_histories)
{
    char line[FARM_LINE_MAX], again[FARM_LINE_MAX], signature[FARM_SIGNATURE_MAX];
    struct history got;
    const char *text = histories[_i].text;
    farm_sign(&key, FARM_CLIENT, "word", text, strlen(text), signature);
    (void)snprintf(line, sizeof line, "%s\t%s", text, signature);
    ck_assert_msg(farm_line_read_history(&key, "word", line, &got) == histories[_i].want, "%s",
                  histories[_i].label);
    if (!histories[_i].want)
        return;
    farm_line_history(&key, "word", &got, again);
    ck_assert_str_eq(again, line);
    ck_assert(!farm_line_read_history(&key, "other", line, &got));
    ck_assert(!farm_line_read_history(&key, "word", text, &got));
}
END_TEST

START_TEST(test_greylisted)
{
    char line[FARM_LINE_MAX];
    struct greylisted got;
    for (int passed = 0; passed < 2; passed++) {
        const struct greylisted known = {.passed = passed != 0, .when_s = 1790000000};
        farm_line_greylisted(&key, "word", &known, line);
        ck_assert(farm_line_read_greylisted(&key, "word", line, &got));
        ck_assert(got.passed == known.passed && got.when_s == known.when_s);
        ck_assert(!farm_line_read_greylisted(&key, "other", line, &got));
        line[2] ^= 1;
        ck_assert(!farm_line_read_greylisted(&key, "word", line, &got));
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("farm_line");
    TCase *tests = tcase_create("farm_line");
    tcase_add_test(tests, test_signature);
    tcase_add_test(tests, test_exemption);
    tcase_add_test(tests, test_every_bit);
    tcase_add_loop_test(tests, test_signed_lines, 0, COUNT(signed_lines));
    tcase_add_test(tests, test_unsigned_lines);
    tcase_add_test(tests, test_longest);
    tcase_add_test(tests, test_notes);
    tcase_add_test(tests, test_client_word);
    tcase_add_loop_test(tests, test_histories, 0, COUNT(histories));
    tcase_add_test(tests, test_greylisted);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
