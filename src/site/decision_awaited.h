/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision while answers are awaited: what decision.c and decision_awaited.c know of each other.
 */
#ifndef IPREVD_DECISION_AWAITED_H
#define IPREVD_DECISION_AWAITED_H

#include "site/decision.h"

/* decision.c: what follows from facts for the decision's policy, which decision_judge() needs. */
void decision_evaluate(const struct decision *decision, const struct facts *facts,
                       enum dialogue dialogue, struct evidence *out);
struct verdict decision_judge(const struct decision *decision, const struct evidence *evidence,
                              const struct transaction *transaction);
bool decision_name_is_generic(const struct decision *decision, const char *name);

/*
 * decision_awaited.c: for an evaluated decision with a policy, of facts of which something is
 * awaited.  Sets `undecided` and `final`, and leaves what is undecided out of the true checks.
 */
void decision_leave_undecided(struct decision *decision, const struct transaction *transaction);

#endif
