/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS lists: filters as postscreen has them, names of questions, what answers mean. */
#include "core/dnslist.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ADDRESSES    4

/* The answer of a list: addresses between spaces, or an outcome's name. */
struct answer_text {
    struct ipaddr addresses[ADDRESSES];
    struct list_facts list;
};

static void make_answer(const char *text, struct answer_text *out)
{
    char words[200], *rest = NULL;
    *out = (struct answer_text){.list = {.zone = "list.example", .addresses = out->addresses}};
    struct dns_evidence *answer = &out->list.answer;
    answer->outcome = strcmp(text, "NX") == 0       ? DNS_NXDOMAIN
                      : strcmp(text, "NODATA") == 0 ? DNS_NODATA
                      : strcmp(text, "TEMP") == 0   ? DNS_TEMPERROR
                      : strcmp(text, "-") == 0      ? DNS_NOT_ASKED
                                                    : DNS_FOUND;
    if (strncmp(text, "STALE ", 6) == 0) {
        answer->origin = DNS_FROM_STALE;
        text += 6;
    }
    if (strcmp(text, "AWAITED") == 0) {
        answer->outcome = DNS_TEMPERROR;
        answer->awaited = true;
    }
    (void)snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok_r(words, " ", &rest);
         word != NULL && answer->outcome == DNS_FOUND && out->list.address_count < ADDRESSES;
         word = strtok_r(NULL, " ", &rest))
        ck_assert(ipaddr_parse(word, &out->addresses[out->list.address_count++]) == RESULT_OK);
}

static const struct {
    const char *text, *answer;
    bool want;
} fits[] = {
    {"list.example", "127.0.0.2", true},
    {"list.example", "127.1.2.3", true},
    {"list.example", "127.0.0.1", false},
    {"list.example", "127.0.0.1 127.0.0.4", true},
    {"list.example", "127.0.0.255", false},
    {"list.example", "127.255.255.254", false},
    {"list.example", "127.0.0.2 127.255.255.254", false},
    {"list.example", "192.0.2.80", false},
    {"list.example", "127.0.0.2 192.0.2.80", false},
    {"list.example", "NX", false},
    {"list.example", "NODATA", false},
    {"list.example", "TEMP", false},
    {"list.example", "AWAITED", false},
    {"list.example", "-", false},
    {"list.example", "STALE 127.0.0.2", false},
    {"list.example=127.0.0.1", "127.0.0.1", true}, /* a list for which it means something */
    {"list.example=127.0.0.2", "127.0.0.2", true},
    {"list.example=127.0.0.2", "127.0.0.3", false},
    {"list.example=127.0.0.2", "127.0.0.3 127.0.0.2", true},
    {"list.example=127.0.[0..255].[1..3]", "127.0.5.1", true},
    {"list.example=127.0.[0..255].[1..3]", "127.0.255.3", true},
    {"list.example=127.0.[0..255].[1..3]", "127.0.5.0", false},
    {"list.example=127.0.[0..255].[1..3]", "127.0.5.4", false},
    {"list.example=127.0.[0..255].[1..3]", "127.1.5.2", false},
    {"list.example=127.0.[0..255].[1..3]", "127.0.0.255", false},
    {"list.example=127.0.[0..255].[0..255]", "127.0.0.255", false}, /* never, whoever asks for it */
    {"list.example=127.[0..255].[0..255].[0..255]", "127.255.255.255", false},
    {"list.example=127.0.0.[2;4;6..8]", "127.0.0.4", true},
    {"list.example=127.0.0.[2;4;6..8]", "127.0.0.7", true},
    {"list.example=127.0.0.[2;4;6..8]", "127.0.0.5", false},
    {"list.example=[127].0.0.[10;11]", "127.0.0.11", true},
    {"list.example=127.0.0.[31..32]", "127.0.0.32", true},
};

START_TEST(fitting)
{
    char zone[DNSLIST_ZONE_MAX + 1];
    struct dnslist_filter filter;
    struct answer_text answer;
    ck_assert_ptr_null(dnslist_parse(fits[_i].text, zone, &filter));
    ck_assert_str_eq(zone, "list.example");
    make_answer(fits[_i].answer, &answer);
    ck_assert_msg(dnslist_fits(&filter, &answer.list) == fits[_i].want, "%s: %s", fits[_i].text,
                  fits[_i].answer);
}
END_TEST

static const struct {
    const char *answer;
    enum dnslist_state want;
    const char *text;
} states[] = {
    {"-", DNSLIST_NOT_ASKED, "not-asked"},
    {"AWAITED", DNSLIST_AWAITED, "awaited"},
    {"127.0.0.2", DNSLIST_LISTED, "listed"},
    {"127.0.0.1", DNSLIST_LISTED, "listed"},
    {"NX", DNSLIST_NOT_LISTED, "not-listed"},
    {"NODATA", DNSLIST_NOT_LISTED, "not-listed"},
    {"127.255.255.252", DNSLIST_REFUSES, "refuses"},
    {"127.0.0.255", DNSLIST_REFUSES, "refuses"},
    {"0.0.0.0", DNSLIST_REFUSES, "refuses"},
    {"2001:db8::1", DNSLIST_REFUSES, "refuses"},
    {"TEMP", DNSLIST_FAILS, "fails"},
    {"STALE 127.0.0.2", DNSLIST_FAILS, "fails"},
};

START_TEST(state)
{
    struct answer_text answer;
    make_answer(states[_i].answer, &answer);
    enum dnslist_state got = dnslist_state(&answer.list);
    ck_assert_msg(got == states[_i].want, "%s: %s", states[_i].answer, dnslist_state_text(got));
    ck_assert_str_eq(dnslist_state_text(got), states[_i].text);
    ck_assert(dnslist_is_silent(got) == (got == DNSLIST_REFUSES || got == DNSLIST_FAILS));
}
END_TEST

#define NUMBERS "the filter is not four numbers from 0 to 255 or [...] between dots"
#define NUMBER  "a number of the filter is not one from 0 to 255"

static const struct {
    const char *text, *want;
} unsound[] = {
    {"", "it does not begin with a list's domain"},
    {"=127.0.0.2", "it does not begin with a list's domain"},
    {"localhost", "it does not begin with a list's domain"},
    {"192.0.2.1", "it does not begin with a list's domain"},
    {"a..b", "it does not begin with a list's domain"},
    {"list.example*2", "weights are postscreen's: here a list fits or not"},
    {"list.example=127.0.0.2*-2", "weights are postscreen's: here a list fits or not"},
    {"list.example=", NUMBERS},
    {"list.example=127.0.0", NUMBERS},
    {"list.example=127.0.0.", NUMBERS},
    {"list.example=127.0.0.256", NUMBERS},
    {"list.example=127.0.0.0002", NUMBERS},
    {"list.example=127.0.0.2.3", "something stands behind the filter's four numbers"},
    {"list.example=127.0.0.2 ", "something stands behind the filter's four numbers"},
    {"list.example=127.0.0.[]", NUMBER},
    {"list.example=127.0.0.[1;]", NUMBER},
    {"list.example=127.0.0.[1..]", NUMBER},
    {"list.example=127.0.0.[1..256]", NUMBER},
    {"list.example=127.0.0.[3..1]", "a range of the filter ends before it begins"},
    {"list.example=127.0.0.[1,2]",
     "in a filter's [...] numbers and ranges N..N stand between semicolons"},
    {"list.example=127.0.0.[1;2",
     "in a filter's [...] numbers and ranges N..N stand between semicolons"},
    {"list.example=10.0.0.2",
     "lists answer with addresses in 127.0.0.0/8: the filter's first number is 127"},
};

START_TEST(refused)
{
    char zone[DNSLIST_ZONE_MAX + 1];
    struct dnslist_filter filter;
    const char *why = dnslist_parse(unsound[_i].text, zone, &filter);
    ck_assert_msg(why != NULL && strcmp(why, unsound[_i].want) == 0, "%s: %s", unsound[_i].text,
                  why != NULL ? why : "sound");
}
END_TEST

static const struct {
    const char *client, *want;
} names[] = {
    {"198.51.100.7", "7.100.51.198.list.example"},
    {"2001:db8::7", "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.list.example"},
};

START_TEST(name)
{
    struct ipaddr client;
    char zone[DNSLIST_ZONE_MAX + 1], out[HOSTNAME_MAX + 1];
    struct dnslist_filter filter;
    ck_assert(ipaddr_parse(names[_i].client, &client) == RESULT_OK);
    ck_assert_ptr_null(dnslist_parse("LIST.Example.", zone, &filter));
    ck_assert_str_eq(dnslist_name(&client, zone, out), names[_i].want);
}
END_TEST

/* The longest zone still leaves room for an IPv6 address. */
START_TEST(longest)
{
    char text[DNSLIST_ZONE_MAX + 2], zone[DNSLIST_ZONE_MAX + 1], out[HOSTNAME_MAX + 1];
    struct dnslist_filter filter;
    struct ipaddr client;
    memset(text, 'a', sizeof text);
    for (size_t i = 1; i < DNSLIST_ZONE_MAX - 1; i += 2)
        text[i] = '.';
    text[DNSLIST_ZONE_MAX] = '\0';
    ck_assert(ipaddr_parse("2001:db8::7", &client) == RESULT_OK);
    ck_assert_ptr_null(dnslist_parse(text, zone, &filter));
    ck_assert_uint_eq(strlen(dnslist_name(&client, zone, out)), HOSTNAME_MAX);
    text[DNSLIST_ZONE_MAX] = 'a';
    text[DNSLIST_ZONE_MAX + 1] = '\0';
    ck_assert_str_eq(dnslist_parse(text, zone, &filter),
                     "the list's domain is too long for an address before it");
}
END_TEST

static const struct {
    const char *wide, *narrow;
    bool want;
} coverings[] = {
    {"l.example", "l.example", true},
    {"l.example", "l.example=127.0.0.2", false}, /* nor 127.0.0.1 */
    {"l.example=127.0.0.2", "l.example", false},
    {"l.example=127.0.0.[1..3]", "l.example=127.0.0.2", true},
    {"l.example=127.0.0.[1..3]", "l.example=127.0.0.[2;4]", false},
    {"l.example=127.0.[0..255].[1..3]", "l.example=127.0.7.[2..3]", true},
};

START_TEST(covering)
{
    char zone[DNSLIST_ZONE_MAX + 1];
    struct dnslist_filter wide, narrow;
    ck_assert_ptr_null(dnslist_parse(coverings[_i].wide, zone, &wide));
    ck_assert_ptr_null(dnslist_parse(coverings[_i].narrow, zone, &narrow));
    ck_assert_msg(dnslist_filter_covers(&wide, &narrow) == coverings[_i].want, "%s: %s",
                  coverings[_i].wide, coverings[_i].narrow);
}
END_TEST

#define LOOP(tcase, test, cases) tcase_add_loop_test(tcase, test, 0, (int)COUNT(cases))

int main(void)
{
    Suite *suite = suite_create("dnslist");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, fitting, fits);
    LOOP(tcase, state, states);
    LOOP(tcase, refused, unsound);
    LOOP(tcase, name, names);
    tcase_add_test(tcase, longest);
    LOOP(tcase, covering, coverings);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
