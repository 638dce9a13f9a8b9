/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts whose story is not over, by host, instance of the mail server and queue ID: a table of
 * fixed size, in which a new one takes the place of the oldest of its set.  Pure; one owner at a
 * time.
 */
#ifndef IPREVD_MAILLOG_PENDING_H
#define IPREVD_MAILLOG_PENDING_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

/* Queue IDs under way at a time on a busy server: a few thousand. */
#ifndef REPLAY_PENDING_SLOTS /* fuzzing builds have a smaller table, which overflows */
#define REPLAY_PENDING_SLOTS 4096
#endif
#define MAILLOG_PENDING_WAYS 4 /* of a set */

/* Of which message. */
struct maillog_pending_key {
    uint64_t host;     /* 0: the log does not say */
    uint64_t instance; /* of the mail server on it */
    const char *queue_id;
};

struct maillog_pending_entry {
    struct maillog_event event; /* queue_id "": free */
    uint64_t host, instance;
    bool abandoned; /* no attempt unless it is accepted after all */
};

struct maillog_pending;

struct maillog_pending *maillog_pending_new(void) MUST_CHECK; /* NULL: out of memory */
void maillog_pending_free(struct maillog_pending *pending);

/*
 * The attempt of that ID, or NULL.  A service may log under a name of its own: when its instance is
 * unknown the only one of that host and ID is taken.
 */
struct maillog_pending_entry *maillog_pending_find(struct maillog_pending *pending,
                                                   const struct maillog_pending_key *key);

/* The attempt of that ID, made empty but for its ID when it is new; one that is in its way goes to
   the sink. */
struct maillog_pending_entry *maillog_pending_open(struct maillog_pending *pending,
                                                   const struct maillog_pending_key *key,
                                                   const struct maillog_sink *sink);

/* Tell it to the sink, unless it never got a client or was abandoned, and forget it. */
void maillog_pending_close(struct maillog_pending_entry *entry, const struct maillog_sink *sink);

/* Forget it. */
void maillog_pending_drop(struct maillog_pending_entry *entry);

/* Close all, in the order of their lines. */
void maillog_pending_close_all(struct maillog_pending *pending, const struct maillog_sink *sink);

#endif
