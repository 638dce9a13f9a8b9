/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Days of the Gregorian calendar, in UTC and from 1970 to 9999 whatever the size of time_t.  Pure;
 * thread safe.
 */
#ifndef IPREVD_CALENDAR_H
#define IPREVD_CALENDAR_H

#include <stdint.h>

#define CALENDAR_DAY_S 86400

/* "2026-11-20", with its NUL. */
#define CALENDAR_DATE_SIZE 11

/* Days since 1970-01-01 of a day that exists. */
int64_t calendar_days(int64_t year, int64_t month, int64_t day);

/* The date of a day since 1970-01-01, which is one before 10000-01-01.  Returns out. */
const char *calendar_date(int64_t days, char out[CALENDAR_DATE_SIZE]);

#endif
