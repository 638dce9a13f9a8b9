/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/columns.h"

#include "base/textbuf.h"
#include "core/hostname.h"

#include <inttypes.h>

double columns_percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

const char *columns_count(uint64_t count, char out[COLUMNS_COUNT_MAX])
{
    char digits[COLUMNS_COUNT_MAX];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

void columns_put_count(FILE *stream, uint64_t count, int width)
{
    char text[COLUMNS_COUNT_MAX];
    (void)fprintf(stream, "%*s", width, count == 0 ? "-" : columns_count(count, text));
}

/* Characters of UTF-8. */
static int characters_of(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* `text` in that many columns, cut on the left. */
static void put_cut(FILE *stream, const char *text, int width)
{
    int count = characters_of(text);
    bool cut = width > 0 && count > width;
    for (int room = width - 3; cut && count > room; count--)
        do
            text++;
        while (((unsigned char)*text & 0xc0) == 0x80);
    (void)fprintf(stream, "%s%s%*s", cut ? "..." : "", text,
                  !cut && count < width ? width - count : 0, "");
}

static void put_shown(FILE *stream, const char *name, int width, textbuf_put_shown *put)
{
    char memory[4 * HOSTNAME_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    put(&buf, name, sizeof memory - 1);
    put_cut(stream, memory, width);
}

void columns_put_own(FILE *stream, const char *name, int width)
{
    put_shown(stream, name, width, textbuf_put_own);
}

void columns_put_name(FILE *stream, const char *name, int width)
{
    put_shown(stream, name, width, textbuf_put_untrusted);
}
