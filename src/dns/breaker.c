/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"

#include <string.h>

/* Labels that stand for a zone: 192.in-addr.arpa is too coarse, 2.0.192.in-addr.arpa is one
 * customer. */
#define LABELS_V4      4  /* 0.192.in-addr.arpa: a /16 */
#define LABELS_V6      10 /* 8 nibbles and ip6.arpa: a /32 */
#define LABELS_FORWARD 2

static bool ends_with(const struct question *question, const char *wire, size_t length)
{
    return question->length >= length &&
           memcmp(question->name + question->length - length, wire, length) == 0;
}

static unsigned labels_of_zone(const struct question *question)
{
    static const char v4[] = "\7in-addr\4arpa"; /* with the root's zero */
    static const char v6[] = "\3ip6\4arpa";
    if (ends_with(question, v4, sizeof v4))
        return LABELS_V4;
    return ends_with(question, v6, sizeof v6) ? LABELS_V6 : LABELS_FORWARD;
}

/* A hash of the zone's part of the name (FNV-1a). */
static uint64_t zone_of(const struct question *question)
{
    unsigned labels = 0, keep = labels_of_zone(question);
    for (size_t at = 0; question->name[at] != 0; at += 1U + question->name[at])
        labels++;
    size_t at = 0;
    for (; labels > keep; labels--)
        at += 1U + question->name[at];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; at < question->length; at++)
        hash = (hash ^ question->name[at]) * UINT64_C(0x100000001b3);
    return hash;
}

static void remember(struct breaker *breaker, uint64_t zone, bool failed, int64_t now_ms)
{
    size_t slot = 0;
    for (size_t i = 0; i < BREAKER_ZONES; i++) {
        if (breaker->zones[i].used && breaker->zones[i].zone == zone) {
            slot = i;
            break;
        }
        if (!breaker->zones[i].used ||
            (breaker->zones[slot].used && breaker->zones[i].when_ms < breaker->zones[slot].when_ms))
            slot = i;
    }
    breaker->zones[slot].used = true;
    breaker->zones[slot].zone = zone;
    breaker->zones[slot].when_ms = now_ms;
    breaker->zones[slot].failed = failed;
}

bool breaker_feed(struct breaker *breaker, const struct question *question, bool failed,
                  int64_t now_ms)
{
    unsigned failing = 0, answering = 0, answering_since = 0;
    if (failed && question->type != RR_PTR)
        return false;
    remember(breaker, zone_of(question), failed, now_ms);
    for (size_t i = 0; i < BREAKER_ZONES; i++) {
        if (!breaker->zones[i].used || now_ms - breaker->zones[i].when_ms > BREAKER_WINDOW_MS)
            continue;
        if (breaker->zones[i].failed) {
            failing++;
        } else {
            answering++;
            answering_since += breaker->zones[i].when_ms >= breaker->since_ms;
        }
    }
    bool open = breaker->open
                    ? answering_since < BREAKER_CLOSE_ZONES
                    : failing >= BREAKER_OPEN_ZONES && failing >= answering * BREAKER_OPEN_RATIO;
    if (open == breaker->open)
        return false;
    breaker->open = open;
    breaker->since_ms = now_ms;
    return true;
}
