/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is judged when a message ends: what came from a trusted relay, and in monitor mode, where
 * nobody has to wait at a command, what was not known then.
 */
#include "daemon/session_state.h"

#include <stdlib.h>
#include <string.h>

/* Recipients of one message that are judged each for itself: RFC 5321 4.5.3.1.8 lets a server stop
   there. */
#define END_RECIPIENTS_MAX 100

/* --- recipients ----------------------------------------------------------------------------- */

enum result end_recipient(struct session *session, const char *recipient)
{
    struct recipients *recipients = &session->recipients;
    /* One is enough for the log where no match block asks. */
    if (recipients->count > 0 && !session->conf->matches_recipient)
        return RESULT_OK;
    if (recipients->count == END_RECIPIENTS_MAX) {
        recipients->over = true;
        return RESULT_OK;
    }
    size_t size = strlen(recipient) + 1;
    struct recipient *copy = malloc(sizeof *copy + size);
    if (copy == NULL)
        return RESULT_NOMEM;
    memcpy(copy->address, recipient, size);
    STAILQ_INSERT_TAIL(&recipients->list, copy, next);
    recipients->count++;
    return RESULT_OK;
}

const char *end_first_recipient(const struct session *session)
{
    const struct recipient *first = STAILQ_FIRST(&session->recipients.list);
    return first != NULL ? first->address : NULL;
}

void end_forget_recipients(struct session *session)
{
    struct recipient *recipient;
    while ((recipient = STAILQ_FIRST(&session->recipients.list)) != NULL) {
        STAILQ_REMOVE_HEAD(&session->recipients.list, next);
        free(recipient);
    }
    session->recipients = (struct recipients){0};
    STAILQ_INIT(&session->recipients.list);
}

/* For every recipient, or once where none is known.  False: `call` said so. */
static bool each_recipient(struct session *session,
                           bool (*call)(struct session *session, const char *recipient))
{
    const struct recipient *recipient = STAILQ_FIRST(&session->recipients.list);
    if (recipient == NULL)
        return call(session, NULL);
    for (; recipient != NULL; recipient = STAILQ_NEXT(recipient, next))
        if (!call(session, recipient->address))
            return false;
    return true;
}

/* --- judging -------------------------------------------------------------------------------- */

/* In monitor mode every lookup is of use: nobody is refused, and somebody reads the log. */
static bool is_decided(struct session *session, const char *recipient)
{
    struct transaction transaction = judge_transaction(session, recipient);
    struct decision decision;
    decision_begin(session->conf, &session->facts, &transaction, &decision);
    if (!session->conf->monitor && decision_is_final(&decision, &transaction))
        return true;
    judge_ask_names(session, &decision, &transaction);
    return false;
}

bool end_decided(struct session *session)
{
    return each_recipient(session, is_decided);
}

static bool judge_recipient(struct session *session, const char *recipient)
{
    struct decision decision;
    struct transaction transaction = judge_transaction(session, recipient);
    judge_decide(session, &transaction, &decision);
    return judge_keep(session, &decision, recipient);
}

bool end_judge(struct session *session)
{
    return each_recipient(session, judge_recipient);
}

/* --- monitor mode --------------------------------------------------------------------------- */

enum session_answer end_postpone(struct session *session)
{
    if (session->judged_stage < STAGE_MAIL) {
        session->connection_postponed = true;
        session->postponed_stage = session->judged_stage;
        return SESSION_CONTINUE;
    }
    if (session->judged_recipient != NULL &&
        end_recipient(session, session->judged_recipient) != RESULT_OK)
        return judge_refuse_without_text(session);
    session->message_postponed = true;
    return SESSION_CONTINUE;
}

/* Of the facts that are there.  False: memory is out. */
static bool judge_connection(struct session *session)
{
    session->judged_stage = session->postponed_stage;
    session->connection_postponed = false;
    struct decision decision;
    struct transaction transaction = judge_transaction(session, NULL);
    decision_make(session->conf, &session->facts, &transaction, &decision);
    return judge_settle(session, &decision, &transaction);
}

static bool judge_postponed(struct session *session)
{
    bool judged = true;
    if (session->connection_postponed)
        judged = judge_connection(session);
    if (session->message_postponed)
        judged = end_judge(session) && judged;
    session->message_postponed = false;
    end_forget_recipients(session);
    return judged;
}

/* Memory is out: the message is deferred, and nothing of it is judged later. */
static enum session_answer give_up_message(struct session *session)
{
    session->judged_at_end = session->message_postponed = false;
    end_forget_recipients(session);
    return judge_refuse_without_text(session);
}

enum session_answer end_of_message(struct session *session)
{
    if (session->message_postponed || session->connection_postponed) {
        session->judged_at_end = true;
        enum facts_state state = session->nomem ? FACTS_NOMEM : judge_facts(session, end_decided);
        switch (state) {
        case FACTS_MISSING:
            return SESSION_PENDING;
        case FACTS_NOMEM:
            return give_up_message(session);
        case FACTS_ENOUGH:
            break;
        }
        if (!judge_postponed(session))
            return give_up_message(session);
    }
    session->judged_at_end = false;
    const struct decision *decision = judge_worst(session);
    header_edit(session, decision != NULL ? decision : session->connection_decision);
    return SESSION_CONTINUE;
}

static bool is_enough(struct session *session)
{
    (void)session;
    return true;
}

void end_without_message(struct session *session)
{
    if (session->message_postponed && !session->nomem &&
        judge_facts(session, is_enough) == FACTS_ENOUGH && !end_judge(session))
        session->nomem = true;
    session->message_postponed = false;
    end_forget_recipients(session);
}

void end_of_connection(struct session *session)
{
    if (session->connection_postponed && !session->nomem &&
        judge_facts(session, is_enough) == FACTS_ENOUGH && !judge_connection(session))
        session->nomem = true;
    session->connection_postponed = false;
}
