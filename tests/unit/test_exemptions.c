/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/exemptions.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1790000000)

static struct exemptions *all;
static char directory[] = "/tmp/iprevd-test-XXXXXX";
static char path[64];

static void setup(void)
{
    all = exemptions_new();
    ck_assert_ptr_nonnull(all);
    (void)snprintf(directory, sizeof directory, "/tmp/iprevd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/exemptions", directory);
}

static void teardown(void)
{
    exemptions_free(all);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0); /* no temporary file is left */
}

static void allow(const char *subject, const char *reason, int64_t until_s)
{
    struct exemption exemption = {.made_s = NOW, .until_s = until_s};
    ck_assert_int_eq(exemption_subject(subject, exemption.subject), RESULT_OK);
    (void)snprintf(exemption.reason, sizeof exemption.reason, "%s", reason);
    ck_assert_int_eq(exemptions_add(all, &exemption), RESULT_OK);
}

/* The reason for which a client with this one PTR name is exempt, or NULL. */
static const char *asked(const char *client, const char *name, bool confirmed, int64_t wall_s)
{
    static char reason[EXEMPTION_REASON_MAX];
    struct facts facts;
    struct ipaddr other;
    memset(&facts, 0, sizeof facts);
    ck_assert_int_eq(ipaddr_parse(client, &facts.client), RESULT_OK);
    ck_assert_int_eq(ipaddr_parse("203.0.113.77", &other), RESULT_OK);
    struct name_facts fact = {.name = name,
                              .flaw = HOSTNAME_OK,
                              .forward = {.outcome = DNS_FOUND},
                              .addresses = confirmed ? &facts.client : &other,
                              .address_count = 1,
                              .confirmed = confirmed};
    facts.ptr.outcome = DNS_FOUND;
    facts.names = &fact;
    facts.name_count = 1;
    return exemptions_find(all, &facts, wall_s, reason, sizeof reason) ? reason : NULL;
}

static const struct {
    const char *label, *text, *want; /* NULL: invalid */
} subjects[] = {
    {"address", "192.0.2.1", "192.0.2.1"},
    {"network of one", "192.0.2.1/32", "192.0.2.1"},
    {"network", "192.0.2.0/24", "192.0.2.0/24"},
    {"everything", "0.0.0.0/0", "0.0.0.0/0"},
    {"IPv6", "2001:DB8:0::1", "2001:db8::1"},
    {"IPv6 network", "2001:db8::/32", "2001:db8::/32"},
    {"mapped", "::ffff:192.0.2.1", "192.0.2.1"},
    {"domain", ".Example.ORG.", ".example.org"},
    {"bits after the prefix", "192.0.2.1/24", NULL},
    {"no dot before", "example.org", NULL},
    {"one label", ".org", NULL},
    {"the root", ".", NULL},
    {"two dots", "..example.org", NULL},
    {"an address with a dot", ".192.0.2.1", NULL},
    {"empty", "", NULL},
    {"words", "everybody, please", NULL},
};

START_TEST(test_subject)
{
    char out[EXEMPTION_SUBJECT_MAX];
    enum result status = exemption_subject(subjects[_i].text, out);
    ck_assert_msg((status == RESULT_OK) == (subjects[_i].want != NULL), "%s", subjects[_i].label);
    if (subjects[_i].want != NULL)
        ck_assert_msg(strcmp(out, subjects[_i].want) == 0, "%s: %s", subjects[_i].label, out);
}
END_TEST

static const struct {
    const char *label, *client, *name;
    bool confirmed;
    int64_t wall_s;
    const char *want;
} questions[] = {
    {"the address", "192.0.2.1", "a.isp.example", true, NOW, "one"},
    {"its network", "192.0.2.2", "a.isp.example", true, NOW, "many"},
    {"another", "192.0.3.2", "a.isp.example", true, NOW, NULL},
    {"IPv6 network", "2001:db8::99", "a.isp.example", true, NOW, "six"},
    {"IPv6 outside", "2001:db9::99", "a.isp.example", true, NOW, NULL},
    {"below the domain", "198.51.100.1", "mail.partner.example", true, NOW, "partner"},
    {"far below", "198.51.100.1", "a.b.c.partner.example", true, NOW, "partner"},
    {"the domain itself", "198.51.100.1", "partner.example", true, NOW, "partner"},
    {"looks like it", "198.51.100.1", "notpartner.example", true, NOW, NULL},
    {"unconfirmed name", "198.51.100.1", "mail.partner.example", false, NOW, NULL},
    {"one second before the end", "192.0.2.1", "a.isp.example", true, NOW + 9, "one"},
    {"at the end, the network still", "192.0.2.1", "a.isp.example", true, NOW + 10, "many"},
    {"all is over", "192.0.2.1", "a.isp.example", true, NOW + 100, NULL},
};

static void fill(void)
{
    allow("192.0.2.1", "one", NOW + 10);
    allow("192.0.2.0/24", "many", NOW + 100);
    allow("2001:db8::/32", "six", NOW + 100);
    allow(".partner.example", "partner", NOW + 100);
}

START_TEST(test_find)
{
    fill();
    const char *got = asked(questions[_i].client, questions[_i].name, questions[_i].confirmed,
                            questions[_i].wall_s);
    ck_assert_msg((got == NULL) == (questions[_i].want == NULL) &&
                      (got == NULL || strcmp(got, questions[_i].want) == 0),
                  "%s: %s", questions[_i].label, got == NULL ? "(none)" : got);
}
END_TEST

START_TEST(test_local_submission_is_no_client)
{
    struct facts facts;
    char reason[8];
    memset(&facts, 0, sizeof facts);
    allow("0.0.0.0/0", "all", NOW + 100);
    ck_assert(!exemptions_find(all, &facts, NOW, reason, sizeof reason));
}
END_TEST

static const struct {
    const char *label, *text, *want; /* NULL: too long */
} reasons[] = {
    {"plain", "ticket \"4711\" \\ 50 %", "ticket \"4711\" \\ 50 %"},
    {"control characters", "a\tb\nc\x7f\x1b[1m", "a b c  [1m"},
    {"of C1", "a\xc2\x85z\xc2\xa0", "a z\xc2\xa0"},
    {"UTF-8",
     "Stra\xc3\x9f"
     "e",
     "Stra\xc3\x9f"
     "e"},
    {"empty", "", ""},
};

START_TEST(test_reason)
{
    char got[EXEMPTION_REASON_MAX], again[EXEMPTION_REASON_MAX];
    ck_assert_int_eq(exemption_reason(reasons[_i].text, got), RESULT_OK);
    ck_assert_msg(strcmp(got, reasons[_i].want) == 0, "%s: %s", reasons[_i].label, got);
    ck_assert_int_eq(exemption_reason(got, again), RESULT_OK);
    ck_assert_str_eq(again, got);
}
END_TEST

START_TEST(test_long_reason)
{
    char text[EXEMPTION_REASON_MAX + 1], got[EXEMPTION_REASON_MAX];
    memset(text, 'r', sizeof text);
    text[EXEMPTION_REASON_MAX] = '\0';
    ck_assert_int_eq(exemption_reason(text, got), RESULT_LIMIT);
    text[EXEMPTION_REASON_MAX - 1] = '\0';
    ck_assert_int_eq(exemption_reason(text, got), RESULT_OK);
    ck_assert_str_eq(got, text);
}
END_TEST

START_TEST(test_replace_remove_expire)
{
    fill();
    allow("192.0.2.1", "again", NOW + 50);
    ck_assert_uint_eq(exemptions_count(all), 4);
    ck_assert_str_eq(asked("192.0.2.1", "x.example", false, NOW + 20), "again");
    ck_assert(exemptions_remove(all, "192.0.2.1"));
    ck_assert(!exemptions_remove(all, "192.0.2.1"));
    ck_assert_str_eq(asked("192.0.2.1", "x.example", false, NOW), "many");
    ck_assert_uint_eq(exemptions_expire(all, NOW + 99), 0);
    ck_assert_uint_eq(exemptions_expire(all, NOW + 100), 3);
    ck_assert_uint_eq(exemptions_count(all), 0);
}
END_TEST

START_TEST(test_limit)
{
    char text[32];
    for (unsigned i = 0; i < EXEMPTIONS_MAX; i++) {
        (void)snprintf(text, sizeof text, "10.0.%u.%u", i / 256, i % 256);
        allow(text, "", NOW + 1);
    }
    struct exemption more = {.subject = "192.0.2.1", .until_s = NOW + 1};
    ck_assert_int_eq(exemptions_add(all, &more), RESULT_LIMIT);
    (void)snprintf(more.subject, sizeof more.subject, "10.0.0.0");
    ck_assert_int_eq(exemptions_add(all, &more), RESULT_OK); /* one that is there already */
    ck_assert_int_eq(exemptions_save(all, path), RESULT_OK);
}
END_TEST

static enum result load(int64_t wall_s, unsigned *line)
{
    exemptions_free(all);
    all = exemptions_new();
    ck_assert_ptr_nonnull(all);
    return exemptions_load(all, path, wall_s, line);
}

START_TEST(test_survives)
{
    unsigned line;
    fill();
    allow(".odd.example", "quotes \" and back\\slashes \303\244", NOW + 100);
    ck_assert_int_eq(exemptions_save(all, path), RESULT_OK);
    ck_assert_int_eq(load(NOW + 10, &line), RESULT_OK);
    ck_assert_uint_eq(exemptions_count(all), 4); /* one is over */
    ck_assert_str_eq(asked("2001:db8::1", "x.example", false, NOW + 10), "six");
    ck_assert_str_eq(asked("198.51.100.9", "odd.example", true, NOW + 10),
                     "quotes \" and back\\slashes \303\244");
}
END_TEST

START_TEST(test_no_file)
{
    unsigned line;
    ck_assert_int_eq(load(NOW, &line), RESULT_NOTFOUND);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(exemptions_save(all, path), RESULT_IO);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_int_eq(load(NOW, &line), RESULT_IO);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

#define HEAD "{\"format\":\"iprevd-exemptions\",\"version\":1,\"count\":2}\n"
#define ONE  "{\"subject\":\"192.0.2.1\",\"reason\":\"one\",\"made\":1,\"until\":1790000100}\n"
#define TWO  "{\"subject\":\".two.example\",\"reason\":\"two\",\"made\":1,\"until\":1790000100}\n"

static const struct {
    const char *label, *text;
    enum result want;
    unsigned want_line;
    size_t want_count;
} files[] = {
    {"whole", HEAD ONE TWO, RESULT_OK, 0, 2},
    {"empty", "", RESULT_INVALID, 1, 0},
    {"no head", ONE TWO, RESULT_INVALID, 1, 0},
    {"another version", "{\"format\":\"iprevd-exemptions\",\"version\":2,\"count\":0}\n",
     RESULT_INVALID, 1, 0},
    {"cut at a line's end", HEAD ONE, RESULT_INVALID, 3, 1},
    {"cut in a line", HEAD ONE "{\"subject\":\".two.exam", RESULT_INVALID, 3, 1},
    {"one too many",
     HEAD ONE TWO "{\"subject\":\"10.0.0.1\",\"reason\":\"\",\"made\":1,"
                  "\"until\":1790000100}\n",
     RESULT_INVALID, 5, 3},
    {"damage in the middle",
     HEAD "{\"subject\":\"192.0.2.999\",\"reason\":\"one\",\"made\":1,"
          "\"until\":1790000100}\n" TWO,
     RESULT_INVALID, 2, 1},
    {"another kind", HEAD ONE "{\"subject\":17,\"reason\":\"x\",\"made\":1,\"until\":2}\n",
     RESULT_INVALID, 3, 1},
    {"binary",
     "\x7f"
     "ELF\x01\x02\n\xff\xfe",
     RESULT_INVALID, 1, 0},
};

START_TEST(test_damage)
{
    unsigned line = 0;
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(files[_i].text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_msg(load(NOW, &line) == files[_i].want, "%s", files[_i].label);
    if (files[_i].want == RESULT_INVALID)
        ck_assert_msg(line == files[_i].want_line, "%s: line %u", files[_i].label, line);
    ck_assert_msg(exemptions_count(all) == files[_i].want_count, "%s: %zu", files[_i].label,
                  exemptions_count(all));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("exemptions");
    TCase *tests = tcase_create("exemptions");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, test_subject, 0, COUNT(subjects));
    tcase_add_loop_test(tests, test_find, 0, COUNT(questions));
    tcase_add_test(tests, test_local_submission_is_no_client);
    tcase_add_loop_test(tests, test_reason, 0, COUNT(reasons));
    tcase_add_test(tests, test_long_reason);
    tcase_add_test(tests, test_replace_remove_expire);
    tcase_add_test(tests, test_limit);
    tcase_add_test(tests, test_survives);
    tcase_add_test(tests, test_no_file);
    tcase_add_loop_test(tests, test_damage, 0, COUNT(files));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
