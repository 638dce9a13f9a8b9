/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of the memory of clients, for client_memory.c and client_memory_file.c only. */
#ifndef IPREVD_CLIENT_MEMORY_TABLE_H
#define IPREVD_CLIENT_MEMORY_TABLE_H

#include "site/client_memory.h"
#include "site/client_table.h"

/* Two lines of a processor's cache.  At a million entries of which half are regulars, fewer than
   one bucket in a hundred is full of them. */
#define CLIENT_MEMORY_WAYS 8

/* Of a bucket: so many newcomers drive out regulars that were not seen for long. */
#define CLIENT_MEMORY_NEWCOMERS 2

/* In the lowest bit of a hash: struct history's passed_since. */
#define CLIENT_PASSED_SINCE UINT64_C(1)

struct client_entry {
    uint64_t word; /* the hash, which is even, and that bit; 0: the place is free */
    uint32_t failed_s;
    uint16_t last_day, previous_day;
};

static inline uint64_t client_entry_hash(const struct client_entry *entry)
{
    return entry->word & ~CLIENT_PASSED_SINCE;
}

struct client_memory {
    struct client_table table; /* of struct client_entry; its lock guards all of it */
    unsigned keep_s;
    uint64_t clients, replaced, left_out;
};

/*
 * The entry of that hash, or a new one (with nothing but its hash) if there is room by the rules of
 * replacement, or NULL, which the caller counts.  It holds the lock.
 */
struct client_entry *client_memory_place(struct client_memory *memory, uint64_t hash,
                                         unsigned today);

#endif
