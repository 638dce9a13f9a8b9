/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One decision out of the decision log: a JSON object, or the key=value line that goes to syslog
 * and to standard error.  Texts are as the client sent them: bytes that the log has as \xNN are
 * untrusted bytes again (but for NUL, and but for `reason`).  Pure but for the time zone; thread
 * safe.
 */
#ifndef IPREVD_REPORT_ENTRY_H
#define IPREVD_REPORT_ENTRY_H

#include "core/policy.h"
#include "core/reply.h"
#include "ctl/logs/maillog_event.h"
#include "ctl/logs/maillog_reader.h"

enum report_cache { REPORT_CACHE_MISS, REPORT_CACHE_HIT, REPORT_CACHE_STALE };

#define REPORT_PTR_NAMES_MAX 1024 /* bytes kept of all PTR names */
#define REPORT_NAME_MAX      64   /* bytes kept of a policy's or a match block's name */

struct report_entry {
    int64_t wall_s; /* 0: unknown */
    struct ipaddr client;
    enum action action, would;
    enum grace_state grace;
    bool monitor; /* mode = monitor */
    bool confirmed;
    check_set checks; /* unknown names are passed over */
    int64_t dns_ms;
    enum report_cache cache;
    char ptr[HOSTNAME_MAX + 1];           /* the first: the confirmed one, if one is */
    char ptr_names[REPORT_PTR_NAMES_MAX]; /* all, with commas between */
    char helo[HELO_TEXT_MAX + 1];
    char sender[REPLAY_ADDRESS_MAX + 1]; /* "" for none and for the null sender */
    char recipient[REPLAY_ADDRESS_MAX + 1];
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    char mta[HOSTNAME_MAX + 1]; /* the mail server's name; "" unknown */
    char policy[REPORT_NAME_MAX + 1], match[REPORT_NAME_MAX + 1]; /* "" none */
    char reason[REASON_MAX]; /* the sentence, escaped by the daemon; "" when nothing is wrong */
    /* By the record itself: what each true check would do.  Known when rules_known. */
    bool rules_known;
    enum action rules[CHECK_COUNT];
};

enum report_parsed { REPORT_ENTRY, REPORT_OTHER, REPORT_BAD };

/*
 * Read what a reader of logs found.  OTHER: something else (another program's, not a decision);
 * BAD: it begins as a decision and is none.  *text (NULL: not wanted) is the decision alone, a JSON
 * object or "client=...", for report_entry_parse(); borrowed from the item.
 */
enum report_parsed report_entry_of(const struct maillog_item *item, struct report_entry *out,
                                   const char **text);

/* The decision alone; wall_s: when it was, if the text does not say. */
enum report_parsed report_entry_parse(const char *text, int64_t wall_s, struct report_entry *out);

/*
 * The check that decided what would be done: the first that is true and would do just that, by the
 * record or else by `policy` (as it is configured now; NULL: unknown).  CHECK_COUNT: none, or a
 * score did.
 */
enum check_id report_entry_decided(const struct report_entry *entry, const struct policy *policy);

#endif
