/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What some editors begin a file with, in UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

#define NESTING_MAX 16 /* the options need 3; libconfuse recurses */

/* --- reading --------------------------------------------------------------------------------- */

/* /dev/null is the empty configuration, and a valid one. */
static bool is_null_device(const struct stat *st)
{
    struct stat null;
    return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && st->st_rdev == null.st_rdev;
}

static enum result read_open_file(int fd, char **text, size_t *length,
                                  struct conf_messages *messages)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        conf_error(messages, 0, "%s", strerror(errno));
        return RESULT_IO;
    }
    if (!S_ISREG(st.st_mode) && !is_null_device(&st)) {
        conf_error(messages, 0, "not a regular file");
        return RESULT_INVALID;
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH) != 0)
        conf_warning(messages, 0, "everybody on this machine may change this file");
    char *memory = malloc(CONF_SIZE_MAX + 2);
    if (memory == NULL) {
        conf_nomem(messages);
        return RESULT_NOMEM;
    }
    size_t at = 0;
    ssize_t got;
    while ((got = read(fd, memory + at, CONF_SIZE_MAX + 1 - at)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            conf_error(messages, 0, "%s", strerror(errno));
            free(memory);
            return RESULT_IO;
        }
        at += (size_t)got;
    }
    if (at > CONF_SIZE_MAX) {
        conf_error(messages, 0,
                   "larger than 1 MiB; allowed: up to %d bytes (long lists belong in table "
                   "files: cidr:, pcre:, regexp:, texthash:)",
                   CONF_SIZE_MAX);
        free(memory);
        return RESULT_LIMIT;
    }
    memory[at] = '\0';
    *text = memory;
    *length = at;
    return RESULT_OK;
}

/* --- checking -------------------------------------------------------------------------------- */

struct text_scan {
    char *at;
    unsigned line;
    unsigned open_lines[NESTING_MAX]; /* of the braces that are open */
    unsigned depth;
    struct conf_messages *messages;
    const char *text;                    /* all of it */
    struct conf_text_includes *includes; /* NULL: none may stand there */
    bool after_equal;                    /* a value comes */
};

static bool is_bare(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("._:/@%-[]!<>~;?&^", c) != NULL);
}

static void blank_line_comment(struct text_scan *scan)
{
    for (; *scan->at != '\0' && *scan->at != '\n'; scan->at++)
        *scan->at = ' ';
}

static bool blank_block_comment(struct text_scan *scan)
{
    unsigned began = scan->line;
    char *end = strstr(scan->at + 2, "*/");
    if (end == NULL) {
        conf_error(scan->messages, began, "comment without end; allowed: /* ... */");
        return false;
    }
    for (; scan->at < end + 2; scan->at++) {
        if (*scan->at == '\n')
            scan->line++;
        else
            *scan->at = ' ';
    }
    return true;
}

static bool reject_variable(struct text_scan *scan)
{
    conf_error(scan->messages, scan->line,
               "found \"${\"; environment variables are not read: write the value itself, or "
               "\"\\${\" for these characters");
    return false;
}

/* After a backslash in double quotes.  Octal and hexadecimal would let NUL bytes in. */
static bool check_escape(struct text_scan *scan)
{
    char c = scan->at[1];
    if (c != '\0' && c != '\n' && strchr("\\\"$nt'", c) != NULL) {
        scan->at += 2;
        return true;
    }
    conf_error(scan->messages, scan->line,
               "found \"\\%c\" in a string; allowed: \\\\ \\\" \\$ \\n \\t", c == '\n' ? ' ' : c);
    return false;
}

static bool check_string(struct text_scan *scan)
{
    char quote = *scan->at++;
    for (;;) {
        char c = *scan->at;
        if (c == '\0' || c == '\n') {
            conf_error(scan->messages, scan->line,
                       "string without closing %s; allowed: strings end on the line on which they "
                       "begin (\\n stands for a line break)",
                       quote == '"' ? "double quote" : "single quote");
            return false;
        }
        if (c == quote) {
            scan->at++;
            return true;
        }
        if (quote == '"' && c == '\\') {
            if (!check_escape(scan))
                return false;
            continue;
        }
        if (quote == '"' && c == '$' && scan->at[1] == '{')
            return reject_variable(scan);
        bool pair = quote == '\'' && c == '\\' && (scan->at[1] == '\'' || scan->at[1] == '\\');
        scan->at += pair ? 2 : 1;
    }
}

static bool check_brace(struct text_scan *scan, char brace)
{
    if (brace == '{' && scan->depth == NESTING_MAX) {
        conf_error(scan->messages, scan->line, "braces nested deeper than %d", NESTING_MAX);
        return false;
    }
    if (brace == '}' && scan->depth == 0) {
        conf_error(scan->messages, scan->line, "found \"}\" without \"{\" before it");
        return false;
    }
    if (brace == '{')
        scan->open_lines[scan->depth++] = scan->line;
    else
        scan->depth--;
    scan->at++;
    return true;
}

static bool check_stray(struct text_scan *scan)
{
    char c = *scan->at;
    if (c == '$' && scan->at[1] == '{')
        return reject_variable(scan);
    if (c == '(' || c == ')')
        conf_error(scan->messages, scan->line,
                   "found \"%c\"; allowed: include(\"conf.d/*.conf\") outside of blocks, and "
                   "parentheses in values in double quotes",
                   c);
    else
        conf_error(scan->messages, scan->line,
                   "found \"%c\" outside of a string; values with such characters are written in "
                   "double quotes",
                   c);
    return false;
}

/* Behind the word: blanks, a pattern in quotes, both in parentheses.  NULL: something else. */
static char *include_end(char *at, const char **pattern, size_t *length)
{
    at += strspn(at, " \t");
    if (*at != '(')
        return NULL;
    at++;
    at += strspn(at, " \t");
    char quote = *at;
    if (quote != '"' && quote != '\'')
        return NULL;
    *pattern = ++at;
    *length = strcspn(at, "\"'\\\n");
    at += *length;
    if (*at != quote)
        return NULL;
    at++;
    at += strspn(at, " \t");
    return *at == ')' ? at + 1 : NULL;
}

/* `begin`: the word "include", behind which the scan stands. */
static bool check_include(struct text_scan *scan, char *begin)
{
    const char *pattern = NULL;
    size_t length = 0;
    char *end = include_end(scan->at, &pattern, &length);
    const char *problem = NULL;
    if (scan->includes == NULL)
        problem = "in a file that is included; allowed: include() in the first file only";
    else if (scan->depth > 0)
        problem = "inside of a block; allowed: include() outside of blocks";
    else if (end == NULL || length == 0 || length >= CONF_PATTERN_MAX)
        problem = "; allowed: include(\"conf.d/*.conf\"), a file or a pattern";
    else if (scan->includes->count == CONF_INCLUDES_MAX)
        problem = " too often; allowed: 32 times";
    if (problem != NULL) {
        conf_error(scan->messages, scan->line, "found include%s%s", problem[0] == ';' ? "" : " ",
                   problem);
        return false;
    }
    struct conf_text_include *include = &scan->includes->list[scan->includes->count++];
    (void)snprintf(include->pattern, sizeof include->pattern, "%.*s", (int)length, pattern);
    include->at = (size_t)(end - scan->text);
    include->line = scan->line;
    memset(begin, ' ', (size_t)(end - begin));
    scan->at = end;
    return true;
}

/* A word without quotes. */
static bool check_word(struct text_scan *scan)
{
    static const char include[] = "include";
    char *begin = scan->at;
    bool value = scan->after_equal;
    while (is_bare(*scan->at))
        scan->at++;
    scan->after_equal = false;
    if (*scan->at == '#') /* INC#4711 would become INC */
        return check_stray(scan);
    if (value && *begin == '[' && memchr(begin, ']', (size_t)(scan->at - begin)) == NULL) {
        conf_error(scan->messages, scan->line,
                   "found \"[\"; allowed: a list in braces, such as "
                   "{\"one\", \"two\"}");
        return false;
    }
    if (!value && (size_t)(scan->at - begin) == strlen(include) &&
        strncmp(begin, include, strlen(include)) == 0)
        return check_include(scan, begin);
    return true;
}

/* One token, comment, or stretch of white space.  False: it was reported why not. */
static bool check_token(struct text_scan *scan)
{
    char c = *scan->at;
    switch (c) {
    case '\n':
        scan->line++;
        scan->at++;
        return true;
    case ' ':
    case '\t':
    case ',':
        scan->at++;
        return true;
    case '=':
        scan->after_equal = true;
        scan->at++;
        return true;
    case '\r':
        *scan->at++ = ' ';
        return true;
    case '#':
        blank_line_comment(scan);
        return true;
    case '"':
    case '\'':
        scan->after_equal = false;
        return check_string(scan);
    case '{':
    case '}':
        scan->after_equal = false;
        return check_brace(scan, c);
    case '+':
        if (scan->at[1] != '=')
            return check_stray(scan);
        scan->after_equal = true;
        scan->at += 2;
        return true;
    default:
        break;
    }
    if (c == '/' && scan->at[1] == '/') {
        blank_line_comment(scan);
        return true;
    }
    if (c == '/' && scan->at[1] == '*')
        return blank_block_comment(scan);
    if (!is_bare(c))
        return check_stray(scan);
    return check_word(scan);
}

/* Control characters have no business anywhere; other bytes may stand in comments. */
static bool check_bytes(const char *text, size_t length, struct conf_messages *messages)
{
    unsigned line = 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            line++;
        if ((c < 0x20 && c != '\n' && c != '\t' && !(c == '\r' && text[i + 1] == '\n')) ||
            c == 0x7f) {
            conf_error(messages, line, "found the control character 0x%02x; allowed: text", c);
            return false;
        }
    }
    return true;
}

/* Check and blank `text` (NUL-terminated after `length` bytes) in place. */
static enum result check_text(char *text, size_t length, struct conf_text_includes *includes,
                              struct conf_messages *messages)
{
    struct text_scan scan = {
        .at = text, .line = 1, .messages = messages, .text = text, .includes = includes};
    if (!check_bytes(text, length, messages))
        return RESULT_INVALID;
    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        memset(text, ' ', strlen(BYTE_ORDER_MARK));
    while (*scan.at != '\0')
        if (!check_token(&scan))
            return RESULT_INVALID;
    if (scan.depth > 0) {
        conf_error(messages, scan.open_lines[scan.depth - 1], "\"{\" without \"}\" after it");
        return RESULT_INVALID;
    }
    return RESULT_OK;
}

/* --- both ------------------------------------------------------------------------------------ */

/* O_NONBLOCK: a named pipe must not hold up the start. */
enum result conf_text_read(const char *path, char **text, size_t *length,
                           struct conf_text_includes *includes, struct conf_messages *messages)
{
    char *read = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        conf_error(messages, 0, "cannot be read: %s", strerror(errno));
        return RESULT_IO;
    }
    enum result status = read_open_file(fd, &read, length, messages);
    close(fd);
    if (status == RESULT_OK)
        status = check_text(read, *length, includes, messages);
    if (status == RESULT_OK)
        *text = read;
    else
        free(read);
    return status;
}
