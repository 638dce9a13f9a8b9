/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SMTP session as the milter sees it: events in, what to answer out.  Knows nothing of
 * libmilter and never blocks: where an answer needs the DNS, session_pending() says so first and
 * the caller waits (milter.c) or lets a fake clock run (scenario tests).  A session is used by one
 * thread at a time.
 */
#ifndef IPREVD_SESSION_H
#define IPREVD_SESSION_H

#include "dns/lookup.h"
#include "site/decision.h"

struct session;

/* What all sessions share.  Everything is borrowed and outlives them. */
struct session_services {
    struct resolver *resolver;
    const struct clock *clock;
    const struct exemptions *exemptions;  /* iprevctl allow; NULL: none */
    const struct daemon_metrics *metrics; /* NULL: not counted */
    /* Called once a decision, on the session's thread. */
    void (*decided)(void *arg, const struct decision *decision, const struct occasion *occasion);
    void *decided_arg;
};

/* What the MTA is to be told. */
enum session_answer {
    SESSION_CONTINUE,
    SESSION_ACCEPT,   /* no more events for this connection or message, please */
    SESSION_TEMPFAIL, /* with session_reply() */
    SESSION_REJECT,   /* with session_reply() */
};

/* The MTA's macros: NULL when it did not send one. */
struct session_macros {
    const char *(*get)(void *arg, const char *name);
    void *arg;
};

/* Takes one reference to conf.  NULL: out of memory. */
struct session *session_new(const struct session_services *services, struct conf *conf) MUST_CHECK;
void session_free(struct session *session);

/*
 * Events, in the order of the milter protocol; any order and repetition is survived. client->family
 * IP_NONE: local submission.  A connect event begins anew (XCLIENT runs it again).
 */
enum session_answer session_connect(struct session *session, const struct ipaddr *client,
                                    const struct session_macros *macros);
enum session_answer session_helo(struct session *session, const char *helo,
                                 const struct session_macros *macros);
enum session_answer session_mail(struct session *session, const char *sender,
                                 const struct session_macros *macros);
enum session_answer session_rcpt(struct session *session, const char *recipient,
                                 const struct session_macros *macros);

/* The message: only fields that may have to be removed matter. */
void session_header(struct session *session, const char *name, const char *value);

/* What is to be done to an accepted message at its end. */
struct session_edits {
    void (*remove)(void *arg, const char *name,
                   unsigned index); /* 1-based among fields of that name, highest first */
    void (*insert)(void *arg, const char *name, const char *value); /* at the top */
    void (*quarantine)(void *arg, const char *reason);
    void *arg;
};
enum session_answer session_end_of_message(struct session *session,
                                           const struct session_edits *edits,
                                           const struct session_macros *macros);

/* The transaction ended (abort, or after the message); the connection goes on. */
void session_reset(struct session *session);

/* Does the event that comes now need answers that are not there yet?  Then wait on
 * session_lookup(). */
bool session_pending(struct session *session, enum stage stage);
struct lookup *session_lookup(struct session *session);

/* The reply for the last TEMPFAIL or REJECT; NULL: the MTA's own text. */
const struct reply *session_reply(const struct session *session);

#endif
