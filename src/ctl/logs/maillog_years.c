/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_years.h"

#define DAYS_A_MONTH 31
#define DAYS_A_YEAR  (12 * DAYS_A_MONTH)

/* Lines out of order, and files in the order of their names, go back less than that; and forward
   over the end of a year no less than that. */
#define TURN_DAYS     (DAYS_A_YEAR / 2)
#define TURN_BACK     (DAYS_A_YEAR - DAYS_A_MONTH)
#define LEAP_DAY      (1 * DAYS_A_MONTH + 29)
#define LEAP_YEARS_OF 8 /* of so many years one is a leap year, around 2100 too */

static int day_of(const struct tm *tm)
{
    return tm->tm_mon * DAYS_A_MONTH + tm->tm_mday;
}

void maillog_years_see(struct maillog_years *years, const struct maillog_stamp *stamp)
{
    int day = day_of(&stamp->tm), before = years->last_day;
    years->last_day = day;
    if (before != 0 && before - day > TURN_DAYS)
        years->turns++;
    else if (before != 0 && day - before > TURN_BACK)
        years->turns--;
    if (years->newest_year != 0)
        return;
    if (day == LEAP_DAY) {
        years->leap = true;
        years->leap_turns = years->turns;
    }
    if (years->any && (years->turns < years->most ||
                       (years->turns == years->most && day_of(&years->newest) >= day)))
        return;
    years->any = true;
    years->most = years->turns;
    years->newest = stamp->tm;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

void maillog_years_settle(struct maillog_years *years, int64_t latest_s)
{
    const struct maillog_stamp newest = {.kind = MAILLOG_STAMP_YEARLESS, .tm = years->newest};
    time_t wall = years->any ? (time_t)maillog_stamp_time(&newest, 0, latest_s) : 0;
    struct tm tm;
    years->last_day = years->turns = 0;
    if (wall == 0 || localtime_r(&wall, &tm) == NULL)
        return;
    int year = tm.tm_year + 1900, before = years->most - years->leap_turns;
    for (int i = 0; i < LEAP_YEARS_OF && years->leap && !is_leap(year - before); i++)
        year--;
    years->newest_year = year;
}

int maillog_years_now(const struct maillog_years *years)
{
    return years->newest_year == 0 ? 0 : years->newest_year - (years->most - years->turns);
}
