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

#define CONF_PATTERN_MAX 256     /* bytes of a pattern in include(), with NUL */
#define CONF_SIZE_MAX    1048575 /* bytes of a configuration; longer lists belong in table files */

#define CONF_INCLUDES_MAX 32 /* include() in one file */

/* What stood in include() and was blanked. */
struct conf_text_include {
    char pattern[CONF_PATTERN_MAX];
    size_t at; /* behind it, in the text */
    unsigned line;
};

struct conf_text_includes {
    struct conf_text_include list[CONF_INCLUDES_MAX];
    size_t count;
};

/*
 * Read the file.  *text is malloc'ed, NUL-terminated, comments blanked; the caller frees.  It is
 * warned of a file that anybody may change.  `includes` NULL: include() is an error.  Anything but
 * RESULT_OK was reported to `messages`.
 */
enum result conf_text_read(const char *path, char **text, size_t *length,
                           struct conf_text_includes *includes,
                           struct conf_messages *messages) MUST_CHECK;

#endif
