/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

/* RFC 3629 section 4: the first byte limits the second, which keeps overlong forms, surrogates and
   what is beyond U+10FFFF out. */
size_t utf8_length(const char *text)
{
    static const struct {
        unsigned char from, to;  /* of the first byte */
        unsigned char low, high; /* of the second */
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0, 0xff, 1},    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (bytes[0] < forms[i].from || bytes[0] > forms[i].to)
            continue;
        bool sound =
            forms[i].length == 1 || (bytes[1] >= forms[i].low && bytes[1] <= forms[i].high);
        for (size_t j = 2; sound && j < forms[i].length; j++)
            sound = (bytes[j] & 0xc0) == 0x80;
        return sound ? forms[i].length : 0;
    }
    return 0;
}

bool utf8_is_control(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    return bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

size_t utf8_printable(const char *text)
{
    size_t length = utf8_length(text);
    return length > 0 && !utf8_is_control(text) ? length : 0;
}
