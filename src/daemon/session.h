/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SMTP session as the milter sees it: events in, what to answer out.  Knows nothing of
 * libmilter and never blocks: where a verdict needs answers that are not there yet, the event
 * returns SESSION_PENDING; the caller waits for session_lookup() (libmilter.c) or lets a fake clock
 * run (scenario tests) and calls session_resume().  A session is used by one thread at a time,
 * which need not be the same one.
 */
#ifndef IPREVD_SESSION_H
#define IPREVD_SESSION_H

#include "dns/lookup.h"
#include "site/decision.h"
#include "site/greylist_table.h"
#include "site/helo_domains.h"

struct session;

/* Why a session, or a message of one, is left alone. */
enum session_left {
    SESSION_LEFT_LOCAL,         /* local-networks, or local submission: a session */
    SESSION_LEFT_AUTHENTICATED, /* skip-authenticated: a message */
    SESSION_LEFT_RELAY,         /* nobody behind a trusted relay is to be judged: a message */
    SESSION_LEFT_COUNT,
};

/* What all sessions share.  Everything is borrowed and outlives them. */
struct session_services {
    struct resolver *resolver;
    const struct clock *clock;
    struct client_memory *memory;      /* NULL: nobody is remembered */
    struct helo_domains *helo_domains; /* NULL: nobody counts */
    struct greylist_table *greylist;   /* NULL: nobody is greylisted */
    /*
     * Where the memory of clients is shared: ask the other hosts for what they remember of the
     * client; lookup_await_elsewhere().  What they know is in `memory` and `greylist` by the time
     * of lookup_elsewhere_came().  NULL, or false: it is not shared.
     */
    bool (*ask_others)(void *arg, struct lookup *lookup, const struct ipaddr *client);
    /* What is remembered of a client that they were asked about has changed here.  NULL: as above.
     */
    void (*tell_others)(void *arg, const struct ipaddr *client);
    /*
     * Is there an exemption made at run time for a client with these facts?  Its reason is copied
     * into `out` (size bytes).  NULL: there are none.
     */
    bool (*exempt)(void *arg, const struct facts *facts, int64_t wall_s, char *out, size_t size);
    /* Could there be one by a PTR name that is awaited?  NULL: no. */
    bool (*exempt_awaited)(void *arg, const struct facts *facts, int64_t wall_s);
    /* Is it an address of this machine?  Asked for clients that claim one of our names.  NULL: no.
     */
    bool (*is_own_address)(const struct ipaddr *addr);
    /* Called once a decision, on the session's thread; NULL: nobody wants to know. */
    void (*decided)(void *arg, const struct decision *decision,
                    const struct transaction *transaction);
    /* A message came from a trusted relay and nobody behind it is to be judged: a line for the log
       that says why, as decision_log_line() writes them.  NULL: nobody wants to know. */
    void (*left_alone)(void *arg, const char *line);
    /* A client said too many EHLO names, and its MAIL is deferred.  NULL: nobody wants to know. */
    void (*capped)(void *arg, const struct ipaddr *client);
    /* What the MTA calls itself, once a connection.  NULL: nobody wants to know. */
    void (*mta_named)(void *arg, const char *name);
    /* Once for whatever is left alone.  NULL: nobody wants to know. */
    void (*left)(void *arg, enum session_left reason);
    void *arg;
};

/* The answer for the MTA. */
enum session_answer {
    SESSION_CONTINUE,
    SESSION_ACCEPT,   /* nothing more is to be judged in this connection or transaction */
    SESSION_TEMPFAIL, /* with session_reply() */
    SESSION_REJECT,   /* with session_reply() */
    SESSION_PENDING,  /* nothing yet: wait for session_lookup(), then session_resume() */
};

/* The MTA's macros: get returns NULL for one that it did not send; the text lives during the call.
 */
struct session_macros {
    const char *(*get)(void *arg, const char *name);
    void *arg;
};

/* Takes a reference of its own to conf.  NULL: out of memory.  session_free(NULL) is fine. */
struct session *session_new(const struct session_services *services, struct conf *conf) MUST_CHECK;
void session_free(struct session *session);

/* The configuration with which the session began: borrowed. */
const struct conf *session_conf(const struct session *session);

/*
 * The events of the milter protocol, in its order; any other order and any repetition is
 * survived.  client->family IP_NONE: local submission.  A connect event begins anew: XCLIENT
 * runs it again.  helo, sender and recipient are untrusted text as the client sent it; the latter
 * two are paths, which are compared in their canonical form (core/mailpath.h).
 */
enum session_answer session_connect(struct session *session, const struct ipaddr *client,
                                    const struct session_macros *macros);
enum session_answer session_helo(struct session *session, const char *helo);
enum session_answer session_mail(struct session *session, const char *sender,
                                 const struct session_macros *macros);
enum session_answer session_rcpt(struct session *session, const char *recipient,
                                 const struct session_macros *macros);

/*
 * A header field of the message, in its order.  Those that may have to be removed are remembered;
 * of a message from a trusted relay, the Received fields say who is to be judged.
 */
void session_header(struct session *session, const char *name, const char *value);

/* How an accepted message is changed at its end.  The functions are called until the end is
   answered: by session_end_of_message() or, after SESSION_PENDING, by session_resume(). */
struct session_edits {
    /* Remove the index-th (from 1) field of that name; called with the highest index first. */
    void (*remove)(void *arg, const char *name, unsigned index);
    void (*insert)(void *arg, const char *name, const char *value); /* above all others */
    void (*quarantine)(void *arg, const char *reason);
    void *arg;
};

/*
 * The end of the message: SESSION_CONTINUE, or where it is judged here (it came from a trusted
 * relay, or in monitor mode not all was known before) any other.
 */
enum session_answer session_end_of_message(struct session *session,
                                           const struct session_edits *edits,
                                           const struct session_macros *macros);

/* The transaction is over, finished or not; the connection goes on. */
void session_reset(struct session *session);

/* After SESSION_PENDING: what the verdict waits for (never NULL then). */
struct lookup *session_lookup(struct session *session);

/*
 * After SESSION_PENDING, when lookup_has_news(): the answer to the event that was pending, or
 * SESSION_PENDING again while what is still open can change it.  When lookup_ready(), it is judged
 * on what is known (what is still missing is a temporary failure).
 */
enum session_answer session_resume(struct session *session);

/* The reply for the last TEMPFAIL or REJECT; NULL: the MTA's own text (memory is out). */
const struct reply *session_reply(const struct session *session);

#endif
