/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_sendmail_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const char *maillog_sendmail_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1])
{
    size_t length = 0;
    while ((text[length] >= '0' && text[length] <= '9') ||
           ((text[length] | 0x20) >= 'a' && (text[length] | 0x20) <= 'z'))
        length++;
    if (length < 8 || length > REPLAY_QUEUE_ID_MAX || text[length] != ':' ||
        text[length + 1] != ' ')
        return NULL;
    maillog_copy(out, REPLAY_QUEUE_ID_MAX + 1, text, length);
    return text + length + 2;
}

bool maillog_sendmail_relay(const char *text, struct maillog_event *event)
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

const char *maillog_sendmail_skip_address(const char *text)
{
    bool quoted = false, bracketed = text[0] == '<';
    const char *plain = strstr(text, ", ");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && bracketed && *at == '>' && (at[1] == ',' || at[1] == '\0'))
            return at + 1;
        else if (!quoted && !bracketed && *at == ',' && at[1] == ' ')
            return at;
    }
    return plain != NULL && !bracketed ? plain : text + strlen(text);
}

const char *maillog_sendmail_reason(const char *text)
{
    bool quoted = false;
    for (const char *at = text; text[0] == '<' && *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && strncmp(at, ">... ", 5) == 0)
            return at + 5;
    }
    return NULL;
}

void maillog_sendmail_address(const char *text, const char *end, bool *recorded,
                              char out[REPLAY_ADDRESS_MAX + 1])
{
    size_t length = (size_t)(end - text);
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    maillog_copy(out, REPLAY_ADDRESS_MAX + 1, text, length);
    *recorded = true;
}

enum maillog_outcome maillog_sendmail_outcome(const char *text)
{
    return *text == '4' ? REPLAY_DEFERRED : *text == '5' ? REPLAY_REFUSED : REPLAY_UNKNOWN;
}

/* --- refused connections
 * -------------------------------------------------------------------------- */

/* "mail.example.org", "192.0.2.1" up to one of `end`; without a name "[192.0.2.1]" or "unknown". */
static bool take_pair(const char *name, size_t name_length, const char *address, const char *end,
                      struct maillog_event *event)
{
    char relay[HOSTNAME_MAX + IPADDR_TEXT_MAX + 8];
    size_t length = strcspn(address, end);
    bool none = name[0] == '[' || (name_length == 7 && strncmp(name, "unknown", 7) == 0);
    if (name_length > HOSTNAME_MAX || length > IPADDR_TEXT_MAX)
        return false;
    (void)snprintf(relay, sizeof relay, "%.*s [%.*s]", none ? 0 : (int)name_length, name,
                   (int)length, address);
    return maillog_sendmail_relay(relay, event);
}

/* ", rejecting commands", ", temp failing commands", ", shutdown", with or without "=421 4.7.0
   text",
   ", reject=554 5.7.1 text". */
static enum maillog_outcome connect_outcome(const char *text)
{
    const char *code = maillog_after(text, ", reject=");
    if (code != NULL)
        return maillog_sendmail_outcome(code);
    if (maillog_after(text, ", temp failing commands") != NULL ||
        maillog_after(text, ", shutdown") != NULL)
        return REPLAY_DEFERRED;
    return maillog_after(text, ", rejecting commands") != NULL ? REPLAY_REFUSED : REPLAY_UNKNOWN;
}

/* "mail.example.org, addr=192.0.2.1, rejecting commands" */
static bool parse_milter_connect(const char *text, struct maillog_event *event)
{
    const char *address = strstr(text, ", addr=");
    if (address == NULL || !take_pair(text, (size_t)(address - text), address + 7, ",", event))
        return false;
    address += 7;
    event->outcome = connect_outcome(address + strcspn(address, ","));
    return event->outcome != REPLAY_UNKNOWN;
}

bool maillog_sendmail_refused_connection(const char *text, struct maillog_event *event)
{
    const char *rest;
    event->outcome = REPLAY_REFUSED;
    if ((rest = maillog_after(text, "rejecting commands from ")) != NULL)
        return maillog_sendmail_relay(rest, event);
    if ((rest = maillog_after(text, "Milter: connect: host=")) != NULL)
        return parse_milter_connect(rest, event);
    if ((rest = maillog_after(text, "tcpwrappers (")) == NULL)
        return false;
    size_t name = strcspn(rest, ",");
    return strncmp(rest + name, ", ", 2) == 0 && strstr(rest, ") rejection") != NULL &&
           take_pair(rest, name, rest + name + 2, ")", event);
}

/* --- the line with the sender
 * ----------------------------------------------------------------------- */

/* ", relay=" is the last of the line: what stands before may hold the same. */
static const char *find_last(const char *text, const char *key)
{
    const char *found = NULL;
    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
        found = at;
    return found;
}

/* ", size=10, class=0, nrcpts=1": right behind the sender's address.  An address is cut where it is
   long, so the first place of this form may have to be looked for. */
static const char *find_size(const char *text, long *recipients)
{
    for (const char *at = text; at != NULL; at = strstr(at + 1, ", size=")) {
        char *end;
        if (strncmp(at, ", size=", 7) != 0)
            continue;
        (void)strtol(at + 7, &end, 10);
        if (strncmp(end, ", class=", 8) == 0)
            (void)strtol(end + 8, &end, 10);
        if (strncmp(end, ", pri=", 6) == 0)
            (void)strtol(end + 6, &end, 10);
        if (strncmp(end, ", nrcpts=", 9) != 0)
            continue;
        *recipients = strtol(end + 9, NULL, 10);
        return at;
    }
    return NULL;
}

/* ", auth=PLAIN", as builds with _FFR_LOG_MORE1 write it; "NONE": nobody logged in. */
static bool is_mechanism(const char *at)
{
    return strncmp(at, ", auth=", 7) == 0 && strncmp(at + 7, "NONE", 4) != 0;
}

/* ", proto=ESMTPSA, daemon=MTA" right before the relay, going back over what has no free text. */
static bool is_login(const char *begin, const char *relay)
{
    static const char *const keys[] = {
        ", daemon=", ", bodytype=", ", tls_verify=", ", tls_version=",
        ", cipher=", ", verify=",   ", auth="};
    bool mechanism = false;
    for (const char *end = relay; end > begin;) {
        const char *at = end;
        while (at > begin && strncmp(at, ", ", 2) != 0)
            at--;
        if (at == end) {
            at--;
            while (at > begin && strncmp(at, ", ", 2) != 0)
                at--;
        }
        if (strncmp(at, ", proto=", 8) == 0) {
            size_t length = (size_t)(end - at) - 8;
            return mechanism || (length == 6 && strncasecmp(at + 8, "ESMTPA", 6) == 0) ||
                   (length == 7 && strncasecmp(at + 8, "ESMTPSA", 7) == 0);
        }
        bool known = false;
        mechanism = mechanism || is_mechanism(at);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            known = known || strncmp(at, keys[i], strlen(keys[i])) == 0;
        if (!known)
            return false;
        end = at;
    }
    return false;
}

void maillog_sendmail_from(const char *text, struct maillog_sendmail_from *out)
{
    const char *end = maillog_sendmail_skip_address(text);
    out->recipients = -1;
    const char *size = find_size(end, &out->recipients);
    if (size == NULL)
        size = find_size(text, &out->recipients);
    out->sender_end = size != NULL ? size : end;
    const char *relay = find_last(out->sender_end, ", relay=");
    out->relay = relay != NULL ? relay + 8 : NULL;
    out->login = relay != NULL && is_login(out->sender_end, relay);
}
