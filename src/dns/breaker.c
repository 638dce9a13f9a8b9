/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"

#include "dns/dnsrr.h"

#include <string.h>

/* Labels that stand for a zone: 192.in-addr.arpa is too coarse, 2.0.192.in-addr.arpa is one
 * customer. */
#define LABELS_V4      4  /* 0.192.in-addr.arpa: a /16 */
#define LABELS_V6      10 /* 8 nibbles and ip6.arpa: a /32 */
#define LABELS_FORWARD 2

/* Of the name in a probe: 64 random bits. */
#define LABEL_LENGTH 16

static unsigned labels_of_zone(const struct question *question)
{
    static const uint8_t v4[] = "\7in-addr\4arpa"; /* with the root's zero */
    static const uint8_t v6[] = "\3ip6\4arpa";
    if (wire_name_under(question->name, v4))
        return LABELS_V4;
    return wire_name_under(question->name, v6) ? LABELS_V6 : LABELS_FORWARD;
}

uint64_t breaker_zone(const struct question *question)
{
    const uint8_t *zone = wire_name_tail(question->name, labels_of_zone(question));
    return wirename_hash(zone, question->length - (size_t)(zone - question->name), 0);
}

static void remember(struct breaker_window *window, uint64_t zone, enum breaker_outcome outcome,
                     int64_t now_ms)
{
    size_t slot = 0;
    for (size_t i = 0; i < BREAKER_ZONES; i++) {
        if (window->zones[i].used && window->zones[i].zone == zone) {
            slot = i;
            break;
        }
        if (!window->zones[i].used ||
            (window->zones[slot].used && window->zones[i].when_ms < window->zones[slot].when_ms))
            slot = i;
    }
    window->zones[slot].used = true;
    window->zones[slot].zone = zone;
    window->zones[slot].when_ms = now_ms;
    window->zones[slot].outcome = outcome;
}

/* The zones heard of in the last `within_ms`, by outcome. */
static void count_zones(const struct breaker_window *window, int64_t now_ms, int64_t within_ms,
                        unsigned counts[BREAKER_ZONE_FAILS + 1])
{
    memset(counts, 0, (BREAKER_ZONE_FAILS + 1) * sizeof *counts);
    for (size_t i = 0; i < BREAKER_ZONES; i++)
        if (window->zones[i].used && now_ms - window->zones[i].when_ms <= within_ms)
            counts[window->zones[i].outcome]++;
}

/* Do the lookups of different zones fail, and hardly any succeed? */
static bool seems_down(const struct breaker_window *window, int64_t now_ms)
{
    unsigned counts[BREAKER_ZONE_FAILS + 1];
    count_zones(window, now_ms, BREAKER_WINDOW_MS, counts);
    unsigned failing = counts[BREAKER_ZONE_FAILS];
    unsigned answering = counts[BREAKER_ZONE_FOUND] + counts[BREAKER_ZONE_DENIES];
    if (failing >= BREAKER_OPEN_ZONES && failing >= answering * BREAKER_OPEN_RATIO)
        return true;
    count_zones(window, now_ms, BREAKER_RECENT_MS, counts);
    return counts[BREAKER_ZONE_FAILS] >= BREAKER_OPEN_ZONES &&
           counts[BREAKER_ZONE_FOUND] + counts[BREAKER_ZONE_DENIES] == 0;
}

/* Do the lookups of different zones succeed, and hardly any fail, whatever becomes of probes? */
static bool is_sound(const struct breaker_window *window, int64_t now_ms)
{
    unsigned counts[BREAKER_ZONE_FAILS + 1];
    count_zones(window, now_ms, BREAKER_WINDOW_MS, counts);
    unsigned failing = counts[BREAKER_ZONE_FAILS];
    unsigned answering = counts[BREAKER_ZONE_FOUND] + counts[BREAKER_ZONE_DENIES];
    return answering >= BREAKER_OPEN_ZONES && answering >= failing * BREAKER_CLOSE_RATIO;
}

/* Are all of many networks denied? */
static bool seems_to_deny(const struct breaker_window *window, int64_t now_ms)
{
    unsigned counts[BREAKER_ZONE_FAILS + 1];
    if (window->found && now_ms - window->found_ms <= BREAKER_DENIED_MS)
        return false;
    count_zones(window, now_ms, BREAKER_DENIED_MS, counts);
    return counts[BREAKER_ZONE_DENIES] >= BREAKER_DENIED_NETWORKS;
}

static enum breaker_suspicion begin(struct breaker_window *window, enum breaker_suspicion what,
                                    int64_t now_ms)
{
    window->probing = what;
    window->probed = true;
    window->probe_ms = now_ms;
    return what;
}

enum breaker_suspicion breaker_window_feed(struct breaker_window *window,
                                           const struct question *question,
                                           enum breaker_outcome outcome, int64_t now_ms)
{
    bool reverse = question->type == RR_PTR;
    if (outcome == BREAKER_ZONE_FAILS && !reverse)
        return BREAKER_NOTHING;
    if (outcome == BREAKER_ZONE_DENIES && !reverse)
        outcome = BREAKER_ZONE_FOUND; /* of no interest: it is an answer */
    remember(window, breaker_zone(question), outcome, now_ms);
    if (outcome == BREAKER_ZONE_FOUND && reverse) {
        window->found = true;
        window->found_ms = now_ms;
    }
    if (window->open || window->probing != BREAKER_NOTHING ||
        (window->probed && now_ms - window->probe_ms < BREAKER_REST_MS))
        return BREAKER_NOTHING;
    if (outcome == BREAKER_ZONE_FAILS && seems_down(window, now_ms))
        return begin(window, BREAKER_DOWN, now_ms);
    if (outcome == BREAKER_ZONE_DENIES && seems_to_deny(window, now_ms))
        return begin(window, BREAKER_DENIES_ALL, now_ms);
    return BREAKER_NOTHING;
}

enum breaker_suspicion breaker_window_again(struct breaker_window *window, int64_t now_ms)
{
    if (!window->open || window->probing != BREAKER_NOTHING ||
        now_ms - window->probe_ms < BREAKER_OPEN_MS)
        return BREAKER_NOTHING;
    return begin(window, window->cause, now_ms);
}

/* Does the breaker stay open, or open, after a probe that failed?  Others may have been answered
 * meanwhile. */
static bool is_confirmed(const struct breaker_window *window, enum breaker_suspicion what,
                         int64_t now_ms)
{
    if (what == BREAKER_DENIES_ALL)
        return !window->found || now_ms - window->found_ms > BREAKER_DENIED_MS;
    return window->open ? !is_sound(window, now_ms) : seems_down(window, now_ms);
}

bool breaker_window_probed(struct breaker_window *window, enum breaker_probe probe, int64_t now_ms)
{
    enum breaker_suspicion what = window->probing;
    bool open = window->open;
    window->probing = BREAKER_NOTHING;
    window->probed = probe != BREAKER_UNKNOWN; /* else the next outcome may have one at once */
    if (probe == BREAKER_ANSWERED)
        open = false;
    else if (probe == BREAKER_FAILED)
        open = is_confirmed(window, what, now_ms);
    if (open == window->open)
        return false;
    window->open = open;
    window->cause = open ? what : BREAKER_NOTHING;
    window->since_ms = now_ms;
    return true;
}

void breaker_question(uint64_t random, struct question *out)
{
    static const uint8_t zone[] = "\3com"; /* with the root's zero */
    *out = (struct question){.type = RR_A, .length = 1 + LABEL_LENGTH + sizeof zone};
    out->name[0] = LABEL_LENGTH;
    for (unsigned i = 1; i <= LABEL_LENGTH; i++, random >>= 4)
        out->name[i] = (uint8_t)('a' + (random & 15));
    memcpy(out->name + 1 + LABEL_LENGTH, zone, sizeof zone);
}
