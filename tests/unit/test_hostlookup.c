/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/hostlookup.h"

#include "scripted_source.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct scripted *script;
static struct cache *cache;
static struct loop *loop;
static struct resolver *resolver;

static void set_up(void)
{
    static const struct cache_limits cache_limits = {.size_bytes = 1 << 20,
                                                     .max_ttl_s = 86400,
                                                     .negative_max_ttl_s = 300,
                                                     .failure_ttl_s = 30,
                                                     .stale_s = 0};
    static const struct resolver_limits limits = {.max_queries = 10, .max_cname_hops = 8};
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    ck_assert_ptr_nonnull(cache);
    loop = loop_new();
    ck_assert_ptr_nonnull(loop);
    scripted_use_loop(script, loop);
    resolver = resolver_new(scripted_source(script), cache, loop, &limits, NULL);
    ck_assert_ptr_nonnull(resolver);
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
}

static void tear_down(void)
{
    loop_stop(loop);
    resolver_free(resolver);
    loop_free(loop);
    cache_free(cache);
    scripted_free(script);
}

static int64_t deadline(void)
{
    return clock_ms(scripted_clock(script)) + 8000;
}

/* --- hosts ---------------------------------------------------------------------------------- */

static const struct {
    const char *label, *a, *aaaa;
    size_t want_v4, want_v6;
    enum dns_outcome want_a, want_aaaa;
    bool want_alias;
} hosts[] = {
    {"both", "192.0.2.1 192.0.2.2", "2001:db8::1", 2, 1, DNS_FOUND, DNS_FOUND, false},
    {"one family", "192.0.2.1", "NODATA ttl=60", 1, 0, DNS_FOUND, DNS_NODATA, false},
    {"none", "NXDOMAIN ttl=60", "NXDOMAIN ttl=60", 0, 0, DNS_NXDOMAIN, DNS_NXDOMAIN, false},
    {"a failure is no answer", "SERVFAIL", "2001:db8::1", 0, 1, DNS_TEMPERROR, DNS_FOUND, false},
    {"an alias", "192.0.2.1 hops=1", "2001:db8::1 hops=1", 1, 1, DNS_FOUND, DNS_FOUND, true},
};

START_TEST(host)
{
    struct host *found = malloc(sizeof *found);
    ck_assert_ptr_nonnull(found);
    scripted_on(script, "mail.example", RR_A, hosts[_i].a, 0);
    scripted_on(script, "mail.example", RR_AAAA, hosts[_i].aaaa, 0);
    ck_assert_int_eq(hostlookup_host(resolver, "mail.example", deadline(), found), RESULT_OK);
    ck_assert_str_eq(found->name, "mail.example");
    ck_assert_uint_eq(found->v4.count, hosts[_i].want_v4);
    ck_assert_uint_eq(found->v6.count, hosts[_i].want_v6);
    ck_assert_int_eq(found->v4.evidence.outcome, hosts[_i].want_a);
    ck_assert_int_eq(found->v6.evidence.outcome, hosts[_i].want_aaaa);
    ck_assert(found->v4.aliased == hosts[_i].want_alias);
    ck_assert((found->v4.evidence.problem != NULL) == (hosts[_i].want_a == DNS_TEMPERROR));
    free(found);
}
END_TEST

START_TEST(more_addresses_than_are_kept)
{
    char spec[4096] = "";
    struct host *found = malloc(sizeof *found);
    ck_assert_ptr_nonnull(found);
    for (unsigned i = 0; i < HOSTLOOKUP_ADDRESSES_MAX + 3; i++)
        (void)snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "192.0.2.%u ", i);
    (void)snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "dropped=4");
    scripted_on(script, "mail.example", RR_A, spec, 0);
    scripted_on(script, "mail.example", RR_AAAA, "NODATA ttl=60", 0);
    ck_assert_int_eq(hostlookup_host(resolver, "mail.example", deadline(), found), RESULT_OK);
    ck_assert_uint_eq(found->v4.count, HOSTLOOKUP_ADDRESSES_MAX);
    ck_assert_uint_eq(found->v4.over, 7);
    free(found);
}
END_TEST

/* --- MX ------------------------------------------------------------------------------------- */

static const struct {
    const char *label, *mx;
    const char *want; /* kind and text of each: H host, A address, U unusable */
    enum dns_outcome want_outcome;
    bool want_null;
} domains[] = {
    {"hosts", "a.example b.example", "H a.example|H b.example|", DNS_FOUND, false},
    {"null MX", ".", "", DNS_FOUND, true},
    {"the root beside others is no null MX", ". a.example", "U .|H a.example|", DNS_FOUND, false},
    {"an address", "192.0.2.1", "A 192.0.2.1|", DNS_FOUND, false},
    {"one label", "localhost", "U localhost|", DNS_FOUND, false},
    {"escaped", "a\\032b.example", "U a\\032b.example|", DNS_FOUND, false},
    {"no MX", "NODATA ttl=60", "", DNS_NODATA, false},
    {"no domain", "NXDOMAIN ttl=60", "", DNS_NXDOMAIN, false},
    {"failure", "TIMEOUT", "", DNS_TEMPERROR, false},
};

START_TEST(mx)
{
    char got[512] = "";
    struct mx_list *list = malloc(sizeof *list);
    ck_assert_ptr_nonnull(list);
    scripted_on(script, "example.org", RR_MX, domains[_i].mx, 0);
    ck_assert_int_eq(hostlookup_mx(resolver, "example.org", deadline(), list), RESULT_OK);
    for (size_t i = 0; i < list->count; i++) {
        ck_assert((list->hosts[i].kind == MX_HOST) == (list->hosts[i].name[0] != '\0'));
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%c %.99s|",
                       "HAU"[list->hosts[i].kind], list -> hosts[i].text);
    }
    ck_assert_msg(strcmp(got, domains[_i].want) == 0, "%s: %s", domains[_i].label, got);
    ck_assert_int_eq(list->evidence.outcome, domains[_i].want_outcome);
    ck_assert(list->null_mx == domains[_i].want_null);
    free(list);
}
END_TEST

START_TEST(more_mx_hosts_than_are_kept)
{
    char spec[4096] = "";
    struct mx_list *list = malloc(sizeof *list);
    ck_assert_ptr_nonnull(list);
    for (unsigned i = 0; i < HOSTLOOKUP_HOSTS_MAX + 2; i++)
        (void)snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "mx%03u.example ", i);
    scripted_on(script, "example.org", RR_MX, spec, 0);
    ck_assert_int_eq(hostlookup_mx(resolver, "example.org", deadline(), list), RESULT_OK);
    ck_assert_uint_eq(list->count, HOSTLOOKUP_HOSTS_MAX);
    ck_assert_uint_eq(list->over, 2);
    free(list);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostlookup");
    TCase *tcase = tcase_create("hostlookup");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, host, 0, COUNT(hosts));
    tcase_add_test(tcase, more_addresses_than_are_kept);
    tcase_add_loop_test(tcase, mx, 0, COUNT(domains));
    tcase_add_test(tcase, more_mx_hosts_than_are_kept);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
