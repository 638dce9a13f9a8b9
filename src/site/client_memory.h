/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of clients: who was right when (core/history.h), across sessions and restarts.
 *
 * A client is an IPv4 address or a /64 of IPv6.  It is known by a hash under a secret key, in 16
 * bytes; no address is kept.  Only a client that passed is entered: one that fails has nothing to
 * be remembered for.  Once a day and client something changes, whatever else it does.
 *
 * The size is a cap, and all of it is taken at once, though the system gives memory as it fills.
 * A newcomer takes a free place among the eight that its hash allows, or that of a client that was
 * not seen for `keep`, or that of another that passed on a single day; where fewer than two places
 * are held by such, that of a client that was not seen for half of `keep`.  Else it is not
 * remembered.  So a scan of one-time clients pushes out one-time clients, and a few that come
 * rarely.
 *
 * What is lost or not remembered costs a client its grace and nothing else.
 *
 * Thread safe but for what is said below: one mutex, held for a few hundred instructions.
 */
#ifndef IPREVD_CLIENT_MEMORY_H
#define IPREVD_CLIENT_MEMORY_H

#include "base/result.h"
#include "base/siphash.h"
#include "core/history.h"

struct client_memory;

/* What an administrator may set; see the block memory in iprevd.conf(5). */
struct client_memory_limits {
    size_t size_bytes; /* CLIENT_MEMORY_SIZE_MIN at least */
    unsigned keep_s;
};

#define CLIENT_MEMORY_SIZE_MIN 65536

/* NULL when memory is out.  The key is copied.  free(NULL) is fine. */
struct client_memory *client_memory_new(const struct client_memory_limits *limits,
                                        const uint8_t key[SIPHASH_KEY_LENGTH]) MUST_CHECK;
void client_memory_free(struct client_memory *memory);

/*
 * New limits (reload).  One caller at a time, and not while it is saved or loaded.  RESULT_NOMEM:
 * the size stays what it was.
 */
enum result client_memory_set_limits(struct client_memory *memory,
                                     const struct client_memory_limits *limits) MUST_CHECK;

/*
 * What is known of a client, after `event` was noted, and whether that has changed anything
 * (`changed` may be NULL).  memory NULL, or IP_NONE: nothing is known.
 */
struct history client_memory_note(struct client_memory *memory, const struct ipaddr *client,
                                  enum history_event event, int64_t wall_s, bool *changed);

/*
 * Another host knows this of a client: what both know, which is remembered.  It finds a place, at
 * the cost of another one if need be: whose memory is shared has not lost it by that.
 */
struct history client_memory_merge(struct client_memory *memory, const struct ipaddr *client,
                                   const struct history *other, int64_t wall_s);

struct client_memory_stats {
    uint64_t clients, bytes; /* in use; bytes of their entries */
    uint64_t size_bytes;     /* what is taken at most */
    uint64_t replaced;       /* clients that made room for others, since the start */
    uint64_t left_out;       /* newcomers for whom there was no room, since the start */
};
void client_memory_stats(struct client_memory *memory, struct client_memory_stats *out);

/*
 * Save to a file, as cache_save().  RESULT_IO: errno says why, and an older file is untouched.
 *
 * Load into a memory that is empty; it takes over the file's key.  RESULT_NOTFOUND: no file.
 * RESULT_IO: errno.  RESULT_NOMEM.  RESULT_INVALID: the file is damaged, cut short, of another
 * program or version, *why says which (a static phrase), and what came before the damage under a
 * good checksum is known.  One caller of both at a time.
 */
enum result client_memory_save(struct client_memory *memory, const char *path,
                               int64_t wall_s) MUST_CHECK;
enum result client_memory_load(struct client_memory *memory, const char *path, int64_t wall_s,
                               const char **why) MUST_CHECK;

#endif
