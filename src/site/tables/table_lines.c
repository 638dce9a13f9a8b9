/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/table_lines.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void table_error(struct table_error *error, unsigned line, const char *format, ...)
{
    va_list args;
    error->line = line;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
}

PRINTF_LIKE(4, 0)
static void add_warning(struct table_error *error, unsigned line, bool lost, const char *format,
                        va_list args)
{
    if (error->warning_count == TABLE_WARNINGS_MAX && !lost)
        return;
    size_t at =
        error->warning_count < TABLE_WARNINGS_MAX ? error->warning_count++ : TABLE_WARNINGS_MAX - 1;
    error->warnings[at].line = line;
    error->warnings[at].lost = lost;
    vsnprintf(error->warnings[at].text, sizeof error->warnings[at].text, format, args);
}

void table_warning(struct table_error *error, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_warning(error, line, false, format, args);
    va_end(args);
}

void table_lost(struct table_error *error, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_warning(error, line, true, format, args);
    va_end(args);
}

void table_go_on(struct table_error *error, const char *instead)
{
    table_lost(error, error->line, "%s; %s", error->text, instead);
    error->line = 0;
    error->text[0] = '\0';
}

bool table_lines_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One physical line: its start, its length without the line feed, and the step past it. */
struct physical {
    char *start;
    size_t length;
    size_t step;
};

static struct physical peek(const struct table_text *text)
{
    struct physical line = {.start = text->text + text->at};
    size_t left = text->length - text->at;
    char *end = memchr(line.start, '\n', left);
    line.length = end == NULL ? left : (size_t)(end - line.start);
    line.step = end == NULL ? left : line.length + 1;
    return line;
}

static bool is_skipped(const struct physical *line)
{
    size_t i = 0;
    while (i < line->length && table_lines_space(line->start[i]))
        i++;
    return i == line->length || line->start[i] == '#';
}

static void step(struct table_text *text, const struct physical *line)
{
    text->at += line->step;
    text->line++;
}

/* Append the physical lines that continue the logical one which ends at `end`. */
static char *join(struct table_text *text, char *end)
{
    while (text->at < text->length) {
        struct physical line = peek(text);
        if (!is_skipped(&line)) {
            if (!table_lines_space(line.start[0]))
                break;
            memmove(end, line.start, line.length);
            end += line.length;
        }
        step(text, &line);
    }
    return end;
}

enum result table_lines_next(struct table_text *text, char **line, unsigned *number,
                             struct table_error *error)
{
    while (text->at < text->length) {
        struct physical first = peek(text);
        unsigned here = text->line;
        step(text, &first);
        if (is_skipped(&first))
            continue;
        if (table_lines_space(first.start[0])) {
            table_error(error, here,
                        "white space before the first entry: a line that starts with white space "
                        "continues the one before");
            return RESULT_INVALID;
        }
        char *end = join(text, first.start + first.length);
        if (memchr(first.start, '\0', (size_t)(end - first.start)) != NULL) {
            table_error(error, here, "a NUL byte; tables are text");
            return RESULT_INVALID;
        }
        while (end > first.start && table_lines_space(end[-1]))
            end--;
        /* The byte at `end` is a line feed, white space, a joined line's leftover, or the NUL
           after the text. */
        *end = '\0';
        *line = first.start;
        *number = here;
        return RESULT_OK;
    }
    return RESULT_NOTFOUND;
}

bool table_lines_is_if(char *line, char **rest)
{
    if (strncasecmp(line, "if", 2) != 0 || isalnum((unsigned char)line[2]) != 0)
        return false;
    char *at = line + 2;
    while (table_lines_space(*at))
        at++;
    *rest = at;
    return true;
}

bool table_lines_is_endif(const char *line)
{
    return strncasecmp(line, "endif", 5) == 0 && isalnum((unsigned char)line[5]) == 0;
}
