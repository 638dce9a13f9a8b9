/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decision with all its evidence, for people: what was asked of the DNS and answered, what
 * follows, what would be done and what is to be mended by whom.
 */
#ifndef IPREVD_EVIDENCE_H
#define IPREVD_EVIDENCE_H

#include "site/decision.h"

#include <stdio.h>

/* `reply` is NULL when nothing is refused.  Colours only if `colour`. */
void evidence_print(FILE *stream, const struct decision *decision, const struct occasion *occasion,
                    const struct reply *reply, bool colour);

#endif
