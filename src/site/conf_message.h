/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages about a configuration: `FILE:LINE: key "x": found "y"; allowed: ...`, one call each,
 * printable whatever the file holds.
 */
#ifndef IPREVD_CONF_MESSAGE_H
#define IPREVD_CONF_MESSAGE_H

#include "base/result.h"

struct conf_report;

#define CONF_KEY_MAX 160 /* "policy.default.check.ptr-generic.action" with NUL */

struct conf_messages {
    const struct conf_report *report;
    const char *path;
    unsigned errors; /* reported so far */
};

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
