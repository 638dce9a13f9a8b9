/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/siphash.h"

/* Eight bytes, the first one lowest. */
static uint64_t word_of(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* Fewer. */
static uint64_t rest_of(const uint8_t *bytes, size_t length)
{
    uint64_t word = 0;
    while (length-- > 0)
        word = word << 8 | bytes[length];
    return word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LENGTH], const uint8_t *bytes, size_t length)
{
    struct siphash s = siphash_begin(word_of(key), word_of(key + 8));
    size_t left = length;
    for (; left >= 8; left -= 8, bytes += 8)
        siphash_word(&s, word_of(bytes), 2);
    siphash_word(&s, rest_of(bytes, left) | (uint64_t)length << 56, 2);
    return siphash_end(&s, 4);
}
