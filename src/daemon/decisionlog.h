/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision log: JSON lines in a file, one object a decision, written by a thread of its own
 * behind a bounded queue.  A disk that is slow or full costs lines, which are counted, and never
 * mail.  Each line is written by append, so that logrotate may move the file away (and ask for
 * decisionlog_reopen()) or cut it (copytruncate).
 *
 * Thread safe, but for new, start and free.
 */
#ifndef IPREVD_DECISIONLOG_H
#define IPREVD_DECISIONLOG_H

#include "base/metrics.h"

#include <stdbool.h>

struct decisionlog;

/* Declares its metrics (borrowed).  Off, and without a thread.  NULL: out of memory. */
struct decisionlog *decisionlog_new(struct metrics *metrics) MUST_CHECK;

/* Start the thread.  RESULT_IO. */
enum result decisionlog_start(struct decisionlog *log) MUST_CHECK;

/* Writes what waits, ends the thread.  free(NULL) is fine. */
void decisionlog_free(struct decisionlog *log);

/*
 * Write to this file from now on (copied); NULL: to none.  It is opened by the thread, and when it
 * cannot be, that is logged and tried again with every line.  RESULT_NOMEM: nothing has changed.
 */
enum result decisionlog_set_path(struct decisionlog *log, const char *path) MUST_CHECK;

/* Are lines wanted?  Cheap. */
bool decisionlog_wanted(const struct decisionlog *log);

/* Take a malloc'ed line without line feed; NULL (its maker had no memory) is a lost line. */
void decisionlog_put(struct decisionlog *log, char *line);

/* Close and open the file, which may be another one by now.  Returns at once. */
void decisionlog_reopen(struct decisionlog *log);

#endif
