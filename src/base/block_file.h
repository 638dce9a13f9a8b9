/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of blocks with checksums, all numbers big-endian:
 *
 *   header  magic (8 bytes), version (4), zero (4), wall-clock seconds (8), checksum (8)
 *   block   length (4), checksum (8), bytes
 *   end     a block of no bytes
 *
 * A checksum covers what it belongs to and the checksum before it, so that no block can be missing
 * or come from another file: FNV-1a with 64 bits, going on.  It is against damage, not against an
 * enemy.  What a block holds is its caller's business.  Does I/O; one caller a file at a time.
 */
#ifndef IPREVD_BLOCK_FILE_H
#define IPREVD_BLOCK_FILE_H

#include "base/replace_file.h"

#include <stdint.h>
#include <stdio.h>

#define BLOCK_FILE_MAGIC_LENGTH  8
#define BLOCK_FILE_HEADER_LENGTH 32
#define BLOCK_FILE_BLOCK_HEADER  12

/* A block that claims to be longer is damaged; writers write none. */
#define BLOCK_FILE_BLOCK_MAX 1048576U

/* A number of 1 to 8 bytes; returns what is behind it, or goes there. */
uint8_t *block_file_put(uint8_t *at, uint64_t number, unsigned bytes);
uint64_t block_file_get(const uint8_t **at, unsigned bytes);

struct block_writer {
    struct replace_file *file; /* borrowed */
    uint64_t sum;
};

/* Write the header to a file that was begun.  RESULT_IO with errno. */
enum result block_write_header(struct block_writer *writer, struct replace_file *file,
                               const char *magic, uint32_t version, int64_t wall_s) MUST_CHECK;

/*
 * Write a block: `block` has BLOCK_FILE_BLOCK_HEADER bytes of room, which are filled here, and then
 * the `length` bytes.  Length 0: the end.  RESULT_IO with errno.
 */
enum result block_write(struct block_writer *writer, uint8_t *block, size_t length) MUST_CHECK;

struct block_reader {
    FILE *file;
    uint64_t sum;
    uint32_t version;
    int64_t saved_s; /* wall clock of the header */
    uint8_t *block;  /* the last one; owned by the reader */
    size_t length, room;
    const char *why; /* after RESULT_INVALID: a static phrase such as "is cut short" */
};

/*
 * Open a regular file: a pipe or device in its place does not hold up the start.  RESULT_NOTFOUND:
 * there is none; RESULT_NOMEM, RESULT_IO with errno.  After RESULT_OK block_read_close() is due.
 */
enum result block_read_open(struct block_reader *reader, const char *path) MUST_CHECK;
void block_read_close(struct block_reader *reader);

/*
 * Read the header: RESULT_INVALID if it is damaged, of another magic ("is not a WHAT file":
 * `is_not`) or of a version that is not in oldest..newest.  RESULT_IO with errno.
 */
enum result block_read_header(struct block_reader *reader, const char *magic, const char *is_not,
                              uint32_t oldest, uint32_t newest) MUST_CHECK;

/*
 * Read the next block, whose checksum is right; length 0: it was the end, and nothing is behind it.
 * RESULT_INVALID, RESULT_NOMEM, RESULT_IO with errno.
 */
enum result block_read_next(struct block_reader *reader) MUST_CHECK;

/* What the caller found in a block is damaged.  Returns RESULT_INVALID. */
MUST_CHECK static inline enum result block_read_damaged(struct block_reader *reader)
{
    reader->why = "is damaged";
    return RESULT_INVALID;
}

#endif
