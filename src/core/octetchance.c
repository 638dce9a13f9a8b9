/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/octetchance.h"

#include <string.h>

#define THIRD       2 /* octets, from 0 */
#define LAST        3
#define OCTET_WIDTH 3

/* Hosts are numbered from 1: one of ten is called like that anyway, one of a thousand "213". */
#define BITS_1_DIGIT     2
#define BITS_TO_31       5
#define BITS_2_DIGITS    6
#define BITS_3_DIGITS    9
#define BITS_PADDED      4 /* "007": who pads to the width of an octet writes octets */
#define BITS_PADDED_PAIR 13
#define BITS_HEX         13
#define BITS_HEX_BEHIND  10

/* A pair counts less against the address's order, and a third octet elsewhere in the name. */
#define COST_REVERSED  1
#define COST_ELSEWHERE 1
#define COST_NUMBER    1 /* each number before that is no octet */

/* Letters and separators between two octets that belong together: "139-p83", "172n16". */
#define BETWEEN_MAX 2

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static unsigned bits_of(const struct name_span *run)
{
    int value = addrtrace_octet(run->at, run->length);
    unsigned padded = run->length == OCTET_WIDTH && value < 100 ? BITS_PADDED : 0;
    if (value >= 100)
        return BITS_3_DIGITS;
    if (value >= 32)
        return BITS_2_DIGITS + padded;
    return (value >= 10 ? BITS_TO_31 : BITS_1_DIGIT) + padded;
}

static bool is_octet(const struct name_span *run, uint8_t octet)
{
    return addrtrace_octet(run->at, run->length) == octet;
}

/* Does a longer run end in the three digits of an octet?  "37200". */
static bool ends_in_octet(const struct name_span *run, uint8_t octet)
{
    return octet >= 100 && run->length > OCTET_WIDTH && run->length <= 2 * OCTET_WIDTH &&
           addrtrace_octet(run->at + run->length - OCTET_WIDTH, OCTET_WIDTH) == octet;
}

/* Do only a separator, a letter, or both stand between two runs of one label? */
static bool adjoin(const struct name_span *a, const struct name_span *b)
{
    const char *between = a->at + a->length;
    size_t length = (size_t)(b->at - between);
    if (a->label != b->label || length == 0 || length > BETWEEN_MAX)
        return false;
    return length == 1 || is_letter(between[0]) != is_letter(between[1]);
}

static void keep_better(struct octetchance *best, const struct octetchance *found)
{
    if (found->bits > best->bits)
        *best = *found;
}

static struct name_span span_of(const struct name_span *from, const struct name_span *to)
{
    return (struct name_span){from->at, (uint8_t)(to->at + to->length - from->at), from->label};
}

/* The i-th run and the next one as the last two octets. */
static void look_for_pair(const struct name_parts *parts, size_t i, const uint8_t *octets,
                          struct octetchance *best)
{
    const struct name_span *a = &parts->runs[i];
    const struct name_span *b = a + 1;
    if (i + 1 >= parts->run_count || !adjoin(a, b))
        return;
    struct octetchance found = {.pair = true, .shown = span_of(a, b)};
    if (is_octet(b, octets[LAST]) && is_octet(a, octets[THIRD])) {
        found.bits = bits_of(a) + bits_of(b);
    } else if (is_octet(b, octets[LAST]) && ends_in_octet(a, octets[THIRD])) {
        found.bits = BITS_3_DIGITS + bits_of(b) - COST_NUMBER;
    } else if (is_octet(a, octets[LAST]) && is_octet(b, octets[THIRD])) {
        found.bits = bits_of(a) + bits_of(b) - COST_REVERSED;
    }
    keep_better(best, &found);
}

/* Two octets of which we know but the last, each of three digits: "awork080146". */
static void look_for_padded(const struct name_span *run, const uint8_t *octets,
                            struct octetchance *best)
{
    if (run->length != 2 * OCTET_WIDTH || addrtrace_octet(run->at, OCTET_WIDTH) < 0 ||
        addrtrace_octet(run->at + OCTET_WIDTH, OCTET_WIDTH) != octets[LAST])
        return;
    struct octetchance found = {.bits = BITS_PADDED_PAIR, .pair = true, .shown = *run};
    keep_better(best, &found);
}

/* The i-th run as the last octet; the third may stand in another label: "cm213.kappa9". */
static void look_for_last(const struct name_parts *parts, size_t i, const uint8_t *octets,
                          struct octetchance *best)
{
    const struct name_span *run = &parts->runs[i];
    if (!is_octet(run, octets[LAST]))
        return;
    struct octetchance found = {.bits = bits_of(run), .shown = *run};
    for (size_t other = i + 1; other < parts->run_count; other++) {
        const struct name_span *third = &parts->runs[other];
        if (third->label > run->label && is_octet(third, octets[THIRD])) {
            found.bits += bits_of(third) - COST_ELSEWHERE;
            break;
        }
    }
    found.bits -= found.bits > i ? (unsigned)i * COST_NUMBER : found.bits;
    keep_better(best, &found);
}

/* A letter before four digits that is a hexadecimal digit itself could belong to the number. */
static bool may_lead_hex(const char *letters, size_t length)
{
    return length == 1 && is_letter(letters[0]) && letters[0] > 'f';
}

/* Four hexadecimal digits alone or behind one letter: "x4baa", "ip-0439". */
static void look_for_hex(const struct name_span *piece, const uint8_t *octets,
                         struct octetchance *best)
{
    static const char digits[] = "0123456789abcdef";
    const char want[] = {digits[octets[THIRD] >> 4], digits[octets[THIRD] & 15],
                         digits[octets[LAST] >> 4], digits[octets[LAST] & 15]};
    size_t lead = piece->length - sizeof want;
    bool letters = false;
    if (piece->label != 1 || piece->length < sizeof want ||
        memcmp(piece->at + lead, want, sizeof want) != 0)
        return;
    for (size_t i = 0; i < sizeof want; i++)
        letters = letters || is_letter(want[i]);
    /* Without a letter it may be a decimal number as well; behind others a part of a word. */
    bool alone = letters && lead > 0 && may_lead_hex(piece->at, lead);
    struct octetchance found = {
        .bits = alone ? BITS_HEX : BITS_HEX_BEHIND, .pair = alone, .hex = true, .shown = *piece};
    keep_better(best, &found);
}

void octetchance_find(const struct name_parts *parts, const uint8_t *octets,
                      struct octetchance *out)
{
    *out = (struct octetchance){.bits = 0};
    for (size_t i = 0; i < parts->run_count && parts->runs[i].label == 1; i++) {
        look_for_pair(parts, i, octets, out);
        look_for_last(parts, i, octets, out);
        look_for_padded(&parts->runs[i], octets, out);
    }
    for (size_t i = 0; i < parts->piece_count && parts->pieces[i].label == 1; i++)
        look_for_hex(&parts->pieces[i], octets, out);
}
