/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logical lines of Postfix's table files: blank lines and comments skipped, continuation
 * lines (leading white space) joined.  Works in place: the lines point into the file's text.
 */
#ifndef IPREVD_TABLE_LINES_H
#define IPREVD_TABLE_LINES_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>

struct table_text {
    char *text;    /* the file, with a NUL after the last byte; changed by reading */
    size_t length; /* bytes of text */
    size_t at;     /* where the next physical line starts */
    unsigned line; /* number of the next physical line, from 1 */
};

#define TABLE_WARNINGS_MAX 4 /* of a table that are reported; more of them say nothing new */

/* What may be wrong with a line, and where: one sentence in error->text.  And what Postfix takes,
   but hardly as it was meant. */
struct table_error {
    unsigned line;
    char text[400];
    size_t warning_count;
    struct {
        unsigned line;
        bool lost; /* as accesstable_warning() has it */
        char text[480];
    } warnings[TABLE_WARNINGS_MAX];
};

void table_warning(struct table_error *error, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

void table_error(struct table_error *error, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define TABLE_PASSED_OVER "the line is passed over"

/* A warning that a line is lost: it takes the place of one that is only strange. */
void table_lost(struct table_error *error, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

/*
 * What was an error of a line becomes such a warning, with what is done about it: Postfix goes on
 * with the next one, and a table that Postfix takes stops no start.
 */
void table_go_on(struct table_error *error, const char *instead);

/*
 * The next logical line into *line (NUL-terminated, without trailing white space) and the number
 * of its first physical line into *number.  RESULT_NOTFOUND: there is no more.  RESULT_INVALID:
 * `error` says why.
 */
enum result table_lines_next(struct table_text *text, char **line, unsigned *number,
                             struct table_error *error) MUST_CHECK;

/* White space as Postfix counts it in the C locale. */
bool table_lines_space(char c);

/* Is the line `if ...` or `endif`?  *rest: what follows `if`, without leading white space. */
bool table_lines_is_if(char *line, char **rest);
bool table_lines_is_endif(const char *line);

#endif
