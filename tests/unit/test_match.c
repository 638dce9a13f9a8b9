/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns, networks and match blocks: what fits whom. */
#include "factstext.h"
#include "site/match.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- patterns -------------------------------------------------------------------------------- */

static const struct {
    const char *label;
    enum pattern_kind kind;
    const char *pattern, *text;
    bool want;
} pattern_cases[] = {
    {"exact", PATTERN_HOST, "mail.example.org", "mail.example.org", true},
    {"exact, other", PATTERN_HOST, "mail.example.org", "mail2.example.org", false},
    {"not below", PATTERN_HOST, "example.org", "mail.example.org", false},
    {"case", PATTERN_HOST, "Mail.Example.ORG", "mail.example.org", true},
    {"case of the text", PATTERN_HOST, "mail.example.org", "MAIL.example.org", true},
    {"trailing dot in the pattern", PATTERN_HOST, "mail.example.org.", "mail.example.org", true},
    {"trailing dot in the text", PATTERN_HOST, "mail.example.org", "mail.example.org.", true},
    {"suffix", PATTERN_HOST, ".example.org", "a.b.example.org", true},
    {"suffix, itself", PATTERN_HOST, ".example.org", "example.org", true},
    {"suffix, inside a label", PATTERN_HOST, ".example.org", "badexample.org", false},
    {"top level", PATTERN_HOST, ".org", "example.org", true},
    {"wildcard", PATTERN_HOST, "*.example.org", "a.b.example.org", true},
    {"wildcard, itself", PATTERN_HOST, "*.example.org", "example.org", false},
    {"wildcard inside", PATTERN_HOST, "mail*.example.org", "mail17.example.org", true},
    {"wildcard for nothing", PATTERN_HOST, "mail*.example.org", "mail.example.org", true},
    {"two wildcards", PATTERN_HOST, "*dsl*.example.org", "adsl-7.example.org", true},
    {"two wildcards, no", PATTERN_HOST, "*dsl*.example.org", "cable-7.example.org", false},
    {"wildcard alone", PATTERN_HOST, "*", "anything", true},
    {"backtracking", PATTERN_HOST, "*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
    {"one label", PATTERN_HOST, "localhost", "localhost", true},
    {"literal", PATTERN_HOST, "[192.0.2.1]", "[192.0.2.1]", true},
    {"bare address", PATTERN_HOST, "192.0.2.1", "192.0.2.1", true},
    {"underscore", PATTERN_HOST, "_x.example", "_x.example", true},
    {"hostile text", PATTERN_HOST, "mail.example.org", "mail\r\n.example.org", false},
    {"empty text", PATTERN_HOST, "mail.example.org", "", false},

    {"address", PATTERN_MAIL, "user@example.org", "User@Example.org", true},
    {"address, other domain", PATTERN_MAIL, "user@example.org", "user@example.net", false},
    {"local part", PATTERN_MAIL, "postmaster", "Postmaster@example.org", true},
    {"local part alone", PATTERN_MAIL, "postmaster", "postmaster", true},
    {"UTF-8", PATTERN_MAIL, "b\u00fcro@b\u00fccher.example", "b\u00fcro@xn--bcher-kva.example",
     true},
    {"UTF-8 local part", PATTERN_MAIL, "b\u00fcro", "b\u00fcro@example.org", true},
    {"local part, longer", PATTERN_MAIL, "post", "postmaster@example.org", false},
    {"domain", PATTERN_MAIL, "example.org", "a@example.org", true},
    {"domain, below", PATTERN_MAIL, "example.org", "a@b.example.org", false},
    {"domain is no local part", PATTERN_MAIL, "example.org", "example.org@a.test", false},
    {"below", PATTERN_MAIL, ".example.org", "a@b.example.org", true},
    {"below, itself", PATTERN_MAIL, ".example.org", "a@example.org", true},
    {"null sender in brackets", PATTERN_MAIL, "<>", "", true},
    {"null sender in brackets, some sender", PATTERN_MAIL, "<>", "a@example.org", false},
    {"address in brackets", PATTERN_MAIL, "<A@Example.org>", "a@example.org", true},
    {"address in brackets, another", PATTERN_MAIL, "<a@example.org>", "b@example.org", false},
    {"@domain", PATTERN_MAIL, "@Example.org", "b@example.org", true},
    {"<@domain>", PATTERN_MAIL, "<@Example.org>", "b@example.org", true},
    {"<.domain>", PATTERN_MAIL, "<.example.org>", "b@a.example.org", true},
    {"@domain of U-labels", PATTERN_MAIL, "@m\xc3\xbcller.example", "b@xn--mller-kva.example",
     true},
    {"@domain, below", PATTERN_MAIL, "@example.org", "b@a.example.org", false},
    {"@domain, inside a label", PATTERN_MAIL, "@example.org", "b@badexample.org", false},
    {"a quoted word", PATTERN_MAIL, "\"user\"@Example.ORG.", "user@example.org", true},
    {"an address of U-labels", PATTERN_MAIL, "user@m\xc3\xbcller.example",
     "user@xn--mller-kva.example", true},
    {"a domain of U-labels", PATTERN_MAIL, "m\xc3\xbcller.example", "user@xn--mller-kva.example",
     true},
    {"below a domain of U-labels", PATTERN_MAIL, ".m\xc3\xbcller.example",
     "user@mail.xn--mller-kva.example", true},
    {"a host of U-labels", PATTERN_HOST, "m\xc3\xbcller.example", "xn--mller-kva.example", true},
    {"wildcard address", PATTERN_MAIL, "bounce-*@example.org", "bounce-17@example.org", true},
    {"wildcard address, no", PATTERN_MAIL, "bounce-*@example.org", "bounce@example.org", false},
    {"wildcard domain", PATTERN_MAIL, "*.example.org", "x@a.example.org", true},
    {"wildcard domain is no local part", PATTERN_MAIL, "x*", "xyz@a.test", false},
    {"null sender", PATTERN_MAIL, "", "", true},
    {"null sender is not everybody", PATTERN_MAIL, "", "a@b.c", false},
    {"everybody but the null sender", PATTERN_MAIL, "*@*", "", false},
    {"everybody", PATTERN_MAIL, "*@*", "a@b.c", true},
    {"a wildcard user of a wildcard domain", PATTERN_MAIL, "a*@*.b.c", "ab@x.b.c", true},
    {"a local part that needs its quotes", PATTERN_MAIL, "\"a,b\"@b.c", "\"a,b\"@b.c", true},
    {"a bang path", PATTERN_MAIL, "host!user@b.c", "host!user@b.c", true},
    {"a bounce's local part", PATTERN_MAIL, "prvs=1/a+b=c@b.c", "prvs=1/a+b=c@b.c", true},
    {"a domain literal", PATTERN_MAIL, "a@[192.0.2.1]", "a@[192.0.2.1]", true},
    {"a literal as the domain", PATTERN_MAIL, "[192.0.2.1]", "a@[192.0.2.1]", true},
    {"blanks around", PATTERN_MAIL, " a@b.c ", "a@b.c", true},
    {"a word with a colon", PATTERN_WORD, "10.0.0.1:smtp", "10.0.0.1:smtp", true},
    {"last at sign", PATTERN_MAIL, "example.org", "\"a@b\"@example.org", true},

    {"word", PATTERN_WORD, "smtpd", "smtpd", true},
    {"word, no", PATTERN_WORD, "smtpd", "smtpd2", false},
    {"word wildcard", PATTERN_WORD, "smtp*", "smtpd2", true},
    {"word dot stays", PATTERN_WORD, "a.", "a.", true},
};

START_TEST(test_pattern)
{
    char error[ACCESSTABLE_ERROR_MAX];
    struct pattern_list *list = NULL;
    size_t bad;
    ck_assert(pattern_list_new(pattern_cases[_i].kind, &pattern_cases[_i].pattern, 1, &list, &bad,
                               error) == RESULT_OK);
    const char *found = pattern_list_find(list, pattern_cases[_i].text);
    ck_assert_msg((found != NULL) == pattern_cases[_i].want, "%s", pattern_cases[_i].label);
    if (found != NULL)
        ck_assert_str_eq(found, pattern_cases[_i].pattern);
    pattern_list_free(list);
}
END_TEST

static const struct {
    enum pattern_kind kind;
    const char *pattern;
    bool explained; /* why, and not only what is allowed */
} bad_patterns[] = {
    {PATTERN_HOST, "", false},
    {PATTERN_HOST, "a b", false},
    {PATTERN_HOST, "a..b", false},
    {PATTERN_HOST, "a/b", false},
    {PATTERN_HOST, ".", false},
    {PATTERN_HOST, "..a", false},
    {PATTERN_HOST, "a@b", false},
    {PATTERN_HOST, "\303\244..example", false},
    {PATTERN_MAIL, "a@", false},
    {PATTERN_MAIL, "a b@c", false},
    {PATTERN_MAIL, ".a..b", false},
    {PATTERN_MAIL, "a\r\n@b.c", false},
    {PATTERN_WORD, "", false},
    {PATTERN_WORD, "a b", false},
    {PATTERN_MAIL, "<@>", false},
    {PATTERN_MAIL, "<a@b.c", false},
    {PATTERN_MAIL, "a@b.c>", false},
    {PATTERN_MAIL, "<<a@b.c>>", false},
    {PATTERN_MAIL, "<", false},
    {PATTERN_MAIL, "<bob@>", false},
    {PATTERN_MAIL, "A <a@b.c>", false},
    {PATTERN_MAIL, "<@a.example:>", false},
    /* What would never match. */
    {PATTERN_MAIL, "mailto:a@b.c", false},
    {PATTERN_MAIL, "a@b.c,d@e.f", false},
    {PATTERN_MAIL, "a@b@c.example", false},
    {PATTERN_MAIL, "a(x)@b.c", false},
    {PATTERN_MAIL, "!a@b.c", false},
    {PATTERN_MAIL, "!b.example", false},
    {PATTERN_MAIL, "^a@b.c", false},
    {PATTERN_MAIL, "a@b.c$", false},
    {PATTERN_MAIL, "/@b.c$/", true},
    {PATTERN_MAIL, "^.*@b.c$", false},
    {PATTERN_MAIL, "b.example$", false},
    {PATTERN_MAIL, "a@.b.example", false},
    {PATTERN_MAIL, "*@.b/example", false},
    {PATTERN_MAIL, "a@b..c", false},
    {PATTERN_MAIL, "b.example:", false},
    {PATTERN_MAIL, "x*,y", false},
    {PATTERN_MAIL, "hash:/etc/x", true},
    {PATTERN_MAIL, "lmdb:x", true},
    {PATTERN_MAIL, "PCRE:/etc/x", true},
    {PATTERN_MAIL, "proxy:texthash:/etc/x", true},
    {PATTERN_MAIL, "/etc/postfix/x", true},
    {PATTERN_MAIL, "/etc/postfix/x.y", true},
    {PATTERN_HOST, "hash:/etc/x", true},
    {PATTERN_HOST, "/dyn/", true},
    {PATTERN_WORD, "hash:/etc/x", true},
    {PATTERN_WORD, "Regexp:x", true},
};

START_TEST(test_bad_pattern)
{
    const char *words[] = {"good", bad_patterns[_i].pattern};
    char error[ACCESSTABLE_ERROR_MAX] = "x";
    struct pattern_list *list = NULL;
    size_t bad = 0;
    ck_assert_msg(pattern_list_new(bad_patterns[_i].kind, words, 2, &list, &bad, error) ==
                      RESULT_INVALID,
                  "\"%s\"", bad_patterns[_i].pattern);
    ck_assert_uint_eq(bad, 1);
    ck_assert_msg((error[0] != '\0') == bad_patterns[_i].explained, "%s: %s",
                  bad_patterns[_i].pattern, error);
    ck_assert_ptr_null(list);
}
END_TEST

static const struct {
    const char *label;
    enum pattern_kind kind;
    const char *wide, *narrow;
    bool want;
} cover_cases[] = {
    {"the same", PATTERN_HOST, "a.example", "a.example", true},
    {"another", PATTERN_HOST, "a.example", "b.example", false},
    {"a name below", PATTERN_HOST, ".a.example", "x.a.example", true},
    {"the name itself", PATTERN_HOST, ".a.example", "a.example", true},
    {"a domain below", PATTERN_HOST, ".a.example", ".x.a.example", true},
    {"a domain above", PATTERN_HOST, ".x.a.example", ".a.example", false},
    {"no label of it", PATTERN_HOST, ".a.example", "ba.example", false},
    {"everything", PATTERN_HOST, "*", ".a.example", true},
    {"a run and the domain itself", PATTERN_HOST, "*.a.example", ".a.example", false},
    {"a run below", PATTERN_HOST, ".a.example", "*.x.a.example", true},
    {"a run beside", PATTERN_HOST, ".a.example", "*a.example", false},
    {"a run within a run", PATTERN_HOST, "mx*.example", "mx1*.example", true},
    {"a run without", PATTERN_HOST, "mx1*.example", "mx*.example", false},
    {"an address of the domain", PATTERN_MAIL, "@a.example", "x@a.example", true},
    {"an address of no such domain", PATTERN_MAIL, "@a.example", "x@b.a.example", false},
    {"a domain below a domain", PATTERN_MAIL, ".a.example", "b.a.example", true},
    {"a local part of a domain", PATTERN_MAIL, "postmaster", "postmaster@a.example", true},
    {"a domain of a local part", PATTERN_MAIL, "postmaster@a.example", "postmaster", false},
    {"all of a domain", PATTERN_MAIL, "*@a.example", "@a.example", true},
    {"some of a domain", PATTERN_MAIL, "b*@a.example", "@a.example", false},
    {"a run in a domain", PATTERN_MAIL, ".a.example", "b*@x.a.example", true},
    {"the null sender", PATTERN_MAIL, "@a.example", "<>", false},
    {"a word", PATTERN_WORD, "smtp*", "smtpd", true},
};

START_TEST(test_covers)
{
    char error[ACCESSTABLE_ERROR_MAX];
    struct pattern_list *wide = NULL, *narrow = NULL;
    size_t bad, left = 1;
    enum pattern_kind kind = cover_cases[_i].kind;
    ck_assert(pattern_list_new(kind, &cover_cases[_i].wide, 1, &wide, &bad, error) == RESULT_OK);
    ck_assert(pattern_list_new(kind, &cover_cases[_i].narrow, 1, &narrow, &bad, error) ==
              RESULT_OK);
    ck_assert_msg(pattern_list_covers(wide, narrow, &left) == cover_cases[_i].want, "%s",
                  cover_cases[_i].label);
    left = 0;
    ck_assert(!pattern_list_covers(wide, narrow, &left));
    pattern_list_free(wide);
    pattern_list_free(narrow);
}
END_TEST

/* A long text is no name, but tables see all of it that can mean something. */
START_TEST(test_long_text)
{
    static const char *const words[] = {"*"};
    char error[ACCESSTABLE_ERROR_MAX], text[5001];
    struct pattern_list *list = NULL;
    size_t bad;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert(pattern_list_new(PATTERN_HOST, words, 1, &list, &bad, error) == RESULT_OK);
    ck_assert_ptr_null(pattern_list_find(list, text));
    text[1000] = '\0';
    ck_assert_ptr_nonnull(pattern_list_find(list, text));
    pattern_list_free(list);
    pattern_list_free(NULL);
    net_list_free(NULL);
}
END_TEST

/* --- networks and files ---------------------------------------------------------------------- */

static char path[] = "test_match.tmp.XXXXXX";

static void write_table(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_table(void)
{
    strcpy(path, "test_match.tmp.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_table(void)
{
    unlink(path);
}

START_TEST(test_networks)
{
    static const struct {
        const char *addr;
        bool want;
    } cases[] = {
        {"192.0.2.1", true},    {"192.0.3.1", false},   {"2001:db8::1", true},
        {"2001:db9::1", false}, {"198.51.100.7", true}, {"198.51.100.8", false},
        {"203.0.113.1", true},  {"203.0.113.2", false}, /* DUNNO in the table */
    };
    char spec[64], error[ACCESSTABLE_ERROR_MAX];
    struct net_list *list = NULL;
    size_t bad, count;
    write_table("203.0.113.2 DUNNO\n203.0.113.0/24 OK\n");
    snprintf(spec, sizeof spec, "cidr:%s", path);
    const char *words[] = {"192.0.2.0/24", "2001:db8::/32", spec, "198.51.100.7"};
    ck_assert(net_list_new(words, 4, &list, &bad, error) == RESULT_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ipaddr addr;
        ck_assert(ipaddr_parse(cases[i].addr, &addr) == RESULT_OK);
        ck_assert_msg(net_list_has(list, &addr) == cases[i].want, "%s", cases[i].addr);
    }
    struct ipaddr none = {.family = IP_NONE};
    ck_assert(!net_list_has(list, &none));
    bool unseen = false;
    ck_assert(!net_list_changed(list, &unseen));
    write_table("203.0.113.0/24 OK\n");
    ck_assert(net_list_changed(list, &unseen));
    const char *const *kept = net_list_words(list, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_str_eq(kept[2], spec);
    net_list_free(list);
}
END_TEST

START_TEST(test_pattern_file)
{
    char spec[64], error[ACCESSTABLE_ERROR_MAX];
    struct pattern_list *list = NULL;
    size_t bad;
    write_table("/^good\\./ DUNNO\n/\\.isp\\.example$/ REJECT\n");
    snprintf(spec, sizeof spec, "pcre:%s", path);
    const char *words[] = {"mail.example", spec};
    ck_assert(pattern_list_new(PATTERN_HOST, words, 2, &list, &bad, error) == RESULT_OK);
    ck_assert_str_eq(pattern_list_find(list, "dsl.isp.example"), spec);
    ck_assert_ptr_null(pattern_list_find(list, "good.isp.example"));
    ck_assert_str_eq(pattern_list_find(list, "mail.example"), "mail.example");
    bool unseen = false;
    ck_assert(!pattern_list_changed(list, &unseen));
    write_table("/x/ y\n");
    ck_assert(pattern_list_changed(list, &unseen));
    pattern_list_free(list);
}
END_TEST

/* --- blocks ---------------------------------------------------------------------------------- */

/* One condition a word; NULL: not set. */
struct block_text {
    const char *client, *ptr, *unconfirmed_ptr, *helo, *sender, *recipient, *listener;
    int64_t until_s;
};

static struct pattern_list *patterns(enum pattern_kind kind, const char *word)
{
    char error[ACCESSTABLE_ERROR_MAX];
    struct pattern_list *list = NULL;
    size_t bad;
    if (word != NULL)
        ck_assert(pattern_list_new(kind, &word, 1, &list, &bad, error) == RESULT_OK);
    return list;
}

static void make_block(const struct block_text *text, struct match *out)
{
    char error[ACCESSTABLE_ERROR_MAX];
    size_t bad;
    *out = (struct match){.until_s = text->until_s};
    if (text->client != NULL)
        ck_assert(net_list_new(&text->client, 1, &out->client, &bad, error) == RESULT_OK);
    out->ptr = patterns(PATTERN_HOST, text->ptr);
    out->unconfirmed_ptr = patterns(PATTERN_HOST, text->unconfirmed_ptr);
    out->helo = patterns(PATTERN_HOST, text->helo);
    out->sender = patterns(PATTERN_MAIL, text->sender);
    out->recipient = patterns(PATTERN_MAIL, text->recipient);
    out->listener = patterns(PATTERN_WORD, text->listener);
}

static void free_block(struct match *match)
{
    net_list_free(match->client);
    pattern_list_free(match->ptr);
    pattern_list_free(match->unconfirmed_ptr);
    pattern_list_free(match->helo);
    pattern_list_free(match->sender);
    pattern_list_free(match->recipient);
    pattern_list_free(match->listener);
}

#define NOW 1000

static const struct {
    const char *label;
    struct block_text block;
    struct factstext facts;
    const char *sender, *recipient, *listener;
    bool want;
} block_cases[] = {
#define CLIENT .client = "192.0.2.1"
    {"no condition", {0}, {CLIENT}, NULL, NULL, NULL, true},
    {"client", {.client = "192.0.2.0/24"}, {CLIENT}, NULL, NULL, NULL, true},
    {"client, no", {.client = "198.51.100.0/24"}, {CLIENT}, NULL, NULL, NULL, false},
    {"ptr",
     {.ptr = ".example.org"},
     {CLIENT, .ptr = "mail.example.org=192.0.2.1"},
     NULL,
     NULL,
     NULL,
     true},
    {"ptr, not confirmed",
     {.ptr = ".example.org"},
     {CLIENT, .ptr = "mail.example.org=198.51.100.1"},
     NULL,
     NULL,
     NULL,
     false},
    {"ptr, second of two",
     {.ptr = ".example.org"},
     {CLIENT, .ptr = "a.example.net=192.0.2.1 mail.example.org=192.0.2.1"},
     NULL,
     NULL,
     NULL,
     true},
    {"ptr, the other of two",
     {.ptr = ".example.org"},
     {CLIENT, .ptr = "a.example.net=192.0.2.1 mail.example.org=NX"},
     NULL,
     NULL,
     NULL,
     false},
    {"ptr, none", {.ptr = "*"}, {CLIENT, .ptr = "NX"}, NULL, NULL, NULL, false},
    {"ptr, temporary failure", {.ptr = "*"}, {CLIENT, .ptr = "TEMP"}, NULL, NULL, NULL, false},
    {"unconfirmed-ptr",
     {.unconfirmed_ptr = ".example.org"},
     {CLIENT, .ptr = "mail.example.org=NX"},
     NULL,
     NULL,
     NULL,
     true},
    {"unconfirmed-ptr, confirmed",
     {.unconfirmed_ptr = ".example.org"},
     {CLIENT, .ptr = "mail.example.org=192.0.2.1"},
     NULL,
     NULL,
     NULL,
     false},
    {"helo",
     {.helo = "pc.printers.example"},
     {CLIENT, .helo = "PC.Printers.Example."},
     NULL,
     NULL,
     NULL,
     true},
    {"helo, one label", {.helo = "printer"}, {CLIENT, .helo = "PRINTER"}, NULL, NULL, NULL, true},
    {"helo, literal",
     {.helo = "[192.0.2.1]"},
     {CLIENT, .helo = "[192.0.2.1]"},
     NULL,
     NULL,
     NULL,
     true},
    {"helo, none", {.helo = "*"}, {CLIENT}, NULL, NULL, NULL, false},
    {"sender", {.sender = "example.org"}, {CLIENT}, "a@example.org", NULL, NULL, true},
    {"sender, null", {.sender = ""}, {CLIENT}, "", NULL, NULL, true},
    {"sender, not known yet", {.sender = ""}, {CLIENT}, NULL, NULL, NULL, false},
    {"recipient", {.recipient = "postmaster"}, {CLIENT}, "", "postmaster@x.example", NULL, true},
    {"recipient, not known yet", {.recipient = "postmaster"}, {CLIENT}, "", NULL, NULL, false},
    {"listener", {.listener = "smtpd"}, {CLIENT}, NULL, NULL, "smtpd", true},
    {"listener, none", {.listener = "smtpd"}, {CLIENT}, NULL, NULL, NULL, false},
    {"all conditions",
     {.client = "192.0.2.1", .helo = "a.example", .recipient = "postmaster"},
     {CLIENT, .helo = "a.example"},
     "",
     "postmaster",
     NULL,
     true},
    {"one condition of three fails",
     {.client = "192.0.2.1", .helo = "b.example", .recipient = "postmaster"},
     {CLIENT, .helo = "a.example"},
     "",
     "postmaster",
     NULL,
     false},
    {"until, before", {.until_s = NOW + 1}, {CLIENT}, NULL, NULL, NULL, true},
    {"until, at that second", {.until_s = NOW}, {CLIENT}, NULL, NULL, NULL, false},
    {"until, after", {.until_s = NOW - 1}, {CLIENT}, NULL, NULL, NULL, false},
};

START_TEST(test_block)
{
    struct factstext_memory memory;
    struct facts facts;
    struct match match;
    factstext_make(&block_cases[_i].facts, &memory, &facts);
    make_block(&block_cases[_i].block, &match);
    const struct match_subject subject = {.facts = &facts,
                                          .sender = block_cases[_i].sender,
                                          .recipient = block_cases[_i].recipient,
                                          .listener = block_cases[_i].listener};
    const struct match *found = match_find(&match, 1, &subject, NOW);
    ck_assert_msg((found != NULL) == block_cases[_i].want, "%s", block_cases[_i].label);
    free_block(&match);
}
END_TEST

START_TEST(test_first_wins)
{
    static const struct block_text texts[] = {
        {.client = "198.51.100.0/24"},
        {.client = "192.0.2.0/24", .until_s = NOW - 5},
        {.client = "192.0.2.1"},
        {0},
    };
    static const struct factstext who = {.client = "192.0.2.1"}, other = {.client = "203.0.113.1"};
    struct factstext_memory memory;
    struct facts facts;
    struct match matches[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++)
        make_block(&texts[i], &matches[i]);
    factstext_make(&who, &memory, &facts);
    struct match_subject subject = {.facts = &facts};
    ck_assert_ptr_eq(match_find(matches, COUNT(texts), &subject, NOW), &matches[2]);
    ck_assert_ptr_eq(match_find(matches, COUNT(texts), &subject, NOW - 6), &matches[1]);
    factstext_make(&other, &memory, &facts);
    ck_assert_ptr_eq(match_find(matches, COUNT(texts), &subject, NOW), &matches[3]);
    ck_assert_ptr_null(match_find(matches, 0, &subject, NOW));
    for (size_t i = 0; i < COUNT(texts); i++)
        free_block(&matches[i]);
}
END_TEST

/* --- DNS lists ---------------------------------------------------------------------------------
 */

#define LISTS_TRIED 3

struct listed_case {
    const char *label;
    const char *words[LISTS_TRIED]; /* of `listed` */
    const char *says[LISTS_TRIED];  /* of a.example, b.example, c.example; NULL: not asked */
    bool fits, settled, silent;
};

static const struct listed_case listed_cases[] = {
    {"listed", {"a.example"}, {"127.0.0.2"}, true, true, false},
    {"not listed", {"a.example"}, {"NX"}, false, true, false},
    {"outside of the filter", {"a.example=127.0.0.3"}, {"127.0.0.2"}, false, true, false},
    {"not asked", {"b.example"}, {"127.0.0.2"}, false, true, false},
    {"one of two", {"a.example", "b.example"}, {"NX", "127.0.0.2"}, true, true, false},
    {"awaited", {"a.example"}, {"AWAITED"}, false, false, false},
    {"one is awaited, another lists",
     {"a.example", "b.example"},
     {"AWAITED", "127.0.0.2"},
     true,
     true,
     false},
    {"one is awaited, another does not",
     {"a.example", "b.example"},
     {"AWAITED", "NX"},
     false,
     false,
     false},
    {"fails", {"a.example"}, {"TEMP"}, false, true, true},
    {"refuses", {"a.example"}, {"127.0.0.255"}, false, true, true},
    {"one fails, another lists",
     {"a.example", "b.example"},
     {"TEMP", "127.0.0.2"},
     true,
     true,
     false},
    {"one fails, another is awaited",
     {"a.example", "b.example"},
     {"TEMP", "AWAITED"},
     false,
     false,
     false},
    {"another one fails", {"a.example"}, {"NX", "TEMP"}, false, true, false},
};

START_TEST(test_listed)
{
    static const char *const zones[LISTS_TRIED] = {"a.example", "b.example", "c.example"};
    const struct listed_case *c = &listed_cases[_i];
    const char *why;
    struct ipaddr addresses[LISTS_TRIED];
    struct list_facts lists[LISTS_TRIED];
    struct facts facts = {.lists = lists};
    struct match match = {.policy = NULL};
    size_t bad, words = 0;
    while (words < LISTS_TRIED && c->words[words] != NULL)
        words++;
    ck_assert(ipaddr_parse("192.0.2.1", &facts.client) == RESULT_OK);
    ck_assert(listed_new(c->words, words, &match.listed, &bad, &why) == RESULT_OK);
    for (size_t i = 0; i < LISTS_TRIED && c->says[i] != NULL; i++) {
        struct list_facts *list = &lists[facts.list_count++];
        *list = (struct list_facts){.zone = zones[i], .addresses = &addresses[i]};
        list->answer.awaited = strcmp(c->says[i], "AWAITED") == 0;
        list->answer.outcome = strcmp(c->says[i], "NX") == 0 ? DNS_NXDOMAIN : DNS_TEMPERROR;
        if (ipaddr_parse(c->says[i], &addresses[i]) == RESULT_OK) {
            list->answer.outcome = DNS_FOUND;
            list->address_count = 1;
        }
        facts.awaited = facts.awaited || list->answer.awaited;
    }
    const struct match_subject subject = {.facts = &facts};
    ck_assert_msg((match_find(&match, 1, &subject, NOW) != NULL) == c->fits, "%s", c->label);
    ck_assert_msg(match_is_settled(&match, 1, &subject, NOW) == c->settled, "%s", c->label);
    ck_assert_msg(match_is_silent(&match, &subject, NOW, true) == c->silent, "%s", c->label);
    match.until_s = NOW;
    ck_assert(match_find(&match, 1, &subject, NOW) == NULL);
    ck_assert(match_is_settled(&match, 1, &subject, NOW));
    ck_assert(!match_is_silent(&match, &subject, NOW, true));
    listed_free(match.listed);
}
END_TEST

static const struct {
    const char *label, *client, *listener;
    const char *want; /* zones, each with a space behind it */
} asked_cases[] = {
    {"every list that may decide, once", "198.51.100.1", "smtpd", "a.example b.example "},
    {"not behind a block that decides", "192.0.2.1", NULL, "a.example "},
    {"a block of another network", "203.0.113.1", NULL, "a.example b.example c.example "},
    {"a block of another listener", "203.0.113.1", "other", "a.example b.example c.example "},
};

START_TEST(test_lists_asked)
{
    static const struct block_text texts[] = {
        {.until_s = NOW},      {.helo = "x.example"},        {.client = "192.0.2.0/24"}, {0},
        {.listener = "smtpd"}, {.client = "203.0.113.0/24"},
    };
    static const char *const words[COUNT(texts)] = {"over.example", "a.example", NULL,
                                                    "b.example",    NULL,        "c.example"};
    struct match matches[COUNT(texts)];
    struct facts facts = {0};
    const char *zones[LISTED_ZONES_MAX], *why;
    char got[200] = "";
    size_t bad;
    for (size_t i = 0; i < COUNT(texts); i++) {
        make_block(&texts[i], &matches[i]);
        if (words[i] != NULL)
            ck_assert(listed_new(&words[i], 1, &matches[i].listed, &bad, &why) == RESULT_OK);
    }
    ck_assert(ipaddr_parse(asked_cases[_i].client, &facts.client) == RESULT_OK);
    const struct match_subject subject = {.facts = &facts, .listener = asked_cases[_i].listener};
    size_t count = match_list_zones(matches, COUNT(texts), &subject, NOW, zones);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", zones[i]);
    ck_assert_msg(strcmp(got, asked_cases[_i].want) == 0, "%s: %s", asked_cases[_i].label, got);
    for (size_t i = 0; i < COUNT(texts); i++) {
        listed_free(matches[i].listed);
        free_block(&matches[i]);
    }
}
END_TEST

#define LOOP(tcase, test, cases) tcase_add_loop_test(tcase, test, 0, (int)COUNT(cases))

int main(void)
{
    Suite *suite = suite_create("match");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, make_table, remove_table);
    LOOP(tcase, test_pattern, pattern_cases);
    LOOP(tcase, test_bad_pattern, bad_patterns);
    LOOP(tcase, test_covers, cover_cases);
    tcase_add_test(tcase, test_long_text);
    tcase_add_test(tcase, test_networks);
    tcase_add_test(tcase, test_pattern_file);
    LOOP(tcase, test_block, block_cases);
    tcase_add_test(tcase, test_first_wins);
    LOOP(tcase, test_listed, listed_cases);
    LOOP(tcase, test_lists_asked, asked_cases);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
