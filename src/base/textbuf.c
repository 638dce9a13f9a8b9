/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/textbuf.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the longest escape of one untrusted byte: \xNN. */
#define ESCAPE_MAX 4

static const char ELLIPSIS[] = "...";

void textbuf_init(struct textbuf *buf, char *memory, size_t size)
{
    buf->text = memory;
    buf->size = size;
    buf->length = 0;
    buf->cut = false;
    buf->text[0] = '\0';
}

static void append(struct textbuf *buf, const char *text, size_t length)
{
    size_t room = buf->size - 1 - buf->length;
    if (length > room) {
        length = room;
        buf->cut = true;
    }
    memcpy(buf->text + buf->length, text, length);
    buf->length += length;
    buf->text[buf->length] = '\0';
}

void textbuf_put(struct textbuf *buf, const char *text)
{
    append(buf, text, strlen(text));
}

void textbuf_printf(struct textbuf *buf, const char *format, ...)
{
    size_t room = buf->size - buf->length;
    va_list args;
    va_start(args, format);
    int written = vsnprintf(buf->text + buf->length, room, format, args);
    va_end(args);
    if (written < 0) {
        buf->text[buf->length] = '\0';
        buf->cut = true;
    } else if ((size_t)written >= room) {
        buf->length = buf->size - 1;
        buf->cut = true;
    } else {
        buf->length += (size_t)written;
    }
}

/* What is to be done with a byte, as bits. */
enum {
    NEEDS_HEX = 1, /* outside of printable ASCII, or the backslash */
    QUOTE = 2,     /* ends a quoted value */
    SEPARATOR = 4, /* ends a value without quotes */
    UTF8 = 8,      /* of no byte: characters beyond ASCII stay as they are */
};
static const uint8_t byte_kinds[256] = {
    [0 ... 0x1f] = NEEDS_HEX, [0x7f ... 0xff] = NEEDS_HEX, ['\\'] = NEEDS_HEX, ['"'] = QUOTE,
    [' '] = SEPARATOR,        ['='] = SEPARATOR,
};

/* Bytes at the start of text that are of none of these kinds; the NUL always is (NEEDS_HEX). */
static size_t plain_length(const char *text, unsigned kinds)
{
    size_t length = 0;
    while ((byte_kinds[(unsigned char)text[length]] & kinds) == 0)
        length++;
    return length;
}

/* Write the harmless form of the first byte or character of `text` and step over it; `special` are
   the kinds to escape by a backslash. */
static size_t escape_next(const char **text, unsigned special, char out[ESCAPE_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t length = (special & UTF8) != 0 ? utf8_printable(*text) : 0;
    if (length > 1) {
        memcpy(out, *text, length);
        *text += length;
        return length;
    }
    unsigned char byte = (unsigned char)*(*text)++;
    if ((byte_kinds[byte] & NEEDS_HEX) != 0) {
        out[0] = '\\';
        out[1] = 'x';
        out[2] = hex[byte >> 4];
        out[3] = hex[byte & 15];
        return 4;
    }
    if ((byte_kinds[byte] & special) != 0) {
        out[0] = '\\';
        out[1] = (char)byte;
        return 2;
    }
    out[0] = (char)byte;
    return 1;
}

/* Does the escaped form take at most max bytes? */
static bool escaped_fits(const char *text, unsigned special, size_t max)
{
    size_t total = 0;
    char escaped[ESCAPE_MAX];
    while (*text != '\0' && total <= max)
        total += escape_next(&text, special, escaped);
    return total <= max;
}

static void put_escaped(struct textbuf *buf, const char *text, unsigned special, size_t max)
{
    if (text == NULL)
        return;
    size_t plain = plain_length(text, special | NEEDS_HEX);
    if (plain <= max && text[plain] == '\0') { /* nearly always */
        append(buf, text, plain);
        return;
    }
    bool fits = escaped_fits(text, special, max);
    size_t room = fits ? max : max < sizeof ELLIPSIS - 1 ? 0 : max - (sizeof ELLIPSIS - 1);
    for (size_t used = 0; *text != '\0';) {
        char escaped[ESCAPE_MAX];
        size_t length = escape_next(&text, special, escaped);
        if (used + length > room)
            break;
        append(buf, escaped, length);
        used += length;
    }
    if (!fits)
        append(buf, ELLIPSIS, max < sizeof ELLIPSIS - 1 ? max : sizeof ELLIPSIS - 1);
}

void textbuf_put_untrusted(struct textbuf *buf, const char *text, size_t max)
{
    put_escaped(buf, text, 0, max);
}

void textbuf_put_own(struct textbuf *buf, const char *text, size_t max)
{
    put_escaped(buf, text, UTF8, max);
}

static void put_key(struct textbuf *buf, const char *key)
{
    size_t length = strlen(key);
    if (buf->size - buf->length > length + 2) { /* a log line has twenty of them */
        char *at = buf->text + buf->length;
        if (buf->length > 0)
            *at++ = ' ';
        memcpy(at, key, length);
        at[length] = '=';
        at[length + 1] = '\0';
        buf->length = (size_t)(at - buf->text) + length + 1;
        return;
    }
    if (buf->length > 0)
        append(buf, " ", 1);
    append(buf, key, length);
    append(buf, "=", 1);
}

static void put_field(struct textbuf *buf, const char *key, const char *value, size_t max,
                      unsigned special)
{
    if (value == NULL)
        value = "";
    put_key(buf, key);
    size_t plain = plain_length(value, NEEDS_HEX | QUOTE | SEPARATOR);
    if (plain > 0 && plain <= max && value[plain] == '\0') { /* nearly always */
        append(buf, value, plain);
        return;
    }
    bool quoted = value[0] == '\0' || strpbrk(value, " \"=") != NULL;
    if (quoted)
        append(buf, "\"", 1);
    put_escaped(buf, value, special, max);
    if (quoted)
        append(buf, "\"", 1);
}

void textbuf_put_field(struct textbuf *buf, const char *key, const char *value, size_t max)
{
    put_field(buf, key, value, max, QUOTE);
}

void textbuf_put_own_field(struct textbuf *buf, const char *key, const char *value, size_t max)
{
    put_field(buf, key, value, max, QUOTE | UTF8);
}

void textbuf_put_word(struct textbuf *buf, const char *key, const char *word)
{
    put_key(buf, key);
    textbuf_put(buf, word);
}

void textbuf_put_number(struct textbuf *buf, const char *key, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put_key(buf, key);
    append(buf, digits + at, sizeof digits - at);
}

void textbuf_put_sentence(struct textbuf *buf, const char *key, const char *sentence)
{
    put_key(buf, key);
    append(buf, "\"", 1);
    for (;;) {
        size_t length = strcspn(sentence, "\"");
        append(buf, sentence, length);
        if (sentence[length] == '\0')
            break;
        append(buf, "\\\"", 2);
        sentence += length + 1;
    }
    append(buf, "\"", 1);
}
