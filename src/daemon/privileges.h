/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becoming somebody with less power, for good.  Used on the main thread before others exist.
 */
#ifndef IPREVD_PRIVILEGES_H
#define IPREVD_PRIVILEGES_H

#include "base/result.h"

#include <stddef.h>
#include <sys/types.h>

#define PRIVILEGES_ERROR_MAX 256

/* Whom we become.  uid and gid are -1 when we stay who we are. */
struct privileges {
    const char *user; /* borrowed */
    uid_t uid;
    gid_t gid;
};

/*
 * Find `user` and `group` (NULL: the user's own); user NULL: we stay who we are, and so we do when
 * we are that user already.  On failure `error` says what and why.
 */
enum result privileges_find(const char *user, const char *group, struct privileges *out,
                            char error[PRIVILEGES_ERROR_MAX]) MUST_CHECK;

/*
 * Become whom privileges_find() found, with the user's other groups, and prove that there is no way
 * back.  On failure `error` says what and why: the caller must end.
 */
enum result privileges_drop(const struct privileges *privileges,
                            char error[PRIVILEGES_ERROR_MAX]) MUST_CHECK;

/* No new privileges by exec, no core dumps (they would hold mail addresses). */
void privileges_harden(void);

/*
 * Raise the limit of open descriptors to at least `wanted` if the system lets us.  Returns the
 * limit in force.
 */
size_t privileges_raise_descriptors(size_t wanted);

#endif
