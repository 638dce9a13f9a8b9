/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/breaker.h"

#include "base/log.h"
#include "dns/dnsrr.h"

#include <stdatomic.h>
#include <stdlib.h>
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

/* A hash of the zone's part of the name. */
static uint64_t zone_of(const struct question *question)
{
    const uint8_t *zone = wire_name_tail(question->name, labels_of_zone(question));
    return wirename_hash(zone, question->length - (size_t)(zone - question->name), 0);
}

static void remember(struct breaker_window *window, uint64_t zone, bool failed, int64_t now_ms)
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
    window->zones[slot].failed = failed;
}

/* The zones heard of lately. */
static void count_zones(const struct breaker_window *window, int64_t now_ms, unsigned *failing,
                        unsigned *answering)
{
    *failing = *answering = 0;
    for (size_t i = 0; i < BREAKER_ZONES; i++) {
        if (!window->zones[i].used || now_ms - window->zones[i].when_ms > BREAKER_WINDOW_MS)
            continue;
        if (window->zones[i].failed)
            ++*failing;
        else
            ++*answering;
    }
}

/* Do the lookups of different zones fail, and hardly any succeed? */
static bool is_suspect(const struct breaker_window *window, int64_t now_ms)
{
    unsigned failing, answering;
    count_zones(window, now_ms, &failing, &answering);
    return failing >= BREAKER_OPEN_ZONES && failing >= answering * BREAKER_OPEN_RATIO;
}

/* Do the lookups of different zones succeed, and hardly any fail, whatever becomes of probes? */
static bool is_sound(const struct breaker_window *window, int64_t now_ms)
{
    unsigned failing, answering;
    count_zones(window, now_ms, &failing, &answering);
    return answering >= BREAKER_OPEN_ZONES && answering >= failing * BREAKER_CLOSE_RATIO;
}

bool breaker_window_feed(struct breaker_window *window, const struct question *question,
                         bool failed, int64_t now_ms)
{
    if (failed && question->type != RR_PTR)
        return false;
    remember(window, zone_of(question), failed, now_ms);
    if (window->probing)
        return false;
    int64_t rest_ms = window->open && !failed ? BREAKER_HOPE_MS : BREAKER_REST_MS;
    if (window->probed && now_ms - window->probe_ms < rest_ms)
        return false;
    /* An answer is no suspicion, but while it is open it is hope. */
    if (!window->open && (!failed || !is_suspect(window, now_ms)))
        return false;
    window->probing = window->probed = true;
    window->probe_ms = now_ms;
    return true;
}

bool breaker_window_probed(struct breaker_window *window, enum breaker_probe probe, int64_t now_ms)
{
    bool open = window->open;
    window->probing = false;
    window->probed = probe != BREAKER_UNKNOWN; /* else the next outcome may have one at once */
    if (probe == BREAKER_ANSWERED)
        open = false;
    else if (probe == BREAKER_FAILED)
        open = open ? !is_sound(window, now_ms)
                    : is_suspect(window, now_ms); /* others may have answered meanwhile */
    if (open == window->open)
        return false;
    window->open = open;
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

/* --- the breaker and its probe --------------------------------------------------------------- */

struct breaker {
    struct breaker_services use;
    bool stopped;
    struct breaker_window window;
    atomic_bool open;         /* the window's, for other threads ... */
    _Atomic int64_t since_ms; /* ... as is this */
    /* One question to the servers themselves, past the cache. */
    struct source *asked; /* a user of it; NULL: no probe is under way */
    void *handle;         /* for cancel; NULL: being asked */
};

struct breaker *breaker_new(const struct breaker_services *services)
{
    struct breaker *breaker = calloc(1, sizeof *breaker);
    if (breaker == NULL)
        return NULL;
    breaker->use = *services;
    atomic_init(&breaker->open, false);
    atomic_init(&breaker->since_ms, 0);
    return breaker;
}

void breaker_free(struct breaker *breaker)
{
    free(breaker);
}

static void end_probe(struct breaker *breaker, enum breaker_probe probe)
{
    if (!breaker_window_probed(&breaker->window, probe, loop_now_ms(breaker->use.loop)))
        return;
    bool open = breaker->window.open;
    atomic_store(&breaker->since_ms, breaker->window.since_ms);
    atomic_store(&breaker->open, open);
    metric_set(breaker->use.outage, 0, 0, open);
    if (open)
        log_warning("DNS outage: lookups of different zones fail, and the servers do not resolve a "
                    "name that we chose; outage-action applies");
    else
        log_info("DNS outage over: lookups are answered again");
    breaker->use.changed(breaker->use.arg, open);
}

static enum breaker_probe verdict(const struct breaker *breaker, const struct answer *answer)
{
    if (answer == NULL || !sources_is_present(breaker->use.sources, breaker->asked))
        return BREAKER_UNKNOWN; /* out of memory, or other servers by now */
    if (answer->outcome != DNS_TEMPERROR || dns_problem_is_of_the_zone(answer->problem))
        return BREAKER_ANSWERED;
    return dns_problem_is_ours((enum dns_problem)answer->problem) ? BREAKER_UNKNOWN
                                                                  : BREAKER_FAILED;
}

static void on_probe(void *arg, const struct source_result *result)
{
    struct breaker *breaker = arg;
    struct source *asked = breaker->asked;
    enum breaker_probe probe = verdict(breaker, result->answer);
    answer_unref(result->answer);
    breaker->asked = NULL;
    breaker->handle = NULL;
    sources_release(breaker->use.sources, asked);
    end_probe(breaker, probe);
}

static void begin_probe(struct breaker *breaker)
{
    struct question seed = {.type = RR_A, .length = sizeof(int64_t)}, question;
    int64_t now_ms = loop_now_ms(breaker->use.loop);
    void *handle;
    if (breaker->stopped) {
        end_probe(breaker, BREAKER_UNKNOWN);
        return;
    }
    memcpy(seed.name, &now_ms, sizeof now_ms);
    breaker_question(cache_hash(breaker->use.cache, &seed), &question);
    breaker->asked = sources_use(breaker->use.sources);
    handle = breaker->asked->ops->ask(breaker->asked, &question, now_ms + BREAKER_PROBE_MS,
                                      on_probe, breaker);
    if (handle != NULL) /* none: it has ended */
        breaker->handle = handle;
}

void breaker_stop(struct breaker *breaker)
{
    breaker->stopped = true;
    if (breaker->handle != NULL) /* on_probe() is called before this returns */
        breaker->asked->ops->cancel(breaker->asked, breaker->handle);
}

void breaker_report(struct breaker *breaker, const struct question *question,
                    const struct answer *answer)
{
    bool failed = answer == NULL || (answer->outcome == DNS_TEMPERROR &&
                                     !dns_problem_is_of_the_zone(answer->problem));
    if (failed && answer != NULL && dns_problem_is_ours((enum dns_problem)answer->problem))
        return; /* our own limits say nothing of the servers */
    if (breaker_window_feed(&breaker->window, question, failed, loop_now_ms(breaker->use.loop)))
        begin_probe(breaker);
}

struct breaker_health breaker_health(const struct breaker *breaker)
{
    return (struct breaker_health){atomic_load(&breaker->open), atomic_load(&breaker->since_ms)};
}

bool breaker_is_open(const struct breaker *breaker)
{
    return atomic_load(&breaker->open);
}
