/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/ere.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX    100 /* of parentheses */
#define INTERVAL_MAX 1000

/* What the last thing written was: decides what a repetition means. */
enum last { LAST_NOTHING, LAST_ATOM, LAST_REPEATED, LAST_ANCHOR };

struct translation {
    const char *at; /* what is left to read */
    bool extended;
    char *out;
    size_t length, room;
    bool nomem;
    const char *why;
    const char *odd; /* what is valid and means something else in Perl; NULL: nothing */
    enum last last;
    size_t atom; /* where in `out` the last atom starts */
    size_t groups[DEPTH_MAX];
    unsigned numbers[DEPTH_MAX]; /* of the groups that are open, from 1 */
    unsigned depth, opened;
    bool closed[10]; /* groups that a back-reference may name */
};

static void put(struct translation *t, const char *text)
{
    size_t more = strlen(text);
    if (t->nomem)
        return;
    if (t->length + more + 1 > t->room) {
        size_t room = (t->length + more + 1) * 2;
        char *bigger = realloc(t->out, room);
        if (bigger == NULL) {
            t->nomem = true;
            return;
        }
        t->out = bigger;
        t->room = room;
    }
    memcpy(t->out + t->length, text, more + 1);
    t->length += more;
}

static void put_literal(struct translation *t, char c)
{
    const char text[3] = {'\\', c, '\0'};
    put(t, isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ? text + 1 : text);
}

/* An atom begins here. */
static void begin_atom(struct translation *t)
{
    t->atom = t->length;
    t->last = LAST_ATOM;
}

static void literal(struct translation *t, char c)
{
    begin_atom(t);
    put_literal(t, c);
}

static void atom(struct translation *t, const char *text)
{
    begin_atom(t);
    put(t, text);
}

static void anchor(struct translation *t, const char *text)
{
    put(t, text);
    t->last = LAST_ANCHOR;
}

/* --- bracket expressions --------------------------------------------------------------------- */

static bool put_class(struct translation *t, const char *name, size_t length)
{
    static const char *const classes[] = {"alpha", "digit", "alnum", "upper", "lower", "space",
                                          "blank", "punct", "print", "graph", "cntrl", "xdigit"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strlen(classes[i]) == length && memcmp(classes[i], name, length) == 0) {
            put(t, "[:");
            put(t, classes[i]);
            put(t, ":]");
            return true;
        }
    }
    t->why = "unknown character class";
    return false;
}

/* One end of a range or a single character: "a", "[.a.]", "[=a=]". */
static bool bracket_char(struct translation *t, char *c)
{
    const char *p = t->at;
    if (p[0] == '[' && (p[1] == '.' || p[1] == '=')) {
        if (p[2] == '\0' || p[3] != p[1] || p[4] != ']') {
            t->why = "collating elements of several characters are not supported";
            return false;
        }
        *c = p[2];
        t->at += 5;
        return true;
    }
    *c = *t->at++;
    return true;
}

static bool bracket_item(struct translation *t)
{
    if (t->at[0] == '[' && t->at[1] == ':') {
        const char *end = strstr(t->at + 2, ":]");
        if (end == NULL) {
            t->why = "unterminated character class";
            return false;
        }
        bool known = put_class(t, t->at + 2, (size_t)(end - t->at - 2));
        t->at = end + 2;
        return known;
    }
    char low, high;
    if (!bracket_char(t, &low))
        return false;
    put_literal(t, low);
    if (t->at[0] != '-' || t->at[1] == ']' || t->at[1] == '\0')
        return true;
    t->at++;
    if (!bracket_char(t, &high))
        return false;
    if ((unsigned char)low > (unsigned char)high) {
        t->why = "invalid end of a range";
        return false;
    }
    put(t, "-");
    put_literal(t, high);
    return true;
}

static bool bracket(struct translation *t)
{
    begin_atom(t);
    put(t, "[");
    if (*t->at == '^') {
        put(t, "^");
        t->at++;
    }
    bool first = true;
    while (*t->at != '\0' && (first || *t->at != ']')) {
        if (!bracket_item(t))
            return false;
        first = false;
    }
    if (*t->at == '\0') {
        t->why = "'[' without ']'";
        return false;
    }
    t->at++;
    put(t, "]");
    return true;
}

/* --- repetition ------------------------------------------------------------------------------ */

/* A repetition of a repetition: PCRE2 would read "+?" as lazy, "++" as possessive. */
static void wrap_atom(struct translation *t)
{
    static const char open[] = "(?:";
    size_t length = sizeof open - 1;
    put(t, "(?:)");
    if (t->nomem)
        return;
    memmove(t->out + t->atom + length, t->out + t->atom, t->length - 1 - length - t->atom);
    memcpy(t->out + t->atom, open, length);
}

static bool repeat(struct translation *t, const char *text)
{
    if (t->last == LAST_NOTHING || t->last == LAST_ANCHOR) {
        t->why = "nothing before a repetition";
        return false;
    }
    if (t->last == LAST_REPEATED && !t->extended && (text[0] == '*' || text[0] == '{')) {
        t->why = "a repetition of a repetition";
        return false;
    }
    if (t->last == LAST_REPEATED && (text[0] == '?' || text[0] == '+') && t->odd == NULL)
        t->odd = "\"?\" or \"+\" behind a repetition repeats it once more in POSIX, and makes it "
                 "neither lazy nor possessive";
    if (t->last == LAST_REPEATED)
        wrap_atom(t);
    put(t, text);
    t->last = LAST_REPEATED;
    return true;
}

static bool number(struct translation *t, int *out)
{
    if (!isdigit((unsigned char)*t->at))
        return false;
    int value = 0;
    for (; isdigit((unsigned char)*t->at); t->at++)
        if (value <= INTERVAL_MAX)
            value = value * 10 + (*t->at - '0');
    *out = value;
    return true;
}

/* After '{' of an ERE or '\{' of a BRE. */
static bool interval(struct translation *t)
{
    int low = 0, high = -1;
    bool has_low = number(t, &low), comma = *t->at == ',';
    if (comma) {
        t->at++;
        (void)number(t, &high);
    }
    const char *end = t->extended ? "}" : "\\}";
    if ((!has_low && !comma) || strncmp(t->at, end, strlen(end)) != 0) {
        t->why = "malformed repetition count";
        return false;
    }
    t->at += strlen(end);
    if (low > INTERVAL_MAX || high > INTERVAL_MAX || (high >= 0 && high < low)) {
        t->why = "invalid repetition count; the largest is 1000";
        return false;
    }
    char text[32];
    if (!comma)
        snprintf(text, sizeof text, "{%d}", low);
    else if (high < 0)
        snprintf(text, sizeof text, "{%d,}", low);
    else
        snprintf(text, sizeof text, "{%d,%d}", low, high);
    return repeat(t, text);
}

/* --- groups and operators -------------------------------------------------------------------- */

static bool open_group(struct translation *t)
{
    if (t->depth == DEPTH_MAX) {
        t->why = "parentheses nested deeper than 100";
        return false;
    }
    t->numbers[t->depth] = ++t->opened;
    t->groups[t->depth++] = t->length;
    put(t, "(");
    t->last = LAST_NOTHING;
    return true;
}

static void close_group(struct translation *t)
{
    put(t, ")");
    t->atom = t->groups[--t->depth];
    if (t->numbers[t->depth] < sizeof t->closed)
        t->closed[t->numbers[t->depth]] = true;
    t->last = LAST_ATOM;
}

static void alternative(struct translation *t)
{
    put(t, "|");
    t->last = LAST_NOTHING;
}

/* Escapes that both dialects of the GNU library have; false: not one of them. */
static bool gnu_escape(struct translation *t, char c)
{
    static const struct {
        char c;
        bool is_atom;
        const char *text;
    } escapes[] = {
        {'w', true, "[[:alnum:]_]"}, {'W', true, "[^[:alnum:]_]"}, {'s', true, "[[:space:]]"},
        {'S', true, "[^[:space:]]"}, {'<', false, "\\b(?=\\w)"},   {'>', false, "\\b(?<=\\w)"},
        {'b', false, "\\b"},         {'B', false, "\\B"},          {'`', false, "\\A"},
        {'\'', false, "\\z"},
    };
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].c == c) {
            if (escapes[i].is_atom)
                atom(t, escapes[i].text);
            else
                anchor(t, escapes[i].text);
            return true;
        }
    }
    if (c >= '1' && c <= '9' && t->closed[c - '0']) {
        const char text[] = {'\\', 'g', '{', c, '}', '\0'};
        atom(t, text);
        return true;
    }
    return false;
}

/* After a backslash in a BRE: the characters that are operators there. */
static bool basic_escape(struct translation *t, char c)
{
    switch (c) {
    case '(':
        return open_group(t);
    case ')':
        if (t->depth == 0) {
            t->why = "')' without '('";
            return false;
        }
        close_group(t);
        return true;
    case '|':
        alternative(t);
        return true;
    case '{':
        return interval(t);
    case '+':
    case '?':
        if (t->last == LAST_NOTHING || t->last == LAST_ANCHOR) {
            literal(t, c);
            return true;
        }
        return repeat(t, c == '+' ? "+" : "?");
    default:
        literal(t, c);
        return true;
    }
}

static bool escape(struct translation *t)
{
    char c = *t->at;
    if (c == '\0') {
        t->why = "backslash at the end";
        return false;
    }
    t->at++;
    if (gnu_escape(t, c))
        return true;
    if (c >= '1' && c <= '9') {
        t->why = "back-reference to a group that is not closed before it";
        return false;
    }
    if (isalpha((unsigned char)c) && t->odd == NULL)
        t->odd = "a backslash before a letter is that letter in POSIX, d for example and no digit; "
                 "[0-9] and [[:digit:]] are digits, and pcre: tables have Perl's escapes";
    if (!t->extended)
        return basic_escape(t, c);
    literal(t, c);
    return true;
}

/* In a BRE '^' and '$' are anchors only at the ends of a branch, and '*' only after something. */
static bool basic(struct translation *t, char c)
{
    const char *p = t->at;
    switch (c) {
    case '^':
        if (t->last == LAST_NOTHING)
            anchor(t, "^");
        else
            literal(t, c);
        return true;
    case '$':
        if (p[0] == '\0' || (p[0] == '\\' && (p[1] == ')' || p[1] == '|')))
            anchor(t, "$");
        else
            literal(t, c);
        return true;
    case '*':
        if (t->last == LAST_NOTHING || t->last == LAST_ANCHOR) {
            literal(t, c);
            return true;
        }
        return repeat(t, "*");
    default:
        literal(t, c);
        return true;
    }
}

static bool extended(struct translation *t, char c)
{
    switch (c) {
    case '^':
        anchor(t, "^");
        return true;
    case '$':
        anchor(t, "$");
        return true;
    case '*':
        return repeat(t, "*");
    case '+':
        return repeat(t, "+");
    case '?':
        return repeat(t, "?");
    case '{':
        return interval(t);
    case '(':
        return open_group(t);
    case ')':
        if (t->depth == 0)
            literal(t, c);
        else
            close_group(t);
        return true;
    case '|':
        alternative(t);
        return true;
    default:
        literal(t, c);
        return true;
    }
}

static bool element(struct translation *t)
{
    char c = *t->at++;
    switch (c) {
    case '\\':
        return escape(t);
    case '[':
        return bracket(t);
    case '.':
        atom(t, ".");
        return true;
    default:
        return t->extended ? extended(t, c) : basic(t, c);
    }
}

enum result ere_translate(const char *pattern, bool is_extended, char **out, const char **why)
{
    struct translation t = {.at = pattern, .extended = is_extended};
    put(&t, "");
    bool sound = true;
    while (sound && !t.nomem && *t.at != '\0')
        sound = element(&t);
    if (sound && t.depth > 0) {
        t.why = "'(' without ')'";
        sound = false;
    }
    if (t.nomem || !sound) {
        free(t.out);
        if (t.nomem)
            return RESULT_NOMEM;
        *why = t.why;
        return RESULT_INVALID;
    }
    *out = t.out;
    *why = t.odd;
    return RESULT_OK;
}
