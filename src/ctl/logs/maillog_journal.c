/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_journal.h"

#include "ctl/logs/maillog_stamp.h"
#include "site/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void maillog_journal_init(struct maillog_journal *journal)
{
    memset(journal, 0, sizeof *journal);
}

bool maillog_journal_begins(const char *text)
{
    return strncmp(text, "__CURSOR=", 9) == 0 || strncmp(text, "__REALTIME_TIMESTAMP=", 21) == 0;
}

static void take_field(struct maillog_journal *journal, const char *key, const char *value)
{
    struct maillog_record *record = &journal->record;
    if (strcmp(key, "MESSAGE") == 0)
        (void)snprintf(journal->message, sizeof journal->message, "%s", value);
    else if (strcmp(key, "SYSLOG_IDENTIFIER") == 0)
        (void)snprintf(record->program, sizeof record->program, "%s", value);
    else if (strcmp(key, "_COMM") == 0 && record->program[0] == '\0')
        (void)snprintf(record->program, sizeof record->program, "%s", value);
    else if (strcmp(key, "SYSLOG_PID") == 0 || (strcmp(key, "_PID") == 0 && record->pid == 0))
        record->pid = strtol(value, NULL, 10);
    else if (strcmp(key, "_HOSTNAME") == 0)
        record->host = maillog_syslog_host(value, strlen(value));
    else if (strcmp(key, "__REALTIME_TIMESTAMP") == 0) /* microseconds */
        record->wall_s = (int64_t)(strtoull(value, NULL, 10) / 1000000);
}

enum maillog_journal_step maillog_journal_line(struct maillog_journal *journal, const char *text,
                                               uint64_t number)
{
    if (text[0] == '\0') {
        if (!journal->any)
            return REPLAY_JOURNAL_MORE;
        journal->any = false;
        journal->record.message = journal->message;
        return REPLAY_JOURNAL_COMPLETE;
    }
    if (!journal->any) {
        maillog_journal_init(journal);
        journal->any = true;
        journal->record.line = number;
    }
    size_t key = strcspn(text, "=");
    if (key >= sizeof journal->field) /* none of ours is that long */
        journal->field[0] = '\0';
    else
        (void)snprintf(journal->field, sizeof journal->field, "%.*s", (int)key, text);
    if (text[key] == '\0')
        return REPLAY_JOURNAL_LENGTH;
    take_field(journal, journal->field, text + key + 1);
    return REPLAY_JOURNAL_MORE;
}

void maillog_journal_value(struct maillog_journal *journal, const char *value)
{
    take_field(journal, journal->field, value);
}

/* --- JSON
 * ------------------------------------------------------------------------------------------ */

/* A value as text: of a list, which the journal makes of several fields of one name, the first; a
   list of numbers is what has odd bytes. */
static void take_member(struct maillog_journal *journal, const struct json_value *object,
                        const char *key)
{
    char bytes[REPLAY_JOURNAL_MESSAGE_MAX + 1];
    const struct json_value *value = json_value_member(object, key);
    const char *text = json_value_text(value);
    int64_t number;
    if (value == NULL)
        return;
    if (text != NULL) {
        take_field(journal, key, text);
        return;
    }
    if (json_value_int(value, &number)) {
        (void)snprintf(bytes, sizeof bytes, "%lld", (long long)number);
        take_field(journal, key, bytes);
        return;
    }
    size_t count = json_value_count(value), used = 0;
    if (count > 0 && json_value_text(json_value_item(value, 0)) != NULL) {
        take_field(journal, key, json_value_text(json_value_item(value, 0)));
        return;
    }
    for (size_t i = 0; i < count && used < REPLAY_JOURNAL_MESSAGE_MAX; i++)
        if (json_value_int(json_value_item(value, i), &number) && number > 0 && number < 256)
            bytes[used++] = (char)number;
    bytes[used] = '\0';
    if (used > 0)
        take_field(journal, key, bytes);
}

static int64_t time_of(const struct json_value *object)
{
    char text[64];
    struct maillog_stamp stamp;
    const char *value = json_value_text_of(object, "time");
    if (value == NULL)
        return 0;
    (void)snprintf(text, sizeof text, "%s ", value);
    return maillog_stamp_parse(text, &stamp) != NULL ? maillog_stamp_time(&stamp, 0, 0) : 0;
}

/* {"log": "Nov 21 09:22:17 mx postfix/smtpd[7]: ...\n", "stream": "stdout", "time": "2026-..."};
   without a tag it is the line of a program as that wrote it. */
static bool take_container_line(struct maillog_journal *journal, const struct json_value *object)
{
    const char *text = json_value_text_of(object, "log");
    if (text == NULL)
        text = json_value_text_of(object, "message");
    if (text == NULL)
        return false;
    (void)snprintf(journal->message, sizeof journal->message, "%.*s", (int)strcspn(text, "\n"),
                   text);
    if (maillog_syslog_parse(journal->message, &journal->record))
        return true;
    maillog_syslog_bare(journal->message, &journal->record);
    journal->record.stamp = NULL;
    journal->record.wall_s = time_of(object);
    return true;
}

enum result maillog_journal_json(struct maillog_journal *journal, const char *text, size_t length,
                                 uint64_t number)
{
    static const char *const keys[] = {
        "MESSAGE",   "SYSLOG_IDENTIFIER",   "_COMM", "SYSLOG_PID", "_PID",
        "_HOSTNAME", "__REALTIME_TIMESTAMP"};
    char error[JSONIN_ERROR_MAX];
    struct json_value *object;
    enum result status = json_value_parse(text, length, &object, error);
    if (status != RESULT_OK)
        return status;
    maillog_journal_init(journal);
    bool ok = json_value_member(object, "MESSAGE") != NULL;
    if (ok) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            take_member(journal, object, keys[i]);
        if (journal->record.program[0] == '\0')
            (void)strcpy(journal->record.program, "?");
        journal->record.message = journal->message;
    } else {
        ok = take_container_line(journal, object);
    }
    journal->record.line = number;
    json_value_free(object);
    return ok ? RESULT_OK : RESULT_INVALID;
}
