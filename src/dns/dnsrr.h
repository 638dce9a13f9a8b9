/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and resource records: of messages (RFC 1035 4.1), of zone files, and as answers.
 *
 * wire_: walks a message without allocating and in time that its length bounds.  What a sender may
 * choose freely, counts and compression pointers, is dealt with here.  Offsets are bytes from the
 * start of the message.  Pure.
 *
 * rr_: decodes the records that belong to a question, and those of zone files.  This is the one
 * place where ldns is used.  A record becomes a plain value with its names in uncompressed
 * lower-case wire form.
 *
 * Thread safe, but for rr_read_zone(): one thread at a time.
 */
#ifndef IPREVD_DNSRR_H
#define IPREVD_DNSRR_H

#include "dns/answer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WIRE_HEADER_LENGTH 12

/* Compression pointers followed in one name: a name has at most 127 labels (RFC 1035 3.1). */
#define WIRE_JUMPS_MAX 128

struct wire {
    const uint8_t *bytes; /* borrowed */
    size_t length;
};

/* The fixed part of a record; `data` to `next` is its RDATA, inside the message. */
struct wire_record {
    size_t owner; /* offset of the owner's name, and of the record */
    uint16_t type;
    uint16_t rrclass;
    uint32_t ttl;
    size_t data;
    size_t next; /* offset after the record */
};

/* The 16-bit number at `offset`, which lies in the message with the byte after it. */
uint16_t wire_u16(const struct wire *wire, size_t offset);

/* True and *next after the name at `offset`, when it keeps inside the message and 255 bytes. */
bool wire_name_skip(const struct wire *wire, size_t offset, size_t *next);

/*
 * Is the name at `offset` this one (lower-case wire form)?  Letter case is ignored (RFC 4343).  A
 * name that is broken, or follows too many pointers, or one that does not point backwards, is not.
 */
bool wire_name_equal(const struct wire *wire, size_t offset, const uint8_t *name, size_t length);

/*
 * Does the name at `offset` come to its end, in 255 bytes, over pointers as above?  What a library
 * that follows thousands of them may be given.
 */
bool wire_name_sound(const struct wire *wire, size_t offset);

/*
 * Canonical order of two lower-case wire names (RFC 4034 6.1): label by label from the right, so
 * that a name's descendants follow it directly.  <0, 0, >0.
 */
int wire_name_compare(const uint8_t *a, const uint8_t *b);

/* The wire name after its first label; the root's is the root. */
const uint8_t *wire_name_parent(const uint8_t *name);

/* Is `name` this name or below it?  Lower-case wire names. */
bool wire_name_under(const uint8_t *name, const uint8_t *ancestor);

/* Labels of a name; the root's is not one. */
unsigned wire_name_labels(const uint8_t *name);

/* Its last `labels` labels: within the name, or the name itself when it has no more. */
const uint8_t *wire_name_tail(const uint8_t *name, unsigned labels);

/* True and *out for the record at `offset`, when all of it lies in the message. */
bool wire_record(const struct wire *wire, size_t offset, struct wire_record *out);

#define TTL_MAX 2147483647U /* larger ones are 0 (RFC 2181 8) */

struct rr {
    uint16_t type;
    uint32_t ttl_s;
    uint32_t minimum_s;  /* SOA: its MINIMUM field (RFC 2308 4) */
    uint16_t preference; /* MX */
    uint8_t owner_length;
    uint8_t data_length;          /* 0 for SOA, TXT and for types that nobody here asks for */
    uint16_t strings_length;      /* TXT */
    uint8_t owner[WIRE_NAME_MAX]; /* by rr_decode(): none, see rr_owner() */
    uint8_t data[WIRE_NAME_MAX];  /* A: 4 bytes; AAAA: 16; CNAME, DNAME, MX, NS, PTR: the name */
    const uint8_t *strings;       /* TXT: its RDATA, in the message or for the time of a visit */
};

/*
 * Decode a record of a message, of type A, AAAA, CNAME, MX, NS, PTR, SOA or TXT.  RESULT_INVALID
 * when its RDATA is not exactly what the type demands, or the type is another; RESULT_NOMEM.  Its
 * owner is left out: whose record it is has been seen already (wire_name_equal()), but for an SOA.
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

/*
 * The FOUND answer of `count` records of that type (at least one; reordered): sorted in canonical
 * order, those of MX by preference first, without duplicates, with the least of their TTLs (RFC
 * 2181 5.2).  NULL: out of memory.
 */
struct answer *rrset_answer(struct rr *records, unsigned count, uint16_t type) MUST_CHECK;

#endif
