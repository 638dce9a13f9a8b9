/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of replay and report are made of. */
#ifndef IPREVD_COLUMNS_H
#define IPREVD_COLUMNS_H

#include <stdint.h>
#include <stdio.h>

/* 0 when there is no whole. */
double columns_percent(uint64_t part, uint64_t whole);

/*
 * A untrusted name, escaped, in exactly `width` columns (more than 3): a longer one is cut on the
 * left, because the end of a domain says whose it is.
 */
void columns_put_name(FILE *stream, const char *name, int width);

#endif
