/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becoming somebody with less power, for good.  Used on the main thread before others exist.
 */
#ifndef IPREVD_PRIVILEGES_H
#define IPREVD_PRIVILEGES_H

#include "base/status.h"

#include <stddef.h>

#define PRIVILEGES_ERROR_MAX 256

/*
 * Become `user` with `group` (NULL: the user's own) and the user's other groups, and prove that
 * there is no way back.  Nothing happens when user is NULL or we are that user already.  On failure
 * `error` says what and why: the caller must end.
 */
enum status privileges_drop(const char *user, const char *group,
                            char error[PRIVILEGES_ERROR_MAX]) MUST_CHECK;

/* No new privileges by exec, no core dumps (they would hold mail addresses). */
void privileges_harden(void);

/*
 * Raise the limit of open descriptors to at least `wanted` if the system lets us.  Returns the
 * limit in force.
 */
size_t privileges_raise_descriptors(size_t wanted);

#endif
