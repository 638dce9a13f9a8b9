/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where messages for people go: syslog (the journal reads it too) or standard
 * error.  The sink is a global of the program.  One call is one
 * line; text that others chose goes through textbuf_put_untrusted() first.
 * All functions are thread safe, except log_open(), log_start() and log_close(), of which one runs
 * at a time, log_open() while nobody else logs.
 */
#ifndef IPREVD_LOG_H
#define IPREVD_LOG_H

#include "base/result.h"

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_sink { LOG_SINK_STDERR, LOG_SINK_SYSLOG };

/*
 * `ident` is borrowed for the life of the log; `facility` a syslog name ("mail"), NULL: mail.  When
 * standard error is the stream to systemd's journal, lines on it begin with their priority ("<4>"),
 * which the journal keeps: journalctl -p warning.
 */
void log_open(enum log_sink sink, const char *ident, const char *facility);

/*
 * From now on a thread writes the lines, in their order, some milliseconds later and many at a
 * time.  Logging never blocks.  Lines that do not fit the queue are dropped and counted.
 * RESULT_IO with errno: no thread; lines are written at once, as before.
 */
enum result log_start(void) MUST_CHECK;

/*
 * Write what waits, end the thread; lines are written to standard error, at once.  When the
 * reader has not taken them all in 3 seconds, the rest and every line after it is lost.
 */
void log_close(void);

/* Lines lost since the program began: for want of room, or as nobody reads standard error. */
uint64_t log_lost(void);

/* Messages above `level` are dropped.  Default: info. */
void log_set_level(enum log_level level);

/* One complete line, without line feed. */
void log_line(enum log_level level, const char *text);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
