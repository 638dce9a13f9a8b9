/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/addrtrace.h"

#include <string.h>

#define OCTETS      4
#define OCTET_MAX   255
#define OCTET_WIDTH 3 /* digits */
#define V6_NIBBLES  32
#define V6_GROUPS   8

/* Two octets are believed when they have this many digits: "1-2" is anybody's serial number. */
#define PAIR_DIGITS_MIN 3

/* Octets run together likewise. */
#define TOGETHER_DIGITS_MIN 5

/* Digits of an IPv6 address: so many are no chance, so many are half of it. */
#define V6_PART_NIBBLES    8
#define V6_HALF_NIBBLES    16
#define V6_NONZERO_NIBBLES 4
#define V6_HALF_GROUPS     4

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_';
}

/* -1 when c is no hexadecimal digit. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* More octets win; of the same number those that stand alone. */
static void keep_larger(struct addrtrace *best, const struct addrtrace *found)
{
    if (found->octets > best->octets ||
        (found->octets == best->octets && found->stands_alone && !best->stands_alone))
        *best = *found;
}

static bool ends_in_last_octet(unsigned offset, unsigned count)
{
    return offset + count == OCTETS;
}

/*
 * Do `count` values equal neighbouring octets, in the address's order or (`reversed`) against it?
 * *offset: which octet the lowest of them is.
 */
static bool in_order(const int *values, unsigned count, const uint8_t *octets, bool reversed,
                     unsigned *offset)
{
    for (unsigned start = 0; start + count <= OCTETS; start++) {
        unsigned i = 0;
        while (i < count && values[i] == octets[reversed ? start + count - 1 - i : start + i])
            i++;
        if (i == count) {
            *offset = start;
            return true;
        }
    }
    return false;
}

/* Are four values the address's octets in some order?  Providers rotate and swap them. */
static bool in_any_order(const int *values, const uint8_t *octets)
{
    unsigned used = 0;
    for (unsigned i = 0; i < OCTETS; i++) {
        unsigned j = 0;
        while (j < OCTETS && ((used >> j & 1) != 0 || octets[j] != values[i]))
            j++;
        if (j == OCTETS)
            return false;
        used |= 1U << j;
    }
    return true;
}

/* Decimal octets, apart */

int addrtrace_octet(const char *digits, size_t length)
{
    int value = 0;
    if (length == 0 || length > OCTET_WIDTH)
        return -1;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (digits[i] - '0');
    return value <= OCTET_MAX ? value : -1;
}

/* One separator between two runs, or an x, or a separator and one letter: "26-97", "54.c153". */
static bool adjoin(const struct name_span *a, const struct name_span *b)
{
    const char *between = a->at + a->length;
    size_t length = (size_t)(b->at - between);
    return (length == 1 && (is_separator(*between) || *between == 'x')) ||
           (length == 2 && is_separator(*between) && !is_separator(between[1]));
}

/* `count` runs of digits from the `first` on. */
static bool match_octets(const struct name_parts *parts, size_t first, unsigned count,
                         const uint8_t *octets, struct addrtrace *found)
{
    const struct name_span *runs = &parts->runs[first];
    int values[OCTETS];
    unsigned offset = 0;
    if (first + count > parts->run_count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        values[i] = addrtrace_octet(runs[i].at, runs[i].length);
        if (values[i] < 0)
            return false;
    }
    if (count == 2 &&
        (!adjoin(&runs[0], &runs[1]) || runs[0].length + runs[1].length < PAIR_DIGITS_MIN))
        return false;
    *found = (struct addrtrace){
        .octets = count, .form = ADDRTRACE_OCTETS, .first = runs[0], .last = runs[count - 1]};
    if (!in_order(values, count, octets, false, &offset)) {
        found->reversed = in_order(values, count, octets, true, &offset);
        if (!found->reversed && (count < OCTETS || !in_any_order(values, octets)))
            return false;
    }
    found->stands_alone = runs[0].at == parts->name && ends_in_last_octet(offset, count);
    return true;
}

/* Decimal octets, run together */

/* How many digits a run begins with that are an octet (`padded`: three, zeros before), or 0. */
static size_t octet_at(const char *digits, size_t length, uint8_t octet, bool padded)
{
    char own[OCTET_WIDTH];
    size_t width = 0;
    if (padded || octet >= 100)
        own[width++] = (char)('0' + octet / 100);
    if (padded || octet >= 10)
        own[width++] = (char)('0' + octet / 10 % 10);
    own[width++] = (char)('0' + octet % 10);
    return width <= length && memcmp(digits, own, width) == 0 ? width : 0;
}

/* Is the run `count` octets from `start` on, written together, each padded or not? */
static bool is_together(const struct name_span *run, const uint8_t *octets, unsigned start,
                        unsigned count, bool reversed)
{
    for (unsigned pads = 0; pads < 1U << count; pads++) {
        size_t used = 0;
        unsigned i = 0;
        for (; i < count; i++) {
            uint8_t octet = octets[reversed ? start + count - 1 - i : start + i];
            size_t width =
                octet_at(run->at + used, run->length - used, octet, (pads >> i & 1) != 0);
            if (width == 0)
                break;
            used += width;
        }
        if (i == count && used == run->length)
            return true;
    }
    return false;
}

static bool match_together(const struct name_span *run, const uint8_t *octets,
                           struct addrtrace *found)
{
    if (run->length < TOGETHER_DIGITS_MIN || run->length > OCTETS * OCTET_WIDTH)
        return false;
    for (unsigned count = OCTETS; count >= 2; count--) {
        for (unsigned start = 0; start + count <= OCTETS; start++) {
            for (unsigned how = 0; how < 2; how++) {
                bool reversed = how != 0;
                if (!is_together(run, octets, start, count, reversed))
                    continue;
                *found = (struct addrtrace){.octets = count,
                                            .stands_alone =
                                                run->label == 1 && ends_in_last_octet(start, count),
                                            .form = ADDRTRACE_TOGETHER,
                                            .reversed = reversed,
                                            .first = *run,
                                            .last = *run};
                return true;
            }
        }
    }
    return false;
}

/* The whole address as one decimal number. */
static bool match_number(const struct name_span *run, const uint8_t *octets,
                         struct addrtrace *found)
{
    uint64_t number = 0;
    uint64_t forward = 0;
    uint64_t reversed = 0;
    if (run->length < TOGETHER_DIGITS_MIN || run->length > sizeof "4294967295" - 1)
        return false;
    for (size_t i = 0; i < run->length; i++)
        number = number * 10 + (uint64_t)(run->at[i] - '0');
    for (unsigned i = 0; i < OCTETS; i++) {
        forward = forward << 8 | octets[i];
        reversed = reversed << 8 | octets[OCTETS - 1 - i];
    }
    *found = (struct addrtrace){.octets = OCTETS,
                                .form = ADDRTRACE_NUMBER,
                                .reversed = number != forward,
                                .first = *run,
                                .last = *run};
    return number == forward || number == reversed;
}

/* Hexadecimal */

/* Values of `count` pairs of hexadecimal digits; one that is none is -1. */
static void hex_values(const char *text, unsigned count, int *values)
{
    for (unsigned i = 0; i < count; i++) {
        int high = hex_value(text[2 * i]);
        int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
        values[i] = low < 0 ? -1 : high * 16 + low;
    }
}

static bool has_letter(const struct name_span *piece)
{
    for (size_t i = 0; i < piece->length; i++)
        if (!is_digit(piece->at[i]))
            return true;
    return false;
}

/*
 * Eight digits anywhere: chance does not produce 32 bits, no boundary is needed.  Six or four only
 * as a whole piece, and with a letter, for a decimal number may look the same.
 */
static bool match_hex(const struct name_span *piece, const uint8_t *octets, struct addrtrace *found)
{
    int values[OCTETS];
    unsigned count = piece->length >= 2 * OCTETS ? OCTETS : piece->length / 2;
    unsigned offset;
    if (piece->length < 4 || (count < OCTETS && (piece->length % 2 != 0 || !has_letter(piece))))
        return false;
    for (size_t at = 0; at + 2 * count <= piece->length; at++) {
        hex_values(piece->at + at, count, values);
        bool forward = in_order(values, count, octets, false, &offset);
        if (!forward && !in_order(values, count, octets, true, &offset))
            continue;
        *found = (struct addrtrace){.octets = count,
                                    .form = ADDRTRACE_HEX,
                                    .reversed = !forward,
                                    .first = *piece,
                                    .last = *piece};
        return true;
    }
    return false;
}

/* The value of a piece of at most `most` hexadecimal digits, else -1. */
static int hex_piece(const struct name_span *piece, size_t most)
{
    int value = 0;
    if (piece->length == 0 || piece->length > most)
        return -1;
    for (size_t i = 0; i < piece->length; i++) {
        int digit = hex_value(piece->at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Four pieces, each an octet: "c0-00-02-01". */
static bool match_hex_pieces(const struct name_parts *parts, size_t first, const uint8_t *octets,
                             struct addrtrace *found)
{
    int values[OCTETS];
    unsigned offset;
    if (first + OCTETS > parts->piece_count)
        return false;
    for (unsigned i = 0; i < OCTETS; i++)
        values[i] = hex_piece(&parts->pieces[first + i], 2);
    bool forward = in_order(values, OCTETS, octets, false, &offset);
    *found = (struct addrtrace){.octets = OCTETS,
                                .form = ADDRTRACE_HEX,
                                .reversed = !forward,
                                .first = parts->pieces[first],
                                .last = parts->pieces[first + OCTETS - 1]};
    return forward || in_order(values, OCTETS, octets, true, &offset);
}

static void find_v4(const struct name_parts *parts, const uint8_t *octets, struct addrtrace *best)
{
    struct addrtrace found;
    for (size_t i = 0; i < parts->run_count && best->octets < OCTETS; i++) {
        for (unsigned count = OCTETS; count >= 2; count--)
            if (match_octets(parts, i, count, octets, &found))
                keep_larger(best, &found);
        if (match_together(&parts->runs[i], octets, &found))
            keep_larger(best, &found);
        if (match_number(&parts->runs[i], octets, &found))
            keep_larger(best, &found);
    }
    for (size_t i = 0; i < parts->piece_count && best->octets < OCTETS; i++) {
        if (match_hex(&parts->pieces[i], octets, &found))
            keep_larger(best, &found);
        if (match_hex_pieces(parts, i, octets, &found))
            keep_larger(best, &found);
    }
}

/* IPv6 */

static int nibble(const uint8_t bytes[16], size_t i)
{
    return i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
}

/*
 * How many hexadecimal digits from `text` on, separators skipped, equal the address's from the
 * `start`-th on, counted from its other end when `reversed`.  *nonzero: how many are not 0.
 */
static size_t nibbles_at(const char *text, const char *end, const uint8_t bytes[16], size_t start,
                         bool reversed, size_t *nonzero)
{
    size_t count = 0;
    *nonzero = 0;
    for (; text < end && start + count < V6_NIBBLES; text++) {
        if (is_separator(*text))
            continue;
        size_t at = reversed ? V6_NIBBLES - 1 - start - count : start + count;
        if (hex_value(*text) != nibble(bytes, at))
            break;
        *nonzero += nibble(bytes, at) != 0;
        count++;
    }
    return count;
}

/*
 * Does the digit before belong to the same digits of the address?  Then they were found from their
 * beginning: a name of zeros, of which most addresses have many, would else be read hundreds of
 * times.
 */
static bool goes_back(const struct name_parts *parts, const char *text, const uint8_t bytes[16],
                      size_t start, bool reversed)
{
    if (start == 0)
        return false;
    while (text > parts->name && is_separator(text[-1]))
        text--;
    return text > parts->name &&
           hex_value(text[-1]) == nibble(bytes, reversed ? V6_NIBBLES - start : start - 1);
}

/* Digits of the address, together or one a piece, in either direction. */
static void match_nibbles(const struct name_parts *parts, const struct name_span *piece,
                          const uint8_t bytes[16], struct addrtrace *best)
{
    for (size_t at = 0; at < piece->length; at++) {
        for (size_t start = 0; start + V6_PART_NIBBLES <= V6_NIBBLES; start++) {
            for (unsigned how = 0; how < 2; how++) {
                size_t nonzero;
                if (goes_back(parts, piece->at + at, bytes, start, how == 1))
                    continue;
                size_t count =
                    nibbles_at(piece->at + at, parts->end, bytes, start, how == 1, &nonzero);
                if (count < V6_PART_NIBBLES || nonzero < V6_NONZERO_NIBBLES)
                    continue;
                struct addrtrace found = {.octets = count >= V6_HALF_NIBBLES ? OCTETS : 2,
                                          .form = ADDRTRACE_V6,
                                          .reversed = how == 1,
                                          .first = *piece,
                                          .last = *piece};
                keep_larger(best, &found);
            }
        }
    }
}

/* How many pieces from `first` on are the address's groups from `start` on, padded or not.
 * *digits: how many digits groups other than 0 have. */
static size_t groups_at(const struct name_parts *parts, size_t first, const uint8_t bytes[16],
                        size_t start, size_t *digits)
{
    size_t count = 0;
    *digits = 0;
    while (first + count < parts->piece_count && start + count < V6_GROUPS) {
        const struct name_span *piece = &parts->pieces[first + count];
        const uint8_t *group = bytes + 2 * (start + count);
        int value = group[0] << 8 | group[1];
        if (hex_piece(piece, 4) != value)
            break;
        *digits += value != 0 ? piece->length : 0;
        count++;
    }
    return count;
}

/* "2001-db8-0-0-0-0-0-1", or half of it. */
static void match_groups(const struct name_parts *parts, size_t first, const uint8_t bytes[16],
                         struct addrtrace *best)
{
    for (size_t start = 0; start + V6_HALF_GROUPS <= V6_GROUPS; start++) {
        size_t digits;
        size_t count = groups_at(parts, first, bytes, start, &digits);
        if (count < V6_HALF_GROUPS || digits < V6_NONZERO_NIBBLES)
            continue;
        struct addrtrace found = {.octets = OCTETS,
                                  .form = ADDRTRACE_V6,
                                  .first = parts->pieces[first],
                                  .last = parts->pieces[first + count - 1]};
        keep_larger(best, &found);
    }
}

/* The text form with hyphens for colons, which may hold an empty piece: "2001-db8--1". */
static void match_text(const struct name_parts *parts, const struct ipaddr *addr,
                       struct addrtrace *best)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(addr, text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == ':')
            *c = '-';
    size_t length = strlen(text);
    const char *at = strstr(parts->name, text);
    if (at == NULL || length < V6_PART_NIBBLES || at + length > parts->end ||
        hex_value(at[length]) >= 0 || (at > parts->name && hex_value(at[-1]) >= 0))
        return;
    struct addrtrace found = {.octets = OCTETS, .form = ADDRTRACE_V6};
    for (size_t i = 0; i < parts->piece_count && parts->pieces[i].at <= at; i++)
        found.first = found.last = parts->pieces[i];
    keep_larger(best, &found);
}

static void find_v6(const struct name_parts *parts, const struct ipaddr *addr,
                    struct addrtrace *best)
{
    match_text(parts, addr, best);
    for (size_t i = 0; i < parts->piece_count && best->octets < OCTETS; i++) {
        match_groups(parts, i, addr->bytes, best);
        match_nibbles(parts, &parts->pieces[i], addr->bytes, best);
    }
}

void addrtrace_find(const struct name_parts *parts, const struct ipaddr *addr,
                    struct addrtrace *out)
{
    *out = (struct addrtrace){.octets = 0};
    if (addr->family == IP_V4)
        find_v4(parts, addr->bytes, out);
    else if (addr->family == IP_V6)
        find_v6(parts, addr, out);
}

void addrtrace_put(const struct addrtrace *trace, struct textbuf *out)
{
    switch (trace->form) {
    case ADDRTRACE_OCTETS:
        textbuf_put(out, "contains ");
        break;
    case ADDRTRACE_TOGETHER:
        textbuf_put(out, "octets run together ");
        break;
    case ADDRTRACE_NUMBER:
        textbuf_put(out, "address as a number ");
        break;
    case ADDRTRACE_HEX:
        textbuf_put(out, "address in hexadecimal ");
        break;
    case ADDRTRACE_V6:
        textbuf_put(out, "digits of the address");
        break;
    }
    size_t length = (size_t)(trace->last.at - trace->first.at) + trace->last.length;
    if (trace->form != ADDRTRACE_V6)
        textbuf_printf(out, "%.*s", (int)length, trace->first.at);
    if (trace->reversed)
        textbuf_put(out, " reversed");
    if (trace->first.label == trace->last.label)
        textbuf_printf(out, " in label %u", trace->first.label);
    else
        textbuf_printf(out, " in labels %u to %u", trace->first.label, trace->last.label);
}
