/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/textbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the longest escape of one foreign byte: \xNN. */
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

/* Write the harmless form of one foreign byte; `special` lists printable bytes to escape by a
 * backslash. */
static size_t escape_byte(unsigned char byte, const char *special, char out[ESCAPE_MAX])
{
    static const char hex[] = "0123456789abcdef";
    if (byte < 0x20 || byte > 0x7e || byte == '\\') {
        out[0] = '\\';
        out[1] = 'x';
        out[2] = hex[byte >> 4];
        out[3] = hex[byte & 15];
        return 4;
    }
    if (strchr(special, byte) != NULL) {
        out[0] = '\\';
        out[1] = (char)byte;
        return 2;
    }
    out[0] = (char)byte;
    return 1;
}

/* Does the escaped form take at most max bytes? */
static bool escaped_fits(const char *text, const char *special, size_t max)
{
    size_t total = 0;
    char escaped[ESCAPE_MAX];
    for (; *text != '\0' && total <= max; text++)
        total += escape_byte((unsigned char)*text, special, escaped);
    return total <= max;
}

static void put_escaped(struct textbuf *buf, const char *text, const char *special, size_t max)
{
    if (text == NULL)
        return;
    bool fits = escaped_fits(text, special, max);
    size_t room = fits ? max : max < sizeof ELLIPSIS - 1 ? 0 : max - (sizeof ELLIPSIS - 1);
    for (size_t used = 0; *text != '\0'; text++) {
        char escaped[ESCAPE_MAX];
        size_t length = escape_byte((unsigned char)*text, special, escaped);
        if (used + length > room)
            break;
        append(buf, escaped, length);
        used += length;
    }
    if (!fits)
        append(buf, ELLIPSIS, max < sizeof ELLIPSIS - 1 ? max : sizeof ELLIPSIS - 1);
}

void textbuf_put_foreign(struct textbuf *buf, const char *text, size_t max)
{
    put_escaped(buf, text, "", max);
}

void textbuf_put_comment(struct textbuf *buf, const char *text, size_t max)
{
    put_escaped(buf, text, "()", max);
}

void textbuf_put_field(struct textbuf *buf, const char *key, const char *value, size_t max)
{
    if (value == NULL)
        value = "";
    if (buf->length > 0)
        append(buf, " ", 1);
    textbuf_put(buf, key);
    append(buf, "=", 1);
    bool quoted = value[0] == '\0' || strpbrk(value, " \"=") != NULL;
    if (quoted)
        append(buf, "\"", 1);
    put_escaped(buf, value, "\"", max);
    if (quoted)
        append(buf, "\"", 1);
}

void textbuf_put_sentence(struct textbuf *buf, const char *key, const char *sentence)
{
    textbuf_printf(buf, "%s%s=\"", buf->length > 0 ? " " : "", key);
    for (; *sentence != '\0'; sentence++) {
        if (*sentence == '"')
            append(buf, "\\", 1);
        append(buf, sentence, 1);
    }
    append(buf, "\"", 1);
}
