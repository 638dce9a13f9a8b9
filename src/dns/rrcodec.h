/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resource records out of messages and zone files: the one place where ldns is used.
 * A record becomes a plain value with its names in uncompressed lower-case wire form.
 * Thread safe, but for rr_read_zone(): one thread at a time.
 */
#ifndef IPREVD_RRCODEC_H
#define IPREVD_RRCODEC_H

#include "dns/answer.h"
#include "dns/wireread.h"

#include <stdio.h>

/* Types that are read besides those that are asked for (enum rrtype). */
enum { RR_NS = 2, RR_CNAME = 5, RR_SOA = 6, RR_DNAME = 39 };

#define TTL_MAX 2147483647U /* larger ones are 0 (RFC 2181 8) */

struct rr {
    uint16_t type;
    uint32_t ttl_s;
    uint32_t minimum_s;  /* SOA: its MINIMUM field (RFC 2308 4) */
    uint16_t preference; /* MX */
    uint8_t owner_length;
    uint8_t data_length;          /* 0 for SOA and for types that nobody here asks for */
    uint8_t owner[WIRE_NAME_MAX]; /* by rr_decode(): none, see rr_owner() */
    uint8_t data[WIRE_NAME_MAX];  /* A: 4 bytes; AAAA: 16; CNAME, DNAME, MX, NS, PTR: the name */
};

/*
 * Decode a record of a message, of type A, AAAA, CNAME, MX, PTR or SOA.  RESULT_INVALID when its
 * RDATA is not exactly what the type demands, or the type is another; RESULT_NOMEM.  Its owner is
 * left out: whose record it is has been seen already (wire_name_equal()), but for an SOA.
 */
enum result rr_decode(const struct wire *wire, const struct wire_record *record,
                      struct rr *out) MUST_CHECK;

/* The owner of a decoded record, into *out.  RESULT_INVALID, RESULT_NOMEM. */
enum result rr_owner(const struct wire *wire, const struct wire_record *record,
                     struct rr *out) MUST_CHECK;

/*
 * Read a zone file (RFC 1035 5), visiting each record; relative names are of the root until
 * $ORIGIN. Ends early with the visitor's status when that is not RESULT_OK.  *line is the line
 * being read (its last one, for records in parentheses).  RESULT_INVALID: a sentence in `error`.
 * Only class IN.  A reading error ends it like the end of the file: see ferror().
 */
typedef enum result rr_visit(void *arg, const struct rr *rr);
enum result rr_read_zone(FILE *file, rr_visit *visit, void *arg, unsigned *line, char *error,
                         size_t error_size) MUST_CHECK;

#endif
