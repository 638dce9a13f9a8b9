/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/client_memory_file.h"

#include "base/block_file.h"
#include "site/client_memory_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Entries of a block, which are copied out under one lock. */
#define BLOCK_ENTRIES 4096

/* --- saving --------------------------------------------------------------------------------- */

static uint8_t *put_entry(uint8_t *at, const struct client_entry *entry)
{
    at = block_file_put(at, entry->word, 8);
    at = block_file_put(at, entry->failed_s, 4);
    at = block_file_put(at, entry->last_day, 2);
    return block_file_put(at, entry->previous_day, 2);
}

/* Copy the entries from *index on that are in use; returns how many bytes they take. */
static size_t copy_some(struct client_memory *memory, size_t *index, uint8_t *out)
{
    uint8_t *at = out;
    pthread_mutex_lock(&memory->lock);
    size_t count = memory->bucket_count * CLIENT_MEMORY_WAYS;
    size_t end = count - *index > BLOCK_ENTRIES ? *index + BLOCK_ENTRIES : count;
    for (; *index < end; ++*index)
        if (memory->entries[*index].word != 0)
            at = put_entry(at, &memory->entries[*index]);
    if (*index == count)
        *index = SIZE_MAX;
    pthread_mutex_unlock(&memory->lock);
    return (size_t)(at - out);
}

static enum result write_blocks(struct client_memory *memory, struct block_writer *writer,
                                uint8_t *block)
{
    uint8_t *bytes = block + BLOCK_FILE_BLOCK_HEADER;
    memcpy(bytes, memory->key, sizeof memory->key);
    enum result status = block_write(writer, block, sizeof memory->key);
    for (size_t index = 0; index != SIZE_MAX && status == RESULT_OK;) {
        size_t length = copy_some(memory, &index, bytes);
        if (length > 0)
            status = block_write(writer, block, length);
    }
    return status == RESULT_OK ? block_write(writer, block, 0) : status;
}

static enum result write_file(struct client_memory *memory, struct replace_file *file,
                              int64_t wall_s)
{
    struct block_writer writer;
    uint8_t *block = malloc(BLOCK_FILE_BLOCK_HEADER + BLOCK_ENTRIES * CLIENT_MEMORY_FILE_ENTRY);
    if (block == NULL)
        return RESULT_NOMEM;
    enum result status = block_write_header(&writer, file, CLIENT_MEMORY_FILE_MAGIC,
                                            CLIENT_MEMORY_FILE_VERSION, wall_s);
    if (status == RESULT_OK)
        status = write_blocks(memory, &writer, block);
    free(block);
    return status;
}

enum result client_memory_save(struct client_memory *memory, const char *path, int64_t wall_s)
{
    struct replace_file file;
    enum result status = replace_file_begin(&file, path, S_IRUSR | S_IWUSR);
    if (status != RESULT_OK)
        return status;
    return replace_file_end(&file, write_file(memory, &file, wall_s));
}

/* --- loading -------------------------------------------------------------------------------- */

static enum result read_key(struct client_memory *memory, struct block_reader *reader)
{
    enum result status = block_read_next(reader);
    if (status != RESULT_OK)
        return status;
    if (reader->length != sizeof memory->key)
        return block_read_damaged(reader);
    pthread_mutex_lock(&memory->lock);
    memcpy(memory->key, reader->block, sizeof memory->key);
    pthread_mutex_unlock(&memory->lock);
    return RESULT_OK;
}

static enum result read_entries(struct client_memory *memory, struct block_reader *reader,
                                unsigned today)
{
    enum result status = RESULT_OK;
    const uint8_t *at = reader->block, *end = at + reader->length;
    if (reader->length % CLIENT_MEMORY_FILE_ENTRY != 0)
        return block_read_damaged(reader);
    pthread_mutex_lock(&memory->lock);
    while (at < end && status == RESULT_OK) {
        struct client_entry saved, *entry = NULL;
        saved.word = block_file_get(&at, 8);
        saved.failed_s = (uint32_t)block_file_get(&at, 4);
        saved.last_day = (uint16_t)block_file_get(&at, 2);
        saved.previous_day = (uint16_t)block_file_get(&at, 2);
        if (client_entry_hash(&saved) == 0)
            status = block_read_damaged(reader);
        else
            entry = client_memory_place(memory, client_entry_hash(&saved), today);
        if (entry != NULL)
            *entry = saved;
    }
    pthread_mutex_unlock(&memory->lock);
    return status;
}

static enum result read_file(struct client_memory *memory, struct block_reader *reader,
                             unsigned today)
{
    enum result status =
        block_read_header(reader, CLIENT_MEMORY_FILE_MAGIC, "is not a file of clients",
                          CLIENT_MEMORY_FILE_VERSION, CLIENT_MEMORY_FILE_VERSION);
    if (status == RESULT_OK)
        status = read_key(memory, reader);
    while (status == RESULT_OK) {
        status = block_read_next(reader);
        if (status == RESULT_OK && reader->length == 0)
            break;
        if (status == RESULT_OK)
            status = read_entries(memory, reader, today);
    }
    return status;
}

enum result client_memory_load(struct client_memory *memory, const char *path, int64_t wall_s,
                               const char **why)
{
    struct block_reader reader;
    enum result status = block_read_open(&reader, path);
    if (status != RESULT_OK)
        return status;
    status = read_file(memory, &reader, history_day(wall_s));
    if (status == RESULT_INVALID)
        *why = reader.why;
    block_read_close(&reader);
    return status;
}
