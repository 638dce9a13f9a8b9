/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a hash under a secret key.  Without the key nobody
 * can choose what collides.  For tables that strangers fill and that are written down.  Thread
 * safe.
 */
#ifndef IPREVD_SIPHASH_H
#define IPREVD_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LENGTH 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LENGTH], const uint8_t *bytes, size_t length);

#endif
