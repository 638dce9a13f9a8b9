/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every byte that comes from a DNS server.  An input is one byte of switches and the message.  So
 * that the fuzzer gets past the guard, the question and the ID are taken from the message itself
 * when it has them (the guard's own refusals are tried with those of other inputs: bit 7).
 */
#include "fuzz.h"

#include "dns/dnsmsg.h"
#include "dns/dnsrr.h"

#include <string.h>

enum { SWITCH_EDNS = 1, SWITCH_STREAM = 2, SWITCH_TRUSTED = 4, SWITCH_OTHER = 0x80 };

enum place {
    FOUND_ADDRESSES,
    FOUND_NAMES,
    FOUND_STRINGS,
    NODATA,
    NXDOMAIN,
    LOOPED,
    CHAINED,
    STRAY,
    FAILED,
    TRUNCATED,
    PLAIN
};

FUZZ_PLACES([FOUND_ADDRESSES] = "addresses", [FOUND_NAMES] = "names", [FOUND_STRINGS] = "strings",
            [NODATA] = "nodata", [NXDOMAIN] = "nxdomain", [LOOPED] = "loop", [CHAINED] = "chain",
            [STRAY] = "stray", [FAILED] = "failed", [TRUNCATED] = "truncated", [PLAIN] = "plain");

/* The question that the message claims to answer; false when it has none that can be asked. */
static bool question_of(const uint8_t *message, size_t size, struct question *out)
{
    size_t at = WIRE_HEADER_LENGTH;

    memset(out, 0, sizeof *out);
    if (size < WIRE_HEADER_LENGTH + 5)
        return false;
    for (uint8_t count = 1; count != 0;) {
        count = message[at];
        at += 1U + count;
        if (count > 63 || at + 4 > size || at - WIRE_HEADER_LENGTH > WIRE_NAME_MAX)
            return false;
    }
    out->length = (uint8_t)(at - WIRE_HEADER_LENGTH);
    for (unsigned i = 0; i < out->length; i++) {
        uint8_t byte = message[WIRE_HEADER_LENGTH + i];

        out->name[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    out->type = (uint16_t)(message[at] << 8 | message[at + 1]);
    return out->type == RR_A || out->type == RR_AAAA || out->type == RR_PTR || out->type == RR_MX ||
           out->type == RR_TXT;
}

static void check_name(const uint8_t *name, size_t length)
{
    size_t at = 0;
    char text[NAME_TEXT_MAX];

    CHECK(length >= 1 && length <= WIRE_NAME_MAX);
    while (name[at] != 0) {
        CHECK(name[at] <= 63 && at + 1U + name[at] < length);
        for (unsigned i = 1; i <= name[at]; i++)
            CHECK(name[at + i] < 'A' || name[at + i] > 'Z');
        at += 1U + name[at];
    }
    CHECK(at + 1 == length);
    CHECK(strlen(wirename_text(name, length, text)) < sizeof text);
}

static void check_strings(const struct answer *answer)
{
    char text[1024];

    for (size_t i = 0; i < answer->count; i++)
        CHECK(!answer_text(answer, i, text, sizeof text) || strlen(text) < sizeof text);
    fuzz_reach(FOUND_STRINGS);
}

static void check_found(const struct answer *answer)
{
    const uint8_t *previous = NULL;
    size_t total = 0;

    CHECK(answer->count >= 1 && answer->count <= DNSMSG_RECORDS_MAX);
    if (answer->type == RR_A || answer->type == RR_AAAA) {
        CHECK(answer->payload_length == answer->count * (answer->type == RR_A ? 4U : 16U));
        for (size_t i = 0; i < answer->count; i++) {
            struct ipaddr addr;

            answer_address(answer, i, &addr);
            CHECK(addr.family != IP_NONE);
        }
        fuzz_reach(FOUND_ADDRESSES);
        return;
    }
    if (answer->type == RR_TXT) {
        check_strings(answer);
        return;
    }
    for (size_t i = 0; i < answer->count; i++) {
        size_t length;
        const uint8_t *name = answer_name(answer, i, &length);

        CHECK(name == answer->payload + total);
        check_name(name, length);
        /* MX stand by a preference that is not kept. */
        CHECK(previous == NULL || answer->type == RR_MX || wire_name_compare(previous, name) < 0);
        previous = name;
        total += length;
    }
    CHECK(total == answer->payload_length);
    fuzz_reach(FOUND_NAMES);
}

static void check_answer(const struct dnsmsg_expect *expect, const struct source_result *result)
{
    const struct answer *answer = result->answer;

    CHECK(answer != NULL);
    CHECK(answer->type == expect->question->type);
    CHECK(answer->ttl_s <= 2147483647U && answer->ttl_s <= result->chain_ttl_s);
    CHECK(result->hops <= DNSMSG_HOPS_MAX);
    CHECK(expect->trusted || !answer->secure);
    if (answer->outcome == DNS_FOUND)
        check_found(answer);
    else
        CHECK(answer->count == 0 && answer->payload_length == 0);
    if (answer->outcome == DNS_TEMPERROR) {
        CHECK(answer->problem == PROBLEM_LOOP);
        fuzz_reach(LOOPED);
    }
    if (answer->outcome == DNS_NODATA || answer->outcome == DNS_NXDOMAIN)
        fuzz_reach(answer->outcome == DNS_NODATA ? NODATA : NXDOMAIN);
    if (result->chained) {
        fuzz_reach(CHAINED);
        CHECK(answer->outcome == DNS_NODATA && result->hops > 0);
        check_name(result->target.name, result->target.length);
        CHECK(result->target.type == answer->type);
    }
}

/* Exactly as long, so that reading past the end shows. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    CHECK(copy != NULL);
    memcpy(copy, data, size);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct question question;
    struct dnsmsg_expect expect = {.question = &question};
    struct source_result result;
    struct denial denial;
    enum dns_problem problem = PROBLEM_NONE;
    enum dnsmsg_kind kind;
    uint8_t *message;
    bool own;

    if (size < 1 || size > 65536)
        return 0;
    expect.edns = (data[0] & SWITCH_EDNS) != 0;
    expect.stream = (data[0] & SWITCH_STREAM) != 0;
    expect.trusted = (data[0] & SWITCH_TRUSTED) != 0;
    own = question_of(data + 1, size - 1, &question) && (data[0] & SWITCH_OTHER) == 0;
    if (!own)
        CHECK(question_from_name("www.example.org", RR_A, &question) == RESULT_OK);
    if (size >= 3)
        expect.id = (uint16_t)(data[1] << 8 | data[2]);
    message = copy_of(data + 1, size - 1);
    kind = dnsmsg_parse(message, size - 1, &expect, &result, &denial, &problem);
    char reason[DNSMSG_REASON_MAX];
    if (dnsmsg_reason(message, size - 1, reason))
        for (const char *at = reason; *at != '\0'; at++)
            CHECK(*at >= ' ' && *at <= '~' && *at != '"' && *at != '\\');
    /* The target must reach the parser: an answer to its own question is never a stray one. */
    if (own && (message[2] & 0xf8) == 0x80 && message[4] == 0 && message[5] == 1 &&
        message[WIRE_HEADER_LENGTH + question.length + 2] == 0 &&
        message[WIRE_HEADER_LENGTH + question.length + 3] == 1)
        CHECK(kind != DNSMSG_STRAY);
    if (kind == DNSMSG_ANSWER) {
        check_answer(&expect, &result);
        answer_unref(result.answer);
    } else {
        CHECK(result.answer == NULL);
        CHECK(kind != DNSMSG_FAILED || problem != PROBLEM_NONE);
        CHECK(kind != DNSMSG_TRUNCATED || !expect.stream);
        CHECK(kind != DNSMSG_PLAIN || expect.edns);
        fuzz_reach(kind == DNSMSG_FAILED      ? FAILED
                   : kind == DNSMSG_TRUNCATED ? TRUNCATED
                   : kind == DNSMSG_PLAIN     ? PLAIN
                                              : STRAY);
    }
    free(message);
    return 0;
}
