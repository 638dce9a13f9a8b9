/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received.h"

#include <string.h>
#include <strings.h>

/* A part of the field. */
struct span {
    const char *text;
    size_t length;
};

/* What is left of the field. */
struct scan {
    const char *at, *end;
};

/* What the from-clause held. */
struct clause {
    struct span name;         /* the word behind "from" */
    struct span marked;       /* what was marked as EHLO; text NULL: nothing */
    struct ipaddr in_comment; /* IP_NONE: none */
    bool bare;                /* in_comment stood without brackets */
    struct ipaddr behind;     /* outside comments, behind the name */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool equals(struct span span, const char *word)
{
    return span.length == strlen(word) && strncasecmp(span.text, word, span.length) == 0;
}

static bool begins(struct span span, const char *word)
{
    size_t length = strlen(word);
    return span.length >= length && strncasecmp(span.text, word, length) == 0;
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
}

/* To the next white space, comment or, but for the word's first byte, semicolon. */
static struct span take_word(struct scan *scan)
{
    struct span word = {scan->at, 0};
    while (scan->at < scan->end && !is_space(*scan->at) && *scan->at != '(' &&
           (*scan->at != ';' || word.length == 0)) {
        scan->at++;
        word.length++;
        if (word.text[0] == ';')
            break;
    }
    return word;
}

/*
 * The inside of the comment that begins at scan->at, which is moved behind it; *nested: there are
 * comments in it.  False: it does not end, or it is too deep.
 */
static bool take_comment(struct scan *scan, struct span *inside, bool *nested)
{
    unsigned depth = 0;
    const char *begin = scan->at + 1;
    *nested = false;
    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == '\\') {
            scan->at++;
        } else if (*scan->at == '(') {
            if (++depth > RECEIVED_DEPTH_MAX)
                return false;
            *nested = *nested || depth > 1;
        } else if (*scan->at == ')' && --depth == 0) {
            *inside = (struct span){begin, (size_t)(scan->at - begin)};
            scan->at++;
            return true;
        }
    }
    scan->at = scan->end; /* a quoted pair may have gone past it */
    return false;
}

/* --- addresses ------------------------------------------------------------------------------ */

static bool parse_address(struct span span, struct ipaddr *out)
{
    char text[IPADDR_TEXT_MAX];
    const char *zone = memchr(span.text, '%', span.length); /* fe80::1%eth0 */
    if (zone != NULL)
        span.length = (size_t)(zone - span.text);
    if (span.length == 0 || span.length >= sizeof text)
        return false;
    memcpy(text, span.text, span.length);
    text[span.length] = '\0';
    return strlen(text) == span.length && ipaddr_parse(text, out) == RESULT_OK;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]:25"; *literal without the port. */
static bool parse_bracketed(struct span span, struct span *literal, struct ipaddr *out)
{
    static const char tag[] = "IPv6:";
    const char *close = memchr(span.text, ']', span.length);
    if (span.length < 2 || span.text[0] != '[' || close == NULL)
        return false;
    struct span inside = {span.text + 1, (size_t)(close - span.text) - 1};
    struct span behind = {close + 1, (size_t)(span.text + span.length - close) - 1};
    if (behind.length > 0 && behind.text[0] != ':')
        return false;
    for (size_t i = 1; i < behind.length; i++)
        if (behind.text[i] < '0' || behind.text[i] > '9')
            return false;
    *literal = (struct span){span.text, inside.length + 2};
    if (begins(inside, tag)) {
        inside.text += sizeof tag - 1;
        inside.length -= sizeof tag - 1;
    }
    return parse_address(inside, out);
}

/* "192.0.2.1", or "ident@192.0.2.1" as qmail writes it. */
static bool parse_bare(struct span span, struct ipaddr *out)
{
    for (size_t i = span.length; i > 0; i--)
        if (span.text[i - 1] == '@') {
            span.text += i;
            span.length -= i;
            break;
        }
    return parse_address(span, out);
}

/* --- comments ------------------------------------------------------------------------------- */

static void skip_nested(struct scan *scan)
{
    struct span ignored;
    bool nested;
    if (!take_comment(scan, &ignored, &nested))
        scan->at = scan->end;
}

/* One word of a comment.  *marks: the word before it said that this one is the EHLO name. */
static void read_comment_word(struct clause *clause, struct span word, bool markers, bool *marks)
{
    static const char helo[] = "helo=";
    struct span ignored;
    if (*marks) {
        *marks = false;
        if (clause->marked.text == NULL)
            clause->marked = word;
    } else if (begins(word, helo)) {
        if (clause->marked.text == NULL)
            clause->marked =
                (struct span){word.text + sizeof helo - 1, word.length - (sizeof helo - 1)};
    } else if (markers && (equals(word, "HELO") || equals(word, "EHLO"))) {
        *marks = true;
    } else if (clause->in_comment.family == IP_NONE) {
        struct ipaddr address;
        if (parse_bracketed(word, &ignored, &address))
            clause->in_comment = address;
    }
}

/*
 * An address without brackets counts only where it is all that the comment says: "(192.0.2.99
 * [192.0.2.1] (may be forged))" begins with a PTR name, which its owner chose.  For the same reason
 * HELO marks nothing in a comment that has a comment in it.
 */
static void read_comment(struct clause *clause, struct span inside, bool nested)
{
    struct scan scan = {inside.text, inside.text + inside.length};
    struct span word = {NULL, 0};
    unsigned words = 0;
    bool marks = false;
    for (skip_space(&scan); scan.at < scan.end; skip_space(&scan)) {
        if (*scan.at == '(') {
            skip_nested(&scan);
            continue;
        }
        word = take_word(&scan);
        words++;
        read_comment_word(clause, word, !nested, &marks);
    }
    struct ipaddr address;
    if (words == 1 && !nested && clause->in_comment.family == IP_NONE &&
        parse_bare(word, &address)) {
        clause->in_comment = address;
        clause->bare = true;
    }
}

/* --- the field ------------------------------------------------------------------------------ */

/* What ends a from-clause (RFC 5321 4.4), or stands where there is none. */
static bool ends_clause(struct span word)
{
    static const char *const words[] = {"by", "via", "with", "id", "for", ";"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (equals(word, words[i]))
            return true;
    return false;
}

/*
 * Behind "from".  False: a comment does not end.  Once the address is known no comment is read any
 * more: certificates and logins, which the client chose, stand in the later ones.
 */
static bool read_clause(struct scan *scan, struct clause *clause)
{
    struct span word, inside;
    bool nested;
    skip_space(scan);
    clause->name = take_word(scan);
    for (skip_space(scan); scan->at < scan->end; skip_space(scan)) {
        if (*scan->at == '(') {
            if (!take_comment(scan, &inside, &nested))
                return false;
            if (clause->in_comment.family == IP_NONE)
                read_comment(clause, inside, nested);
            continue;
        }
        struct scan before = *scan;
        word = take_word(scan);
        if (ends_clause(word)) {
            *scan = before;
            return true;
        }
        struct ipaddr address;
        if (clause->behind.family == IP_NONE && parse_bracketed(word, &inside, &address))
            clause->behind = address;
    }
    return true;
}

/* RFC 3848: ESMTPA, ESMTPSA, LMTPA, UTF8SMTPSA, ...; Exim has asmtp too. */
static bool is_submission(struct span protocol)
{
    static const char *const words[] = {"ESMTPA",    "ESMTPSA",    "LMTPA",     "LMTPSA",
                                        "UTF8SMTPA", "UTF8SMTPSA", "UTF8LMTPA", "UTF8LMTPSA",
                                        "ASMTP",     "HTTP",       "HTTPS"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (equals(protocol, words[i]))
            return true;
    return false;
}

/* The word behind "with". */
static struct span find_protocol(struct scan *scan)
{
    struct span inside, before = {"", 0};
    bool nested;
    for (skip_space(scan); scan->at < scan->end; skip_space(scan)) {
        if (*scan->at == '(') {
            if (!take_comment(scan, &inside, &nested))
                break;
            continue;
        }
        struct span word = take_word(scan);
        if (equals(before, "with"))
            return word;
        if (equals(word, ";"))
            break;
        before = word;
    }
    return (struct span){"", 0};
}

static void set_helo(struct received *out, struct span helo)
{
    size_t length = helo.length < HELO_TEXT_MAX ? helo.length : HELO_TEXT_MAX;
    memcpy(out->helo, helo.text, length);
    out->helo[length] = '\0';
    out->helo_recorded = true;
}

/* Which of what was found is the client's address, and which its EHLO name? */
static bool conclude(const struct clause *clause, struct received *out)
{
    bool marked = clause->marked.text != NULL;
    struct span helo = marked ? clause->marked : clause->name;
    struct span literal;
    struct ipaddr address;
    if (clause->in_comment.family != IP_NONE) {
        out->from = clause->in_comment;
        /* qmail's "from unknown (192.0.2.1)" speaks of the PTR. */
        if (!marked && clause->bare && equals(clause->name, "unknown"))
            helo.length = 0;
    } else if (parse_bracketed(clause->name, &literal, &address)) {
        /* Exim leaves out an EHLO name that is the client's own literal. */
        out->from = address;
        if (!marked)
            helo = literal;
    } else if (marked && parse_bare(clause->name, &address)) {
        out->from = address;
    } else if (clause->behind.family != IP_NONE) {
        out->from = clause->behind;
    } else {
        return false;
    }
    if (marked || helo.length > 0)
        set_helo(out, helo);
    return true;
}

void received_parse(const char *value, struct received *out)
{
    struct scan scan = {value, value + strnlen(value, RECEIVED_TEXT_MAX)};
    struct clause clause = {0};
    struct span inside;
    bool nested, commented = false;
    memset(out, 0, sizeof *out);
    out->kind = RECEIVED_UNREADABLE;
    for (skip_space(&scan); scan.at < scan.end && *scan.at == '('; skip_space(&scan)) {
        if (!take_comment(&scan, &inside, &nested))
            return;
        commented = true;
    }
    struct span word = take_word(&scan);
    if (!equals(word, "from")) {
        /* "(qmail 4711 invoked from network); date", "by mx.example.org with SMTP id 1" */
        if (word.length == 0 || equals(word, ";") ? commented : ends_clause(word))
            out->kind = RECEIVED_INTERNAL;
        return;
    }
    if (!read_clause(&scan, &clause) || !conclude(&clause, out))
        return;
    out->kind = RECEIVED_FROM;
    out->submitted = is_submission(find_protocol(&scan));
}
