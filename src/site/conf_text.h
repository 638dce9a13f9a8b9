/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a configuration file, made safe for libconfuse: its lexer cuts strings at NUL bytes,
 * drops characters that it does not know (an unquoted '*'), puts environment variables into values,
 * takes the rest of the file for an unterminated string and miscounts the lines of block comments.
 * Each of these is an error here, with its line, or gone before the lexer sees it.
 */
#ifndef IPREVD_CONF_TEXT_H
#define IPREVD_CONF_TEXT_H

#include "site/conf_message.h"

#include <stdbool.h>
#include <stddef.h>

#define CONF_SIZE_MAX 1048575 /* bytes of a configuration; longer lists belong into table files */

/*
 * Read the file.  *text is malloc'ed, NUL-terminated, comments blanked; the caller frees.
 * *world_writable: anybody may change the file.  Anything but RESULT_OK was reported to `messages`.
 */
enum result conf_text_read(const char *path, char **text, size_t *length, bool *world_writable,
                           struct conf_messages *messages) MUST_CHECK;

/* Check and blank `text` (NUL-terminated after `length` bytes) in place. */
enum result conf_text_check(char *text, size_t length, struct conf_messages *messages) MUST_CHECK;

#endif
