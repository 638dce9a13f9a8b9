/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bar on a terminal that says how far a long command is.  Elsewhere nothing is written.  One
 * owner at a time.
 */
#ifndef IPREVD_PROGRESS_H
#define IPREVD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    uint64_t total;   /* bytes; 0: unknown, then only the count is shown */
    int64_t drawn_ms; /* monotonic; when the bar was drawn last */
};

/* On standard error, when that is a terminal. */
void progress_begin(struct progress *progress, uint64_t total);

/* Draw, unless that was a moment ago. */
void progress_show(struct progress *progress, uint64_t done, uint64_t count, const char *noun);

/* Wipe the bar for other output: it comes back. */
void progress_wipe(struct progress *progress);

/* Wipe the bar for good. */
void progress_end(struct progress *progress);

#endif
