/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers with units, and dates. */
#include "site/conf_value.h"

#include "base/calendar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 15 /* of a number: far from overflow with any unit */

/* Digits at the start of text; *end is what follows. */
static bool take_digits(const char *text, uint64_t *out, const char **end)
{
    size_t count = strspn(text, "0123456789");
    if (count == 0 || count > DIGITS_MAX)
        return false;
    *out = 0;
    for (size_t i = 0; i < count; i++)
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    *end = text + count;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static bool take_unit(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, units[i].name) == 0) {
            *value *= units[i].factor;
            return true;
        }
    }
    return false;
}

bool conf_parse_duration(const char *text, uint64_t *out_ms)
{
    static const struct unit units[] = {{"", 1000},       {"ms", 1},      {"s", 1000},
                                        {"m", 60 * 1000}, {"h", 3600000}, {"d", 86400000}};
    const char *end;
    uint64_t value;
    if (!take_digits(text, &value, &end) ||
        !take_unit(end, units, sizeof units / sizeof units[0], &value))
        return false;
    *out_ms = value;
    return true;
}

bool conf_parse_size(const char *text, uint64_t *out)
{
    static const struct unit units[] = {{"", 1},         {"K", 1U << 10}, {"k", 1U << 10},
                                        {"M", 1U << 20}, {"m", 1U << 20}, {"G", 1U << 30},
                                        {"g", 1U << 30}};
    const char *end;
    uint64_t value;
    if (!take_digits(text, &value, &end) || value > UINT64_C(1) << 41 ||
        !take_unit(end, units, sizeof units / sizeof units[0], &value))
        return false;
    *out = value;
    return true;
}

/* --- dates ----------------------------------------------------------------------------------- */

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Does text have the form, where 0 stands for a digit? */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *form != *text)
            return false;
    return *text == '\0';
}

static int64_t number_at(const char *text, size_t digits)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

bool conf_parse_until(const char *text, int64_t *out)
{
    bool with_time = has_form(text, "0000-00-00T00:00Z");
    if (!with_time && !has_form(text, "0000-00-00"))
        return false;
    int64_t year = number_at(text, 4), month = number_at(text + 5, 2), day = number_at(text + 8, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    int64_t midnight = calendar_days(year, month, day) * CALENDAR_DAY_S;
    if (!with_time) {
        /* "until the 31st" is said of the whole day. */
        *out = midnight + CALENDAR_DAY_S;
        return true;
    }
    int64_t hour = number_at(text + 11, 2), minute = number_at(text + 14, 2);
    if (hour > 23 || minute > 59)
        return false;
    *out = midnight + hour * 3600 + minute * 60;
    return *out != 0;
}

void conf_format_until(int64_t until_s, char out[CONF_UNTIL_SIZE])
{
    bool with_time = until_s % CALENDAR_DAY_S != 0;
    char date[CALENDAR_DATE_SIZE];
    (void)calendar_date(until_s / CALENDAR_DAY_S - !with_time, date);
    if (with_time)
        (void)snprintf(out, CONF_UNTIL_SIZE, "%sT%02d:%02dZ", date,
                       (int)(until_s % CALENDAR_DAY_S / 3600), (int)(until_s % 3600 / 60));
    else
        (void)snprintf(out, CONF_UNTIL_SIZE, "%s", date);
}
