/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dnsmsg.h"
#include "dns/dnsrr.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID        0x1234
#define RECORDS   24
#define TEXT_MAX_ 20000

/* One record of a message; the data of a SOA is its MINIMUM, of an MX the name. */
struct spec {
    const char *owner;
    uint16_t type;
    uint32_t ttl;
    const char *data;
};

struct message {
    size_t length;
    uint8_t bytes[65535];
};

static void put(struct message *message, const void *bytes, size_t length)
{
    ck_assert_uint_le(message->length + length, sizeof message->bytes);
    memcpy(message->bytes + message->length, bytes, length);
    message->length += length;
}

static void put_u16(struct message *message, unsigned value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    put(message, bytes, sizeof bytes);
}

static void put_name(struct message *message, const char *name)
{
    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        uint8_t count = (uint8_t)length;

        put(message, &count, 1);
        put(message, name, length);
        name += length + (name[length] == '.');
    }
    put(message, "", 1);
}

static void put_data(struct message *message, const struct spec *spec)
{
    uint8_t bytes[16];

    if (spec->type == RR_A || spec->type == RR_AAAA) {
        ck_assert_int_eq(inet_pton(spec->type == RR_A ? AF_INET : AF_INET6, spec->data, bytes), 1);
        put(message, bytes, spec->type == RR_A ? 4 : 16);
    } else if (spec->type == RR_SOA) {
        put_name(message, "ns");
        put_name(message, "hostmaster");
        for (int i = 0; i < 8; i++)
            put_u16(message, 1);
        put_u16(message, 0);
        put_u16(message, (unsigned)atoi(spec->data));
    } else if (spec->type == RR_TXT) { /* strings with "|" between */
        for (const char *at = spec->data; *at != '\0'; at += *at == '|') {
            char length = (char)strcspn(at, "|");
            put(message, &length, 1);
            put(message, at, (size_t)length);
            at += length;
        }
    } else {
        const char *name = spec->data;
        if (spec->type == RR_MX) { /* "20 name"; without a number it is 10 */
            char *end;
            unsigned long preference = strtoul(name, &end, 10);
            put_u16(message, end == name ? 10 : (unsigned)preference);
            name = end == name ? name : end + 1;
        }
        put_name(message, name);
    }
}

static void put_record(struct message *message, const struct spec *spec)
{
    size_t length_at;

    put_name(message, spec->owner);
    put_u16(message, spec->type);
    put_u16(message, 1);
    put_u16(message, spec->ttl >> 16);
    put_u16(message, spec->ttl & 0xffff);
    length_at = message->length;
    put_u16(message, 0);
    put_data(message, spec);
    message->bytes[length_at] = (uint8_t)((message->length - length_at - 2) >> 8);
    message->bytes[length_at + 1] = (uint8_t)(message->length - length_at - 2);
}

/* flags: the header's bytes 2 and 3. */
static void start(struct message *message, unsigned flags, const char *name, unsigned type)
{
    message->length = 0;
    put_u16(message, ID);
    put_u16(message, flags);
    put_u16(message, 1);
    put(message, "\0\0\0\0\0\0", 6);
    put_name(message, name);
    put_u16(message, type);
    put_u16(message, 1);
}

/* Append a section's records, up to an empty one, and count them. */
static void put_section(struct message *message, unsigned section, const struct spec *specs)
{
    unsigned count = 0;

    for (; count < RECORDS && specs[count].owner != NULL; count++)
        put_record(message, &specs[count]);
    message->bytes[4 + 2 * section] = (uint8_t)(count >> 8);
    message->bytes[5 + 2 * section] = (uint8_t)count;
}

/* "found 192.0.2.1 192.0.2.2 ttl=60 hops=1", as the tables have it. */
static const char *describe(enum dnsmsg_kind kind, enum dns_problem problem,
                            const struct source_result *result, char *out)
{
    static const char *const kinds[] = {"stray", "truncated", "plain", "failed", "answer"};
    static const char *const outcomes[] = {"?", "found", "nodata", "nxdomain", "temperror"};
    const struct answer *answer = result->answer;
    size_t at = 0;
    char text[NAME_TEXT_MAX];

    if (kind != DNSMSG_ANSWER) {
        snprintf(out, TEXT_MAX_, "%s%s%s", kinds[kind], kind == DNSMSG_FAILED ? " " : "",
                 kind == DNSMSG_FAILED ? dns_problem_text(problem) : "");
        return out;
    }
    at += (size_t)snprintf(out, TEXT_MAX_, "%s", outcomes[answer->outcome]);
    if (answer->outcome == DNS_TEMPERROR) {
        snprintf(out + at, TEXT_MAX_ - at, " %s",
                 dns_problem_text((enum dns_problem)answer->problem));
        return out;
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            struct ipaddr addr;

            answer_address(answer, i, &addr);
            ipaddr_format(&addr, text);
        } else if (answer->type == RR_TXT) {
            if (!answer_text(answer, i, text, sizeof text))
                snprintf(text, sizeof text, "unusable");
        } else {
            size_t length;
            const uint8_t *name = answer_name(answer, i, &length);

            wirename_text(name, length, text);
        }
        at += (size_t)snprintf(out + at, TEXT_MAX_ - at, " %s", text);
    }
    at += (size_t)snprintf(out + at, TEXT_MAX_ - at, " ttl=%u", answer->ttl_s);
    if (result->hops > 0)
        at += (size_t)snprintf(out + at, TEXT_MAX_ - at, " hops=%u", result->hops);
    if (result->chained)
        at += (size_t)snprintf(out + at, TEXT_MAX_ - at, " next=%s",
                               wirename_text(result->target.name, result->target.length, text));
    if (answer->secure)
        at += (size_t)snprintf(out + at, TEXT_MAX_ - at, " secure");
    if (answer->dropped > 0)
        snprintf(out + at, TEXT_MAX_ - at, " dropped=%u", answer->dropped);
    return out;
}

static const char *parse(const struct message *message, const struct dnsmsg_expect *expect,
                         char *out)
{
    struct source_result result;
    struct denial denial;
    enum dns_problem problem = PROBLEM_NONE;
    /* An exact copy, so that a sanitizer sees every byte read behind it. */
    uint8_t *copy = malloc(message->length > 0 ? message->length : 1);
    enum dnsmsg_kind kind;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, message->bytes, message->length);
    kind = dnsmsg_parse(copy, message->length, expect, &result, &denial, &problem);
    describe(kind, problem, &result, out);
    answer_unref(result.answer);
    free(copy);
    return out;
}

enum { OK = 0x8180, AUTHORITATIVE = 0x8500, NO_RA = 0x8100, SECURE = 0x81a0 };
enum { NX = 3 };
#define REVERSE "7.2.0.192.in-addr.arpa"
#define SOA                                                                                        \
    {                                                                                              \
        "example", RR_SOA, 300, "60"                                                               \
    }

static const struct {
    const char *label, *name;
    uint16_t type;
    unsigned flags;
    struct spec answer[RECORDS], authority[4];
    const char *want;
} answers[] = {
    {"one",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=60"},
    {"owner in another case",
     "www.example",
     RR_A,
     OK,
     {{"WWW.Example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=60"},
    {"sorted, without duplicates, least TTL",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_A, 60, "192.0.2.10"},
      {"www.example", RR_A, 30, "192.0.2.9"},
      {"www.example", RR_A, 90, "192.0.2.10"}},
     {{0}},
     "found 192.0.2.9 192.0.2.10 ttl=30"},
    {"other owners and types",
     "www.example",
     RR_A,
     OK,
     {{"x.example", RR_A, 60, "203.0.113.66"},
      {"www.example", RR_PTR, 60, "evil.example"},
      {"www.example", RR_A, 60, "192.0.2.1"},
      {"ww.example", RR_A, 60, "203.0.113.66"},
      {"wwww.example", RR_A, 60, "203.0.113.66"},
      {"www.example.x", RR_A, 60, "203.0.113.66"}},
     {{0}},
     "found 192.0.2.1 ttl=60"},
    {"AAAA",
     "www.example",
     RR_AAAA,
     OK,
     {{"www.example", RR_AAAA, 60, "2001:db8::1"}},
     {{0}},
     "found 2001:db8::1 ttl=60"},
    {"NS",
     "example",
     RR_NS,
     OK,
     {{"example", RR_NS, 60, "b.example"}, {"example", RR_NS, 60, "A.Example"}},
     {{0}},
     "found a.example b.example ttl=60"},
    {"TXT",
     "example",
     RR_TXT,
     OK,
     {{"example", RR_TXT, 60, "v=spf1 |-all"},
      {"example", RR_TXT, 50, "X"},
      {"example", RR_TXT, 60, "X"}},
     {{0}},
     "found X v=spf1 -all ttl=50"},
    {"TXT without a string",
     "example",
     RR_TXT,
     OK,
     {{"example", RR_TXT, 60, ""}},
     {{0}},
     "failed malformed answers"},
    {"MX",
     "example",
     RR_MX,
     OK,
     {{"example", RR_MX, 60, "b.example"}, {"example", RR_MX, 60, "A.Example"}},
     {{0}},
     "found a.example b.example ttl=60"},
    {"MX by preference",
     "example",
     RR_MX,
     OK,
     {{"example", RR_MX, 60, "300 a.example"},
      {"example", RR_MX, 60, "5 z.example"},
      {"example", RR_MX, 60, "20 c.example"},
      {"example", RR_MX, 60, "20 B.example"}},
     {{0}},
     "found z.example b.example c.example a.example ttl=60"},
    {"null MX", "example", RR_MX, OK, {{"example", RR_MX, 60, ""}}, {{0}}, "found . ttl=60"},
    {"PTR in canonical order",
     REVERSE,
     RR_PTR,
     OK,
     {{REVERSE, RR_PTR, 60, "b.example"},
      {REVERSE, RR_PTR, 60, "z.a.example"},
      {REVERSE, RR_PTR, 60, "example"},
      {REVERSE, RR_PTR, 60, "A.example"},
      {REVERSE, RR_PTR, 60, ""}},
     {{0}},
     "found . example a.example z.a.example b.example ttl=60"},
    {"AD",
     "www.example",
     RR_A,
     SECURE,
     {{"www.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=60 secure"},
    {"TTL at its limit",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_A, 2147483647, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=2147483647"},
    {"TTL above its limit",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_A, 2147483648U, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=0"},
    {"chain",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "b.example"},
      {"b.example", RR_CNAME, 40, "c.example"},
      {"c.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "found 192.0.2.1 ttl=40 hops=2"},
    {"chain from the end",
     "www.example",
     RR_A,
     OK,
     {{"c.example", RR_A, 60, "192.0.2.1"},
      {"b.example", RR_CNAME, 40, "c.example"},
      {"www.example", RR_CNAME, 50, "b.example"}},
     {{0}},
     "found 192.0.2.1 ttl=40 hops=2"},
    {"two CNAMEs: the first in order",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "c.example"},
      {"www.example", RR_CNAME, 50, "b.example"},
      {"c.example", RR_A, 60, "192.0.2.3"},
      {"b.example", RR_A, 60, "192.0.2.2"}},
     {{0}},
     "found 192.0.2.2 ttl=50 hops=1"},
    {"only a CNAME",
     REVERSE,
     RR_PTR,
     OK,
     {{REVERSE, RR_CNAME, 50, "7.0-31.2.0.192.in-addr.arpa"}},
     {{0}},
     "nodata ttl=0 hops=1 next=7.0-31.2.0.192.in-addr.arpa"},
    {"only a CNAME, SOA of its own zone",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "www.test"}},
     {SOA},
     "nodata ttl=0 hops=1 next=www.test"},
    {"CNAME to nothing",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "b.example"}},
     {SOA},
     "nodata ttl=50 hops=1"},
    {"CNAME to no name",
     "www.example",
     RR_A,
     OK | NX,
     {{"www.example", RR_CNAME, 500, "b.example"}},
     {SOA},
     "nxdomain ttl=60 hops=1"},
    {"CNAME to itself",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "www.example"}},
     {{0}},
     "temperror CNAME loop"},
    {"circle",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "b.example"}, {"b.example", RR_CNAME, 50, "www.example"}},
     {{0}},
     "temperror CNAME loop"},
    {"circle with records",
     "www.example",
     RR_A,
     OK,
     {{"www.example", RR_CNAME, 50, "b.example"},
      {"b.example", RR_CNAME, 50, "www.example"},
      {"www.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "temperror CNAME loop"},
    {"nxdomain", "www.example", RR_A, OK | NX, {{0}}, {SOA}, "nxdomain ttl=60"},
    {"nodata", "www.example", RR_A, OK, {{0}}, {SOA}, "nodata ttl=60"},
    {"SOA of the name itself", "example", RR_A, OK, {{0}}, {SOA}, "nodata ttl=60"},
    {"SOA of the root", "www.example", RR_A, OK, {{0}}, {{"", RR_SOA, 300, "60"}}, "nodata ttl=60"},
    {"SOA TTL is the lesser",
     "www.example",
     RR_A,
     OK,
     {{0}},
     {{"example", RR_SOA, 20, "60"}},
     "nodata ttl=20"},
    {"SOA of another zone",
     "www.example",
     RR_A,
     OK,
     {{0}},
     {{"ample", RR_SOA, 300, "60"}},
     "nodata ttl=0"},
    {"SOA below the name",
     "example",
     RR_A,
     OK,
     {{0}},
     {{"www.example", RR_SOA, 300, "60"}},
     "nodata ttl=0"},
    {"SOA TTL above its limit",
     "www.example",
     RR_A,
     OK,
     {{0}},
     {{"example", RR_SOA, 4294967295U, "60"}},
     "nodata ttl=0"},
    {"nxdomain without SOA", "www.example", RR_A, OK | NX, {{0}}, {{0}}, "nxdomain ttl=0"},
    {"nodata without SOA", "www.example", RR_A, OK, {{0}}, {{0}}, "nodata ttl=0"},
    {"nodata with SOA and NS",
     "www.example",
     RR_A,
     OK,
     {{0}},
     {{"example", RR_NS, 60, "ns"}, SOA},
     "nodata ttl=60"},
    {"authoritative nodata without SOA",
     "www.example",
     RR_A,
     AUTHORITATIVE,
     {{0}},
     {{0}},
     "nodata ttl=0"},
    {"lame", "www.example", RR_A, NO_RA, {{0}}, {{0}}, "failed REFUSED"},
    {"lame nxdomain", "www.example", RR_A, NO_RA | NX, {{0}}, {{0}}, "failed REFUSED"},
    {"referral",
     "www.example",
     RR_A,
     NO_RA,
     {{0}},
     {{"example", RR_NS, 60, "ns"}},
     "failed REFUSED"},
    {"referral with RA",
     "www.example",
     RR_A,
     OK,
     {{0}},
     {{"example", RR_NS, 60, "ns"}},
     "failed REFUSED"},
    {"nxdomain with records",
     "www.example",
     RR_A,
     OK | NX,
     {{"www.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "failed malformed answers"},
    {"SERVFAIL", "www.example", RR_A, OK | 2, {{0}}, {{0}}, "failed SERVFAIL"},
    {"SERVFAIL with records",
     "www.example",
     RR_A,
     OK | 2,
     {{"www.example", RR_A, 60, "192.0.2.1"}},
     {{0}},
     "failed SERVFAIL"},
    {"REFUSED", "www.example", RR_A, OK | 5, {{0}}, {{0}}, "failed REFUSED"},
    {"FORMERR", "www.example", RR_A, OK | 1, {{0}}, {{0}}, "failed error code"},
    {"YXDOMAIN", "www.example", RR_A, OK | 6, {{0}}, {{0}}, "failed error code"},
};

static void set_question(struct question *question, const char *name, enum rrtype type)
{
    ck_assert_int_eq(question_from_name(name, type, question), RESULT_OK);
}

START_TEST(test_answers)
{
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID, .trusted = true};

    set_question(&question, answers[_i].name, answers[_i].type);
    start(&message, answers[_i].flags, answers[_i].name, answers[_i].type);
    put_section(&message, 1, answers[_i].answer);
    put_section(&message, 2, answers[_i].authority);
    ck_assert_msg(strcmp(parse(&message, &expect, out), answers[_i].want) == 0, "%s: %s",
                  answers[_i].label, out);
}
END_TEST

/* A good answer, of which one byte is changed. */
static const struct {
    const char *label;
    size_t offset;
    uint8_t value;
    const char *want;
} changes[] = {
    {"nothing", 0, ID >> 8, "found 192.0.2.1 ttl=60"},
    {"ID, first byte", 0, 0x13, "stray"},
    {"ID, second byte", 1, 0x35, "stray"},
    {"a query", 2, 0x01, "stray"},
    {"opcode", 2, 0x91, "stray"},
    {"TC", 2, 0x83, "truncated"},
    {"no question", 5, 0, "stray"},
    {"two questions", 5, 2, "stray"},
    {"256 questions", 4, 1, "stray"},
    {"name", 13, 'x', "stray"},
    {"name in another case", 13, 'W', "found 192.0.2.1 ttl=60"},
    {"name: length", 12, 2, "stray"},
    {"name: pointer", 12, 0xc0, "stray"},
    {"type", 26, 28, "stray"},
    {"class", 28, 3, "stray"},
    {"more answers than there are", 7, 2, "failed malformed answers"},
    {"65281 answers", 6, 255, "failed malformed answers"},
    {"authority that is not there", 9, 1, "failed malformed answers"},
    {"additional that is not there", 11, 1, "failed malformed answers"},
    {"owner: reserved label type", 29, 0x80, "failed malformed answers"},
    {"owner: another", 30, 'x', "nodata ttl=0"},
    {"record: type", 43, 28, "nodata ttl=0"},
    {"record: class", 45, 3, "nodata ttl=0"},
    {"RDLENGTH: less", 51, 3, "failed malformed answers"},
    {"RDLENGTH: more", 51, 5, "failed malformed answers"},
    {"RDLENGTH: much more", 50, 5, "failed malformed answers"},
    {"RDLENGTH: none", 51, 0, "failed malformed answers"},
};

START_TEST(test_changes)
{
    static const struct spec record[RECORDS] = {{"www.example", RR_A, 60, "192.0.2.1"}};
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};

    set_question(&question, "www.example", RR_A);
    start(&message, OK, "www.example", RR_A);
    put_section(&message, 1, record);
    message.bytes[changes[_i].offset] = changes[_i].value;
    ck_assert_msg(strcmp(parse(&message, &expect, out), changes[_i].want) == 0, "%s: %s",
                  changes[_i].label, out);
}
END_TEST

/* Cut anywhere, a good answer is stray (before the end of the question) or broken. */
START_TEST(test_every_length)
{
    static const struct spec record[RECORDS] = {{"www.example", RR_A, 60, "192.0.2.1"}};
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};
    size_t whole;

    set_question(&question, "www.example", RR_A);
    start(&message, OK, "www.example", RR_A);
    put_section(&message, 1, record);
    whole = message.length;
    for (message.length = 0; message.length < whole; message.length++)
        ck_assert_msg(strcmp(parse(&message, &expect, out),
                             message.length < 29 ? "stray" : "failed malformed answers") == 0,
                      "%zu: %s", message.length, out);
}
END_TEST

static const struct {
    const char *label;
    unsigned rcode, extended;
    bool edns, bare;
    const char *want;
} edns_cases[] = {
    {"FORMERR", 1, 0, true, false, "plain"},
    {"NOTIMP", 4, 0, true, false, "plain"},
    {"BADVERS", 0, 1, true, false, "plain"},
    {"BADVERS unasked", 0, 1, false, false, "failed error code"},
    {"BADCOOKIE", 7, 1, true, false, "failed error code"},
    {"NXDOMAIN with an extended code is another error", 3, 1, true, false, "failed error code"},
    {"bare FORMERR", 1, 0, true, true, "plain"},
    {"bare NOTIMP", 4, 0, true, true, "plain"},
    {"bare FORMERR without EDNS0", 1, 0, false, true, "failed error code"},
    {"bare SERVFAIL", 2, 0, true, true, "stray"},
    {"bare NXDOMAIN", 3, 0, true, true, "stray"},
    {"SERVFAIL", 2, 0, true, false, "failed SERVFAIL"},
};

START_TEST(test_edns)
{
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID, .edns = edns_cases[_i].edns};

    set_question(&question, "www.example", RR_A);
    start(&message, OK | edns_cases[_i].rcode, "www.example", RR_A);
    if (edns_cases[_i].bare) {
        message.length = 12;
        message.bytes[5] = 0;
    } else {
        put(&message, "\0\0\x29\x04\xd0", 5);
        put_u16(&message, edns_cases[_i].extended << 8);
        put(&message, "\0\0\0\0", 4);
        message.bytes[11] = 1;
    }
    ck_assert_msg(strcmp(parse(&message, &expect, out), edns_cases[_i].want) == 0, "%s: %s",
                  edns_cases[_i].label, out);
}
END_TEST

START_TEST(test_stream)
{
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID, .stream = true};

    set_question(&question, "www.example", RR_A);
    start(&message, OK | 0x200, "www.example", RR_A);
    ck_assert_str_eq(parse(&message, &expect, out), "failed malformed answers");
}
END_TEST

START_TEST(test_ad_of_an_untrusted_server)
{
    static const struct spec record[RECORDS] = {{"www.example", RR_A, 60, "192.0.2.1"}};
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};

    set_question(&question, "www.example", RR_A);
    start(&message, SECURE, "www.example", RR_A);
    put_section(&message, 1, record);
    ck_assert_str_eq(parse(&message, &expect, out), "found 192.0.2.1 ttl=60");
}
END_TEST

/* `count` PTR names, counted up or down. */
static void many(struct message *message, int count, bool down)
{
    start(message, OK, REVERSE, RR_PTR);
    for (int i = 0; i < count; i++) {
        char name[32];
        struct spec spec = {REVERSE, RR_PTR, 60, name};

        snprintf(name, sizeof name, "n%05d.example", down ? count - 1 - i : i);
        put_record(message, &spec);
    }
    message->bytes[6] = (uint8_t)(count >> 8);
    message->bytes[7] = (uint8_t)count;
}

START_TEST(test_many_names_in_any_order)
{
    char *up = malloc(TEXT_MAX_), *down = malloc(TEXT_MAX_);
    struct message *message = malloc(sizeof *message);
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};

    ck_assert(up != NULL && down != NULL && message != NULL);
    set_question(&question, REVERSE, RR_PTR);
    many(message, DNSMSG_RECORDS_MAX, false);
    parse(message, &expect, up);
    many(message, DNSMSG_RECORDS_MAX, true);
    ck_assert_str_eq(parse(message, &expect, down), up);
    ck_assert_ptr_nonnull(strstr(up, " n00000.example "));
    ck_assert_ptr_nonnull(strstr(up, " n00511.example ttl=60"));
    many(message, DNSMSG_RECORDS_MAX + 100, false);
    ck_assert_ptr_nonnull(strstr(parse(message, &expect, up), " dropped=100"));
    free(message);
    free(down);
    free(up);
}
END_TEST

static void many_cnames(struct message *message, int count)
{
    start(message, OK, "n00.example", RR_A);
    for (int i = 0; i < count; i++) {
        char owner[32], target[32];
        struct spec spec = {owner, RR_CNAME, 60, target};

        snprintf(owner, sizeof owner, "n%02d.example", i);
        snprintf(target, sizeof target, "n%02d.example", i + 1);
        put_record(message, &spec);
    }
    message->bytes[7] = (uint8_t)count;
}

static const struct {
    int count;
    const char *want;
} chains[] = {
    {1, "nodata ttl=0 hops=1 next=n01.example"},
    {16, "nodata ttl=0 hops=16 next=n16.example"},
    {17, "temperror CNAME loop"},
    {64, "temperror CNAME loop"},
    {65, "temperror CNAME loop"},
};

START_TEST(test_chain_cap)
{
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};

    set_question(&question, "n00.example", RR_A);
    many_cnames(&message, chains[_i].count);
    ck_assert_str_eq(parse(&message, &expect, out), chains[_i].want);
}
END_TEST

START_TEST(test_foreign_cnames_are_capped)
{
    char out[TEXT_MAX_], owner[32];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};
    const struct spec good = {"www.example", RR_A, 60, "192.0.2.1"};

    set_question(&question, "www.example", RR_A);
    for (int count = DNSMSG_CNAMES_MAX; count <= DNSMSG_CNAMES_MAX + 1; count++) {
        start(&message, OK, "www.example", RR_A);
        for (int i = 0; i < count; i++) {
            struct spec spec = {owner, RR_CNAME, 60, "evil.example"};

            snprintf(owner, sizeof owner, "n%02d.example", i);
            put_record(&message, &spec);
        }
        put_record(&message, &good);
        message.bytes[7] = (uint8_t)(count + 1);
        ck_assert_str_eq(parse(&message, &expect, out), count == DNSMSG_CNAMES_MAX
                                                            ? "found 192.0.2.1 ttl=60"
                                                            : "temperror CNAME loop");
    }
}
END_TEST

/* The end of the message, and of the RDATA, is exactly where the records say. */
START_TEST(test_ends)
{
    static const struct {
        const char *label, *data;
        unsigned type, length, put;
        const char *want;
    } ends[] = {
        {"text", "\3abc", RR_TXT, 4, 4, "nodata ttl=0"},
        {"text, one byte short", "\3abc", RR_TXT, 5, 4, "failed malformed answers"},
        {"string", "\3abc", RR_TXT, 4, 4, "found abc ttl=60"},
        {"strings", "\1a\0\1b", RR_TXT, 5, 5, "found ab ttl=60"},
        {"string past its RDATA", "\4abcd", RR_TXT, 4, 5, "failed malformed answers"},
        {"string with a NUL", "\3a\0b", RR_TXT, 4, 4, "found unusable ttl=60"},
        {"name", "\1a", RR_PTR, 3, 3, "found a ttl=60"},
        {"name and more", "\1a\0x", RR_PTR, 4, 4, "failed malformed answers"},
        {"name past its RDATA", "\1a\0x", RR_PTR, 2, 4, "failed malformed answers"},
        {"no name", "", RR_PTR, 0, 0, "failed malformed answers"},
        {"pointer to itself", "\xc0\x30", RR_PTR, 2, 2, "failed malformed answers"},
    };

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char out[TEXT_MAX_];
        struct message message;
        struct question question;
        struct dnsmsg_expect expect = {.question = &question, .id = ID};

        unsigned asked = strncmp(ends[i].label, "string", 6) == 0 ? RR_TXT : RR_PTR;
        set_question(&question, REVERSE, (uint16_t)asked);
        start(&message, OK, REVERSE, asked);
        put(&message, "\xc0\x0c", 2);
        put_u16(&message, ends[i].type);
        put(&message, "\0\1\0\0\0\x3c", 6);
        put_u16(&message, ends[i].length);
        bool pointer = ends[i].data[0] == '\xc0';
        if (pointer) /* where the RDATA is */
            ck_assert_uint_eq(message.length, 52);
        put(&message, ends[i].data, ends[i].put);
        if (pointer)
            message.bytes[53] = 52;
        message.bytes[7] = 1;
        ck_assert_msg(strcmp(parse(&message, &expect, out), ends[i].want) == 0, "%s: %s",
                      ends[i].label, out);
    }
}
END_TEST

/*
 * The most expensive message known: every owner's name a long way of pointers, in as many records
 * as fit. It must be an answer without records; that it takes no time shows in the test's own time
 * limit.
 */
START_TEST(test_pointers_are_bounded)
{
    char out[TEXT_MAX_];
    struct message *message = malloc(sizeof *message);
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};
    unsigned first, count = 1;

    ck_assert_ptr_nonnull(message);
    set_question(&question, "www.example", RR_A);
    start(message, OK, "www.example", RR_A);
    put(message, "\0\0\x10\0\1\0\0\0\0\x3e\x80",
        11); /* a TXT of the root: 16000 bytes of pointers */
    first = (unsigned)message->length;
    for (unsigned i = 0; i < 8000; i++)
        put_u16(message, i == 0 ? 0xc00c : 0xc000 | (first + 2 * (i - 1)));
    while (message->length + 16 <= sizeof message->bytes) {
        put_u16(message, 0xc000 | (first + 2 * 7999));
        put(message, "\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 14);
        count++;
    }
    message->bytes[6] = (uint8_t)(count >> 8);
    message->bytes[7] = (uint8_t)count;
    ck_assert_str_eq(parse(message, &expect, out), "nodata ttl=0");
    free(message);
}
END_TEST

/* The same in the records' data, of which all belong to the question: malformed at the first. */
START_TEST(test_pointers_in_data_are_bounded)
{
    char out[TEXT_MAX_];
    struct message message;
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = ID};

    for (unsigned jumps = 128; jumps <= 129; jumps++) {
        unsigned first;

        set_question(&question, REVERSE, RR_PTR);
        start(&message, OK, REVERSE, RR_PTR);
        put(&message, "\0\0\x10\0\1\0\0\0\0", 9); /* a TXT of the root: pointers */
        put_u16(&message, 2 * jumps);
        first = (unsigned)message.length;
        for (unsigned i = 0; i < jumps; i++)
            put_u16(&message, i == 0 ? 0xc00c : 0xc000 | (first + 2 * (i - 1)));
        put(&message, "\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\4\1m", 14);
        put_u16(&message, 0xc000 | (first + 2 * (jumps - 2)));
        message.bytes[7] = 2;
        ck_assert_str_eq(parse(&message, &expect, out),
                         jumps == 128 ? "found m." REVERSE " ttl=60" : "failed malformed answers");
    }
}
END_TEST

static const struct {
    const char *label, *wire; /* of 32 bytes at most, the name at offset 4 */
    size_t length;
    bool skips, equal, sound;
} names[] = {
    {"plain", "\1b\0.\1a\1b\0", 9, true, true, true},
    {"pointer back", "\1b\0.\1a\xc0\0", 8, true, true, true},
    {"upper case", "\1B\0.\1A\xc0\0", 8, true, true, true},
    {"pointer to itself", "\1b\0.\xc0\4", 6, true, false, false},
    {"pointer forward", "\1b\0.\xc0\6\1a\1b\0", 11, true, false, false},
    {"circle over a label", "\1b\0.\1a\xc0\4", 8, true, false, false},
    {"half a pointer", "\1b\0.\1a\xc0", 7, false, false, false},
    {"no end", "\1b\0.\1a\1b", 8, false, false, false},
    {"label past the end", "\1b\0.\1a\5b", 8, false, false, false},
    {"reserved label type", "\1b\0.\1a\x40\0", 8, false, false, false},
    {"shorter", "\1b\0.\1a\0", 7, true, false, true},
    {"longer", "\1b\0.\1a\1b\1c\0", 11, true, false, true},
    {"other split of the same bytes", "\1b\0.\3a\1b\0", 9, true, false, true},
};

START_TEST(test_names)
{
    uint8_t *copy = malloc(names[_i].length);
    struct wire wire = {copy, names[_i].length};
    size_t next = 0;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, names[_i].wire, names[_i].length);
    ck_assert_msg(wire_name_skip(&wire, 4, &next) == names[_i].skips, "%s", names[_i].label);
    ck_assert_msg(wire_name_sound(&wire, 4) == names[_i].sound, "%s", names[_i].label);
    ck_assert_msg(wire_name_equal(&wire, 4, (const uint8_t *)"\1a\1b", 5) == names[_i].equal, "%s",
                  names[_i].label);
    free(copy);
}
END_TEST

START_TEST(test_name_order)
{
    /* The order of RFC 4034 6.1, as far as it has lower-case letters. */
    static const char *const order[] = {"\0",
                                        "\7example",
                                        "\1a\7example",
                                        "\10yljkjljk\1a\7example",
                                        "\1z\1a\7example",
                                        "\4zabc\1a\7example",
                                        "\1z\7example",
                                        "\1\1\1z\7example",
                                        "\1*\1z\7example",
                                        "\1\310\1z\7example"};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        for (size_t j = 0; j < sizeof order / sizeof order[0]; j++) {
            int got = wire_name_compare((const uint8_t *)order[i], (const uint8_t *)order[j]);

            ck_assert_msg((got > 0) - (got < 0) == (i > j) - (i < j), "%zu %zu: %d", i, j, got);
        }
    ck_assert(wire_name_under((const uint8_t *)"\1a\1b", (const uint8_t *)"\1b"));
    ck_assert(wire_name_under((const uint8_t *)"\1b", (const uint8_t *)"\1b"));
    ck_assert(wire_name_under((const uint8_t *)"\1b", (const uint8_t *)""));
    ck_assert(!wire_name_under((const uint8_t *)"\1b", (const uint8_t *)"\1a\1b"));
    ck_assert(!wire_name_under((const uint8_t *)"\3a\1b", (const uint8_t *)"\1b"));
}
END_TEST

START_TEST(test_query)
{
    static const uint8_t plain[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";
    static const uint8_t edns[] =
        "\x12\x34\x01\x20\0\1\0\0\0\0\0\1\3www\7example\0\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\0";
    uint8_t out[DNSMSG_QUERY_MAX];
    struct question question;

    set_question(&question, "www.example", RR_A);
    ck_assert_uint_eq(dnsmsg_query(&question, ID, false, true, 0, out), sizeof plain - 1);
    ck_assert_mem_eq(out, plain, sizeof plain - 1);
    ck_assert_uint_eq(dnsmsg_query(&question, ID, true, true, 0, out), sizeof edns);
    ck_assert_mem_eq(out, edns, sizeof edns);
    (void)dnsmsg_query(&question, ID, true, false, 0, out);
    ck_assert_uint_eq(out[2], 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("dnsmsg");
    TCase *tcase = tcase_create("dnsmsg");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, test_answers, 0, COUNT(answers));
    tcase_add_loop_test(tcase, test_changes, 0, COUNT(changes));
    tcase_add_loop_test(tcase, test_edns, 0, COUNT(edns_cases));
    tcase_add_loop_test(tcase, test_chain_cap, 0, COUNT(chains));
    tcase_add_loop_test(tcase, test_names, 0, COUNT(names));
    tcase_add_test(tcase, test_every_length);
    tcase_add_test(tcase, test_stream);
    tcase_add_test(tcase, test_ad_of_an_untrusted_server);
    tcase_add_test(tcase, test_many_names_in_any_order);
    tcase_add_test(tcase, test_foreign_cnames_are_capped);
    tcase_add_test(tcase, test_ends);
    tcase_add_test(tcase, test_pointers_are_bounded);
    tcase_add_test(tcase, test_pointers_in_data_are_bounded);
    tcase_add_test(tcase, test_name_order);
    tcase_add_test(tcase, test_query);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
