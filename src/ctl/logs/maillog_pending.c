/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_pending.h"

#include "base/hash.h"

#include <stdlib.h>

#define SETS (REPLAY_PENDING_SLOTS / MAILLOG_PENDING_WAYS)

struct maillog_pending {
    struct maillog_pending_entry entries[REPLAY_PENDING_SLOTS];
};

struct maillog_pending *maillog_pending_new(void)
{
    return calloc(1, sizeof(struct maillog_pending));
}

void maillog_pending_free(struct maillog_pending *pending)
{
    free(pending);
}

static struct maillog_pending_entry *set_of(struct maillog_pending *pending,
                                            const struct maillog_pending_key *key)
{
    uint32_t hash = hash_mix(hash_text(HASH_START ^ (uint32_t)key->host, key->queue_id));
    return &pending->entries[hash % SETS * MAILLOG_PENDING_WAYS];
}

struct maillog_pending_entry *maillog_pending_find(struct maillog_pending *pending,
                                                   const struct maillog_pending_key *key)
{
    struct maillog_pending_entry *set = set_of(pending, key), *other = NULL;
    unsigned others = 0;
    if (key->queue_id[0] == '\0')
        return NULL;
    for (size_t i = 0; i < MAILLOG_PENDING_WAYS; i++) {
        if (set[i].event.queue_id[0] == '\0' || set[i].host != key->host ||
            strcmp(set[i].event.queue_id, key->queue_id) != 0)
            continue;
        if (set[i].instance == key->instance)
            return &set[i];
        other = &set[i];
        others++;
    }
    return others == 1 ? other : NULL;
}

struct maillog_pending_entry *maillog_pending_open(struct maillog_pending *pending,
                                                   const struct maillog_pending_key *key,
                                                   const struct maillog_sink *sink)
{
    struct maillog_pending_entry *set = set_of(pending, key), *place = set;
    for (size_t i = 0; i < MAILLOG_PENDING_WAYS; i++) {
        bool is_free = set[i].event.queue_id[0] == '\0';
        if (!is_free && set[i].host == key->host && set[i].instance == key->instance &&
            strcmp(set[i].event.queue_id, key->queue_id) == 0)
            return &set[i];
        if (place->event.queue_id[0] != '\0' && (is_free || set[i].event.line < place->event.line))
            place = &set[i];
    }
    if (place->event.queue_id[0] != '\0')
        maillog_pending_close(place, sink);
    maillog_copy(place->event.queue_id, sizeof place->event.queue_id, key->queue_id,
                 strlen(key->queue_id));
    place->host = key->host;
    place->instance = key->instance;
    return place;
}

void maillog_pending_drop(struct maillog_pending_entry *entry)
{
    memset(entry, 0, sizeof *entry);
}

void maillog_pending_close(struct maillog_pending_entry *entry, const struct maillog_sink *sink)
{
    if (entry->event.client.family != IP_NONE &&
        (!entry->abandoned || entry->event.outcome != REPLAY_UNKNOWN))
        sink->event(sink->arg, &entry->event);
    maillog_pending_drop(entry);
}

static int by_line(const void *a, const void *b)
{
    const struct maillog_pending_entry *const *left = a, *const *right = b;
    return ((*left)->event.line > (*right)->event.line) -
           ((*left)->event.line < (*right)->event.line);
}

void maillog_pending_close_all(struct maillog_pending *pending, const struct maillog_sink *sink)
{
    struct maillog_pending_entry *open[REPLAY_PENDING_SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < REPLAY_PENDING_SLOTS; i++)
        if (pending->entries[i].event.queue_id[0] != '\0')
            open[count++] = &pending->entries[i];
    qsort(open, count, sizeof open[0], by_line);
    for (size_t i = 0; i < count; i++)
        maillog_pending_close(open[i], sink);
}
