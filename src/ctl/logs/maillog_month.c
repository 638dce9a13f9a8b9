/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_month.h"

#include <string.h>
#include <strings.h>

/* glibc's abmon of cs, da, de, el, en, es, et, fi, fr, hu, it, nb, nl, pl, pt, ro, ru, sv, tr and
   uk, with and without a full stop; both cases of first letters beyond ASCII. */
static const char *const months[12] = {
    " jan janv ene gen ian jaan tammi sty led oca янв Янв січ Січ Ιαν ",
    " feb févr fév fev febr helmi lut úno Úno veebr şub Şub фев Фев лют Лют Φεβ ",
    " mar mär märz mars mrt maart márc maalis märts bře Bře мар Мар бер Бер Μαρ ",
    " apr abr avr avril ápr Ápr huhti kwi dub nis апр Апр кві Кві Απρ ",
    " may mai maj mei mag maio máj touko kvě мая май Май тра Тра Μαΐ Μάι Μαι ",
    " jun juin giu iun jún juni juuni kesä cze čen Čen čvn haz июн Июн чер Чер Ιουν Ιούν ",
    " jul juil lug iul júl juli juuli heinä lip čec Čec čvc tem июл Июл лип Лип Ιουλ Ιούλ ",
    " aug août aou ago elo sie srp ağu авг Авг сер Сер Αυγ Αύγ ",
    " sep sept set szept syys wrz zář Zář eyl сен Сен вер Вер Σεπ ",
    " oct okt ott out loka paź říj Říj eki окт Окт жов Жов Οκτ ",
    " nov marras lis kas ноя Ноя лис Лис Νοε Νοέ ",
    " dec dez déc des dic dets joulu gru pro ara дек Дек гру Гру Δεκ ",
};

static int english(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(text, names + 3 * i, 3) == 0)
            return i;
    return -1;
}

static int find(const char *word, size_t length)
{
    for (int i = 0; i < 12; i++)
        for (const char *at = months[i] + 1; *at != '\0'; at += strcspn(at, " ") + 1)
            if (strcspn(at, " ") == length && strncasecmp(at, word, length) == 0)
                return i;
    return -1;
}

/* "11月", "11월" */
static size_t parse_number(const char *text, int *month)
{
    size_t length = strspn(text, "0123456789");
    int value = 0;
    for (size_t i = 0; i < length && i < 2; i++)
        value = value * 10 + (text[i] - '0');
    if (length == 0 || length > 2 || value < 1 || value > 12 ||
        (strncmp(text + length, "月", 3) != 0 && strncmp(text + length, "월", 3) != 0))
        return 0;
    *month = value - 1;
    return length + 3;
}

size_t maillog_month_parse(const char *text, int *month)
{
    *month = english(text);
    if (*month >= 0 && text[3] == ' ')
        return 3;
    size_t length = strcspn(text, " ");
    if (length < 2 || length > 12)
        return 0;
    size_t number = parse_number(text, month);
    if (number > 0)
        return number;
    *month = find(text, length - (text[length - 1] == '.'));
    return *month >= 0 ? length : 0;
}
