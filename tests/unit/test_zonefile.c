/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/zonefile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static const char zone[] = "$ORIGIN example.\n"
                           "$TTL 600\n"
                           "@       SOA ns hostmaster ( 1 2 3 4\n"
                           "                            33 )\n"
                           "        NS ns\n"
                           "ns      A 192.0.2.53\n"
                           "Mail    300 A 192.0.2.9\n"
                           "        200 A 192.0.2.10\n"
                           "        AAAA 2001:db8::1\n"
                           "text    TXT \"only this\"\n"
                           "www     100 CNAME mail\n"
                           "out     CNAME www.elsewhere.test.\n"
                           "loop1   CNAME loop2\n"
                           "loop2   CNAME loop1\n"
                           "long01  CNAME long02\n"
                           "long02  CNAME long03\n"
                           "long03  CNAME long04\n"
                           "long04  CNAME long05\n"
                           "long05  CNAME long06\n"
                           "long06  CNAME long07\n"
                           "long07  CNAME long08\n"
                           "long08  CNAME long09\n"
                           "long09  CNAME long10\n"
                           "long10  CNAME long11\n"
                           "long11  CNAME long12\n"
                           "long12  CNAME long13\n"
                           "long13  CNAME long14\n"
                           "long14  CNAME long15\n"
                           "long15  CNAME long16\n"
                           "long16  CNAME long17\n"
                           "long17  CNAME mail\n"
                           "gone    CNAME nowhere\n"
                           "sub     NS ns.sub\n"
                           "ns.sub  A 192.0.2.54\n"
                           "into    CNAME host.sub\n"
                           "a.b.c   A 192.0.2.3\n"
                           "*       MX 10 mail\n"
                           "pair    MX 20 a\n"
                           "        MX 3 z\n"
                           "*.wild  A 192.0.2.4\n"
                           "*.alias CNAME mail\n"
                           "deep.x.wild TXT \"makes x.wild exist\"\n"
                           "$ORIGIN 2.0.192.in-addr.arpa.\n"
                           "9       PTR mail.example.\n"
                           "        PTR WWW.example.\n"
                           "10      CNAME 10.0-15\n"
                           "10.0-15 PTR mail.example.\n"
                           "$ORIGIN child.sub.example.\n"
                           "@ SOA ns hostmaster 1 2 3 4 44\n"
                           "host A 192.0.2.77\n";

static const struct {
    const char *label, *name;
    enum rrtype type;
    const char *want;
} questions[] = {
    {"sorted, least TTL, lower case", "mail.example", RR_A, "found 192.0.2.9 192.0.2.10 ttl=200"},
    {"another type of the name", "mail.example", RR_AAAA, "found 2001:db8::1 ttl=600"},
    {"no such type", "mail.example", RR_MX, "nodata ttl=33"},
    {"only types that nobody asks for", "text.example", RR_A, "nodata ttl=33"},
    {"apex", "example", RR_A, "nodata ttl=33"},
    {"CNAME", "www.example", RR_A, "found 192.0.2.9 192.0.2.10 ttl=100 hops=1"},
    {"CNAME and nodata", "www.example", RR_MX, "nodata ttl=33 hops=1"},
    {"CNAME out of the file", "out.example", RR_A, "nxdomain ttl=0 hops=1"},
    {"CNAME to a wildcard's name", "gone.example", RR_A, "nodata ttl=33 hops=1"},
    {"circle", "loop1.example", RR_A, "temperror CNAME loop"},
    {"as many as are followed", "long02.example", RR_A,
     "found 192.0.2.9 192.0.2.10 ttl=200 hops=16"},
    {"one more: no circle", "long01.example", RR_A, "temperror CNAME chain too long"},
    {"delegation", "sub.example", RR_A, "temperror SERVFAIL"},
    {"below a delegation", "host.sub.example", RR_A, "temperror SERVFAIL"},
    {"glue is not for us to give", "ns.sub.example", RR_A, "temperror SERVFAIL"},
    {"CNAME into a delegation", "into.example", RR_A, "temperror SERVFAIL"},
    {"a zone below a delegation that is here", "host.child.sub.example", RR_A,
     "found 192.0.2.77 ttl=600"},
    {"its negative answers", "x.child.sub.example", RR_A, "nxdomain ttl=44"},
    {"empty non-terminal", "b.c.example", RR_A, "nodata ttl=33"},
    {"empty non-terminal hides the wildcard", "c.example", RR_MX, "nodata ttl=33"},
    {"below an empty non-terminal", "x.b.c.example", RR_MX, "nxdomain ttl=33"},
    {"TXT", "deep.x.wild.example", RR_TXT, "found makes x.wild exist ttl=600"},
    {"wildcard", "any.example", RR_MX, "found mail.example ttl=600"},
    {"MX by preference", "pair.example", RR_MX, "found z.example a.example ttl=600"},
    {"wildcard, several labels", "one.two.example", RR_MX, "found mail.example ttl=600"},
    {"wildcard, another type", "any.example", RR_A, "nodata ttl=33"},
    {"wildcard is not for names that exist", "text.example", RR_MX, "nodata ttl=33"},
    {"nearer wildcard", "x9.wild.example", RR_A, "found 192.0.2.4 ttl=600"},
    {"the nearer one hides the other", "x9.wild.example", RR_MX, "nodata ttl=33"},
    {"the wildcard's own name", "*.wild.example", RR_A, "found 192.0.2.4 ttl=600"},
    {"what holds wildcards exists", "wild.example", RR_A, "nodata ttl=33"},
    {"closest encloser without wildcard", "y.x.wild.example", RR_A, "nxdomain ttl=33"},
    {"wildcard CNAME", "some.alias.example", RR_A, "found 192.0.2.9 192.0.2.10 ttl=200 hops=1"},
    {"PTR", "9.2.0.192.in-addr.arpa", RR_PTR, "found mail.example www.example ttl=600"},
    {"RFC 2317", "10.2.0.192.in-addr.arpa", RR_PTR, "found mail.example ttl=600 hops=1"},
    {"no PTR, no SOA", "11.2.0.192.in-addr.arpa", RR_PTR, "nxdomain ttl=0"},
    {"no such zone", "www.elsewhere.test", RR_A, "nxdomain ttl=0"},
};

static char *write_zone(const char *text)
{
    char *path = strdup("/tmp/test_zonefile.XXXXXX");
    int fd = path != NULL ? mkstemp(path) : -1;
    size_t length = strlen(text);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    close(fd);
    return path;
}

static void describe(void *arg, const struct source_result *result)
{
    static const char *const outcomes[] = {"?", "found", "nodata", "nxdomain", "temperror"};
    const struct answer *answer = result->answer;
    char *out = arg, text[NAME_TEXT_MAX];
    size_t at;

    ck_assert_ptr_nonnull(answer);
    ck_assert_int_eq(answer->origin, DNS_FROM_ZONE);
    ck_assert(!result->chained && !answer->secure);
    at = (size_t)sprintf(out, "%s", outcomes[answer->outcome]);
    if (answer->outcome == DNS_TEMPERROR) {
        sprintf(out + at, " %s", dns_problem_text((enum dns_problem)answer->problem));
        answer_unref(result->answer);
        return;
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            struct ipaddr addr;

            answer_address(answer, i, &addr);
            ipaddr_format(&addr, text);
        } else if (answer->type == RR_TXT) {
            ck_assert(answer_text(answer, i, text, sizeof text));
        } else {
            size_t length;
            const uint8_t *name = answer_name(answer, i, &length);

            wirename_text(name, length, text);
        }
        at += (size_t)sprintf(out + at, " %s", text);
    }
    at += (size_t)sprintf(out + at, " ttl=%u", answer->ttl_s);
    if (result->hops > 0)
        sprintf(out + at, " hops=%u", result->hops);
    answer_unref(result->answer);
}

static void ask(struct source *source, const char *name, enum rrtype type, char *out)
{
    struct question question;

    *out = '\0';
    ck_assert_int_eq(question_from_name(name, type, &question), RESULT_OK);
    ck_assert_ptr_null(source->ops->ask(source, &question, 0, describe, out));
}

START_TEST(test_questions)
{
    char out[8192], error[200];
    struct source *source;
    unsigned line;
    char *path = write_zone(zone);

    ck_assert_msg(zonefile_load(path, &source, &line, error, sizeof error) == RESULT_OK, "%u: %s",
                  line, error);
    for (int i = 0; i < COUNT(questions); i++) {
        ask(source, questions[i].name, questions[i].type, out);
        ck_assert_msg(strcmp(out, questions[i].want) == 0, "%s: %s", questions[i].label, out);
    }
    ck_assert_ptr_null(source->ops->server_text(source, 0));
    source->ops->free(source);
    unlink(path);
    free(path);
}
END_TEST

static const struct {
    const char *label, *text;
    unsigned line; /* 0: the file is good */
    const char *sentence;
} files[] = {
    {"empty", "", 0, NULL},
    {"only comments", "; nothing\n\n", 0, NULL},
    {"no line feed at the end", "a.example. A 192.0.2.1", 0, NULL},
    {"no $TTL", "a.example. A 192.0.2.1\n", 0, NULL},
    {"without $ORIGIN names are absolute", "a.example A 192.0.2.1\n", 0, NULL},
    {"carriage returns", "a.example. A 192.0.2.1\r\nb.example. A 192.0.2.2\r\n", 0, NULL},
    {"no address", "a.example. A 192.0.2.1\nb.example. A 192.0.2\n", 2, ""},
    {"no type", "a.example. 60 192.0.2.1\n", 1, "type"},
    {"garbage", "a.example. A 192.0.2.1\n\n((((( x y z\n", 3, ""},
    {"another class", "a.example. CH A 192.0.2.1\n", 1, ""},
    {"CHAOS text", "a.example. CH TXT x\n", 1, "class IN"},
    {"an include", "a.example. A 192.0.2.1\n$INCLUDE /etc/passwd\n", 2, "$INCLUDE"},
    {"DNAME", "a.example. DNAME b.example.\n", 1, "DNAME"},
    {"CNAME beside an address", "a.example. A 192.0.2.1\n\na.example. CNAME b.example.\n", 3,
     "CNAME"},
    {"two CNAMEs", "a.example. CNAME b.example.\na.example. CNAME c.example.\n", 2, "CNAME"},
    {"in parentheses", "a.example. A 192.0.2.1\n@ SOA a b (\n1 2 3\n4 x )\n", 4, ""},
};

START_TEST(test_files)
{
    char error[200] = "";
    struct source *source = NULL;
    unsigned line = 0;
    char *path = write_zone(files[_i].text);
    enum result status = zonefile_load(path, &source, &line, error, sizeof error);

    unlink(path);
    free(path);
    if (files[_i].line == 0) {
        ck_assert_msg(status == RESULT_OK, "%s: %u: %s", files[_i].label, line, error);
        source->ops->free(source);
        return;
    }
    ck_assert_msg(status == RESULT_INVALID, "%s", files[_i].label);
    ck_assert_msg(line == files[_i].line, "%s: %u: %s", files[_i].label, line, error);
    ck_assert_msg(*error != '\0' && strstr(error, files[_i].sentence) != NULL, "%s: %s",
                  files[_i].label, error);
}
END_TEST

START_TEST(test_no_file)
{
    char error[200] = "";
    struct source *source = NULL;
    unsigned line;

    ck_assert_int_eq(zonefile_load("/nonexistent/zone", &source, &line, error, sizeof error),
                     RESULT_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(zonefile_load("/", &source, &line, error, sizeof error), RESULT_IO);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_ptr_null(source);
}
END_TEST

START_TEST(test_root)
{
    char out[8192], error[200];
    struct source *source;
    unsigned line;
    char *path = write_zone(". 50 SOA a. b. 1 2 3 4 5\n*. A 192.0.2.1\n");

    ck_assert_int_eq(zonefile_load(path, &source, &line, error, sizeof error), RESULT_OK);
    ask(source, "any.name.test", RR_A, out);
    ck_assert_str_eq(out, "found 192.0.2.1 ttl=3600");
    ask(source, "any.name.test", RR_MX, out);
    ck_assert_str_eq(out, "nodata ttl=5");
    source->ops->free(source);
    unlink(path);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zonefile");
    TCase *tcase = tcase_create("zonefile");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, test_questions);
    tcase_add_loop_test(tcase, test_files, 0, COUNT(files));
    tcase_add_test(tcase, test_no_file);
    tcase_add_test(tcase, test_root);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
