/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache's file: a header and blocks of records, all numbers big-endian.
 *
 *   header  magic (8 bytes), version (4), zero (4), wall-clock seconds (8), checksum (8)
 *   block   bytes of records (4), checksum (8), records
 *   end     a block of no bytes
 *
 * A checksum covers what it belongs to and the checksum before it, so that no block can be missing
 * or come from another file.  Only what the loader and its fuzz target share is here.
 */
#ifndef IPREVD_CACHE_FILE_H
#define IPREVD_CACHE_FILE_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_FILE_MAGIC   "\x8ciprevd\n"
#define CACHE_FILE_VERSION 2U
/* As version 2, but its denials were believed without the proof that denial.h asks for. */
#define CACHE_FILE_VERSION_UNPROVED 1U

#define CACHE_FILE_MAGIC_LENGTH  8
#define CACHE_FILE_HEADER_LENGTH 32
#define CACHE_FILE_BLOCK_HEADER  12

/* A block that claims to be longer is damaged; the largest record is well below. */
#define CACHE_FILE_BLOCK_MAX 1048576U

/* FNV-1a with 64 bits, going on from an earlier sum: against damage, not against an enemy. */
#define CACHE_FILE_SUM_START UINT64_C(0xcbf29ce484222325)
uint64_t cache_file_sum(uint64_t sum, const uint8_t *bytes, size_t length);

#endif
