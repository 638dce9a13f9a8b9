/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/smtp_reply.h"

#include <string.h>

void smtp_reply_begin(struct smtp_reply *reply)
{
    memset(reply, 0, sizeof *reply);
}

/* Three digits of which the first is 2 to 5; 0: it is none. */
static unsigned code_of(const char *line)
{
    unsigned code = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        code = code * 10 + (unsigned)(line[i] - '0');
    }
    return code >= 200 && code <= 599 ? code : 0;
}

/* "220-mail.example.org", "220 mail.example.org", "220" */
static void take_line(struct smtp_reply *reply)
{
    if (reply->length > 0 && reply->line[reply->length - 1] == '\r')
        reply->length--;
    reply->line[reply->length] = '\0';
    unsigned code = code_of(reply->line);
    char behind = code != 0 ? reply->line[3] : 'x';
    bool first = reply->code == 0;
    if ((behind != '-' && behind != ' ' && behind != '\0') || (!first && code != reply->code)) {
        reply->state = SMTP_REPLY_BROKEN;
        return;
    }
    if (first) {
        reply->code = code;
        if (behind != '\0')
            memcpy(reply->text, reply->line + 4, reply->length - 4 + 1);
    }
    reply->length = 0;
    if (behind != '-')
        reply->state = SMTP_REPLY_DONE;
}

size_t smtp_reply_feed(struct smtp_reply *reply, const char *bytes, size_t length)
{
    size_t used = 0;
    while (used < length && reply->state == SMTP_REPLY_MORE) {
        char byte = bytes[used++];
        if (++reply->bytes > SMTP_REPLY_BYTES_MAX)
            reply->state = SMTP_REPLY_BROKEN;
        else if (byte == '\n')
            take_line(reply);
        else if (reply->length < sizeof reply->line - 1)
            reply->line[reply->length++] = byte == '\0' ? '?' : byte;
    }
    return used;
}

bool smtp_reply_name(const struct smtp_reply *reply, char out[HOSTNAME_MAX + 1])
{
    char word[SMTP_REPLY_TEXT_MAX + 1];
    size_t length = strcspn(reply->text, " \t");
    memcpy(word, reply->text, length);
    word[length] = '\0';
    return hostname_parse(word, out) == HOSTNAME_OK;
}
