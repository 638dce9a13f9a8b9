/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The networks that were greylisted (core/greylist.h), across sessions and restarts: 12 bytes each,
 * by a hash under a secret key.
 *
 * The size is a cap.  What waits, and what has passed, keeps its place until it is over: were it
 * pushed out, it would be deferred anew each time it comes.  So where there is no room for a
 * network, it is let in.  While the table should be kept over a restart and cannot, nobody is
 * greylisted either: a daemon that starts often would never let in.
 *
 * Thread safe but for what is said below: one mutex, held for a few hundred instructions.
 */
#ifndef IPREVD_GREYLIST_TABLE_H
#define IPREVD_GREYLIST_TABLE_H

#include "base/result.h"
#include "base/siphash.h"
#include "core/greylist.h"

struct greylist_table;

#define GREYLIST_TABLE_SIZE_MIN 4096

/* Of its file: see base/block_file.h. */
#define GREYLIST_TABLE_MAGIC   "\x8diprevg\n"
#define GREYLIST_TABLE_VERSION 1

/* NULL when memory is out.  The key is copied.  free(NULL) is fine. */
struct greylist_table *greylist_table_new(size_t size_bytes, unsigned keep_s,
                                          const uint8_t key[SIPHASH_KEY_LENGTH]) MUST_CHECK;
void greylist_table_free(struct greylist_table *greylist);

/* How long from now on one that passed is remembered (reload).  The size stays. */
void greylist_table_keep(struct greylist_table *greylist, unsigned keep_s);

/* Can it be kept over a restart?  At first it can. */
void greylist_table_is_kept(struct greylist_table *greylist, bool kept);

/* The client's network comes, now.  GREYLIST_NOT_ASKED: greylist NULL, or IP_NONE. */
enum greylist_answer greylist_table_seen(struct greylist_table *greylist,
                                         const struct ipaddr *client, unsigned delay_s,
                                         int64_t wall_s);

/*
 * Another host knows this of the client's network, or nothing (NULL): what both know, which is
 * known here then, too, if there is room.  False: nobody knows anything.
 */
bool greylist_table_merge(struct greylist_table *greylist, const struct ipaddr *client,
                          const struct greylisted *other, int64_t wall_s, struct greylisted *both);

struct greylist_stats {
    uint64_t networks, size; /* in use, and places */
};
void greylist_table_stats(struct greylist_table *greylist, struct greylist_stats *out);

/* Save and load, as client_memory_save() and client_memory_load(). */
enum result greylist_table_save(struct greylist_table *greylist, const char *path,
                                int64_t wall_s) MUST_CHECK;
enum result greylist_table_load(struct greylist_table *greylist, const char *path, int64_t wall_s,
                                const char **why) MUST_CHECK;

#endif
