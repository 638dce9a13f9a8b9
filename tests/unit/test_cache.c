/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/cache.h"
#include "failing_alloc.h"
#include "scripted_source.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define T0 SCRIPTED_START_MS
#define S  INT64_C(1000)

static const struct cache_limits usual = {.size_bytes = 8 << 20,
                                          .max_ttl_s = 86400,
                                          .negative_max_ttl_s = 300,
                                          .failure_ttl_s = 30,
                                          .stale_s = 86400};

static struct cache *cache;

static void make(const struct cache_limits *limits)
{
    cache = cache_new(limits, UINT64_C(0x0123456789abcdef));
    ck_assert_ptr_nonnull(cache);
}

static void set_up(void)
{
    make(&usual);
}

static void tear_down(void)
{
    cache_free(cache);
}

static void keep(const char *name, enum rrtype type, const char *spec, int64_t at_ms)
{
    struct question question = scripted_question(name, type);
    struct answer *answer = scripted_answer(type, spec);
    cache_store(cache, &question, answer, at_ms);
    answer_unref(answer);
}

static struct cache_found look(const char *name, enum rrtype type, int64_t at_ms)
{
    struct question question = scripted_question(name, type);
    struct cache_found found = cache_lookup(cache, &question, at_ms);
    answer_unref(found.answer); /* the cache still has it */
    return found;
}

static enum cache_hit hit(const char *name, enum rrtype type, int64_t at_ms)
{
    return look(name, type, at_ms).hit;
}

START_TEST(test_failures_go_when_servers_come_back)
{
    keep("alone.example", RR_A, "SERVFAIL ttl=0", 1 * S);
    keep("beside.example", RR_A, "192.0.2.1 ttl=10", 1 * S);
    keep("beside.example", RR_A, "SERVFAIL ttl=0", 20 * S);
    ck_assert(hit("alone.example", RR_A, 21 * S) == CACHE_FRESH);
    ck_assert(look("beside.example", RR_A, 21 * S).failed_recently);
    cache_forget_failures(cache, 21 * S);
    ck_assert(hit("alone.example", RR_A, 22 * S) == CACHE_MISS);
    ck_assert(!look("beside.example", RR_A, 22 * S).failed_recently);
    ck_assert(hit("beside.example", RR_A, 22 * S) == CACHE_STALE);
    /* What fails afterwards counts. */
    keep("alone.example", RR_A, "SERVFAIL ttl=0", 23 * S);
    keep("beside.example", RR_A, "SERVFAIL ttl=0", 23 * S);
    ck_assert(hit("alone.example", RR_A, 24 * S) == CACHE_FRESH);
    ck_assert(look("beside.example", RR_A, 24 * S).failed_recently);
}
END_TEST

/* --- how long an answer is kept ------------------------------------------------------------- */

static const struct {
    const char *label, *spec;
    int64_t want_s; /* fresh for so long; 0: not kept */
} ttls[] = {
    {"TTL 0 is not kept", "192.0.2.1 ttl=0", 0},
    {"TTL 1", "192.0.2.1 ttl=1", 1},
    {"as it came", "192.0.2.1 ttl=3600", 3600},
    {"capped", "192.0.2.1 ttl=604800", 86400},
    {"2^31-1", "192.0.2.1 ttl=2147483647", 86400},
    {"2^32-1", "192.0.2.1 ttl=4294967295", 86400},
    {"NXDOMAIN", "NXDOMAIN ttl=60", 60},
    {"NXDOMAIN, capped short", "NXDOMAIN ttl=10800", 300},
    {"NXDOMAIN without SOA", "NXDOMAIN ttl=0", 0},
    {"NODATA, capped short", "NODATA ttl=10800", 300},
    {"failure", "SERVFAIL ttl=0", 30},
};

START_TEST(ttl_by_kind)
{
    keep("mail.example", RR_A, ttls[_i].spec, T0);
    int64_t end = T0 + ttls[_i].want_s * S;
    if (ttls[_i].want_s > 0) {
        struct cache_found found = look("mail.example", RR_A, T0);
        ck_assert_msg(found.hit == CACHE_FRESH, "%s: at once", ttls[_i].label);
        ck_assert_int_eq(found.ttl_left_s, ttls[_i].want_s);
        ck_assert_msg(hit("mail.example", RR_A, end - 1) != CACHE_MISS, "%s", ttls[_i].label);
        ck_assert_int_eq(look("mail.example", RR_A, end - 1).ttl_left_s, 1);
    }
    ck_assert_msg(hit("mail.example", RR_A, end) != CACHE_FRESH, "%s: too long", ttls[_i].label);
}
END_TEST

START_TEST(ttl_zero_ends_the_older_answer)
{
    keep("mail.example", RR_A, "192.0.2.1", T0);
    keep("mail.example", RR_A, "192.0.2.2 ttl=0", T0);
    ck_assert_int_eq(hit("mail.example", RR_A, T0), CACHE_MISS);
}
END_TEST

START_TEST(names_and_types_are_apart)
{
    keep("mail.example", RR_A, "192.0.2.1", T0);
    ck_assert_int_eq(hit("mail.example", RR_AAAA, T0), CACHE_MISS);
    ck_assert_int_eq(hit("mail2.example", RR_A, T0), CACHE_MISS);
    ck_assert_int_eq(hit("example", RR_A, T0), CACHE_MISS);
    ck_assert_int_eq(hit("MAIL.Example", RR_A, T0), CACHE_FRESH);
}
END_TEST

/* RFC 2308 5, RFC 8020 */
START_TEST(nxdomain_is_of_all_types)
{
    keep("gone.example", RR_A, "192.0.2.1", T0);
    keep("gone.example", RR_MX, "mx.example", T0);
    keep("gone.example", RR_AAAA, "NXDOMAIN ttl=60", T0);
    const enum rrtype types[] = {RR_A, RR_AAAA, RR_MX, RR_PTR};
    for (size_t i = 0; i < 4; i++) {
        struct question question = scripted_question("gone.example", types[i]);
        struct cache_found found = cache_lookup(cache, &question, T0);
        ck_assert_int_eq(found.hit, CACHE_FRESH);
        ck_assert_int_eq(found.answer->outcome, DNS_NXDOMAIN);
        answer_unref(found.answer);
    }
    keep("gone.example", RR_A, "192.0.2.9", T0); /* registered meanwhile */
    ck_assert_int_eq(hit("gone.example", RR_A, T0), CACHE_FRESH);
    ck_assert_int_eq(hit("gone.example", RR_MX, T0), CACHE_MISS);
}
END_TEST

START_TEST(nodata_is_of_one_type)
{
    keep("mail.example", RR_AAAA, "NODATA", T0);
    ck_assert_int_eq(hit("mail.example", RR_AAAA, T0), CACHE_FRESH);
    ck_assert_int_eq(hit("mail.example", RR_A, T0), CACHE_MISS);
}
END_TEST

/* --- stale answers and failures ------------------------------------------------------------- */

START_TEST(stale_for_so_long)
{
    keep("mail.example", RR_A, "192.0.2.1 ttl=60", T0);
    struct cache_found found = look("mail.example", RR_A, T0 + 60 * S);
    ck_assert_int_eq(found.hit, CACHE_STALE);
    ck_assert_int_eq(found.ttl_left_s, 0);
    ck_assert(!found.failed_recently);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + (60 + 86400) * S - 1), CACHE_STALE);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + (60 + 86400) * S), CACHE_MISS);
}
END_TEST

START_TEST(stale_off)
{
    struct cache_limits limits = usual;
    limits.stale_s = 0;
    cache_set_limits(cache, &limits);
    keep("mail.example", RR_A, "192.0.2.1 ttl=60", T0);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 60 * S), CACHE_MISS);
}
END_TEST

static const struct {
    const char *label, *spec;
} kinds[] = {
    {"found", "192.0.2.1 ttl=60"}, {"nodata", "NODATA ttl=60"}, {"nxdomain", "NXDOMAIN ttl=60"}};

/* RFC 8767 5: while the servers fail the old answer serves, and they are let alone for 30 s. */
START_TEST(failure_beside_stale)
{
    int64_t failed = T0 + 100 * S;
    keep("mail.example", RR_A, kinds[_i].spec, T0);
    keep("mail.example", RR_A, "SERVFAIL", failed);
    struct cache_found found = look("mail.example", RR_A, failed);
    ck_assert_int_eq(found.hit, CACHE_STALE);
    ck_assert(found.failed_recently);
    ck_assert(look("mail.example", RR_A, failed + 30 * S - 1).failed_recently);
    ck_assert(!look("mail.example", RR_A, failed + 30 * S).failed_recently);
    keep("mail.example", RR_A, "192.0.2.2", failed + 31 * S);
    found = look("mail.example", RR_A, failed + 31 * S);
    ck_assert_int_eq(found.hit, CACHE_FRESH);
    ck_assert(!found.failed_recently);
}
END_TEST

START_TEST(failure_beside_fresh)
{
    keep("mail.example", RR_A, kinds[_i].spec, T0);
    keep("mail.example", RR_A, "TIMEOUT", T0 + 59 * S);
    struct cache_found found = look("mail.example", RR_A, T0 + 59 * S);
    ck_assert_int_eq(found.hit, CACHE_FRESH);
    ck_assert(found.failed_recently);
}
END_TEST

START_TEST(pause_is_30_s_at_least)
{
    struct cache_limits limits = usual;
    limits.failure_ttl_s = 1;
    cache_set_limits(cache, &limits);
    keep("mail.example", RR_A, "192.0.2.1 ttl=60", T0);
    keep("mail.example", RR_A, "SERVFAIL", T0 + 60 * S);
    ck_assert(look("mail.example", RR_A, T0 + 89 * S).failed_recently);
    ck_assert(!look("mail.example", RR_A, T0 + 90 * S).failed_recently);
}
END_TEST

/* RFC 9520 */
START_TEST(failure_alone)
{
    keep("mail.example", RR_A, "SERVFAIL", T0);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 30 * S - 1), CACHE_FRESH);
    ck_assert_int_eq(hit("mail.example", RR_AAAA, T0), CACHE_MISS);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 30 * S), CACHE_MISS);
    keep("mail.example", RR_A, "192.0.2.1", T0 + 10 * S);
    struct question question = scripted_question("mail.example", RR_A);
    struct cache_found found = cache_lookup(cache, &question, T0 + 10 * S);
    ck_assert_int_eq(found.answer->outcome, DNS_FOUND);
    answer_unref(found.answer);
}
END_TEST

START_TEST(failure_after_all_use)
{
    int64_t late = T0 + (60 + 86400) * S;
    keep("mail.example", RR_A, kinds[_i].spec, T0);
    keep("mail.example", RR_A, "SERVFAIL", late);
    struct question question = scripted_question("mail.example", RR_A);
    struct cache_found found = cache_lookup(cache, &question, late);
    ck_assert_int_eq(found.hit, CACHE_FRESH);
    ck_assert_int_eq(found.answer->outcome, DNS_TEMPERROR);
    answer_unref(found.answer);
}
END_TEST

/* --- refreshing ahead ----------------------------------------------------------------------- */

static const struct {
    const char *label, *spec;
    int hits_before;
    int64_t at_s;
    bool want;
} refreshes[] = {
    {"in use, near its end", "192.0.2.1 ttl=1000", 2, 901, true},
    {"not near its end", "192.0.2.1 ttl=1000", 2, 899, false},
    {"not in use", "192.0.2.1 ttl=1000", 0, 901, false},
    {"used once", "192.0.2.1 ttl=1000", 1, 901, true},
    {"negative, in use", "NXDOMAIN ttl=100", 2, 91, true},
    {"failure", "SERVFAIL", 2, 29, false},
};

START_TEST(refresh_ahead)
{
    keep("mail.example", RR_A, refreshes[_i].spec, T0);
    for (int i = 0; i < refreshes[_i].hits_before; i++)
        ck_assert_int_eq(hit("mail.example", RR_A, T0), CACHE_FRESH);
    int64_t at = T0 + refreshes[_i].at_s * S;
    struct question question = scripted_question("mail.example", RR_A);
    struct cache_found peeked = cache_peek(cache, &question, at);
    ck_assert_int_eq(peeked.hit, CACHE_FRESH); /* a peek uses up nothing */
    answer_unref(peeked.answer);
    ck_assert_msg(hit("mail.example", RR_A, at) ==
                      (refreshes[_i].want ? CACHE_REFRESH : CACHE_FRESH),
                  "%s", refreshes[_i].label);
    if (refreshes[_i].want)
        ck_assert_msg(hit("mail.example", RR_A, at) == CACHE_FRESH, "%s: told twice",
                      refreshes[_i].label);
}
END_TEST

START_TEST(refresh_again_after_failure)
{
    keep("mail.example", RR_A, "192.0.2.1 ttl=10000", T0);
    for (int i = 0; i < 3; i++)
        (void)hit("mail.example", RR_A, T0);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 9100 * S), CACHE_REFRESH);
    keep("mail.example", RR_A, "TIMEOUT", T0 + 9105 * S);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 9134 * S), CACHE_FRESH);
    ck_assert_int_eq(hit("mail.example", RR_A, T0 + 9135 * S), CACHE_REFRESH);
}
END_TEST

/* --- references, flush, visits -------------------------------------------------------------- */

START_TEST(answers_outlive_the_cache)
{
    struct question question = scripted_question("mail.example", RR_A);
    keep("mail.example", RR_A, "192.0.2.1", T0);
    struct cache_found found = cache_lookup(cache, &question, T0);
    ck_assert_uint_eq(cache_flush_all(cache), 1);
    ck_assert_uint_eq(found.answer->count, 1);
    ck_assert_mem_eq(found.answer->payload, "\300\0\2\1", 4);
    answer_unref(found.answer);
}
END_TEST

START_TEST(flushing)
{
    struct question question = scripted_question("mail.example", RR_A);
    keep("mail.example", RR_A, "192.0.2.1", T0);
    keep("mail.example", RR_AAAA, "2001:db8::1", T0);
    keep("other.example", RR_A, "192.0.2.1", T0);
    keep("gone.example", RR_A, "NXDOMAIN", T0);
    ck_assert_uint_eq(cache_flush(cache, &question), 1);
    ck_assert_uint_eq(cache_flush(cache, &question), 0);
    ck_assert_int_eq(hit("mail.example", RR_AAAA, T0), CACHE_FRESH);
    ck_assert_uint_eq(cache_flush_name(cache, question.name, question.length), 1);
    ck_assert_int_eq(hit("mail.example", RR_AAAA, T0), CACHE_MISS);
    question = scripted_question("gone.example", RR_MX);
    ck_assert_uint_eq(cache_flush(cache, &question), 1);
    ck_assert_uint_eq(cache_flush_all(cache), 1);
    struct cache_stats stats;
    cache_stats(cache, &stats);
    ck_assert_uint_eq(stats.records, 0);
}
END_TEST

static bool visit_some(void *arg, const struct question *question, const struct answer *answer,
                       int64_t expires_in_ms)
{
    unsigned *left = arg;
    ck_assert_uint_eq(question->type, answer->type);
    ck_assert_int_eq(expires_in_ms, 60 * S);
    return --*left > 0;
}

START_TEST(visiting)
{
    char name[32];
    unsigned left = 1000;
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "m%u.example", i);
        keep(name, RR_A, i % 2 ? "192.0.2.1 ttl=60" : "NXDOMAIN ttl=60", T0);
    }
    cache_each(cache, T0, visit_some, &left);
    ck_assert_uint_eq(left, 900);
    left = 7;
    cache_each(cache, T0, visit_some, &left);
    ck_assert_uint_eq(left, 0);
    left = 1000;
    cache_forget_denials(cache, T0);
    cache_each(cache, T0, visit_some, &left);
    ck_assert_uint_eq(left, 950);
}
END_TEST

/* --- size ----------------------------------------------------------------------------------- */

static void numbered(struct question *question, const char *kind, unsigned i)
{
    char name[40];
    (void)snprintf(name, sizeof name, "%s%u.example", kind, i);
    *question = scripted_question(name, RR_A);
}

static void keep_numbered(const char *kind, unsigned i, struct answer *answer)
{
    struct question question;
    numbered(&question, kind, i);
    struct answer *own = answer_copy(answer, answer->ttl_s);
    cache_store(cache, &question, own, T0);
    answer_unref(own);
}

static bool has_numbered(const char *kind, unsigned i)
{
    struct question question;
    numbered(&question, kind, i);
    struct cache_found found = cache_lookup(cache, &question, T0);
    answer_unref(found.answer);
    return found.hit != CACHE_MISS;
}

static const size_t sizes[] = {256 << 10, 1 << 20, 8 << 20};

START_TEST(size_cap)
{
    struct cache_limits limits = usual;
    struct cache_stats stats;
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1");
    limits.size_bytes = sizes[_i];
    cache_set_limits(cache, &limits);
    for (unsigned i = 0; i < sizes[_i] / 64; i++) {
        keep_numbered("m", i, answer);
        if (i % 1024 == 0) {
            cache_stats(cache, &stats);
            ck_assert_uint_le(stats.bytes, sizes[_i] + sizes[_i] / 20);
        }
    }
    cache_stats(cache, &stats);
    ck_assert_uint_le(stats.bytes, sizes[_i] + sizes[_i] / 20);
    ck_assert_uint_ge(stats.bytes, sizes[_i] - sizes[_i] / 10);
    ck_assert_uint_gt(stats.evictions, 0);
    limits.size_bytes = sizes[_i] / 2;
    cache_set_limits(cache, &limits);
    cache_stats(cache, &stats);
    ck_assert_uint_le(stats.bytes, sizes[_i] / 2 + sizes[_i] / 20);
    ck_assert_uint_gt(stats.records, 100);
    answer_unref(answer);
}
END_TEST

START_TEST(table_follows_the_records)
{
    struct cache_stats before, after;
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1");
    for (unsigned i = 0; i < 30000; i++)
        keep_numbered("m", i, answer);
    cache_stats(cache, &before);
    ck_assert_uint_eq(before.records, 30000);
    for (unsigned i = 0; i < 30000; i++)
        ck_assert(has_numbered("m", i));
    struct question question;
    for (unsigned i = 0; i < 29000; i++) {
        numbered(&question, "m", i);
        ck_assert_uint_eq(cache_flush(cache, &question), 1);
    }
    for (unsigned i = 29000; i < 30000; i++)
        ck_assert(has_numbered("m", i));
    (void)cache_flush_all(cache);
    cache_stats(cache, &after);
    ck_assert_uint_lt(after.bytes, 500000); /* ghosts and the least of tables */
    answer_unref(answer);
}
END_TEST

START_TEST(one_answer_too_large)
{
    struct cache_limits limits = usual;
    struct cache_stats stats;
    limits.size_bytes = 256 << 10;
    cache_set_limits(cache, &limits);
    char *spec = calloc(1, 60000);
    ck_assert_ptr_nonnull(spec);
    for (size_t i = 0; i < 512; i++)
        (void)snprintf(spec + strlen(spec), 100, "%s%03u.%s ", "a", (unsigned)i,
                       "very.very.very.very.very.very.very.long.name.example");
    keep("big.example", RR_PTR, spec, T0);
    free(spec);
    cache_stats(cache, &stats);
    ck_assert_uint_le(stats.bytes, limits.size_bytes);
    ck_assert_int_eq(hit("big.example", RR_PTR, T0), CACHE_MISS);
}
END_TEST

/* A scan of one-time clients, each asked for twice in its visit, leaves the regulars alone. */
START_TEST(scan)
{
    struct cache_limits limits = usual;
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1");
    limits.size_bytes = 1 << 20;
    cache_set_limits(cache, &limits);
    for (int round = 0; round < 4; round++)
        for (unsigned i = 0; i < 2000; i++)
            if (!has_numbered("regular", i))
                keep_numbered("regular", i, answer);
    for (unsigned i = 0; i < 100000; i++) {
        keep_numbered("once", i, answer);
        (void)has_numbered("once", i);
    }
    unsigned left = 0;
    for (unsigned i = 0; i < 2000; i++)
        left += has_numbered("regular", i);
    ck_assert_uint_ge(left, 1900);
    answer_unref(answer);
}
END_TEST

static bool count_dead(void *arg, const struct question *question, const struct answer *answer,
                       int64_t expires_in_ms)
{
    (void)question;
    (void)answer;
    *(unsigned *)arg += expires_in_ms <= 0;
    return true;
}

/* What is past all use does not move on to the main queue, however often it was asked for. */
START_TEST(dead_records_leave_first)
{
    struct cache_limits limits = usual;
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1 ttl=3600");
    limits.size_bytes = 1 << 20;
    limits.stale_s = 0;
    cache_set_limits(cache, &limits);
    struct question question;
    for (unsigned i = 0; i < 1000; i++) {
        numbered(&question, "dead", i);
        cache_store(cache, &question, answer, T0 - 3600 * S);
        for (int hits = 0; hits < 3; hits++)
            answer_unref(cache_lookup(cache, &question, T0 - 3600 * S).answer);
    }
    for (unsigned i = 0; i < 20000; i++)
        keep_numbered("m", i, answer);
    unsigned dead = 0;
    cache_each(cache, T0, count_dead, &dead);
    ck_assert_uint_eq(dead, 0);
    answer_unref(answer);
}
END_TEST

/* --- memory and threads --------------------------------------------------------------------- */

START_TEST(without_memory)
{
    struct answer *answer = scripted_answer(RR_A, "192.0.2.1");
    struct question question = scripted_question("mail.example", RR_A);
    for (long n = 1;; n++) {
        alloc_fail_at(n, false);
        struct cache *made = cache_new(&usual, 1);
        bool failed = alloc_failed();
        alloc_fail_at(0, false);
        if (made != NULL) { /* ghosts are not needed */
            cache_store(made, &question, answer, T0);
            struct cache_found found = cache_lookup(made, &question, T0);
            ck_assert_int_eq(found.hit, CACHE_FRESH);
            answer_unref(found.answer);
        }
        cache_free(made);
        if (!failed)
            break;
    }
    for (long n = 1; n <= 3; n++) {
        alloc_fail_at(n, true);
        for (unsigned i = 0; i < 2000; i++) {
            question.name[1] = (uint8_t)('a' + i % 26);
            question.name[2] = (uint8_t)('a' + i / 26 % 26);
            cache_store(cache, &question, answer, T0);
        }
        alloc_fail_at(0, false);
    }
    answer_unref(answer);
}
END_TEST

#define THREADS 4

static void *hammer(void *arg)
{
    unsigned state = *(unsigned *)arg;
    for (unsigned i = 0; i < 20000; i++) {
        struct question question;
        state = state * 1664525U + 1013904223U;
        numbered(&question, "m", state >> 16 & 2047);
        struct cache_found found = cache_lookup(cache, &question, T0 + i);
        if (found.answer != NULL)
            ck_assert_uint_eq(found.answer->payload[0], 192);
        answer_unref(found.answer);
        if (found.hit == CACHE_MISS) {
            struct answer *answer = scripted_answer(RR_A, "192.0.2.1 ttl=5");
            cache_store(cache, &question, answer, T0 + i);
            answer_unref(answer);
        }
        if (state >> 20 == 0)
            (void)cache_flush_all(cache);
        else if (state >> 24 == 1)
            (void)cache_flush(cache, &question);
    }
    return NULL;
}

START_TEST(threads)
{
    pthread_t thread[THREADS];
    unsigned seed[THREADS] = {1, 2, 3, 4};
    struct cache_limits limits = usual;
    limits.size_bytes = 256 << 10;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, hammer, &seed[i]), 0);
    for (int i = 0; i < 20; i++) {
        struct cache_stats stats;
        cache_stats(cache, &stats);
        cache_set_limits(cache, i % 2 ? &limits : &usual);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("cache");
    TCase *tcase = tcase_create("cache");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, ttl_by_kind, 0, COUNT(ttls));
    tcase_add_test(tcase, test_failures_go_when_servers_come_back);
    tcase_add_test(tcase, ttl_zero_ends_the_older_answer);
    tcase_add_test(tcase, names_and_types_are_apart);
    tcase_add_test(tcase, nxdomain_is_of_all_types);
    tcase_add_test(tcase, nodata_is_of_one_type);
    tcase_add_test(tcase, stale_for_so_long);
    tcase_add_test(tcase, stale_off);
    tcase_add_loop_test(tcase, failure_beside_stale, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, failure_beside_fresh, 0, COUNT(kinds));
    tcase_add_test(tcase, pause_is_30_s_at_least);
    tcase_add_test(tcase, failure_alone);
    tcase_add_loop_test(tcase, failure_after_all_use, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, refresh_ahead, 0, COUNT(refreshes));
    tcase_add_test(tcase, refresh_again_after_failure);
    tcase_add_test(tcase, answers_outlive_the_cache);
    tcase_add_test(tcase, flushing);
    tcase_add_test(tcase, visiting);
    tcase_add_loop_test(tcase, size_cap, 0, COUNT(sizes));
    tcase_add_test(tcase, table_follows_the_records);
    tcase_add_test(tcase, one_answer_too_large);
    tcase_add_test(tcase, scan);
    tcase_add_test(tcase, dead_records_leave_first);
    tcase_add_test(tcase, without_memory);
    tcase_add_test(tcase, threads);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
