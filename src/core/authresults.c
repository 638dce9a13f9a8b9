/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/authresults.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Comments nested deeper than this do not parse: RFC 5322 sets no limit, mail has none so deep. */
#define COMMENT_DEPTH_MAX 16

static const char METHOD[] = "iprev";

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Past white space and comments; NULL when a comment does not end. */
static const char *skip_cfws(const char *at)
{
    unsigned depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '(') {
            if (++depth > COMMENT_DEPTH_MAX)
                return NULL;
        } else if (depth > 0 && *at == ')') {
            depth--;
        } else if (depth > 0 && *at == '\\') {
            if (at[1] == '\0')
                return NULL;
            at++;
        } else if (depth == 0 && !is_space(*at)) {
            return at;
        }
    }
    return depth == 0 ? at : NULL;
}

/* Past a quoted string that begins at `at`; NULL when it does not end. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
    }
    return at + 1;
}

static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_' || c == '.';
}

/* Does the quoted string that begins at *at equal `want`?  Moves *at behind it. */
static bool quoted_equals(const char **at, const char *want)
{
    bool equal = true;
    const char *c = *at + 1;
    for (; *c != '\0' && *c != '"'; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        equal = equal && *want != '\0' && strncasecmp(c, want, 1) == 0;
        want += equal;
    }
    *at = *c == '"' ? c + 1 : c;
    return equal && *want == '\0';
}

/*
 * Does the value that begins at *at (a token or a quoted string) equal `want`?  Moves *at behind
 * it. A name ends where no name goes on, and at a full stop that ends it, whatever stands behind: a
 * lenient reader may stop there, too.
 */
static bool value_equals(const char **at, const char *want)
{
    if (**at == '"')
        return quoted_equals(at, want);
    size_t length = strlen(want);
    if (strncasecmp(*at, want, length) != 0)
        return false;
    *at += length;
    if (**at == '.' && !is_id_char((*at)[1]))
        (*at)++;
    return !is_id_char(**at);
}

/* Past the version behind an authserv-id, and what surrounds it; NULL when a comment does not end.
 */
static const char *skip_version(const char *at)
{
    at = skip_cfws(at);
    if (at == NULL)
        return NULL;
    return skip_cfws(at + strspn(at, "0123456789"));
}

static bool mentions_method(const char *text)
{
    for (; *text != '\0'; text++)
        if (strncasecmp(text, METHOD, sizeof METHOD - 1) == 0)
            return true;
    return false;
}

/* To the next ';' outside comments and quoted strings, or the end; NULL when something does not
 * end. */
static const char *skip_result(const char *at)
{
    while (at != NULL && *at != '\0' && *at != ';') {
        if (*at == '"')
            at = skip_quoted(at);
        else if (*at == '(' || is_space(*at))
            at = skip_cfws(at);
        else
            at++;
    }
    return at;
}

bool authresults_forges(const char *value, const char *authserv_id)
{
    const char *at = skip_cfws(value);
    if (at == NULL)
        return mentions_method(value);
    if (!value_equals(&at, authserv_id))
        return false;
    const char *results = skip_version(at);
    if (results == NULL || (*results != ';' && *results != '\0'))
        return mentions_method(at);
    at = results;
    while ((at = skip_result(at)) != NULL && *at == ';') {
        at = skip_cfws(at + 1);
        if (at == NULL)
            break;
        size_t length = strcspn(at, " \t\r\n;(/=");
        if (length == sizeof METHOD - 1 && strncasecmp(at, METHOD, length) == 0)
            return true;
    }
    return at == NULL && mentions_method(value);
}
