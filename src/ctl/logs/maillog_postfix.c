/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_postfix.h"

#include "ctl/logs/maillog_pending.h"

#include <stdlib.h>

/* smtpd processes heard of last; one serves one client at a time. */
#define SESSION_SLOTS 1024

/* What an smtpd process said about the client that it serves. */
struct smtpd_session {
    long pid;
    struct ipaddr client;
    char unconfirmed[HOSTNAME_MAX + 2];
    char helo[HELO_TEXT_MAX + 2];
    bool helo_recorded;
};

struct maillog_postfix {
    int64_t now_s;
    struct maillog_pending *pending;
    struct smtpd_session sessions[SESSION_SLOTS];
};

struct maillog_postfix *maillog_postfix_new(int64_t now_s)
{
    struct maillog_postfix *postfix = calloc(1, sizeof *postfix);
    if (postfix == NULL)
        return NULL;
    postfix->now_s = now_s;
    postfix->pending = maillog_pending_new();
    if (postfix->pending != NULL)
        return postfix;
    maillog_postfix_free(postfix);
    return NULL;
}

void maillog_postfix_free(struct maillog_postfix *postfix)
{
    if (postfix == NULL)
        return;
    maillog_pending_free(postfix->pending);
    free(postfix);
}

bool maillog_postfix_is(const char *program)
{
    return strncmp(program, "postfix", 7) == 0;
}

/* --- pieces of a line ------------------------------------------------------------------------ */

static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* "postfix/submission/smtpd" is an smtpd. */
static bool program_is(const char *program, const char *daemon)
{
    const char *slash = strrchr(program, '/');
    return slash != NULL && strcmp(slash + 1, daemon) == 0;
}

/* "4F1A2B3C: "; returns what follows, NULL when there is none. */
static const char *take_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1])
{
    size_t length = 0;
    while (((text[length] | 0x20) >= 'a' && (text[length] | 0x20) <= 'z') ||
           (text[length] >= '0' && text[length] <= '9'))
        length++;
    if (length == 0 || length > REPLAY_QUEUE_ID_MAX || text[length] != ':' ||
        text[length + 1] != ' ')
        return NULL;
    maillog_copy(out, REPLAY_QUEUE_ID_MAX + 1, text, length);
    return text + length + 2;
}

/* "mail.example.org[192.0.2.1]", "unknown[...]", postscreen's "[192.0.2.1]:25025"; returns what
   follows, NULL when it is none. */
static const char *take_client(const char *text, struct maillog_event *event)
{
    char address[IPADDR_TEXT_MAX];
    size_t name_length = strcspn(text, "[ ");
    if (text[name_length] != '[' || name_length > HOSTNAME_MAX)
        return NULL;
    const char *at = text + name_length + 1;
    size_t length = strcspn(at, "] ");
    if (at[length] != ']' || length >= sizeof address)
        return NULL;
    maillog_copy(address, sizeof address, at, length);
    if (ipaddr_parse(address, &event->client) != RESULT_OK)
        return NULL;
    maillog_copy(event->ptr, sizeof event->ptr, text, name_length);
    event->ptr_state = REPLAY_PTR_CONFIRMED;
    if (name_length == 0 || strcmp(event->ptr, "unknown") == 0) {
        event->ptr_state = name_length == 0 ? REPLAY_PTR_UNRECORDED : REPLAY_PTR_NONE;
        event->ptr[0] = '\0';
    }
    at += length + 1;
    if (*at == ':' && at[1] >= '0' && at[1] <= '9')
        at += 1 + strspn(at + 1, "0123456789");
    return at;
}

/* The value of "key=<value>" after `text`; false when it is not there. */
static bool take_bracketed(const char *text, const char *key, char *out, size_t size)
{
    const char *at = strstr(text, key);
    if (at == NULL)
        return false;
    at += strlen(key);
    /* An address may hold a '>': the value ends before the next key or the end. */
    const char *end = strchr(at, '>');
    while (end != NULL && end[1] != '\0' && end[1] != ' ' && end[1] != ',' && end[1] != ':')
        end = strchr(end + 1, '>');
    if (end == NULL)
        return false;
    maillog_copy(out, size, at, (size_t)(end - at));
    return true;
}

/* "; from=<a> to=<b> proto=ESMTP helo=<c>"; postscreen has commas between. */
static void take_envelope(const char *text, struct maillog_event *event)
{
    const char *at = strstr(text, "; from=<");
    if (at == NULL)
        at = text;
    if (take_bracketed(at, " from=<", event->sender, sizeof event->sender))
        event->sender_recorded = true;
    if (take_bracketed(at, " to=<", event->recipient, sizeof event->recipient))
        event->recipient_recorded = true;
    if (take_bracketed(at, " helo=<", event->helo, sizeof event->helo))
        event->helo_recorded = true;
}

/* By "450 4.7.25 ..." or "5.7.1 ...". */
static enum maillog_outcome outcome_of(const char *text)
{
    text += strspn(text, ": ");
    return *text == '4' ? REPLAY_DEFERRED : *text == '5' ? REPLAY_REFUSED : REPLAY_UNKNOWN;
}

/* --- what an smtpd process said before ------------------------------------------------------- */

static struct smtpd_session *session_of(struct maillog_postfix *postfix, long pid)
{
    struct smtpd_session *session = &postfix->sessions[(unsigned long)pid % SESSION_SLOTS];
    if (session->pid != pid) {
        memset(session, 0, sizeof *session);
        session->pid = pid;
    }
    return session;
}

/* "hostname a.example does not resolve to address 192.0.2.1[: why]", and the older
   "192.0.2.1: hostname a.example verification failed[: why]", "192.0.2.1: address not listed for
   hostname a.example" */
static bool parse_unconfirmed(const char *text, struct smtpd_session *session)
{
    static const char resolve[] = " does not resolve to address ";
    static const char *const olds[] = {": hostname ", ": address not listed for hostname "};
    char address[IPADDR_TEXT_MAX];
    const char *name = after(text, "hostname ");
    const char *ip = name != NULL ? strstr(name, resolve) : NULL;
    size_t ip_length = 0, name_length = 0;
    if (ip != NULL) {
        name_length = (size_t)(ip - name);
        ip += sizeof resolve - 1;
        ip_length = strcspn(ip, " ");
        while (ip_length > 0 && ip[ip_length - 1] == ':')
            ip_length--;
    } else {
        for (size_t i = 0; i < 2 && ip == NULL; i++) {
            const char *at = strstr(text, olds[i]);
            ip = at != NULL ? text : NULL;
            ip_length = at != NULL ? (size_t)(at - text) : 0;
            name = at != NULL ? at + strlen(olds[i]) : NULL;
            name_length = at != NULL ? strcspn(name, " ") : 0;
        }
    }
    if (ip == NULL || ip_length >= sizeof address || name_length == 0 || name_length > HOSTNAME_MAX)
        return false;
    maillog_copy(address, sizeof address, ip, ip_length);
    if (ipaddr_parse(address, &session->client) != RESULT_OK)
        return false;
    maillog_copy(session->unconfirmed, sizeof session->unconfirmed, name, name_length);
    return true;
}

/* Add what the process said before about this very client. */
static void recall(const struct smtpd_session *session, struct maillog_event *event)
{
    if (!ipaddr_equal(&session->client, &event->client))
        return;
    if (event->ptr_state == REPLAY_PTR_NONE && session->unconfirmed[0] != '\0') {
        event->ptr_state = REPLAY_PTR_UNCONFIRMED;
        maillog_copy(event->ptr, sizeof event->ptr, session->unconfirmed,
                     strlen(session->unconfirmed));
    }
    if (!event->helo_recorded && session->helo_recorded) {
        event->helo_recorded = true;
        maillog_copy(event->helo, sizeof event->helo, session->helo, strlen(session->helo));
    }
}

static void remember_helo(struct smtpd_session *session, const struct maillog_event *event)
{
    if (!event->helo_recorded)
        return;
    if (!ipaddr_equal(&session->client, &event->client)) {
        session->client = event->client;
        session->unconfirmed[0] = '\0';
    }
    session->helo_recorded = true;
    maillog_copy(session->helo, sizeof session->helo, event->helo, strlen(event->helo));
}

/* --- kinds of lines -------------------------------------------------------------------------- */

static void on_connect(struct maillog_postfix *postfix, long pid, const char *text)
{
    struct smtpd_session *session = session_of(postfix, pid);
    struct maillog_event event = {0};
    if (take_client(text, &event) == NULL)
        return;
    /* The warning about an unconfirmed name comes before. */
    if (!ipaddr_equal(&session->client, &event.client))
        session->unconfirmed[0] = '\0';
    session->client = event.client;
    session->helo_recorded = false;
}

/* "QID: client=name[address], sasl_method=..., sasl_username=..." */
static void on_client(struct maillog_postfix *postfix, const struct maillog_record *record,
                      const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    struct maillog_event *event = maillog_pending_find(postfix->pending, queue_id);
    if (event != NULL) /* short queue IDs come again */
        maillog_pending_close(postfix->pending, event, sink);
    event = maillog_pending_open(postfix->pending, queue_id, sink);
    const char *rest = take_client(text, event);
    if (rest == NULL) {
        maillog_pending_close(postfix->pending, event, sink);
        return;
    }
    event->file = record->file;
    event->line = record->line;
    event->wall_s = maillog_syslog_time(record, postfix->now_s);
    event->authenticated = strstr(rest, ", sasl_username=") != NULL;
    recall(session_of(postfix, record->pid), event);
}

/* "QID: from=<sender>, size=...": the message is in the queue. */
static void on_queued(struct maillog_postfix *postfix, const char *queue_id, const char *text,
                      const struct maillog_sink *sink)
{
    struct maillog_event *event = maillog_pending_find(postfix->pending, queue_id);
    if (event == NULL)
        return;
    if (strncmp(text, "from=<", 6) == 0) {
        const char *end = strstr(text, ">, ");
        if (end != NULL) {
            maillog_copy(event->sender, sizeof event->sender, text + 6, (size_t)(end - text) - 6);
            event->sender_recorded = true;
        }
        event->outcome = REPLAY_ACCEPTED;
    }
    maillog_pending_close(postfix->pending, event, sink);
}

/* "from name[address]: code text; from=<> to=<> proto= helo=<>"; false when it is no such line. */
static bool parse_answer(const struct maillog_postfix *postfix, const struct maillog_record *record,
                         const char *text, struct maillog_event *event)
{
    const char *rest = NULL;
    for (const char *at = strstr(text, " from "); at != NULL && rest == NULL;
         at = strstr(at + 1, " from "))
        rest = take_client(at + 6, event);
    if (rest == NULL)
        return false;
    event->file = record->file;
    event->line = record->line;
    event->wall_s = maillog_syslog_time(record, postfix->now_s);
    event->outcome = outcome_of(rest);
    take_envelope(rest, event);
    /* cleanup says why after the envelope: "...helo=<x>: 5.7.1 text". */
    const char *why = strstr(rest, ">: ");
    if (event->outcome == REPLAY_UNKNOWN && why != NULL)
        event->outcome = outcome_of(why + 1);
    return true;
}

/* A message that is refused after all: its own line has told the client already. */
static void refuse_pending(struct maillog_postfix *postfix, struct maillog_event *pending,
                           const struct maillog_event *answer, const struct maillog_sink *sink)
{
    struct maillog_event told = *answer;
    told.authenticated = pending->authenticated;
    told.ptr_state = pending->ptr_state;
    memcpy(told.ptr, pending->ptr, sizeof told.ptr);
    memset(pending, 0, sizeof *pending);
    (void)postfix;
    sink->event(sink->arg, &told);
}

/* smtpd, postscreen or cleanup said what they do with a client. */
static void on_answer(struct maillog_postfix *postfix, const struct maillog_record *record,
                      const char *queue_id, const char *text, const struct maillog_sink *sink)
{
    struct maillog_event event = {0};
    struct smtpd_session *session = session_of(postfix, record->pid);
    bool smtpd = program_is(record->program, "smtpd");
    const char *reject = after(text, "reject: ");
    if (reject == NULL)
        reject = after(text, "milter-reject: ");
    if (!parse_answer(postfix, record, text, &event))
        return;
    maillog_copy(event.queue_id, sizeof event.queue_id, queue_id, strlen(queue_id));
    if (smtpd) {
        recall(session, &event);
        remember_helo(session, &event);
    }
    struct maillog_event *pending = maillog_pending_find(postfix->pending, queue_id);
    if (reject != NULL && pending != NULL && (!smtpd || after(reject, "END-OF-MESSAGE") != NULL)) {
        refuse_pending(postfix, pending, &event, sink);
    } else if (reject != NULL) {
        if (pending != NULL)
            event.authenticated = pending->authenticated;
        if (strcmp(event.queue_id, "NOQUEUE") == 0)
            event.queue_id[0] = '\0';
        sink->event(sink->arg, &event);
    } else if (pending != NULL && event.helo_recorded && !pending->helo_recorded) {
        memcpy(pending->helo, event.helo, sizeof pending->helo);
        pending->helo_recorded = true;
    }
}

void maillog_postfix_record(struct maillog_postfix *postfix, const struct maillog_record *record,
                            const struct maillog_sink *sink)
{
    char queue_id[REPLAY_QUEUE_ID_MAX + 1];
    const char *rest;
    bool smtpd = program_is(record->program, "smtpd");
    if (smtpd && (rest = after(record->message, "connect from ")) != NULL) {
        on_connect(postfix, record->pid, rest);
        return;
    }
    if (smtpd && (rest = after(record->message, "warning: ")) != NULL) {
        (void)parse_unconfirmed(rest, session_of(postfix, record->pid));
        return;
    }
    rest = take_queue_id(record->message, queue_id);
    if (rest == NULL)
        return;
    if (program_is(record->program, "qmgr")) {
        on_queued(postfix, queue_id, rest, sink);
    } else if (smtpd && strncmp(rest, "client=", 7) == 0) {
        on_client(postfix, record, queue_id, rest + 7, sink);
    } else if (smtpd || program_is(record->program, "postscreen") ||
               program_is(record->program, "cleanup")) {
        on_answer(postfix, record, queue_id, rest, sink);
    }
}

void maillog_postfix_end(struct maillog_postfix *postfix, const struct maillog_sink *sink)
{
    maillog_pending_close_all(postfix->pending, sink);
}
