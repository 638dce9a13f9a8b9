/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/iprev.h"
#include "dns/lookup.h"
#include "failing_alloc.h"
#include "scripted_source.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 8000

#define REVERSE  "7.113.0.203.in-addr.arpa"
#define REVERSE6 "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

static const struct cache_limits cache_limits = {.size_bytes = 8 << 20,
                                                 .max_ttl_s = 86400,
                                                 .negative_max_ttl_s = 300,
                                                 .failure_ttl_s = 30,
                                                 .stale_s = 86400};
static const struct resolver_limits limits = {.max_queries = 1000, .max_cname_hops = 8};

static struct scripted *script;
static struct cache *cache;
static struct resolver *resolver;

static void set_up(void)
{
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    ck_assert_ptr_nonnull(cache);
    resolver = resolver_new(scripted_source(script), cache, scripted_loop(script), &limits, NULL);
    ck_assert_ptr_nonnull(resolver);
}

static void tear_down(void)
{
    if (resolver != NULL)
        scripted_stop(script);
    resolver_free(resolver);
    cache_free(cache);
    scripted_free(script);
}

static int64_t now_ms(void)
{
    return clock_ms(scripted_clock(script));
}

static struct lookup *start(const char *client, unsigned max_ptr)
{
    struct ipaddr addr;
    ck_assert_int_eq(ipaddr_parse(client, &addr), RESULT_OK);
    struct lookup *lookup = lookup_start(resolver, &addr, max_ptr, "", now_ms() + DEADLINE_MS);
    ck_assert_ptr_nonnull(lookup);
    scripted_run(script);
    return lookup;
}

static void say_helo(struct lookup *lookup, const char *text)
{
    struct helo helo;
    helo_parse(text, &helo);
    ck_assert_int_eq(lookup_helo(lookup, &helo, true, now_ms() + DEADLINE_MS), RESULT_OK);
    scripted_run(script);
}

static void get_facts(struct lookup *lookup, struct facts *facts)
{
    memset(facts, 0, sizeof *facts);
    ck_assert_int_eq(lookup_facts(lookup, facts), RESULT_OK);
}

static void pass(int64_t ms)
{
    scripted_advance(script, ms);
}

/* --- the reverse part ----------------------------------------------------------------------- */

struct line {
    const char *name;
    enum rrtype type;
    const char *spec;
};

static const struct {
    const char *label, *client;
    struct line lines[8];
    enum iprev_result want;
    enum dns_outcome want_ptr;
    size_t want_names;
    const char *want_confirmed; /* NULL: none */
} reverses[] = {
    {"confirmed",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"}, {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"no PTR: NXDOMAIN", "203.0.113.7", {{0}}, IPREV_PERMERROR, DNS_NXDOMAIN, 0, NULL},
    {"no PTR: NODATA",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "NODATA"}},
     IPREV_PERMERROR,
     DNS_NODATA,
     0,
     NULL},
    {"a failure is never no PTR: SERVFAIL",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "SERVFAIL"}},
     IPREV_TEMPERROR,
     DNS_TEMPERROR,
     0,
     NULL},
    {"a failure is never no PTR: silence",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "TIMEOUT"}},
     IPREV_TEMPERROR,
     DNS_TEMPERROR,
     0,
     NULL},
    {"a failure is never no PTR: REFUSED",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "REFUSED"}},
     IPREV_TEMPERROR,
     DNS_TEMPERROR,
     0,
     NULL},
    {"a failure is never no PTR: our limit",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "LIMIT"}},
     IPREV_TEMPERROR,
     DNS_TEMPERROR,
     0,
     NULL},
    {"the name leads elsewhere",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"}, {"mail.example", RR_A, "203.0.113.8"}},
     IPREV_FAIL,
     DNS_FOUND,
     1,
     NULL},
    {"the name does not exist",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"}},
     IPREV_FAIL,
     DNS_FOUND,
     1,
     NULL},
    {"the name cannot be told",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"}, {"mail.example", RR_A, "SERVFAIL"}},
     IPREV_TEMPERROR,
     DNS_FOUND,
     1,
     NULL},
    {"several names, one confirms",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "a.example m.example z.example"},
      {"a.example", RR_A, "192.0.2.1"},
      {"z.example", RR_A, "192.0.2.2 203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     3,
     "z.example"},
    {"one fails, another confirms",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "a.example z.example"},
      {"a.example", RR_A, "TIMEOUT"},
      {"z.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     2,
     "z.example"},
    {"letter case and doubles",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "MaIl.eXaMpLe mail.example"}, {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"an underscore resolves",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail_1.example"}, {"mail_1.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail_1.example"},
    {"RFC 2317",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "CNAME 7.0-25.113.0.203.in-addr.arpa"},
      {"7.0-25.113.0.203.in-addr.arpa", RR_PTR, "mail.example"},
      {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"an alias as PTR name",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"},
      {"mail.example", RR_A, "CNAME host.example"},
      {"host.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"names that are none",
     "203.0.113.7",
     {{REVERSE, RR_PTR, ". localhost 203.0.113.7 a\\032b.example"}},
     IPREV_FAIL,
     DNS_FOUND,
     4,
     NULL},
    {"one that is none, one that confirms",
     "203.0.113.7",
     {{REVERSE, RR_PTR, "localhost mail.example"}, {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     2,
     "mail.example"},
    {"IPv4-mapped IPv6 is IPv4",
     "::ffff:203.0.113.7",
     {{REVERSE, RR_PTR, "mail.example"}, {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"IPv6",
     "2001:db8::7",
     {{REVERSE6, RR_PTR, "mail.example"}, {"mail.example", RR_AAAA, "2001:db8::7"}},
     IPREV_PASS,
     DNS_FOUND,
     1,
     "mail.example"},
    {"IPv6, the name has only A",
     "2001:db8::7",
     {{REVERSE6, RR_PTR, "mail.example"},
      {"mail.example", RR_AAAA, "NODATA"},
      {"mail.example", RR_A, "203.0.113.7"}},
     IPREV_FAIL,
     DNS_FOUND,
     1,
     NULL},
};

START_TEST(reverse_part)
{
    struct facts facts;
    bool late = _i % 2;
    for (size_t i = 0; i < 8 && reverses[_i].lines[i].name != NULL; i++)
        scripted_on(script, reverses[_i].lines[i].name, reverses[_i].lines[i].type,
                    reverses[_i].lines[i].spec, late ? 10 : 0);
    struct lookup *lookup = start(reverses[_i].client, 10);
    if (late)
        pass(1000);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_msg(iprev.result == reverses[_i].want, "%s: %s", reverses[_i].label,
                  iprev_result_text(iprev.result));
    ck_assert_int_eq(facts.ptr.outcome, reverses[_i].want_ptr);
    ck_assert((facts.ptr.problem != NULL) == (facts.ptr.outcome == DNS_TEMPERROR));
    ck_assert_uint_eq(facts.name_count, reverses[_i].want_names);
    ck_assert_uint_eq(facts.names_over, 0);
    if (reverses[_i].want_confirmed != NULL)
        ck_assert_str_eq(iprev.confirmed->name, reverses[_i].want_confirmed);
    lookup_free(lookup);
}
END_TEST

START_TEST(unusable_names)
{
    static const struct {
        const char *name;
        enum hostname_flaw flaw;
    } want[] = {{".", HOSTNAME_EMPTY},
                {"203.0.113.7", HOSTNAME_IP_ADDRESS},
                {"a\\032b.example", HOSTNAME_MALFORMED},
                {"localhost", HOSTNAME_ONE_LABEL}};
    struct facts facts;
    unsigned seen = 0;
    scripted_on(script, REVERSE, RR_PTR, ". localhost 203.0.113.7 a\\032b.example", 0);
    struct lookup *lookup = start("203.0.113.7", 10);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(facts.name_count, 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            if (strcmp(facts.names[i].name, want[j].name) == 0) {
                ck_assert_int_eq(facts.names[i].flaw, want[j].flaw);
                ck_assert_int_eq(facts.names[i].forward.outcome, DNS_NOT_ASKED);
                seen |= 1U << j;
            }
    ck_assert_uint_eq(seen, 15);
    ck_assert_uint_eq(scripted_asked_all(script), 1); /* nothing was asked about them */
    lookup_free(lookup);
}
END_TEST

/* --- many names ----------------------------------------------------------------------------- */

/* `count` names, `step` apart in their order, the last of which (in sorted order) is right. */
static void script_names(unsigned count, unsigned step)
{
    char *spec = calloc(count, 24), name[24];
    ck_assert_ptr_nonnull(spec);
    size_t used = 0;
    for (unsigned i = 0; i < count; i++)
        used += (size_t)sprintf(spec + used, "m%03u.example ", i * step % count);
    scripted_on(script, REVERSE, RR_PTR, spec, 0);
    free(spec);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "m%03u.example", i);
        scripted_on(script, name, RR_A, i + 1 == count ? "203.0.113.7" : "192.0.2.1", 5);
    }
}

static const struct {
    const char *label;
    unsigned count, max_ptr;
    enum iprev_result want;
    size_t want_names, want_over;
} many[] = {
    {"ten, the last is right", 10, 10, IPREV_PASS, 10, 0},
    {"twelve, the last is right", 12, 10, IPREV_TEMPERROR, 10, 2},
    {"300, the last is right", 300, 10, IPREV_TEMPERROR, 10, 290},
    {"300, as many as can be", 300, LOOKUP_MAX_PTR_LIMIT, IPREV_TEMPERROR, 100, 200},
    {"twelve, more allowed", 12, 20, IPREV_PASS, 12, 0},
    {"one allowed", 2, 1, IPREV_TEMPERROR, 1, 1},
    {"more than there can be", 2, 1000, IPREV_PASS, 2, 0},
};

START_TEST(many_names)
{
    struct facts facts;
    script_names(many[_i].count, 1);
    struct lookup *lookup = start("203.0.113.7", many[_i].max_ptr);
    pass(200); /* a few at a time */
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert_msg(iprev_evaluate(&facts).result == many[_i].want, "%s", many[_i].label);
    ck_assert_uint_eq(facts.name_count, many[_i].want_names);
    ck_assert_uint_eq(facts.names_over, many[_i].want_over);
    ck_assert_uint_eq(scripted_asked_all(script), 1 + many[_i].want_names);
    lookup_free(lookup);
}
END_TEST

static bool says_yes(void *arg, const char *name)
{
    unsigned *asked = arg;
    if (asked != NULL)
        (*asked)++;
    return name != NULL;
}

/* Nobody is confirmed: three at a time, and the next when one has come. */
START_TEST(a_few_at_a_time)
{
    struct facts facts;
    script_names(12, 1);
    struct lookup *lookup = start("203.0.113.7", 20);
    ck_assert_uint_eq(scripted_open(script), 3);
    pass(5);
    ck_assert_uint_eq(scripted_open(script), 3);
    ck_assert_uint_eq(scripted_asked_all(script), 1 + 6);
    pass(100);
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    lookup_free(lookup);
}
END_TEST

/* Once one leads back, no more are asked about, unless the session says so. */
START_TEST(none_once_confirmed)
{
    struct facts facts;
    unsigned offered = 0;
    scripted_on(script, "m000.example", RR_A, "203.0.113.7", 1);
    script_names(10, 1);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(1000);
    ck_assert(lookup_ready(lookup));
    ck_assert_uint_eq(scripted_asked_all(script), 1 + 3);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(facts.name_count, 10);
    ck_assert(facts.names[0].confirmed);
    ck_assert_int_eq(facts.names[2].forward.outcome, DNS_FOUND);
    ck_assert_int_eq(facts.names[3].forward.outcome, DNS_NOT_ASKED);
    ck_assert(facts.names[3].forward.awaited);
    ck_assert(facts.awaited);
    lookup_ask_names(lookup, now_ms() + DEADLINE_MS, says_yes, &offered);
    ck_assert_uint_eq(offered, 7);
    get_facts(lookup, &facts); /* what is wanted and unknown is no "not asked" */
    ck_assert_int_eq(facts.names[9].forward.outcome, DNS_TEMPERROR);
    ck_assert(!lookup_ready(lookup));
    pass(100);
    ck_assert(lookup_ready(lookup));
    ck_assert_uint_eq(scripted_asked_all(script), 1 + 10);
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    lookup_free(lookup);
}
END_TEST

/* However late it is, a name that nobody needed proves nothing, and can still be asked about. */
START_TEST(needed_after_the_deadline)
{
    struct facts facts;
    scripted_on(script, "m000.example", RR_A, "203.0.113.7", 1);
    script_names(10, 1);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(2 * DEADLINE_MS);
    get_facts(lookup, &facts);
    ck_assert_int_eq(facts.names[9].forward.outcome, DNS_NOT_ASKED);
    ck_assert(facts.names[9].forward.awaited);
    ck_assert(facts.awaited);
    lookup_ask_names(lookup, now_ms() + DEADLINE_MS, says_yes, NULL);
    ck_assert(!lookup_ready(lookup));
    pass(100);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    ck_assert_int_eq(facts.names[9].forward.outcome, DNS_FOUND);
    lookup_free(lookup);
}
END_TEST

/* Names that nobody asked about until the deadline are a failure, never names that lead nowhere. */
START_TEST(not_asked_in_time)
{
    struct facts facts;
    char name[24];
    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "m%03u.example", i);
        scripted_on(script, name, RR_A, "192.0.2.1", SCRIPTED_NEVER);
    }
    script_names(10, 1);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(DEADLINE_MS); /* the session was elsewhere: only three were asked about */
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    for (size_t i = 0; i < 10; i++)
        ck_assert_int_eq(facts.names[i].forward.outcome, DNS_TEMPERROR);
    lookup_free(lookup);
}
END_TEST

/* Silent names hold up the others for a while only: the last one gets its turn in time. */
START_TEST(silent_names_in_front)
{
    struct facts facts;
    char name[24];
    for (unsigned i = 0; i < 9; i++) {
        (void)snprintf(name, sizeof name, "m%03u.example", i);
        scripted_on(script, name, RR_A, "192.0.2.1", SCRIPTED_NEVER);
    }
    script_names(10, 1);
    struct lookup *lookup = start("203.0.113.7", 10);
    static const unsigned open[] = {3, 6, 9, 9}; /* after so many seconds; the tenth is answered */
    for (size_t i = 0; i < 4; i++) {
        ck_assert(!lookup_ready(lookup));
        scripted_run(script);
        if (i == 3)
            pass(5);
        ck_assert_uint_eq(scripted_open(script), open[i]);
        pass(i == 3 ? 0 : 1000);
    }
    ck_assert(lookup_has_news(lookup));
    get_facts(lookup, &facts);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    lookup_free(lookup);
}
END_TEST

/* Names of the EHLO name's and the sender's domains come first, EHLO's own before all. */
START_TEST(related_names_first)
{
    static const char *const want[] = {"m.b.example", "a.helo.example", "x.sender.example"};
    struct helo helo;
    scripted_on(script, REVERSE, RR_PTR,
                "a.example a.helo.example b.example c.example m.b.example x.sender.example", 10);
    struct lookup *lookup = start("203.0.113.7", 10);
    ck_assert(lookup_orders_names(lookup));
    helo_parse("m.b.example", &helo);
    lookup_favour(lookup, "helo.example", "sender.example");
    ck_assert_int_eq(lookup_helo(lookup, &helo, false, now_ms() + DEADLINE_MS), RESULT_OK);
    scripted_run(script);
    ck_assert_uint_eq(scripted_asked(script, "m.b.example", RR_A), 0); /* EHLO's part waits */
    for (size_t i = 0; i < 3; i++)
        scripted_on(script, want[i], RR_A, "192.0.2.1", SCRIPTED_NEVER);
    pass(10);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(scripted_asked(script, want[i], RR_A), 1);
    ck_assert_uint_eq(scripted_asked_all(script), 1 + 3);
    lookup_free(lookup);
}
END_TEST

/* What nobody waits for is given up, and asked again when somebody does. */
START_TEST(held_and_gone_on)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 0);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7", 100);
    scripted_on(script, "ehlo.example", RR_A, "203.0.113.7", SCRIPTED_NEVER);
    scripted_on(script, "ehlo.example", RR_A, "203.0.113.7", 10);
    struct lookup *lookup = start("203.0.113.7", 10);
    say_helo(lookup, "ehlo.example");
    ck_assert_uint_eq(scripted_open(script), 2);
    lookup_hold(lookup);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
    ck_assert(lookup_ready(lookup));
    pass(2 * DEADLINE_MS); /* it is awaited however long that takes */
    get_facts(lookup, &facts);
    ck_assert(facts.awaited);
    ck_assert(facts.names[0].forward.awaited);
    ck_assert(facts.helo_name.forward.awaited);
    lookup_go_on(lookup, now_ms() + DEADLINE_MS);
    ck_assert(!lookup_ready(lookup));
    pass(100);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    ck_assert(facts.helo_name.confirmed);
    lookup_free(lookup);
}
END_TEST

/* The preferred name takes the last place where it stands behind, and only then. */
static const struct {
    const char *label, *preferred;
    unsigned max_ptr;
    const char *want_last;
    enum iprev_result want;
} preferred[] = {
    {"behind", "m011.example", 10, "m011.example", IPREV_PASS},
    {"behind, one place", "m011.example", 1, "m011.example", IPREV_PASS},
    {"in the last place", "m009.example", 10, "m009.example", IPREV_TEMPERROR},
    {"before", "m002.example", 10, "m009.example", IPREV_TEMPERROR},
    {"no PTR name", "other.example", 10, "m009.example", IPREV_TEMPERROR},
};

START_TEST(preferred_name)
{
    struct facts facts;
    struct ipaddr client;
    ck_assert_int_eq(ipaddr_parse("203.0.113.7", &client), RESULT_OK);
    script_names(12, 5);
    struct lookup *lookup = lookup_start(resolver, &client, preferred[_i].max_ptr,
                                         preferred[_i].preferred, now_ms() + DEADLINE_MS);
    ck_assert_ptr_nonnull(lookup);
    pass(20);
    lookup_ask_names(lookup, now_ms() + DEADLINE_MS, says_yes, NULL);
    pass(20);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(facts.name_count, preferred[_i].max_ptr);
    ck_assert_str_eq(facts.names[facts.name_count - 1].name, preferred[_i].want_last);
    ck_assert_uint_eq(facts.names_over, 12 - preferred[_i].max_ptr);
    ck_assert_int_eq(iprev_evaluate(&facts).result, preferred[_i].want);
    ck_assert_uint_eq(scripted_asked_all(script), 1 + facts.name_count);
    lookup_free(lookup);
}
END_TEST

/* A PTR name that is EHLO's is known by EHLO's own question. */
START_TEST(ehlo_name_behind)
{
    struct facts facts;
    script_names(12, 5);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(20);
    ck_assert_uint_eq(scripted_asked_all(script), 11);
    say_helo(lookup, "M011.example.");
    pass(5);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(scripted_asked_all(script), 12);
    ck_assert_uint_eq(facts.name_count, 11);
    ck_assert_uint_eq(facts.names_over, 1);
    ck_assert_str_eq(facts.names[10].name, "m011.example");
    ck_assert(facts.names[10].confirmed);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    lookup_free(lookup);
}
END_TEST

/* Complaint 6: whatever the order in the packet, the same names are looked up. */
START_TEST(any_order)
{
    struct facts facts;
    static const unsigned steps[] = {1, 5, 7, 11};
    script_names(12, steps[_i]);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(5);
    get_facts(lookup, &facts);
    for (unsigned i = 0; i < 10; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "m%03u.example", i);
        ck_assert_str_eq(facts.names[i].name, name);
    }
    lookup_free(lookup);
}
END_TEST

START_TEST(names_cut_off_before)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example dropped=500", 0);
    struct lookup *lookup = start("203.0.113.7", 10);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(facts.names_over, 500);
    lookup_free(lookup);
}
END_TEST

/* --- the EHLO part -------------------------------------------------------------------------- */

static const struct {
    const char *label, *client, *helo;
    struct line lines[4];
    enum dns_outcome want, want_other, want_mx;
    size_t want_addresses;
    unsigned want_asked;
} helos[] = {
    {"addresses",
     "203.0.113.7",
     "Mail.Example.",
     {{"mail.example", RR_A, "203.0.113.7 203.0.113.8"}},
     DNS_FOUND,
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     2,
     1},
    {"NXDOMAIN proves all of it",
     "203.0.113.7",
     "mail.example",
     {{0}},
     DNS_NXDOMAIN,
     DNS_NXDOMAIN,
     DNS_NXDOMAIN,
     0,
     1},
    {"only the other family",
     "203.0.113.7",
     "mail.example",
     {{"mail.example", RR_A, "NODATA"},
      {"mail.example", RR_AAAA, "2001:db8::1"},
      {"mail.example", RR_MX, "NODATA"}},
     DNS_NODATA,
     DNS_FOUND,
     DNS_NODATA,
     0,
     3},
    {"only MX",
     "2001:db8::7",
     "mail.example",
     {{"mail.example", RR_AAAA, "NODATA"},
      {"mail.example", RR_A, "NODATA"},
      {"mail.example", RR_MX, "mx.example"}},
     DNS_NODATA,
     DNS_NODATA,
     DNS_FOUND,
     0,
     3},
    {"a failure, and nothing more is asked",
     "203.0.113.7",
     "mail.example",
     {{"mail.example", RR_A, "SERVFAIL"}},
     DNS_TEMPERROR,
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     0,
     1},
    {"the other family fails",
     "203.0.113.7",
     "mail.example",
     {{"mail.example", RR_A, "NODATA"},
      {"mail.example", RR_AAAA, "TIMEOUT"},
      {"mail.example", RR_MX, "NODATA"}},
     DNS_NODATA,
     DNS_TEMPERROR,
     DNS_NODATA,
     0,
     3},
    {"an underscore resolves",
     "203.0.113.7",
     "mail_1.example",
     {{"mail_1.example", RR_A, "203.0.113.7"}},
     DNS_FOUND,
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     1,
     1},
    {"a literal is not looked up",
     "203.0.113.7",
     "[203.0.113.7]",
     {{0}},
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     0,
     0},
    {"rubbish is not looked up",
     "203.0.113.7",
     "a b\1c",
     {{0}},
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     DNS_NOT_ASKED,
     0,
     0},
};

START_TEST(helo_part)
{
    struct facts facts;
    for (size_t i = 0; i < 4 && helos[_i].lines[i].name != NULL; i++)
        scripted_on(script, helos[_i].lines[i].name, helos[_i].lines[i].type,
                    helos[_i].lines[i].spec, 10);
    struct lookup *lookup = start(helos[_i].client, 10);
    say_helo(lookup, helos[_i].helo);
    pass(100);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert_msg(facts.helo_name.forward.outcome == helos[_i].want, "%s", helos[_i].label);
    ck_assert_int_eq(facts.helo_other.outcome, helos[_i].want_other);
    ck_assert_int_eq(facts.helo_mx.outcome, helos[_i].want_mx);
    ck_assert_uint_eq(facts.helo_name.address_count, helos[_i].want_addresses);
    ck_assert((facts.helo_name.name != NULL) == (helos[_i].want != DNS_NOT_ASKED));
    ck_assert_uint_eq(scripted_asked_all(script), 1 + helos[_i].want_asked);
    lookup_free(lookup);
}
END_TEST

START_TEST(helo_is_the_ptr_name)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 10);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7", 30);
    struct lookup *lookup = start("203.0.113.7", 10);
    say_helo(lookup, "mail.example");
    pass(40);
    get_facts(lookup, &facts);
    ck_assert_int_eq(facts.names[0].forward.outcome, DNS_FOUND);
    ck_assert_int_eq(facts.helo_name.forward.outcome, DNS_FOUND);
    ck_assert_uint_eq(scripted_asked(script, "mail.example", RR_A), 1);
    lookup_free(lookup);
}
END_TEST

START_TEST(last_helo_counts)
{
    struct facts facts;
    scripted_on(script, "one.example", RR_A, "203.0.113.7", 10);
    scripted_on(script, "slow.example", RR_A, "203.0.113.7", SCRIPTED_NEVER);
    scripted_on(script, "three.example", RR_A, "203.0.113.9", 10);
    struct lookup *lookup = start("203.0.113.7", 10);
    say_helo(lookup, "one.example");
    pass(10);
    say_helo(lookup, "slow.example");
    pass(10);
    ck_assert(!lookup_ready(lookup));
    say_helo(lookup, "three.example"); /* what is under way is dropped */
    ck_assert_uint_eq(scripted_cancelled(script), 1);
    pass(10);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert_str_eq(facts.helo_name.name, "three.example");
    ck_assert_uint_eq(facts.helo_name.addresses[0].bytes[3], 9);
    say_helo(lookup, "[203.0.113.7]");
    get_facts(lookup, &facts);
    ck_assert_ptr_null(facts.helo_name.name);
    ck_assert_int_eq(facts.helo_name.forward.outcome, DNS_NOT_ASKED);
    lookup_free(lookup);
}
END_TEST

/* --- time ----------------------------------------------------------------------------------- */

START_TEST(deadline_passes)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "a.example z.example", 100);
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 100);
    scripted_on(script, "z.example", RR_A, "203.0.113.7", DEADLINE_MS);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(DEADLINE_MS - 1);
    ck_assert(!lookup_ready(lookup));
    pass(1);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_TEMPERROR);
    ck_assert_int_eq(facts.names[0].forward.outcome, DNS_FOUND);
    ck_assert_int_eq(facts.names[1].forward.outcome, DNS_TEMPERROR);
    ck_assert_str_eq(facts.names[1].forward.problem, "deadline");
    lookup_free(lookup);
}
END_TEST

/* The query may go on for the next asker: this one waits no longer. */
START_TEST(a_short_deadline)
{
    struct ipaddr client;
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 2000);
    ck_assert_int_eq(ipaddr_parse("203.0.113.7", &client), RESULT_OK);
    struct lookup *lookup = lookup_start(resolver, &client, 10, "", now_ms() + 1000);
    ck_assert_ptr_nonnull(lookup);
    pass(999);
    ck_assert(!lookup_ready(lookup));
    pass(1);
    ck_assert(lookup_ready(lookup));
    ck_assert_uint_eq(scripted_open(script), 1);
    lookup_free(lookup);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
}
END_TEST

START_TEST(before_the_deadline_it_is_open)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example", SCRIPTED_NEVER);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(10);
    ck_assert(!lookup_ready(lookup));
    get_facts(lookup, &facts); /* whoever does not wait gets no "no PTR" either */
    ck_assert_int_eq(facts.ptr.outcome, DNS_TEMPERROR);
    ck_assert_str_eq(facts.ptr.problem, "not waited for");
    ck_assert(facts.ptr.awaited && facts.awaited);
    lookup_free(lookup);
}
END_TEST

START_TEST(parts_have_their_own_deadlines)
{
    scripted_on(script, REVERSE, RR_PTR, "mail.example", SCRIPTED_NEVER);
    scripted_on(script, "ehlo.example", RR_A, "203.0.113.7", SCRIPTED_NEVER);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(5000);
    say_helo(lookup, "ehlo.example");
    pass(3000);
    ck_assert(!lookup_ready(lookup));
    pass(4999);
    ck_assert(!lookup_ready(lookup));
    pass(1);
    ck_assert(lookup_ready(lookup));
    lookup_free(lookup);
}
END_TEST

START_TEST(time_and_origin)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example ttl=600 ad server=0", 20);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7 ttl=300", 30);
    struct lookup *lookup = start("203.0.113.7", 10);
    ck_assert(!lookup_all_cached(lookup));
    pass(25);
    ck_assert_int_eq(lookup_took_ms(lookup), 25);
    pass(975);
    say_helo(lookup, "mail.example"); /* a second later, from the cache */
    ck_assert_int_eq(lookup_took_ms(lookup), 50);
    ck_assert(!lookup_all_cached(lookup));
    get_facts(lookup, &facts);
    ck_assert_int_eq(facts.ptr.origin, DNS_FROM_NETWORK);
    ck_assert_uint_eq(facts.ptr.took_ms, 20);
    ck_assert_uint_eq(facts.ptr.ttl_s, 600);
    ck_assert(facts.ptr.secure);
    ck_assert_str_eq(facts.ptr.server, "192.0.2.53:53");
    ck_assert_uint_eq(facts.names[0].forward.took_ms, 30);
    ck_assert(!facts.names[0].forward.secure);
    ck_assert_int_eq(facts.helo_name.forward.origin, DNS_FROM_CACHE);
    lookup_free(lookup);
    lookup = start("203.0.113.7", 10);
    ck_assert(lookup_ready(lookup));
    ck_assert(lookup_all_cached(lookup));
    ck_assert_int_eq(lookup_took_ms(lookup), 0);
    get_facts(lookup, &facts);
    ck_assert_int_eq(facts.ptr.origin, DNS_FROM_CACHE);
    ck_assert_ptr_null(facts.ptr.server);
    ck_assert_uint_eq(facts.ptr.ttl_s, 600);
    lookup_free(lookup);
}
END_TEST

START_TEST(stale_answers_are_told_apart)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example ttl=60", 0);
    scripted_on(script, REVERSE, RR_PTR, "SERVFAIL", 10);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7 ttl=60", 0);
    scripted_on(script, "mail.example", RR_A, "TIMEOUT", 3000);
    lookup_free(start("203.0.113.7", 10));
    pass(100000);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(10);
    pass(1800);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    ck_assert_int_eq(facts.ptr.origin, DNS_FROM_STALE);
    ck_assert_int_eq(facts.names[0].forward.origin, DNS_FROM_STALE);
    ck_assert(!lookup_all_cached(lookup));
    lookup_free(lookup);
}
END_TEST

START_TEST(an_outage_shows)
{
    struct facts facts;
    char name[64];
    scripted_on(script, "*.com", RR_A, "NETWORK", 0);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "1.0.%d.10.in-addr.arpa", i);
        scripted_on(script, name, RR_PTR, "NETWORK", 0);
        (void)snprintf(name, sizeof name, "10.%d.0.1", i);
        lookup_free(start(name, 10));
    }
    struct lookup *lookup = start("10.0.0.1", 10);
    get_facts(lookup, &facts);
    ck_assert(facts.resolver_down);
    lookup_free(lookup);
}
END_TEST

/* --- the servers come back ------------------------------------------------------------------ */

static void come_back(void)
{
    struct lookup *other;
    scripted_on(script, "9.113.0.203.in-addr.arpa", RR_PTR, "other.example", 0);
    scripted_comes_back(script);
    other = start("203.0.113.9", 1);
    lookup_free(other);
}

/* What failed before is asked again where the verdict is due, and nothing else is. */
START_TEST(failures_are_asked_again)
{
    static const struct {
        const char *label, *ptr, *forward, *helo;
    } rows[] = {
        {"PTR", "SERVFAIL", NULL, "203.0.113.7"},
        {"address", "mail.example", "TIMEOUT", "203.0.113.7"},
        {"EHLO", "mail.example", "203.0.113.7", "REFUSED"},
        {"all", "TIMEOUT", NULL, "TIMEOUT"},
    };
    struct facts facts;
    const char *label = rows[_i].label;
    scripted_on(script, REVERSE, RR_PTR, rows[_i].ptr, 0);
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 20);
    if (rows[_i].forward != NULL)
        scripted_on(script, "mail.example", RR_A, rows[_i].forward, 0);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7", 20);
    scripted_on(script, "ehlo.example", RR_A, rows[_i].helo, 0);
    scripted_on(script, "ehlo.example", RR_A, "203.0.113.7", 20);
    struct lookup *lookup = start("203.0.113.7", 10);
    say_helo(lookup, "ehlo.example");
    ck_assert_msg(lookup_ready(lookup), "%s: the servers are still down", label);
    unsigned asked = scripted_asked_all(script);
    come_back();
    ck_assert_msg(!lookup_ready(lookup), "%s", label);
    pass(20);
    pass(20); /* the PTR's name */
    ck_assert_msg(lookup_ready(lookup), "%s", label);
    get_facts(lookup, &facts);
    ck_assert_int_eq(facts.ptr.outcome, DNS_FOUND);
    ck_assert_int_eq(facts.names[0].confirmed, true);
    ck_assert_int_eq(facts.helo_name.forward.outcome, DNS_FOUND);
    unsigned other = 2; /* of come_back() */
    ck_assert_uint_le(scripted_asked_all(script) - asked - other, _i == 3 ? 3 : _i == 0 ? 2 : 1);
    lookup_free(lookup);
}
END_TEST

/* Nor is anything asked when the time is up. */
START_TEST(too_late_to_ask_again)
{
    scripted_on(script, REVERSE, RR_PTR, "SERVFAIL", 0);
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 20);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(DEADLINE_MS);
    come_back();
    unsigned asked = scripted_asked_all(script);
    ck_assert(lookup_ready(lookup));
    ck_assert_uint_eq(scripted_asked_all(script), asked);
    lookup_free(lookup);
}
END_TEST

/* --- hanging up and shutting down ----------------------------------------------------------- */

/* Lists are asked beside the PTR record, each with a deadline of their part. */
START_TEST(lists)
{
    static const char *const zones[] = {"a.example", "b.example", "c.example"};
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "mail.example", 10);
    scripted_on(script, "mail.example", RR_A, "203.0.113.7", 10);
    scripted_on(script, "7.113.0.203.a.example", RR_A, "127.0.0.2 127.0.0.4", 10);
    scripted_on(script, "7.113.0.203.c.example", RR_A, "127.0.0.3", 60000);
    struct lookup *lookup = start("203.0.113.7", 10);
    get_facts(lookup, &facts);
    ck_assert_uint_eq(facts.list_count, 0);
    ck_assert_int_eq(lookup_lists(lookup, NULL, 0, now_ms() + DEADLINE_MS), RESULT_OK);
    ck_assert_int_eq(lookup_lists(lookup, zones, 3, now_ms() + DEADLINE_MS), RESULT_OK);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 3); /* PTR, a, c: b does not exist */
    pass(10);
    pass(10);
    ck_assert(!lookup_ready(lookup));
    ck_assert(!lookup_all_cached(lookup));
    get_facts(lookup, &facts);
    ck_assert(facts.awaited);
    ck_assert_uint_eq(facts.list_count, 3);
    ck_assert_str_eq(facts.lists[0].zone, "a.example");
    ck_assert_int_eq(facts.lists[0].answer.outcome, DNS_FOUND);
    ck_assert_uint_eq(facts.lists[0].address_count, 2);
    ck_assert_uint_eq(facts.lists[0].addresses[1].bytes[3], 4);
    ck_assert_int_eq(facts.lists[1].answer.outcome, DNS_NXDOMAIN);
    ck_assert(facts.lists[2].answer.awaited);
    pass(DEADLINE_MS);
    ck_assert(lookup_ready(lookup));
    get_facts(lookup, &facts);
    ck_assert(!facts.awaited);
    ck_assert_int_eq(facts.lists[2].answer.outcome, DNS_TEMPERROR);
    ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
    lookup_free(lookup);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
}
END_TEST

START_TEST(hanging_up)
{
    scripted_on(script, REVERSE, RR_PTR, "a.example b.example", 10);
    scripted_on(script, "a.example", RR_A, "203.0.113.7", 100);
    scripted_on(script, "b.example", RR_A, "203.0.113.7", 100);
    scripted_on(script, "ehlo.example", RR_A, "203.0.113.7", 100);
    struct lookup *lookup = start("203.0.113.7", 10);
    say_helo(lookup, "ehlo.example");
    pass(10);
    ck_assert_uint_eq(scripted_open(script), 3);
    lookup_free(lookup);
    scripted_run(script);
    ck_assert_uint_eq(scripted_open(script), 0);
    ck_assert_uint_eq(scripted_cancelled(script), 3);
    lookup_free(NULL);
}
END_TEST

START_TEST(shutting_down)
{
    struct facts facts;
    scripted_on(script, REVERSE, RR_PTR, "a.example", 10);
    scripted_on(script, "a.example", RR_A, "203.0.113.7", 100);
    struct lookup *lookup = start("203.0.113.7", 10);
    pass(10);
    get_facts(lookup, &facts);
    scripted_stop(script);
    resolver_free(resolver);
    resolver = NULL;
    lookup_free(lookup);
}
END_TEST

/* Out of memory is never a silent pass nor "no PTR": the facts are missing, or true. */
START_TEST(without_memory)
{
    struct ipaddr client;
    struct helo helo;
    ck_assert_int_eq(ipaddr_parse("203.0.113.7", &client), RESULT_OK);
    helo_parse("ehlo.example", &helo);
    scripted_on(script, REVERSE, RR_PTR, "a.example z.example", 10);
    scripted_on(script, "a.example", RR_A, "192.0.2.1", 10);
    scripted_on(script, "z.example", RR_A, "203.0.113.7", 0);
    scripted_on(script, "ehlo.example", RR_A, "NODATA", 10);
    scripted_on(script, "ehlo.example", RR_AAAA, "2001:db8::1", 10);
    scripted_on(script, "ehlo.example", RR_MX, "mx.example", 10);
    scripted_on(script, "7.113.0.203.b.example", RR_A, "127.0.0.2", 10);
    bool for_good = _i == 1;
    for (long n = 1;; n++) {
        struct facts facts = {0};
        enum result status = RESULT_NOMEM, helo_status = RESULT_NOMEM;
        bool ready = true;
        alloc_fail_at(n, for_good);
        struct lookup *lookup = lookup_start(resolver, &client, 10, "", now_ms() + DEADLINE_MS);
        if (lookup != NULL) {
            static const char *const zones[] = {"a.example", "b.example"};
            helo_status = lookup_helo(lookup, &helo, true, now_ms() + DEADLINE_MS);
            if (helo_status == RESULT_OK)
                helo_status = lookup_lists(lookup, zones, 2, now_ms() + DEADLINE_MS);
            pass(20);
            pass(20);
            ready = lookup_ready(lookup);
            status = lookup_facts(lookup, &facts);
        }
        bool failed = alloc_failed();
        alloc_fail_at(0, false);
        ck_assert(ready); /* every question was answered, if only by a failure */
        ck_assert(helo_status == RESULT_OK || status == RESULT_NOMEM);
        if (status == RESULT_OK) {
            ck_assert_int_eq(iprev_evaluate(&facts).result, IPREV_PASS);
            ck_assert_int_eq(facts.helo_name.forward.outcome, DNS_NODATA);
            ck_assert_int_eq(facts.helo_other.outcome, DNS_FOUND);
            ck_assert_int_eq(facts.helo_mx.outcome, DNS_FOUND);
            ck_assert_uint_eq(facts.list_count, 2);
            ck_assert_int_eq(facts.lists[1].answer.outcome, DNS_FOUND);
        }
        lookup_free(lookup);
        scripted_run(script);
        ck_assert_uint_eq(scripted_open(script), 0);
        (void)cache_flush_all(cache);
        if (!failed)
            break;
    }
}
END_TEST

/* --- many threads on a real loop ------------------------------------------------------------ */

#define THREADS  4
#define SESSIONS 400

static void one_session(unsigned random)
{
    struct facts facts;
    char text[32];
    (void)snprintf(text, sizeof text, "203.0.113.%u", random % 50);
    struct lookup *lookup = start(text, 10);
    if (random % 7 == 0)
        say_helo(lookup, "first.example");
    (void)snprintf(text, sizeof text, "m%u.example", random % 50);
    say_helo(lookup, text);
    if (random % 5 != 0) {
        lookup_wait(lookup);
        get_facts(lookup, &facts);
        struct iprev iprev = iprev_evaluate(&facts);
        ck_assert_int_eq(iprev.result, random % 50 % 10 == 0 ? IPREV_TEMPERROR : IPREV_PASS);
        ck_assert_int_eq(facts.helo_name.forward.outcome, DNS_FOUND);
    }
    lookup_free(lookup); /* or hung up before the answers */
}

static void *thread_main(void *arg)
{
    unsigned state = *(unsigned *)arg;
    for (int i = 0; i < SESSIONS; i++) {
        state = state * 1664525U + 1013904223U;
        one_session(state >> 12);
    }
    return NULL;
}

START_TEST(sessions_on_a_loop)
{
    pthread_t thread[THREADS];
    unsigned seed[THREADS] = {1, 2, 3, 4};
    char name[64], spec[64];
    tear_down();
    script = scripted_new();
    cache = cache_new(&cache_limits, 1);
    struct loop *loop = loop_new();
    ck_assert(cache != NULL && loop != NULL);
    scripted_use_loop(script, loop);
    for (unsigned i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof name, "%u.113.0.203.in-addr.arpa", i);
        (void)snprintf(spec, sizeof spec, "m%u.example a%u.example ttl=0", i, i);
        scripted_on(script, name, RR_PTR, i % 10 == 0 ? "SERVFAIL" : spec, i % 3);
        (void)snprintf(name, sizeof name, "m%u.example", i);
        (void)snprintf(spec, sizeof spec, "203.0.113.%u ttl=%u", i, i % 2);
        scripted_on(script, name, RR_A, spec, i % 4);
    }
    resolver = resolver_new(scripted_source(script), cache, loop, &limits, NULL);
    ck_assert_ptr_nonnull(resolver);
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, thread_main, &seed[i]), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    loop_stop(loop);
    resolver_free(resolver);
    resolver = NULL;
    loop_free(loop);
    ck_assert_uint_eq(scripted_open(script), 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tcase = tcase_create("lookup");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, reverse_part, 0, COUNT(reverses));
    tcase_add_test(tcase, unusable_names);
    tcase_add_loop_test(tcase, many_names, 0, COUNT(many));
    tcase_add_test(tcase, a_few_at_a_time);
    tcase_add_test(tcase, none_once_confirmed);
    tcase_add_test(tcase, needed_after_the_deadline);
    tcase_add_test(tcase, not_asked_in_time);
    tcase_add_test(tcase, silent_names_in_front);
    tcase_add_test(tcase, related_names_first);
    tcase_add_test(tcase, held_and_gone_on);
    tcase_add_loop_test(tcase, preferred_name, 0, (int)(sizeof preferred / sizeof preferred[0]));
    tcase_add_test(tcase, ehlo_name_behind);
    tcase_add_loop_test(tcase, any_order, 0, 4);
    tcase_add_test(tcase, names_cut_off_before);
    tcase_add_loop_test(tcase, helo_part, 0, COUNT(helos));
    tcase_add_test(tcase, helo_is_the_ptr_name);
    tcase_add_test(tcase, last_helo_counts);
    tcase_add_test(tcase, deadline_passes);
    tcase_add_test(tcase, a_short_deadline);
    tcase_add_test(tcase, before_the_deadline_it_is_open);
    tcase_add_test(tcase, parts_have_their_own_deadlines);
    tcase_add_test(tcase, time_and_origin);
    tcase_add_test(tcase, stale_answers_are_told_apart);
    tcase_add_test(tcase, an_outage_shows);
    tcase_add_loop_test(tcase, failures_are_asked_again, 0, 4);
    tcase_add_test(tcase, too_late_to_ask_again);
    tcase_add_test(tcase, lists);
    tcase_add_test(tcase, hanging_up);
    tcase_add_test(tcase, shutting_down);
    tcase_add_loop_test(tcase, without_memory, 0, 2);
    tcase_add_test(tcase, sessions_on_a_loop);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
