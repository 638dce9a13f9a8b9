/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaving the terminal, for systems without a service manager.  The program that was started
 * ends only when the daemon is ready, with the daemon's own status when it failed.
 */
#ifndef IPREVD_BACKGROUND_H
#define IPREVD_BACKGROUND_H

#include "base/result.h"

#include <stdbool.h>

/*
 * Have descriptors 0 to 2 open, on /dev/null if on nothing else, so that no socket ever gets their
 * numbers.  Call first.  False: that cannot be.
 */
bool background_keep_stdio(void) MUST_CHECK;

/*
 * Fork into the background.  Returns, in the child, the descriptor for background_ready(); -1 with
 * errno when it cannot be.  The parent does not return.
 */
int background_enter(void);

/* The child is ready: let the parent end with 0, and let go of the terminal. */
void background_ready(int fd);

/* The file with our process id, held locked while we live. */
struct background_pid {
    const char *path; /* borrowed; NULL: none */
    int fd;
};

/*
 * Write our process id; a file of a living process is not replaced.  path NULL: no file.  RESULT_IO
 * with errno (EEXIST: somebody lives).
 */
enum result background_write_pid(const char *path, struct background_pid *out) MUST_CHECK;

/* At our end: the file goes; where we may not remove it any more, it is emptied. */
void background_remove_pid(struct background_pid *pid);

#endif
