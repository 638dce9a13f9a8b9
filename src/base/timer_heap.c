/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/timer_heap.h"

#include <stdlib.h>

#define ROOM_MIN 16

static bool is_sooner(const struct heap_timer *a, const struct heap_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->arming < b->arming;
}

static void put(struct timer_heap *heap, struct heap_timer *timer, size_t place)
{
    heap->list[place] = timer;
    timer->place = place;
}

static void go_up(struct timer_heap *heap, struct heap_timer *timer)
{
    while (timer->place > 0) {
        size_t place = timer->place, above = (place - 1) / 2;
        if (!is_sooner(timer, heap->list[above]))
            return;
        put(heap, heap->list[above], place);
        put(heap, timer, above);
    }
}

static void go_down(struct timer_heap *heap, struct heap_timer *timer)
{
    for (;;) {
        size_t place = timer->place, below = 2 * place + 1;
        if (below >= heap->count)
            return;
        if (below + 1 < heap->count && is_sooner(heap->list[below + 1], heap->list[below]))
            below++;
        if (!is_sooner(heap->list[below], timer))
            return;
        put(heap, heap->list[below], place);
        put(heap, timer, below);
    }
}

static enum result make_room(struct timer_heap *heap)
{
    size_t room = heap->room == 0 ? ROOM_MIN : 2 * heap->room;
    if (heap->count < heap->room)
        return RESULT_OK;
    struct heap_timer **list = realloc(heap->list, room * sizeof(struct heap_timer *));
    if (list == NULL)
        return RESULT_NOMEM;
    heap->list = list;
    heap->room = room;
    return RESULT_OK;
}

enum result timer_heap_add(struct timer_heap *heap, struct heap_timer *timer, int64_t due_ms)
{
    enum result status = make_room(heap);
    if (status != RESULT_OK)
        return status;
    timer->due_ms = due_ms;
    timer->arming = heap->armings++;
    timer->armed = true;
    put(heap, timer, heap->count++);
    go_up(heap, timer);
    return RESULT_OK;
}

void timer_heap_remove(struct timer_heap *heap, struct heap_timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    struct heap_timer *last = heap->list[--heap->count];
    if (last == timer)
        return;
    put(heap, last, timer->place);
    go_up(heap, last);
    go_down(heap, last);
}

struct heap_timer *timer_heap_first(const struct timer_heap *heap)
{
    return heap->count > 0 ? heap->list[0] : NULL;
}

void timer_heap_clear(struct timer_heap *heap)
{
    free(heap->list);
    *heap = (struct timer_heap){0};
}
