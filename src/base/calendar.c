/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/calendar.h"

#include <stdio.h>

/* Years begin in March here, which makes the leap day the last of its year, and go in periods of
   400; days are counted from the first one's beginning. */
#define DAYS_TO_1970   719468
#define DAYS_OF_PERIOD 146097
#define LAST_DAY       2932896 /* 9999-12-31 */

int64_t calendar_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - DAYS_TO_1970;
}

const char *calendar_date(int64_t days, char out[CALENDAR_DATE_SIZE])
{
    unsigned all = DAYS_TO_1970 + (unsigned)(days < 0 ? 0 : days > LAST_DAY ? LAST_DAY : days);
    unsigned period = all / DAYS_OF_PERIOD, day = all % DAYS_OF_PERIOD;
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    unsigned month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += period * 400 + (month >= 10);
    (void)snprintf(out, CALENDAR_DATE_SIZE, "%04u-%02u-%02u", year % 10000,
                   (month < 10 ? month + 3 : month - 9) % 100, (day + 1) % 100);
    return out;
}
