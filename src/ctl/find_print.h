/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decision of the log for people: who, what was found, which checks were true and why, what was
 * done.  Untrusted text is escaped.
 */
#ifndef IPREVD_FIND_PRINT_H
#define IPREVD_FIND_PRINT_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* `line` and wall_s are what report_entry_parse() takes; `json`: as JSON.  False: out of memory. */
bool find_print(FILE *stream, const char *line, int64_t wall_s, bool json) MUST_CHECK;

/* "2026-11-21 09:57:03 UTC" in local time. */
const char *find_print_time(int64_t wall_s, char out[32]);

#endif
