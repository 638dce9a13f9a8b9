/* SPDX-License-Identifier: BSD-2-Clause */
/* From what a session knows to a decision, and what becomes of it. */
#include "daemon/session_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

struct transaction judge_transaction(const struct session *session, const char *recipient)
{
    bool behind = session->subject == SUBJECT_BEHIND_RELAY;
    enum stage stage = session->judged_stage;
    struct transaction transaction = {
        .dialogue = behind                   ? DIALOGUE_MAIL
                    : stage == STAGE_CONNECT ? DIALOGUE_CONNECT
                    : stage == STAGE_HELO    ? DIALOGUE_HELO
                                             : DIALOGUE_MAIL,
        .sender = session->sender,
        .recipient = recipient,
        .listener = or_null(session->listener),
        .mta = or_null(session->mta),
        .queue_id = or_null(session->queue_id),
        .stage = behind ? "end" : stage_text(stage),
        .wall_s = clock_wall_s(session->services->clock),
        .dns_ms = session->lookup != NULL ? lookup_took_ms(session->lookup) : 0,
        .all_cached = session->lookup != NULL && lookup_all_cached(session->lookup),
        .exempt = or_null(session->exempt),
        .exempt_awaited = session->exempt_awaited,
        .relay = behind ? &session->peer : NULL,
        .history = session->remembered ? &session->history : NULL,
        .others_awaited = session->others == LOOKUP_ELSEWHERE_AWAITED,
        .others_silent = session->others == LOOKUP_ELSEWHERE_SILENT,
        .greylist = session->greylist,
    };
    return transaction;
}

/* --- facts ---------------------------------------------------------------------------------- */

static bool is_own_name(const struct session *session, const char *name)
{
    if (name[0] == '\0')
        return false;
    if (strcasecmp(name, session->mta) == 0)
        return true;
    return conf_is_own_name(session->conf, name);
}

/* helo-self: one of our own names or addresses, from somebody who is not us. */
static bool helo_is_ours(const struct session *session)
{
    if (ipaddr_equal(&session->client, &session->own_addr))
        return false;
    if (session->helo.kind == HELO_LITERAL || session->helo.kind == HELO_BARE_IP)
        return session->own_addr.family != IP_NONE &&
               ipaddr_equal(&session->helo.literal, &session->own_addr);
    return is_own_name(session, session->helo.name);
}

static void ask_lists(struct session *session, int64_t deadline_ms)
{
    const struct conf *conf = session->conf;
    const char *zones[LISTED_ZONES_MAX];
    if (!conf->matches_lists)
        return;
    const struct facts facts = {.client = session->client};
    const struct match_subject subject = {.facts = &facts, .listener = or_null(session->listener)};
    size_t count = match_list_zones(conf->matches, conf->match_count, &subject,
                                    clock_wall_s(session->services->clock), zones);
    if (lookup_lists(session->lookup, zones, count, deadline_ms) != RESULT_OK)
        session->nomem = true;
}

static void ask_others(struct session *session)
{
    const struct session_services *services = session->services;
    bool asked = services->ask_others != NULL &&
                 services->ask_others(services->arg, session->lookup, &session->client);
    session->others = asked ? LOOKUP_ELSEWHERE_AWAITED : LOOKUP_ELSEWHERE_NOT_ASKED;
}

void judge_ask_beside(struct session *session, int64_t deadline_ms)
{
    if (session->lookup == NULL)
        return;
    ask_lists(session, deadline_ms);
    ask_others(session);
}

static void tell_others(const struct session *session)
{
    const struct session_services *services = session->services;
    if (session->others != LOOKUP_ELSEWHERE_NOT_ASKED && services->tell_others != NULL)
        services->tell_others(services->arg, &session->client);
}

static bool first_facts(struct session *session)
{
    struct facts *facts = &session->facts;
    if (session->lookup == NULL || lookup_facts(session->lookup, facts) != RESULT_OK)
        return false; /* what was decided still points to the facts of before */
    facts->client = session->client;
    facts->helo = session->helo;
    facts->helo_unrecorded = session->helo_unrecorded;
    facts->helo_domains = session->helo_domains;
    facts->helo_is_ours = helo_is_ours(session);
    facts->client_is_ours = facts->helo_is_ours && session->services->is_own_address != NULL &&
                            session->services->is_own_address(&facts->client);
    facts->mta_resolve = session->mta_resolve;
    memcpy(facts->mta_name, session->mta_name, sizeof facts->mta_name);
    if (session->subject != SUBJECT_CLIENT) { /* of others the MTA has no opinion */
        facts->mta_resolve = MTA_UNKNOWN;
        facts->mta_name[0] = '\0';
    }
    return true;
}

static void find_exemption(struct session *session)
{
    const struct session_services *services = session->services;
    const struct facts *facts = &session->facts;
    int64_t wall_s = clock_wall_s(services->clock);
    if (services->exempt == NULL ||
        !services->exempt(services->arg, facts, wall_s, session->exempt, sizeof session->exempt))
        session->exempt[0] = '\0';
    session->exempt_awaited = facts->awaited && session->exempt[0] == '\0' &&
                              services->exempt_awaited != NULL &&
                              services->exempt_awaited(services->arg, facts, wall_s);
}

/*
 * What is remembered of the client, once and when other hosts have answered, and once what is found
 * out about it now.  What a relay wrote is not proved, so it earns nobody a grace.
 */
static void remember(struct session *session)
{
    const struct facts *facts = &session->facts;
    bool heard = session->others == LOOKUP_ELSEWHERE_ANSWERED, changed;
    struct iprev iprev = iprev_evaluate(facts);
    enum history_event event = history_event_of(facts, &iprev);
    if (event == HISTORY_PASS && session->subject == SUBJECT_BEHIND_RELAY)
        event = HISTORY_NOTHING;
    if (session->remembered && session->heard_others == heard &&
        (event == HISTORY_NOTHING || event == session->noted))
        return;
    session->history = client_memory_note(session->services->memory, &facts->client, event,
                                          clock_wall_s(session->services->clock), &changed);
    session->remembered = true;
    session->heard_others = heard;
    session->noted = event;
    if (changed)
        tell_others(session);
}

/* The facts are others now: so is what decisions borrow of them. */
static void renew_pending(struct session *session)
{
    struct pending_decision *pending;
    STAILQ_FOREACH(pending, &session->pending, next)
    {
        struct transaction transaction = judge_transaction(session, pending->recipient);
        /* An exemption or a block that has ended since changes nothing of what was answered. */
        transaction.wall_s = pending->wall_s;
        transaction.exempt = or_null(pending->exempt);
        transaction.exempt_awaited = false;
        decision_make(session->conf, &session->facts, &transaction, &pending->decision);
    }
}

static bool anything_awaited(const struct session *session)
{
    return session->facts.awaited || session->others == LOOKUP_ELSEWHERE_AWAITED;
}

/* False: memory is out. */
static bool take_facts(struct session *session)
{
    bool taken = !session->facts_known;
    if (taken && session->lookup != NULL)
        lookup_ask_again(session->lookup);
    if (session->nomem || (taken && !first_facts(session)))
        return false;
    if (taken && session->others != LOOKUP_ELSEWHERE_NOT_ASKED)
        session->others = lookup_elsewhere(session->lookup);
    session->facts_known = !anything_awaited(session);
    memcpy(session->facts.sender_domain, session->sender_domain,
           sizeof session->facts.sender_domain);
    find_exemption(session);
    if (taken) {
        remember(session);
        renew_pending(session);
    }
    return true;
}

enum facts_state judge_facts(struct session *session, bool (*decided)(struct session *session))
{
    /* Answers may come, and deadlines pass, while it is looked at: once more, then. */
    for (unsigned calm = 0; calm < 2;) {
        if (!take_facts(session))
            return FACTS_NOMEM;
        if (!anything_awaited(session) || decided(session))
            return FACTS_ENOUGH;
        lookup_go_on(session->lookup, session_deadline_ms(session));
        if (!lookup_ready(session->lookup))
            return FACTS_MISSING;
        calm = lookup_has_changed(session->lookup) ? 0 : calm + 1;
    }
    return FACTS_ENOUGH;
}

bool judge_lets_pass(struct session *session, const char *recipient)
{
    struct decision decision;
    if (!take_facts(session))
        return false;
    struct transaction transaction = judge_transaction(session, recipient);
    decision_begin(session->conf, &session->facts, &transaction, &decision);
    return decision.policy == NULL;
}

struct name_wish {
    struct session *session;
    const struct decision *decision;
    const struct transaction *transaction;
};

/* Is the client exempt if it has this name? */
static bool may_exempt(const struct session *session, const char *name)
{
    const struct session_services *services = session->services;
    struct name_facts names[] = {{.name = name, .forward = {.awaited = true}}};
    struct facts facts = {.client = session->client, .names = names, .name_count = 1};
    return services->exempt_awaited != NULL &&
           services->exempt_awaited(services->arg, &facts, clock_wall_s(services->clock));
}

static bool is_wished_for(void *arg, const char *name)
{
    const struct name_wish *wish = arg;
    return decision_asks_for_name(wish->decision, wish->transaction, name) ||
           may_exempt(wish->session, name);
}

void judge_ask_names(struct session *session, const struct decision *decision,
                     const struct transaction *transaction)
{
    struct name_wish wish = {session, decision, transaction};
    lookup_ask_names(session->lookup, session_deadline_ms(session), is_wished_for, &wish);
}

/* --- decisions that refuse nothing ------------------------------------------------------------ */

static void report(const struct session *session, const struct decision *decision,
                   const struct transaction *transaction)
{
    if (session->services->decided != NULL)
        session->services->decided(session->services->arg, decision, transaction);
}

/* The facts are the same throughout a transaction, so the rest follows. */
static bool same_kind(const struct decision *a, const struct decision *b)
{
    return a->match == b->match && (a->exempt == NULL) == (b->exempt == NULL);
}

/* A decision kept already that says all that this one would. */
static bool is_pending(const struct session *session, const struct decision *decision)
{
    for (const struct pending_decision *pending = STAILQ_FIRST(&session->pending); pending != NULL;
         pending = STAILQ_NEXT(pending, next))
        if (same_kind(&pending->decision, decision))
            return true;
    return false;
}

bool judge_keep(struct session *session, const struct decision *decision, const char *recipient)
{
    if (is_pending(session, decision))
        return true;
    size_t size = recipient != NULL ? strlen(recipient) + 1 : 0;
    struct pending_decision *pending = malloc(sizeof *pending + size);
    if (pending == NULL)
        return false;
    pending->decision = *decision;
    pending->wall_s = clock_wall_s(session->services->clock);
    (void)snprintf(pending->exempt, sizeof pending->exempt, "%s",
                   decision->exempt != NULL ? decision->exempt : "");
    pending->decision.exempt = or_null(pending->exempt);
    pending->recipient = recipient != NULL ? pending->memory : NULL;
    if (recipient != NULL)
        memcpy(pending->memory, recipient, size);
    STAILQ_INSERT_TAIL(&session->pending, pending, next);
    return true;
}

static bool is_worse(const struct verdict *a, const struct verdict *b)
{
    return a->done.action != b->done.action ? a->done.action > b->done.action
                                            : a->would.action > b->would.action;
}

const struct decision *judge_worst(const struct session *session)
{
    const struct decision *worst = NULL;
    for (const struct pending_decision *pending = STAILQ_FIRST(&session->pending); pending != NULL;
         pending = STAILQ_NEXT(pending, next))
        if (worst == NULL || is_worse(&pending->decision.verdict, &worst->verdict))
            worst = &pending->decision;
    return worst;
}

void judge_drop_pending(struct session *session)
{
    struct pending_decision *pending;
    while ((pending = STAILQ_FIRST(&session->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&session->pending, next);
        free(pending);
    }
}

void judge_report_pending(struct session *session)
{
    for (const struct pending_decision *pending = STAILQ_FIRST(&session->pending); pending != NULL;
         pending = STAILQ_NEXT(pending, next)) {
        struct transaction transaction = judge_transaction(session, pending->recipient);
        report(session, &pending->decision, &transaction);
    }
    judge_drop_pending(session);
}

/* --- answers -------------------------------------------------------------------------------- */

enum session_answer judge_refuse_without_text(struct session *session)
{
    free(session->reply);
    session->reply = NULL;
    return SESSION_TEMPFAIL;
}

enum session_answer judge_refuse_in_words(struct session *session, const char *xcode,
                                          const char *text)
{
    if (session->reply == NULL)
        session->reply = malloc(sizeof *session->reply);
    if (session->reply == NULL)
        return SESSION_TEMPFAIL;
    *session->reply = (struct reply){.code = "451", .line_count = 1};
    (void)snprintf(session->reply->xcode, sizeof session->reply->xcode, "%s", xcode);
    (void)snprintf(session->reply->lines[0], sizeof session->reply->lines[0], "%s", text);
    return SESSION_TEMPFAIL;
}

enum session_answer judge_refuse(struct session *session, const struct decision *decision)
{
    if (session->reply == NULL)
        session->reply = malloc(sizeof *session->reply);
    if (session->reply == NULL)
        return SESSION_TEMPFAIL;
    decision_reply(decision, session->reply_prefix, session->reply);
    return decision->verdict.done.action == ACTION_REJECT ? SESSION_REJECT : SESSION_TEMPFAIL;
}

void judge_unsettle(struct session *session)
{
    free(session->connection_decision);
    session->connection_decision = NULL;
}

bool judge_settle(struct session *session, const struct decision *decision,
                  const struct transaction *transaction)
{
    judge_unsettle(session);
    session->connection_decision = malloc(sizeof *session->connection_decision);
    if (session->connection_decision == NULL)
        return false;
    *session->connection_decision = *decision;
    report(session, decision, transaction);
    return true;
}

void judge_forget(struct session *session)
{
    free(session->judged_recipient);
    session->judged_recipient = NULL;
    session->judged_at_end = false;
}

static enum greylist_answer ask_greylist(const struct session *session, unsigned delay_s,
                                         const struct transaction *transaction)
{
    enum greylist_answer answer = greylist_table_seen(session->services->greylist, &session->client,
                                                      delay_s, transaction->wall_s);
    if (answer == GREYLIST_NOT_ASKED)
        return GREYLIST_NO_ROOM; /* without a table it would never come again */
    if (answer == GREYLIST_FIRST || answer == GREYLIST_PASSED)
        tell_others(session);
    return transaction->others_silent && !greylist_lets_in(answer) ? GREYLIST_UNKNOWN : answer;
}

void judge_decide(struct session *session, struct transaction *transaction, struct decision *out)
{
    /* Nobody waits for other hosts any longer. */
    transaction->others_silent = transaction->others_silent || transaction->others_awaited;
    transaction->others_awaited = false;
    decision_make(session->conf, &session->facts, transaction, out);
    if (out->verdict.done.action != ACTION_GREYLIST)
        return;
    transaction->greylist = ask_greylist(session, out->policy->greylist_delay_s, transaction);
    if (greylist_lets_in(transaction->greylist))
        session->greylist = transaction->greylist;
    decision_make(session->conf, &session->facts, transaction, out);
}

/* Is the decision at a command the one that it will be when all is known? */
static bool is_decided(struct session *session)
{
    struct transaction transaction = judge_transaction(session, session->judged_recipient);
    struct decision decision;
    if (session->conf->monitor)
        return true; /* it is postponed */
    decision_begin(session->conf, &session->facts, &transaction, &decision);
    if (decision_is_final(&decision, &transaction))
        return true;
    judge_ask_names(session, &decision, &transaction);
    return false;
}

/* What is still under way is of no use: unless another recipient may need it. */
static void hold_lookup(const struct session *session, const struct decision *decision)
{
    if (!session->facts.awaited)
        return;
    if (session->judged_stage < STAGE_RCPT || !session->conf->matches_recipient ||
        action_refuses(decision->verdict.done.action))
        lookup_hold(session->lookup);
}

/*
 * A refusal is reported at once; so is a connection's decision, which serves all its messages. What
 * lets a sender or a recipient in is reported at the end, when the queue id is known.
 */
static enum session_answer conclude(struct session *session)
{
    struct decision decision;
    struct transaction transaction = judge_transaction(session, session->judged_recipient);
    judge_decide(session, &transaction, &decision);
    hold_lookup(session, &decision);
    if (action_refuses(decision.verdict.done.action)) {
        report(session, &decision, &transaction);
        return judge_refuse(session, &decision);
    }
    if (session->judged_stage < STAGE_MAIL
            ? judge_settle(session, &decision, &transaction)
            : judge_keep(session, &decision, session->judged_recipient))
        return SESSION_CONTINUE;
    return judge_refuse_without_text(session);
}

enum session_answer judge_resume(struct session *session)
{
    enum session_answer answer = SESSION_PENDING;
    enum facts_state state = session->nomem ? FACTS_NOMEM : judge_facts(session, is_decided);
    switch (state) {
    case FACTS_MISSING:
        return SESSION_PENDING;
    case FACTS_NOMEM:
        answer = judge_refuse_without_text(session);
        break;
    case FACTS_ENOUGH:
        answer = anything_awaited(session) && session->conf->monitor ? end_postpone(session)
                                                                     : conclude(session);
        break;
    }
    judge_forget(session);
    return answer;
}

enum session_answer judge_at(struct session *session, enum stage stage, char *recipient)
{
    judge_forget(session);
    session->judged_stage = stage;
    session->judged_recipient = recipient;
    return judge_resume(session);
}
