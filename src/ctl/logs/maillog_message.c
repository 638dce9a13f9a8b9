/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_message.h"

#include "ctl/logs/maillog_date.h"

#include <stdlib.h>
#include <strings.h>

void maillog_message_begin(struct maillog_message *message, const char *file, uint64_t line)
{
    memset(&message->event, 0, sizeof message->event);
    message->event.file = file;
    message->event.line = line;
    message->found = message->unreadable = message->received = message->known = false;
    message->content_length = 0;
    message->in_field = false;
    message->length = 0;
}

static void take_ptr(const struct received *received, struct maillog_event *event)
{
    static const enum maillog_ptr states[] = {
        [RECEIVED_PTR_UNRECORDED] = REPLAY_PTR_UNRECORDED,
        [RECEIVED_PTR_NONE] = REPLAY_PTR_NONE,
        [RECEIVED_PTR_CONFIRMED] = REPLAY_PTR_CONFIRMED,
        [RECEIVED_PTR_UNCONFIRMED] = REPLAY_PTR_UNCONFIRMED,
        [RECEIVED_PTR_TEMPERROR] = REPLAY_PTR_TEMPERROR,
    };
    event->ptr_state = states[received->ptr_state];
    maillog_copy(event->ptr, sizeof event->ptr, received->ptr, strlen(received->ptr));
}

static void on_received(struct maillog_message *message, const char *value)
{
    struct received received;
    struct maillog_event *event = &message->event;
    if (message->found || message->unreadable)
        return;
    message->received = true;
    received_parse(value, &received);
    if (received.kind == RECEIVED_UNREADABLE)
        message->unreadable = true;
    if (received.kind != RECEIVED_FROM || message->is_ours(message->arg, &received.from))
        return;
    message->found = true;
    event->client = received.from;
    event->authenticated = received.submitted;
    event->wall_s = maillog_date_received(value);
    event->helo_recorded = received.helo_recorded;
    maillog_copy(event->helo, sizeof event->helo, received.helo, strlen(received.helo));
    take_ptr(&received, event);
}

/* "<user@example.org>" or without brackets. */
static void take_address(const char *value, bool *recorded, char out[REPLAY_ADDRESS_MAX + 1])
{
    value += strspn(value, " \t\r\n");
    const char *close = value[0] == '<' ? strrchr(value, '>') : NULL;
    size_t length = close != NULL ? (size_t)(close - value) - 1 : strcspn(value, " \t\r\n");
    maillog_copy(out, REPLAY_ADDRESS_MAX + 1, close != NULL ? value + 1 : value, length);
    *recorded = true;
}

void maillog_message_from_line(struct maillog_message *message, const char *text)
{
    char address[REPLAY_ADDRESS_MAX + 1];
    bool recorded;
    take_address(text + 5, &recorded, address);
    bool daemon = strcasecmp(address, "MAILER-DAEMON") == 0;
    /* "From - Sat Nov 21 ..." says nothing of the sender. */
    if (!daemon && (strchr(address, '@') == NULL || address[0] == '?'))
        return;
    maillog_copy(message->event.sender, sizeof message->event.sender, address,
                 daemon ? 0 : strlen(address));
    message->event.sender_recorded = true;
}

/* The body of the field if it is that one; RFC 5322 4.5 allows white space before the colon. */
static const char *field_value(const char *field, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(field, name, length) != 0)
        return NULL;
    length += strspn(field + length, " \t");
    return field[length] == ':' ? field + length + 1 : NULL;
}

static bool is_of_messages(const char *field)
{
    static const char *const names[] = {"Received", "Return-Path", "From",      "To",
                                        "Date",     "Subject",     "Message-ID"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (field_value(field, names[i]) != NULL)
            return true;
    return false;
}

/* The field under way is complete. */
static void on_field(struct maillog_message *message)
{
    struct maillog_event *event = &message->event;
    const char *value;
    if (!message->in_field)
        return;
    message->in_field = false;
    message->known = message->known || is_of_messages(message->field);
    if ((value = field_value(message->field, "Received")) != NULL)
        on_received(message, value);
    else if ((value = field_value(message->field, "Return-Path")) != NULL)
        take_address(value, &event->sender_recorded, event->sender);
    else if (!event->recipient_recorded &&
             ((value = field_value(message->field, "X-Original-To")) != NULL ||
              (value = field_value(message->field, "Delivered-To")) != NULL ||
              (value = field_value(message->field, "Envelope-To")) != NULL))
        take_address(value, &event->recipient_recorded, event->recipient);
    else if ((value = field_value(message->field, "Content-Length")) != NULL)
        message->content_length = strtoull(value, NULL, 10);
}

static void append(struct maillog_message *message, const char *text)
{
    size_t room = sizeof message->field - 1 - message->length;
    size_t length = strlen(text);
    if (length > room)
        length = room;
    memcpy(message->field + message->length, text, length);
    message->length += length;
    message->field[message->length] = '\0';
}

void maillog_message_line(struct maillog_message *message, const char *text)
{
    if (text[0] == ' ' || text[0] == '\t') {
        if (message->in_field) {
            append(message, "\n");
            append(message, text);
        }
        return;
    }
    on_field(message);
    if (text[0] == '\0')
        return;
    message->in_field = true;
    message->length = 0;
    append(message, text);
}

enum maillog_message_kind maillog_message_end(struct maillog_message *message)
{
    on_field(message);
    if (message->found) {
        message->event.outcome = REPLAY_ACCEPTED; /* it is here */
        return MAILLOG_MESSAGE_ATTEMPT;
    }
    return message->unreadable ? MAILLOG_MESSAGE_UNREADABLE : MAILLOG_MESSAGE_LOCAL;
}

bool maillog_message_is_field(const char *text)
{
    size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    size_t space = strspn(text + length, " \t");
    return length > 0 && text[length + space] == ':';
}
