/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a store answers: the bytes as replies, whole and byte by byte, which must say the same; and
 * every text in them as a line of a farm, as it is and signed.
 */
#include "fuzz.h"

#include "farm/farm_line.h"
#include "farm/resp.h"

#include <string.h>

enum place { WHOLE, BROKEN, TOO_LARGE, NESTED, LINE, NOTE, UNSIGNED, HISTORY, GREYLISTED };

FUZZ_PLACES([WHOLE] = "whole", [BROKEN] = "broken", [TOO_LARGE] = "too-large", [NESTED] = "nested",
            [LINE] = "exemption", [NOTE] = "note", [UNSIGNED] = "not-signed", [HISTORY] = "history",
            [GREYLISTED] = "greylisted");

static const struct farm_key key = {.farm = "mx", .length = FARM_KEY_MIN};
static const char subject[] = "192.0.2.1";

/* What was read is written again as it was. */
static void check_exemption(const char *line)
{
    struct exemption first, second;
    char again[FARM_LINE_MAX];
    if (!farm_line_read_exemption(&key, subject, line, &first))
        return;
    fuzz_reach(LINE);
    farm_line_exemption(&key, "mx", &first, again);
    CHECK(farm_line_read_exemption(&key, subject, again, &second));
    CHECK(strcmp(first.reason, second.reason) == 0 && strcmp(first.by, second.by) == 0);
    CHECK(first.made_s == second.made_s && first.until_s == second.until_s);
    CHECK(first.ended == second.ended && (!first.ended || first.reason[0] == '\0'));
}

static void check_note(const char *line)
{
    struct farm_note note;
    if (!farm_line_read_note(&key, FARM_HOSTS, subject, line, &note))
        return;
    fuzz_reach(NOTE);
    CHECK(exemption_is_by(note.host) && note.made_s >= 0);
}

static void check_client(const char *line)
{
    struct history first, second;
    struct greylisted one, other;
    char again[FARM_LINE_MAX];
    if (farm_line_read_history(&key, subject, line, &first)) {
        fuzz_reach(HISTORY);
        farm_line_history(&key, subject, &first, again);
        CHECK(farm_line_read_history(&key, subject, again, &second));
        CHECK(history_equal(&first, &second));
    }
    if (farm_line_read_greylisted(&key, subject, line, &one)) {
        fuzz_reach(GREYLISTED);
        farm_line_greylisted(&key, subject, &one, again);
        CHECK(farm_line_read_greylisted(&key, subject, again, &other));
        CHECK(one.passed == other.passed && one.when_s == other.when_s);
    }
}

static void check_line(const struct resp_reply *reply)
{
    static const char *const places[] = {FARM_EXEMPTIONS, FARM_HOSTS, FARM_CLIENT, FARM_GREYLIST};
    if (strlen(reply->text) != reply->length || reply->length >= FARM_LINE_MAX)
        return;
    char line[FARM_LINE_MAX + FARM_SIGNATURE_MAX + 1], signature[FARM_SIGNATURE_MAX];
    struct exemption exemption;
    struct farm_note note;
    /* Nobody guesses a signature. */
    CHECK(!farm_line_read_exemption(&key, subject, reply->text, &exemption));
    CHECK(!farm_line_read_note(&key, FARM_HOSTS, subject, reply->text, &note));
    fuzz_reach(UNSIGNED);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        farm_sign(&key, places[i], subject, reply->text, reply->length, signature);
        (void)snprintf(line, sizeof line, "%s\t%s", reply->text, signature);
        check_exemption(line);
        check_note(line);
        check_client(line);
    }
}

static void check_reply(const struct resp_reply *reply, size_t *items)
{
    ++*items;
    CHECK(*items <= RESP_ITEMS_MAX + 1);
    CHECK((reply->text != NULL) ==
          (reply->kind == RESP_TEXT || reply->kind == RESP_STATUS || reply->kind == RESP_ERROR));
    if (reply->text != NULL) {
        CHECK(reply->length <= RESP_TEXT_MAX && reply->text[reply->length] == '\0');
        check_line(reply);
    }
    CHECK(reply->kind == RESP_LIST || reply->count == 0);
    for (size_t i = 0; i < reply->count; i++) {
        CHECK(reply->items[i] != NULL);
        check_reply(reply->items[i], items);
        fuzz_reach(NESTED);
    }
}

/* How many replies there were, and how it ended. */
static enum result read_all(const uint8_t *data, size_t size, size_t step, size_t *count)
{
    struct resp_reader *reader = resp_reader_new();
    enum result status = RESULT_PENDING;
    CHECK(reader != NULL);
    *count = 0;
    for (size_t at = 0; at < size && status == RESULT_PENDING; at += step) {
        struct resp_reply *reply;
        status =
            resp_reader_feed(reader, (const char *)data + at, size - at < step ? size - at : step);
        while (status == RESULT_OK && (status = resp_reader_next(reader, &reply)) == RESULT_OK) {
            size_t items = 0;
            check_reply(reply, &items);
            resp_reply_free(reply);
            ++*count;
        }
    }
    resp_reader_free(reader);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t whole = 0, single = 0;
    if (size > 4096)
        return 0;
    enum result status = read_all(data, size, size + 1, &whole);
    enum result slowly = read_all(data, size, 1, &single);
    CHECK((status == RESULT_PENDING) == (slowly == RESULT_PENDING));
    CHECK(whole == single);
    fuzz_reach(status == RESULT_PENDING ? WHOLE : status == RESULT_LIMIT ? TOO_LARGE : BROKEN);
    return 0;
}
