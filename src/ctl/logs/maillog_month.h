/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of months as strftime(3)'s %b has them: journalctl and some syslog daemons write them in
 * the language of their user.  Pure; thread safe.
 */
#ifndef IPREVD_MAILLOG_MONTH_H
#define IPREVD_MAILLOG_MONTH_H

#include <stddef.h>

/* The bytes of the name that `text` begins with, and its number from 0; 0: no such name. */
size_t maillog_month_parse(const char *text, int *month);

#endif
