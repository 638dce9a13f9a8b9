/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the smtpd processes of Postfix said of the clients that they serve: one client at a time,
 * and as long as there is no queue ID nothing else ties their lines together.  A table of fixed
 * size, in which a process takes the place of another one.  Pure; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_SMTPD_H
#define IPREVD_MAILLOG_SMTPD_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

#define MAILLOG_SMTPD_SLOTS MAILLOG_SLOTS

struct maillog_smtpd {
    uint64_t host;
    long pid; /* 0: free */
    /* Client, PTR and EHLO names, login; while `open` all of an attempt that has no queue ID, as
       before-queue filters make them ("NOQUEUE: client="). */
    struct maillog_event event;
    bool open;
    bool relayed;         /* its filter handed the message on */
    bool held;            /* what comes next is put on hold or discarded: the client gets 250 */
    struct ipaddr warned; /* whose name does not lead back to it */
    enum maillog_ptr warned_state;
    char warned_name[HOSTNAME_MAX + 2];
    char queue_id[REPLAY_QUEUE_ID_MAX + 1]; /* of its last message */
    unsigned messages;                      /* begun in this connection */
};

struct maillog_smtpd_table;

struct maillog_smtpd_table *maillog_smtpd_table_new(void) MUST_CHECK; /* NULL: out of memory */
void maillog_smtpd_table_free(struct maillog_smtpd_table *table);

/* That process, made empty when it is new; an open attempt that is in its way goes to the sink. pid
   0, where the log has none, is always a new one. */
struct maillog_smtpd *maillog_smtpd_of(struct maillog_smtpd_table *table, uint64_t host, long pid,
                                       const struct maillog_sink *sink);

/* Its attempt is over.  It goes to the sink if `report`, and always when its filter handed it on.
 */
void maillog_smtpd_close(struct maillog_smtpd *smtpd, bool report, const struct maillog_sink *sink);

/* An open attempt of that client, or NULL. */
struct maillog_smtpd *maillog_smtpd_find_open(struct maillog_smtpd_table *table, uint64_t host,
                                              const struct ipaddr *client);
void maillog_smtpd_open(struct maillog_smtpd_table *table, struct maillog_smtpd *smtpd);

/* "hostname a.example does not resolve to address 192.0.2.1[: why]", and the older forms. */
void maillog_smtpd_warned(struct maillog_smtpd *smtpd, const char *text);

/* Add what the process said before about this very client. */
void maillog_smtpd_recall(const struct maillog_smtpd *smtpd, struct maillog_event *event);

/* The log is over: tell what is open, in the order of its lines. */
void maillog_smtpd_end(struct maillog_smtpd_table *table, const struct maillog_sink *sink);

#endif
