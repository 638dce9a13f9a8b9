/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_mailbox.h"

#include "core/received.h"

#include <stdlib.h>
#include <strings.h>

enum place { IN_HEADER, IN_BODY };

struct maillog_mailbox {
    bool (*is_ours)(void *arg, const struct ipaddr *addr);
    void *arg;
    const char *file;
    bool mbox;
    enum place place;
    bool blank;          /* the line before was empty, or there was none */
    bool begun;          /* a message is under way */
    bool settled;        /* its client is known, or cannot be */
    uint64_t without;    /* messages without a client */
    uint64_t field_line; /* where the field under way begins; 0: none */
    size_t length;       /* of the field */
    char field[RECEIVED_TEXT_MAX + 1];
    struct maillog_event event;
};

struct maillog_mailbox *maillog_mailbox_new(bool (*is_ours)(void *arg, const struct ipaddr *addr),
                                            void *arg)
{
    struct maillog_mailbox *mail = calloc(1, sizeof *mail);
    if (mail != NULL) {
        mail->is_ours = is_ours;
        mail->arg = arg;
    }
    return mail;
}

void maillog_mailbox_free(struct maillog_mailbox *mail)
{
    free(mail);
}

/* The name before the address in "EHLO (NAME [IP])" or, without EHLO there, "NAME ([IP]".  Other
   mail servers do not say what they confirmed. */
static void take_name(const char *value, struct maillog_event *event)
{
    char address[IPADDR_TEXT_MAX];
    const char *open = strchr(value, '[');
    struct ipaddr addr;
    if (open == NULL)
        return;
    const char *ip = strncasecmp(open + 1, "IPv6:", 5) == 0 ? open + 6 : open + 1;
    size_t length = strcspn(ip, "]");
    if (length >= sizeof address || ip[length] != ']')
        return;
    maillog_copy(address, sizeof address, ip, length);
    if (ipaddr_parse(address, &addr) != RESULT_OK || !ipaddr_equal(&addr, &event->client))
        return;
    const char *paren = open;
    while (paren > value && *paren != '(')
        paren--;
    if (*paren != '(')
        return;
    const char *from = paren + 1, *end = open;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    event->ptr_state = REPLAY_PTR_NONE;
    if (from == end && strncmp(ip + length, "] helo=", 7) == 0) { /* Exim */
        from = value + strspn(value, " \t");
        from = strncasecmp(from, "from ", 5) == 0 ? from + 5 : from;
        end = from + strcspn(from, " \t(");
    }
    size_t name_length = (size_t)(end - from);
    if (name_length == 0 || name_length > HOSTNAME_MAX || memchr(from, ' ', name_length) != NULL ||
        (name_length == 7 && strncmp(from, "unknown", 7) == 0))
        return;
    maillog_copy(event->ptr, sizeof event->ptr, from, name_length);
    event->ptr_state = strncmp(ip + length, "] (may be forged)", 17) == 0 ? REPLAY_PTR_UNCONFIRMED
                                                                          : REPLAY_PTR_CONFIRMED;
}

static void on_received(struct maillog_mailbox *mail, const char *value)
{
    struct received received;
    received_parse(value, &received);
    if (received.kind == RECEIVED_INTERNAL ||
        (received.kind == RECEIVED_FROM && mail->is_ours(mail->arg, &received.from)))
        return;
    mail->settled = true;
    if (received.kind != RECEIVED_FROM)
        return;
    mail->event.client = received.from;
    mail->event.authenticated = received.submitted;
    mail->event.helo_recorded = received.helo_recorded;
    if (received.helo_recorded)
        maillog_copy(mail->event.helo, sizeof mail->event.helo, received.helo,
                     strlen(received.helo));
    take_name(value, &mail->event);
}

/* "<user@example.org>" or without brackets. */
static bool take_address(const char *value, char out[REPLAY_ADDRESS_MAX + 1])
{
    value += strspn(value, " \t");
    const char *close = value[0] == '<' ? strchr(value, '>') : NULL;
    size_t length = close != NULL ? (size_t)(close - value) - 1 : strcspn(value, " \t\r\n");
    maillog_copy(out, REPLAY_ADDRESS_MAX + 1, close != NULL ? value + 1 : value, length);
    return true;
}

/* The body of the field if it is that one. */
static const char *field_value(const char *field, const char *name)
{
    size_t length = strlen(name);
    return strncasecmp(field, name, length) == 0 ? field + length : NULL;
}

/* The field under way is complete. */
static void on_field(struct maillog_mailbox *mail)
{
    const char *value;
    if (mail->field_line == 0)
        return;
    mail->field_line = 0;
    if ((value = field_value(mail->field, "Received:")) != NULL) {
        if (!mail->settled)
            on_received(mail, value);
    } else if ((value = field_value(mail->field, "Return-Path:")) != NULL) {
        if (!mail->event.sender_recorded)
            mail->event.sender_recorded = take_address(value, mail->event.sender);
    } else if ((value = field_value(mail->field, "X-Original-To:")) != NULL ||
               (value = field_value(mail->field, "Delivered-To:")) != NULL) {
        if (!mail->event.recipient_recorded)
            mail->event.recipient_recorded = take_address(value, mail->event.recipient);
    }
}

/* Tell the message under way, if there is one. */
static void finish(struct maillog_mailbox *mail, const struct maillog_sink *sink)
{
    if (!mail->begun)
        return;
    on_field(mail);
    mail->begun = false;
    if (mail->event.client.family != IP_NONE) {
        mail->event.outcome = REPLAY_ACCEPTED; /* it is here */
        sink->event(sink->arg, &mail->event);
    } else {
        mail->without++;
    }
}

static void start(struct maillog_mailbox *mail, uint64_t number)
{
    memset(&mail->event, 0, sizeof mail->event);
    mail->event.file = mail->file;
    mail->event.line = number;
    mail->place = IN_HEADER;
    mail->settled = false;
    mail->field_line = 0;
    mail->begun = true;
}

void maillog_mailbox_begin(struct maillog_mailbox *mail, const char *file, bool mbox)
{
    mail->file = file;
    mail->mbox = mbox;
    mail->blank = true;
    mail->begun = false;
    mail->place = IN_BODY;
    if (!mbox)
        start(mail, 1);
}

static void append(struct maillog_mailbox *mail, const char *text)
{
    size_t room = sizeof mail->field - 1 - mail->length;
    size_t length = strlen(text);
    if (length > room)
        length = room;
    memcpy(mail->field + mail->length, text, length);
    mail->length += length;
    mail->field[mail->length] = '\0';
}

void maillog_mailbox_line(struct maillog_mailbox *mail, const char *text, uint64_t number,
                          const struct maillog_sink *sink)
{
    bool blank = mail->blank;
    mail->blank = text[0] == '\0';
    if (mail->mbox && blank && strncmp(text, "From ", 5) == 0) {
        finish(mail, sink);
        start(mail, number);
        return;
    }
    if (mail->place == IN_BODY)
        return;
    if (mail->blank) {
        on_field(mail);
        mail->place = IN_BODY;
    } else if (text[0] == ' ' || text[0] == '\t') {
        if (mail->field_line != 0)
            append(mail, text);
    } else {
        on_field(mail);
        mail->field_line = number;
        mail->length = 0;
        append(mail, text);
    }
}

uint64_t maillog_mailbox_end(struct maillog_mailbox *mail, const struct maillog_sink *sink)
{
    finish(mail, sink);
    uint64_t without = mail->without;
    mail->without = 0;
    return without;
}
