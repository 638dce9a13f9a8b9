/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_pending.h"

#include <stdlib.h>

struct replay_pending {
    struct replay_event slots[REPLAY_PENDING_SLOTS]; /* queue_id "": free */
};

struct replay_pending *replaypending_new(void)
{
    return calloc(1, sizeof(struct replay_pending));
}

void replaypending_free(struct replay_pending *pending)
{
    free(pending);
}

static struct replay_event *slot_of(struct replay_pending *pending, const char *queue_id)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (; *queue_id != '\0'; queue_id++)
        hash = (hash ^ (unsigned char)*queue_id) * UINT32_C(16777619);
    return &pending->slots[(hash ^ hash >> 16) % REPLAY_PENDING_SLOTS];
}

struct replay_event *replaypending_find(struct replay_pending *pending, const char *queue_id)
{
    struct replay_event *slot = slot_of(pending, queue_id);
    return queue_id[0] != '\0' && strcmp(slot->queue_id, queue_id) == 0 ? slot : NULL;
}

struct replay_event *replaypending_open(struct replay_pending *pending, const char *queue_id,
                                        const struct replay_sink *sink)
{
    struct replay_event *slot = slot_of(pending, queue_id);
    if (strcmp(slot->queue_id, queue_id) == 0)
        return slot;
    if (slot->queue_id[0] != '\0')
        replaypending_close(pending, slot, sink);
    replay_copy(slot->queue_id, sizeof slot->queue_id, queue_id, strlen(queue_id));
    return slot;
}

void replaypending_close(struct replay_pending *pending, struct replay_event *event,
                         const struct replay_sink *sink)
{
    (void)pending;
    if (event->client.family != IP_NONE)
        sink->event(sink->arg, event);
    memset(event, 0, sizeof *event);
}

static int by_line(const void *a, const void *b)
{
    const struct replay_event *const *left = a, *const *right = b;
    return ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

void replaypending_close_all(struct replay_pending *pending, const struct replay_sink *sink)
{
    struct replay_event *open[REPLAY_PENDING_SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < REPLAY_PENDING_SLOTS; i++)
        if (pending->slots[i].queue_id[0] != '\0')
            open[count++] = &pending->slots[i];
    qsort(open, count, sizeof open[0], by_line);
    for (size_t i = 0; i < count; i++)
        replaypending_close(pending, open[i], sink);
}
