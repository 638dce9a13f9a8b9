/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/client_table.h"

#include "base/block_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Entries of a block, which are copied out under one lock. */
#define BLOCK_ENTRIES 4096

/* --- life ----------------------------------------------------------------------------------- */

size_t client_table_bucket_count(size_t size_bytes, size_t bucket_bytes)
{
    size_t count = size_bytes / bucket_bytes;
    return count < UINT32_MAX ? count : UINT32_MAX;
}

/* Pages that nobody has written to take no memory. */
void *client_table_new_buckets(size_t bucket_count, size_t bucket_bytes)
{
    return calloc(bucket_count, bucket_bytes);
}

bool client_table_begin(struct client_table *table, size_t size_bytes, size_t bucket_bytes,
                        const uint8_t key[SIPHASH_KEY_LENGTH])
{
    table->bucket_bytes = bucket_bytes;
    table->bucket_count = client_table_bucket_count(size_bytes, bucket_bytes);
    table->buckets = client_table_new_buckets(table->bucket_count, bucket_bytes);
    if (table->buckets == NULL)
        return false;
    memcpy(table->key, key, sizeof table->key);
    (void)pthread_mutex_init(&table->lock, NULL);
    return true;
}

void client_table_end(struct client_table *table)
{
    (void)pthread_mutex_destroy(&table->lock);
    free(table->buckets);
}

/* --- saving --------------------------------------------------------------------------------- */

/* Copy the entries from *index on that are in use; returns how many bytes they take. */
static size_t copy_some(struct client_table *table, const struct client_table_form *form,
                        size_t *index, uint8_t *out)
{
    uint8_t *at = out;
    pthread_mutex_lock(&table->lock);
    size_t count = table->bucket_count * (table->bucket_bytes / form->entry_bytes);
    size_t end = count - *index > BLOCK_ENTRIES ? *index + BLOCK_ENTRIES : count;
    for (; *index < end; ++*index)
        at = form->put(at, (uint8_t *)table->buckets + *index * form->entry_bytes);
    if (*index == count)
        *index = SIZE_MAX;
    pthread_mutex_unlock(&table->lock);
    return (size_t)(at - out);
}

static enum result write_blocks(struct client_table *table, const struct client_table_form *form,
                                struct block_writer *writer, uint8_t *block)
{
    uint8_t *bytes = block + BLOCK_FILE_BLOCK_HEADER;
    memcpy(bytes, table->key, sizeof table->key);
    enum result status = block_write(writer, block, sizeof table->key);
    for (size_t index = 0; index != SIZE_MAX && status == RESULT_OK;) {
        size_t length = copy_some(table, form, &index, bytes);
        if (length > 0)
            status = block_write(writer, block, length);
    }
    return status == RESULT_OK ? block_write(writer, block, 0) : status;
}

static enum result write_file(struct client_table *table, const struct client_table_form *form,
                              struct replace_file *file, int64_t wall_s)
{
    struct block_writer writer;
    uint8_t *block = malloc(BLOCK_FILE_BLOCK_HEADER + BLOCK_ENTRIES * form->entry_bytes);
    if (block == NULL)
        return RESULT_NOMEM;
    enum result status = block_write_header(&writer, file, form->magic, form->version, wall_s);
    if (status == RESULT_OK)
        status = write_blocks(table, form, &writer, block);
    free(block);
    return status;
}

enum result client_table_save(struct client_table *table, const struct client_table_form *form,
                              const char *path, int64_t wall_s)
{
    struct replace_file file;
    enum result status = replace_file_begin(&file, path, S_IRUSR | S_IWUSR);
    if (status != RESULT_OK)
        return status;
    return replace_file_end(&file, write_file(table, form, &file, wall_s));
}

/* --- loading -------------------------------------------------------------------------------- */

static enum result read_key(struct client_table *table, struct block_reader *reader)
{
    enum result status = block_read_next(reader);
    if (status != RESULT_OK)
        return status;
    if (reader->length != sizeof table->key)
        return block_read_damaged(reader);
    pthread_mutex_lock(&table->lock);
    memcpy(table->key, reader->block, sizeof table->key);
    pthread_mutex_unlock(&table->lock);
    return RESULT_OK;
}

static enum result read_entries(struct client_table *table, const struct client_table_form *form,
                                void *owner, struct block_reader *reader, int64_t wall_s)
{
    bool sound = reader->length % form->entry_bytes == 0;
    pthread_mutex_lock(&table->lock);
    for (size_t at = 0; sound && at < reader->length; at += form->entry_bytes)
        sound = form->take(owner, reader->block + at, wall_s);
    pthread_mutex_unlock(&table->lock);
    return sound ? RESULT_OK : block_read_damaged(reader);
}

static enum result read_file(struct client_table *table, const struct client_table_form *form,
                             void *owner, struct block_reader *reader, int64_t wall_s)
{
    enum result status =
        block_read_header(reader, form->magic, form->is_not, form->version, form->version);
    if (status == RESULT_OK)
        status = read_key(table, reader);
    while (status == RESULT_OK) {
        status = block_read_next(reader);
        if (status == RESULT_OK && reader->length == 0)
            break;
        if (status == RESULT_OK)
            status = read_entries(table, form, owner, reader, wall_s);
    }
    return status;
}

enum result client_table_load(struct client_table *table, const struct client_table_form *form,
                              void *owner, const char *path, int64_t wall_s, const char **why)
{
    struct block_reader reader;
    enum result status = block_read_open(&reader, path);
    if (status != RESULT_OK)
        return status;
    status = read_file(table, form, owner, &reader, wall_s);
    if (status == RESULT_INVALID)
        *why = reader.why;
    block_read_close(&reader);
    return status;
}
