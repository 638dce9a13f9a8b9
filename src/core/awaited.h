/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of which some are awaited, as they may turn out to be: what decides whether waiting for the
 * rest can change a verdict.  Pure; thread safe.
 */
#ifndef IPREVD_AWAITED_H
#define IPREVD_AWAITED_H

#include "core/checks.h"

/* Awaited names up to which every one is tried alone: max-ptr's default. */
#define AWAITED_NAMES_MAX 10

/*
 * Facts in which nothing is awaited any more; they live during the call.  Checks that depend on
 * names which nobody has seen yet are true in `set` or false in `clear` whatever the facts say.
 * False: no more cases are wanted.
 */
typedef bool awaited_visit(void *arg, const struct facts *facts, check_set set, check_set clear);

/*
 * Visit `facts` (in which something is awaited) with everything that is awaited at its extremes:
 * confirmed, leading elsewhere, without records, failed, past its time.  However the answers come,
 *   - the checks that are true in the end are all true in one of the cases, and
 *   - a check that is false in the end is false in one of the cases.
 * A verdict grows with the set of true checks.  So one that is the same in all cases, and by the
 * checks that are true in all of them, is the one that comes of it.
 * False: a visit returned false, or more than AWAITED_NAMES_MAX names are awaited and none is
 * confirmed, of which no more are tried alone.
 */
bool awaited_each_case(const struct facts *facts, enum dialogue dialogue, awaited_visit *visit,
                       void *arg);

#endif
