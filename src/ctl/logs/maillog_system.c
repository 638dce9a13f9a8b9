/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_system.h"

#include "ctl/logs/maillog_postfix.h"
#include "ctl/logs/maillog_sendmail.h"

#include <stdlib.h>

#define HOSTS_MAX 8 /* whose last message is remembered */

/* The last message of a host. */
struct last {
    uint64_t host;
    long pid;
    char program[REPLAY_PROGRAM_MAX + 1];
    char message[REPLAY_LINE_MAX + 1];
};

struct maillog_system {
    enum maillog_system_of of;
    struct maillog_postfix *postfix;
    struct maillog_sendmail *sendmail;
    struct last last[HOSTS_MAX];
    size_t newest; /* of last[] */
    char message[REPLAY_LINE_MAX + 1];
};

struct maillog_system *maillog_system_new(enum maillog_system_of of)
{
    struct maillog_system *system = calloc(1, sizeof *system);
    if (system == NULL)
        return NULL;
    system->of = of;
    system->postfix = maillog_postfix_new();
    system->sendmail = maillog_sendmail_new();
    if (system->postfix != NULL && system->sendmail != NULL)
        return system;
    maillog_system_free(system);
    return NULL;
}

void maillog_system_free(struct maillog_system *system)
{
    if (system == NULL)
        return;
    maillog_postfix_free(system->postfix);
    maillog_sendmail_free(system->sendmail);
    free(system);
}

static bool dispatch(struct maillog_system *system, const struct maillog_record *record,
                     const struct maillog_sink *sink)
{
    bool postfix = system->of != MAILLOG_SYSTEM_SENDMAIL && maillog_postfix_is(record->program);
    if (postfix || system->of == MAILLOG_SYSTEM_POSTFIX) {
        maillog_postfix_record(system->postfix, record, sink);
        return postfix;
    }
    if (!maillog_sendmail_is(record))
        return false;
    maillog_sendmail_record(system->sendmail, record, sink);
    return true;
}

static void remember(struct maillog_system *system, const struct maillog_record *record)
{
    system->newest = record->host % HOSTS_MAX;
    struct last *last = &system->last[system->newest];
    size_t length = strlen(record->message);
    last->host = record->host;
    last->pid = record->pid;
    memcpy(last->program, record->program, sizeof last->program);
    maillog_copy(last->message, sizeof last->message, record->message, length);
}

/* The record that is meant; false: it is not known.  macOS names no host in such a line. */
static bool find_repeated(struct maillog_system *system, const struct maillog_record *record,
                          const char *text, size_t length, struct maillog_record *out)
{
    const struct last *last =
        &system->last[record->host != 0 ? record->host % HOSTS_MAX : system->newest];
    *out = *record;
    out->message = system->message;
    if (text != NULL && record->program[0] != '\0') {
        maillog_copy(system->message, sizeof system->message, text, length);
        return true;
    }
    if ((record->host != 0 && last->host != record->host) || last->program[0] == '\0')
        return false;
    memcpy(out->program, last->program, sizeof out->program);
    out->pid = last->pid;
    out->host = last->host;
    maillog_copy(system->message, sizeof system->message, last->message, strlen(last->message));
    return true;
}

bool maillog_system_record(struct maillog_system *system, const struct maillog_record *record,
                           const struct maillog_sink *sink)
{
    const char *text;
    size_t length;
    char begin = record->message[0];
    unsigned times = begin == 'm' || begin == 'l' || begin == 'L' || begin == '-'
                         ? maillog_syslog_repeated(record->message, &text, &length)
                         : 0;
    if (times == 0) {
        bool ours = dispatch(system, record, sink);
        remember(system, record);
        return ours;
    }
    struct maillog_record repeated;
    if (!find_repeated(system, record, text, length, &repeated))
        return false;
    bool ours = true;
    for (unsigned i = 0; i < times && ours; i++)
        ours = dispatch(system, &repeated, sink);
    return ours;
}

void maillog_system_end(struct maillog_system *system, const struct maillog_sink *sink)
{
    maillog_postfix_end(system->postfix, sink);
    maillog_sendmail_end(system->sendmail, sink);
}
