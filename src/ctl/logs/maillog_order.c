/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_order.h"

#include <stdlib.h>

struct maillog_order {
    size_t count;
    uint64_t number;                  /* of events, for those of one line */
    uint16_t heap[MAILLOG_ORDER_MAX]; /* the first one on top */
    uint64_t numbers[MAILLOG_ORDER_MAX];
    struct maillog_event events[MAILLOG_ORDER_MAX];
};

struct maillog_order *maillog_order_new(void)
{
    struct maillog_order *order = calloc(1, sizeof *order);
    for (uint16_t i = 0; order != NULL && i < MAILLOG_ORDER_MAX; i++)
        order->heap[i] = i;
    return order;
}

void maillog_order_free(struct maillog_order *order)
{
    free(order);
}

static bool before(const struct maillog_order *order, size_t a, size_t b)
{
    uint16_t left = order->heap[a], right = order->heap[b];
    if (order->events[left].line != order->events[right].line)
        return order->events[left].line < order->events[right].line;
    return order->numbers[left] < order->numbers[right];
}

static void swap(struct maillog_order *order, size_t a, size_t b)
{
    uint16_t place = order->heap[a];
    order->heap[a] = order->heap[b];
    order->heap[b] = place;
}

static void tell_first(struct maillog_order *order, const struct maillog_sink *sink)
{
    sink->event(sink->arg, &order->events[order->heap[0]]);
    swap(order, 0, --order->count);
    for (size_t at = 0;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2; i++)
            if (i < order->count && before(order, i, least))
                least = i;
        if (least == at)
            return;
        swap(order, at, least);
        at = least;
    }
}

void maillog_order_add(struct maillog_order *order, const struct maillog_event *event,
                       const struct maillog_sink *sink)
{
    if (order->count == MAILLOG_ORDER_MAX)
        tell_first(order, sink);
    size_t at = order->count++;
    order->events[order->heap[at]] = *event;
    order->numbers[order->heap[at]] = order->number++;
    for (; at > 0 && before(order, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(order, at, (at - 1) / 2);
}

void maillog_order_flush(struct maillog_order *order, const struct maillog_sink *sink)
{
    while (order->count > 0)
        tell_first(order, sink);
}
