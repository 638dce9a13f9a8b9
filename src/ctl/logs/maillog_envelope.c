/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_envelope.h"

const char *maillog_envelope_end_of_path(const char *at)
{
    bool quoted = false;
    for (; *at != '\0'; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == '\\' && quoted && at[1] != '\0')
            at++;
        else if (!quoted && (*at == '<' || *at == '\\'))
            return NULL;
        else if (!quoted && *at == '>')
            return at;
    }
    return NULL;
}

/* smtpd(8) replaces these in EHLO (NEUTER_CHARACTERS). */
static const char *end_of_helo(const char *at)
{
    const char *end = at + strcspn(at, " <>()\\\";");
    return *end == '>' ? end : NULL;
}

/* " key=<value>", maybe with a comma before.  False: the line goes on otherwise. */
static bool take(const char **at, const char *key, const char *(*end_of)(const char *),
                 const char **value, size_t *length)
{
    const char *from = *at + (**at == ',');
    size_t key_length = strlen(key);
    if (strncmp(from, key, key_length) != 0)
        return true;
    const char *begin = from + key_length, *end = end_of(begin);
    if (end == NULL)
        return false;
    *value = begin;
    *length = (size_t)(end - begin);
    *at = end + 1;
    return true;
}

/* A name may hold spaces (3.10 writes it without brackets), but nothing that an envelope has: what
   a client says before the envelope is no login. */
static size_t length_of_login(const char *text)
{
    size_t length = strcspn(text, "<>;\"");
    const char *sender = strstr(text, " sasl_sender=");
    if (text[length] != '\0' || (sender == NULL && strchr(text, '=') != NULL))
        return strcspn(text, " ");
    return sender != NULL ? (size_t)(sender - text) : length;
}

/* " sasl_method=PLAIN sasl_username=u", " sasl_username=<u>" */
static void take_login(const char **at, bool *login)
{
    static const char *const keys[] = {" sasl_method=", " sasl_username=", " sasl_sender="};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        size_t length = strlen(keys[i]);
        if (strncmp(*at, keys[i], length) != 0)
            continue;
        *login = *login || i == 1;
        *at += length;
        *at += i == 1 ? length_of_login(*at) : strcspn(*at, " ");
    }
}

/* From a semicolon on. */
static bool parse(const char *begin, bool cleanup, struct maillog_envelope *out)
{
    const char *at = begin + 1;
    memset(out, 0, sizeof *out);
    out->begin = begin;
    if (!take(&at, " from=<", maillog_envelope_end_of_path, &out->sender, &out->sender_length) ||
        !take(&at, " to=<", maillog_envelope_end_of_path, &out->recipient, &out->recipient_length))
        return false;
    const char *proto = at + (*at == ',');
    if (strncmp(proto, " proto=", 7) == 0)
        at = proto + 7 + strspn(proto + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    if (!take(&at, " helo=<", end_of_helo, &out->helo, &out->helo_length))
        return false;
    take_login(&at, &out->login);
    if (cleanup && strncmp(at, ": ", 2) == 0)
        out->text = at + 2;
    return at > begin + 1 && (*at == '\0' || out->text != NULL);
}

/* Whatever a header field or an address looks like, behind it cleanup writes the EHLO name of the
   client, in which there is no white space. */
static bool is_last(const struct maillog_envelope *envelope)
{
    return envelope->text == NULL || strstr(envelope->text, " helo=<") == NULL;
}

/* The first that reaches the line's end, or the text behind it: what a sender put into quotes
   within comes later, and what is in a header field before has this one behind it. */
bool maillog_envelope_find(const char *text, bool cleanup, struct maillog_envelope *out)
{
    for (const char *at = strchr(text, ';'); at != NULL; at = strchr(at + 1, ';'))
        if (at[1] == ' ' && parse(at, cleanup, out) && is_last(out))
            return true;
    return false;
}

bool maillog_envelope_find_helo(const char *text, struct maillog_envelope *out)
{
    const char *at = NULL;
    for (const char *next = strstr(text, " helo=<"); next != NULL;
         next = strstr(next + 1, " helo=<"))
        at = next;
    memset(out, 0, sizeof *out);
    if (at == NULL || !take(&at, " helo=<", end_of_helo, &out->helo, &out->helo_length))
        return false;
    take_login(&at, &out->login);
    return *at == '\0';
}

static void copy(const char *text, size_t length, bool *recorded, char *out, size_t size)
{
    if (text == NULL)
        return;
    *recorded = true;
    maillog_copy(out, size, text, length);
}

void maillog_envelope_take(const struct maillog_envelope *envelope, struct maillog_event *out)
{
    copy(envelope->sender, envelope->sender_length, &out->sender_recorded, out->sender,
         sizeof out->sender);
    copy(envelope->recipient, envelope->recipient_length, &out->recipient_recorded, out->recipient,
         sizeof out->recipient);
    copy(envelope->helo, envelope->helo_length, &out->helo_recorded, out->helo, sizeof out->helo);
    out->authenticated = out->authenticated || envelope->login;
}
