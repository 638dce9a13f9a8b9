/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received_client.h"

#include <string.h>

#define WORDS_MAX 4 /* of a comment that are looked at */

static struct received_scan scan_of(struct received_span span)
{
    return (struct received_scan){span.text, span.text + span.length};
}

static struct received_span rest_of(const struct received_scan *scan)
{
    struct received_span rest = {scan->at, (size_t)(scan->end - scan->at)};
    while (rest.length > 0 && strchr(" \t\r\n", rest.text[rest.length - 1]) != NULL)
        rest.length--;
    return rest;
}

/* The span behind its first `length` bytes. */
static struct received_span cut(struct received_span span, size_t length)
{
    return (struct received_span){span.text + length, span.length - length};
}

/* Without " ident=joe", whatever else the client's host says of its user. */
static struct received_span without_ident(struct received_span helo)
{
    static const char mark[] = " ident=";
    for (size_t i = 0; i < helo.length; i++)
        if (received_scan_begins(cut(helo, i), mark))
            helo.length = i;
    return helo;
}

bool received_client_exim(struct received_span inside, struct received_span *helo)
{
    struct received_scan scan = scan_of(inside);
    bool known = false;
    *helo = (struct received_span){NULL, 0};
    for (received_scan_space(&scan); scan.at < scan.end; received_scan_space(&scan)) {
        struct received_span rest = rest_of(&scan);
        if (received_scan_begins(rest, "helo=")) {
            /* All the rest: whatever it looks like, the client said it. */
            *helo = without_ident(cut(rest, strlen("helo=")));
            return true;
        }
        if (!received_scan_begins(rest, "ident=") && !received_scan_begins(rest, "port="))
            return known;
        known = true;
        while (scan.at < scan.end && *scan.at != ' ')
            scan.at++;
    }
    return known;
}

bool received_client_marked(struct received_span inside, bool nested, struct received_span *helo,
                            bool *login)
{
    struct received_scan scan = scan_of(inside);
    *helo = (struct received_span){NULL, 0};
    *login = false;
    /* "(HELO [192.0.2.1] (may be forged))": there HELO is a PTR name. */
    if (nested)
        return false;
    received_scan_space(&scan);
    struct received_span word = received_scan_word(&scan);
    if (received_scan_equals(word, "account")) {
        *login = true;
        received_scan_space(&scan);
        (void)received_scan_word(&scan);
        received_scan_space(&scan);
        word = received_scan_word(&scan);
        if (word.length == 0)
            return true;
    }
    if (!received_scan_equals(word, "HELO") && !received_scan_equals(word, "EHLO") &&
        !received_scan_equals(word, "LHLO"))
        return *login;
    received_scan_space(&scan);
    *helo = rest_of(&scan);
    return true;
}

bool received_client_is_login(struct received_span inside)
{
    static const char *const marks[] = {"Authenticated sender: ", "authenticated ", "AUTH: "};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (received_scan_begins(inside, marks[i]))
            return true;
    return received_scan_equals(inside, "authenticated");
}

/* --- a comment with an address ---------------------------------------------------------------- */

/* "joe@a.example", "IDENT:joe@a.example" without what the client's host says of its user. */
static struct received_span without_user(struct received_span name)
{
    for (size_t i = name.length; i > 0; i--)
        if (name.text[i - 1] == '@')
            return cut(name, i);
    return name;
}

/* "a.example[192.0.2.1]", "joe@[192.0.2.1]": a name and an address in one word. */
static bool parse_joined(struct received_span word, struct received_client *out)
{
    const char *open = memchr(word.text, '[', word.length);
    struct received_span literal;
    bool port;
    if (open == NULL || open == word.text)
        return false;
    size_t length = (size_t)(open - word.text);
    if (!received_scan_bracketed(cut(word, length), &literal, &out->address, &port))
        return false;
    out->name = without_user((struct received_span){word.text, length});
    return true;
}

/* "192.0.2.1, HELO a.example" as smap writes it, "joe@192.0.2.1 with login" as Yahoo does. */
static bool parse_bare_words(const struct received_span *words, size_t count,
                             struct received_client *out)
{
    struct received_span first = words[0];
    bool comma = first.length > 1 && first.text[first.length - 1] == ',';
    first.length -= comma;
    if (!received_scan_bare(first, &out->address))
        return false;
    out->bare = true;
    if (count == 1)
        return !comma;
    if (comma && count == 3 && received_scan_equals(words[1], "HELO")) {
        out->helo = words[2];
        return true;
    }
    out->login = !comma && count == 3 && received_scan_equals(words[1], "with");
    if (!out->login)
        out->address.family = IP_NONE;
    return out->login;
}

/* "uid 1000" of dma and Courier: a user of that host. */
static bool is_user(const struct received_span *words, size_t count)
{
    if (count != 2 || !received_scan_equals(words[0], "uid") || words[1].length == 0)
        return false;
    for (size_t i = 0; i < words[1].length; i++)
        if (words[1].text[i] < '0' || words[1].text[i] > '9')
            return false;
    return true;
}

static bool is_local_place(const struct received_span *words, size_t count)
{
    if (is_user(words, count))
        return true;
    for (size_t i = 0; i < count; i++)
        if (received_scan_equals(words[i], "[local]") ||
            (i + 1 < count && received_scan_equals(words[i], "[unix") &&
             received_scan_equals(words[i + 1], "socket]")))
            return true;
    return false;
}

/* Words up to the first comment within; *forged: that one says so. */
static size_t split(struct received_span inside, struct received_span words[WORDS_MAX],
                    struct received_span *behind_first, bool *forged)
{
    struct received_scan scan = scan_of(inside);
    struct received_span comment;
    size_t count = 0;
    bool nested;
    *forged = false;
    *behind_first = (struct received_span){"", 0};
    for (received_scan_space(&scan); scan.at < scan.end; received_scan_space(&scan)) {
        if (*scan.at == '(') {
            if (!received_scan_comment(&scan, &comment, &nested))
                break;
            *forged = *forged || received_scan_equals(comment, "may be forged");
            continue;
        }
        struct received_span word = received_scan_word(&scan);
        if (count < WORDS_MAX)
            words[count++] = word;
        else
            break;
        if (count == 1)
            *behind_first = rest_of(&scan);
    }
    return count;
}

/* Courier: "IDENT: joe, a.example [192.0.2.1]": behind the last comma. */
static struct received_span without_courier_ident(struct received_span inside)
{
    if (!received_scan_begins(inside, "IDENT: "))
        return inside;
    for (size_t i = inside.length; i > 0; i--)
        if (inside.text[i - 1] == ',')
            return cut(inside, i);
    return inside;
}

/* "helo=a.example [192.0.2.1]": the address behind everything else. */
static bool parse_helo_first(struct received_span inside, struct received_client *out)
{
    size_t at = inside.length;
    struct received_span literal;
    bool port;
    while (at > 0 && inside.text[at - 1] != ' ')
        at--;
    if (!received_scan_bracketed(cut(inside, at), &literal, &out->address, &port))
        return false;
    out->helo = (struct received_span){inside.text + strlen("helo="),
                                       at > strlen("helo=") ? at - strlen("helo=") - 1 : 0};
    return true;
}

bool received_client_parse(struct received_span inside, bool nested, struct received_client *out)
{
    struct received_span words[WORDS_MAX], behind, literal;
    bool port = false;
    memset(out, 0, sizeof *out);
    inside = without_courier_ident(inside);
    if (!nested && received_scan_begins(inside, "helo=") && parse_helo_first(inside, out))
        return true;
    size_t count = split(inside, words, &behind, &out->forged);
    if (count == 0)
        return false;
    if (received_scan_bracketed(words[0], &literal, &out->address, &port)) {
        out->exim = received_client_exim(behind, &out->helo) || port;
        return true;
    }
    if (is_local_place(words, count)) {
        out->local = true;
        return true;
    }
    if (parse_joined(words[0], out))
        return true;
    if (count >= 2 && received_scan_bracketed(words[1], &literal, &out->address, &port)) {
        out->name = without_user(words[0]);
        return true;
    }
    return !nested && parse_bare_words(words, count, out);
}
