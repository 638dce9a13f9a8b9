/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of two statements about one subject counts, wherever they meet: hosts of a farm that have
 * seen the same statements, in whatever order and however often, believe the same.  The one that
 * was made later counts; made in the same second, the one that ends the exemption; of two
 * exemptions the longer one; then by their texts, so that there is always an answer.
 *
 * An exemption that was ended is remembered for EXEMPTION_MAX_S, and one whose time is over is as
 * one that was ended when it was made: it may have taken the place of one that was to last longer.
 * Nothing that was made before can outlast that memory, so nothing comes back.  Pure; thread safe.
 */
#ifndef IPREVD_EXEMPTION_MERGE_H
#define IPREVD_EXEMPTION_MERGE_H

#include "site/exemptions.h"

/* Hosts' clocks may be so far apart.  What is made further ahead would count for too long. */
#define EXEMPTION_AHEAD_S 300

/* Less than, equal to or greater than 0: `b` counts, they are the same, `a` counts. */
int exemption_compare(const struct exemption *a, const struct exemption *b);

/* As it is at wall_s: one whose time is over becomes one that was ended.  False: that is over, too.
 */
bool exemption_settle(struct exemption *exemption, int64_t wall_s);

/* What comes of `news` where `known` (NULL: nothing) is known of the subject. */
enum exemption_news exemption_judge(const struct exemption *known, const struct exemption *news,
                                    int64_t wall_s);

#endif
