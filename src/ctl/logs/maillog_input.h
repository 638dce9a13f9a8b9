/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines out of files as logrotate leaves them: plain, gzip, bzip2, xz or zstd.  Memory is bounded
 * whatever the file holds: a line longer than REPLAY_LINE_MAX is cut and the rest skipped.  The one
 * place where libarchive is used.  One owner at a time.
 */
#ifndef IPREVD_MAILLOG_INPUT_H
#define IPREVD_MAILLOG_INPUT_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_LINE_MAX 16384 /* bytes; syslog daemons cut at 8192 or less */

#define REPLAY_ERROR_MAX 256

struct maillog_input;

struct maillog_line {
    uint64_t number;   /* from 1 */
    const char *text;  /* NUL-terminated, without line end; lives until the next call */
    size_t length;     /* bytes */
    size_t bytes;      /* of the line in the file, its end and all */
    bool cut;          /* longer than REPLAY_LINE_MAX */
    bool binary;       /* holds a NUL: text ends there for string functions */
    bool unterminated; /* the file ended before the line did */
};

/* "-" is standard input.  RESULT_NOMEM, or RESULT_IO with `error`. */
enum result maillog_input_open(const char *path, struct maillog_input **out,
                               char error[REPLAY_ERROR_MAX]) MUST_CHECK;
void maillog_input_close(struct maillog_input *input); /* NULL is fine */

/*
 * The next line.  RESULT_NOTFOUND: the file is over.  RESULT_IO: it cannot be read any further,
 * `error` says why; all complete lines before were delivered.
 */
enum result maillog_input_next(struct maillog_input *input, struct maillog_line *out,
                               char error[REPLAY_ERROR_MAX]) MUST_CHECK;

/* Copy the next `length` bytes, line ends and all, to out[size], what does not fit being skipped;
   `out` is terminated. Statuses as above. */
enum result maillog_input_take(struct maillog_input *input, uint64_t length, char *out, size_t size,
                               char error[REPLAY_ERROR_MAX]) MUST_CHECK;

/* Bytes of the file itself read so far. */
uint64_t maillog_input_position(const struct maillog_input *input);

#endif
