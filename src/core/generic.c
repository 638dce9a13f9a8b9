/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name is read once, into pieces, runs of digits and words; then a few rules weigh what was
 * found: see judge().
 */
#include "core/generic.h"

#include "base/textbuf.h"
#include "core/addrtrace.h"
#include "core/genericwords.h"
#include "core/octetchance.h"

#include <string.h>

/*
 * How unlikely a coincidence of a name's numbers with the last octets of its address has to be, in
 * bits (octetchance.h).  Words of access networks add to it, and a last octet alone needs one.
 */
#define PAIR_BITS_MIN 13 /* "d33-166"; "m13-98" has 11 */
#define LAST_BITS_MIN 11 /* "cm213", "user57" */
#define NUMBERED_WORD_BITS                                                                         \
    6                       /* a word behind which subscribers are numbered, in the first label    \
                             */
#define LETTER_H_BITS     3 /* "h171": host */
#define NUMBER_ALONE_BITS 2 /* "045.isp.example": nobody calls a server that */
#define LINE_BITS         5 /* a word anywhere in the name, by its grade */
#define ACCESS_BITS       3
#define NUMBERING_BITS    1

/* Digits that make a host of an access network a numbered one. */
#define NUMBERED_DIGITS_MIN      2 /* "wg64.dynamic.example" */
#define NUMBERED_LINE_DIGITS_MIN 2 /* "adsl-42.example" */
#define NUMBERED_OWN_DIGITS_MIN  3 /* "cpe4414.example": "cust1" may be anyone's */

/* A hardware address or longer, with digits and letters: nobody types that. */
#define SERIAL_DIGITS_MIN   12
#define SERIAL_DECIMALS_MIN 4

struct generic_reading {
    struct name_parts parts;
    struct name_span word; /* the most telling access word */
    enum word_grade grade; /* ... and its grade */
    bool intent;           /* words of intent, or a mail business's domain */
    bool static_intent;    /* "static" where the site counts it as a word of intent */
    bool has_static;
    bool mail_letter; /* the first label begins like large senders' hosts: "m13" */

    /* The first label. */
    enum word_grade first_grade;
    size_t first_digits;
    bool first_is_words;    /* words of access networks and nothing else */
    bool first_is_default;  /* ... which alone are a default name */
    bool first_is_numbered; /* it has a word behind which subscribers are numbered */
    bool first_is_serial;
    bool first_is_number; /* digits and separators only */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Is a label one that countries have below their own: com.ar, ne.jp? */
static bool is_second_level(const char *label, size_t length)
{
    static const char *const known[] = {"ac",  "ad", "co",  "com", "ed",  "edu", "go",  "gob",
                                        "gov", "gr", "id",  "inf", "lg",  "mil", "ne",  "net",
                                        "nom", "or", "org", "res", "sch", "web", "info"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i]) == length && memcmp(label, known[i], length) == 0)
            return true;
    return false;
}

/*
 * Where the registered domain begins: the last two labels, or three below a country's second level
 * (com.ar, ne.jp), never the first label.  Near enough to tell the host's labels from the owner's
 * name without the Public Suffix List.
 */
static const char *find_domain(const char *name)
{
    const char *dots[3] = {NULL, NULL, NULL}; /* last first */
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '.') {
            dots[2] = dots[1];
            dots[1] = dots[0];
            dots[0] = c;
        }
    }
    if (dots[0] == NULL)
        return name + strlen(name);
    if (dots[1] == NULL)
        return dots[0] + 1;
    bool country =
        strlen(dots[0] + 1) == 2 && is_second_level(dots[1] + 1, (size_t)(dots[0] - dots[1] - 1));
    return country && dots[2] != NULL ? dots[2] + 1 : dots[1] + 1;
}

/* "xxx" where a number would stand. */
static bool is_placeholder(const struct name_span *span)
{
    size_t i = 0;
    while (i < span->length && span->at[i] == 'x')
        i++;
    return i == span->length;
}

static bool is_static(const struct name_span *span)
{
    static const char word[] = "static";
    return span->length == sizeof word - 1 && memcmp(span->at, word, sizeof word - 1) == 0;
}

/* Large senders number their mail hosts behind one letter: "m13-98". */
static bool is_mail_letter(const struct name_span *span)
{
    return span->label == 1 && span->length == 1 && *span->at == 'm' && is_digit(span->at[1]);
}

static void read_word(struct generic_reading *reading, const struct name_span *span,
                      bool static_is_intent)
{
    unsigned flags;
    enum word_grade grade = genericwords_grade(span->at, span->length, &flags);
    if (is_static(span))
        reading->has_static = true;
    if (static_is_intent && is_static(span)) {
        reading->static_intent = true;
        grade = WORD_NONE;
        flags = 0;
    }
    if (genericwords_is_intent(span->at, span->length))
        reading->intent = true;
    if (is_mail_letter(span))
        reading->mail_letter = true;
    if (grade > reading->grade) {
        reading->grade = grade;
        reading->word = *span;
    }
    if (span->label > 1)
        return;
    if (grade > reading->first_grade)
        reading->first_grade = grade;
    reading->first_is_number = false;
    reading->first_is_words =
        reading->first_is_words && (grade > WORD_NONE || is_placeholder(span));
    if ((flags & WORD_FLAG_ALONE) != 0)
        reading->first_is_default = true;
    if ((flags & WORD_FLAG_NUMBERED) != 0)
        reading->first_is_numbered = true;
}

static void read_digits(struct generic_reading *reading, const struct name_span *span)
{
    struct name_parts *parts = &reading->parts;
    if (parts->run_count < NAME_RUNS_MAX)
        parts->runs[parts->run_count++] = *span;
    if (span->label > 1)
        return;
    reading->first_digits += span->length;
    reading->first_is_words = false;
}

/* Does a piece hold a long hexadecimal number? */
static bool holds_serial(const struct name_span *piece)
{
    size_t length = 0;
    size_t decimals = 0;
    for (size_t i = 0; i < piece->length; i++) {
        char c = piece->at[i];
        bool hex = is_digit(c) || (c >= 'a' && c <= 'f');
        length = hex ? length + 1 : 0;
        decimals = hex ? decimals + is_digit(c) : 0;
        if (length >= SERIAL_DIGITS_MIN && decimals >= SERIAL_DECIMALS_MIN && decimals < length)
            return true;
    }
    return false;
}

/* Split one piece into digits and letters. */
static void read_piece(struct generic_reading *reading, const struct name_span *piece,
                       bool static_is_intent)
{
    size_t end;
    for (size_t i = 0; i < piece->length; i = end) {
        bool digits = is_digit(piece->at[i]);
        for (end = i; end < piece->length && is_digit(piece->at[end]) == digits; end++)
            ;
        struct name_span span = {piece->at + i, (uint8_t)(end - i), piece->label};
        if (digits)
            read_digits(reading, &span);
        else
            read_word(reading, &span, static_is_intent);
    }
    if (piece->label == 1 && holds_serial(piece))
        reading->first_is_serial = true;
}

/* The domain says who, not which host: a mail business, or (a little) an access provider. */
static void read_domain(struct generic_reading *reading)
{
    static const char *const mail[] = {"mail", "smtp", "send", "protection"};
    static const char *const access[] = {"dsl",   "cable", "kabel",    "dialup", "broadband",
                                         "fiber", "fibre", "wireless", "ppp",    "dial"};
    const char *domain = reading->parts.end;
    for (size_t i = 0; i < sizeof mail / sizeof mail[0]; i++)
        if (strstr(domain, mail[i]) != NULL)
            reading->intent = true;
    for (size_t i = 0; i < sizeof access / sizeof access[0]; i++) {
        const char *at = reading->grade == WORD_NONE ? strstr(domain, access[i]) : NULL;
        if (at != NULL) {
            reading->grade = WORD_NUMBERING;
            reading->word = (struct name_span){at, (uint8_t)strlen(access[i]), 0};
        }
    }
}

static void read_name(struct generic_reading *reading, const char *name, bool static_is_intent)
{
    struct name_parts *parts = &reading->parts;
    uint8_t label = 1;
    memset(reading, 0, sizeof *reading);
    parts->name = name;
    parts->end = find_domain(name);
    reading->first_is_words = true;
    reading->first_is_number = true;
    for (const char *at = name; at < parts->end; at++) {
        size_t length = strcspn(at, ".-_");
        struct name_span piece = {at, (uint8_t)length, label};
        read_piece(reading, &piece, static_is_intent);
        if (parts->piece_count < NAME_PIECES_MAX)
            parts->pieces[parts->piece_count++] = piece;
        at += length;
        if (*at == '\0')
            break;
        label = (uint8_t)(label + (*at == '.'));
    }
    read_domain(reading);
}

/* A word of access networks, and a host that is only numbered or not named at all. */
static bool is_numbered(const struct generic_reading *reading)
{
    if (reading->grade > WORD_NONE && reading->first_is_serial)
        return true;
    if (reading->first_is_words && reading->first_is_default)
        return true;
    if (reading->grade < WORD_ACCESS)
        return false;
    if (reading->first_is_words && reading->first_grade == WORD_LINE)
        return true;
    if (reading->first_grade == WORD_LINE)
        return reading->first_digits >= NUMBERED_LINE_DIGITS_MIN;
    if (reading->first_grade == WORD_ACCESS)
        return reading->first_digits >= NUMBERED_OWN_DIGITS_MIN;
    return reading->first_digits >= NUMBERED_DIGITS_MIN ||
           (reading->first_digits > 0 && reading->first_grade == WORD_NUMBERING);
}

/* What the words add to a coincidence of numbers. */
static unsigned word_bits(const struct generic_reading *reading, const struct octetchance *chance)
{
    static const unsigned by_grade[] = {[WORD_NONE] = 0,
                                        [WORD_NUMBERING] = NUMBERING_BITS,
                                        [WORD_ACCESS] = ACCESS_BITS,
                                        [WORD_LINE] = LINE_BITS};
    unsigned bits = by_grade[reading->grade];
    if (reading->first_is_numbered)
        return bits + NUMBERED_WORD_BITS;
    bool behind_h = chance->shown.at > reading->parts.name && chance->shown.at[-1] == 'h';
    return bits + (behind_h ? LETTER_H_BITS : 0);
}

/* The last two octets, or the last one behind a word, that cannot well be there by chance. */
static bool is_no_chance(const struct generic_reading *reading, const struct octetchance *chance)
{
    if (chance->bits == 0)
        return false;
    unsigned words = word_bits(reading, chance);
    if (chance->pair)
        return !reading->mail_letter && chance->bits + words >= PAIR_BITS_MIN;
    /* "184.static.example" is some customer's server as well. */
    if (reading->first_is_number && !reading->has_static)
        words += NUMBER_ALONE_BITS;
    bool with_word = words > NUMBERING_BITS || (chance->hex && words > 0);
    return with_word && chance->bits + words >= LAST_BITS_MIN;
}

static void put_chance(const struct octetchance *chance, struct textbuf *out)
{
    textbuf_printf(out, "%s %.*s in label %u",
                   chance->hex    ? "last octets in hexadecimal"
                   : chance->pair ? "contains"
                                  : "last octet",
                   (int)chance->shown.length, chance->shown.at, chance->shown.label);
}

static void put_word(struct textbuf *out, const struct generic_reading *reading)
{
    textbuf_printf(out, "word \"%.*s\"", (int)reading->word.length, reading->word.at);
}

static void put_and_word(struct textbuf *out, const struct generic_reading *reading)
{
    if (reading->grade == WORD_NONE)
        return;
    textbuf_put(out, " and ");
    put_word(out, reading);
}

/*
 * Three octets or more are a computed name, unless a word of intent says that the owner computes
 * the names of its mail servers too, and no word of subscribers' lines contradicts.  Two octets
 * need a word beside them, or to stand alone.  A word of access networks with a number needs no
 * octet.
 */
static bool judge(const struct generic_reading *reading, const struct ipaddr *addr,
                  struct textbuf *why)
{
    struct addrtrace trace;
    struct octetchance chance = {.bits = 0};
    if (reading->static_intent)
        return false;
    addrtrace_find(&reading->parts, addr, &trace);
    if (trace.octets >= 3 && (!reading->intent || reading->grade == WORD_LINE)) {
        addrtrace_put(&trace, why);
        return true;
    }
    if (reading->intent)
        return false;
    if (trace.octets >= 2 && (trace.stands_alone || reading->grade > WORD_NONE)) {
        addrtrace_put(&trace, why);
        put_and_word(why, reading);
        return true;
    }
    if (addr->family == IP_V4)
        octetchance_find(&reading->parts, addr->bytes, &chance);
    if (is_no_chance(reading, &chance)) {
        put_chance(&chance, why);
        put_and_word(why, reading);
        return true;
    }
    if (!is_numbered(reading))
        return false;
    put_word(why, reading);
    if (reading->first_digits > 0)
        textbuf_put(why, " and a number in label 1");
    return true;
}

struct generic generic_evaluate(const char *name, const struct ipaddr *addr, bool static_is_intent)
{
    struct generic generic = {.generic = false};
    struct generic_reading reading;
    struct textbuf why;
    textbuf_init(&why, generic.why, sizeof generic.why);
    read_name(&reading, name, static_is_intent);
    generic.generic = judge(&reading, addr, &why);
    return generic;
}
