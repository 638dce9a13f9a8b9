/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts whose story is not over, by queue ID: a table of fixed size, in which a new one takes
 * the place of an old one of the same slot.  Pure; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_PENDING_H
#define IPREVD_MAILLOG_PENDING_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

/* Queue IDs under way at a time on a busy server: a few thousand. */
#ifndef REPLAY_PENDING_SLOTS /* fuzzing builds have a smaller table, which overflows */
#define REPLAY_PENDING_SLOTS 4096
#endif

struct maillog_pending;

struct maillog_pending *maillog_pending_new(void) MUST_CHECK; /* NULL: out of memory */
void maillog_pending_free(struct maillog_pending *pending);

/* The attempt of that ID, or NULL.  What is filled in there stays. */
struct maillog_event *maillog_pending_find(struct maillog_pending *pending, const char *queue_id);

/* The attempt of that ID, made empty but for its ID when it is new; one that is in its way goes to
   the sink. */
struct maillog_event *maillog_pending_open(struct maillog_pending *pending, const char *queue_id,
                                           const struct maillog_sink *sink);

/* Tell it to the sink, unless it never got a client, and forget it. */
void maillog_pending_close(struct maillog_pending *pending, struct maillog_event *event,
                           const struct maillog_sink *sink);

/* Close all, in the order of their lines. */
void maillog_pending_close_all(struct maillog_pending *pending, const struct maillog_sink *sink);

#endif
