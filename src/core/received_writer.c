/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received_writer.h"

#include <string.h>

static bool ends_with(struct received_span word, const char *end)
{
    size_t length = strlen(end);
    return word.length >= length &&
           received_scan_equals((struct received_span){word.text + word.length - length, length},
                                end);
}

enum received_writer received_writer_find(struct received_span tail)
{
    static const struct {
        const char *mark;
        enum received_writer writer;
    } marks[] = {{"8.", RECEIVED_WRITER_SENDMAIL},
                 {"Exim ", RECEIVED_WRITER_EXIM},
                 {"amavis", RECEIVED_WRITER_AMAVIS}};
    struct received_scan scan = {tail.text, tail.text + tail.length};
    struct received_span inside;
    bool nested;
    (void)received_scan_word(&scan);
    received_scan_space(&scan);
    if (ends_with(received_scan_word(&scan), ".google.com"))
        return RECEIVED_WRITER_GMAIL;
    for (received_scan_space(&scan); scan.at < scan.end; received_scan_space(&scan)) {
        if (*scan.at != '(') {
            struct received_span word = received_scan_word(&scan);
            if (received_scan_equals(word, "id") || received_scan_equals(word, "for"))
                break;
            continue;
        }
        if (!received_scan_comment(&scan, &inside, &nested))
            break;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (received_scan_begins(inside, marks[i].mark))
                return marks[i].writer;
    }
    return RECEIVED_WRITER_UNKNOWN;
}

bool received_writer_said_ehlo(struct received_span tail)
{
    struct received_scan scan = {tail.text, tail.text + tail.length};
    for (unsigned i = 0; i < 3; i++) {
        struct received_span word = received_scan_word(&scan);
        received_scan_space(&scan);
        if (i == 2 && !received_scan_equals(word, "with"))
            return false;
    }
    struct received_span word = received_scan_word(&scan);
    return received_scan_begins(word, "esmtp") || received_scan_begins(word, "utf8esmtp");
}

/* RFC 3848 and RFC 6531 4.3, but for those of LMTP. */
static bool is_smtp(struct received_span word)
{
    static const char *const words[] = {"SMTP",       "ESMTP",     "ESMTPS",     "ESMTPA",
                                        "ESMTPSA",    "UTF8SMTP",  "UTF8SMTPS",  "UTF8SMTPA",
                                        "UTF8SMTPSA", "UTF8ESMTP", "UTF8ESMTPS", "UTF8ESMTPA"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (received_scan_equals(word, words[i]))
            return true;
    return false;
}

bool received_writer_hides_client(struct received_span tail)
{
    struct received_scan scan = {tail.text, tail.text + tail.length};
    struct received_span word, inside = {"", 0};
    bool nested, line_ends = false;
    (void)received_scan_word(&scan);
    received_scan_space(&scan);
    (void)received_scan_word(&scan);
    received_scan_space(&scan);
    while (scan.at < scan.end && *scan.at == '(' &&
           received_scan_comment(&scan, &inside, &nested)) {
        line_ends = scan.at < scan.end && strchr("\r\n", *scan.at) != NULL;
        received_scan_space(&scan);
    }
    word = received_scan_word(&scan);
    /* What Postfix itself or its users send has the ID on a line of its own. */
    if (received_scan_equals(inside, "Postfix") && received_scan_equals(word, "id"))
        return !line_ends;
    received_scan_space(&scan);
    return inside.length > 0 && received_scan_equals(word, "with") &&
           is_smtp(received_scan_word(&scan));
}
