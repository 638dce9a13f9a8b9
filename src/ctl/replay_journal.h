/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of `journalctl -o export` (the Journal Export Format): fields a line each, an empty line
 * between records; fields with odd bytes are told by their length, for which the caller reads.
 * Pure; one owner at a time.
 */
#ifndef IPREVD_REPLAY_JOURNAL_H
#define IPREVD_REPLAY_JOURNAL_H

#include "ctl/replay_syslog.h"

#define REPLAY_JOURNAL_MESSAGE_MAX 8192

struct replay_journal {
    struct replay_record record; /* valid when replayjournal_line() says COMPLETE */
    bool any;
    char field[32]; /* whose value comes by length */
    char message[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

enum replay_journal_step {
    REPLAY_JOURNAL_MORE,     /* go on */
    REPLAY_JOURNAL_COMPLETE, /* the record is there; call again with the next line */
    REPLAY_JOURNAL_LENGTH,   /* 8 bytes of length (little endian), so many bytes of value and a line
                                feed follow: give the value to replayjournal_value() */
};

void replayjournal_init(struct replay_journal *journal);

/* Does a file that begins with this line hold records of this form? */
bool replayjournal_begins(const char *text);

/* Take a line; "" ends a record. */
enum replay_journal_step replayjournal_line(struct replay_journal *journal, const char *text,
                                            uint64_t number);
void replayjournal_value(struct replay_journal *journal, const char *value);

#endif
