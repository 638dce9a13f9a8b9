/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_postfix.h"

#include "ctl/logs/maillog_envelope.h"
#include "ctl/logs/maillog_pending.h"
#include "ctl/logs/maillog_postfix_line.h"
#include "ctl/logs/maillog_smtpd.h"

#include <stdlib.h>

#define OTHERS_SLOTS                                                                               \
    (4 * MAILLOG_SLOTS) /* queue IDs of mail that no own user wrote that are remembered */

struct maillog_postfix {
    struct maillog_pending *pending;
    struct maillog_smtpd_table *smtpds;
    uint64_t others[OTHERS_SLOTS]; /* hashes; bounces and what strangers sent */
};

struct maillog_postfix *maillog_postfix_new(void)
{
    struct maillog_postfix *postfix = calloc(1, sizeof *postfix);
    if (postfix == NULL)
        return NULL;
    postfix->pending = maillog_pending_new();
    postfix->smtpds = maillog_smtpd_table_new();
    if (postfix->pending != NULL && postfix->smtpds != NULL)
        return postfix;
    maillog_postfix_free(postfix);
    return NULL;
}

void maillog_postfix_free(struct maillog_postfix *postfix)
{
    if (postfix == NULL)
        return;
    maillog_pending_free(postfix->pending);
    maillog_smtpd_table_free(postfix->smtpds);
    free(postfix);
}

/* --- programs ----------------------------------------------------------------------------------
 */

/* "postfix/submission/smtpd" is an smtpd. */
static const char *daemon_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    return slash != NULL ? slash + 1 : "";
}

bool maillog_postfix_is(const char *program)
{
    static const char *const daemons[] = {
        "smtpd",   "qmgr",     "cleanup", "postscreen",     "smtp",   "lmtp",   "local",
        "virtual", "pipe",     "bounce",  "anvil",          "scache", "pickup", "nqmgr",
        "oqmgr",   "master",   "error",   "discard",        "verify", "tlsmgr", "tlsproxy",
        "dnsblog", "postlogd", "flush",   "trivial-rewrite"};
    const char *daemon = daemon_of(program);
    /* "postfix@-.service" of journalctl -o with-unit and "postfix-1" of a container say nothing of
       the daemon: such records cannot be read. */
    if (strncmp(program, "postfix", 7) == 0)
        return program[7] == '\0' || *daemon != '\0';
    for (size_t i = 0; *daemon != '\0' && i < sizeof daemons / sizeof daemons[0]; i++)
        if (strcmp(daemon, daemons[i]) == 0)
            return true;
    return false;
}

/* "postfix-in" of "postfix-in/submission/smtpd": each instance has queue IDs of its own. */
static uint64_t instance_of(const char *program)
{
    return maillog_syslog_host(program, strcspn(program, "/"));
}

/* --- pieces of a line ---------------------------------------------------------------------------
 */

static void stamp(const struct maillog_record *record, struct maillog_event *event)
{
    event->file = record->file;
    event->line = record->line;
    event->wall_s = record->wall_s;
}

static struct maillog_pending_key key_of(const struct maillog_record *record, const char *queue_id)
{
    return (struct maillog_pending_key){record->host, instance_of(record->program), queue_id};
}

static bool has_id(const char *queue_id)
{
    return strcmp(queue_id, "NOQUEUE") != 0;
}

/* --- a client comes and goes
 * ---------------------------------------------------------------------- */

static void on_connect(struct maillog_smtpd *smtpd, const char *text,
                       const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    if (maillog_postfix_client(text, &event) == NULL)
        return;
    maillog_smtpd_close(smtpd, false, sink);
    smtpd->event = event;
    smtpd->held = false;
    smtpd->messages = 0;
    smtpd->queue_id[0] = '\0';
    maillog_smtpd_recall(smtpd, &smtpd->event);
}

/* The message was begun and not sent. */
static void abandon(struct maillog_postfix *postfix, struct maillog_smtpd *smtpd,
                    const struct maillog_record *record)
{
    if (!smtpd->relayed)
        smtpd->open = false;
    const struct maillog_pending_key key = key_of(record, smtpd->queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(postfix->pending, &key);
    if (entry != NULL)
        entry->abandoned = true;
}

/* What was under way is neither taken nor refused. */
static void on_lost(struct maillog_postfix *postfix, struct maillog_smtpd *smtpd,
                    const struct maillog_record *record, const char *stage)
{
    size_t length = strcspn(stage, " (");
    bool within =
        (length == 4 && (strncmp(stage, "DATA", 4) == 0 || strncmp(stage, "RCPT", 4) == 0 ||
                         strncmp(stage, "BDAT", 4) == 0));
    if (!within)
        return;
    abandon(postfix, smtpd, record);
}

/* "name[address] ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5", since 3.0: of so many messages
   that were begun the last one was not sent. */
static void on_disconnect(struct maillog_postfix *postfix, struct maillog_smtpd *smtpd,
                          const struct maillog_record *record, const char *text)
{
    struct maillog_event event;
    const char *counters = maillog_postfix_client(text, &event);
    if (counters == NULL || strstr(counters, " commands=") == NULL ||
        maillog_postfix_counter(counters, " bdat=") > 0 ||
        maillog_postfix_counter(counters, " data=") >= (long)smtpd->messages)
        return;
    abandon(postfix, smtpd, record);
}

/* "QID: client=name[address], sasl_method=..., sasl_username=..., orig_client=..." */
static void on_client(struct maillog_postfix *postfix, const struct maillog_record *record,
                      struct maillog_smtpd *smtpd, const char *queue_id, const char *text,
                      const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    const char *rest = maillog_postfix_client(text, &event);
    if (rest == NULL)
        return;
    const char *original = maillog_postfix_original(rest);
    event.authenticated = original == NULL && strstr(rest, ", sasl_username=") != NULL;
    stamp(record, &event);
    maillog_smtpd_recall(smtpd, &event);
    if (!has_id(queue_id)) {
        maillog_smtpd_close(smtpd, false, sink);
        smtpd->event = event;
        smtpd->messages++;
        maillog_smtpd_open(postfix->smtpds, smtpd);
        return;
    }
    if (original != NULL && maillog_postfix_client(original, &event) != NULL) {
        struct maillog_smtpd *front =
            maillog_smtpd_find_open(postfix->smtpds, record->host, &event.client);
        if (front != NULL) { /* it will tell the rest */
            front->relayed = true;
            return;
        }
    }
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(postfix->pending, &key);
    if (entry != NULL && entry->instance == key.instance) /* short queue IDs come again */
        maillog_pending_close(entry, sink);
    entry = maillog_pending_open(postfix->pending, &key, sink);
    maillog_copy(event.queue_id, sizeof event.queue_id, queue_id, strlen(queue_id));
    event.outcome = smtpd->held ? REPLAY_ACCEPTED : REPLAY_UNKNOWN;
    entry->event = event;
    if (original == NULL)
        smtpd->event = event;
    smtpd->event.outcome = REPLAY_UNKNOWN;
    smtpd->held = false;
    smtpd->messages++;
    maillog_copy(smtpd->queue_id, sizeof smtpd->queue_id, queue_id, strlen(queue_id));
}

/* "proxy-accept: END-OF-MESSAGE: 250 ...; from=<> ...", "proxy-reject: ...": a before-queue
   filter's answer to the client of this process. */
static void on_proxied(const struct maillog_record *record, struct maillog_smtpd *smtpd,
                       const char *text, bool accepted, const struct maillog_sink *sink)
{
    struct maillog_envelope envelope;
    struct maillog_event *event = &smtpd->event;
    if (event->client.family == IP_NONE)
        return;
    if (!smtpd->open)
        stamp(record, event);
    smtpd->open = true;
    if (maillog_envelope_find(text, false, &envelope) ||
        maillog_envelope_find_helo(text, &envelope))
        maillog_envelope_take(&envelope, event);
    const char *answer = strstr(text, ": ");
    event->outcome = accepted ? REPLAY_ACCEPTED : REPLAY_REFUSED;
    if (!accepted && answer != NULL && maillog_postfix_outcome(answer) != REPLAY_UNKNOWN)
        event->outcome = maillog_postfix_outcome(answer);
    maillog_smtpd_close(smtpd, true, sink);
}

/* --- answers -------------------------------------------------------------------------------------
 */

/* What an answer means for the client. */
enum verb { VERB_OTHER, VERB_REJECT, VERB_TAKEN };

/* "reject: ", "milter-hold: ", "milter-header-reject: " of milter_header_checks; returns what
   follows, NULL when there is none. */
static const char *take_verb(const char *text, enum verb *out)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_-");
    if (length == 0 || text[length] != ':' || text[length + 1] != ' ')
        return NULL;
    const char *name = strncmp(text, "milter-", 7) == 0 ? text + 7 : text;
    name = name > text && strncmp(name, "header-", 7) == 0 ? name + 7 : name;
    size_t name_length = length - (size_t)(name - text);
    *out = VERB_OTHER;
    if (name_length == 6 && strncmp(name, "reject", 6) == 0)
        *out = VERB_REJECT;
    else if ((name_length == 4 && strncmp(name, "hold", 4) == 0) ||
             (name_length == 7 && strncmp(name, "discard", 7) == 0))
        *out = VERB_TAKEN;
    return text + length + 2;
}

/* smtpd and postscreen: "RCPT from name[address]: code text; from=<> ...". The client stands before
   all that it said. */
static bool parse_smtpd_answer(const char *text, struct maillog_event *event)
{
    struct maillog_envelope envelope;
    const char *from = strchr(text, ' ');
    if (from == NULL || strncmp(from, " from ", 6) != 0)
        return false;
    const char *rest = maillog_postfix_client(from + 6, event);
    if (rest == NULL)
        return false;
    event->outcome = maillog_postfix_outcome(rest);
    if (maillog_envelope_find(rest, false, &envelope) ||
        maillog_envelope_find_helo(rest, &envelope))
        maillog_envelope_take(&envelope, event);
    return true;
}

/* The last " from name[address]" right before the envelope. */
static bool take_client_before(const char *text, const char *end, struct maillog_event *event)
{
    for (const char *at = end; at-- > text;) {
        if (strncmp(at, " from ", 6) != 0)
            continue;
        const char *rest = maillog_postfix_client(at + 6, event);
        /* "from name[address]: 5.7.1 text; from=<>" of a milter's refusal */
        return rest != NULL && (rest == end || strncmp(rest, ": ", 2) == 0);
    }
    return false;
}

/* Where there is no envelope that can be read: the only " from name[address]; from=<", if it is. */
static bool take_only_client(const char *text, struct maillog_event *event)
{
    struct maillog_event one = {0};
    unsigned count = 0;
    for (const char *at = strstr(text, " from "); at != NULL; at = strstr(at + 1, " from ")) {
        const char *rest = maillog_postfix_client(at + 6, &one);
        if (rest == NULL || strncmp(rest, "; from=<", 8) != 0)
            continue;
        *event = one;
        count++;
    }
    return count == 1;
}

/* cleanup: "header Subject: ... from name[address]; from=<> ...: text", "END-OF-MESSAGE from
   name[address]: 5.7.1 text; from=<> ...".  Of a message whose client is known nothing but the
   envelope is taken. */
static bool parse_cleanup_answer(const char *text, const struct maillog_pending_entry *entry,
                                 struct maillog_event *event)
{
    struct maillog_envelope envelope = {0};
    bool found = maillog_envelope_find(text, true, &envelope);
    const char *stage = strchr(text, ' ');
    const char *milter = stage != NULL && strncmp(stage, " from ", 6) == 0 && text[0] <= 'Z'
                             ? maillog_postfix_client(stage + 6, event)
                             : NULL;
    if (entry != NULL) {
        struct maillog_event line = *event;
        *event = entry->event;
        event->outcome = line.outcome;
    } else if (milter == NULL && !(found ? take_client_before(text, envelope.begin, event)
                                         : take_only_client(text, event))) {
        return false;
    }
    if (found)
        maillog_envelope_take(&envelope, event);
    event->outcome = REPLAY_REFUSED;
    const char *why = milter != NULL ? milter : envelope.text;
    if (why != NULL && maillog_postfix_outcome(why) != REPLAY_UNKNOWN)
        event->outcome = maillog_postfix_outcome(why);
    return true;
}

/* A message that is refused after all: the client is known from this line. */
static void refuse_pending(struct maillog_pending_entry *entry, const struct maillog_event *answer,
                           const struct maillog_sink *sink)
{
    struct maillog_event refused = *answer;
    refused.authenticated = refused.authenticated || entry->event.authenticated;
    if (ipaddr_equal(&refused.client, &entry->event.client)) {
        refused.ptr_state = entry->event.ptr_state;
        memcpy(refused.ptr, entry->event.ptr, sizeof refused.ptr);
    }
    maillog_pending_drop(entry);
    sink->event(sink->arg, &refused);
}

/* The message as a whole, not one recipient. */
static bool is_about_message(const char *text)
{
    return maillog_after(text, "END-OF-MESSAGE ") != NULL || maillog_after(text, "DATA ") != NULL ||
           maillog_after(text, "BDAT ") != NULL;
}

/* What an answer that does not refuse tells of the message under way. */
static void add_to_pending(struct maillog_pending_entry *entry, const struct maillog_event *event,
                           enum verb verb)
{
    struct maillog_event *pending = &entry->event;
    if (verb == VERB_TAKEN)
        pending->outcome = REPLAY_ACCEPTED;
    if (event->helo_recorded && !pending->helo_recorded) {
        memcpy(pending->helo, event->helo, sizeof pending->helo);
        pending->helo_recorded = true;
    }
    if (verb == VERB_TAKEN && event->sender_recorded && !pending->sender_recorded) {
        memcpy(pending->sender, event->sender, sizeof pending->sender);
        pending->sender_recorded = true;
    }
}

static void on_cleanup(struct maillog_postfix *postfix, const struct maillog_record *record,
                       const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    enum verb verb;
    const char *rest = take_verb(text, &verb);
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(postfix->pending, &key);
    if (rest == NULL || !parse_cleanup_answer(rest, entry, &event))
        return;
    stamp(record, &event);
    maillog_copy(event.queue_id, sizeof event.queue_id, queue_id, strlen(queue_id));
    if (verb != VERB_REJECT && entry != NULL)
        add_to_pending(entry, &event, verb);
    else if (verb == VERB_REJECT && entry != NULL)
        refuse_pending(entry, &event, sink);
    else if (verb == VERB_REJECT)
        sink->event(sink->arg, &event);
}

/* "warning: QID: queue file size limit exceeded", "warning: QID: message rejected: hopcount
   exceeded": smtpd refuses the message, and says so nowhere else. */
static void on_limit(struct maillog_postfix *postfix, const struct maillog_record *record,
                     const char *text, const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *why = maillog_postfix_queue_id(text, queue_id);
    if (why == NULL || (strcmp(why, "queue file size limit exceeded") != 0 &&
                        maillog_after(why, "message rejected: ") == NULL))
        return;
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(postfix->pending, &key);
    if (entry == NULL)
        return;
    struct maillog_event refused = entry->event;
    stamp(record, &refused);
    refused.outcome = REPLAY_REFUSED;
    refuse_pending(entry, &refused, sink);
}

/* smtpd said what it does with its client. */
static void on_smtpd_answer(struct maillog_postfix *postfix, const struct maillog_record *record,
                            struct maillog_smtpd *smtpd, const char *queue_id, const char *text,
                            const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    enum verb verb;
    const char *rest = take_verb(text, &verb);
    if (rest == NULL || !parse_smtpd_answer(rest, &event))
        return;
    stamp(record, &event);
    maillog_smtpd_recall(smtpd, &event);
    if (!ipaddr_equal(&smtpd->event.client, &event.client)) {
        maillog_smtpd_close(smtpd, false, sink);
        smtpd->event = event;
    } else if (event.helo_recorded) {
        smtpd->event.helo_recorded = true;
        memcpy(smtpd->event.helo, event.helo, sizeof smtpd->event.helo);
    }
    smtpd->held = smtpd->held || (verb == VERB_TAKEN && !has_id(queue_id));
    struct maillog_pending_entry *entry = NULL;
    if (has_id(queue_id)) {
        const struct maillog_pending_key key = key_of(record, queue_id);
        entry = maillog_pending_find(postfix->pending, &key);
        maillog_copy(event.queue_id, sizeof event.queue_id, queue_id, strlen(queue_id));
    } else if (verb == VERB_REJECT && smtpd->open && is_about_message(rest)) {
        smtpd->open = false; /* the client is known from this line */
    }
    if (verb != VERB_REJECT) {
        if (entry != NULL)
            add_to_pending(entry, &event, verb);
        return;
    }
    if (entry != NULL && is_about_message(rest)) {
        refuse_pending(entry, &event, sink);
        return;
    }
    event.authenticated = event.authenticated || (entry != NULL && entry->event.authenticated);
    sink->event(sink->arg, &event);
}

static void on_postscreen(const struct maillog_record *record, const char *text,
                          const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    enum verb verb;
    const char *rest = take_verb(text, &verb);
    if (rest == NULL || verb != VERB_REJECT || !parse_smtpd_answer(rest, &event))
        return;
    stamp(record, &event);
    /* "CONNECT from [address]:port: too many connections": it says 421 then. */
    if (event.outcome == REPLAY_UNKNOWN && maillog_after(rest, "CONNECT ") != NULL)
        event.outcome = REPLAY_DEFERRED;
    sink->event(sink->arg, &event);
}

/* --- the queue
 * ------------------------------------------------------------------------------------ */

static uint64_t *others_slot(struct maillog_postfix *postfix, const struct maillog_record *record,
                             const char *queue_id, uint64_t *hash)
{
    *hash = instance_of(record->program) ^ record->host ^
            maillog_syslog_host(queue_id, strlen(queue_id));
    return &postfix->others[*hash % OTHERS_SLOTS];
}

/* "QID: from=<sender>, size=...": the message is in the queue. */
static void on_queued(struct maillog_postfix *postfix, const struct maillog_record *record,
                      const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    uint64_t hash;
    bool from = strncmp(text, "from=<", 6) == 0;
    if (!from && strcmp(text, "removed") != 0)
        return;
    uint64_t *other = others_slot(postfix, record, queue_id, &hash);
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(postfix->pending, &key);
    if (strncmp(text, "from=<>,", 8) == 0 ||
        (entry != NULL && !maillog_is_own(sink, &entry->event)))
        *other = hash;
    else if (*other == hash && (entry != NULL || !from)) /* else it is tried again */
        *other = 0;
    if (entry == NULL)
        return;
    const char *end = NULL;
    for (const char *at = from ? strstr(text, ">, size=") : NULL; at != NULL;
         at = strstr(at + 1, ">, size="))
        end = at;
    if (end == NULL && from)
        end = strstr(text, ">, ");
    if (end != NULL) {
        maillog_copy(entry->event.sender, sizeof entry->event.sender, text + 6,
                     (size_t)(end - text) - 6);
        entry->event.sender_recorded = true;
    }
    entry->event.outcome = REPLAY_ACCEPTED;
    maillog_pending_close(entry, sink);
}

/* "QID: to=<user@example.org>, relay=name[address]:25, ..., status=sent (...)" */
static void on_delivery(struct maillog_postfix *postfix, const struct maillog_record *record,
                        const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    char recipient[REPLAY_ADDRESS_MAX + 1];
    struct maillog_event server = {0};
    uint64_t hash;
    const char *to = maillog_after(text, "to=<"), *end, *relay, *rest, *status;
    if (sink->delivered == NULL || to == NULL ||
        (relay = maillog_postfix_relay(to, &end)) == NULL ||
        (rest = maillog_postfix_client(relay, &server)) == NULL ||
        (status = strstr(rest, ", status=")) == NULL || /* the server's own words come behind it */
        maillog_after(status, ", status=sent (") == NULL ||
        *others_slot(postfix, record, queue_id, &hash) == hash)
        return;
    maillog_copy(recipient, sizeof recipient, to, (size_t)(end - to));
    sink->delivered(sink->arg, recipient, &server.client);
}

/* --- lines
 * ---------------------------------------------------------------------------------------- */

static void on_smtpd(struct maillog_postfix *postfix, const struct maillog_record *record,
                     const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *text = record->message, *rest;
    struct maillog_smtpd *smtpd =
        maillog_smtpd_of(postfix->smtpds, record->host, record->pid, sink);
    if ((rest = maillog_after(text, "connect from ")) != NULL) {
        on_connect(smtpd, rest, sink);
    } else if ((rest = maillog_after(text, "warning: ")) != NULL) {
        maillog_smtpd_warned(smtpd, rest);
        on_limit(postfix, record, rest, sink);
    } else if ((rest = maillog_postfix_lost_stage(text)) != NULL) {
        on_lost(postfix, smtpd, record, rest);
    } else if ((rest = maillog_after(text, "disconnect from ")) != NULL) {
        on_disconnect(postfix, smtpd, record, rest);
    } else if ((rest = maillog_after(text, "proxy-accept: ")) != NULL ||
               (rest = maillog_after(text, "proxy-reject: ")) != NULL) {
        on_proxied(record, smtpd, rest, text[6] == 'a', sink);
    } else if ((rest = maillog_postfix_queue_id(text, queue_id)) != NULL) {
        const char *client = maillog_after(rest, "client=");
        const char *proxied = maillog_after(rest, "proxy-reject: ");
        if (client != NULL)
            on_client(postfix, record, smtpd, queue_id, client, sink);
        else if (proxied != NULL || (proxied = maillog_after(rest, "proxy-accept: ")) != NULL)
            on_proxied(record, smtpd, proxied, rest[6] == 'a', sink);
        else if ((proxied = maillog_postfix_lost_stage(rest)) != NULL)
            on_lost(postfix, smtpd, record, proxied);
        else
            on_smtpd_answer(postfix, record, smtpd, queue_id, rest, sink);
    }
}

void maillog_postfix_record(struct maillog_postfix *postfix, const struct maillog_record *record,
                            const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *daemon = daemon_of(record->program), *rest;
    if (strcmp(daemon, "smtpd") == 0) {
        on_smtpd(postfix, record, sink);
        return;
    }
    bool cleanup = strcmp(daemon, "cleanup") == 0;
    if (cleanup && (rest = maillog_after(record->message, "warning: ")) != NULL)
        on_limit(postfix, record, rest, sink);
    rest = maillog_postfix_queue_id(record->message, queue_id);
    if (rest == NULL)
        return;
    if (strcmp(daemon, "qmgr") == 0 || strcmp(daemon, "nqmgr") == 0 ||
        strcmp(daemon, "oqmgr") == 0) {
        on_queued(postfix, record, queue_id, rest, sink);
    } else if (cleanup) {
        const struct maillog_pending_key key = key_of(record, queue_id);
        struct maillog_pending_entry *entry;
        if (strcmp(rest, "canceled") != 0 && strcmp(rest, "removed (canceled)") != 0)
            on_cleanup(postfix, record, queue_id, rest, sink);
        else if ((entry = maillog_pending_find(postfix->pending, &key)) != NULL)
            maillog_pending_drop(entry);
    } else if (strcmp(daemon, "postscreen") == 0) {
        on_postscreen(record, rest, sink);
    } else if (strcmp(daemon, "smtp") == 0) {
        on_delivery(postfix, record, queue_id, rest, sink);
    }
}

void maillog_postfix_end(struct maillog_postfix *postfix, const struct maillog_sink *sink)
{
    maillog_smtpd_end(postfix->smtpds, sink);
    maillog_pending_close_all(postfix->pending, sink);
}
