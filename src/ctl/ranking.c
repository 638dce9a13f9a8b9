/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/ranking.h"

#include "dns/answer.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * RANKING_NAMES_MAX) /* half full at most */

struct ranking {
    uint64_t seed;
    size_t extra_size, count;
    struct ranking_row *others;
    struct ranking_row *rows[SLOTS]; /* open addressing */
};

/* The caller's bytes and the name follow the row. */
static struct ranking_row *row_new(const struct ranking *ranking, const char *name)
{
    size_t size = strlen(name) + 1;
    struct ranking_row *row = calloc(1, sizeof *row + ranking->extra_size + size);
    if (row == NULL)
        return NULL;
    row->extra = row + 1;
    row->name = memcpy((char *)row->extra + ranking->extra_size, name, size);
    return row;
}

struct ranking *ranking_new(uint64_t seed, size_t extra_size)
{
    struct ranking *ranking = calloc(1, sizeof *ranking);
    if (ranking == NULL)
        return NULL;
    ranking->seed = seed;
    ranking->extra_size = extra_size;
    ranking->others = row_new(ranking, "(others)");
    if (ranking->others == NULL) {
        free(ranking);
        return NULL;
    }
    return ranking;
}

void ranking_free(struct ranking *ranking)
{
    if (ranking == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(ranking->rows[i]);
    free(ranking->others);
    free(ranking);
}

static struct ranking_row *row_of(struct ranking *ranking, const char *name)
{
    size_t slot = wirename_hash((const uint8_t *)name, strlen(name), ranking->seed) % SLOTS;
    for (; ranking->rows[slot] != NULL; slot = (slot + 1) % SLOTS)
        if (strcmp(ranking->rows[slot]->name, name) == 0)
            return ranking->rows[slot];
    struct ranking_row *row = ranking->count < RANKING_NAMES_MAX ? row_new(ranking, name) : NULL;
    if (row == NULL)
        return ranking->others;
    ranking->rows[slot] = row;
    ranking->count++;
    return row;
}

const struct ranking_row *ranking_find(const struct ranking *ranking, const char *name)
{
    size_t slot = wirename_hash((const uint8_t *)name, strlen(name), ranking->seed) % SLOTS;
    for (; ranking->rows[slot] != NULL; slot = (slot + 1) % SLOTS)
        if (strcmp(ranking->rows[slot]->name, name) == 0)
            return ranking->rows[slot];
    return NULL;
}

struct ranking_row *ranking_add(struct ranking *ranking, const char *name, enum action action,
                                int64_t wall_s)
{
    struct ranking_row *row = row_of(ranking, name);
    row->total++;
    row->by_action[action]++;
    if (wall_s != 0 && (row->first_s == 0 || wall_s < row->first_s))
        row->first_s = wall_s;
    if (wall_s > row->last_s)
        row->last_s = wall_s;
    return row;
}

static int by_harm(const void *a, const void *b)
{
    const struct ranking_row *const *left = a, *const *right = b;
    for (unsigned i = ACTION_COUNT; i-- > ACTION_TAG;) {
        uint64_t l = (*left)->by_action[i], r = (*right)->by_action[i];
        if (l != r)
            return l < r ? 1 : -1;
    }
    return strcmp((*left)->name, (*right)->name);
}

size_t ranking_worst(const struct ranking *ranking, const struct ranking_row **out, size_t max,
                     size_t *of)
{
    size_t found = 0;
    const struct ranking_row **all = calloc(ranking->count + 1, sizeof *all);
    *of = 0;
    if (all == NULL)
        return 0;
    for (size_t i = 0; i < SLOTS; i++) {
        const struct ranking_row *row = ranking->rows[i];
        if (row != NULL && row->by_action[ACTION_ACCEPT] < row->total)
            all[found++] = row;
    }
    qsort(all, found, sizeof all[0], by_harm);
    *of = found;
    if (found > max)
        found = max;
    memcpy(out, all, found * sizeof all[0]);
    free(all);
    return found;
}

const struct ranking_row *ranking_others(const struct ranking *ranking)
{
    return ranking->others;
}
