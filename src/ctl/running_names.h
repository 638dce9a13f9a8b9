/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that the running daemon's mail servers give themselves, for a command that answers as
 * the daemon would: helo-self is true for a stranger who says one of them.
 */
#ifndef IPREVD_RUNNING_NAMES_H
#define IPREVD_RUNNING_NAMES_H

#include "site/conf.h"

/*
 * Ask the daemon of `conf`, and add them to its own-names and to those of `other` (NULL: there is
 * none).  Where one of them knows no name then, a note to standard error says what is missing.
 * RESULT_NOMEM.  Does I/O.
 */
enum result running_names_add(struct conf *conf, struct conf *other) MUST_CHECK;

#endif
