/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"

#include <string.h>

/* Labels that stand for a zone: 192.in-addr.arpa is too coarse, 2.0.192.in-addr.arpa is one
 * customer. */
#define LABELS_V4      4  /* 0.192.in-addr.arpa: a /16 */
#define LABELS_V6      10 /* 8 nibbles and ip6.arpa: a /32 */
#define LABELS_FORWARD 2

/* Of the name in a probe: 64 random bits. */
#define LABEL_LENGTH 16

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

/* The zones heard of lately. */
static void count_zones(const struct breaker *breaker, int64_t now_ms, unsigned *failing,
                        unsigned *answering)
{
    *failing = *answering = 0;
    for (size_t i = 0; i < BREAKER_ZONES; i++) {
        if (!breaker->zones[i].used || now_ms - breaker->zones[i].when_ms > BREAKER_WINDOW_MS)
            continue;
        if (breaker->zones[i].failed)
            ++*failing;
        else
            ++*answering;
    }
}

/* Do the lookups of different zones fail, and hardly any succeed? */
static bool is_suspect(const struct breaker *breaker, int64_t now_ms)
{
    unsigned failing, answering;
    count_zones(breaker, now_ms, &failing, &answering);
    return failing >= BREAKER_OPEN_ZONES && failing >= answering * BREAKER_OPEN_RATIO;
}

/* Do the lookups of different zones succeed, and hardly any fail, whatever becomes of probes? */
static bool is_sound(const struct breaker *breaker, int64_t now_ms)
{
    unsigned failing, answering;
    count_zones(breaker, now_ms, &failing, &answering);
    return answering >= BREAKER_OPEN_ZONES && answering >= failing * BREAKER_CLOSE_RATIO;
}

bool breaker_feed(struct breaker *breaker, const struct question *question, bool failed,
                  int64_t now_ms)
{
    if (failed && question->type != RR_PTR)
        return false;
    remember(breaker, zone_of(question), failed, now_ms);
    if (breaker->probing)
        return false;
    int64_t rest_ms = breaker->open && !failed ? BREAKER_HOPE_MS : BREAKER_REST_MS;
    if (breaker->probed && now_ms - breaker->probe_ms < rest_ms)
        return false;
    /* An answer is no suspicion, but while it is open it is hope. */
    if (!breaker->open && (!failed || !is_suspect(breaker, now_ms)))
        return false;
    breaker->probing = breaker->probed = true;
    breaker->probe_ms = now_ms;
    return true;
}

bool breaker_probed(struct breaker *breaker, enum breaker_probe probe, int64_t now_ms)
{
    bool open = breaker->open;
    breaker->probing = false;
    breaker->probed = probe != BREAKER_UNKNOWN; /* else the next outcome may have one at once */
    if (probe == BREAKER_ANSWERED)
        open = false;
    else if (probe == BREAKER_FAILED)
        open = open ? !is_sound(breaker, now_ms)
                    : is_suspect(breaker, now_ms); /* others may have answered meanwhile */
    if (open == breaker->open)
        return false;
    breaker->open = open;
    breaker->since_ms = now_ms;
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
