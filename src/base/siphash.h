/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash (Aumasson and Bernstein, 2012): a hash under a secret key.  Without the key nobody can
 * choose what collides.  Thread safe.
 */
#ifndef IPREVD_SIPHASH_H
#define IPREVD_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LENGTH 16

/* SipHash-2-4: for tables that strangers fill and that are written down. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_LENGTH], const uint8_t *bytes, size_t length);

/* Its steps, for a hash with fewer rounds over what the caller has in words. */
struct siphash {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline struct siphash siphash_begin(uint64_t k0, uint64_t k1)
{
    return (struct siphash){k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                            k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
}

static inline void siphash_rounds(struct siphash *s, unsigned count)
{
    while (count-- > 0) {
        s->v0 += s->v1;
        s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
        s->v0 = siphash_rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
        s->v2 = siphash_rotate(s->v2, 32);
    }
}

static inline void siphash_word(struct siphash *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    siphash_rounds(s, rounds);
    s->v0 ^= word;
}

static inline uint64_t siphash_end(struct siphash *s, unsigned rounds)
{
    s->v2 ^= 0xff;
    siphash_rounds(s, rounds);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
