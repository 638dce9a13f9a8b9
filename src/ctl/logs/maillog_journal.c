/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_journal.h"

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
    else if (strcmp(key, "SYSLOG_PID") == 0 || (strcmp(key, "_PID") == 0 && record->pid == 0))
        record->pid = strtol(value, NULL, 10);
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
