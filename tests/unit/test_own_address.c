/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/own_address.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *label, *address;
    bool want;
} cases[] = {
    {"loopback", "127.0.0.1", true},
    {"another of the loopback network", "127.0.0.77", false},
    {"nobody, for documentation", "203.0.113.254", false},
    {"documentation, IPv6", "2001:db8::1", false},
    {"broadcast", "255.255.255.255", false},
};

START_TEST(test_cases)
{
    struct ipaddr addr;
    ck_assert(ipaddr_parse(cases[_i].address, &addr) == RESULT_OK);
    ck_assert_msg(own_address_is(&addr) == cases[_i].want, "%s", cases[_i].label);
}
END_TEST

START_TEST(test_none)
{
    struct ipaddr none = {.family = IP_NONE};
    ck_assert(!own_address_is(&none));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("own_address");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_cases, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, test_none);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
