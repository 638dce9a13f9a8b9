/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts whose story is not over, by queue ID: a table of fixed size, in which a new one takes
 * the place of an old one of the same slot.  Pure; one owner at a time.
 */
#ifndef IPREVD_REPLAY_PENDING_H
#define IPREVD_REPLAY_PENDING_H

#include "base/status.h"
#include "ctl/replay_event.h"

/* Queue IDs under way at a time on a busy server: a few thousand. */
#ifndef REPLAY_PENDING_SLOTS /* fuzzing builds have a smaller table, which overflows */
#define REPLAY_PENDING_SLOTS 4096
#endif

struct replay_pending;

struct replay_pending *replaypending_new(void) MUST_CHECK; /* NULL: out of memory */
void replaypending_free(struct replay_pending *pending);

/* The attempt of that ID, or NULL.  What is filled in there stays. */
struct replay_event *replaypending_find(struct replay_pending *pending, const char *queue_id);

/* The attempt of that ID, made empty but for its ID when it is new; one that is in its way goes to
   the sink. */
struct replay_event *replaypending_open(struct replay_pending *pending, const char *queue_id,
                                        const struct replay_sink *sink);

/* Tell it to the sink, unless it never got a client, and forget it. */
void replaypending_close(struct replay_pending *pending, struct replay_event *event,
                         const struct replay_sink *sink);

/* Close all, in the order of their lines. */
void replaypending_close_all(struct replay_pending *pending, const struct replay_sink *sink);

#endif
