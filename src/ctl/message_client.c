/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/message_client.h"

#include "core/namekind.h"

#include <string.h>
#include <strings.h>

#define FIELD "Received:"

void message_client_begin(struct message_client *message, const struct orgdomain *orgdomains)
{
    memset(message, 0, sizeof *message);
    message->orgdomains = orgdomains;
}

/* One host of a site handed it to another. */
static bool is_within(const struct message_client *message, const struct received *received)
{
    char helo[HOSTNAME_MAX + 1];
    return received->by[0] != '\0' && hostname_parse(received->helo, helo) == HOSTNAME_OK &&
           orgdomain_same(message->orgdomains, helo, received->by);
}

static void take_field(struct message_client *message)
{
    struct received received;
    message->in_field = false;
    message->field[message->length] = '\0';
    received_parse(message->field, &received);
    message->fields++;
    if (received.kind != RECEIVED_FROM || received.submitted ||
        namekind_private_address(&received.from) != NULL)
        return;
    bool within = is_within(message, &received);
    if (message->number > 0 && (!message->within || within))
        return; /* a better one stands above */
    message->client = received;
    message->number = message->fields;
    message->within = within;
}

static void append(struct message_client *message, const char *text)
{
    size_t room = RECEIVED_TEXT_MAX - message->length, length = strnlen(text, room);
    memcpy(message->field + message->length, text, length);
    message->length += length;
}

bool message_client_line(struct message_client *message, const char *line)
{
    if (message->in_field && (line[0] == ' ' || line[0] == '\t')) {
        append(message, "\n");
        append(message, line);
        return true;
    }
    if (message->in_field)
        take_field(message);
    if (strncasecmp(line, FIELD, strlen(FIELD)) == 0) {
        message->in_field = true;
        message->length = 0;
        append(message, line + strlen(FIELD));
    }
    return line[0] != '\0';
}

void message_client_end(struct message_client *message)
{
    if (message->in_field)
        take_field(message);
}
