/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables in Postfix's formats: what they mean, what is refused and how it is said. */
#include "site/tables/accesstable.h"
#include "site/tables/ere.h"
#include "site/tables/literal_index.h"

#include <check.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "test_accesstable.tmp.XXXXXX";

static void make_path(void)
{
    strcpy(path, "test_accesstable.tmp.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static struct accesstable *load(enum accesstable_type type, const char *text)
{
    struct accesstable *table = NULL;
    char error[ACCESSTABLE_ERROR_MAX] = "";
    write_file(text, strlen(text));
    ck_assert_msg(accesstable_load(type, path, &table, error) == RESULT_OK, "%s", error);
    return table;
}

struct lookup_case {
    const char *label;
    const char *text;
    const char *key;
    const char *want; /* NULL: no entry matches */
};

/* --- cidr ------------------------------------------------------------------------------------ */

static const struct lookup_case cidr_cases[] = {
    {"address", "192.0.2.1 OK\n", "192.0.2.1", "OK"},
    {"other address", "192.0.2.1 OK\n", "192.0.2.2", NULL},
    {"network", "192.0.2.0/24 REJECT go away\n", "192.0.2.200", "REJECT go away"},
    {"first match wins over longer prefix", "192.0.2.0/24 first\n192.0.2.1 second\n", "192.0.2.1",
     "first"},
    {"longer prefix first", "192.0.2.1 first\n192.0.2.0/24 second\n", "192.0.2.1", "first"},
    {"of equal networks the first", "192.0.2.0/24 a\n192.0.2.0/24 b\n", "192.0.2.1", "a"},
    {"everything", "0.0.0.0/0 all\n", "203.0.113.1", "all"},
    {"everything is of one family", "0.0.0.0/0 all\n", "2001:db8::1", NULL},
    {"IPv6 network", "2001:db8::/32 OK\n", "2001:db8:1::1", "OK"},
    {"IPv6 everything", "::/0 six\n", "2001:db8::1", "six"},
    {"brackets", "[192.0.2.0/24] OK\n", "192.0.2.1", "OK"},
    {"brackets before the length", "[2001:db8::]/32 OK\n", "2001:db8::9", "OK"},
    {"negated", "!192.0.2.0/24 other\n", "198.51.100.1", "other"},
    {"negated does not match inside", "!192.0.2.0/24 other\n", "192.0.2.7", NULL},
    {"negated says nothing of the other family", "!192.0.2.0/24 other\n", "2001:db8::1", NULL},
    {"twice negated", "!!192.0.2.0/24 in\n", "192.0.2.7", "in"},
    {"negated after a match", "192.0.2.0/24 in\n!10.0.0.0/8 out\n", "192.0.2.7", "in"},
    {"negated before a match", "!10.0.0.0/8 out\n192.0.2.0/24 in\n", "192.0.2.7", "out"},
    {"if", "if 192.0.2.0/24\n192.0.2.1 in\nendif\n", "192.0.2.1", "in"},
    {"if that does not hold", "if 198.51.100.0/24\n0.0.0.0/0 in\nendif\n", "192.0.2.1", NULL},
    {"after endif", "if 198.51.100.0/24\n0.0.0.0/0 in\nendif\n0.0.0.0/0 after\n", "192.0.2.1",
     "after"},
    {"if not", "if !198.51.100.0/24\n0.0.0.0/0 in\nendif\n", "192.0.2.1", "in"},
    {"if of the other family", "if !2001:db8::/32\n0.0.0.0/0 in\nendif\n", "192.0.2.1", NULL},
    {"nested", "if 192.0.0.0/8\nif !192.0.2.0/24\n0.0.0.0/0 x\nendif\n0.0.0.0/0 y\nendif\n",
     "192.0.2.1", "y"},
    {"nested, both hold",
     "if 192.0.0.0/8\nif !192.0.2.0/24\n0.0.0.0/0 x\nendif\n0.0.0.0/0 y\nendif\n", "192.0.3.1",
     "x"},
    {"same network under two ifs",
     "if 10.0.0.0/8\n0.0.0.0/0 a\nendif\nif 192.0.0.0/8\n0.0.0.0/0 b\nendif\n", "192.0.2.1", "b"},
    {"upper case IF", "IF 192.0.2.0/24\n0.0.0.0/0 in\nENDIF\n", "192.0.2.1", "in"},
    {"comments and blank lines", "# one\n\n   # two\n  \t\n192.0.2.1 OK\n", "192.0.2.1", "OK"},
    {"continuation", "192.0.2.1\n   REJECT\n\tplease\n", "192.0.2.1", "REJECT\tplease"},
    {"comment inside a continued line", "192.0.2.1 REJECT\n# no\n\n now\n", "192.0.2.1",
     "REJECT now"},
    {"trailing white space", "192.0.2.1 OK  \t\n", "192.0.2.1", "OK"},
    {"line feed missing at the end", "192.0.2.1 OK", "192.0.2.1", "OK"},
    {"carriage returns", "192.0.2.1 OK\r\n192.0.2.2 NO\r\n", "192.0.2.2", "NO"},
    {"no value: passed over", "192.0.2.1\n0.0.0.0/0 x\n", "192.0.2.1", "x"},
    {"mapped network", "::ffff:192.0.2.0/120 OK\n", "192.0.2.9", "OK"},
    {"empty file", "", "192.0.2.9", NULL},
    {"postscreen_access.cidr",
     "# Rules are evaluated in the order as specified.\n# Blacklist 192.168.* except "
     "192.168.0.1.\n192.168.0.1         permit\n192.168.0.0/16      reject\n",
     "192.168.7.7", "reject"},
};

START_TEST(test_cidr)
{
    const struct lookup_case *c = &cidr_cases[_i];
    struct accesstable *table = load(TABLE_CIDR, c->text);
    struct ipaddr addr;
    ck_assert(ipaddr_parse(c->key, &addr) == RESULT_OK);
    const char *got = accesstable_addr(table, &addr);
    if (c->want == NULL)
        ck_assert_msg(got == NULL, "%s: got %s", c->label, got);
    else
        ck_assert_msg(got != NULL && strcmp(got, c->want) == 0, "%s: got %s", c->label,
                      got == NULL ? "nothing" : got);
    accesstable_free(table);
}
END_TEST

/* Against the meaning as one would write it down: the first line whose network holds. */
START_TEST(test_cidr_random)
{
    enum { LINES = 600, LOOKUPS = 400 };
    static char text[LINES * 64];
    struct ipnet nets[LINES];
    bool negated[LINES];
    size_t length = 0;
    unsigned state = 12345;
    for (size_t i = 0; i < LINES; i++) {
        char net[IPNET_TEXT_MAX];
        uint8_t bytes[4];
        for (size_t b = 0; b < 4; b++) {
            state = state * 1103515245U + 12345U;
            bytes[b] = (uint8_t)(state >> 16) & 3; /* few values, so that networks overlap */
        }
        struct ipaddr addr;
        ck_assert(ipaddr_from_bytes(bytes, 4, &addr) == RESULT_OK);
        state = state * 1103515245U + 12345U;
        nets[i] = ipnet_around(&addr, 14 + (state >> 16) % 19);
        negated[i] = i > LINES / 2 && (state >> 24) % 50 == 0;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s v%zu\n",
                                   negated[i] ? "!" : "", ipnet_format(&nets[i], net), i);
    }
    struct accesstable *table = load(TABLE_CIDR, text);
    for (size_t n = 0; n < LOOKUPS; n++) {
        uint8_t bytes[4];
        char want[16] = "";
        struct ipaddr addr;
        for (size_t b = 0; b < 4; b++) {
            state = state * 1103515245U + 12345U;
            bytes[b] = (uint8_t)(state >> 16) & 3;
        }
        ck_assert(ipaddr_from_bytes(bytes, 4, &addr) == RESULT_OK);
        for (size_t i = 0; i < LINES; i++) {
            if (ipnet_contains(&nets[i], &addr) != negated[i]) {
                snprintf(want, sizeof want, "v%zu", i);
                break;
            }
        }
        const char *got = accesstable_addr(table, &addr);
        ck_assert_str_eq(got == NULL ? "" : got, want);
    }
    accesstable_free(table);
}
END_TEST

/* --- pcre and regexp ------------------------------------------------------------------------- */

static const struct lookup_case pcre_cases[] = {
    {"match", "/^dsl-/ GENERIC\n", "dsl-1.example", "GENERIC"},
    {"no match", "/^dsl-/ GENERIC\n", "mail.example", NULL},
    {"caseless by default", "/^DSL-/ x\n", "dsl-1.example", "x"},
    {"i turns caseless off", "/^DSL-/i x\n", "dsl-1.example", NULL},
    {"i off still finds", "/^dsl-pool/i x\n", "dsl-pool.example", "x"},
    {"other delimiter", "|/x/| y\n", "a/x/b", "y"},
    {"hash as delimiter is a comment", "#dsl# y\n", "dsl", NULL},
    {"escaped delimiter", "/a\\/b/ y\n", "a/b", "y"},
    {"first match wins", "/a/ one\n/b/ two\n", "ab", "one"},
    {"second line", "/zzz/ one\n/b/ two\n", "ab", "two"},
    {"negated", "!/example/ other\n", "mail.test", "other"},
    {"negated, with it", "!/example/ other\n", "mail.example", NULL},
    {"space after the negation", "! /example/ other\n", "mail.test", "other"},
    {"if", "if /\\.example$/\n/^a/ in\nendif\n", "a.example", "in"},
    {"if that does not hold", "if /\\.example$/\n/^a/ in\nendif\n/^a/ out\n", "a.test", "out"},
    {"if not", "if !/\\.example$/\n/^a/ in\nendif\n", "a.test", "in"},
    {"if without white space", "if/\\.example$/\n/^a/ in\nendif\n", "a.example", "in"},
    {"nested", "if /a/\nif /b/\n/c/ abc\nendif\n/c/ ac\nendif\n/c/ c\n", "ac", "ac"},
    {"nested, all", "if /a/\nif /b/\n/c/ abc\nendif\n/c/ ac\nendif\n/c/ c\n", "abc", "abc"},
    {"nested, none", "if /a/\nif /b/\n/c/ abc\nendif\n/c/ ac\nendif\n/c/ c\n", "bc", "c"},
    {"x: white space and comments", "/a \\. b/x y\n", "a.b", "y"},
    {"A: anchored", "/dsl/A y\n", "adsl", NULL},
    {"U and X and s and E", "/a.b$/UXsE y\n", "a.b", "y"},
    {"m", "/a$/m y\n", "a", "y"},
    {"lookahead", "/^(?!mail).*\\.example$/ y\n", "dsl.example", "y"},
    {"lookahead, refused", "/^(?!mail).*\\.example$/ y\n", "mail.example", NULL},
    {"alternation has no piece in common", "/foo|bar/ y\n", "a-bar", "y"},
    {"optional piece", "/^(adsl)?host\\.example$/ y\n", "host.example", "y"},
    {"optional letter", "/colou?rful/ y\n", "colorful", "y"},
    {"counted letter", "/abcd{2}e/ y\n", "abcdde", "y"},
    {"counted to nothing", "/abcd{0,1}efg/ y\n", "abcefg", "y"},
    {"class in the middle", "/abc[def]ghi/ y\n", "xabceghi", "y"},
    {"class with a bracket", "/abc[]x]ghi/ y\n", "xabc]ghi", "y"},
    {"hexadecimal escape", "/ab\\x2ecd/ y\n", "ab.cd", "y"},
    {"quoted text", "/\\Qa.b\\E/ y\n", "a.b", "y"},
    {"options inside", "/(?x) a b c /i y\n", "abc", "y"},
    {"verb", "/(*ACCEPT)never/ y\n", "something", "y"},
    {"value with dollar", "/a/ REJECT $1 is bad\n", "a", "REJECT $1 is bad"},
    {"continuation", "/a/\n   REJECT\n", "a", "REJECT"},
    {"fqrdns.pcre style",
     "/^[0-9]{1,3}(-[0-9]{1,3}){3}\\.dynamic\\.isp\\.example$/ REJECT Generic\n",
     "203-0-113-9.dynamic.isp.example", "REJECT Generic"},
};

static const struct lookup_case regexp_cases[] = {
    {"match", "/^dsl-/ GENERIC\n", "dsl-1.example", "GENERIC"},
    {"caseless by default", "/^DSL/ x\n", "dsl-1", "x"},
    {"i turns caseless off", "/^DSL/i x\n", "dsl-1", NULL},
    {"extended by default", "/^(a|b)+$/ x\n", "abba", "x"},
    {"x: basic", "/^a+$/x x\n", "a+", "x"},
    {"x: basic group", "/^\\(ab\\)\\{2\\}$/x x\n", "abab", "x"},
    {"two patterns", "/example/!/mail/ other\n", "dsl.example", "other"},
    {"two patterns, second holds", "/example/!/mail/ other\n", "mail.example", NULL},
    {"two patterns with flags", "/EXAMPLE/i!/mail/ other\n", "dsl.example", NULL},
    {"negated", "!/example/ other\n", "a.test", "other"},
    {"if", "if /example/\n/^a/ y\nendif\n", "a.example", "y"},
    {"backslash in a class", "/^[\\.]$/ y\n", "\\", "y"},
    {"plus question mark", "/^a+?$/ y\n", "aaa", "y"},
};

static void check_name_case(enum accesstable_type type, const struct lookup_case *c)
{
    struct accesstable *table = load(type, c->text);
    const char *got = accesstable_name(table, c->key);
    if (c->want == NULL)
        ck_assert_msg(got == NULL, "%s: got %s", c->label, got);
    else
        ck_assert_msg(got != NULL && strcmp(got, c->want) == 0, "%s: got %s", c->label,
                      got == NULL ? "nothing" : got);
    accesstable_free(table);
}

START_TEST(test_pcre)
{
    check_name_case(TABLE_PCRE, &pcre_cases[_i]);
}
END_TEST

START_TEST(test_regexp)
{
    check_name_case(TABLE_REGEXP, &regexp_cases[_i]);
}
END_TEST

/* A pattern that takes exponential time, and a subject to match, must cost milliseconds at most. */
START_TEST(test_hostile_pattern)
{
    char subject[200];
    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 2] = '!';
    subject[sizeof subject - 1] = '\0';
    struct accesstable *table = load(TABLE_PCRE, "/^(a+)+$/ x\n/^(a|aa)+$/ y\n/a!/ z\n");
    ck_assert_str_eq(accesstable_name(table, subject), "z");
    ck_assert_uint_gt(accesstable_limit_hits(table), 0);
    accesstable_free(table);
    table = load(TABLE_REGEXP, "/^(a*)*\\1$/ x\n/^((a*)*)*$/ y\n/a!/ z\n");
    ck_assert_str_eq(accesstable_name(table, subject), "z");
    accesstable_free(table);
}
END_TEST

/* The limit is ours, some milliseconds, not the library's, which is far higher. */
START_TEST(test_limit_is_low)
{
    struct accesstable *table = load(TABLE_PCRE, "/^(a+)+$/ x\n");
    ck_assert_ptr_null(accesstable_name(table, "aaaaaaaaaaaaaaaaaaaa!"));
    ck_assert_uint_eq(accesstable_limit_hits(table), 1);
    ck_assert_ptr_null(accesstable_name(table, "aaaaaaaa!"));
    ck_assert_uint_eq(accesstable_limit_hits(table), 1);
    accesstable_free(table);
}
END_TEST

/* A negated pattern that is given up matches nothing either. */
START_TEST(test_limit_is_no_match)
{
    char subject[200];
    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 2] = '!';
    subject[sizeof subject - 1] = '\0';
    struct accesstable *table = load(TABLE_PCRE, "!/^(a+)+$/ x\n");
    ck_assert_ptr_null(accesstable_name(table, subject));
    accesstable_free(table);
}
END_TEST

START_TEST(test_subject_length)
{
    char subject[1200];
    memset(subject, 'a', sizeof subject);
    struct accesstable *table = load(TABLE_PCRE, "/a/ x\n");
    subject[1024] = '\0';
    ck_assert_str_eq(accesstable_name(table, subject), "x");
    subject[1024] = 'a';
    subject[1025] = '\0';
    ck_assert_ptr_null(accesstable_name(table, subject));
    ck_assert_ptr_null(accesstable_name(table, ""));
    accesstable_free(table);
}
END_TEST

/* --- POSIX expressions against the C library's ----------------------------------------------- */

static const char *const posix_patterns[] = {
    "a",
    "ab*c",
    "a+b?c",
    "^abc$",
    "a|b",
    "(a|b)c",
    "(ab)*c",
    "a{2}",
    "a{2,}",
    "a{1,3}b",
    "a{,2}b",
    "[abc]",
    "[^abc]",
    "[a-c]x",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[-a]",
    "[a\\]b]",
    "[[:digit:]]+",
    "[[:alpha:]_-]+",
    "[[.a.]]",
    "[[=a=]]b",
    "\\.",
    "\\-",
    "a\\.b",
    "a**",
    "a+?",
    "a?+",
    "(a+)+",
    "(a*)+b",
    "^(a|^b)",
    "a||b",
    "()",
    "(|a)b",
    "a$|b",
    "^*a",
    "*a",
    "a|*b",
    "(*a)",
    "{1}",
    "a{1",
    "a{x}",
    "a{2,1}",
    "(",
    ")",
    "a)",
    "(a",
    "[",
    "[a",
    "[b-a]",
    "[[:foo:]]",
    "\\",
    "a\\",
    "(a)\\1",
    "(.)(.)\\2\\1",
    "\\<ab",
    "ab\\>",
    "\\bab\\b",
    "a\\B.",
    "\\w+",
    "\\W",
    "\\s",
    "\\S+",
    "\\`a",
    "a\\'",
    ".",
    "..",
    "a.c",
    "x*",
    "^$",
    "$",
    "^",
    "a{0}b",
    "((a)(b))",
    "([a-z]+\\.)+com",
    "^[0-9]{1,3}(-[0-9]{1,3}){3}",
    "#",
    " a",
    "a b",
    "(?:a)",
    "a{2}{2}",
    "(a|ab)(c|bcd)",
    "a{1,2}?",
    "x{2}*",
    "(^a)",
    "(a$)",
    "a^b",
    "a$b",
    "[.]",
    "[*]",
    "[$^]",
    "[\\w]",
    "~!@%&=:;,<>",
    "\"'",
};

static const char *const posix_subjects[] = {
    "",     "a",           "b",       "c",     "ab",   "abc",  "aab",     "aaab",
    "abab", "abcabc",      "aa",      "aaa",   "ba",   "bb",   "abba",    "x",
    "1",    "123",         "1-2-3-4", "a.b",   "a-b",  "a]b",  "\\",      "[",
    "]",    "^",           "$",       "a b",   " a",   "abcd", "foo.com", "mail.foo.com",
    "_",    "a+",          "a*",      "a?",    "a{2}", "{1}",  "(a)",     "a|b",
    "#",    ".",           "*",       "ab cd", "cab",  "w",    "\\w",     "a^b",
    "a$b",  "~!@%&=:;,<>", "\"'",     "xx",    "xxxx", "aaaa", "?:a",
};

static bool pcre_matches(const char *translated, const char *subject)
{
    char line[600];
    snprintf(line, sizeof line, "\001%s\001iE yes\n", translated);
    struct accesstable *table = load(TABLE_PCRE, line);
    bool matches = accesstable_name(table, subject) != NULL;
    accesstable_free(table);
    return matches;
}

static void compare_posix(const char *pattern, bool extended)
{
    char *translated = NULL;
    const char *why = NULL;
    regex_t regex;
    int theirs = regcomp(&regex, pattern, REG_NOSUB | (extended ? REG_EXTENDED : 0));
    enum result ours = ere_translate(pattern, extended, &translated, &why);
    ck_assert_msg((theirs == 0) == (ours == RESULT_OK), "%s (%s): regcomp says %d, we say %d (%s)",
                  pattern, extended ? "extended" : "basic", theirs, (int)ours,
                  why == NULL ? "" : why);
    if (theirs != 0)
        return;
    for (size_t i = 0; i < sizeof posix_subjects / sizeof posix_subjects[0]; i++) {
        const char *subject = posix_subjects[i];
        bool want = regexec(&regex, subject, 0, NULL, 0) == 0;
        bool got = pcre_matches(translated, subject);
        ck_assert_msg(want == got, "%s (%s) as %s on \"%s\": regexec says %d, we say %d", pattern,
                      extended ? "extended" : "basic", translated, subject, want, got);
    }
    regfree(&regex);
    free(translated);
}

START_TEST(test_ere)
{
    compare_posix(posix_patterns[_i], true);
}
END_TEST

static const char *const basic_patterns[] = {
    "a",     "a*",    "*a",         "^*a",      "a\\+",     "a\\?b", "a+",          "a?",
    "a|b",   "a\\|b", "\\(ab\\)*c", "(a)",      "a\\{2\\}", "a{2}",  "a\\{1,2\\}b", "a^b",
    "a$b",   "^a$",   "\\(^a\\)",   "\\(a$\\)", "\\(*a\\)", "\\(a",  "a\\)",        "a\\{2",
    "[a\\]", "\\.",   "\\(a\\)\\1", "a**",      "a\\|*b",
};

START_TEST(test_bre)
{
    compare_posix(basic_patterns[_i], false);
}
END_TEST

/* --- the piece that every match contains ----------------------------------------------------- */

static const struct {
    const char *label, *pattern, *want;
} literal_cases[] = {
    {"plain", "dynamic", "dynamic"},
    {"lower case", "DynaMic", "dynamic"},
    {"longest of two", "^dsl[0-9]+\\.pool\\.example$", ".pool.example"},
    {"escaped dot", "a\\.example\\.org", "a.example.org"},
    {"star takes the letter away", "abcd*", "abc"},
    {"question mark takes the letter away", "abcd?", "abc"},
    {"plus leaves it", "abcd+", "abcd"},
    {"count takes it away", "abcd{0,2}xy", "abc"},
    {"group is skipped", "(foo|bar)\\.example", ".example"},
    {"optional group is skipped", "(foobar)?\\.example", ".example"},
    {"nested groups", "((a)(b[)]))\\.example", ".example"},
    {"alternative on top", "foo|barbar", ""},
    {"dot ends", "abc.defg", "defg"},
    {"class escape ends", "abc\\defgh", "efgh"},
    {"hexadecimal gives up", "abc\\x41defgh", ""},
    {"quoting gives up", "abc\\Qdef\\E", ""},
    {"an end of quoting without its beginning", "abc\\E{0,2}", ""},
    {"inner options give up", "abc(?x)d e f", ""},
    {"verbs give up", "abcdef(*ACCEPT)", ""},
    {"back-reference gives up", "(a)\\1bcdef", ""},
    {"comment gives up", "abc(?#()def", ""},
    {"lookahead is skipped", "(?!mail)\\.example", ".example"},
    {"too short", "ab", ""},
    {"empty", "", ""},
    {"lazy", "abc+?def", "abc"},
    {"unclosed class", "abc[def", ""},
    {"trailing backslash", "abc\\", ""},
};

START_TEST(test_literal)
{
    char got[LITERAL_MAX + 1];
    literal_index_of_pattern(literal_cases[_i].pattern, got);
    ck_assert_msg(strcmp(got, literal_cases[_i].want) == 0, "%s: got \"%s\"",
                  literal_cases[_i].label, got);
}
END_TEST

/* --- texthash -------------------------------------------------------------------------------- */

static const struct lookup_case hash_cases[] = {
    {"name", "mail.example OK\n", "mail.example", "OK"},
    {"case", "Mail.Example OK\n", "MAIL.example", "OK"},
    {"parent", "example.org OK\n", "a.b.example.org", "OK"},
    {"parent with a dot", ".example.org OK\n", "a.b.example.org", "OK"},
    {"dotted form is not the name itself", ".example.org OK\n", "example.org", NULL},
    {"nearest first", "example.org far\nb.example.org near\n", "a.b.example.org", "near"},
    {"other", "example.org OK\n", "example.net", NULL},
    {"end of a label only", "example.org OK\n", "badexample.org", NULL},
    {"value with spaces", "a.example REJECT  not  you\n", "a.example", "REJECT  not  you"},
    {"quoted key", "\"a b\" OK\n", "a b", "OK"},
    {"first of duplicates", "a.example one\na.example two\n", "a.example", "one"},
    {"continuation", "a.example\n OK\n", "a.example", "OK"},
};

START_TEST(test_texthash)
{
    check_name_case(TABLE_TEXTHASH, &hash_cases[_i]);
}
END_TEST

START_TEST(test_texthash_addresses)
{
    static const struct {
        const char *addr, *want;
    } cases[] = {
        {"192.0.2.1", "host"},           {"192.0.2.2", "net"},
        {"192.0.3.1", "class"},          {"10.1.2.3", ""},
        {"2001:db8::1", "six"},          {"2001:db9::1", ""},
        {"2001:db8:1:2:3:4:5:6", "six"},
    };
    struct accesstable *table =
        load(TABLE_TEXTHASH, "192.0.2.1 host\n192.0.2 net\n192.0 class\n2001:db8 six\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ipaddr addr;
        ck_assert(ipaddr_parse(cases[i].addr, &addr) == RESULT_OK);
        const char *got = accesstable_addr(table, &addr);
        ck_assert_str_eq(got == NULL ? "" : got, cases[i].want);
    }
    accesstable_free(table);
}
END_TEST

START_TEST(test_texthash_mail)
{
    static const struct {
        const char *address, *want;
    } cases[] = {
        {"joe@example.org", "person"},
        {"Joe@Example.Org", "person"},
        {"ann@example.org", "domain"},
        {"postmaster@a.test", "local"},
        {"ann@a.test", ""},
        {"", ""},
        {"ann@sub.example.org", "domain"},
    };
    struct accesstable *table =
        load(TABLE_TEXTHASH, "joe@example.org person\nexample.org domain\npostmaster@ local\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = accesstable_mail(table, cases[i].address);
        ck_assert_str_eq(got == NULL ? "" : got, cases[i].want);
    }
    accesstable_free(table);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

static const struct {
    enum accesstable_type type;
    const char *text;
    const char *want; /* after the path */
} error_cases[] = {
    {TABLE_CIDR, "  192.0.2.1 OK\n",
     ":1: white space before the first entry: a line that starts with white space continues the "
     "one before"},
};

START_TEST(test_errors)
{
    struct accesstable *table = NULL;
    char error[ACCESSTABLE_ERROR_MAX] = "", want[ACCESSTABLE_ERROR_MAX];
    write_file(error_cases[_i].text, strlen(error_cases[_i].text));
    enum result status = accesstable_load(error_cases[_i].type, path, &table, error);
    snprintf(want, sizeof want, "%s%s", path, error_cases[_i].want);
    ck_assert_int_ne(status, RESULT_OK);
    ck_assert_ptr_null(table);
    ck_assert_str_eq(error, want);
}
END_TEST

START_TEST(test_hostile_files)
{
    struct accesstable *table = NULL;
    char error[ACCESSTABLE_ERROR_MAX];
    write_file("192.0.2.1\0 OK\n", 14);
    ck_assert(accesstable_load(TABLE_CIDR, path, &table, error) == RESULT_INVALID);
    ck_assert_ptr_nonnull(strstr(error, ":1: a NUL byte; tables are text"));
    ck_assert(accesstable_load(TABLE_CIDR, "/nonexistent/x", &table, error) == RESULT_IO);
    ck_assert_str_eq(error, "/nonexistent/x: No such file or directory");
    ck_assert(accesstable_load(TABLE_CIDR, "/tmp", &table, error) == RESULT_IO);
    ck_assert_str_eq(error, "/tmp: Is a directory");
    ck_assert(accesstable_load(TABLE_CIDR, "/dev/null", &table, error) == RESULT_INVALID);
    ck_assert_str_eq(error, "/dev/null: not a regular file");
    ck_assert(accesstable_load(TABLE_CIDR, "", &table, error) == RESULT_INVALID);
    ck_assert_str_eq(error, "no file name");
    ck_assert(accesstable_load(TABLE_CIDR, "/dev/zero", &table, error) == RESULT_INVALID);
    char nested[100 * 16] = "";
    for (int i = 0; i < 100; i++)
        strcat(nested, "if 0.0.0.0/0\n");
    write_file(nested, strlen(nested));
    ck_assert(accesstable_load(TABLE_CIDR, path, &table, error) == RESULT_LIMIT);
    ck_assert_ptr_nonnull(strstr(error, ":65: if nested deeper than 64"));
}
END_TEST

#define PASSED_OVER "; the line is passed over"

/* What Postfix takes with a warning. */
static const struct {
    const char *label;
    enum accesstable_type type;
    const char *text, *want; /* less the file's name */
} hardly_meant[] = {
    {"rule on the line of an if", TABLE_PCRE, "if /dynamic/\n  /./ REJECT\nendif\n",
     ":1: \"/./ REJECT\" behind the pattern of an if means nothing: a rule begins at the start of "
     "a "
     "line"},
    {"regexp too", TABLE_REGEXP, "/a/ OK\nif /dynamic/ /./ REJECT\nendif\n",
     ":2: \"/./ REJECT\" behind the pattern of an if means nothing: a rule begins at the start of "
     "a "
     "line"},
    {"text behind endif", TABLE_PCRE, "if /a/\nendif /b/ OK\n",
     ":2: \"/b/ OK\" behind endif means nothing"},
    {"cidr without a result", TABLE_CIDR, "192.0.2.0/25\n192.0.2.0/24 OK\n",
     ":1: \"192.0.2.0/25\" has no result and is passed over"},
    {"cidr rule on the line of an if", TABLE_CIDR, "if 192.0.2.0/24 192.0.2.5 OK\nendif\n",
     ":1: \"192.0.2.0/24 192.0.2.5 OK\" behind if is no network: the if is passed over, and what "
     "is "
     "inside of it holds for all"},
    {"a digit of Perl", TABLE_REGEXP, "/^a\\d+/ OK\n",
     ":1: found \"^a\\x5cd+\"; a backslash before a letter is that letter in POSIX, d for example "
     "and "
     "no digit; [0-9] and [[:digit:]] are digits, and pcre: tables have Perl's escapes"},
    {"lazy as in Perl", TABLE_REGEXP, "if /a.*?b/\nendif\n",
     ":1: found \"a.*?b\"; \"?\" or \"+\" behind a repetition repeats it once more in POSIX, and "
     "makes "
     "it neither lazy nor possessive"},
    {"pcre without a result", TABLE_PCRE, "/a/ OK\n/b/\n",
     ":2: \"b\" has no result: it ends the search and fits nobody"},
    {"regexp without a result", TABLE_REGEXP, "/a/!/b/ \n",
     ":1: \"a\" has no result: it ends the search and fits nobody"},
    {"a byte order mark", TABLE_PCRE, "\xef\xbb\xbf/a/ OK\n",
     ":1: the byte order mark is passed over; to Postfix it is part of the first line"},
    {"a domain as virtual(5) has it", TABLE_TEXTHASH, "a.example OK\n@Example.org OK\n",
     ":2: \"@example.org\" is never looked up: a domain stands without @"},
    {"brackets", TABLE_TEXTHASH, "<> OK\n<a@example.org> OK\n",
     ":2: \"<a@example.org>\" is never looked up: an address stands without < and >"},
    {"a wildcard", TABLE_TEXTHASH, "*.example.org OK\n",
     ":1: \"*.example.org\" is never looked up: * stands for nothing else, and the parent domain "
     "for all below it"},
    {"an expression", TABLE_TEXTHASH, "/example/ OK\n",
     ":1: \"/example/\" is never looked up: expressions are for pcre: and regexp:"},
    {"as aliases(5) has it", TABLE_TEXTHASH, "a@example.org: OK\n",
     ":1: \"a@example.org:\" is never looked up: no colon stands between key and value"},
    {"a trailing dot", TABLE_TEXTHASH, "example.org. OK\n",
     ":1: \"example.org.\" is never looked up: names stand without a trailing dot"},
    {"keys of access(5)", TABLE_TEXTHASH, "user@ OK\n.example.org OK\n192.0.2 OK\n2001:db8 OK\n",
     NULL},
    {"a mistake", TABLE_CIDR, "\n192.0.2.1/24 OK\n",
     ":2: found \"192.0.2.1/24\"; allowed: an address or a network such as 192.0.2.0/24 or "
     "2001:db8::/32 without bits set after the prefix, with '!' in front to negate" PASSED_OVER},
    {"a mistake", TABLE_CIDR, "mail.example OK\n",
     ":1: found \"mail.example\"; allowed: an address or a network such as 192.0.2.0/24 or "
     "2001:db8::/32 without bits set after the prefix, with '!' in front to negate" PASSED_OVER},
    {"a mistake", TABLE_CIDR, "[192.0.2.1 OK\n",
     ":1: found \"[192.0.2.1\"; allowed: an address or a network such as 192.0.2.0/24 or "
     "2001:db8::/32 without bits set after the prefix, with '!' in front to negate" PASSED_OVER},
    {"a mistake", TABLE_CIDR, "if 192.0.2.0/24\n192.0.2.1 OK\n", ":1: if without endif"},
    {"a mistake", TABLE_CIDR, "192.0.2.1 OK\nendif\n", ":2: endif without if"},
    {"a mistake", TABLE_PCRE, "/a/ x\ndsl OK\n",
     ":2: found \"dsl OK\"; allowed: /pattern/flags value, !/pattern/flags value, if "
     "/pattern/flags, endif" PASSED_OVER},
    {"a mistake", TABLE_PCRE, "/abc OK\n",
     ":1: found \"/abc OK\"; no closing delimiter \"/\"" PASSED_OVER},
    {"a mistake", TABLE_PCRE, "/abc\\\n",
     ":1: found \"/abc\\x5c\"; no closing delimiter \"/\"" PASSED_OVER},
    {"a mistake", TABLE_PCRE, "/abc/q OK\n",
     ":1: found flag \"q\"; allowed: i m s x A E U X" PASSED_OVER},
    {"a mistake", TABLE_PCRE, "\n\n/a(b/ OK\n",
     ":3: found \"a(b\"; at character 4: missing closing parenthesis" PASSED_OVER},
    {"a mistake", TABLE_PCRE, "if /a/\nif /b/\nendif\n", ":1: if without endif"},
    {"a mistake", TABLE_PCRE, "!\n",
     ":1: found \"\"; allowed: /pattern/flags value, !/pattern/flags value, if /pattern/flags, "
     "endif" PASSED_OVER},
    {"a mistake", TABLE_REGEXP, "/abc/s OK\n", ":1: found flag \"s\"; allowed: i m x" PASSED_OVER},
    {"a mistake", TABLE_REGEXP, "/a(b/ OK\n", ":1: found \"a(b\"; '(' without ')'" PASSED_OVER},
    {"a mistake", TABLE_REGEXP, "/a/!/b OK\n",
     ":1: found \"/b OK\"; no closing delimiter \"/\"" PASSED_OVER},
    {"a mistake", TABLE_TEXTHASH, "key\n",
     ":1: found \"key\"; allowed: key, white space, value" PASSED_OVER},
    {"a mistake", TABLE_TEXTHASH, "\"key value\n",
     ":1: found \"\"key value\"; allowed: key, white space, value" PASSED_OVER},
    {"a mistake in an if", TABLE_PCRE, "if /a(b/\n/b/ OK\nendif\n",
     ":1: found \"a(b\"; at character 4: missing closing parenthesis; the if is passed over, and "
     "what is "
     "inside of it holds for all"},
    {"what GNU has besides", TABLE_REGEXP, "/\\w\\W\\s\\S\\b\\B\\<\\>\\.(a)\\1/ OK\n", NULL},
    {"Perl", TABLE_PCRE, "/\\d.*?/ OK\n", NULL},
    {"nothing", TABLE_PCRE, "if /a/\n/b/ OK\nendif\n", NULL},
};

START_TEST(test_hardly_meant)
{
    struct accesstable *table = load(hardly_meant[_i].type, hardly_meant[_i].text);
    const struct accesstable_warning *warning = accesstable_warning(table, 0);
    ck_assert_msg((warning != NULL) == (hardly_meant[_i].want != NULL), "%s",
                  hardly_meant[_i].label);
    if (warning != NULL)
        ck_assert_str_eq(strchr(warning->text, ':'), hardly_meant[_i].want);
    ck_assert_ptr_null(accesstable_warning(table, 1));
    accesstable_free(table);
}
END_TEST

/* What is around a line that is passed over holds, and one that was half compiled leaves nothing.
 */
START_TEST(test_passed_over)
{
    struct accesstable *table =
        load(TABLE_PCRE, "/^a/ OK\n/b(/ OK\n/^c/ REJECT\nif /(/\n/^d/ OK\nendif\nendif\n/^e/ OK\n");
    ck_assert_str_eq(accesstable_name(table, "a.example"), "OK");
    ck_assert_ptr_null(accesstable_name(table, "b(.example"));
    ck_assert_str_eq(accesstable_name(table, "c.example"), "REJECT");
    ck_assert_str_eq(accesstable_name(table, "d.example"), "OK");
    ck_assert_str_eq(accesstable_name(table, "e.example"), "OK");
    ck_assert_ptr_nonnull(accesstable_warning(table, 2));
    ck_assert_ptr_null(accesstable_warning(table, 3));
    accesstable_free(table);
    table = load(TABLE_REGEXP, "/^a/!/b(/ OK\n/^a/ REJECT\n");
    ck_assert_str_eq(accesstable_name(table, "a.example"), "REJECT");
    accesstable_free(table);
    table =
        load(TABLE_CIDR, "192.0.2.1/24 OK\n192.0.2.0/24 REJECT\nif 192.0.2.0/24\n192.0.2.9 OK\n");
    ck_assert_ptr_nonnull(accesstable_warning(table, 1));
    ck_assert(accesstable_warning(table, 0)->lost && accesstable_warning(table, 1)->lost);
    accesstable_free(table);
    table = load(TABLE_CIDR, "192.0.2.0/24 OK\nendif\n");
    ck_assert(accesstable_warning(table, 0)->lost);
    accesstable_free(table);
    /* What is lost is among those that are kept. */
    table = load(TABLE_TEXTHASH, "@a O\n@b O\n@c O\n@d O\n@e O\nlonely\n");
    ck_assert(accesstable_warning(table, 3)->lost && !accesstable_warning(table, 2)->lost);
    accesstable_free(table);
    table = load(TABLE_TEXTHASH, "lonely\na.example OK\n");
    ck_assert_str_eq(accesstable_name(table, "a.example"), "OK");
    ck_assert_ptr_null(accesstable_name(table, "lonely"));
    accesstable_free(table);
}
END_TEST

START_TEST(test_null_sender)
{
    struct accesstable *table = load(TABLE_TEXTHASH, "<> OK\n");
    ck_assert_str_eq(accesstable_mail(table, ""), "OK");
    ck_assert_ptr_null(accesstable_mail(table, "a@example.org"));
    accesstable_free(table);
    table = load(TABLE_TEXTHASH, "\"john doe@example.org\" OK\n");
    ck_assert_str_eq(accesstable_mail(table, "\"john doe\"@example.org"), "OK");
    ck_assert_str_eq(accesstable_mail(table, "\"john\\ doe\"@example.org"), "OK");
    ck_assert_ptr_null(accesstable_mail(table, "\"john\"@example.org"));
    accesstable_free(table);
    table = load(TABLE_PCRE, "/^a b@/ OK\n/^\"c d\"@/ REJECT\n");
    ck_assert_str_eq(accesstable_mail(table, "\"a b\"@example.org"), "OK");
    ck_assert_str_eq(accesstable_mail(table, "\"c d\"@example.org"), "REJECT");
    accesstable_free(table);
    table = load(TABLE_PCRE, "/^<>$/ OK\n");
    ck_assert_str_eq(accesstable_mail(table, ""), "OK");
    accesstable_free(table);
}
END_TEST

START_TEST(test_changed)
{
    struct accesstable *table = load(TABLE_CIDR, "192.0.2.1 OK\n");
    bool unseen = false;
    ck_assert(!accesstable_changed(table, &unseen));
    write_file("192.0.2.1 OK\n192.0.2.2 OK\n", 26);
    uint64_t version = accesstable_changed(table, &unseen);
    ck_assert(version != 0);
    ck_assert_msg(accesstable_changed(table, &unseen) == version,
                  "looked at twice, it is one version");
    write_file("192.0.2.1 OK\n192.0.2.2 OK\n\n", 27);
    ck_assert(accesstable_changed(table, &unseen) != 0 &&
              accesstable_changed(table, &unseen) != version);
    ck_assert(!unseen);
    unlink(path);
    ck_assert_msg(accesstable_changed(table, &unseen) == 0 && unseen,
                  "a file that is gone is no new version");
    accesstable_free(table);
    write_file("", 0);
}
END_TEST

START_TEST(test_spec)
{
    enum accesstable_type type;
    const char *where;
    ck_assert(accesstable_spec("pcre:/a", &type, &where) && type == TABLE_PCRE);
    ck_assert_str_eq(where, "/a");
    ck_assert(accesstable_spec("texthash:x", &type, &where) && type == TABLE_TEXTHASH);
    ck_assert(!accesstable_spec("hash:/a", &type, &where));
    ck_assert(!accesstable_spec("2001:db8::1", &type, &where));
    ck_assert(accesstable_lists("REJECT x", SENSE_ANY) && accesstable_lists("OK", SENSE_ANY) &&
              accesstable_lists("permit", SENSE_ANY));
    ck_assert(!accesstable_lists("DUNNO", SENSE_ANY) && !accesstable_lists("dunno x", SENSE_ANY) &&
              !accesstable_lists("", SENSE_ANY));
    ck_assert(accesstable_lists("dunnoo", SENSE_ANY));
    static const char *const refuse[] = {
        "REJECT",       "reject spam",     "DISCARD x",
        "Defer",        "DEFER_IF_PERMIT", "defer_if_reject x",
        "550",          "450 4.7.1 x",     "reject_unknown_client_hostname",
        "reject,permit"};
    static const char *const permit[] = {"OK",         "permit", "1",
                                         "1234567890", "Ok x",   "permit_mynetworks, reject"};
    for (size_t i = 0; i < sizeof refuse / sizeof refuse[0]; i++) {
        ck_assert_msg(accesstable_lists(refuse[i], SENSE_REFUSES), "%s", refuse[i]);
        ck_assert_msg(!accesstable_lists(refuse[i], SENSE_PERMITS), "%s", refuse[i]);
    }
    for (size_t i = 0; i < sizeof permit / sizeof permit[0]; i++) {
        ck_assert_msg(!accesstable_lists(permit[i], SENSE_REFUSES), "%s", permit[i]);
        ck_assert_msg(accesstable_lists(permit[i], SENSE_PERMITS), "%s", permit[i]);
    }
    /* What says neither is listed in any sense. */
    ck_assert(accesstable_lists("partner", SENSE_PERMITS) &&
              accesstable_lists("dial-up", SENSE_REFUSES) &&
              accesstable_lists("rejected", SENSE_PERMITS));
}
END_TEST

/* EHLO names that are addresses. */
START_TEST(test_cidr_names)
{
    struct accesstable *table = load(TABLE_CIDR, "192.0.2.0/24 OK\n2001:db8::/32 SIX\n");
    ck_assert_str_eq(accesstable_name(table, "192.0.2.1"), "OK");
    ck_assert_str_eq(accesstable_name(table, "[192.0.2.1]"), "OK");
    ck_assert_str_eq(accesstable_name(table, "[IPv6:2001:db8::1]"), "SIX");
    ck_assert_ptr_null(accesstable_name(table, "mail.example"));
    ck_assert_ptr_null(accesstable_name(table, "[]"));
    accesstable_free(table);
}
END_TEST

#define LOOP(tcase, test, cases)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof cases / sizeof cases[0]))

int main(void)
{
    Suite *suite = suite_create("accesstable");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, make_path, remove_path);
    tcase_set_timeout(tcase, 60);
    LOOP(tcase, test_cidr, cidr_cases);
    tcase_add_test(tcase, test_cidr_random);
    tcase_add_test(tcase, test_cidr_names);
    LOOP(tcase, test_pcre, pcre_cases);
    LOOP(tcase, test_regexp, regexp_cases);
    tcase_add_test(tcase, test_hostile_pattern);
    tcase_add_test(tcase, test_limit_is_low);
    tcase_add_test(tcase, test_limit_is_no_match);
    tcase_add_test(tcase, test_subject_length);
    LOOP(tcase, test_ere, posix_patterns);
    LOOP(tcase, test_bre, basic_patterns);
    LOOP(tcase, test_literal, literal_cases);
    LOOP(tcase, test_texthash, hash_cases);
    tcase_add_test(tcase, test_texthash_addresses);
    tcase_add_test(tcase, test_texthash_mail);
    LOOP(tcase, test_errors, error_cases);
    tcase_add_test(tcase, test_hostile_files);
    tcase_add_test(tcase, test_changed);
    tcase_add_test(tcase, test_passed_over);
    tcase_add_test(tcase, test_null_sender);
    tcase_add_loop_test(tcase, test_hardly_meant, 0,
                        (int)(sizeof hardly_meant / sizeof hardly_meant[0]));
    tcase_add_test(tcase, test_spec);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
