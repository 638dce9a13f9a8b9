/* SPDX-License-Identifier: BSD-2-Clause */
#include "farm/farm_line.h"

#include "base/textbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1"

#define ALLOW   "allow"
#define UNALLOW "unallow"

/* Of a line, with its signature. */
#define WORDS_MAX 8

/* --- writing --------------------------------------------------------------------------------- */

/* Sign what was written, and append the signature. */
static bool seal(const struct farm_key *key, const char *place, const char *field,
                 struct textbuf *line)
{
    char signature[FARM_SIGNATURE_MAX];
    if (line->cut)
        return false;
    farm_sign(key, place, field, line->text, line->length, signature);
    textbuf_printf(line, "\t%s", signature);
    return !line->cut;
}

void farm_line_exemption(const struct farm_key *key, const char *host,
                         const struct exemption *exemption, char out[FARM_LINE_MAX])
{
    struct textbuf line;
    textbuf_init(&line, out, FARM_LINE_MAX);
    textbuf_printf(&line, VERSION "\t%" PRId64 "\t%" PRId64 "\t%s\t%s\t%s", exemption->made_s,
                   exemption->until_s, exemption->ended ? UNALLOW : ALLOW,
                   exemption->by[0] != '\0' ? exemption->by : host, exemption->reason);
    (void)seal(key, FARM_EXEMPTIONS, exemption->subject, &line); /* the longest one fits */
}

bool farm_line_note(const struct farm_key *key, const char *place, const char *field,
                    const struct farm_note *note, char out[FARM_LINE_MAX])
{
    struct textbuf line;
    textbuf_init(&line, out, FARM_LINE_MAX);
    textbuf_printf(&line, VERSION "\t%" PRId64 "\t%s\t%s", note->made_s, note->host, note->text);
    return seal(key, place, field, &line);
}

/* --- reading --------------------------------------------------------------------------------- */

/* The words between the tabs, of which there must be `want` (WORDS_MAX at most): in place. */
static bool split(char *line, char *words[WORDS_MAX], size_t want)
{
    size_t count = 0;
    char *rest = line;
    for (char *word; (word = strsep(&rest, "\t")) != NULL; words[count++] = word)
        if (count == want)
            return false;
    return count == want;
}

static bool read_time(const char *word, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(word, &end, 10);
    /* After the year 5000 nothing is sound, and sums do not overflow. */
    if (end == word || *end != '\0' || errno != 0 || value < 0 || value > INT64_C(100000000000))
        return false;
    *out = value;
    return true;
}

/* Is the last word the signature of what is before it?  A copy of that in `out`, split. */
static bool open_line(const struct farm_key *key, const char *place, const char *field,
                      const char *line, char out[FARM_LINE_MAX], char *words[WORDS_MAX],
                      size_t want)
{
    char signature[FARM_SIGNATURE_MAX];
    const char *tab = strrchr(line, '\t');
    if (tab == NULL || (size_t)(tab - line) >= FARM_LINE_MAX)
        return false;
    size_t length = (size_t)(tab - line);
    farm_sign(key, place, field, line, length, signature);
    if (!farm_sign_equal(signature, tab + 1))
        return false;
    memcpy(out, line, length);
    out[length] = '\0';
    return split(out, words, want) && strcmp(words[0], VERSION) == 0;
}

enum { EXEMPTION_WORDS = 6, NOTE_WORDS = 4 };

/* Signed, it is still another program's, of another version perhaps. */
static bool take_exemption(const char *subject, char *const words[WORDS_MAX], struct exemption *out)
{
    char canonical[EXEMPTION_SUBJECT_MAX];
    struct exemption exemption = {.ended = strcmp(words[3], UNALLOW) == 0};
    if (!read_time(words[1], &exemption.made_s) || !read_time(words[2], &exemption.until_s) ||
        (!exemption.ended && strcmp(words[3], ALLOW) != 0) || !exemption_is_by(words[4]) ||
        exemption_reason(words[5], exemption.reason) != RESULT_OK ||
        exemption_subject(subject, canonical) != RESULT_OK || strcmp(canonical, subject) != 0)
        return false;
    if (exemption.ended)
        exemption.reason[0] = '\0';
    memcpy(exemption.subject, canonical, sizeof exemption.subject);
    (void)snprintf(exemption.by, sizeof exemption.by, "%s", words[4]);
    *out = exemption;
    return true;
}

bool farm_line_read_exemption(const struct farm_key *key, const char *subject, const char *line,
                              struct exemption *out)
{
    char text[FARM_LINE_MAX], *words[WORDS_MAX];
    return open_line(key, FARM_EXEMPTIONS, subject, line, text, words, EXEMPTION_WORDS) &&
           take_exemption(subject, words, out);
}

bool farm_line_read_note(const struct farm_key *key, const char *place, const char *field,
                         const char *line, struct farm_note *out)
{
    char text[FARM_LINE_MAX], *words[WORDS_MAX];
    struct farm_note note;
    if (!open_line(key, place, field, line, text, words, NOTE_WORDS) ||
        !read_time(words[1], &note.made_s) || !exemption_is_by(words[2]) ||
        strlen(words[3]) >= sizeof note.text)
        return false;
    (void)snprintf(note.host, sizeof note.host, "%s", words[2]);
    (void)snprintf(note.text, sizeof note.text, "%s", words[3]);
    *out = note;
    return true;
}

/* --- clients --------------------------------------------------------------------------------- */

#define PASSED  "passed"
#define WAITING "waiting"

enum { HISTORY_WORDS = 5, GREYLISTED_WORDS = 3 };

void farm_client_word(const struct farm_key *key, const char *place, const struct ipaddr *client,
                      unsigned bits, char out[FARM_CLIENT_WORD_MAX])
{
    char digits[FARM_SIGNATURE_MAX];
    farm_sign(key, place, client->family == IP_V6 ? "ipv6" : "ipv4", (const char *)client->bytes,
              bits / 8, digits);
    (void)snprintf(out, FARM_CLIENT_WORD_MAX, "%.32s", digits);
}

void farm_line_history(const struct farm_key *key, const char *word, const struct history *history,
                       char out[FARM_LINE_MAX])
{
    struct textbuf line;
    textbuf_init(&line, out, FARM_LINE_MAX);
    textbuf_printf(&line, VERSION "\t%" PRIu32 "\t%u\t%u\t%s", history->failed_s, history->last_day,
                   history->previous_day, history->passed_since ? PASSED : WAITING);
    (void)seal(key, FARM_CLIENT, word, &line);
}

void farm_line_greylisted(const struct farm_key *key, const char *word,
                          const struct greylisted *known, char out[FARM_LINE_MAX])
{
    struct textbuf line;
    textbuf_init(&line, out, FARM_LINE_MAX);
    textbuf_printf(&line, VERSION "\t%" PRIu32 "\t%s", known->when_s,
                   known->passed ? PASSED : WAITING);
    (void)seal(key, FARM_GREYLIST, word, &line);
}

static bool read_number(const char *word, int64_t most, int64_t *out)
{
    return read_time(word, out) && *out <= most;
}

static bool read_passed(const char *word, bool *out)
{
    *out = strcmp(word, PASSED) == 0;
    return *out || strcmp(word, WAITING) == 0;
}

bool farm_line_read_history(const struct farm_key *key, const char *word, const char *line,
                            struct history *out)
{
    char text[FARM_LINE_MAX], *words[WORDS_MAX];
    int64_t failed_s, last_day, previous_day;
    bool passed;
    if (!open_line(key, FARM_CLIENT, word, line, text, words, HISTORY_WORDS) ||
        !read_number(words[1], UINT32_MAX, &failed_s) ||
        !read_number(words[2], UINT16_MAX, &last_day) ||
        !read_number(words[3], UINT16_MAX, &previous_day) || !read_passed(words[4], &passed) ||
        (previous_day >= last_day && previous_day != 0) || (passed && failed_s == 0))
        return false;
    *out = (struct history){.failed_s = (uint32_t)failed_s,
                            .last_day = (uint16_t)last_day,
                            .previous_day = (uint16_t)previous_day,
                            .passed_since = passed};
    return true;
}

bool farm_line_read_greylisted(const struct farm_key *key, const char *word, const char *line,
                               struct greylisted *out)
{
    char text[FARM_LINE_MAX], *words[WORDS_MAX];
    int64_t when_s;
    bool passed;
    if (!open_line(key, FARM_GREYLIST, word, line, text, words, GREYLISTED_WORDS) ||
        !read_number(words[1], UINT32_MAX, &when_s) || !read_passed(words[2], &passed))
        return false;
    *out = (struct greylisted){.passed = passed, .when_s = (uint32_t)when_s};
    return true;
}
