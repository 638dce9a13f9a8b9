/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/answer.h"

#include "base/siphash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dns_problem_text(enum dns_problem problem)
{
    static const char *const texts[PROBLEM_COUNT] = {
        [PROBLEM_NONE] = "none",
        [PROBLEM_TIMEOUT] = "timeout",
        [PROBLEM_SERVFAIL] = "SERVFAIL",
        [PROBLEM_REFUSED] = "REFUSED",
        [PROBLEM_RCODE] = "error code",
        [PROBLEM_MALFORMED] = "malformed answers",
        [PROBLEM_NETWORK] = "no server reachable",
        [PROBLEM_LOOP] = "CNAME loop",
        [PROBLEM_CHAIN] = "CNAME chain too long",
        [PROBLEM_LIMIT] = "local limit",
        [PROBLEM_CANCELLED] = "cancelled",
        [PROBLEM_DEADLINE] = "deadline",
        [PROBLEM_BOGUS] = "DNSSEC validation failed",
        [PROBLEM_NO_SOA] = "denied without SOA",
        [PROBLEM_OTHER_SOA] = "denied with another zone's SOA",
        [PROBLEM_DENIES] = "the servers deny everything",
        [PROBLEM_MEMORY] = "out of memory",
    };
    return problem < PROBLEM_COUNT ? texts[problem] : "unknown";
}

bool dns_problem_is_of_the_zone(enum dns_problem problem)
{
    return problem == PROBLEM_LOOP || problem == PROBLEM_CHAIN || problem == PROBLEM_BOGUS;
}

bool dns_problem_is_ours(enum dns_problem problem)
{
    return problem == PROBLEM_LIMIT || problem == PROBLEM_CANCELLED || problem == PROBLEM_MEMORY;
}

enum dns_fault dns_problem_fault(enum dns_problem problem)
{
    if (dns_problem_is_ours(problem) || problem == PROBLEM_NETWORK || problem == PROBLEM_REFUSED ||
        problem == PROBLEM_DENIES)
        return DNS_FAULT_OURS;
    switch (problem) {
    case PROBLEM_TIMEOUT:
    case PROBLEM_DEADLINE:
        return DNS_FAULT_UNKNOWN;
    case PROBLEM_BOGUS:
        return DNS_FAULT_SIGNATURES;
    case PROBLEM_LOOP:
    case PROBLEM_CHAIN:
        return DNS_FAULT_ALIASES;
    default:
        return DNS_FAULT_SERVERS;
    }
}

const char *rrtype_text(uint16_t type)
{
    switch (type) {
    case RR_A:
        return "A";
    case RR_PTR:
        return "PTR";
    case RR_MX:
        return "MX";
    case RR_AAAA:
        return "AAAA";
    case RR_NS:
        return "NS";
    case RR_CNAME:
        return "CNAME";
    case RR_SOA:
        return "SOA";
    case RR_TXT:
        return "TXT";
    default:
        return "TYPE?";
    }
}

enum result question_from_name(const char *name, enum rrtype type, struct question *out)
{
    struct question question = {.type = (uint16_t)type};
    size_t used = 0;
    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        if (length == 0 || length > 63 || used + length + 2 > WIRE_NAME_MAX)
            return RESULT_INVALID;
        question.name[used++] = (uint8_t)length;
        for (size_t i = 0; i < length; i++) {
            char c = name[i];
            question.name[used++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
        name += length;
        if (*name == '.')
            name++;
    }
    question.name[used++] = 0;
    question.length = (uint8_t)used;
    *out = question;
    return RESULT_OK;
}

void question_from_addr(const struct ipaddr *addr, struct question *out)
{
    char name[IPADDR_REVERSE_MAX];
    /* A reverse name always has a wire form. */
    if (question_from_name(ipaddr_reverse_name(addr, name), RR_PTR, out) != RESULT_OK)
        *out = (struct question){.type = RR_PTR, .length = 1};
}

bool question_equal(const struct question *a, const struct question *b)
{
    return a->type == b->type && a->length == b->length && memcmp(a->name, b->name, a->length) == 0;
}

/* SipHash-1-3 with the seed as key: nobody who does not know the seed can make names collide. */
static uint64_t sip_hash(const uint8_t *name, size_t length, uint16_t type, uint64_t seed)
{
    uint64_t other = ~siphash_rotate(seed, 29) * UINT64_C(0x9e3779b97f4a7c15);
    struct siphash s = siphash_begin(seed, other);
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, name + i, 8);
        siphash_word(&s, word, 1);
    }
    uint64_t last = (uint64_t)length << 56 | (uint64_t)type << 40;
    uint64_t tail = 0;
    memcpy(&tail, name + i, length - i);
    siphash_word(&s, tail, 1);
    siphash_word(&s, last, 1);
    return siphash_end(&s, 3);
}

uint64_t question_hash(const struct question *question, uint64_t seed)
{
    return sip_hash(question->name, question->length, question->type, seed);
}

uint64_t wirename_hash(const uint8_t *name, size_t length, uint64_t seed)
{
    return sip_hash(name, length, 0, seed);
}

const char *wirename_text(const uint8_t *name, size_t length, char out[NAME_TEXT_MAX])
{
    size_t used = 0, at = 0;
    while (at < length && name[at] != 0) {
        size_t end = at + 1 + name[at];
        if (end > length)
            break;
        if (used > 0)
            out[used++] = '.';
        for (at++; at < end && used + 5 < NAME_TEXT_MAX; at++) {
            uint8_t c = name[at];
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') {
                out[used++] = (char)c; /* nearly always */
            } else if (c <= ' ' || c > '~') {
                used += (size_t)snprintf(out + used, 5, "\\%03u", c);
            } else {
                if (strchr(".\\\"();@$", c) != NULL)
                    out[used++] = '\\';
                out[used++] = (char)c;
            }
        }
    }
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
    return out;
}

struct answer *answer_new(uint16_t type, enum dns_outcome outcome, size_t payload_length)
{
    struct answer *answer = malloc(sizeof *answer + payload_length);
    if (answer == NULL)
        return NULL;
    *answer = (struct answer){
        .type = type, .outcome = (uint8_t)outcome, .payload_length = (uint32_t)payload_length};
    atomic_init(&answer->refs, 1);
    memset(answer->payload, 0, payload_length);
    return answer;
}

struct answer *answer_new_problem(uint16_t type, enum dns_problem problem)
{
    struct answer *answer = answer_new(type, DNS_TEMPERROR, 0);
    if (answer == NULL)
        return NULL;
    answer->problem = (uint8_t)problem;
    answer->server = ANSWER_NO_SERVER;
    return answer;
}

struct answer *answer_new_reason(uint16_t type, enum dns_problem problem, const char *reason)
{
    const char *text = dns_problem_text(problem);
    size_t size = strlen(text) + strlen(reason) + sizeof ": ";
    struct answer *answer = answer_new(type, DNS_TEMPERROR, size);
    if (answer == NULL)
        return NULL;
    answer->problem = (uint8_t)problem;
    answer->server = ANSWER_NO_SERVER;
    (void)snprintf((char *)answer->payload, size, "%s: %s", text, reason);
    return answer;
}

bool answer_is_denial(const struct answer *answer)
{
    return answer->outcome == DNS_NXDOMAIN || answer->outcome == DNS_NODATA;
}

const char *answer_problem_text(const struct answer *answer)
{
    return answer->payload_length > 0 ? (const char *)answer->payload
                                      : dns_problem_text((enum dns_problem)answer->problem);
}

struct answer *answer_copy(const struct answer *answer, uint32_t ttl_s)
{
    struct answer *copy =
        answer_new(answer->type, (enum dns_outcome)answer->outcome, answer->payload_length);
    if (copy == NULL)
        return NULL;
    copy->origin = answer->origin;
    copy->secure = answer->secure;
    copy->problem = answer->problem;
    copy->aliased = answer->aliased;
    copy->server = answer->server;
    copy->count = answer->count;
    copy->dropped = answer->dropped;
    copy->ttl_s = ttl_s;
    copy->took_ms = answer->took_ms;
    memcpy(copy->payload, answer->payload, answer->payload_length);
    return copy;
}

struct answer *answer_own(struct answer *answer, uint32_t ttl_s)
{
    if (atomic_load_explicit(&answer->refs, memory_order_acquire) == 1) {
        answer->ttl_s = ttl_s;
        return answer;
    }
    struct answer *copy = answer_copy(answer, ttl_s);
    answer_unref(answer);
    return copy;
}

struct answer *answer_ref(const struct answer *answer)
{
    struct answer *mutable = (struct answer *)(uintptr_t)answer;
    atomic_fetch_add_explicit(&mutable->refs, 1, memory_order_relaxed);
    return mutable;
}

void answer_unref(const struct answer *answer)
{
    struct answer *mutable = (struct answer *)(uintptr_t)answer;
    if (mutable != NULL && atomic_fetch_sub_explicit(&mutable->refs, 1, memory_order_acq_rel) == 1)
        free(mutable);
}

void answer_address(const struct answer *answer, size_t i, struct ipaddr *out)
{
    size_t length = answer->type == RR_A ? 4 : 16;
    if (ipaddr_from_bytes(answer->payload + i * length, length, out) != RESULT_OK)
        *out = (struct ipaddr){0};
}

const uint8_t *answer_name(const struct answer *answer, size_t i, size_t *length)
{
    const uint8_t *at = answer->payload;
    for (;; i--) {
        const uint8_t *end = at;
        while (*end != 0)
            end += 1 + *end;
        end++;
        if (i == 0) {
            *length = (size_t)(end - at);
            return at;
        }
        at = end;
    }
}

/* The RDATA of the i-th TXT record. */
static const uint8_t *answer_strings(const struct answer *answer, size_t i, size_t *length)
{
    const uint8_t *at = answer->payload;
    for (;; i--) {
        *length = (size_t)(at[0] << 8 | at[1]);
        if (i == 0)
            return at + 2;
        at += 2 + *length;
    }
}

bool answer_text(const struct answer *answer, size_t i, char *out, size_t size)
{
    size_t left, used = 0;
    const uint8_t *at = answer_strings(answer, i, &left);
    while (left > 0) {
        size_t length = at[0];
        if (used + length >= size || memchr(at + 1, '\0', length) != NULL)
            return false;
        memcpy(out + used, at + 1, length);
        used += length;
        at += 1 + length;
        left -= 1 + length;
    }
    out[used] = '\0';
    return true;
}
