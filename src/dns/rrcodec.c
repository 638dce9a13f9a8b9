/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rrcodec.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#define SOA_NUMBERS 20 /* bytes of the five numbers behind its two names (RFC 1035 3.3.13) */

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

static bool copy_rr(const ldns_rr *rr, struct rr *out)
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

static enum result decode_data(const struct wire *wire, size_t *at, struct rr *out)
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
    case RR_PTR:
        return decode_name(wire, at, out->data, &out->data_length);
    case RR_SOA:
        return decode_soa(wire, at, out);
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
    status = decode_data(wire, &at, out);
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
    struct rr plain;

    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
        snprintf(error, error_size, "only records of class IN can be served");
        return RESULT_INVALID;
    }
    if (ldns_rr_get_type(rr) == 0) { /* what ldns makes of a word that is no type */
        snprintf(error, error_size, "the type of the record is missing or unknown");
        return RESULT_INVALID;
    }
    if (!copy_rr(rr, &plain)) {
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
