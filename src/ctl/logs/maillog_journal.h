/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the journal as programs get them: `journalctl -o export` (the Journal Export Format:
 * fields a line each, an empty line between records; fields with odd bytes come with their
 * length, for which the caller reads) and `journalctl -o json`, an object a line.  Lines in JSON
 * that container runtimes write around a log line ("log") are taken apart, too.  Pure; one owner at
 * a time.
 */
#ifndef IPREVD_MAILLOG_JOURNAL_H
#define IPREVD_MAILLOG_JOURNAL_H

#include "base/result.h"
#include "ctl/logs/maillog_syslog.h"

#define REPLAY_JOURNAL_MESSAGE_MAX 8192

struct maillog_journal {
    struct maillog_record record; /* valid when maillog_journal_line() says COMPLETE */
    bool any;
    char field[32]; /* whose value comes by length */
    char message[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

enum maillog_journal_step {
    REPLAY_JOURNAL_MORE,     /* go on */
    REPLAY_JOURNAL_COMPLETE, /* the record is there; call again with the next line */
    REPLAY_JOURNAL_LENGTH,   /* 8 bytes of length (little endian), so many bytes of value and a line
                                feed follow: give the value to maillog_journal_value() */
};

void maillog_journal_init(struct maillog_journal *journal);

/* Does a file that begins with this line hold records of the export format? */
bool maillog_journal_begins(const char *text);

/* Take a line; "" ends a record. */
enum maillog_journal_step maillog_journal_line(struct maillog_journal *journal, const char *text,
                                               uint64_t number);
void maillog_journal_value(struct maillog_journal *journal, const char *value);

/* An object of JSON: journal->record, with its time; without a program it is a line that has no
   tag. RESULT_INVALID: it is no record; RESULT_NOMEM. */
enum result maillog_journal_json(struct maillog_journal *journal, const char *text, size_t length,
                                 uint64_t number) MUST_CHECK;

#endif
