/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dnsmsg.h"

#include "dns/dnsrr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Header bits: byte 2 and byte 3 (RFC 1035 4.1.1, RFC 4035 3). */
enum { QR = 0x80, OPCODE = 0x78, AA = 0x04, TC = 0x02, RD = 0x01 };
enum { RA = 0x80, AD = 0x20, RCODE = 0x0f };

enum { CLASS_IN = 1, TYPE_OPT = 41 };
enum {
    RCODE_NOERROR = 0,
    RCODE_FORMERR = 1,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_NOTIMP = 4,
    RCODE_REFUSED = 5,
    RCODE_BADVERS = 16,
};

/* A message whose records have been walked once. */
struct message {
    struct wire wire;
    const struct dnsmsg_expect *expect;
    size_t answers; /* offset of the answer section */
    unsigned answer_count;
    size_t cnames[DNSMSG_CNAMES_MAX]; /* offsets of the CNAMEs in it */
    unsigned cname_count;
    bool cnames_over;
    size_t soa; /* offset of the first SOA in the authority section; 0: none */
    bool has_ns;
    unsigned rcode;
    bool is_bogus;          /* an extended error says that the zone's signatures are wrong */
    struct wire_record opt; /* .next 0: there is none */
};

/* A name on its way along the chain. */
struct name {
    uint8_t length;
    uint8_t bytes[WIRE_NAME_MAX];
};

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The name as it is sent. */
static void put_name(const struct question *question, uint64_t upper, uint8_t *out)
{
    unsigned letters = 0;
    for (size_t i = 0; i < question->length; i++) { /* count bytes are at most 63: no letters */
        bool letter = question->name[i] >= 'a' && question->name[i] <= 'z';
        out[i] = question->name[i];
        if (letter && (upper >> (letters++ % 64) & 1) != 0)
            out[i] = (uint8_t)(out[i] - ('a' - 'A'));
    }
}

size_t dnsmsg_query(const struct question *question, uint16_t id, bool edns, bool recurse,
                    uint64_t upper, uint8_t out[DNSMSG_QUERY_MAX])
{
    size_t at = WIRE_HEADER_LENGTH;
    memset(out, 0, DNSMSG_QUERY_MAX);
    put_u16(out, id);
    out[2] = recurse ? RD : 0;
    out[3] = AD; /* asks for AD in the answer without DNSSEC records (RFC 6840 5.7) */
    put_u16(out + 4, 1);
    put_u16(out + 10, edns ? 1 : 0);
    put_name(question, upper, out + at);
    at += question->length;
    put_u16(out + at, question->type);
    put_u16(out + at + 2, CLASS_IN);
    at += 4;
    if (edns) { /* root, OPT, our buffer, no flags, no options (RFC 6891 6.1.2) */
        put_u16(out + at + 1, TYPE_OPT);
        put_u16(out + at + 3, DNSMSG_UDP_SIZE);
        at += 11;
    }
    return at;
}

static unsigned header_count(const struct wire *wire, unsigned section)
{
    return wire_u16(wire, 4 + 2 * (size_t)section);
}

/* Some servers without EDNS0 send a bare header back (RFC 6891 7). */
static bool is_bare_error(const struct wire *wire)
{
    unsigned rcode = wire->bytes[3] & RCODE;
    return wire->length == WIRE_HEADER_LENGTH &&
           (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP) && header_count(wire, 0) == 0 &&
           header_count(wire, 1) == 0 && header_count(wire, 2) == 0 && header_count(wire, 3) == 0;
}

/* Is this message about our question at all?  *records: the offset after the question. */
static bool belongs(const struct wire *wire, const struct dnsmsg_expect *expect, size_t *records)
{
    const struct question *question = expect->question;
    size_t at;
    if (wire->length < WIRE_HEADER_LENGTH || wire_u16(wire, 0) != expect->id ||
        (wire->bytes[2] & (QR | OPCODE)) != QR)
        return false;
    *records = WIRE_HEADER_LENGTH;
    if (is_bare_error(wire))
        return true;
    if (header_count(wire, 0) != 1 || !wire_name_skip(wire, WIRE_HEADER_LENGTH, &at) ||
        wire->length - at < 4)
        return false;
    *records = at + 4;
    return wire_u16(wire, at) == question->type && wire_u16(wire, at + 2) == CLASS_IN &&
           wire_name_equal(wire, WIRE_HEADER_LENGTH, question->name, question->length);
}

/* Are the question's letters as we sent them?  A bare header has none. */
static bool is_own_case(const struct wire *wire, const struct dnsmsg_expect *expect)
{
    uint8_t name[WIRE_NAME_MAX];
    size_t length = expect->question->length;
    if (expect->upper == 0 || wire->length < WIRE_HEADER_LENGTH + length)
        return true;
    put_name(expect->question, expect->upper, name);
    return memcmp(wire->bytes + WIRE_HEADER_LENGTH, name, length) == 0;
}

static void note_answer(struct message *message, const struct wire_record *record)
{
    if (record->type != RR_CNAME || record->rrclass != CLASS_IN)
        return;
    if (message->cname_count < DNSMSG_CNAMES_MAX)
        message->cnames[message->cname_count++] = record->owner;
    else
        message->cnames_over = true;
}

static void note_authority(struct message *message, const struct wire_record *record)
{
    if (record->rrclass != CLASS_IN)
        return;
    if (record->type == RR_SOA && message->soa == 0)
        message->soa = record->owner;
    if (record->type == RR_NS)
        message->has_ns = true;
}

/* Extended errors (RFC 8914 4) that are about a zone's signatures, which no server can help. */
static bool is_bogus_code(unsigned code)
{
    return (code >= 5 && code <= 12) || code == 1 || code == 2 || code == 27;
}

enum { OPTION_EDE = 15, EDE_NONE = -1 };

/* The first extended error of an OPT record: its code, and where its text is; or EDE_NONE. */
static int extended_error(const struct wire *wire, const struct wire_record *opt, size_t *text,
                          size_t *text_length)
{
    for (size_t at = opt->data; opt->next - at >= 4;) {
        size_t length = wire_u16(wire, at + 2), data = at + 4;
        if (length > opt->next - data)
            break;
        if (wire_u16(wire, at) == OPTION_EDE && length >= 2) {
            *text = data + 2;
            *text_length = length - 2;
            return wire_u16(wire, data);
        }
        at = data + length;
    }
    return EDE_NONE;
}

/* The upper bits of the error code are in the OPT record's TTL (RFC 6891 6.1.3). */
static void note_additional(struct message *message, const struct wire_record *record)
{
    size_t text, length;
    if (record->type != TYPE_OPT)
        return;
    message->rcode |= (record->ttl >> 24) << 4;
    int code = extended_error(&message->wire, record, &text, &length);
    message->opt = *record;
    message->is_bogus = code != EDE_NONE && is_bogus_code((unsigned)code);
}

/* Walk every record once; false when one does not lie in the message. */
static bool scan(struct message *message)
{
    size_t at = message->answers;
    for (unsigned section = 1; section <= 3; section++) {
        unsigned count = header_count(&message->wire, section);
        for (unsigned i = 0; i < count; i++) {
            struct wire_record record;
            if (!wire_record(&message->wire, at, &record))
                return false;
            if (section == 1)
                note_answer(message, &record);
            else if (section == 2)
                note_authority(message, &record);
            else
                note_additional(message, &record);
            at = record.next;
        }
    }
    message->answer_count = header_count(&message->wire, 1);
    return true;
}

static enum result decode_at(const struct message *message, size_t offset, struct rr *out)
{
    struct wire_record record;
    if (!wire_record(&message->wire, offset, &record))
        return RESULT_INVALID;
    return rr_decode(&message->wire, &record, out);
}

/*
 * The CNAME of `name`, if there is one.  Two of them are against the rules (RFC 2181 10.1): the
 * first in canonical order is taken, so that the order in the packet does not matter.
 */
static enum result find_cname(const struct message *message, const struct name *name,
                              struct rr *out)
{
    enum result status = RESULT_NOTFOUND;
    for (unsigned i = 0; i < message->cname_count; i++) {
        struct rr rr;
        enum result got;
        if (!wire_name_equal(&message->wire, message->cnames[i], name->bytes, name->length))
            continue;
        got = decode_at(message, message->cnames[i], &rr);
        if (got != RESULT_OK)
            return got;
        if (status == RESULT_OK && wire_name_compare(rr.data, out->data) >= 0)
            continue;
        *out = rr;
        status = RESULT_OK;
    }
    return status;
}

/*
 * Go to the end of the chain that starts at `name`.  In a chain without a circle no CNAME is used
 * twice. RESULT_LIMIT: a circle, or too long.
 */
static enum result follow_chain(const struct message *message, struct name *name,
                                struct source_result *result)
{
    unsigned hops = 0;
    if (message->cnames_over)
        return RESULT_LIMIT;
    for (;;) {
        struct rr rr;
        enum result status = find_cname(message, name, &rr);
        if (status == RESULT_NOTFOUND)
            break;
        if (status != RESULT_OK)
            return status;
        if (++hops > DNSMSG_HOPS_MAX)
            return RESULT_LIMIT;
        name->length = rr.data_length;
        memcpy(name->bytes, rr.data, rr.data_length);
        if (rr.ttl_s < result->chain_ttl_s)
            result->chain_ttl_s = rr.ttl_s;
    }
    result->hops = (uint8_t)hops;
    return RESULT_OK;
}

/* The offsets of the records asked for, of this name, up to the cap. */
static unsigned collect(const struct message *message, const struct name *name,
                        uint16_t kept[DNSMSG_RECORDS_MAX], uint16_t *dropped)
{
    size_t at = message->answers;
    unsigned count = 0;
    *dropped = 0;
    for (unsigned i = 0; i < message->answer_count; i++) {
        struct wire_record record;
        if (!wire_record(&message->wire, at, &record))
            break; /* scan() has seen all of them */
        at = record.next;
        if (record.type != message->expect->question->type || record.rrclass != CLASS_IN ||
            !wire_name_equal(&message->wire, record.owner, name->bytes, name->length))
            continue;
        if (count < DNSMSG_RECORDS_MAX)
            kept[count++] = (uint16_t)record.owner;
        else
            ++*dropped;
    }
    return count;
}

/* Decode what collect() kept.  RESULT_INVALID: one of them is broken, and so is the message. */
static enum result build_found(const struct message *message, const uint16_t *kept, unsigned count,
                               struct answer **out)
{
    struct rr *records = malloc(count * sizeof *records); /* rr_decode() clears each */
    enum result status = records == NULL ? RESULT_NOMEM : RESULT_OK;
    for (unsigned i = 0; i < count && status == RESULT_OK; i++)
        status = decode_at(message, kept[i], &records[i]);
    for (unsigned i = 0; i < count && status == RESULT_OK; i++)
        if (records[i].type == RR_SOA && records[i].minimum_s < records[i].ttl_s)
            records[i].ttl_s = records[i].minimum_s; /* asked for to prove a denial */
    if (status == RESULT_OK) {
        *out = rrset_answer(records, count, message->expect->question->type);
        if (*out == NULL)
            status = RESULT_NOMEM;
    }
    free(records);
    return status;
}

/*
 * The authority section's SOA: whose it is, and its negative TTL (RFC 2308 5) when that zone can
 * speak for the name that is denied.  RESULT_NOTFOUND: there is none that can.
 */
static enum result find_soa(const struct message *message, struct denial *denial, uint32_t *ttl_s)
{
    struct wire_record record;
    struct rr rr;
    if (message->soa == 0)
        return RESULT_NOTFOUND;
    if (!wire_record(&message->wire, message->soa, &record))
        return RESULT_INVALID;
    enum result status = rr_decode(&message->wire, &record, &rr);
    if (status == RESULT_OK)
        status = rr_owner(&message->wire, &record, &rr);
    if (status != RESULT_OK)
        return status;
    denial->apex_length = rr.owner_length;
    memcpy(denial->apex, rr.owner, rr.owner_length);
    if (!wire_name_under(denial->name, rr.owner))
        return RESULT_NOTFOUND;
    *ttl_s = rr.minimum_s < rr.ttl_s ? rr.minimum_s : rr.ttl_s;
    return RESULT_OK;
}

static enum dnsmsg_kind failed(enum dns_problem what, enum dns_problem *problem)
{
    *problem = what;
    return DNSMSG_FAILED;
}

/* A status on the way to an answer: broken messages fail, a lack of memory is an empty result. */
static enum dnsmsg_kind give_up(enum result status, enum dns_problem *problem)
{
    return status == RESULT_NOMEM ? DNSMSG_ANSWER : failed(PROBLEM_MALFORMED, problem);
}

static enum dnsmsg_kind negative(const struct message *message, const struct name *name,
                                 struct source_result *result, struct denial *denial,
                                 enum dns_problem *problem)
{
    const uint8_t *header = message->wire.bytes;
    uint16_t type = message->expect->question->type;
    bool nxdomain = message->rcode == RCODE_NXDOMAIN;
    uint32_t ttl_s = 0;
    denial->apex_length = 0;
    denial->name_length = name->length;
    memcpy(denial->name, name->bytes, name->length);
    enum result status = find_soa(message, denial, &ttl_s);
    if (status == RESULT_NOTFOUND) {
        bool authoritative = (header[2] & AA) != 0;
        if (!nxdomain && result->hops > 0) {
            result->chained = true;
            result->target.type = type;
            result->target.length = name->length;
            memcpy(result->target.name, name->bytes, name->length);
        } else if (!authoritative && (message->has_ns || (header[3] & RA) == 0)) {
            /* A referral, or an empty answer of a server that does not recurse: it knows nothing.
             */
            return failed(PROBLEM_REFUSED, problem);
        }
    } else if (status != RESULT_OK) {
        return give_up(status, problem);
    }
    result->answer = answer_new(type, nxdomain ? DNS_NXDOMAIN : DNS_NODATA, 0);
    if (result->answer != NULL)
        result->answer->ttl_s = ttl_s;
    return DNSMSG_ANSWER;
}

static enum dnsmsg_kind resolve(const struct message *message, struct source_result *result,
                                struct denial *denial, enum dns_problem *problem)
{
    const struct question *question = message->expect->question;
    struct name name = {.length = question->length};
    uint16_t kept[DNSMSG_RECORDS_MAX], dropped;
    enum result status;
    unsigned count;
    memcpy(name.bytes, question->name, question->length);
    /* Where the CNAME itself is asked for, it is the end. */
    status = question->type == RR_CNAME ? RESULT_OK : follow_chain(message, &name, result);
    if (status == RESULT_LIMIT) {
        result->answer = answer_new_problem(question->type, PROBLEM_LOOP);
        return DNSMSG_ANSWER;
    }
    if (status != RESULT_OK)
        return give_up(status, problem);
    count = collect(message, &name, kept, &dropped);
    if (count == 0)
        return negative(message, &name, result, denial, problem);
    if (message->rcode != RCODE_NOERROR) /* records and "no such name" at once */
        return failed(PROBLEM_MALFORMED, problem);
    status = build_found(message, kept, count, &result->answer);
    if (status != RESULT_OK)
        return give_up(status, problem);
    result->answer->dropped = dropped;
    return DNSMSG_ANSWER;
}

static enum dns_problem problem_of(const struct message *message)
{
    switch (message->rcode) {
    case RCODE_SERVFAIL:
        return message->is_bogus ? PROBLEM_BOGUS : PROBLEM_SERVFAIL;
    case RCODE_REFUSED:
        return PROBLEM_REFUSED;
    default:
        return PROBLEM_RCODE;
    }
}

static void finish(const struct message *message, struct source_result *result)
{
    struct answer *answer = result->answer;
    if (answer == NULL)
        return;
    answer->secure = message->expect->trusted && (message->wire.bytes[3] & AD) != 0;
    if (answer->outcome != DNS_TEMPERROR && result->chain_ttl_s < answer->ttl_s)
        answer->ttl_s = result->chain_ttl_s;
}

enum dnsmsg_kind dnsmsg_parse(const uint8_t *bytes, size_t length,
                              const struct dnsmsg_expect *expect, struct source_result *result,
                              struct denial *denial, enum dns_problem *problem)
{
    struct message message = {.wire = {bytes, length}, .expect = expect};
    enum dnsmsg_kind kind;
    memset(result, 0, sizeof *result);
    result->chain_ttl_s = UINT32_MAX;
    if (!belongs(&message.wire, expect, &message.answers))
        return DNSMSG_STRAY;
    if (!is_own_case(&message.wire, expect))
        return DNSMSG_OTHER_CASE;
    message.rcode = bytes[3] & RCODE;
    if ((bytes[2] & TC) != 0)
        return expect->stream ? failed(PROBLEM_MALFORMED, problem) : DNSMSG_TRUNCATED;
    if (!scan(&message))
        return failed(PROBLEM_MALFORMED, problem);
    if (expect->edns && (message.rcode == RCODE_FORMERR || message.rcode == RCODE_NOTIMP ||
                         message.rcode == RCODE_BADVERS))
        return DNSMSG_PLAIN;
    if (message.rcode != RCODE_NOERROR && message.rcode != RCODE_NXDOMAIN)
        return failed(problem_of(&message), problem);
    kind = resolve(&message, result, denial, problem);
    if (kind == DNSMSG_ANSWER)
        finish(&message, result);
    return kind;
}

/* RFC 8914 5.2. */
static const char *error_name(int code)
{
    static const char *const names[] = {"Other Error",
                                        "Unsupported DNSKEY Algorithm",
                                        "Unsupported DS Digest Type",
                                        "Stale Answer",
                                        "Forged Answer",
                                        "DNSSEC Indeterminate",
                                        "DNSSEC Bogus",
                                        "Signature Expired",
                                        "Signature Not Yet Valid",
                                        "DNSKEY Missing",
                                        "RRSIGs Missing",
                                        "No Zone Key Bit Set",
                                        "NSEC Missing",
                                        "Cached Error",
                                        "Not Ready",
                                        "Blocked",
                                        "Censored",
                                        "Filtered",
                                        "Prohibited",
                                        "Stale NXDOMAIN Answer",
                                        "Not Authoritative",
                                        "Not Supported",
                                        "No Reachable Authority",
                                        "Network Error",
                                        "Invalid Data",
                                        "Signature Expired before Valid",
                                        "Too Early",
                                        "Unsupported NSEC3 Iterations Value"};
    return code >= 0 && (size_t)code < sizeof names / sizeof names[0] ? names[code]
                                                                      : "another error";
}

/* Text of the server's: what could be taken for ours, or ends a line, is left out. */
static size_t put_reason(const uint8_t *text, size_t length, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < room; i++)
        if (text[i] >= ' ' && text[i] <= '~' && strchr("\"'\\;", text[i]) == NULL)
            out[used++] = (char)text[i];
    return used;
}

/* Walk a message that has been parsed once, for its OPT record.  False: it has none. */
static bool find_opt(struct message *message)
{
    const struct wire *wire = &message->wire;
    size_t at = WIRE_HEADER_LENGTH;
    if (wire->length < WIRE_HEADER_LENGTH)
        return false;
    for (unsigned i = header_count(wire, 0); i > 0; i--, at += 4)
        if (!wire_name_skip(wire, at, &at) || wire->length - at < 4)
            return false;
    message->answers = at;
    return scan(message) && message->opt.next != 0;
}

bool dnsmsg_has_edns(const uint8_t *bytes, size_t length)
{
    struct message message = {.wire = {bytes, length}};
    return find_opt(&message);
}

bool dnsmsg_reason(const uint8_t *bytes, size_t length, char out[DNSMSG_REASON_MAX])
{
    struct message message = {.wire = {bytes, length}};
    size_t text, text_length, used;
    if (!find_opt(&message))
        return false;
    int code = extended_error(&message.wire, &message.opt, &text, &text_length);
    if (code == EDE_NONE)
        return false;
    used = (size_t)snprintf(out, DNSMSG_REASON_MAX, "%s", error_name(code));
    if (text_length > 0 && used + 3 < DNSMSG_REASON_MAX) {
        memcpy(out + used, ": ", 2);
        size_t more =
            put_reason(bytes + text, text_length, out + used + 2, DNSMSG_REASON_MAX - used - 3);
        used += more > 0 ? more + 2 : 0;
    }
    out[used] = '\0';
    return true;
}
