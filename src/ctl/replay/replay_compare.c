/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_compare.h"

#include "ctl/replay/replay_tally.h"

bool replay_compare_init(struct replay_compare *compare, uint64_t seed)
{
    memset(compare, 0, sizeof *compare);
    compare->domains = ranking_new(seed, sizeof(struct replay_compare_row));
    return compare->domains != NULL;
}

void replay_compare_clear(struct replay_compare *compare)
{
    ranking_free(compare->domains);
    compare->domains = NULL;
}

enum action replay_compare_action(const struct decision *decision)
{
    return decision == NULL ? ACTION_ACCEPT : decision->verdict.would.action;
}

static enum action done(const struct decision *decision)
{
    return decision == NULL ? ACTION_ACCEPT : decision->verdict.done.action;
}

uint64_t replay_compare_sum(const struct replay_changes *changes)
{
    return changes->stopped + changes->passed + changes->stricter + changes->milder;
}

static void count(struct replay_changes *changes, enum action before, enum action after)
{
    bool refused = action_refuses(before), refuses = action_refuses(after);
    changes->stopped += !refused && refuses;
    changes->passed += refused && !refuses;
    changes->stricter += refused == refuses && after > before;
    changes->milder += refused == refuses && after < before;
}

static void keep_example(struct replay_compare_row *row, enum action before, enum action after,
                         const struct decision *reason)
{
    char text[REASON_MAX];
    bool stopped = !action_refuses(before) && action_refuses(after);
    if (row->client[0] != '\0' && (row->stopped || !stopped))
        return;
    row->stopped = stopped;
    row->before = before;
    row->after = after;
    (void)reply_reason(&reason->evidence, &reason->verdict.would, text);
    (void)ipaddr_format(&reason->evidence.facts->client, row->client);
    maillog_copy(row->text, sizeof row->text, text, strlen(text));
}

bool replay_compare_add(struct replay_compare *compare, const struct maillog_event *event,
                        const struct decision *decision, const struct decision *other)
{
    char memory[IPNET_TEXT_MAX];
    enum action before = replay_compare_action(decision), after = replay_compare_action(other);
    compare->total++;
    compare->by_action[before][after]++;
    compare->now += done(decision) != done(other);
    if (before == after)
        return false;
    /* The one that does more says why; it does not leave the client alone. */
    const struct decision *reason = after > before ? other : decision;
    count(&compare->changes, before, after);
    count(&compare->checks[reason->verdict.would.reason], before, after);
    struct ranking_row *row = ranking_add(compare->domains, replay_tally_domain(reason, memory),
                                          replay_compare_action(reason), event->wall_s);
    struct replay_compare_row *extra = row->extra;
    count(&extra->changes, before, after);
    if (row != ranking_others(compare->domains))
        keep_example(extra, before, after, reason);
    return true;
}
