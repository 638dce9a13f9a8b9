/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_pending.h"

#include <stdlib.h>

struct maillog_pending {
    struct maillog_event slots[REPLAY_PENDING_SLOTS]; /* queue_id "": free */
};

struct maillog_pending *maillog_pending_new(void)
{
    return calloc(1, sizeof(struct maillog_pending));
}

void maillog_pending_free(struct maillog_pending *pending)
{
    free(pending);
}

static struct maillog_event *slot_of(struct maillog_pending *pending, const char *queue_id)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (; *queue_id != '\0'; queue_id++)
        hash = (hash ^ (unsigned char)*queue_id) * UINT32_C(16777619);
    return &pending->slots[(hash ^ hash >> 16) % REPLAY_PENDING_SLOTS];
}

struct maillog_event *maillog_pending_find(struct maillog_pending *pending, const char *queue_id)
{
    struct maillog_event *slot = slot_of(pending, queue_id);
    return queue_id[0] != '\0' && strcmp(slot->queue_id, queue_id) == 0 ? slot : NULL;
}

struct maillog_event *maillog_pending_open(struct maillog_pending *pending, const char *queue_id,
                                           const struct maillog_sink *sink)
{
    struct maillog_event *slot = slot_of(pending, queue_id);
    if (strcmp(slot->queue_id, queue_id) == 0)
        return slot;
    if (slot->queue_id[0] != '\0')
        maillog_pending_close(pending, slot, sink);
    maillog_copy(slot->queue_id, sizeof slot->queue_id, queue_id, strlen(queue_id));
    return slot;
}

void maillog_pending_close(struct maillog_pending *pending, struct maillog_event *event,
                           const struct maillog_sink *sink)
{
    (void)pending;
    if (event->client.family != IP_NONE)
        sink->event(sink->arg, event);
    memset(event, 0, sizeof *event);
}

static int by_line(const void *a, const void *b)
{
    const struct maillog_event *const *left = a, *const *right = b;
    return ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

void maillog_pending_close_all(struct maillog_pending *pending, const struct maillog_sink *sink)
{
    struct maillog_event *open[REPLAY_PENDING_SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < REPLAY_PENDING_SLOTS; i++)
        if (pending->slots[i].queue_id[0] != '\0')
            open[count++] = &pending->slots[i];
    qsort(open, count, sizeof open[0], by_line);
    for (size_t i = 0; i < count; i++)
        maillog_pending_close(pending, open[i], sink);
}
