/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is behind a trusted relay.  Of the Received fields the first is by the relay that connected
 * (a milter is not shown the MTA's own; it would only name that relay), and as long as a field
 * names a host that is trusted or ours, the next one down was written by that host.  The first
 * other address is the one to judge; what stands below its field came from there and may say
 * anything.
 */
#include "core/received.h"
#include "daemon/session_state.h"

#include <stdlib.h>
#include <string.h>

/* Received fields that are followed: RFC 5321 6.3 wants at least 100 before a loop is assumed. */
#define RELAY_FIELDS_MAX 100

/* Bytes of a field of the log line. */
#define SHOWN_MAX 200

/* --- the way back --------------------------------------------------------------------------- */

static void end_walk(struct session *session, const char *why)
{
    session->relay.ended = true;
    session->relay.why = why;
}

static void begin_lookup(struct session *session, const struct received *received)
{
    int64_t deadline_ms = session_deadline_ms(session);
    session->client = received->from;
    session->helo_unrecorded = !received->helo_recorded;
    helo_parse(received->helo_recorded ? received->helo : NULL, &session->helo);
    session->lookup = lookup_start(session->services->resolver, &session->client,
                                   session->conf->max_ptr, "", deadline_ms);
    if (session->lookup == NULL ||
        lookup_helo(session->lookup, &session->helo, true, deadline_ms) != RESULT_OK)
        session->nomem = true;
    judge_ask_beside(session, deadline_ms);
}

void relay_received(struct session *session, const char *value)
{
    const struct conf *conf = session->conf;
    struct received received;
    if (session->relay.ended)
        return;
    if (++session->relay.fields > RELAY_FIELDS_MAX) {
        end_walk(session, "too many Received fields");
        return;
    }
    received_parse(value, &received);
    if (received.kind == RECEIVED_INTERNAL)
        return;
    if (received.kind == RECEIVED_FETCHED) {
        /* Its fields below are by strangers, and a refusal would reach nobody who sent it. */
        end_walk(session, "the message was fetched from a mailbox");
        return;
    }
    if (received.kind == RECEIVED_UNREADABLE) {
        end_walk(session, "a Received field of a trusted relay names no address that can be read");
        return;
    }
    if (conf_is_trusted_relay(conf, &received.from))
        return;
    if (received.submitted && conf->skip_authenticated) {
        end_walk(session, "the sender logged in at a trusted relay");
        return;
    }
    if (conf_is_local(conf, &received.from))
        return;
    end_walk(session, NULL);
    begin_lookup(session, &received);
}

/* --- the message's end ---------------------------------------------------------------------- */

/* A line as decision_log_line() writes them, without what is not known. */
static void report_left_alone(const struct session *session)
{
    const struct session_services *services = session->services;
    struct transaction transaction = judge_transaction(session, end_first_recipient(session));
    const char *why = session->relay.why;
    char line[DECISION_LINE_MAX], relay[IPADDR_TEXT_MAX];
    struct textbuf buf;
    if (services->left != NULL)
        services->left(services->arg, SESSION_LEFT_RELAY);
    if (services->left_alone == NULL)
        return;
    if (why == NULL)
        why = session->relay.fields == 0 ? "there is no Received field"
                                         : "every host in the Received fields is trusted or local";
    textbuf_init(&buf, line, sizeof line);
    textbuf_put_field(&buf, "relay", ipaddr_format(transaction.relay, relay), sizeof relay);
    textbuf_put(&buf, " action=accept");
    const struct {
        const char *key, *value;
    } fields[] = {{"stage", transaction.stage},
                  {"mta", transaction.mta},
                  {"queue_id", transaction.queue_id},
                  {"sender", transaction.sender},
                  {"recipient", transaction.recipient}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        textbuf_put_field(&buf, fields[i].key, fields[i].value != NULL ? fields[i].value : "-",
                          SHOWN_MAX);
    textbuf_put_sentence(&buf, "reason", why);
    services->left_alone(services->arg, line);
}

static struct decision *mildest(struct session *session)
{
    struct pending_decision *found = STAILQ_FIRST(&session->pending);
    for (struct pending_decision *pending = found; pending != NULL;
         pending = STAILQ_NEXT(pending, next))
        if (pending->decision.verdict.done.action < found->decision.verdict.done.action)
            found = pending;
    return &found->decision;
}

/*
 * At its end a message can only be refused for all its recipients: so only when it is to be refused
 * for each of them, and for some of them (postmaster may be among the others) it is tagged.
 */
static enum session_answer settle(struct session *session)
{
    struct decision *decision = mildest(session);
    if (action_refuses(decision->verdict.done.action) && !session->recipients.over)
        return judge_refuse(session, decision);
    for (struct pending_decision *pending = STAILQ_FIRST(&session->pending); pending != NULL;
         pending = STAILQ_NEXT(pending, next))
        if (action_refuses(pending->decision.verdict.done.action))
            pending->decision.verdict.done.action = ACTION_TAG;
    header_edit(session, judge_worst(session));
    return SESSION_CONTINUE;
}

enum session_answer relay_resume(struct session *session)
{
    enum facts_state state = session->nomem ? FACTS_NOMEM : judge_facts(session, end_decided);
    if (state == FACTS_MISSING)
        return SESSION_PENDING;
    session->judged_at_end = false;
    if (state == FACTS_NOMEM || !end_judge(session)) {
        judge_drop_pending(session);
        return judge_refuse_without_text(session);
    }
    enum session_answer answer = settle(session);
    judge_report_pending(session);
    return answer;
}

enum session_answer relay_end(struct session *session)
{
    if (session->nomem)
        return judge_refuse_without_text(session);
    if (session->lookup == NULL) {
        /* The relay is ours, and so are the fields that it let through (RFC 8601 5). */
        report_left_alone(session);
        return SESSION_CONTINUE;
    }
    session->judged_at_end = true;
    return relay_resume(session);
}

void relay_forget(struct session *session)
{
    session->relay = (struct relay_walk){0};
    if (session->subject != SUBJECT_BEHIND_RELAY)
        return;
    lookup_free(session->lookup);
    session->lookup = NULL;
    session->facts_known = false;
    session->remembered = false;
    session->greylist = GREYLIST_NOT_ASKED;
    session->client = (struct ipaddr){0};
}
