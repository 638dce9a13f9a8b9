/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of replay and report are made of. */
#ifndef IPREVD_COLUMNS_H
#define IPREVD_COLUMNS_H

#include <stdint.h>
#include <stdio.h>

/* 0 when there is no whole. */
double columns_percent(uint64_t part, uint64_t whole);

/* With a comma between thousands. */
#define COLUMNS_COUNT_MAX 28 /* "18,446,744,073,709,551,615" */
const char *columns_count(uint64_t count, char out[COLUMNS_COUNT_MAX]);

/* The same in `width` columns, on the right; "-" for none. */
void columns_put_count(FILE *stream, uint64_t count, int width);

/*
 * An untrusted name, escaped, in exactly `width` columns (more than 3): a longer one is cut on the
 * left, because the end of a domain says whose it is.  Width 0: as many as it takes.
 */
void columns_put_name(FILE *stream, const char *name, int width);
void columns_put_own(FILE *stream, const char *name,
                     int width); /* what this site wrote, in UTF-8 */

#endif
