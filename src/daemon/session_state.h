/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of a session share, for them only: session.c (the events), session_judge.c (facts
 * and decisions), session_relay.c (who is behind a trusted relay), session_header.c (the message's
 * header).  Nothing here locks: a session is used by one thread at a time.
 */
#ifndef IPREVD_SESSION_STATE_H
#define IPREVD_SESSION_STATE_H

#include "daemon/session.h"

#include <stddef.h>
#include <sys/queue.h>

/* Bytes of a macro's text that are kept: longer ones are no host names or queue ids. */
#define MACRO_MAX 255

/* Authentication-Results fields of one message that are looked at; mail has a handful.  What is
   over is removed unread, for a sender who writes this many has nothing honest in mind. */
#define AUTHRES_MAX 256

/* Whose reverse DNS is judged. */
enum subject {
    SUBJECT_NOBODY,       /* ours, or not connected */
    SUBJECT_CLIENT,       /* that of the client that connected */
    SUBJECT_BEHIND_RELAY, /* it is a trusted relay: that of the first one behind it */
};

/* A decision that refused nothing, kept for header and log at the message's end. */
struct pending_decision {
    STAILQ_ENTRY(pending_decision) next;
    struct decision decision;
    int64_t wall_s;          /* when it was made, and by ... */
    char exempt[REASON_MAX]; /* ... which exemption; "": none */
    const char *recipient;   /* the first one for whom it was made; NULL: none is known */
    char memory[];           /* of recipient */
};
STAILQ_HEAD(pending_list, pending_decision);

/* A recipient of a message that is judged at its end. */
struct recipient {
    STAILQ_ENTRY(recipient) next;
    char address[];
};
STAILQ_HEAD(recipient_list, recipient);

/* The recipients of a message that is judged at its end. */
struct recipients {
    struct recipient_list list;
    unsigned count;
    bool over; /* some were not remembered */
};

/* The way back through the Received fields of a message from a trusted relay. */
struct relay_walk {
    unsigned fields; /* Received fields seen */
    bool ended;      /* what follows was not written by anybody who is trusted */
    const char *why; /* nobody is judged because of this: static; NULL: not so far */
};

/* Fields of the message that claim to be ours. */
struct header_marks {
    unsigned authres_count;
    uint8_t forged[AUTHRES_MAX / 8]; /* a bit a field */
    unsigned tag_count;              /* fields X-Iprevd: all untrusted */
};

struct session {
    const struct session_services *services;
    struct conf *conf;

    /* The connection. */
    bool connected;
    enum subject subject;
    struct ipaddr peer; /* who connected */
    bool nomem;         /* something could not be remembered: tempfail where it matters */
    enum mta_resolve mta_resolve;
    struct ipaddr own_addr; /* {daemon_addr} or {if_addr}; IP_NONE when not sent */
    struct decision
        *connection_decision; /* let the connection in, at stage connect or helo; or NULL */

    /* Who is judged, for a connection or for a message: the peer, or the one behind it. */
    struct ipaddr client;
    bool helo_unrecorded;         /* the relay did not write down what it heard */
    struct lookup *lookup;        /* NULL: nobody is judged, or memory was out */
    bool facts_known;             /* nothing in them is awaited any more */
    enum lookup_elsewhere others; /* what other hosts remember of the client */
    bool remembered;              /* `history` is the client's, ... */
    enum history_event noted;     /* ... and this was noted of it */
    bool heard_others;            /* ... and what other hosts remember is in it */
    struct history history;
    bool exempt_awaited;           /* as in struct transaction */
    enum greylist_answer greylist; /* that lets the client in; else GREYLIST_NOT_ASKED */
    unsigned helo_domains;         /* as in struct facts */
    unsigned helo_count; /* EHLO names of the connection, each other than the one before */

    /* What is to be judged: by judge_at() or relay_end(), or later by session_resume(). */
    enum stage judged_stage;
    char *judged_recipient;
    bool judged_at_end;        /* the message, not a command */
    bool message_postponed;    /* to its end: the recipients of `relay` */
    bool connection_postponed; /* to the end of its first message, at postponed_stage */
    enum stage postponed_stage;
    struct session_edits edits;

    /* The transaction. */
    bool authenticated;
    char *sender;                /* NULL before MAIL */
    struct pending_list pending; /* one of each kind, see judge_keep() */
    struct recipients recipients;
    struct relay_walk relay;
    struct header_marks header;

    struct reply *reply;
    size_t reply_prefix; /* bytes that Sendmail writes before a reply: "<recipient>... " */

    /* Texts, and what is full of them, begin empty and are not cleared: SESSION_CLEARED. */
    struct helo helo;
    char mta_name[HOSTNAME_MAX + 1];
    char mta[MACRO_MAX + 1];      /* {j}; "" when not sent */
    char listener[MACRO_MAX + 1]; /* {daemon_name}; "" when not sent */
    char sender_domain[HOSTNAME_MAX + 1];
    char queue_id[MACRO_MAX + 1];
    char exempt[REASON_MAX];
    struct facts facts; /* of facts_known */
};

/* Bytes at the start of a session that are zero in a new one. */
#define SESSION_CLEARED offsetof(struct session, helo)

/* session.c */

/* When what is asked now has to be answered: absolute, monotonic. */
int64_t session_deadline_ms(const struct session *session);

/* session_judge.c */

/*
 * The lookup has begun: ask the DNS lists on which the client's match block may depend, and other
 * hosts for what they remember of the client.
 */
void judge_ask_beside(struct session *session, int64_t deadline_ms);

/*
 * Judge at a command, for one recipient where there is one (owned: taken), now or, after
 * SESSION_PENDING, by judge_resume().
 */
enum session_answer judge_at(struct session *session, enum stage stage, char *recipient) MUST_CHECK;
enum session_answer judge_resume(struct session *session) MUST_CHECK;

/*
 * Bring the facts up to what is known now, and pending decisions with them.  Is that enough?  While
 * `decided` says no (and has asked for what it needs), not before all that was asked for is there.
 */
enum facts_state { FACTS_ENOUGH, FACTS_MISSING, FACTS_NOMEM };
enum facts_state judge_facts(struct session *session,
                             bool (*decided)(struct session *session)) MUST_CHECK;

/* Is the client exempt, or its policy "none", as far as is known without waiting? */
bool judge_lets_pass(struct session *session, const char *recipient);

/*
 * Ask about the PTR names that a decision which was begun depends on.
 */
void judge_ask_names(struct session *session, const struct decision *decision,
                     const struct transaction *transaction);

/*
 * Decide about a message that may be let in, or not.  Where the policy says greylist the client's
 * network is looked up, and remembered.
 */
void judge_decide(struct session *session, struct transaction *transaction, struct decision *out);

/* Cheap: pointers borrow from the session and `recipient`. */
struct transaction judge_transaction(const struct session *session, const char *recipient);

/*
 * Keep a decision for the end of the transaction unless one of the same kind (by the same match
 * block, so in the same words) is kept: their number is bounded by the configuration's.  False:
 * memory is out.
 */
bool judge_keep(struct session *session, const struct decision *decision,
                const char *recipient) MUST_CHECK;

/* The pending decision that says most against the message; NULL: there is none. */
const struct decision *judge_worst(const struct session *session);

/* Report every pending decision and drop them; or only drop them. */
void judge_report_pending(struct session *session);
void judge_drop_pending(struct session *session);

/* The decision that lets the connection in: it is reported and kept.  False: memory is out. */
bool judge_settle(struct session *session, const struct decision *decision,
                  const struct transaction *transaction) MUST_CHECK;
/* Forget it. */
void judge_unsettle(struct session *session);

/* Forget what was to be judged. */
void judge_forget(struct session *session);

/* The answer for a decision that refuses, and its reply. */
enum session_answer judge_refuse(struct session *session,
                                 const struct decision *decision) MUST_CHECK;
/* Not by a check: 451 with this enhanced code and text. */
enum session_answer judge_refuse_in_words(struct session *session, const char *xcode,
                                          const char *text) MUST_CHECK;
/* Memory is out: the MTA's own words. */
enum session_answer judge_refuse_without_text(struct session *session) MUST_CHECK;

/* session_end.c: what is judged at the end of a message */

/* Remember a recipient.  RESULT_NOMEM. */
enum result end_recipient(struct session *session, const char *recipient) MUST_CHECK;
const char *end_first_recipient(const struct session *session);
void end_forget_recipients(struct session *session);

/* Is it known enough about every one of them?  Asks for the rest. */
bool end_decided(struct session *session);
/* Keep a decision for each of them.  False: memory is out. */
bool end_judge(struct session *session) MUST_CHECK;

/* In monitor mode something is missing at a command: it is judged when the message ends. */
enum session_answer end_postpone(struct session *session) MUST_CHECK;
/* The message has ended; session->edits is set. */
enum session_answer end_of_message(struct session *session) MUST_CHECK;
/* No end of a message came: judge on what is known. */
void end_without_message(struct session *session);
/* The same of a connection. */
void end_of_connection(struct session *session);

/* session_relay.c: SUBJECT_BEHIND_RELAY only */

/* A Received field, the message's first one first. */
void relay_received(struct session *session, const char *value);
/* The message has ended; session->edits is set. */
enum session_answer relay_end(struct session *session) MUST_CHECK;
enum session_answer relay_resume(struct session *session) MUST_CHECK;
/* The transaction is over. */
void relay_forget(struct session *session);

/* session_header.c */

void header_note(struct session *session, const char *name, const char *value);
/* Remove what claims to be ours; then, unless `decision` is NULL, say what we found. */
void header_edit(const struct session *session, const struct decision *decision);

#endif
