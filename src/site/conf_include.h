/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration is one text of several files: include(PATTERN) stands for the files that the
 * pattern names, in the order of their names.  Messages name the file and line of each piece.
 */
#ifndef IPREVD_CONF_INCLUDE_H
#define IPREVD_CONF_INCLUDE_H

#include "site/conf_message.h"

#include <stddef.h>

/* The files of a configuration, the first of them the one that includes the others. */
struct conf_files {
    char **paths; /* owned, with what they point to */
    size_t path_count;
    struct conf_source *sources; /* owned; their paths are those above */
    size_t source_count;
};

/*
 * Read the file and what it includes; patterns start from its directory.  *text is malloc'ed,
 * NUL-terminated, comments blanked; the caller frees it, and *files by conf_files_clear().
 * Anything but RESULT_OK was reported to `messages`, and *files is empty.
 */
enum result conf_include_read(const char *path, char **text, size_t *length,
                              struct conf_files *files, struct conf_messages *messages) MUST_CHECK;

/* Twice is fine. */
void conf_files_clear(struct conf_files *files);

#endif
