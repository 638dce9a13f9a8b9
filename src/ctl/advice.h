/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sending side can do, in plain words: which record contradicts which, who sets it, and
 * which setting of a mail server is its EHLO name.  Pure; thread safe.
 */
#ifndef IPREVD_ADVICE_H
#define IPREVD_ADVICE_H

#include "core/checks.h"

#define ADVICE_MAX      8 /* pieces, each for one cure */
#define ADVICE_TEXT_MAX 1024

struct advice {
    size_t count;
    char text[ADVICE_MAX][ADVICE_TEXT_MAX]; /* sentences with full stops; untrusted text escaped */
};

/*
 * For the checks of `set` that are true.  Nothing is said about checks that the sending side cannot
 * fix (mta-disagrees).
 */
void advice_make(const struct evidence *evidence, check_set set, struct advice *out);

#endif
