/* SPDX-License-Identifier: BSD-2-Clause */
/* What standard output is: a terminal with colours and a width, or something else. */
#ifndef IPREVD_SCREEN_H
#define IPREVD_SCREEN_H

#include <stdbool.h>

/* A terminal, and NO_COLOR is not set. */
bool screen_has_colour(void);

/* Columns of the terminal; 80 when it does not say, or is none. */
unsigned screen_columns(void);

#endif
