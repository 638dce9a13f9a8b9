/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dnsrr.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

/* --- walking a message ------------------------------------------------------------------------ */

#define LABEL_MAX      63
#define LABELS_MAX     128 /* in 255 bytes, with the root's */
#define POINTER        0xc0
#define WIRE_BYTES_MAX 255
#define FIXED_BYTES    10 /* type, class, TTL, RDLENGTH */

uint16_t wire_u16(const struct wire *wire, size_t offset)
{
    return (uint16_t)(wire->bytes[offset] << 8 | wire->bytes[offset + 1]);
}

static uint32_t wire_u32(const struct wire *wire, size_t offset)
{
    return (uint32_t)wire_u16(wire, offset) << 16 | wire_u16(wire, offset + 2);
}

bool wire_name_skip(const struct wire *wire, size_t offset, size_t *next)
{
    size_t at = offset;
    while (at < wire->length && at - offset < WIRE_BYTES_MAX) {
        uint8_t count = wire->bytes[at];
        if (count == 0) {
            *next = at + 1;
            return true;
        }
        if (count >= POINTER) {
            *next = at + 2;
            return *next <= wire->length;
        }
        if (count > LABEL_MAX)
            return false;
        at += 1U + count;
    }
    return false;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/*
 * The count byte too: it is at most 63, where lower() changes nothing.  Servers repeat the question
 * as it was, nearly always.
 */
static bool label_equal(const uint8_t *label, const uint8_t *name)
{
    if (memcmp(label, name, 1U + name[0]) == 0)
        return true;
    for (unsigned i = 0; i <= name[0]; i++)
        if (lower(label[i]) != name[i])
            return false;
    return true;
}

/* Follow the pointer at *at, backward and not too often. */
static bool jump(const struct wire *wire, size_t *at, unsigned *jumps)
{
    size_t target;
    if (*at + 2 > wire->length || ++*jumps > WIRE_JUMPS_MAX)
        return false;
    target = wire_u16(wire, *at) & 0x3fffU;
    if (target >= *at)
        return false;
    *at = target;
    return true;
}

bool wire_name_sound(const struct wire *wire, size_t offset)
{
    size_t at = offset, used = 0;
    unsigned jumps = 0;
    while (at < wire->length) {
        uint8_t count = wire->bytes[at];
        if (count >= POINTER) {
            if (!jump(wire, &at, &jumps))
                return false;
            continue;
        }
        used += 1U + count;
        if (count > LABEL_MAX || used > WIRE_BYTES_MAX)
            return false;
        if (count == 0)
            return true;
        at += 1U + count;
    }
    return false;
}

bool wire_name_equal(const struct wire *wire, size_t offset, const uint8_t *name, size_t length)
{
    size_t at = offset, matched = 0;
    unsigned jumps = 0;
    while (at < wire->length) {
        uint8_t count = wire->bytes[at];
        if (count >= POINTER) {
            if (!jump(wire, &at, &jumps))
                return false;
            continue;
        }
        if (matched >= length || count != name[matched] || matched + 1U + count > length ||
            at + 1U + count > wire->length || !label_equal(wire->bytes + at, name + matched))
            return false;
        matched += 1U + count;
        at += 1U + count;
        if (count == 0)
            return matched == length;
    }
    return false;
}

int wire_name_compare(const uint8_t *a, const uint8_t *b)
{
    const uint8_t *labels_a[LABELS_MAX], *labels_b[LABELS_MAX];
    size_t count_a = 0, count_b = 0;
    for (; *a != 0; a += 1U + *a)
        labels_a[count_a++] = a;
    for (; *b != 0; b += 1U + *b)
        labels_b[count_b++] = b;
    while (count_a > 0 && count_b > 0) {
        const uint8_t *x = labels_a[--count_a], *y = labels_b[--count_b];
        int order = memcmp(x + 1, y + 1, *x < *y ? *x : *y);
        if (order == 0)
            order = (int)*x - (int)*y;
        if (order != 0)
            return order;
    }
    return (int)count_a - (int)count_b;
}

const uint8_t *wire_name_parent(const uint8_t *name)
{
    return *name == 0 ? name : name + 1 + *name;
}

static size_t name_length(const uint8_t *name)
{
    size_t length = 0;
    while (name[length] != 0)
        length += 1U + name[length];
    return length + 1;
}

bool wire_name_under(const uint8_t *name, const uint8_t *ancestor)
{
    size_t length = name_length(name), wanted = name_length(ancestor);
    while (length > wanted) {
        length -= 1U + *name;
        name = wire_name_parent(name);
    }
    return length == wanted && memcmp(name, ancestor, length) == 0;
}

unsigned wire_name_labels(const uint8_t *name)
{
    unsigned count = 0;
    for (; *name != 0; name = wire_name_parent(name))
        count++;
    return count;
}

const uint8_t *wire_name_tail(const uint8_t *name, unsigned labels)
{
    for (unsigned count = wire_name_labels(name); count > labels; count--)
        name = wire_name_parent(name);
    return name;
}

bool wire_record(const struct wire *wire, size_t offset, struct wire_record *out)
{
    struct wire_record record = {.owner = offset};
    size_t at;
    if (!wire_name_skip(wire, offset, &at) || wire->length - at < FIXED_BYTES)
        return false;
    record.type = wire_u16(wire, at);
    record.rrclass = wire_u16(wire, at + 2);
    record.ttl = wire_u32(wire, at + 4);
    record.data = at + FIXED_BYTES;
    record.next = record.data + wire_u16(wire, at + 8);
    if (record.next > wire->length)
        return false;
    *out = record;
    return true;
}

/* --- decoding by ldns ------------------------------------------------------------------------- */

#define STRINGS_MAX 4096 /* bytes of a TXT record in a zone file */
#define SOA_NUMBERS 20   /* bytes of the five numbers behind its two names (RFC 1035 3.3.13) */

static bool copy_name(const ldns_rdf *rdf, uint8_t out[WIRE_NAME_MAX], uint8_t *length)
{
    size_t size;
    const uint8_t *data;
    if (rdf == NULL || ldns_rdf_get_type(rdf) != LDNS_RDF_TYPE_DNAME)
        return false;
    size = ldns_rdf_size(rdf);
    if (size == 0 || size > WIRE_NAME_MAX)
        return false;
    data = ldns_rdf_data(rdf);
    for (size_t i = 0; i < size; i++) /* count bytes are at most 63: no letters */
        out[i] = data[i] >= 'A' && data[i] <= 'Z' ? (uint8_t)(data[i] + ('a' - 'A')) : data[i];
    *length = (uint8_t)size;
    return true;
}

static bool copy_address(const ldns_rdf *rdf, size_t size, struct rr *out)
{
    if (rdf == NULL || ldns_rdf_size(rdf) != size)
        return false;
    memcpy(out->data, ldns_rdf_data(rdf), size);
    out->data_length = (uint8_t)size;
    return true;
}

static bool copy_preference(const ldns_rdf *rdf, struct rr *out)
{
    if (rdf == NULL || ldns_rdf_size(rdf) != 2)
        return false;
    out->preference = ldns_rdf2native_int16(rdf);
    return true;
}

/* A record of an incomplete RDATA has fewer fields than its type: ldns leaves that to us. */
static const ldns_rdf *field(const ldns_rr *rr, size_t i)
{
    return i < ldns_rr_rd_count(rr) ? ldns_rr_rdf(rr, i) : NULL;
}

static bool copy_soa(const ldns_rr *rr, struct rr *out)
{
    const ldns_rdf *minimum = field(rr, 6);
    if (minimum == NULL || ldns_rdf_size(minimum) != 4)
        return false;
    out->minimum_s = ldns_rdf2native_int32(minimum);
    return true;
}

/* `memory` keeps them. */
static bool copy_strings(const ldns_rr *rr, uint8_t memory[STRINGS_MAX], struct rr *out)
{
    size_t length = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *string = ldns_rr_rdf(rr, i);
        size_t size = ldns_rdf_size(string);
        if (ldns_rdf_get_type(string) != LDNS_RDF_TYPE_STR || length + size > STRINGS_MAX)
            return false;
        memcpy(memory + length, ldns_rdf_data(string), size);
        length += size;
    }
    out->strings = memory;
    out->strings_length = (uint16_t)length;
    return length > 0;
}

static bool copy_rr(const ldns_rr *rr, uint8_t memory[STRINGS_MAX], struct rr *out)
{
    memset(out, 0, sizeof *out);
    out->type = (uint16_t)ldns_rr_get_type(rr);
    out->ttl_s = ldns_rr_ttl(rr) > TTL_MAX ? 0 : ldns_rr_ttl(rr);
    if (!copy_name(ldns_rr_owner(rr), out->owner, &out->owner_length))
        return false;
    switch (out->type) {
    case RR_A:
        return copy_address(field(rr, 0), 4, out);
    case RR_AAAA:
        return copy_address(field(rr, 0), 16, out);
    case RR_CNAME:
    case RR_DNAME:
    case RR_NS:
    case RR_PTR:
        return copy_name(field(rr, 0), out->data, &out->data_length);
    case RR_MX:
        return copy_preference(field(rr, 0), out) &&
               copy_name(field(rr, 1), out->data, &out->data_length);
    case RR_SOA:
        return copy_soa(rr, out);
    case RR_TXT:
        return copy_strings(rr, memory, out);
    default:
        return true;
    }
}

/* The name at *at, which moves behind it. */
static enum result decode_name(const struct wire *wire, size_t *at, uint8_t out[WIRE_NAME_MAX],
                               uint8_t *length)
{
    ldns_rdf *rdf = NULL;
    ldns_status status;
    bool good;
    if (!wire_name_sound(wire, *at))
        return RESULT_INVALID;
    status = ldns_wire2dname(&rdf, wire->bytes, wire->length, at);
    if (status == LDNS_STATUS_MEM_ERR)
        return RESULT_NOMEM;
    if (status != LDNS_STATUS_OK)
        return RESULT_INVALID;
    good = copy_name(rdf, out, length);
    ldns_rdf_deep_free(rdf);
    return good ? RESULT_OK : RESULT_INVALID;
}

static enum result decode_soa(const struct wire *wire, size_t *at, struct rr *out)
{
    uint8_t name[WIRE_NAME_MAX], length;
    enum result status = decode_name(wire, at, name, &length); /* MNAME */
    if (status == RESULT_OK)
        status = decode_name(wire, at, name, &length); /* RNAME */
    if (status != RESULT_OK)
        return status;
    if (wire->length - *at < SOA_NUMBERS)
        return RESULT_INVALID;
    *at += SOA_NUMBERS;
    out->minimum_s = ldns_read_uint32(wire->bytes + *at - 4);
    return RESULT_OK;
}

static enum result decode_address(const struct wire *wire, size_t *at, size_t size, struct rr *out)
{
    if (wire->length - *at < size)
        return RESULT_INVALID;
    memcpy(out->data, wire->bytes + *at, size);
    out->data_length = (uint8_t)size;
    *at += size;
    return RESULT_OK;
}

/* Strings of a byte of length and so many bytes, to the end of the record; at least one. */
static enum result decode_strings(const struct wire *wire, size_t *at, size_t end, struct rr *out)
{
    out->strings = wire->bytes + *at;
    out->strings_length = (uint16_t)(end - *at);
    if (*at == end)
        return RESULT_INVALID;
    while (*at < end)
        *at += 1U + wire->bytes[*at];
    return RESULT_OK;
}

static enum result decode_data(const struct wire *wire, size_t *at, size_t end, struct rr *out)
{
    switch (out->type) {
    case RR_A:
        return decode_address(wire, at, 4, out);
    case RR_AAAA:
        return decode_address(wire, at, 16, out);
    case RR_MX:
        if (wire->length - *at < 2)
            return RESULT_INVALID;
        out->preference = ldns_read_uint16(wire->bytes + *at);
        *at += 2;
        return decode_name(wire, at, out->data, &out->data_length);
    case RR_CNAME:
    case RR_NS:
    case RR_PTR:
        return decode_name(wire, at, out->data, &out->data_length);
    case RR_SOA:
        return decode_soa(wire, at, out);
    case RR_TXT:
        return decode_strings(wire, at, end, out);
    default:
        return RESULT_INVALID;
    }
}

/*
 * Names are ldns's, field by field: its ldns_wire2rr() (1.8.3) does not survive a lack of memory.
 */
enum result rr_decode(const struct wire *wire, const struct wire_record *record, struct rr *out)
{
    size_t at = record->data;
    enum result status;
    memset(out, 0, sizeof *out);
    out->type = record->type;
    out->ttl_s = record->ttl > TTL_MAX ? 0 : record->ttl;
    status = decode_data(wire, &at, record->next, out);
    return status == RESULT_OK && at != record->next ? RESULT_INVALID : status;
}

enum result rr_owner(const struct wire *wire, const struct wire_record *record, struct rr *out)
{
    size_t at = record->owner;
    return decode_name(wire, &at, out->owner, &out->owner_length);
}

/* What ldns reports for a line that holds no record. */
static bool is_directive(ldns_status status)
{
    return status == LDNS_STATUS_SYNTAX_TTL || status == LDNS_STATUS_SYNTAX_ORIGIN ||
           status == LDNS_STATUS_SYNTAX_EMPTY;
}

static enum result visit_rr(ldns_rr *rr, rr_visit *visit, void *arg, char *error, size_t error_size)
{
    uint8_t memory[STRINGS_MAX];
    struct rr plain;
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
        snprintf(error, error_size, "only records of class IN can be served");
        return RESULT_INVALID;
    }
    if (ldns_rr_get_type(rr) == 0) { /* what ldns makes of a word that is no type */
        snprintf(error, error_size, "the type of the record is missing or unknown");
        return RESULT_INVALID;
    }
    if (!copy_rr(rr, memory, &plain)) {
        snprintf(error, error_size, "the record's data is incomplete");
        return RESULT_INVALID;
    }
    return visit(arg, &plain);
}

static enum result syntax_error(ldns_status status, char *error, size_t error_size)
{
    if (status == LDNS_STATUS_MEM_ERR)
        return RESULT_NOMEM;
    if (status == LDNS_STATUS_SYNTAX_INCLUDE)
        snprintf(error, error_size, "$INCLUDE is not supported");
    else
        snprintf(error, error_size, "%s", ldns_get_errorstr_by_id(status));
    return RESULT_INVALID;
}

enum result rr_read_zone(FILE *file, rr_visit *visit, void *arg, unsigned *line, char *error,
                         size_t error_size)
{
    ldns_rdf *origin = ldns_dname_new_frm_str("."), *previous = NULL;
    uint32_t default_ttl = LDNS_DEFAULT_TTL;
    enum result status = origin == NULL ? RESULT_NOMEM : RESULT_OK;
    int number = 1;
    while (status == RESULT_OK && !feof(file) && !ferror(file)) {
        ldns_rr *rr = NULL;
        int first = number;
        ldns_status got =
            ldns_rr_new_frm_fp_l(&rr, file, &default_ttl, &origin, &previous, &number);
        *line = (unsigned)(number > first ? number - 1 : first);
        if (got == LDNS_STATUS_OK) {
            status = visit_rr(rr, visit, arg, error, error_size);
            ldns_rr_free(rr);
        } else if (!is_directive(got)) {
            status = syntax_error(got, error, error_size);
        }
    }
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(previous);
    return status;
}

/* --- from records to an answer ---------------------------------------------------------------- */

static int compare_addresses(const void *a, const void *b)
{
    const struct rr *x = a, *y = b;
    return memcmp(x->data, y->data, x->data_length);
}

static int compare_strings(const void *a, const void *b)
{
    const struct rr *x = a, *y = b;
    if (x->strings_length != y->strings_length)
        return x->strings_length < y->strings_length ? -1 : 1;
    return memcmp(x->strings, y->strings, x->strings_length);
}

static int compare_targets(const void *a, const void *b)
{
    const struct rr *x = a, *y = b;
    /* Only MX has preferences: hosts stand in the order in which they are tried. */
    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return wire_name_compare(x->data, y->data);
}

/* Sort, and move each value's first record to the front; returns how many values there are. */
static unsigned sort_unique(struct rr *records, unsigned count, uint16_t type)
{
    int (*compare)(const void *, const void *) = type == RR_A || type == RR_AAAA ? compare_addresses
                                                 : type == RR_TXT                ? compare_strings
                                                                                 : compare_targets;
    unsigned unique = 0;
    qsort(records, count, sizeof *records, compare);
    for (unsigned i = 0; i < count; i++)
        if (unique == 0 || compare(&records[unique - 1], &records[i]) != 0)
            records[unique++] = records[i];
    return unique;
}

struct answer *rrset_answer(struct rr *records, unsigned count, uint16_t type)
{
    uint32_t ttl_s = UINT32_MAX;
    size_t length = 0, at = 0;
    struct answer *answer;
    for (unsigned i = 0; i < count; i++)
        if (records[i].ttl_s < ttl_s)
            ttl_s = records[i].ttl_s;
    count = sort_unique(records, count, type);
    for (unsigned i = 0; i < count; i++)
        length += type == RR_TXT ? 2U + records[i].strings_length : records[i].data_length;
    answer = answer_new(type, DNS_FOUND, length);
    if (answer == NULL)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        if (type == RR_TXT) {
            answer->payload[at++] = (uint8_t)(records[i].strings_length >> 8);
            answer->payload[at++] = (uint8_t)records[i].strings_length;
            memcpy(answer->payload + at, records[i].strings, records[i].strings_length);
            at += records[i].strings_length;
            continue;
        }
        memcpy(answer->payload + at, records[i].data, records[i].data_length);
        at += records[i].data_length;
    }
    answer->payload_length = (uint32_t)length;
    answer->count = (uint16_t)count;
    answer->ttl_s = ttl_s;
    return answer;
}
