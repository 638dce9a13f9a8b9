/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_sendmail.h"

#include "ctl/logs/maillog_pending.h"

#include <stdlib.h>
#include <strings.h>

struct maillog_sendmail {
    int64_t now_s;
    struct maillog_pending *pending;
};

struct maillog_sendmail *maillog_sendmail_new(int64_t now_s)
{
    struct maillog_sendmail *sendmail = calloc(1, sizeof *sendmail);
    if (sendmail == NULL)
        return NULL;
    sendmail->now_s = now_s;
    sendmail->pending = maillog_pending_new();
    if (sendmail->pending != NULL)
        return sendmail;
    free(sendmail);
    return NULL;
}

void maillog_sendmail_free(struct maillog_sendmail *sendmail)
{
    if (sendmail == NULL)
        return;
    maillog_pending_free(sendmail->pending);
    free(sendmail);
}

bool maillog_sendmail_is(const char *program)
{
    return strcmp(program, "sendmail") == 0 || strcmp(program, "sm-mta") == 0 ||
           strcmp(program, "sendmail-in") == 0;
}

/* "3AB1C2D3012345: "; returns what follows, NULL when there is none. */
static const char *take_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1])
{
    size_t length = strcspn(text, ": ");
    if (length < 8 || length > REPLAY_QUEUE_ID_MAX || text[length] != ':' ||
        text[length + 1] != ' ')
        return NULL;
    maillog_copy(out, REPLAY_QUEUE_ID_MAX + 1, text, length);
    return text + length + 2;
}

/* The last one: what a client may choose comes before what Sendmail says of it. */
static const char *find_last(const char *text, const char *key)
{
    const char *found = NULL;
    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
        found = at;
    return found == NULL ? NULL : found + strlen(key);
}

/* "mail.example.org [192.0.2.1]", with "ident@" before and "(may be forged)" behind, or
   "[192.0.2.1]" alone. */
static bool take_relay(const char *text, struct maillog_event *event)
{
    char address[IPADDR_TEXT_MAX];
    size_t open = strcspn(text, "[,");
    if (text[open] != '[')
        return false;
    const char *at = text + open + 1;
    if (strncasecmp(at, "IPv6:", 5) == 0)
        at += 5;
    size_t length = strcspn(at, "],");
    if (at[length] != ']' || length >= sizeof address)
        return false;
    maillog_copy(address, sizeof address, at, length);
    if (ipaddr_parse(address, &event->client) != RESULT_OK)
        return false;
    for (const char *ident = memchr(text, '@', open); ident != NULL;
         ident = memchr(text, '@', open)) {
        open -= (size_t)(ident + 1 - text);
        text = ident + 1;
    }
    while (open > 0 && text[open - 1] == ' ')
        open--;
    event->ptr_state = REPLAY_PTR_NONE;
    event->ptr[0] = '\0';
    if (open > 0 && open <= HOSTNAME_MAX) {
        maillog_copy(event->ptr, sizeof event->ptr, text, open);
        event->ptr_state = strncmp(at + length, "] (may be forged)", 17) == 0
                               ? REPLAY_PTR_UNCONFIRMED
                               : REPLAY_PTR_CONFIRMED;
    }
    return true;
}

/* "<user@example.org>" up to the field `next`, or, when that does not follow, any. */
static bool take_address(const char *text, const char *next, char out[REPLAY_ADDRESS_MAX + 1])
{
    const char *end = strstr(text, next);
    if (end == NULL)
        end = strstr(text, ", ");
    size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    maillog_copy(out, REPLAY_ADDRESS_MAX + 1, text, length);
    return true;
}

static enum maillog_outcome outcome_of(const char *reject)
{
    return *reject == '4' ? REPLAY_DEFERRED : *reject == '5' ? REPLAY_REFUSED : REPLAY_UNKNOWN;
}

static void stamp(const struct maillog_sendmail *sendmail, const struct maillog_record *record,
                  struct maillog_event *event)
{
    event->file = record->file;
    event->line = record->line;
    event->wall_s = maillog_syslog_time(record, sendmail->now_s);
}

/* "from=<sender>, size=1234, class=0, nrcpts=1, ..., relay=name [address]" */
static void on_from(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                    const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    struct maillog_event *event = maillog_pending_open(sendmail->pending, queue_id, sink);
    const char *relay = find_last(text, ", relay=");
    const char *recipients = find_last(text, ", nrcpts=");
    if (relay == NULL || !take_relay(relay, event)) {
        /* Submitted on this host, or a queue run. */
        event->client.family = IP_NONE;
        maillog_pending_close(sendmail->pending, event, sink);
        return;
    }
    event->sender_recorded = take_address(text, ", size=", event->sender);
    stamp(sendmail, record, event);
    /* With recipients left it was taken, whatever became of others. */
    if (recipients != NULL && recipients[0] != '0')
        event->outcome = REPLAY_ACCEPTED;
}

/* "ruleset=check_rcpt, arg1=<user@example.net>, relay=name [address], reject=550 5.7.1 ..." */
static void on_ruleset(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                       const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    const char *reject = strstr(text, ", reject=");
    const char *relay = strstr(text, ", relay=");
    struct maillog_event *event = maillog_pending_open(sendmail->pending, queue_id, sink);
    if (event->line == 0)
        stamp(sendmail, record, event);
    if (relay != NULL)
        (void)take_relay(relay + 8, event);
    if (reject != NULL)
        event->outcome = outcome_of(reject + 9);
    const char *recipient = strstr(text, "check_rcpt, arg1=");
    if (recipient != NULL)
        event->recipient_recorded = take_address(recipient + 17, ", relay=", event->recipient);
    const char *sender = strstr(text, "check_mail, arg1=");
    if (sender != NULL)
        event->sender_recorded = take_address(sender + 17, ", relay=", event->sender);
}

/* "Milter: to=<user@example.net>, reject=550 5.7.25 ...", "Milter: data, reject=..." */
static void on_milter(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                      const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    const char *reject = strstr(text, ", reject=");
    if (reject == NULL)
        return;
    struct maillog_event *event = maillog_pending_open(sendmail->pending, queue_id, sink);
    if (event->line == 0)
        stamp(sendmail, record, event);
    event->outcome = outcome_of(reject + 9);
    if (strncmp(text, "to=", 3) == 0)
        event->recipient_recorded = take_address(text + 3, ", reject=", event->recipient);
}

void maillog_sendmail_record(struct maillog_sendmail *sendmail, const struct maillog_record *record,
                             const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *rest = take_queue_id(record->message, queue_id);
    if (rest == NULL)
        return;
    if (strncmp(rest, "from=", 5) == 0) {
        on_from(sendmail, record, queue_id, rest + 5, sink);
    } else if (strncmp(rest, "ruleset=", 8) == 0) {
        on_ruleset(sendmail, record, queue_id, rest, sink);
    } else if (strncmp(rest, "Milter: ", 8) == 0) {
        on_milter(sendmail, record, queue_id, rest + 8, sink);
    } else if (strncmp(rest, "AUTH=server, ", 13) == 0) {
        struct maillog_event *event = maillog_pending_open(sendmail->pending, queue_id, sink);
        event->authenticated = true;
        if (event->line == 0)
            stamp(sendmail, record, event);
    } else if (strncmp(rest, "to=", 3) == 0) {
        struct maillog_event *event = maillog_pending_find(sendmail->pending, queue_id);
        if (event != NULL)
            maillog_pending_close(sendmail->pending, event, sink);
    }
}

void maillog_sendmail_end(struct maillog_sendmail *sendmail, const struct maillog_sink *sink)
{
    maillog_pending_close_all(sendmail->pending, sink);
}
