/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_judge.h"

#include "core/mailpath.h"
#include "ctl/replay/replay_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* One lookup under way. */
struct pending {
    struct maillog_event event;
    char *file; /* owned: of a Maildir many are read meanwhile */
    struct lookup *lookup;
    struct replay_left left;
};

struct replay_judge {
    struct conf conf;  /* a copy, whose match blocks may be left out */
    struct conf other; /* likewise, to compare with */
    bool compares;
    struct dns_service *dns;
    unsigned rate;
    int64_t now_s;
    int64_t next_ms; /* when the next lookup may start */
    const struct replay_visitor *visitor;
    struct client_memory *memory; /* NULL: evidence is of today, which has no past */
    bool nomem;
    size_t first, count; /* of the ring */
    struct pending ring[REPLAY_IN_FLIGHT];
};

/* Plain data that borrows from the original; never counted, never freed. */
static void copy(struct conf *out, const struct conf *conf, const struct policy *policy)
{
    memcpy(out, conf, sizeof *out);
    if (policy == NULL)
        return;
    /* Without match blocks the first policy is the one that counts. */
    out->match_count = 0;
    out->policies = (struct policy *)(uintptr_t)policy;
    out->policy_count = 1;
}

struct replay_judge *replay_judge_new(const struct conf *conf, const struct policy *policy,
                                      struct dns_service *dns, unsigned rate, int64_t now_s,
                                      const struct replay_visitor *visitor)
{
    struct replay_judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL)
        return NULL;
    copy(&judge->conf, conf, policy);
    judge->dns = dns;
    judge->rate = rate;
    judge->now_s = now_s;
    judge->visitor = visitor;
    if (dns != NULL)
        return judge;
    static const uint8_t key[SIPHASH_KEY_LENGTH]; /* what collides is a grace too many */
    judge->memory = client_memory_new(&conf->clients, key);
    if (judge->memory != NULL)
        return judge;
    free(judge);
    return NULL;
}

void replay_judge_compare(struct replay_judge *judge, const struct conf *other,
                          const struct policy *policy)
{
    copy(&judge->other, other, policy);
    judge->compares = true;
}

/* --- deciding -------------------------------------------------------------------------------- */

/* What else is known of an attempt besides the facts about its client. */
struct known {
    const struct maillog_event *event;
    const struct facts *facts;
    int64_t dns_ms;
    bool all_cached;
    struct replay_left left;
};

/* What the attempts before say about the client, and this one. */
static struct history remember(const struct replay_judge *judge, const struct known *known)
{
    struct iprev iprev = iprev_evaluate(known->facts);
    return client_memory_note(judge->memory, &known->event->client,
                              history_event_of(known->facts, &iprev), known->event->wall_s, NULL);
}

static void decide(const struct replay_judge *judge, const struct known *known)
{
    struct decision decision, other;
    struct history history;
    struct facts facts = *known->facts; /* of the other configuration: its own names differ */
    const struct maillog_event *event = known->event;
    char sender[MAILPATH_MAX + 1], recipient[MAILPATH_MAX + 1];
    struct transaction transaction = {
        .dialogue = event->helo_recorded ? DIALOGUE_MAIL : DIALOGUE_CONNECT,
        .sender = event->sender_recorded ? mailpath_canonical(event->sender, sender) : NULL,
        .recipient =
            event->recipient_recorded ? mailpath_canonical(event->recipient, recipient) : NULL,
        .queue_id = event->queue_id[0] != '\0' ? event->queue_id : NULL,
        .stage = "replay",
        .wall_s = judge->now_s, /* what would become of it today: `until` of match blocks */
        .dns_ms = known->dns_ms,
        .all_cached = known->all_cached,
    };
    if (judge->memory != NULL && event->wall_s != 0) {
        history = remember(judge, known);
        transaction.history = &history;
        transaction.found_s = event->wall_s;
    }
    if (!known->left.alone)
        decision_make(&judge->conf, known->facts, &transaction, &decision);
    if (judge->compares && !known->left.other) {
        facts.helo_is_ours = false;
        replay_facts_envelope(&judge->other, event, &facts);
        decision_make(&judge->other, &facts, &transaction, &other);
    }
    transaction.wall_s = event->wall_s;
    if (!known->left.alone)
        judge->visitor->decided(judge->visitor->arg, event, &decision, &transaction);
    if (judge->compares)
        judge->visitor->compared(judge->visitor->arg, event, known->left.alone ? NULL : &decision,
                                 known->left.other ? NULL : &other, &transaction);
}

/* --- lookups --------------------------------------------------------------------------------- */

/* The oldest lookup ends. */
static void settle_first(struct replay_judge *judge)
{
    struct pending *pending = &judge->ring[judge->first];
    struct facts facts = {0};
    lookup_wait_for_all(pending->lookup);
    if (lookup_facts(pending->lookup, &facts) == RESULT_OK) {
        replay_facts_envelope(&judge->conf, &pending->event, &facts);
        const struct known known = {&pending->event, &facts, lookup_took_ms(pending->lookup),
                                    lookup_all_cached(pending->lookup), pending->left};
        decide(judge, &known);
    } else {
        judge->nomem = true;
    }
    lookup_free(pending->lookup);
    free(pending->file);
    judge->first = (judge->first + 1) % REPLAY_IN_FLIGHT;
    judge->count--;
}

/* One more client that the cache did not know: wait for its turn. */
static void keep_rate(struct replay_judge *judge)
{
    int64_t now_ms = clock_ms(&clock_system);
    if (judge->rate == 0)
        return;
    if (judge->next_ms < now_ms)
        judge->next_ms = now_ms;
    int64_t wait_ms = judge->next_ms - now_ms;
    judge->next_ms += 1000 / judge->rate > 0 ? 1000 / judge->rate : 1;
    struct timespec pause = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
    while (wait_ms > 0 && nanosleep(&pause, &pause) != 0 && errno == EINTR)
        continue;
}

static void start_lookup(struct replay_judge *judge, const struct maillog_event *event,
                         const struct replay_left *left)
{
    if (judge->count == REPLAY_IN_FLIGHT)
        settle_first(judge);
    struct pending *pending = &judge->ring[(judge->first + judge->count) % REPLAY_IN_FLIGHT];
    struct facts facts = {0};
    int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)judge->conf.deadline_s * 1000;
    replay_facts_envelope(&judge->conf, event, &facts);
    pending->event = *event;
    pending->left = *left;
    pending->file = event->file != NULL ? strdup(event->file) : NULL;
    pending->event.file = pending->file;
    pending->lookup = lookup_start(dns_service_resolver(judge->dns), &event->client,
                                   judge->conf.max_ptr, "", deadline_ms);
    if (pending->lookup == NULL || (event->file != NULL && pending->file == NULL)) {
        lookup_free(pending->lookup);
        free(pending->file);
        judge->nomem = true;
        return;
    }
    judge->count++;
    if (lookup_helo(pending->lookup, &facts.helo, true, deadline_ms) != RESULT_OK)
        judge->nomem = true;
    if (!lookup_ready(pending->lookup))
        keep_rate(judge);
}

/* --- attempts -------------------------------------------------------------------------------- */

static bool skip(const struct replay_judge *judge, const struct conf *conf,
                 const struct maillog_event *event, enum replay_skip *why)
{
    if (conf_is_local(conf, &event->client))
        *why = REPLAY_SKIP_LOCAL;
    else if (event->authenticated && conf->skip_authenticated)
        *why = REPLAY_SKIP_AUTHENTICATED;
    else if (conf_is_trusted_relay(conf, &event->client))
        *why = REPLAY_SKIP_RELAY;
    else if (judge->dns == NULL && !replay_facts_are_recorded(event))
        *why =
            event->ptr_state == REPLAY_PTR_TEMPERROR ? REPLAY_SKIP_FAILED : REPLAY_SKIP_UNRECORDED;
    else
        return false;
    return true;
}

void replay_judge_event(struct replay_judge *judge, const struct maillog_event *event)
{
    enum replay_skip why, other_why;
    struct replay_facts recorded;
    const struct replay_left left = {.alone = skip(judge, &judge->conf, event, &why),
                                     .other = !judge->compares ||
                                              skip(judge, &judge->other, event, &other_why)};
    if (left.alone)
        judge->visitor->skipped(judge->visitor->arg, why);
    if (left.alone && left.other)
        return;
    const struct known known = {event, &recorded.facts, 0, false, left};
    if (judge->dns != NULL)
        start_lookup(judge, event, &left);
    else if (replay_facts_recorded(&judge->conf, event, &recorded))
        decide(judge, &known);
}

enum result replay_judge_finish(struct replay_judge *judge)
{
    while (judge->count > 0)
        settle_first(judge);
    return judge->nomem ? RESULT_NOMEM : RESULT_OK;
}

void replay_judge_free(struct replay_judge *judge)
{
    if (judge == NULL)
        return;
    while (judge->count > 0)
        settle_first(judge);
    client_memory_free(judge->memory);
    free(judge);
}
