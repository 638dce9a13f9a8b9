/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/block_file.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint8_t *block_file_put(uint8_t *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        *at++ = (uint8_t)(number >> (8 * i));
    return at;
}

uint64_t block_file_get(const uint8_t **at, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | *(*at)++;
    return number;
}

/* --- writing -------------------------------------------------------------------------------- */

enum result block_write_header(struct block_writer *writer, struct replace_file *file,
                               const char *magic, uint32_t version, int64_t wall_s)
{
    uint8_t header[BLOCK_FILE_HEADER_LENGTH];
    uint8_t *at = header;
    memcpy(at, magic, BLOCK_FILE_MAGIC_LENGTH);
    at = block_file_put(at + BLOCK_FILE_MAGIC_LENGTH, version, 4);
    at = block_file_put(at, 0, 4);
    at = block_file_put(at, (uint64_t)wall_s, 8);
    writer->file = file;
    writer->sum = hash64_bytes(HASH64_START, header, (size_t)(at - header));
    (void)block_file_put(at, writer->sum, 8);
    return replace_file_write(file, header, sizeof header);
}

enum result block_write(struct block_writer *writer, uint8_t *block, size_t length)
{
    (void)block_file_put(block, length, 4);
    writer->sum = hash64_bytes(writer->sum, block, 4);
    writer->sum = hash64_bytes(writer->sum, block + BLOCK_FILE_BLOCK_HEADER, length);
    (void)block_file_put(block + 4, writer->sum, 8);
    return replace_file_write(writer->file, block, BLOCK_FILE_BLOCK_HEADER + length);
}

/* --- reading -------------------------------------------------------------------------------- */

static enum result invalid(struct block_reader *reader, const char *why)
{
    reader->why = why;
    return RESULT_INVALID;
}

static enum result read_all(struct block_reader *reader, uint8_t *bytes, size_t length)
{
    if (fread(bytes, 1, length, reader->file) == length)
        return RESULT_OK;
    return ferror(reader->file) ? RESULT_IO : invalid(reader, "is cut short");
}

static FILE *open_regular(const char *path)
{
    struct stat info;
    FILE *file = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0) {
        errno = EINVAL;
        if (S_ISREG(info.st_mode))
            file = fdopen(fd, "r");
    }
    if (file == NULL) {
        int error = errno;
        (void)close(fd);
        errno = error;
    }
    return file;
}

enum result block_read_open(struct block_reader *reader, const char *path)
{
    *reader = (struct block_reader){.file = open_regular(path)};
    if (reader->file != NULL)
        return RESULT_OK;
    return errno == ENOENT ? RESULT_NOTFOUND : errno == ENOMEM ? RESULT_NOMEM : RESULT_IO;
}

void block_read_close(struct block_reader *reader)
{
    int error = errno;
    free(reader->block);
    (void)fclose(reader->file);
    errno = error;
}

enum result block_read_header(struct block_reader *reader, const char *magic, const char *is_not,
                              uint32_t oldest, uint32_t newest)
{
    uint8_t header[BLOCK_FILE_HEADER_LENGTH];
    const size_t first = BLOCK_FILE_MAGIC_LENGTH + 4;
    enum result status = read_all(reader, header, first);
    if (status == RESULT_IO)
        return status;
    if (status != RESULT_OK || memcmp(header, magic, BLOCK_FILE_MAGIC_LENGTH) != 0)
        return invalid(reader, is_not);
    const uint8_t *at = header + BLOCK_FILE_MAGIC_LENGTH;
    reader->version = (uint32_t)block_file_get(&at, 4);
    if (reader->version < oldest || reader->version > newest)
        return invalid(reader, "is of another version");
    status = read_all(reader, header + first, sizeof header - first);
    if (status != RESULT_OK)
        return status;
    at += 4;
    reader->saved_s = (int64_t)block_file_get(&at, 8);
    reader->sum = hash64_bytes(HASH64_START, header, sizeof header - 8);
    return block_file_get(&at, 8) == reader->sum ? RESULT_OK : block_read_damaged(reader);
}

static enum result make_room(struct block_reader *reader, size_t size)
{
    if (size <= reader->room)
        return RESULT_OK;
    uint8_t *block = realloc(reader->block, size);
    if (block == NULL)
        return RESULT_NOMEM;
    reader->block = block;
    reader->room = size;
    return RESULT_OK;
}

enum result block_read_next(struct block_reader *reader)
{
    uint8_t header[BLOCK_FILE_BLOCK_HEADER];
    enum result status = read_all(reader, header, sizeof header);
    if (status != RESULT_OK)
        return status;
    const uint8_t *at = header;
    size_t size = (size_t)block_file_get(&at, 4);
    uint64_t sum = block_file_get(&at, 8);
    if (size > BLOCK_FILE_BLOCK_MAX)
        return block_read_damaged(reader);
    status = make_room(reader, size);
    if (status == RESULT_OK && size > 0)
        status = read_all(reader, reader->block, size);
    if (status != RESULT_OK)
        return status;
    reader->sum = hash64_bytes(reader->sum, header, 4);
    if (size > 0)
        reader->sum = hash64_bytes(reader->sum, reader->block, size);
    if (reader->sum != sum)
        return block_read_damaged(reader);
    if (size == 0 && fgetc(reader->file) != EOF)
        return invalid(reader, "goes on after its end");
    reader->length = size;
    return RESULT_OK;
}
