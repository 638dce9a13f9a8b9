/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_sendmail.h"

#include "ctl/logs/maillog_pending.h"
#include "ctl/logs/maillog_sendmail_line.h"

#include <stdio.h>
#include <stdlib.h>

#define OTHERS_SLOTS                                                                               \
    (4 * MAILLOG_SLOTS) /* queue IDs of mail that no own user wrote that are remembered */
#define PROCESS_SLOTS MAILLOG_SLOTS /* processes heard of last */
#define LOST_SLOTS    MAILLOG_SLOTS /* queue IDs whose client went away */
#define REFUSED_MAX   MAILLOG_SLOTS /* refusals that wait for the line with client and sender */

/* A refusal of which something is to come. */
struct refusal {
    struct maillog_event event;
    bool by_action; /* of "milter=", to which "Milter:" may follow */
    bool guessed;   /* the client is that of the process before */
    bool whole;     /* of the message, not of a recipient */
};

/* What a process said of its client; one process serves one connection. */
struct process {
    uint64_t host;
    long pid;
    struct ipaddr authenticated;
    struct maillog_event client; /* "connect from", "relay=" */
};

struct maillog_sendmail {
    struct maillog_pending *pending;
    size_t next_refusal, waiting;  /* waiting: refusals not reported yet */
    struct refusal *refusals;      /* REFUSED_MAX, a ring */
    uint64_t refused[REFUSED_MAX]; /* hashes of host and queue ID; 0: reported */
    struct process processes[PROCESS_SLOTS];
    uint64_t lost[LOST_SLOTS];     /* hashes */
    uint64_t others[OTHERS_SLOTS]; /* hashes; bounces and what strangers sent */
};

struct maillog_sendmail *maillog_sendmail_new(void)
{
    struct maillog_sendmail *sendmail = calloc(1, sizeof *sendmail);
    if (sendmail == NULL)
        return NULL;
    sendmail->pending = maillog_pending_new();
    sendmail->refusals = calloc(REFUSED_MAX, sizeof *sendmail->refusals);
    if (sendmail->pending != NULL && sendmail->refusals != NULL)
        return sendmail;
    maillog_sendmail_free(sendmail);
    return NULL;
}

void maillog_sendmail_free(struct maillog_sendmail *sendmail)
{
    if (sendmail == NULL)
        return;
    maillog_pending_free(sendmail->pending);
    free(sendmail->refusals);
    free(sendmail);
}

bool maillog_sendmail_is(const struct maillog_record *record)
{
    static const char *const beginnings[] = {
        "from=", "to=", "ruleset=", "Milter: ", "milter=", "AUTH=", "rejecting commands from "};
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *program = record->program, *text = record->message;
    if (strncmp(program, "sendmail", 8) == 0 || strncmp(program, "sm-", 3) == 0)
        return true;
    const char *rest = maillog_sendmail_queue_id(text, queue_id);
    if (rest == NULL) /* lines without a queue ID */
        return strncmp(text, "ruleset=check_relay, arg1=", 26) == 0 ||
               strncmp(text, "AUTH=server, relay=", 19) == 0;
    size_t length = strlen(queue_id);
    if (length < 12 || strspn(queue_id + length - 5, "0123456789") != 5)
        return false;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(rest, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* Where and when it was recorded, and of which message. */
static void stamp(const struct maillog_record *record, const char *queue_id,
                  struct maillog_event *event)
{
    event->file = record->file;
    event->line = record->line;
    event->wall_s = record->wall_s;
    maillog_copy(event->queue_id, sizeof event->queue_id, queue_id, strlen(queue_id));
}

static struct maillog_pending_key key_of(const struct maillog_record *record, const char *queue_id)
{
    return (struct maillog_pending_key){record->host, 0, queue_id};
}

/* --- processes
 * --------------------------------------------------------------------------------------- */

static struct process *process_of(struct maillog_sendmail *sendmail,
                                  const struct maillog_record *record)
{
    size_t index = ((size_t)record->pid ^ (size_t)record->host) % PROCESS_SLOTS;
    struct process *process = &sendmail->processes[index];
    if (process->pid != record->pid || process->host != record->host || record->pid == 0) {
        memset(process, 0, sizeof *process);
        process->pid = record->pid;
        process->host = record->host;
    }
    return process;
}

/* "AUTH=server, relay=name [address], authid=u, mech=PLAIN, bits=0": without a queue ID. */
static void on_auth(struct process *process, const char *text)
{
    struct maillog_event event = {0};
    const char *relay = maillog_after(text, "relay=");
    if (relay != NULL && maillog_sendmail_relay(relay, &event))
        process->authenticated = event.client;
}

static void add_login(const struct process *process, struct maillog_event *event)
{
    event->authenticated =
        event->authenticated || (process->authenticated.family != IP_NONE &&
                                 ipaddr_equal(&process->authenticated, &event->client));
}

/* --- refusals
 * ----------------------------------------------------------------------------------------- */

static uint64_t hash_of(uint64_t host, const char *queue_id)
{
    uint64_t hash = host ^ maillog_syslog_host(queue_id, strlen(queue_id));
    return hash != 0 ? hash : 1;
}

/* A refusal takes the place of the oldest one, which is reported if its client is known. */
static struct refusal *new_refusal(struct maillog_sendmail *sendmail,
                                   const struct maillog_record *record, const char *queue_id,
                                   const struct maillog_sink *sink)
{
    size_t place = sendmail->next_refusal;
    struct refusal *refusal = &sendmail->refusals[place];
    sendmail->next_refusal = (place + 1) % REFUSED_MAX;
    if (sendmail->refused[place] == 0)
        sendmail->waiting++;
    else if (refusal->event.client.family != IP_NONE)
        sink->event(sink->arg, &refusal->event);
    memset(refusal, 0, sizeof *refusal);
    sendmail->refused[place] = hash_of(record->host, queue_id);
    stamp(record, queue_id, &refusal->event);
    return refusal;
}

/* What is known of client and sender goes to the refusals of the message, which are reported. True:
   one was of the message as a whole. */
static bool tell_refusals(struct maillog_sendmail *sendmail, uint64_t host,
                          const struct maillog_event *message, const struct maillog_sink *sink)
{
    uint64_t hash = hash_of(host, message->queue_id);
    bool whole = false;
    for (size_t i = 0; i < REFUSED_MAX && sendmail->waiting > 0; i++) {
        size_t place = (sendmail->next_refusal + i) % REFUSED_MAX;
        struct refusal *refusal = &sendmail->refusals[place];
        struct maillog_event *event = &refusal->event;
        if (sendmail->refused[place] != hash || strcmp(event->queue_id, message->queue_id) != 0)
            continue;
        sendmail->refused[place] = 0;
        sendmail->waiting--;
        whole = whole || refusal->whole;
        if (event->client.family == IP_NONE || refusal->guessed) {
            event->authenticated = false;
            event->client = message->client;
            event->ptr_state = message->ptr_state;
            memcpy(event->ptr, message->ptr, sizeof event->ptr);
        }
        if (!event->sender_recorded && message->sender_recorded) {
            event->sender_recorded = true;
            memcpy(event->sender, message->sender, sizeof event->sender);
        }
        event->authenticated = event->authenticated || message->authenticated;
        sink->event(sink->arg, event);
    }
    return whole;
}

/* A refusal of the whole message whose line with client and sender is known. */
static bool refuse_message(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                           const char *queue_id, enum maillog_outcome outcome)
{
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(sendmail->pending, &key);
    if (entry == NULL)
        return false;
    entry->event.outcome = outcome;
    return true;
}

static bool is_named(const char *text, size_t length, const char *name)
{
    return length == strlen(name) && strncmp(text, name, length) == 0;
}

/* They refuse nobody who sends mail to us: of connections to other servers, of deliveries, of who
   is believed in AUTH=. */
static bool is_of_others(const char *ruleset, size_t length)
{
    static const char *const others[] = {"tls_server",   "tls_rcpt",   "try_tls",
                                         "check_compat", "trust_auth", "srv_features"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_named(ruleset, length, others[i]))
            return true;
    return false;
}

/* Before there is a message, or about one recipient; all other rule sets are about the message:
   check_data, check_eoh, check_eom, and those of header fields, which have any name. */
static bool is_of_message(const char *ruleset, size_t length)
{
    static const char *const others[] = {"check_relay", "check_mail", "check_rcpt", "check_vrfy",
                                         "check_expn",  "check_etrn", "tls_client"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_named(ruleset, length, others[i]))
            return false;
    return true;
}

/* "ruleset=check_rcpt, arg1=<user@example.net>, relay=name [address], reject=550 5.7.1 ...";
   without a queue ID before there is a message. */
static void on_ruleset(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                       const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    const char *argument = strstr(text, ", arg1=");
    if (argument == NULL)
        return;
    size_t name_length = (size_t)(argument - text);
    argument += 7;
    const char *end = maillog_sendmail_skip_address(argument);
    const char *relay = end;
    if (strncmp(relay, ", arg2=", 7) == 0)
        relay = maillog_sendmail_skip_address(relay + 7);
    const char *reject = strstr(relay, ", reject=");
    struct maillog_event event = {0};
    if (is_of_others(text, name_length) || strncmp(relay, ", relay=", 8) != 0 ||
        !maillog_sendmail_relay(relay + 8, &event) || reject == NULL)
        return;
    struct process *process = process_of(sendmail, record);
    process->client = event;
    stamp(record, queue_id, &event);
    event.outcome = maillog_sendmail_outcome(reject + 9);
    add_login(process, &event);
    bool whole = is_of_message(text, name_length);
    if (is_named(text, name_length, "check_rcpt"))
        maillog_sendmail_address(argument, end, &event.recipient_recorded, event.recipient);
    else if (is_named(text, name_length, "check_mail"))
        maillog_sendmail_address(argument, end, &event.sender_recorded, event.sender);
    /* Behind a refused connection or sender no line names a message. */
    if (queue_id[0] == '\0' || event.sender_recorded) {
        sink->event(sink->arg, &event);
    } else if (!whole || !refuse_message(sendmail, record, queue_id, event.outcome)) {
        struct refusal *refusal = new_refusal(sendmail, record, queue_id, sink);
        refusal->event = event;
        refusal->whole = whole;
    }
}

/* Without the line with client and sender: the client by the process, if it is known. */
static void add_client(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                       struct refusal *refusal)
{
    struct maillog_event *event = &refusal->event;
    const struct process *process = process_of(sendmail, record);
    if (process->client.client.family == IP_NONE)
        return;
    refusal->guessed = true;
    event->client = process->client.client;
    event->ptr_state = process->client.ptr_state;
    memcpy(event->ptr, process->client.ptr, sizeof event->ptr);
    add_login(process, event);
}

/* The newest refusal of the message that came by "milter="; lines of other processes may be behind
   it. */
static struct refusal *find_by_action(struct maillog_sendmail *sendmail,
                                      const struct maillog_record *record, const char *queue_id)
{
    uint64_t hash = hash_of(record->host, queue_id);
    for (size_t i = 1; i <= REFUSED_MAX; i++) {
        size_t place = (sendmail->next_refusal + REFUSED_MAX - i) % REFUSED_MAX;
        const struct refusal *refusal = &sendmail->refusals[place];
        if (sendmail->refused[place] == hash && refusal->by_action &&
            strcmp(refusal->event.queue_id, queue_id) == 0)
            return &sendmail->refusals[place];
    }
    return NULL;
}

/* "to=<user@example.net>, reject=550 5.7.25 ...", "data, reject=..." behind "Milter: ", and what is
   logged of the same behind "milter=name, action=": "rcpt, reject=...". */
static void on_milter(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                      const char *queue_id, const char *text, bool by_action,
                      const struct maillog_sink *sink)
{
    const char *end = text, *recipient = by_action ? NULL : maillog_after(text, "to=");
    const char *sender = by_action ? NULL : maillog_after(text, "from=");
    if (recipient != NULL || sender != NULL)
        end = maillog_sendmail_skip_address(recipient != NULL ? recipient : sender);
    bool whole = by_action ? maillog_after(text, "rcpt,") == NULL : recipient == NULL;
    const char *reject = strstr(end, ", reject"), *failed = strstr(end, ", tempfail");
    if (reject == NULL && failed == NULL)
        return;
    const char *code = reject != NULL ? strchr(reject, '=') : NULL;
    enum maillog_outcome outcome = reject == NULL ? REPLAY_DEFERRED
                                   : code != NULL ? maillog_sendmail_outcome(code + 1)
                                                  : REPLAY_REFUSED;
    struct refusal *refusal = by_action ? NULL : find_by_action(sendmail, record, queue_id);
    if (refusal != NULL) {
        refusal->by_action = false; /* the same once more */
    } else if (whole && refuse_message(sendmail, record, queue_id, outcome)) {
        return;
    } else {
        refusal = new_refusal(sendmail, record, queue_id, sink);
        refusal->by_action = by_action;
        refusal->whole = whole;
        add_client(sendmail, record, refusal);
    }
    refusal->event.outcome = outcome;
    if (recipient != NULL)
        maillog_sendmail_address(recipient, end, &refusal->event.recipient_recorded,
                                 refusal->event.recipient);
    if (sender != NULL)
        maillog_sendmail_address(sender, end, &refusal->event.sender_recorded,
                                 refusal->event.sender);
}

/* "name, action=rcpt, reject=550 ..."; "name, reject=550 ..." of the whole message at its end. */
static void on_milter_action(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                             const char *queue_id, const char *text,
                             const struct maillog_sink *sink)
{
    const char *action = strstr(text, ", action="), *rest = strchr(text, ',');
    if (action != NULL)
        rest = action + 9;
    else if (rest != NULL && maillog_after(rest, ", reject") == NULL &&
             maillog_after(rest, ", tempfail") == NULL)
        return; /* ", quarantine=..." with any text */
    if (rest != NULL)
        on_milter(sendmail, record, queue_id, rest, true, sink);
}

/* "<user@example.net>... User unknown", or what a table says instead: RCPT is refused.  The code of
   the reply is not logged. */
static void on_refused_recipient(struct maillog_sendmail *sendmail,
                                 const struct maillog_record *record, const char *queue_id,
                                 const char *text, const struct maillog_sink *sink)
{
    const char *reason = maillog_sendmail_reason(text);
    if (reason == NULL)
        return;
    struct refusal *refusal = new_refusal(sendmail, record, queue_id, sink);
    add_client(sendmail, record, refusal);
    bool later = strcasestr(reason, "try again") != NULL || strcasestr(reason, "later") != NULL ||
                 strcasestr(reason, "temporar") != NULL;
    refusal->event.outcome = later ? REPLAY_DEFERRED : REPLAY_REFUSED;
    maillog_sendmail_address(text, reason - strlen("... "), &refusal->event.recipient_recorded,
                             refusal->event.recipient);
}

/* "message size (30000000) exceeds maximum (20000000)" behind the line with client and sender,
   "headers too large (32768 max) from ...", "header overflow from ..." before it: 552. */
static bool is_over_limit(const char *text)
{
    return (maillog_after(text, "message size (") != NULL &&
            strstr(text, ") exceeds maximum (") != NULL) ||
           maillog_after(text, "headers too large (") != NULL ||
           maillog_after(text, "header overflow from ") != NULL;
}

static void on_limit(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                     const char *queue_id, const struct maillog_sink *sink)
{
    if (refuse_message(sendmail, record, queue_id, REPLAY_REFUSED))
        return;
    struct refusal *refusal = new_refusal(sendmail, record, queue_id, sink);
    add_client(sendmail, record, refusal);
    refusal->whole = true;
    refusal->event.outcome = REPLAY_REFUSED;
}

/* Of a client that is refused before it can send a message. */
static void on_refused_connection(const struct maillog_record *record, const char *queue_id,
                                  const char *text, const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    if (!maillog_sendmail_refused_connection(text, &event))
        return;
    stamp(record, queue_id, &event);
    sink->event(sink->arg, &event);
}

/* --- messages
 * ------------------------------------------------------------------------------------------ */

static uint64_t *others_slot(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                             const char *queue_id, uint64_t *hash)
{
    *hash = hash_of(record->host, queue_id);
    return &sendmail->others[*hash % OTHERS_SLOTS];
}

static uint64_t *lost_slot(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                           const char *queue_id, uint64_t *hash)
{
    *hash = hash_of(record->host, queue_id);
    return &sendmail->lost[*hash % LOST_SLOTS];
}

/* "from=<u@example.org>, size=10, class=0, nrcpts=1, ..., relay=mail.example.org [192.0.2.1]" */
static void on_from(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                    const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    struct maillog_sendmail_from from;
    struct maillog_event event = {0};
    uint64_t hash;
    maillog_sendmail_from(text, &from);
    uint64_t *other = others_slot(sendmail, record, queue_id, &hash);
    *other = strncmp(text, "<>,", 3) == 0 ? hash : *other == hash ? 0 : *other;
    /* Else submitted on this host, or a queue run. */
    if (from.relay == NULL || !maillog_sendmail_relay(from.relay, &event))
        return;
    struct process *process = process_of(sendmail, record);
    process->client = event;
    stamp(record, queue_id, &event);
    maillog_sendmail_address(text, from.sender_end, &event.sender_recorded, event.sender);
    event.authenticated = from.login;
    add_login(process, &event);
    if (!maillog_is_own(sink, &event))
        *other = hash;
    bool refused = tell_refusals(sendmail, record->host, &event, sink);
    uint64_t *lost = lost_slot(sendmail, record, queue_id, &hash);
    bool gone = *lost == hash;
    if (gone)
        *lost = 0;
    /* With recipients left it was taken, whatever became of others. */
    if (from.recipients == 0 || refused || gone)
        return;
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(sendmail->pending, &key);
    if (entry != NULL)
        maillog_pending_close(entry, sink);
    entry = maillog_pending_open(sendmail->pending, &key, sink);
    event.outcome = REPLAY_ACCEPTED;
    entry->event = event;
}

/* "<a@example.org>,<b@example.org>, delay=..., mailer=esmtp, ..., relay=name [address], dsn=2.0.0,
   stat=Sent": the addresses, at another server. */
static void on_delivery(const char *text, const struct maillog_sink *sink)
{
    char recipient[REPLAY_ADDRESS_MAX + 1];
    struct maillog_event server = {0};
    bool recorded;
    const char *end = maillog_sendmail_skip_address(text);
    const char *relay = strstr(end, ", relay="), *stat = strstr(end, ", stat=");
    if (relay == NULL || stat == NULL || strncmp(stat, ", stat=Sent", 11) != 0 ||
        strstr(end, ", mailer=local") != NULL || !maillog_sendmail_relay(relay + 8, &server))
        return;
    for (;;) {
        maillog_sendmail_address(text, end, &recorded, recipient);
        sink->delivered(sink->arg, recipient, &server.client);
        if (end[0] != ',' || end[1] != '<')
            return;
        text = end + 1;
        end = maillog_sendmail_skip_address(text);
    }
}

static void on_to(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                  const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    uint64_t hash;
    const struct maillog_pending_key key = key_of(record, queue_id);
    struct maillog_pending_entry *entry = maillog_pending_find(sendmail->pending, &key);
    if (entry != NULL)
        maillog_pending_close(entry, sink);
    const uint64_t *slot = others_slot(sendmail, record, queue_id, &hash);
    if (sink->delivered != NULL && *slot != hash)
        on_delivery(text, sink);
}

/* The client went away in the middle of the message. */
static void on_lost(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                    const char *queue_id)
{
    uint64_t hash;
    uint64_t *slot = lost_slot(sendmail, record, queue_id, &hash);
    *slot = hash;
}

static void on_message(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                       const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    const char *rest;
    if ((rest = maillog_after(text, "from=")) != NULL)
        on_from(sendmail, record, queue_id, rest, sink);
    else if ((rest = maillog_after(text, "to=")) != NULL)
        on_to(sendmail, record, queue_id, rest, sink);
    else if ((rest = maillog_after(text, "ruleset=")) != NULL)
        on_ruleset(sendmail, record, queue_id, rest, sink);
    else if (maillog_after(text, "Milter: connect: host=") != NULL ||
             maillog_after(text, "rejecting commands from ") != NULL)
        on_refused_connection(record, queue_id, text, sink);
    else if (maillog_after(text, "lost input channel from ") != NULL ||
             maillog_after(text, "collect: premature EOM") != NULL ||
             maillog_after(text, "collect: unexpected close ") != NULL ||
             maillog_after(text, "timeout waiting for input from ") != NULL)
        on_lost(sendmail, record, queue_id);
    else if ((rest = maillog_after(text, "Milter: ")) != NULL)
        on_milter(sendmail, record, queue_id, rest, false, sink);
    else if ((rest = maillog_after(text, "milter=")) != NULL)
        on_milter_action(sendmail, record, queue_id, rest, sink);
    else if ((rest = maillog_after(text, "AUTH=server, ")) != NULL)
        on_auth(process_of(sendmail, record), rest);
    else if (text[0] == '<')
        on_refused_recipient(sendmail, record, queue_id, text, sink);
    else if (is_over_limit(text))
        on_limit(sendmail, record, queue_id, sink);
}

void maillog_sendmail_record(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                             const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1] = "";
    const char *text = record->message, *rest;
    if ((rest = maillog_after(text, "NOQUEUE: connect from ")) != NULL) {
        struct process *process = process_of(sendmail, record);
        memset(&process->authenticated, 0, sizeof process->authenticated);
        (void)maillog_sendmail_relay(rest, &process->client);
    } else if ((rest = maillog_after(text, "NOQUEUE: ")) != NULL) {
        on_refused_connection(record, "", rest, sink);
    } else if ((rest = maillog_sendmail_queue_id(text, queue_id)) != NULL) {
        on_message(sendmail, record, queue_id, rest, sink);
    } else if ((rest = maillog_after(text, "AUTH=server, ")) != NULL) {
        on_auth(process_of(sendmail, record), rest);
    } else if ((rest = maillog_after(text, "ruleset=")) != NULL) {
        on_ruleset(sendmail, record, "", rest, sink);
    } else {
        on_refused_connection(record, "", text, sink);
    }
}

void maillog_sendmail_end(struct maillog_sendmail *sendmail, const struct maillog_sink *sink)
{
    for (size_t i = 0; i < REFUSED_MAX; i++) {
        size_t place = (sendmail->next_refusal + i) % REFUSED_MAX;
        const struct maillog_event *event = &sendmail->refusals[place].event;
        if (sendmail->refused[place] != 0 && event->client.family != IP_NONE)
            sink->event(sink->arg, event);
        sendmail->refused[place] = 0;
    }
    sendmail->waiting = 0;
    maillog_pending_close_all(sendmail->pending, sink);
}
