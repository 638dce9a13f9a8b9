/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/wireread.h"

#include <string.h>

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
