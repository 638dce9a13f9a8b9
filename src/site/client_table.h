/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tables of clients have in common: a fixed size, buckets of a few entries, a lock, and hashes
 * under a secret key.  An entry is in the bucket of its hash or nowhere; the owner knows what it
 * holds and who makes room for whom.  An entry of zeros is free.
 *
 * A table that outlives the daemon is a file as base/block_file.h has it: the first block is the
 * key, the others hold the entries that are in use.
 */
#ifndef IPREVD_CLIENT_TABLE_H
#define IPREVD_CLIENT_TABLE_H

#include "base/result.h"
#include "base/siphash.h"
#include "core/ipaddr.h"

#include <pthread.h>
#include <stdbool.h>

struct client_table {
    pthread_mutex_t lock; /* guards all of it, and what its owner has beside it */
    uint8_t key[SIPHASH_KEY_LENGTH];
    void *buckets; /* bucket_count * bucket_bytes */
    size_t bucket_count, bucket_bytes;
};

/* A table of at most so many bytes.  False: memory is out, and nothing is to be ended. */
bool client_table_begin(struct client_table *table, size_t size_bytes, size_t bucket_bytes,
                        const uint8_t key[SIPHASH_KEY_LENGTH]) MUST_CHECK;
void client_table_end(struct client_table *table);

/* How many buckets a table of that size has, and free ones; NULL: memory is out. */
size_t client_table_bucket_count(size_t size_bytes, size_t bucket_bytes);
void *client_table_new_buckets(size_t bucket_count, size_t bucket_bytes) MUST_CHECK;

/* Of an address, or of its network of so many bits (a multiple of 8). */
static inline uint64_t client_table_hash(const struct client_table *table,
                                         const struct ipaddr *client, unsigned bits)
{
    return siphash(table->key, client->bytes, bits / 8);
}

/* The first entry of the bucket of a hash, of which the high half says which one.  Locked. */
static inline void *client_table_bucket(const struct client_table *table, uint64_t hash)
{
    size_t bucket = (size_t)((hash >> 32) * table->bucket_count >> 32);
    return (uint8_t *)table->buckets + bucket * table->bucket_bytes;
}

/* --- its file -------------------------------------------------------------------------------- */

struct client_table_form {
    const char *magic;  /* BLOCK_FILE_MAGIC_LENGTH bytes */
    const char *is_not; /* "is not a file of clients" */
    uint32_t version;
    size_t entry_bytes; /* in the table as in the file */

    /* Write the entry and return what is behind it; `at` where the entry is free.  Locked. */
    uint8_t *(*put)(uint8_t *at, const void *entry);
    /* Read an entry into the owner of the table.  False: no table has such a one.  Locked. */
    bool (*take)(void *owner, const uint8_t *at, int64_t wall_s);
};

/*
 * Save, entry by entry under short locks.  RESULT_NOMEM; RESULT_IO with errno, and an older file is
 * untouched.
 *
 * Load into a table that is empty; it takes over the file's key.  RESULT_NOTFOUND: no file.
 * RESULT_IO with errno.  RESULT_NOMEM.  RESULT_INVALID: the file is damaged, cut short, of another
 * program or version, *why says which (a static phrase), and what came before the damage under a
 * good checksum was taken.  One caller of both at a time.
 */
enum result client_table_save(struct client_table *table, const struct client_table_form *form,
                              const char *path, int64_t wall_s) MUST_CHECK;
enum result client_table_load(struct client_table *table, const struct client_table_form *form,
                              void *owner, const char *path, int64_t wall_s,
                              const char **why) MUST_CHECK;

#endif
