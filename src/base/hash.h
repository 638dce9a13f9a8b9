/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FNV-1a, with 32 bits if nothing else is said: a hash that is the same on every machine and in
 * every version.  For tables that only we fill, and for choices that have to stay.  A peer that
 * chooses what is hashed can make it collide.  Thread safe.
 */
#ifndef IPREVD_HASH_H
#define IPREVD_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT32_C(2166136261)

/* Going on from `hash`, at first HASH_START. */
static inline uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
    return (hash ^ byte) * UINT32_C(16777619);
}

uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t length);
uint32_t hash_text(uint32_t hash, const char *text); /* without its NUL */

/* The same with 64 bits, which hardly ever are the same of two things. */
#define HASH64_START UINT64_C(0xcbf29ce484222325)
uint64_t hash64_bytes(uint64_t hash, const void *bytes, size_t length);

/* Mix so that each bit of the result depends on each bit of the hash (the finalizer of
   MurmurHash3): the last bytes that FNV takes barely reach its high bits. */
uint32_t hash_mix(uint32_t hash);

#endif
