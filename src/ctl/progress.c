/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH   30  /* columns */
#define INTERVAL_MS 100 /* between two drawings */

void progress_begin(struct progress *progress, uint64_t total)
{
    *progress = (struct progress){.on = isatty(STDERR_FILENO) == 1, .total = total};
}

void progress_show(struct progress *progress, uint64_t done, uint64_t count, const char *noun)
{
    static const char full[] = "##############################";
    if (!progress->on)
        return;
    int64_t now_ms = clock_ms(&clock_system);
    if (now_ms - progress->drawn_ms < INTERVAL_MS)
        return;
    progress->drawn_ms = now_ms;
    if (progress->total == 0) {
        (void)fprintf(stderr, "\r%" PRIu64 " %s", count, noun);
        return;
    }
    if (done > progress->total)
        done = progress->total;
    double part = (double)done / (double)progress->total;
    int filled = (int)(part * BAR_WIDTH);
    (void)fprintf(stderr, "\r[%.*s%*s] %3d %%  %" PRIu64 " %s", filled, full, BAR_WIDTH - filled,
                  "", (int)(part * 100), count, noun);
}

void progress_wipe(struct progress *progress)
{
    if (progress->on && progress->drawn_ms != 0)
        (void)fputs("\r\033[K", stderr);
    progress->drawn_ms = 0;
}

void progress_end(struct progress *progress)
{
    progress_wipe(progress);
    progress->on = false;
}
