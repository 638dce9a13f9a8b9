/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts by name, for "the most ...": up to a limit of names, the rest is one row.  Pure; one
 * owner at a time.
 */
#ifndef IPREVD_RANKING_H
#define IPREVD_RANKING_H

#include "base/result.h"
#include "core/action.h"

#include <stddef.h>
#include <stdint.h>

#ifndef RANKING_NAMES_MAX /* fuzzing builds have fewer, a power of two, too */
#define RANKING_NAMES_MAX 16384
#endif

struct ranking;

struct ranking_row {
    const char *name;
    uint64_t total;
    uint64_t by_action[ACTION_COUNT];
    int64_t first_s, last_s; /* 0: no times */
    void *extra;             /* the caller's, zeroed when the row was made */
};

/*
 * `seed` keys the hash against names that somebody chose to collide; every row has extra_size bytes
 * for the caller.  NULL: out of memory; free(NULL) is fine.
 */
struct ranking *ranking_new(uint64_t seed, size_t extra_size) MUST_CHECK;
void ranking_free(struct ranking *ranking);

/* Count one.  Without room or memory it goes to the row of the others.  Returns the row. */
struct ranking_row *ranking_add(struct ranking *ranking, const char *name, enum action action,
                                int64_t wall_s);

/* The row of that name, or NULL. */
const struct ranking_row *ranking_find(const struct ranking *ranking, const char *name);

/* Up to `max` rows with more than accepted mail, the most refused first.  Returns how many; *of is
   how many there are. */
size_t ranking_worst(const struct ranking *ranking, const struct ranking_row **out, size_t max,
                     size_t *of);

const struct ranking_row *ranking_others(const struct ranking *ranking);

#endif
