/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log file and what logrotate or newsyslog has left of it: NAME.1, NAME.2.gz, NAME-20261128.xz,
 * NAME.20261128T030000, and the same before the file's extension ("extension" in logrotate.conf).
 * Does I/O; thread safe.
 */
#ifndef IPREVD_ROTATED_H
#define IPREVD_ROTATED_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rotated {
    char **paths; /* oldest first, `path` itself last */
    size_t count;
};

/*
 * The files that may hold lines since `since_s` (wall clock; 0: all): those written to at or after
 * it.  `path` itself is always one of them.  The caller frees by rotated_free(), even after a
 * failure.  RESULT_IO: errno says why the directory cannot be read.  RESULT_NOMEM.
 */
enum result rotated_find(const char *path, int64_t since_s, struct rotated *out) MUST_CHECK;
void rotated_free(struct rotated *files);

/* Is `name` what logrotate makes of `base` (both without directory)?  Pure. */
bool rotated_is_sibling(const char *base, const char *name);

#endif
