/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages about a configuration: `FILE:LINE: key "x": found "y"; allowed: ...`, one call each,
 * printable whatever the file holds.
 */
#ifndef IPREVD_CONF_MESSAGE_H
#define IPREVD_CONF_MESSAGE_H

#include "base/result.h"

#include <stddef.h>

struct conf_report;

#define CONF_KEY_MAX 160 /* "policy.default.check.ptr-generic.action" with NUL */

/* The lines of the text from `first` on are those of the file from `line` on. */
struct conf_source {
    unsigned first, line;
    const char *path;
};

struct conf_messages {
    const struct conf_report *report;
    const char *path;
    const struct conf_source *sources; /* NULL: all of the text is of `path` */
    size_t source_count;
    unsigned errors; /* reported so far */
};

/* The file and line behind a line of the text. */
struct conf_source conf_source_of(const struct conf_messages *messages, unsigned line);

/* "line 7", or "line 7 of FILE" where it is another file than the one of `from`.  Returns out. */
#define CONF_WHERE_MAX 300
const char *conf_where(const struct conf_messages *messages, unsigned line, unsigned from,
                       char out[CONF_WHERE_MAX]);

/* `line` 0: the message is about the file as a whole. */
void conf_error(struct conf_messages *messages, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);
void conf_warning(struct conf_messages *messages, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

void conf_notice(struct conf_messages *messages, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The usual one.  `found` is cut when it is long. */
void conf_bad_value(struct conf_messages *messages, unsigned line, const char *key,
                    const char *found, const char *allowed);
void conf_nomem(struct conf_messages *messages);

#endif
