/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaving the terminal, for systems without a service manager.  The program that was started
 * ends only when the daemon is ready, with the daemon's own status when it failed.
 */
#ifndef IPREVD_BACKGROUND_H
#define IPREVD_BACKGROUND_H

#include "base/status.h"

/*
 * Fork into the background.  Returns, in the child, the descriptor for background_ready(); -1 with
 * errno when it cannot be.  The parent does not return.
 */
int background_enter(void);

/* The child is ready: let the parent end with 0, and let go of the terminal. */
void background_ready(int fd);

/*
 * Write our process id; a file of a living process is not replaced.  `owner` may be asked for
 * removal at the end by background_remove_pid().  STATUS_IO with errno (EEXIST: somebody lives).
 */
enum status background_write_pid(const char *path) MUST_CHECK;
void background_remove_pid(const char *path);

#endif
