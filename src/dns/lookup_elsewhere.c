/* SPDX-License-Identifier: BSD-2-Clause */
/* Something about the client that is no DNS, and is waited for as answers of the DNS are. */
#include "dns/lookup_private.h"

void lookup_await_elsewhere(struct lookup *lookup, unsigned within_ms)
{
    atomic_fetch_add(&lookup->refs, 1); /* until lookup_elsewhere_came() */
    pthread_mutex_lock(&lookup->lock);
    lookup->elsewhere = LOOKUP_ELSEWHERE_AWAITED;
    lookup->elsewhere_until_ms = lookup_now_ms(lookup) + within_ms;
    pthread_mutex_unlock(&lookup->lock);
}

void lookup_elsewhere_came(struct lookup *lookup, bool answered)
{
    pthread_mutex_lock(&lookup->lock);
    lookup->elsewhere = answered ? LOOKUP_ELSEWHERE_ANSWERED : LOOKUP_ELSEWHERE_SILENT;
    lookup->news = true;
    (void)pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    lookup_unref(lookup);
}

bool lookup_elsewhere_is_open(const struct lookup *lookup, int64_t now_ms, int64_t *until_ms)
{
    if (lookup->elsewhere != LOOKUP_ELSEWHERE_AWAITED || now_ms >= lookup->elsewhere_until_ms)
        return false;
    if (lookup->elsewhere_until_ms < *until_ms)
        *until_ms = lookup->elsewhere_until_ms;
    return true;
}

enum lookup_elsewhere lookup_elsewhere(struct lookup *lookup)
{
    int64_t until_ms = INT64_MAX;
    pthread_mutex_lock(&lookup->lock);
    enum lookup_elsewhere state = lookup->elsewhere;
    if (state == LOOKUP_ELSEWHERE_AWAITED &&
        !lookup_elsewhere_is_open(lookup, lookup_now_ms(lookup), &until_ms))
        state = LOOKUP_ELSEWHERE_SILENT; /* for now: it may still answer */
    pthread_mutex_unlock(&lookup->lock);
    return state;
}
