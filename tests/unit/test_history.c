/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/history.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY       86400
#define FIRST_DAY 20000
#define KEEP      (35 * DAY)
#define GRACE     (3 * DAY)

/* --- sequences of days ------------------------------------------------------------------------ */

/*
 * "p1 f3@6 ?3@6": passed on day 1 at noon, failed on day 3 at 6 o'clock, and what is a failure
 * worth then?
 */
struct sequence {
    const char *label, *events;
    enum grace_state want;
    int want_right, want_failed_h, want_until_h; /* day; hours since day 0 */
};

#define AT(day, hour) ((day)*24 + (hour))

static const struct sequence sequences[] = {
    {"unknown", "?1", GRACE_NONE, 0, 0, 0},
    {"one pass is not enough", "p1 ?2", GRACE_NONE, 0, 0, 0},
    {"many passes on a day are one", "p1@1 p1@2 p1@23 ?2", GRACE_NONE, 0, 0, 0},
    {"two days", "p1 p2 ?3", GRACE_GIVEN, 2, AT(3, 12), AT(6, 12)},
    {"failing is noted, and asked again", "p1 p2 f3 ?3", GRACE_GIVEN, 2, AT(3, 12), AT(6, 12)},
    {"the first failure counts", "p1 p2 f3 f4 f5@1 ?5@2", GRACE_GIVEN, 2, AT(3, 12), AT(6, 12)},
    {"a second before the end", "p1 p2 f3 ?6@11", GRACE_GIVEN, 2, AT(3, 12), AT(6, 12)},
    {"the end", "p1 p2 f3 ?6@12", GRACE_OVER, 2, AT(3, 12), AT(6, 12)},
    {"long after the end", "p1 p2 f3 f4 f9 ?40", GRACE_OVER, 2, AT(3, 12), AT(6, 12)},
    {"right and wrong on one day", "p1 p2@1 f2@2 ?2@3", GRACE_GIVEN, 2, AT(2, 2), AT(5, 2)},
    {"at the end of keep", "p1 p2 ?36", GRACE_GIVEN, 2, AT(36, 12), AT(39, 12)},
    {"past keep", "p1 p2 ?37", GRACE_NONE, 0, 0, 0},
    {"keep is counted to the first failure", "p1 p2 f36 ?38", GRACE_GIVEN, 2, AT(36, 12),
     AT(39, 12)},
    {"only the last two days count", "p1 p30 p50 ?60", GRACE_GIVEN, 50, AT(60, 12), AT(63, 12)},
    {"one of the two is too old", "p1 p50 ?60", GRACE_NONE, 0, 0, 0},
    {"one pass ends no failing", "p1 p2 f3 p5 ?6@11", GRACE_GIVEN, 5, AT(3, 12), AT(6, 12)},
    {"one pass gives no new grace", "p1 p2 f3 p7 ?8", GRACE_OVER, 7, AT(3, 12), AT(6, 12)},
    {"two passes on one day do not either", "p1 p2 f3 p7@1 p7@9 ?8", GRACE_OVER, 7, AT(3, 12),
     AT(6, 12)},
    {"passes on two days do", "p1 p2 f3 p7 p8 ?9", GRACE_GIVEN, 8, AT(9, 12), AT(12, 12)},
    {"not with a failure between them", "p1 p2 f3 p7 f8 p9 ?10", GRACE_OVER, 9, AT(3, 12),
     AT(6, 12)},
    {"the day of the failure is one of the two", "p1 p2 f3@1 p3@5 p4 ?5", GRACE_GIVEN, 4, AT(5, 12),
     AT(8, 12)},
    {"each day a failure: once", "p1 p2 f3@1 p3@2 f4@1 p4@2 f5@1 p5@2 f6@1 p6@2 ?6@3", GRACE_OVER,
     6, AT(3, 1), AT(6, 1)},
    {"failed before it was known to be right", "f1 p2 p3 ?4", GRACE_GIVEN, 3, AT(4, 12), AT(7, 12)},
    {"right once, wrong, right: the window of the first failure", "p1 f2 p3 ?4", GRACE_GIVEN, 3,
     AT(2, 12), AT(5, 12)},
    {"and no more than that", "p1 f2 p3 ?6", GRACE_OVER, 3, AT(2, 12), AT(5, 12)},
    {"earlier failure learned later", "p1 p2 f5 f4 ?5", GRACE_GIVEN, 2, AT(4, 12), AT(7, 12)},
    /* The clock. */
    {"set back while it fails", "p11 p12 f13 ?5", GRACE_GIVEN, 5, AT(5, 12), AT(8, 12)},
    {"set back, and failed again", "p11 p12 f13 f5 ?7", GRACE_GIVEN, 7, AT(5, 12), AT(8, 12)},
    {"set back while it is right", "p11 p12 p5 ?6", GRACE_GIVEN, 5, AT(6, 12), AT(9, 12)},
    {"set back by hours", "p1 p2 f3@12 ?3@9", GRACE_GIVEN, 2, AT(3, 9), AT(6, 9)},
    {"far ahead and back again", "p1 p2 p900 p4 ?5", GRACE_GIVEN, 4, AT(5, 12), AT(8, 12)},
    {"far ahead: nothing is known, as before", "p1 p2 ?900", GRACE_NONE, 0, 0, 0},
};

static int64_t time_of(const char *text)
{
    char *end;
    long day = strtol(text, &end, 10);
    long hour = *end == '@' ? strtol(end + 1, NULL, 10) : 12;
    return (FIRST_DAY + (int64_t)day) * DAY + hour * 3600;
}

/* What the events leave behind; "?": into `grace`. */
static struct history play(const char *text, struct history history, struct grace *grace)
{
    char events[200];
    (void)snprintf(events, sizeof events, "%s", text);
    char *rest = NULL;
    for (char *event = strtok_r(events, " ", &rest); event != NULL;
         event = strtok_r(NULL, " ", &rest)) {
        int64_t wall_s = time_of(event + 1);
        if (event[0] == 'p')
            (void)history_pass(&history, wall_s);
        else if (event[0] == 'f')
            (void)history_fail(&history, wall_s);
        else
            *grace = history_grace(&history, KEEP, GRACE, wall_s);
    }
    return history;
}

START_TEST(test_sequences)
{
    const struct sequence *sequence = &sequences[_i];
    struct grace grace = {0};
    (void)play(sequence->events, (struct history){0}, &grace);
    ck_assert_msg(grace.state == sequence->want, "%s: %d", sequence->label, grace.state);
    if (sequence->want == GRACE_NONE)
        return;
    ck_assert_msg(grace.right_s / DAY == FIRST_DAY + sequence->want_right, "%s: right until %d",
                  sequence->label, (int)(grace.right_s / DAY) - FIRST_DAY);
    ck_assert_msg((grace.failed_s - (int64_t)FIRST_DAY * DAY) / 3600 == sequence->want_failed_h,
                  "%s: failed", sequence->label);
    ck_assert_msg((grace.until_s - (int64_t)FIRST_DAY * DAY) / 3600 == sequence->want_until_h,
                  "%s: until", sequence->label);
}
END_TEST

/* --- two hosts -------------------------------------------------------------------------------- */

/* What each of them saw, and what both know of it then. */
static const struct {
    const char *label, *one, *other, *then;
    enum grace_state want;
    int want_right, want_until_h;
} pairs[] = {
    {"nothing", "", "", "?1", GRACE_NONE, 0, 0},
    {"one day each", "p1", "p2", "?3", GRACE_GIVEN, 2, AT(6, 12)},
    {"the same day", "p1@1", "p1@9", "?2", GRACE_NONE, 0, 0},
    {"only the other one saw it", "", "p1 p2", "?3", GRACE_GIVEN, 2, AT(6, 12)},
    {"the earliest failure counts", "p1 p2 f4", "p1 p2 f3", "?5", GRACE_GIVEN, 2, AT(6, 12)},
    {"of three days the last two", "p1 p5", "p3", "?6", GRACE_GIVEN, 5, AT(9, 12)},
    {"used up elsewhere", "p1 p2", "p1 p2 f3", "?7", GRACE_OVER, 2, AT(6, 12)},
    {"passes on two later days elsewhere end it", "p1 p2 f3", "p4 p5", "?6", GRACE_GIVEN, 5,
     AT(9, 12)},
    {"on one later day they do not", "p1 p2 f3", "p2 p5", "?7", GRACE_OVER, 5, AT(6, 12)},
    {"but the next one does", "p1 p2 f3", "p2 p5", "p6 ?7", GRACE_GIVEN, 6, AT(10, 12)},
    {"a pass behind the other one's failure", "p1 p2 f3 p5", "p1 p2 f4", "p6 ?7", GRACE_GIVEN, 6,
     AT(10, 12)},
    {"a failure on the day of the pass", "p1 p2 f3 p5", "p1 p2 f3 p5@1 f5@2", "p6 ?7", GRACE_OVER,
     6, AT(6, 12)},
    {"both saw a pass", "p1 p2 f3 p5", "p1 p2 f4 p5", "p6 ?7", GRACE_GIVEN, 6, AT(10, 12)},
};

START_TEST(test_pairs)
{
    static const struct history nothing;
    struct grace grace = {0};
    struct history one = play(pairs[_i].one, nothing, &grace);
    struct history other = play(pairs[_i].other, nothing, &grace);
    struct history both = history_merge(&one, &other), again = history_merge(&other, &one);
    ck_assert_msg(history_equal(&both, &again), "%s: order", pairs[_i].label);
    again = history_merge(&both, &one);
    ck_assert_msg(history_equal(&both, &again), "%s: twice", pairs[_i].label);
    again = history_merge(&nothing, &both);
    ck_assert_msg(history_equal(&both, &again), "%s: nothing", pairs[_i].label);
    (void)play(pairs[_i].then, both, &grace);
    ck_assert_msg(grace.state == pairs[_i].want, "%s: %s", pairs[_i].label,
                  grace_state_text(grace.state));
    if (pairs[_i].want == GRACE_NONE)
        return;
    ck_assert_msg(grace.right_s / DAY == FIRST_DAY + pairs[_i].want_right, "%s: right",
                  pairs[_i].label);
    ck_assert_msg((grace.until_s - (int64_t)FIRST_DAY * DAY) / 3600 == pairs[_i].want_until_h,
                  "%s: until", pairs[_i].label);
}
END_TEST

/* What is wrong with two histories as one, or NULL: see test_merge_any. */
static const char *fault_of_merge(const struct history two[2])
{
    struct history both = history_merge(&two[0], &two[1]);
    struct history again = history_merge(&two[1], &two[0]);
    if (!history_equal(&both, &again))
        return "their order counts";
    for (int host = 0; host < 2; host++) {
        again = history_merge(&both, &two[host]);
        if (!history_equal(&both, &again))
            return "one of them once more makes it another";
        if (both.last_day < two[host].last_day || both.previous_day < two[host].previous_day)
            return "a day was lost";
    }
    if (both.previous_day != 0 && both.previous_day >= both.last_day)
        return "the days are not in order";
    if (both.failed_s != 0 && both.failed_s != two[0].failed_s && both.failed_s != two[1].failed_s)
        return "a failure was invented";
    if (both.passed_since && both.failed_s == 0)
        return "it passed since no failure";
    return NULL;
}

/* Of any two: in any order the same, nothing is lost that was seen, and no failure is invented. */
START_TEST(test_merge_any)
{
    srandom(4711);
    for (int i = 0; i < 200000; i++) {
        struct history two[2] = {{0}, {0}};
        for (int host = 0; host < 2; host++)
            for (long day = random() % 3; day < 12; day += 1 + random() % 5) {
                int64_t wall_s = (FIRST_DAY + day) * DAY + random() % DAY;
                (void)(random() % 3 == 0 ? history_fail(&two[host], wall_s)
                                         : history_pass(&two[host], wall_s));
            }
        const char *fault = fault_of_merge(two);
        if (fault != NULL) /* ck_assert() writes to a file each time that it holds */
            ck_abort_msg("pair %d: %s", i, fault);
    }
}
END_TEST

START_TEST(test_off)
{
    struct history history = {0};
    (void)history_pass(&history, time_of("1"));
    (void)history_pass(&history, time_of("2"));
    ck_assert_int_eq(history_grace(&history, KEEP, 0, time_of("3")).state, GRACE_NONE);
}
END_TEST

/* Once a day and client something changes, and once a failing. */
START_TEST(test_changes)
{
    struct history history = {0};
    ck_assert(history_pass(&history, time_of("1@1")));
    ck_assert(!history_pass(&history, time_of("1@2")));
    ck_assert(history_pass(&history, time_of("2")));
    ck_assert(history_fail(&history, time_of("3@1")));
    ck_assert(!history_fail(&history, time_of("3@2")));
    ck_assert(!history_fail(&history, time_of("9")));
    ck_assert_uint_eq(history_seen_day(&history), FIRST_DAY + 3);
    ck_assert(history_pass(&history, time_of("10@1")));
    ck_assert(!history_pass(&history, time_of("10@2")));
    ck_assert(history_pass(&history, time_of("11")));
    ck_assert_uint_eq(history.failed_s, 0);
    ck_assert_uint_eq(history_seen_day(&history), FIRST_DAY + 11);
}
END_TEST

/* Whatever the clock says: no day is outside of what is kept, and no arithmetic overflows. */
START_TEST(test_clocks)
{
    static const int64_t clocks[] = {INT64_MIN, -1, 0, 1, DAY, UINT32_MAX, (int64_t)UINT32_MAX + 1,
                                     INT64_MAX};
    const size_t count = sizeof clocks / sizeof clocks[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < count; k++) {
                struct history history = {0};
                (void)history_pass(&history, clocks[i]);
                (void)history_pass(&history, clocks[j]);
                (void)history_fail(&history, clocks[k]);
                for (size_t l = 0; l < count; l++) {
                    struct grace grace = history_grace(&history, KEEP, GRACE, clocks[l]);
                    ck_assert(grace.state == GRACE_NONE || grace.until_s > grace.failed_s);
                }
            }
}
END_TEST

/* --- what facts say --------------------------------------------------------------------------- */

struct evidence_row {
    const char *label;
    enum dns_outcome ptr, forward;
    enum dns_origin ptr_origin, forward_origin;
    bool confirmed, resolver_down, awaited;
    size_t names_over;
    enum history_event want;
};

static const struct evidence_row rows[] = {
    {"pass", DNS_FOUND, DNS_FOUND, DNS_FROM_NETWORK, DNS_FROM_NETWORK, true, false, false, 0,
     HISTORY_PASS},
    {"pass of the cache", DNS_FOUND, DNS_FOUND, DNS_FROM_CACHE, DNS_FROM_CACHE, true, false, false,
     0, HISTORY_PASS},
    {"pass while the resolver is down", DNS_FOUND, DNS_FOUND, DNS_FROM_CACHE, DNS_FROM_CACHE, true,
     true, false, 0, HISTORY_PASS},
    {"pass by a stale PTR", DNS_FOUND, DNS_FOUND, DNS_FROM_STALE, DNS_FROM_NETWORK, true, false,
     false, 0, HISTORY_NOTHING},
    {"pass by a stale address", DNS_FOUND, DNS_FOUND, DNS_FROM_NETWORK, DNS_FROM_STALE, true, false,
     false, 0, HISTORY_NOTHING},
    {"no PTR", DNS_NXDOMAIN, DNS_NOT_ASKED, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false, false,
     0, HISTORY_FAILURE},
    {"no PTR, no data", DNS_NODATA, DNS_NOT_ASKED, DNS_FROM_CACHE, DNS_FROM_NETWORK, false, false,
     false, 0, HISTORY_FAILURE},
    {"stale no PTR", DNS_NXDOMAIN, DNS_NOT_ASKED, DNS_FROM_STALE, DNS_FROM_NETWORK, false, false,
     false, 0, HISTORY_NOTHING},
    {"no PTR while the resolver is down", DNS_NXDOMAIN, DNS_NOT_ASKED, DNS_FROM_CACHE,
     DNS_FROM_NETWORK, false, true, false, 0, HISTORY_NOTHING},
    {"elsewhere", DNS_FOUND, DNS_FOUND, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false, false, 0,
     HISTORY_FAILURE},
    {"no address", DNS_FOUND, DNS_NXDOMAIN, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false, false,
     0, HISTORY_FAILURE},
    {"elsewhere by a stale answer", DNS_FOUND, DNS_FOUND, DNS_FROM_NETWORK, DNS_FROM_STALE, false,
     false, false, 0, HISTORY_NOTHING},
    {"elsewhere, names left out", DNS_FOUND, DNS_FOUND, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false,
     false, false, 3, HISTORY_NOTHING},
    {"awaited", DNS_FOUND, DNS_NOT_ASKED, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false, true, 0,
     HISTORY_NOTHING},
    {"forward failed", DNS_FOUND, DNS_TEMPERROR, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false,
     false, 0, HISTORY_NOTHING},
    {"PTR failed", DNS_TEMPERROR, DNS_NOT_ASKED, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false,
     false, 0, HISTORY_NOTHING},
    {"not asked", DNS_NOT_ASKED, DNS_NOT_ASKED, DNS_FROM_NETWORK, DNS_FROM_NETWORK, false, false,
     false, 0, HISTORY_NOTHING},
};

START_TEST(test_evidence)
{
    const struct evidence_row *row = &rows[_i];
    struct name_facts name = {.name = "mail.a.example",
                              .flaw = HOSTNAME_OK,
                              .confirmed = row->confirmed,
                              .forward = {.outcome = row->forward,
                                          .origin = row->forward_origin,
                                          .awaited = row->awaited}};
    struct facts facts = {.client = {.family = IP_V4},
                          .ptr = {.outcome = row->ptr, .origin = row->ptr_origin},
                          .names = &name,
                          .name_count = row->ptr == DNS_FOUND,
                          .names_over = row->names_over,
                          .resolver_down = row->resolver_down};
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_msg(history_event_of(&facts, &iprev) == row->want, "%s", row->label);
}
END_TEST

/* EHLO's name is stale and another in time: that one counts. */
START_TEST(test_other_name)
{
    struct name_facts names[] = {
        {.name = "a.example",
         .confirmed = true,
         .forward = {.outcome = DNS_FOUND, .origin = DNS_FROM_STALE}},
        {.name = "b.example", .confirmed = true, .forward = {.outcome = DNS_FOUND}},
    };
    struct facts facts = {.client = {.family = IP_V4},
                          .ptr = {.outcome = DNS_FOUND},
                          .names = names,
                          .name_count = 2};
    (void)snprintf(facts.helo.name, sizeof facts.helo.name, "a.example");
    struct iprev iprev = iprev_evaluate(&facts);
    ck_assert_ptr_eq(iprev.confirmed, &names[0]);
    ck_assert_int_eq(history_event_of(&facts, &iprev), HISTORY_PASS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *tcase = tcase_create("history");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_sequences, 0, sizeof sequences / sizeof sequences[0]);
    tcase_add_loop_test(tcase, test_pairs, 0, sizeof pairs / sizeof pairs[0]);
    tcase_add_test(tcase, test_merge_any);
    tcase_add_test(tcase, test_off);
    tcase_add_test(tcase, test_changes);
    tcase_add_test(tcase, test_clocks);
    tcase_add_loop_test(tcase, test_evidence, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(tcase, test_other_name);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
