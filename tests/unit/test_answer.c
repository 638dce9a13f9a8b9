/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/answer.h"
#include "scripted_source.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *label, *name;
    enum result want;
    const char *want_wire;
    size_t want_length;
} names[] = {
    {"two labels", "mail.example", RESULT_OK, "\4mail\7example", 14},
    {"upper case", "MAIL.Example", RESULT_OK, "\4mail\7example", 14},
    {"trailing dot", "mail.example.", RESULT_OK, "\4mail\7example", 14},
    {"one label", "localhost", RESULT_OK, "\11localhost", 11},
    {"nothing is the root", "", RESULT_OK, "", 1},
    {"underscore", "_dmarc.example", RESULT_OK, "\6_dmarc\7example", 16},
    {"label of 63", LABEL_63 ".example", RESULT_OK, "\77" LABEL_63 "\7example", 73},
    {"label of 64", LABEL_63 "4.example", RESULT_INVALID, NULL, 0},
    {"empty label", "a..example", RESULT_INVALID, NULL, 0},
    {"leading dot", ".example", RESULT_INVALID, NULL, 0},
    {"253 bytes",
     LABEL_63 "." LABEL_63 "." LABEL_63 ".12345678901234567890123456789012345678901234567890123456"
              "78901",
     RESULT_OK,
     "\77" LABEL_63 "\77" LABEL_63 "\77" LABEL_63 "\75"
     "1234567890123456789012345678901234567890123456789012345678901",
     255},
    {"254 bytes",
     LABEL_63 "." LABEL_63 "." LABEL_63 ".12345678901234567890123456789012345678901234567890123456"
              "789012",
     RESULT_INVALID, NULL, 0},
};

START_TEST(question_of_name)
{
    struct question question = {.type = 99, .length = 7};
    enum result status = question_from_name(names[_i].name, RR_A, &question);
    ck_assert_msg(status == names[_i].want, "%s: %s", names[_i].label, result_text(status));
    if (status != RESULT_OK) {
        ck_assert_uint_eq(question.type, 99);
        return;
    }
    ck_assert_uint_eq(question.type, RR_A);
    ck_assert_uint_eq(question.length, names[_i].want_length);
    ck_assert_mem_eq(question.name, names[_i].want_wire, question.length);
}
END_TEST

START_TEST(question_of_address)
{
    struct ipaddr addr;
    struct question question;
    char text[NAME_TEXT_MAX];
    ck_assert_int_eq(ipaddr_parse("192.0.2.1", &addr), RESULT_OK);
    question_from_addr(&addr, &question);
    ck_assert_uint_eq(question.type, RR_PTR);
    ck_assert_str_eq(wirename_text(question.name, question.length, text), "1.2.0.192.in-addr.arpa");
    ck_assert_int_eq(ipaddr_parse("2001:db8::1", &addr), RESULT_OK);
    question_from_addr(&addr, &question);
    ck_assert_uint_eq(question.length, 74);
}
END_TEST

/* Text that a zone's owner chose never looks like another name. */
static const struct {
    const char *label, *wire;
    size_t length;
    const char *want;
} texts[] = {
    {"plain", "\4mail\7example", 14, "mail.example"},
    {"root", "", 1, "."},
    {"dot inside a label", "\3a.b\7example", 13, "a\\.b.example"},
    {"space", "\3a b\7example", 13, "a\\032b.example"},
    {"line end", "\3a\nb\7example", 13, "a\\010b.example"},
    {"high bytes", "\2\377\200\7example", 12, "\\255\\128.example"},
    {"backslash", "\3a\\b", 5, "a\\\\b"},
    {"NUL", "\3a\0b", 5, "a\\000b"},
    {"quotes and brackets", "\6a\"(;@)", 8, "a\\\"\\(\\;\\@\\)"},
    {"cut short", "\11abc", 4, "."},
};

START_TEST(text_of_name)
{
    char text[NAME_TEXT_MAX];
    ck_assert_str_eq(wirename_text((const uint8_t *)texts[_i].wire, texts[_i].length, text),
                     texts[_i].want);
}
END_TEST

START_TEST(text_of_longest_name)
{
    uint8_t name[WIRE_NAME_MAX];
    char text[NAME_TEXT_MAX];
    memset(name, 1, sizeof name);
    name[0] = name[64] = name[128] = 63;
    name[192] = 61;
    name[254] = 0;
    wirename_text(name, sizeof name, text);
    ck_assert_uint_eq(strlen(text), 250 * 4 + 3);
}
END_TEST

START_TEST(equal_and_hash)
{
    struct question a = scripted_question("mail.example", RR_A);
    struct question b = scripted_question("MAIL.example", RR_A);
    struct question other_type = scripted_question("mail.example", RR_AAAA);
    struct question other_name = scripted_question("mail.examplf", RR_A);
    memset(b.name + b.length, 0x55, sizeof b.name - b.length); /* what lies behind is nothing */
    ck_assert(question_equal(&a, &b));
    ck_assert(!question_equal(&a, &other_type));
    ck_assert(!question_equal(&a, &other_name));
    ck_assert_uint_eq(question_hash(&a, 7), question_hash(&b, 7));
    ck_assert_uint_ne(question_hash(&a, 7), question_hash(&a, 8));
    ck_assert_uint_ne(question_hash(&a, 7), question_hash(&other_type, 7));
    ck_assert_uint_ne(question_hash(&a, 7), question_hash(&other_name, 7));
}
END_TEST

START_TEST(addresses)
{
    struct answer *v4 = scripted_answer(RR_A, "192.0.2.2 192.0.2.1");
    struct answer *v6 = scripted_answer(RR_AAAA, "2001:db8::1 192.0.2.1");
    struct ipaddr addr;
    char text[IPADDR_TEXT_MAX];
    ck_assert_uint_eq(v4->count, 2);
    answer_address(v4, 0, &addr);
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.1");
    answer_address(v4, 1, &addr);
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.2");
    answer_address(v6, 0, &addr); /* ::ffff:192.0.2.1 in an AAAA is the IPv4 address */
    ck_assert_str_eq(ipaddr_format(&addr, text), "192.0.2.1");
    answer_address(v6, 1, &addr);
    ck_assert_str_eq(ipaddr_format(&addr, text), "2001:db8::1");
    answer_unref(v4);
    answer_unref(v6);
}
END_TEST

START_TEST(names_of_an_answer)
{
    struct answer *answer = scripted_answer(RR_PTR, "mail.example . a.example");
    char text[NAME_TEXT_MAX];
    size_t length;
    const char *const want[] = {".", "a.example", "mail.example"};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *name = answer_name(answer, i, &length);
        ck_assert_str_eq(wirename_text(name, length, text), want[i]);
    }
    answer_unref(answer);
}
END_TEST

START_TEST(problems)
{
    struct answer *answer = answer_new_problem(RR_A, PROBLEM_TIMEOUT);
    ck_assert_ptr_nonnull(answer);
    ck_assert_int_eq(answer->outcome, DNS_TEMPERROR);
    ck_assert_uint_eq(answer->server, ANSWER_NO_SERVER);
    ck_assert_str_eq(dns_problem_text((enum dns_problem)answer->problem), "timeout");
    answer_unref(answer);
    answer_unref(NULL);
    for (int i = 0; i < PROBLEM_COUNT; i++)
        ck_assert_ptr_nonnull(dns_problem_text((enum dns_problem)i));
}
END_TEST

START_TEST(copies)
{
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1 ttl=300 ad dropped=3 server=1");
    answer->aliased = true;
    struct answer *copy = answer_copy(answer, 60);
    answer_unref(answer);
    ck_assert_ptr_nonnull(copy);
    ck_assert_uint_eq(copy->ttl_s, 60);
    ck_assert_uint_eq(copy->count, 1);
    ck_assert_uint_eq(copy->dropped, 3);
    ck_assert_uint_eq(copy->server, 1);
    ck_assert(copy->secure && copy->aliased);
    ck_assert_mem_eq(copy->payload, "\300\0\2\1", 4);
    answer_unref(copy);
}
END_TEST

START_TEST(own_answers)
{
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1 ttl=300");
    struct answer *shared = answer_ref(answer);
    struct answer *own = answer_own(answer, 60);
    ck_assert_ptr_nonnull(own);
    ck_assert_ptr_ne(own, shared); /* others never see it change */
    ck_assert_uint_eq(shared->ttl_s, 300);
    ck_assert_uint_eq(own->ttl_s, 60);
    ck_assert_mem_eq(own->payload, shared->payload, 4);
    answer_unref(own);
    own = answer_own(shared, 50); /* nobody else is left */
    ck_assert_ptr_eq(own, shared);
    ck_assert_uint_eq(own->ttl_s, 50);
    answer_unref(own);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tcase = tcase_create("answer");
    tcase_add_loop_test(tcase, question_of_name, 0, (int)(sizeof names / sizeof names[0]));
    tcase_add_test(tcase, question_of_address);
    tcase_add_loop_test(tcase, text_of_name, 0, (int)(sizeof texts / sizeof texts[0]));
    tcase_add_test(tcase, text_of_longest_name);
    tcase_add_test(tcase, equal_and_hash);
    tcase_add_test(tcase, addresses);
    tcase_add_test(tcase, names_of_an_answer);
    tcase_add_test(tcase, problems);
    tcase_add_test(tcase, copies);
    tcase_add_test(tcase, own_answers);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
