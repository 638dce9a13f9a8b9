/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A denial that came without the SOA record that proves it: the server that denied is asked for the
 * SOA (denial.h), by questions of their own, while the query waits.
 */
#include "dns/query_private.h"

#include "base/log.h"
#include "dns/dnsrr.h"

#include <stdlib.h>
#include <string.h>

#define PROOF_MAX_S  300 /* an SOA that was found proves for so long at most */
#define PROOF_NONE_S 30  /* that a parent has none is remembered for this long */

/* What a server that left out one SOA does otherwise. */
enum habit { HABIT_UNKNOWN, HABIT_SENDS, HABIT_STRIPS };

struct denial_inquiry {
    struct query *query;
    struct attempt *attempt;     /* whose server denied */
    struct source_result result; /* the denial; its answer is owned */
    struct denial denial;
    struct denial heard;  /* what the present question's answer rests on */
    struct query *asking; /* the question under way, or NULL */
    struct question question;
    unsigned number; /* of that question */
    bool control;    /* it is denial_control_question() */
};

static int64_t now_ms(const struct denial_inquiry *inquiry)
{
    return loop_now_ms(inquiry->query->pool->loop);
}

static enum dns_outcome outcome_of(const struct denial_inquiry *inquiry)
{
    return (enum dns_outcome)inquiry->result.answer->outcome;
}

/* --- what is remembered ---------------------------------------------------------------------- */

static enum habit habit_of(const struct server *server, int64_t now)
{
    if (server->sent_soa_ms != 0 && now - server->sent_soa_ms < SERVER_HABIT_MS)
        return HABIT_SENDS;
    return server->strips_soa_until_ms > now ? HABIT_STRIPS : HABIT_UNKNOWN;
}

static void note_strips(struct denial_inquiry *inquiry)
{
    struct server *server = inquiry->attempt->server;
    if (habit_of(server, now_ms(inquiry)) != HABIT_UNKNOWN)
        return;
    server->strips_soa_until_ms = now_ms(inquiry) + SERVER_HABIT_MS;
    (void)finding_note(&inquiry->query->pool->findings, FINDING_STRIPS_SOA,
                       inquiry->query->pool->loop);
    log_warning("DNS server %s strips the SOA records from its denials: they are asked for, which "
                "costs more questions",
                server->text);
}

static uint64_t hash_of(const struct denial_inquiry *inquiry)
{
    return wirename_hash(inquiry->question.name, inquiry->question.length,
                         inquiry->query->pool->proof_seed + inquiry->attempt->server->label);
}

/* What is known of the name, in milliseconds from now; 0: nothing. */
static int64_t known_ms(const struct denial_inquiry *inquiry, const struct query_proof **out)
{
    uint64_t hash = hash_of(inquiry);
    const struct query_proof *proof = &inquiry->query->pool->proofs[hash % QUERY_PROOFS];
    int64_t left_ms = proof->until_ms - now_ms(inquiry);
    *out = proof;
    return proof->hash == hash && left_ms > 0 ? left_ms : 0;
}

/* Another name of that place is forgotten. */
static struct query_proof *note_proof(const struct denial_inquiry *inquiry, int64_t keep_ms)
{
    uint64_t hash = hash_of(inquiry);
    struct query_proof *proof = &inquiry->query->pool->proofs[hash % QUERY_PROOFS];
    *proof = (struct query_proof){.hash = hash, .until_ms = now_ms(inquiry) + keep_ms};
    return proof;
}

/* Does an SOA at that name prove the denial? */
static bool proves(const struct denial_inquiry *inquiry, const uint8_t *apex, uint8_t length)
{
    struct denial denial = inquiry->denial;
    denial.apex_length = length;
    memcpy(denial.apex, apex, length);
    return denial_judge(&denial, inquiry->query->question.type, outcome_of(inquiry)) ==
           DENIAL_PROVED;
}

/* --- its end --------------------------------------------------------------------------------- */

void query_inquiry_free(struct query *query)
{
    struct denial_inquiry *inquiry = query->inquiry;
    if (inquiry == NULL)
        return;
    query->inquiry = NULL;
    if (inquiry->asking != NULL)
        query_abandon(inquiry->asking);
    answer_unref(inquiry->result.answer);
    free(inquiry);
}

static void believe(struct denial_inquiry *inquiry, uint32_t ttl_s)
{
    struct query *query = inquiry->query;
    struct attempt *attempt = inquiry->attempt;
    struct source_result result = inquiry->result;
    inquiry->result.answer = NULL;
    result.answer->ttl_s = ttl_s < result.chain_ttl_s ? ttl_s : result.chain_ttl_s;
    query_inquiry_free(query);
    query_outdone(query, attempt);
    query_finish(query, &result, attempt->server->label);
}

/* Nothing proves the denial: the next server may know more. */
static void disbelieve(struct denial_inquiry *inquiry)
{
    struct query *query = inquiry->query;
    struct attempt *attempt = inquiry->attempt;
    query_inquiry_free(query);
    query_unproved(attempt, PROBLEM_NO_SOA);
}

void query_unproved(struct attempt *attempt, enum dns_problem problem)
{
    struct query *query = attempt->query;
    char name[NAME_TEXT_MAX];
    metric_add(query->pool->metrics.unproved, 0, 0, 1);
    if (finding_note(&query->pool->findings, FINDING_UNPROVED, query->pool->loop))
        log_warning("DNS server %s denies %s %s without an SOA record that proves it: such answers "
                    "count as temporary failures",
                    attempt->server->text, rrtype_text(query->question.type),
                    wirename_text(query->question.name, query->question.length, name));
    attempt->erred = true;
    attempt_failed(attempt, problem);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void ask(struct denial_inquiry *inquiry);

/* What was heard, for the next client.  An SOA from elsewhere says nothing about this name. */
static void remember(const struct denial_inquiry *inquiry, uint32_t ttl_s)
{
    if (!wire_name_under(inquiry->question.name, inquiry->heard.apex))
        return;
    note_proof(inquiry, (int64_t)ttl_s * 1000)->apex_length = inquiry->heard.apex_length;
}

/* The SOA of the zone was found, or is in the denial of a part of it. */
static void on_heard(struct denial_inquiry *inquiry, uint32_t ttl_s)
{
    if (ttl_s > PROOF_MAX_S)
        ttl_s = PROOF_MAX_S;
    remember(inquiry, ttl_s);
    if (inquiry->number > 0)
        note_strips(inquiry);
    believe(inquiry, ttl_s);
}

/* A parent without an SOA that can be a zone of its own, out of reach: see may_go_on(). */
static bool is_gap(const struct denial_inquiry *inquiry, bool exists)
{
    return exists && outcome_of(inquiry) == DNS_NODATA;
}

static void on_none(struct denial_inquiry *inquiry, enum dns_outcome outcome)
{
    if (inquiry->number > 0)
        note_proof(inquiry, PROOF_NONE_S * 1000)->exists = outcome == DNS_NODATA;
    if (inquiry->number > 0 && is_gap(inquiry, outcome == DNS_NODATA)) {
        disbelieve(inquiry);
        return;
    }
    inquiry->number++;
    ask(inquiry);
}

static void on_control(struct denial_inquiry *inquiry, const struct answer *answer)
{
    inquiry->control = false;
    if (inquiry->heard.apex_length > 0 ||
        (answer->outcome != DNS_NODATA && answer->outcome != DNS_NXDOMAIN)) {
        disbelieve(inquiry);
        return;
    }
    note_strips(inquiry);
    ask(inquiry);
}

/* No answer came about the proof, so that the server is not to blame for what it may not say. */
static bool is_unheard(enum dns_problem problem)
{
    return dns_problem_is_ours(problem) || problem == PROBLEM_DEADLINE ||
           problem == PROBLEM_TIMEOUT || problem == PROBLEM_NETWORK;
}

static void on_failure(struct denial_inquiry *inquiry, enum dns_problem problem)
{
    struct query *query = inquiry->query;
    struct attempt *attempt = inquiry->attempt;
    struct source_result nothing = {.chain_ttl_s = UINT32_MAX};
    if (!is_unheard(problem)) {
        disbelieve(inquiry);
        return;
    }
    query_inquiry_free(query);
    if (problem == PROBLEM_MEMORY)
        query_finish(query, &nothing, attempt->server->label);
    else
        attempt_failed(attempt, problem);
}

static void on_answer(void *arg, const struct source_result *result)
{
    struct denial_inquiry *inquiry = arg;
    struct answer *answer = result->answer;
    inquiry->asking = NULL;
    if (answer == NULL || answer->outcome == DNS_TEMPERROR || result->chained) {
        enum dns_problem problem =
            answer != NULL ? (enum dns_problem)answer->problem : PROBLEM_MEMORY;
        answer_unref(answer);
        on_failure(inquiry, problem);
        return;
    }
    enum dns_outcome outcome = (enum dns_outcome)answer->outcome;
    uint32_t ttl_s = answer->ttl_s;
    if (inquiry->control) {
        on_control(inquiry, answer);
        answer_unref(answer);
        return;
    }
    answer_unref(answer);
    if (outcome == DNS_FOUND && result->hops == 0) {
        inquiry->heard.apex_length = inquiry->question.length;
        memcpy(inquiry->heard.apex, inquiry->question.name, inquiry->question.length);
    }
    if (proves(inquiry, inquiry->heard.apex, inquiry->heard.apex_length))
        on_heard(inquiry, ttl_s);
    else if (inquiry->heard.apex_length > 0)
        disbelieve(inquiry);
    else
        on_none(inquiry, outcome);
}

static void send_question(struct denial_inquiry *inquiry)
{
    struct query *query = inquiry->query;
    inquiry->heard.apex_length = 0;
    struct query *asking =
        query_start_proof(query->pool, &inquiry->question, inquiry->attempt->server,
                          query->deadline_ms, &inquiry->heard, on_answer, inquiry);
    if (asking != NULL) /* else the inquiry may be over already */
        inquiry->asking = asking;
}

/*
 * NODATA without an SOA is what some resolvers (Unbound 1.17 for one) make of a zone that cannot be
 * reached, as its servers refer to themselves; its parents' SOA records then prove nothing.  So
 * they are asked for only where the server is known to strip the SOA from every denial, and not
 * beyond a parent that can be such a zone.  False: the question is not to be asked now.
 */
static bool may_go_on(struct denial_inquiry *inquiry)
{
    if (inquiry->number == 0 || outcome_of(inquiry) == DNS_NXDOMAIN)
        return true;
    switch (habit_of(inquiry->attempt->server, now_ms(inquiry))) {
    case HABIT_STRIPS:
        return true;
    case HABIT_SENDS:
        disbelieve(inquiry);
        return false;
    case HABIT_UNKNOWN:
        break;
    }
    inquiry->control = true;
    denial_control_question(&inquiry->question);
    send_question(inquiry);
    return false;
}

static void ask(struct denial_inquiry *inquiry)
{
    uint16_t type = inquiry->query->question.type;
    if (!may_go_on(inquiry))
        return;
    for (;;) {
        if (!denial_question(&inquiry->denial, type, outcome_of(inquiry), inquiry->number,
                             &inquiry->question)) {
            disbelieve(inquiry);
            return;
        }
        const struct query_proof *proof;
        const struct question *question = &inquiry->question;
        int64_t left_ms = known_ms(inquiry, &proof);
        if (left_ms == 0)
            break;
        if (proof->apex_length > 0 &&
            proves(inquiry, question->name + question->length - proof->apex_length,
                   proof->apex_length)) {
            believe(inquiry, (uint32_t)(left_ms / 1000));
            return;
        }
        if (is_gap(inquiry, proof->exists)) {
            disbelieve(inquiry);
            return;
        }
        inquiry->number++;
    }
    send_question(inquiry);
}

void query_inquire(struct attempt *attempt, const struct source_result *result,
                   const struct denial *denial)
{
    struct query *query = attempt->query;
    struct denial_inquiry *inquiry = malloc(sizeof *inquiry);
    if (inquiry == NULL) {
        struct source_result nothing = {.chain_ttl_s = UINT32_MAX};
        answer_unref(result->answer);
        query_finish(query, &nothing, attempt->server->label);
        return;
    }
    *inquiry = (struct denial_inquiry){
        .query = query, .attempt = attempt, .result = *result, .denial = *denial};
    /* A client's name is no zone's: what is stripped from its denial would be from this one's, too.
     */
    if (query->question.type == RR_PTR &&
        habit_of(attempt->server, now_ms(inquiry)) == HABIT_STRIPS)
        inquiry->number = 1;
    query->inquiry = inquiry;
    query_pause(query);
    ask(inquiry);
}
