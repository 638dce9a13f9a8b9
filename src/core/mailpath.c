/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/mailpath.h"

#include "core/idn.h"

#include <ctype.h>
#include <string.h>

/* A piece of untrusted text. */
struct span {
    const char *at;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 5322 3.2.3 with RFC 6531's UTF-8, and the dot wherever it stands, as mail servers have it. */
static bool is_dot_atom(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c > 0x7f ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static struct span trim(struct span span)
{
    while (span.length > 0 && is_blank(span.at[0])) {
        span.at++;
        span.length--;
    }
    while (span.length > 0 && is_blank(span.at[span.length - 1]))
        span.length--;
    return span;
}

static struct span without_brackets(struct span span)
{
    span = trim(span);
    if (span.length >= 2 && span.at[0] == '<' && span.at[span.length - 1] == '>')
        span = trim((struct span){span.at + 1, span.length - 2});
    return span;
}

/* The last '@' (`last`) or the first ':' outside quotes and, for the ':', domain literals. */
static const char *find_mark(struct span span, char mark, bool last)
{
    const char *found = NULL;
    bool quoted = false, literal = false;
    for (size_t i = 0; i < span.length; i++) {
        char c = span.at[i];
        if (c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '[' || c == ']')) {
            literal = c == '[';
        } else if (!quoted && c == mark && (last || !literal)) {
            found = span.at + i;
            if (!last)
                break;
        }
    }
    return found;
}

/* "@relay.example,@other.example:user@example.org" without what leads there. */
static struct span without_route(struct span span)
{
    const char *colon = span.length > 0 && span.at[0] == '@' ? find_mark(span, ':', false) : NULL;
    if (colon == NULL)
        return span;
    size_t gone = (size_t)(colon + 1 - span.at);
    return trim((struct span){span.at + gone, span.length - gone});
}

struct output {
    char *text;
    size_t length;
};

static void put(struct output *out, char c)
{
    if (out->length < MAILPATH_MAX)
        out->text[out->length++] = c;
}

/* Bytes of the local part without quotes and backslashes; the next one, or false at its end. */
struct bytes {
    struct span span;
    bool quoted;
};

static bool next_byte(struct bytes *bytes, char *out)
{
    while (bytes->span.length > 0) {
        char c = *bytes->span.at++;
        bytes->span.length--;
        if (c == '\\' && bytes->span.length > 0) {
            *out = *bytes->span.at++;
            bytes->span.length--;
            return true;
        }
        if (c != '"') {
            *out = c;
            return true;
        }
        bytes->quoted = !bytes->quoted;
    }
    return false;
}

static bool needs_quotes(struct span local)
{
    struct bytes bytes = {local, false};
    char c;
    size_t count = 0;
    for (; next_byte(&bytes, &c); count++)
        if (!is_dot_atom(c))
            return true;
    return count == 0;
}

static void put_local(struct output *out, struct span local)
{
    struct bytes bytes = {local, false};
    bool quotes = needs_quotes(local);
    char c;
    if (quotes)
        put(out, '"');
    while (next_byte(&bytes, &c)) {
        if (quotes && (c == '"' || c == '\\'))
            put(out, '\\');
        put(out, c);
    }
    if (quotes)
        put(out, '"');
}

/* False: memory is out. */
static bool put_domain(struct output *out, struct span domain)
{
    char text[MAILPATH_MAX + 1], ascii[HOSTNAME_MAX + 1];
    const char *shown = text;
    if (domain.length > 1 && domain.at[domain.length - 1] == '.')
        domain.length--;
    if (domain.length > MAILPATH_MAX)
        domain.length = MAILPATH_MAX;
    memcpy(text, domain.at, domain.length);
    text[domain.length] = '\0';
    enum result result = idn_to_ascii(text, ascii);
    if (result == RESULT_NOMEM)
        return false;
    if (result == RESULT_OK)
        shown = ascii;
    for (; *shown != '\0'; shown++)
        put(out, (char)tolower((unsigned char)*shown));
    return true;
}

/*
 * What nearly always comes, "<user@example.org>": a dot-atom and a domain in lower case, of which
 * only the brackets go.  Every transaction has two of them, and the general way costs seven times
 * the instructions.  0: the path is another.
 */
static size_t plain_length(const char *mailbox)
{
    static const bool in_local[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['.'] = true,
        ['-'] = true,         ['_'] = true,         ['+'] = true,         ['='] = true};
    static const bool in_domain[256] = {
        ['a' ... 'z'] = true, ['0' ... '9'] = true, ['.'] = true, ['-'] = true};
    size_t local = 0;
    while (in_local[(unsigned char)mailbox[local]])
        local++;
    if (local == 0 || mailbox[local] != '@')
        return 0;
    size_t length = local + 1;
    while (in_domain[(unsigned char)mailbox[length]])
        length++;
    bool whole = mailbox[length] == '>' && mailbox[length + 1] == '\0';
    return whole && length > local + 1 && mailbox[length - 1] != '.' && length <= MAILPATH_MAX
               ? length
               : 0;
}

char *mailpath_canonical(const char *path, char out[MAILPATH_MAX + 1])
{
    size_t plain = path[0] == '<' ? plain_length(path + 1) : 0;
    if (plain > 0) {
        memcpy(out, path + 1, plain);
        out[plain] = '\0';
        return out;
    }
    struct span span = without_route(without_brackets((struct span){path, strlen(path)}));
    struct output output = {out, 0};
    const char *at = find_mark(span, '@', true);
    if (at != NULL) {
        struct span domain = trim((struct span){at + 1, span.length - (size_t)(at + 1 - span.at)});
        put_local(&output, trim((struct span){span.at, (size_t)(at - span.at)}));
        if (domain.length > 0) {
            put(&output, '@');
            if (!put_domain(&output, domain))
                return NULL;
        }
    } else if (span.length > 0) {
        put_local(&output, span);
    }
    out[output.length] = '\0';
    return out;
}

bool mailpath_domain(const char *mailbox, char out[HOSTNAME_MAX + 1])
{
    const char *at = strrchr(mailbox, '@');
    if (at != NULL && hostname_parse(at + 1, out) == HOSTNAME_OK)
        return true;
    out[0] = '\0';
    return false;
}
