/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received_protocol.h"

#include <string.h>

static bool separates(char c)
{
    return c == '\0' || strchr(" \t\r\n();,<>\"'", c) != NULL;
}

static bool is_one_of(struct received_span word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (received_scan_equals(word, words[i]))
            return true;
    return false;
}

#define IS_ONE_OF(word, words) is_one_of((word), (words), sizeof(words) / sizeof((words)[0]))

/* The word behind "with". */
static enum received_protocol classify(struct received_span word)
{
    /* RFC 3848, RFC 6531 4.3; Exim 4.20 had asmtp. */
    static const char *const login[] = {"ESMTPA", "ESMTPSA", "UTF8SMTPA", "UTF8SMTPSA", "ASMTP",
                                        "ASMTPS", "HTTP",    "HTTPS",     "HTTPU"};
    static const char *const delivery[] = {"local", "mapi", "bsmtp",        "stdio",
                                           "pipe",  "UUCP", "SpamAssassin", "spam-scanned"};
    static const char *const fetched[] = {"ETRN", "ODMR", "SDPS", "FetchYAHOO"};
    if (IS_ONE_OF(word, login))
        return RECEIVED_PROTOCOL_LOGIN;
    if (IS_ONE_OF(word, delivery) || received_scan_begins(word, "LMTP") ||
        received_scan_begins(word, "UTF8LMTP") || received_scan_begins(word, "local-"))
        return RECEIVED_PROTOCOL_DELIVERY;
    if (IS_ONE_OF(word, fetched) || received_scan_begins(word, "POP") ||
        received_scan_begins(word, "APOP") || received_scan_begins(word, "KPOP") ||
        received_scan_begins(word, "IMAP"))
        return RECEIVED_PROTOCOL_FETCHED;
    return RECEIVED_PROTOCOL_SMTP;
}

/* "with cipher" stands in a comment about TLS; "with login" in Yahoo's own form, which has a
   protocol besides. */
static bool says_nothing(struct received_span word)
{
    static const char *const words[] = {"cipher", "login", "plain", "cram-md5"};
    return word.length == 0 || IS_ONE_OF(word, words);
}

enum received_protocol received_protocol_find(struct received_span field)
{
    enum received_protocol found = RECEIVED_PROTOCOL_UNKNOWN;
    const char *at = field.text, *end = field.text + field.length;
    bool with = false;
    while (at < end) {
        struct received_span word = {at, 0};
        while (at < end && !separates(*at))
            at++;
        word.length = (size_t)(at - word.text);
        if (at < end && word.length == 0) {
            at++;
            continue;
        }
        if (with && !says_nothing(word)) {
            enum received_protocol one = classify(word);
            if (found != RECEIVED_PROTOCOL_UNKNOWN && found != one)
                return RECEIVED_PROTOCOL_UNKNOWN;
            found = one;
        }
        with = received_scan_equals(word, "with") || received_scan_equals(word, "via");
    }
    return found;
}
