/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client whose DNS says anything: messages to a decision, through the parser, resolver, cache
 * and lookup.  The first byte is even for an IPv4 client; the EHLO text ends at a line feed; then
 * come the answers in the order of the questions, each six bytes (both bytes of flags, how many
 * answers, how many records of authority, two bytes of length) and the bytes behind the question.
 * When they are used up, nothing answers any more.
 */
#include "fuzz.h"

#include "core/authresults.h"
#include "dns/dnsmsg.h"
#include "dns/dnsrr.h"
#include "dns/lookup.h"
#include "told.h"

#include <string.h>

#define NOW_S INT64_C(1790000000)
#define ID    0x4711

#define HEAD        6    /* bytes before an answer's records */
#define RECORDS_MAX 2048 /* bytes of them */
#define MESSAGE_MAX (WIRE_HEADER_LENGTH + WIRE_NAME_MAX + 4 + RECORDS_MAX)

enum place { PASSED, FAILED, TEMPERROR, PERMERROR, CACHED, EHLO_FOUND, UNUSABLE, OVER, REFUSED };

FUZZ_PLACES([PASSED] = "pass", [FAILED] = "fail", [TEMPERROR] = "temperror",
            [PERMERROR] = "permerror", [CACHED] = "all-cached", [EHLO_FOUND] = "helo-resolves",
            [UNUSABLE] = "unusable-name", [OVER] = "more-than-max-ptr", [REFUSED] = "refused");

/* --- a DNS that says what the input says ------------------------------------------------------ */

struct script {
    struct source source; /* first: a struct source * is a struct script * */
    const uint8_t *at, *end;
    unsigned asked;
};

static void give_problem(const struct question *question, enum dns_problem problem,
                         source_done *done, void *arg)
{
    const struct source_result result = {.answer = answer_new_problem(question->type, problem),
                                         .chain_ttl_s = UINT32_MAX};
    done(arg, &result);
}

/* The next answer, to this question; 0: there is none. */
static size_t next_message(struct script *script, const struct question *question,
                           uint8_t out[MESSAGE_MAX])
{
    size_t at = WIRE_HEADER_LENGTH + question->length;
    if (script->end - script->at < HEAD)
        return 0;
    const uint8_t *head = script->at;
    size_t size = (size_t)head[4] << 8 | head[5], there = (size_t)(script->end - head) - HEAD;
    if (size > there)
        size = there;
    if (size > RECORDS_MAX)
        size = RECORDS_MAX;
    script->at += HEAD + size;
    const uint8_t header[WIRE_HEADER_LENGTH] = {
        ID >> 8, ID & 0xff, (uint8_t)(head[0] | 0x80), head[1], 0, 1, 0, head[2], 0, head[3]};
    memcpy(out, header, sizeof header);
    memcpy(out + WIRE_HEADER_LENGTH, question->name, question->length);
    const uint8_t rest[4] = {(uint8_t)(question->type >> 8), (uint8_t)question->type, 0, 1};
    memcpy(out + at, rest, sizeof rest);
    memcpy(out + at + 4, head + HEAD, size);
    return at + 4 + size;
}

static void *script_ask(struct source *source, const struct question *question, int64_t deadline_ms,
                        source_done *done, void *arg)
{
    struct script *script = (struct script *)source;
    uint8_t message[MESSAGE_MAX];
    struct source_result result;
    struct denial denial;
    enum dns_problem problem = PROBLEM_MALFORMED;
    const struct dnsmsg_expect expect = {
        .question = question, .id = ID, .trusted = true, .stream = true};
    (void)deadline_ms;
    CHECK(++script->asked < 1000); /* the work that one client can cause is bounded */
    size_t size = next_message(script, question, message);
    if (size == 0)
        give_problem(question, PROBLEM_TIMEOUT, done, arg);
    else if (dnsmsg_parse(message, size, &expect, &result, &denial, &problem) == DNSMSG_ANSWER)
        done(arg, &result);
    else
        give_problem(question, problem != PROBLEM_NONE ? problem : PROBLEM_MALFORMED, done, arg);
    return NULL;
}

/* Never called: every question is answered at once. */
static void script_cancel(struct source *source, void *handle)
{
    (void)source;
    (void)handle;
}

static const char *script_text(const struct source *source, unsigned server)
{
    (void)source;
    (void)server;
    return "192.0.2.53:53";
}

static void script_free(struct source *source)
{
    (void)source; /* it is on the stack */
}

static const struct source_ops script_ops = {
    .ask = script_ask, .cancel = script_cancel, .server_text = script_text, .free = script_free};

static int64_t now_ms(void *arg)
{
    (void)arg;
    return 1000000;
}

static int64_t wall_s(void *arg)
{
    (void)arg;
    return NOW_S;
}

static const struct clock still = {now_ms, wall_s, NULL};

/* --- what is concluded ------------------------------------------------------------------------ */

static void ignore(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static const struct conf *configuration(void)
{
    static const char text[] = "mode = enforce\nauthserv-id = \"mx.example.net\"\nmax-ptr = 3\n"
                               "match \"p\" { unconfirmed-ptr = {\"*.example\"} client = "
                               "{\"2001:db8::/32\"} policy = \"none\" }\n";
    static struct conf *conf;
    const struct conf_report report = {ignore, ignore, NULL, NULL};
    struct fuzz_file file;
    if (conf != NULL)
        return conf;
    fuzz_file_open(&file, text, sizeof text - 1);
    conf = conf_load(file.path, NOW_S, &report);
    fuzz_file_close(&file);
    CHECK(conf != NULL);
    return conf;
}

static void check_names(const struct facts *facts)
{
    char name[HOSTNAME_MAX + 1];
    size_t asked = 0;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *one = &facts->names[i];
        CHECK(fuzz_printable(one->name, strlen(one->name), false));
        if (one->flaw == HOSTNAME_OK) {
            CHECK(hostname_parse(one->name, name) == HOSTNAME_OK && strcmp(name, one->name) == 0);
            asked++;
        } else {
            CHECK(one->forward.outcome == DNS_NOT_ASKED && one->address_count == 0);
            fuzz_reach(UNUSABLE);
        }
        for (size_t j = 0; j < one->address_count; j++)
            CHECK(one->addresses[j].family == IP_V4 || one->addresses[j].family == IP_V6);
    }
    CHECK(asked <= configuration()->max_ptr);
    CHECK(facts->ptr.outcome == DNS_FOUND || facts->name_count == 0);
    if (facts->names_over > 0)
        fuzz_reach(OVER);
    if (facts->helo_name.forward.outcome == DNS_FOUND)
        fuzz_reach(EHLO_FOUND);
}

static void check_decision(const struct facts *facts, bool cached)
{
    static const enum place places[IPREV_RESULT_COUNT] = {[IPREV_PASS] = PASSED,
                                                          [IPREV_FAIL] = FAILED,
                                                          [IPREV_TEMPERROR] = TEMPERROR,
                                                          [IPREV_PERMERROR] = PERMERROR};
    const struct transaction transaction = {.dialogue = DIALOGUE_MAIL,
                                            .sender = "a@example.org",
                                            .stage = "rcpt",
                                            .wall_s = NOW_S,
                                            .all_cached = cached};
    struct decision decision;
    struct reply reply;
    char value[DECISION_HEADER_MAX];
    decision_make(configuration(), facts, &transaction, &decision);
    if (facts->ptr.outcome == DNS_TEMPERROR)
        CHECK((decision.verdict.would.checks & CHECK_BIT(CHECK_PTR_MISSING)) == 0);
    told_check_decision(&decision, &transaction);
    decision_auth_results(&decision, "mx.example.net", value);
    told_check_field(value);
    CHECK(authresults_forges(value, "mx.example.net")); /* it is one of ours */
    decision_tag_header(&decision, value);
    told_check_field(value);
    if (decision.verdict.done.action >= ACTION_TEMPFAIL) {
        decision_reply(&decision, 0, &reply);
        told_check_reply(&reply, decision.verdict.done.action == ACTION_REJECT);
        fuzz_reach(REFUSED);
    }
    fuzz_reach(places[decision.evidence.iprev.result]);
}

static void look_up(struct resolver *resolver, struct loop *loop, const struct ipaddr *client,
                    const struct helo *helo)
{
    struct facts facts = {0};
    struct lookup *lookup = lookup_start(resolver, client, configuration()->max_ptr, "", 2000000);
    CHECK(lookup != NULL);
    CHECK(lookup_helo(lookup, helo, true, 2000000) == RESULT_OK);
    while (loop_step(loop))
        ;
    CHECK(lookup_ready(lookup));
    CHECK(lookup_facts(lookup, &facts) == RESULT_OK);
    facts.client = *client;
    facts.helo = *helo;
    check_names(&facts);
    check_decision(&facts, lookup_all_cached(lookup));
    if (lookup_all_cached(lookup))
        fuzz_reach(CACHED);
    lookup_free(lookup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ipaddr clients[2] = {
        {IP_V4, {192, 0, 2, 1}},
        {IP_V6, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
    static const struct cache_limits limits = {.size_bytes = 1 << 20,
                                               .max_ttl_s = 86400,
                                               .negative_max_ttl_s = 300,
                                               .failure_ttl_s = 30,
                                               .stale_s = 86400};
    struct fuzz_lines lines = {data + 1, data + size};
    struct helo helo;
    if (size < 2)
        return 0;
    char *text = fuzz_line(&lines);
    helo_parse(text, &helo);
    free(text);
    struct script script = {.source.ops = &script_ops, .at = lines.at, .end = lines.end};
    struct cache *cache = cache_new(&limits, 1);
    CHECK(cache != NULL);
    struct loop *loop = loop_new_with(&still);
    CHECK(loop != NULL);
    struct resolver *resolver =
        resolver_new(&script.source, cache, loop, &configuration()->resolver, NULL);
    CHECK(resolver != NULL);
    /* Once more: with what was cached, and then with what is left of the answers. */
    look_up(resolver, loop, &clients[data[0] % 2], &helo);
    look_up(resolver, loop, &clients[data[0] % 2], &helo);
    loop_stop(loop);
    resolver_free(resolver);
    loop_free(loop);
    cache_free(cache);
    return 0;
}
