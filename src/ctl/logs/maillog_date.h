/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dates in messages: of a Received field (RFC 5322 3.3) and of the "From " line between the
 * messages of an mbox.  Pure; thread safe.
 */
#ifndef IPREVD_MAILLOG_DATE_H
#define IPREVD_MAILLOG_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* "Sat, 21 Nov 2026 09:22:17 +0000 (UTC)" behind the field's last semicolon: seconds since 1970; 0
   when there is no such date. */
int64_t maillog_date_received(const char *field);

/* "From user@example.org Sat Nov 21 09:22:17 2026": such a line, with its date? */
bool maillog_date_is_from_line(const char *line);

#endif
