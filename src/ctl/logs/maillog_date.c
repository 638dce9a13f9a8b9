/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_date.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static int index_of(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strncasecmp(text, words[i], 3) == 0)
            return i;
    return -1;
}

/* RFC 5322 4.3: names of zones that were in use. */
static int zone_s(const char *text)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                 {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    unsigned hours, minutes;
    char sign;
    if (sscanf(text, " %c%2u%2u", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-') &&
        hours < 24 && minutes < 60)
        return (sign == '-' ? -1 : 1) * (int)(hours * 3600 + minutes * 60);
    text += strspn(text, " \t");
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (strncasecmp(text, zones[i].name, 3) == 0)
            return zones[i].hours * 3600;
    return 0;
}

int64_t maillog_date_received(const char *field)
{
    const char *at = strrchr(field, ';');
    char month[4];
    unsigned day, year, hour, minute, second = 0;
    int used = 0;
    if (at == NULL)
        return 0;
    at += 1 + strspn(at + 1, " \t\r\n");
    const char *comma = strchr(at, ',');
    if (comma != NULL)
        at = comma + 1;
    if (sscanf(at, " %2u %3s %4u %2u:%2u%n", &day, month, &year, &hour, &minute, &used) < 5 ||
        used == 0)
        return 0;
    at += used;
    if (*at == ':' && sscanf(at, ":%2u%n", &second, &used) == 1)
        at += used;
    int number = index_of(month, months, 12);
    if (number < 0 || strlen(month) != 3 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60)
        return 0;
    if (year < 100) /* RFC 5322 4.3 */
        year += year < 50 ? 2000 : 1900;
    struct tm tm = {.tm_year = (int)year - 1900,
                    .tm_mon = number,
                    .tm_mday = (int)day,
                    .tm_hour = (int)hour,
                    .tm_min = (int)minute,
                    .tm_sec = (int)second};
    int64_t wall_s = (int64_t)timegm(&tm) - zone_s(at);
    return wall_s > 0 ? wall_s : 0;
}

/* "Nov 21 09:22:17 2026" */
static bool is_date(const char *text)
{
    unsigned day, hour, minute;
    int used = 0;
    return index_of(text, months, 12) >= 0 && text[3] == ' ' &&
           sscanf(text + 3, " %2u %2u:%2u%n", &day, &hour, &minute, &used) == 3 && used > 0 &&
           day >= 1 && day <= 31 && hour <= 23 && minute <= 59;
}

/* "21 Nov 2026 09:22:17 +0000" behind the day's comma. */
static bool is_header_date(const char *text)
{
    unsigned day, year, hour, minute;
    char month[4];
    int used = 0;
    return sscanf(text, " %2u %3s %4u %2u:%2u%n", &day, month, &year, &hour, &minute, &used) == 5 &&
           used > 0 && strlen(month) == 3 && index_of(month, months, 12) >= 0 && day >= 1 &&
           day <= 31 && hour <= 23 && minute <= 59;
}

/* The addresses of some writers hold spaces: the date is looked for from each word on.  Some write
   it as header fields have it. */
bool maillog_date_is_from_line(const char *line)
{
    if (strncmp(line, "From ", 5) != 0)
        return false;
    for (const char *at = line + 5; (at = strchr(at, ' ')) != NULL;) {
        at += strspn(at, " ");
        if (index_of(at, days, 7) < 0)
            continue;
        if (at[3] == ' ' && is_date(at + 3 + strspn(at + 3, " ")))
            return true;
        if (at[3] == ',' && is_header_date(at + 4))
            return true;
    }
    return false;
}
