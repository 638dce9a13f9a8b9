/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a DNS message (RFC 1035 4.1) without allocating and in time that its length bounds:
 * what a sender may choose freely, counts and compression pointers, is dealt with here, and only
 * records that belong to the question are decoded (rrcodec.h).  Offsets are bytes from the
 * start of the message.  Pure; thread safe.
 */
#ifndef IPREVD_WIREREAD_H
#define IPREVD_WIREREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* True and *out for the record at `offset`, when all of it lies in the message. */
bool wire_record(const struct wire *wire, size_t offset, struct wire_record *out);

#endif
