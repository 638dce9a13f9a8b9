/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_postfix_line.h"

#include "ctl/logs/maillog_envelope.h"

#include <stdlib.h>

const char *maillog_postfix_queue_id(const char *text, char out[REPLAY_QUEUE_ID_MAX + 1])
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

const char *maillog_postfix_client(const char *text, struct maillog_event *event)
{
    char address[IPADDR_TEXT_MAX];
    size_t name_length = strcspn(text, "[ ;:<>");
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

const char *maillog_postfix_lost_stage(const char *text)
{
    static const char *const reasons[] = {"lost connection after ", "timeout after ",
                                          "too many errors after "};
    const char *stage;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if ((stage = maillog_after(text, reasons[i])) != NULL)
            return stage;
    return NULL;
}

enum maillog_outcome maillog_postfix_outcome(const char *text)
{
    text += strspn(text, ": ");
    return *text == '4' ? REPLAY_DEFERRED : *text == '5' ? REPLAY_REFUSED : REPLAY_UNKNOWN;
}

long maillog_postfix_counter(const char *counters, const char *key)
{
    const char *at = strstr(counters, key);
    return at != NULL ? strtol(at + strlen(key), NULL, 10) : 0;
}

const char *maillog_postfix_original(const char *rest)
{
    static const char mark[] = ", orig_queue_id=NOQUEUE, orig_client=";
    const char *found = NULL;
    for (const char *at = strstr(rest, mark); at != NULL; at = strstr(at + 1, mark))
        found = at;
    return found != NULL ? found + sizeof mark - 1 : NULL;
}

const char *maillog_postfix_relay(const char *text, const char **end)
{
    *end = maillog_envelope_end_of_path(text);
    if (*end == NULL)
        return NULL;
    const char *rest = *end + 1, *original = maillog_after(rest, ", orig_to=<");
    if (original != NULL && (original = maillog_envelope_end_of_path(original)) == NULL)
        return NULL;
    return maillog_after(original != NULL ? original + 1 : rest, ", relay=");
}
