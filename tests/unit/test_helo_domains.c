/* SPDX-License-Identifier: BSD-2-Clause */
/* How many domains an address said in EHLO within a day. */
#include "site/helo_domains.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY 86400
#define NOW (INT64_C(20000) * DAY)

static const uint8_t key[SIPHASH_KEY_LENGTH] = {1, 2, 3};
static struct helo_domains *domains;
static struct orgdomain *list;

static void setup(void)
{
    domains = helo_domains_new(0, key);
    list = orgdomain_load(NULL);
    ck_assert(domains != NULL && list != NULL);
}

static void teardown(void)
{
    helo_domains_free(domains);
    orgdomain_free(list);
}

static unsigned say(const char *client, const char *name, int64_t wall_s)
{
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_parse(client, &addr), RESULT_OK);
    return helo_domains_note(domains, list, &addr, name, wall_s);
}

START_TEST(counts)
{
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "b.example", NOW + 1), 2);
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW + 2), 2);
    ck_assert_uint_eq(say("192.0.2.1", "c.example", NOW + 3), 3);
    ck_assert_uint_eq(say("192.0.2.1", "d.example", NOW + 4), 4);
    ck_assert_uint_eq(say("192.0.2.1", "e.example", NOW + 5), HELO_DOMAINS_MAX + 1);
    ck_assert_uint_eq(say("192.0.2.1", "f.example", NOW + 6), HELO_DOMAINS_MAX + 1);
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW + DAY - 1), HELO_DOMAINS_MAX + 1);
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW + DAY), 1);
}
END_TEST

/* Names of one domain are one, a name again is known whichever was said between, and one that
 * belongs to nobody is none and changes nothing. */
START_TEST(names)
{
    ck_assert_uint_eq(say("192.0.2.1", "mx1.a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "mx2.a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "mx1.a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "example", NOW), 0);
    ck_assert_uint_eq(say("192.0.2.1", "co.uk", NOW), 0);
    ck_assert_uint_eq(say("192.0.2.1", "", NOW), 0);
    ck_assert_uint_eq(say("192.0.2.1", "mx1.a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "mx.b.example", NOW), 2);
    ck_assert_uint_eq(say("192.0.2.1", "mx.b.example", NOW), 2);
    ck_assert_uint_eq(say("192.0.2.1", "mx1.a.example", NOW), 2);
    ck_assert_uint_eq(say("192.0.2.1", "mx1.a.example", NOW + DAY), 1);
    ck_assert_uint_eq(say("192.0.2.2", "mx1.a.example", NOW), 1);
}
END_TEST

/* The last name of one who has said too many is told as many. */
START_TEST(many_and_again)
{
    char name[32];
    for (int i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "mx.%c.example", 'a' + i);
        unsigned want = i < HELO_DOMAINS_MAX ? (unsigned)i + 1 : HELO_DOMAINS_MAX + 1;
        ck_assert_uint_eq(say("192.0.2.1", name, NOW), want);
        ck_assert_uint_eq(say("192.0.2.1", name, NOW), want);
    }
}
END_TEST

START_TEST(no_list)
{
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_parse("192.0.2.1", &addr), RESULT_OK);
    ck_assert_uint_eq(helo_domains_note(domains, NULL, &addr, "mx.a.example", NOW), 0);
}
END_TEST

START_TEST(addresses)
{
    struct ipaddr local = {.family = IP_NONE};
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.2", "b.example", NOW), 1);
    ck_assert_uint_eq(say("2001:db8::1", "a.example", NOW), 1);
    ck_assert_uint_eq(say("2001:db8::2", "b.example", NOW), 2); /* of one /64 */
    ck_assert_uint_eq(say("2001:db8:0:1::1", "b.example", NOW), 1);
    ck_assert_uint_eq(helo_domains_note(domains, list, &local, "a.example", NOW), 0);
    ck_assert_uint_eq(helo_domains_note(NULL, list, &local, "a.example", NOW), 0);
}
END_TEST

/* A clock that is set back begins anew, which is the milder. */
START_TEST(clocks)
{
    ck_assert_uint_eq(say("192.0.2.1", "a.example", NOW), 1);
    ck_assert_uint_eq(say("192.0.2.1", "b.example", NOW - 1), 1);
    ck_assert_uint_eq(say("192.0.2.1", "c.example", -5), 1);
    ck_assert_uint_eq(say("192.0.2.1", "d.example", INT64_MAX), 1);
}
END_TEST

/* In a full table the oldest make room, and nobody's count grows by others. */
START_TEST(many)
{
    char client[32];
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(client, sizeof client, "10.%u.%u.1", i >> 8, i & 255);
        ck_assert_uint_eq(say(client, "a.example", NOW + i / 100), 1);
    }
    ck_assert_uint_eq(say(client, "b.example", NOW + 60), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("helo_domains");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, counts);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, many_and_again);
    tcase_add_test(tcase, no_list);
    tcase_add_test(tcase, addresses);
    tcase_add_test(tcase, clocks);
    tcase_add_test(tcase, many);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
