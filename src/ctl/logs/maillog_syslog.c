/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A log may be ahead of our clock by a day before its stamp is taken for last year's. */
#define FUTURE_SLACK_S 86400

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

/* "09:22:17" with an optional fraction; NULL unless there. */
static const char *parse_clock(const char *text, struct tm *tm)
{
    if (strnlen(text, 8) < 8 || text[2] != ':' || text[5] != ':')
        return NULL;
    tm->tm_hour = digits(text, 2);
    tm->tm_min = digits(text + 3, 2);
    tm->tm_sec = digits(text + 6, 2);
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 ||
        tm->tm_sec < 0 || tm->tm_sec > 60)
        return NULL;
    text += 8;
    if (*text == '.' || *text == ',')
        for (text++; is_digit(*text);)
            text++;
    return text;
}

static int month_of(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(text, months + 3 * i, 3) == 0)
            return i;
    return -1;
}

/* "Nov 21 09:22:17"; tm_year stays -1. */
static const char *parse_short(const char *text, struct tm *tm)
{
    if (strnlen(text, 15) < 15 || text[3] != ' ' || text[6] != ' ')
        return NULL;
    tm->tm_mon = month_of(text);
    tm->tm_mday = text[4] == ' ' ? digits(text + 5, 1) : digits(text + 4, 2);
    tm->tm_year = -1;
    if (tm->tm_mon < 0 || tm->tm_mday < 1 || tm->tm_mday > 31)
        return NULL;
    return parse_clock(text + 7, tm);
}

/* "+01:00", "+0100", "Z" or nothing (then *zoned is false). */
static const char *parse_zone(const char *text, bool *zoned, int *offset_s)
{
    *zoned = true;
    *offset_s = 0;
    if (*text == 'Z')
        return text + 1;
    if (*text != '+' && *text != '-') {
        *zoned = false;
        return text;
    }
    int sign = *text++ == '-' ? -1 : 1;
    int hours = digits(text, 2);
    if (hours < 0)
        return NULL;
    text += 2;
    if (*text == ':')
        text++;
    int minutes = digits(text, 2);
    if (minutes < 0)
        return NULL;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return text + 2;
}

/* "2026-11-21T09:22:17.123456+01:00" */
static const char *parse_iso(const char *text, struct tm *tm, bool *zoned, int *offset_s)
{
    if (strnlen(text, 19) < 19 || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != ' '))
        return NULL;
    int year = digits(text, 4);
    tm->tm_year = year - 1900;
    tm->tm_mon = digits(text + 5, 2) - 1;
    tm->tm_mday = digits(text + 8, 2);
    if (year < 1970 || tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1 || tm->tm_mday > 31)
        return NULL;
    text = parse_clock(text + 11, tm);
    return text == NULL ? NULL : parse_zone(text, zoned, offset_s);
}

/* What follows the stamp, or NULL. */
static const char *parse_stamp(const char *text, struct tm *tm, bool *zoned, int *offset_s)
{
    memset(tm, 0, sizeof *tm);
    tm->tm_isdst = -1;
    *zoned = false;
    *offset_s = 0;
    text = is_digit(text[0]) ? parse_iso(text, tm, zoned, offset_s) : parse_short(text, tm);
    return text != NULL && *text == ' ' ? text + 1 : NULL;
}

/* "<22>", as some collectors leave it. */
static const char *skip_priority(const char *text)
{
    size_t length = text[0] == '<' ? strspn(text + 1, "0123456789") : 0;
    return length > 0 && length <= 3 && text[length + 1] == '>' ? text + length + 2 : text;
}

/* "postfix/smtpd[123]: " */
static bool parse_tag(const char *text, struct maillog_record *out)
{
    size_t length = strcspn(text, "[: ");
    if (length == 0 || length > REPLAY_PROGRAM_MAX)
        return false;
    memcpy(out->program, text, length);
    out->program[length] = '\0';
    text += length;
    out->pid = 0;
    if (*text == '[') {
        char *end;
        out->pid = is_digit(text[1]) ? strtol(text + 1, &end, 10) : 0;
        text += strcspn(text, "] ");
        if (*text++ != ']')
            return false;
    }
    if (text[0] != ':' || text[1] != ' ')
        return false;
    out->message = text + 2;
    return true;
}

/* Postfix logs no ID of severity, but syslog-ng and Solaris may: "[ID 197553 mail.info] ". */
static void skip_severity(struct maillog_record *out)
{
    if (strncmp(out->message, "[ID ", 4) != 0)
        return;
    const char *end = strstr(out->message, "] ");
    if (end != NULL)
        out->message = end + 2;
}

bool maillog_syslog_parse(const char *text, struct maillog_record *out)
{
    struct tm tm;
    bool zoned;
    int offset_s;
    text = skip_priority(text);
    out->stamp = text;
    out->wall_s = 0;
    text = parse_stamp(text, &tm, &zoned, &offset_s);
    if (text == NULL)
        return false;
    text += strspn(text, " ");
    text += strcspn(text, " "); /* the host */
    if (*text != ' ' || !parse_tag(text + 1, out))
        return false;
    skip_severity(out);
    return true;
}

int64_t maillog_syslog_time(const struct maillog_record *record, int64_t now_s)
{
    struct tm tm, now_tm;
    bool zoned;
    int offset_s;
    if (record->stamp == NULL || parse_stamp(record->stamp, &tm, &zoned, &offset_s) == NULL)
        return record->wall_s;
    if (zoned)
        return (int64_t)timegm(&tm) - offset_s;
    if (tm.tm_year >= 0)
        return (int64_t)mktime(&tm);
    time_t now = (time_t)now_s;
    if (localtime_r(&now, &now_tm) == NULL)
        return 0;
    struct tm try = tm;
    try.tm_year = now_tm.tm_year;
    int64_t wall_s = (int64_t)mktime(&try);
    if (wall_s <= now_s + FUTURE_SLACK_S)
        return wall_s;
    tm.tm_year = now_tm.tm_year - 1;
    return (int64_t)mktime(&tm);
}
