/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records out of a log file, whatever form its lines are in: a syslog daemon's, journalctl's short
 * forms, its export format and JSON, containers' logs; plain or compressed.  What is no record is
 * handed on as it is, so that a caller can read forms of its own (JSON lines of a decision log,
 * what a program wrote to standard error).  Forms may change from line to line.  One owner at a
 * time.
 *
 *     while ((status = maillog_reader_next(reader, &item, error)) == RESULT_OK)
 *         if (item.kind == MAILLOG_ITEM_RECORD && strcmp(item.record.program, "iprevd") == 0)
 *             ... item.record.message, item.record.wall_s ...
 */
#ifndef IPREVD_MAILLOG_READER_H
#define IPREVD_MAILLOG_READER_H

#include "ctl/logs/maillog_input.h"
#include "ctl/logs/maillog_syslog.h"

enum maillog_item_kind {
    MAILLOG_ITEM_RECORD, /* item.record */
    MAILLOG_ITEM_LINE,   /* item.line is no record, or not to be looked at (cut, binary) */
};

struct maillog_item {
    enum maillog_item_kind kind;
    /* file and wall_s are set.  Of a LINE that is to be looked at: message is what a program wrote
       itself, without what a container's runtime put around it, and wall_s that one's time. */
    struct maillog_record record;
    struct maillog_line line; /* the line, or the last one of the record */
};

struct maillog_reader;

/* `path` is borrowed until the reader is closed; "-" is standard input.  A file with stamps that
   have no year is read twice.  RESULT_NOMEM, or RESULT_IO with `error`. */
enum result maillog_reader_open(const char *path, int64_t now_s, struct maillog_reader **out,
                                char error[REPLAY_ERROR_MAX]) MUST_CHECK;
void maillog_reader_close(struct maillog_reader *reader); /* NULL is fine */

/* The next record or line; it lives until the next call.  RESULT_NOTFOUND: the file is over.
   RESULT_IO: it cannot be read any further, `error` says why.  RESULT_NOMEM. */
enum result maillog_reader_next(struct maillog_reader *reader, struct maillog_item *out,
                                char error[REPLAY_ERROR_MAX]) MUST_CHECK;

/* The next line as it is, for files that are no logs. */
enum result maillog_reader_line(struct maillog_reader *reader, struct maillog_item *out,
                                char error[REPLAY_ERROR_MAX]) MUST_CHECK;

/* Bytes of the file itself read so far. */
uint64_t maillog_reader_position(const struct maillog_reader *reader);

#endif
