/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bench/cache measures against: the plainest cache there is, least recently used goes first,
 * one table, one lock, bytes counted as the real one does.  Thread safe.
 */
#ifndef IPREVD_BENCH_LRU_H
#define IPREVD_BENCH_LRU_H

#include "dns/answer.h"

struct lru;

/* NULL: out of memory. */
struct lru *lru_new(size_t size_bytes);
void lru_free(struct lru *lru);

/* One reference for the caller, or NULL. */
struct answer *lru_lookup(struct lru *lru, const struct question *question);
void lru_store(struct lru *lru, const struct question *question, struct answer *answer);

#endif
