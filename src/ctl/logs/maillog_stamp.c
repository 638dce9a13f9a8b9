/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_stamp.h"

#include "ctl/logs/maillog_month.h"

#include <stdlib.h>
#include <string.h>

/* A log of a host in another time zone may be ahead of ours by so much; a stamp that is further
   ahead is of an earlier year. */
#define FUTURE_SLACK_S (14 * 3600)

/* Leap days are eight years apart around a year like 2100. */
#define YEARS_BACK 8

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `length` digits as a number, -1 when something else is there. */
static int digits(const char *text, size_t length)
{
    int value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* "09:22:17" with an optional fraction; NULL unless there.  `begin` is the stamp's. */
static const char *parse_clock(const char *text, const char *begin, struct maillog_stamp *out)
{
    struct tm *tm = &out->tm;
    if (strnlen(text, 8) < 8 || text[2] != ':' || text[5] != ':')
        return NULL;
    tm->tm_hour = digits(text, 2);
    tm->tm_min = digits(text + 3, 2);
    tm->tm_sec = digits(text + 6, 2);
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 ||
        tm->tm_sec < 0 || tm->tm_sec > 60)
        return NULL;
    tm->tm_sec = tm->tm_sec == 60 ? 59 : tm->tm_sec; /* a leap second is of its day */
    out->second = (size_t)(text + 6 - begin);
    text += 8;
    if (*text == '.' || *text == ',')
        for (text++; is_digit(*text);)
            text++;
    return text;
}

/* "Nov 21 09:22:17", "Nov  3", "Nov 3"; "Nov 21 2026 09:22:17" as some devices have it. */
static const char *parse_short(const char *text, struct maillog_stamp *out)
{
    const char *begin = text;
    size_t length = maillog_month_parse(text, &out->tm.tm_mon);
    if (length == 0 || text[length] != ' ')
        return NULL;
    text += length + 1;
    text += *text == ' ';
    size_t day_length = is_digit(text[0]) && is_digit(text[1]) ? 2 : 1;
    out->tm.tm_mday = digits(text, day_length);
    if (out->tm.tm_mday < 1 || out->tm.tm_mday > 31 || text[day_length] != ' ')
        return NULL;
    text += day_length + 1;
    out->kind = MAILLOG_STAMP_YEARLESS;
    if (digits(text, 4) >= 1970 && text[4] == ' ') {
        out->tm.tm_year = digits(text, 4) - 1900;
        out->kind = MAILLOG_STAMP_LOCAL;
        text += 5;
    }
    return parse_clock(text, begin, out);
}

/* "2026 Nov 21 09:22:17": syslog-ng's FULLDATE. */
static const char *parse_year_first(const char *text, struct maillog_stamp *out)
{
    int year = digits(text, 4);
    if (year < 1970 || text[4] != ' ')
        return NULL;
    const char *rest = parse_short(text + 5, out);
    if (rest == NULL || out->kind != MAILLOG_STAMP_YEARLESS)
        return NULL;
    out->tm.tm_year = year - 1900;
    out->kind = MAILLOG_STAMP_LOCAL;
    out->second += 5;
    return rest;
}

/* "+01:00", "+0100", "Z", " UTC", " CET" or nothing. */
static const char *parse_zone(const char *text, struct maillog_stamp *out)
{
    out->kind = MAILLOG_STAMP_ZONED;
    if (*text == 'Z')
        return text + 1;
    if (strncmp(text, " UTC ", 5) == 0 || strncmp(text, " GMT ", 5) == 0)
        return text + 4;
    const char *sign_at = *text == ' ' ? text + 1 : text;
    if (*sign_at != '+' && *sign_at != '-') {
        out->kind = MAILLOG_STAMP_LOCAL;
        return text;
    }
    int sign = *sign_at == '-' ? -1 : 1;
    text = sign_at + 1;
    int hours = digits(text, 2);
    if (hours < 0)
        return NULL;
    text += 2;
    if (*text == ':')
        text++;
    int minutes = is_digit(*text) ? digits(text, 2) : 0;
    if (minutes < 0)
        return NULL;
    out->offset_s = sign * (hours * 3600 + minutes * 60);
    return is_digit(*text) ? text + 2 : text;
}

/* "2026-11-21T09:22:17.123456+01:00", "2026-11-21 09:22:17" */
static const char *parse_iso(const char *text, const char *begin, struct maillog_stamp *out)
{
    if (strnlen(text, 19) < 19 || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != ' '))
        return NULL;
    int year = digits(text, 4);
    out->tm.tm_year = year - 1900;
    out->tm.tm_mon = digits(text + 5, 2) - 1;
    out->tm.tm_mday = digits(text + 8, 2);
    if (year < 1970 || out->tm.tm_mon < 0 || out->tm.tm_mon > 11 || out->tm.tm_mday < 1 ||
        out->tm.tm_mday > 31)
        return NULL;
    text = parse_clock(text + 11, begin, out);
    return text == NULL ? NULL : parse_zone(text, out);
}

/* "Sat 2026-11-21 09:22:17 CET": a day's name in any language, and the zone's. */
static const char *parse_full(const char *text, struct maillog_stamp *out)
{
    size_t length = strcspn(text, " ");
    if (length == 0 || length > 16 || text[0] == '<' || text[length] != ' ' ||
        !is_digit(text[length + 1]))
        return NULL;
    const char *rest = parse_iso(text + length + 1, text, out);
    if (rest == NULL || out->kind == MAILLOG_STAMP_ZONED)
        return rest;
    size_t zone = strspn(rest + (*rest == ' '), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    bool named = *rest == ' ' && zone >= 2 && zone <= 5 && rest[1 + zone] == ' ';
    return named ? rest + 1 + zone : rest;
}

/* "1795249337.123456" */
static const char *parse_unix(const char *text, struct maillog_stamp *out)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end - text < 9 || end - text > 11 || *end != '.' || !is_digit(end[1]))
        return NULL;
    out->kind = MAILLOG_STAMP_UNIX;
    out->unix_s = value;
    return end + 1 + strspn(end + 1, "0123456789");
}

/* " 1234.567890"; NULL unless there. */
static const char *skip_seconds(const char *text)
{
    text += strspn(text, " ");
    size_t seconds = strspn(text, "0123456789");
    if (seconds == 0 || text[seconds] != '.')
        return NULL;
    text += seconds + 1;
    return text + strspn(text, "0123456789");
}

/* "[ 1234.567890]"; "[ 1234.567890 <    0.000123 >]" and, of the first one, "[ 1234.567890      ]"
   with the time since the entry before (journalctl -o short-delta). */
static const char *parse_monotonic(const char *text, struct maillog_stamp *out)
{
    text = skip_seconds(text + 1);
    if (text == NULL)
        return NULL;
    text += strspn(text, " ");
    if (*text == '<') {
        text = skip_seconds(text + 1);
        if (text == NULL || strspn(text, " *") != 1 || text[1] != '>')
            return NULL;
        text += 2;
    }
    out->kind = MAILLOG_STAMP_MONOTONIC;
    return *text == ']' ? text + 1 : NULL;
}

const char *maillog_stamp_parse(const char *text, struct maillog_stamp *out)
{
    memset(out, 0, sizeof *out);
    out->tm.tm_isdst = -1;
    const char *rest = NULL;
    if (is_digit(text[0])) {
        rest = parse_iso(text, text, out);
        if (rest == NULL)
            rest = parse_unix(text, out);
        if (rest == NULL)
            rest = parse_year_first(text, out);
    } else if (text[0] == '[') {
        rest = parse_monotonic(text, out);
    }
    if (rest == NULL && text[0] != '[')
        rest = parse_short(text, out);
    if (rest == NULL && !is_digit(text[0]) && text[0] != '[')
        rest = parse_full(text, out);
    return rest != NULL && *rest == ' ' ? rest + 1 : NULL;
}

/* --- when it was ---------------------------------------------------------------------------------
 */

/* 0: that year has no such day. */
static int64_t in_year(const struct tm *tm, int year)
{
    struct tm try = *tm;
    try.tm_year = year;
    int64_t wall_s = (int64_t)mktime(&try);
    return try.tm_mon == tm->tm_mon && try.tm_mday == tm->tm_mday ? wall_s : 0;
}

int64_t maillog_stamp_time(const struct maillog_stamp *stamp, int year, int64_t now_s)
{
    struct tm tm = stamp->tm, now_tm;
    time_t now = (time_t)now_s;
    switch (stamp->kind) {
    case MAILLOG_STAMP_ZONED:
        return (int64_t)timegm(&tm) - stamp->offset_s;
    case MAILLOG_STAMP_LOCAL:
        return (int64_t)mktime(&tm);
    case MAILLOG_STAMP_UNIX:
        return stamp->unix_s;
    case MAILLOG_STAMP_MONOTONIC:
        return 0;
    case MAILLOG_STAMP_YEARLESS:
        break;
    }
    if (year != 0)
        return in_year(&stamp->tm, year - 1900);
    if (localtime_r(&now, &now_tm) == NULL)
        return 0;
    for (int back = -1; back <= YEARS_BACK; back++) {
        int64_t wall_s = in_year(&stamp->tm, now_tm.tm_year - back);
        if (wall_s != 0 && wall_s <= now_s + FUTURE_SLACK_S)
            return wall_s;
    }
    return 0;
}
