/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_mailbox.h"

#include "ctl/logs/maillog_date.h"
#include "ctl/logs/maillog_message.h"

#include <stdlib.h>

#define FROM_LINE_MAX 512 /* bytes of a "From " line that are kept */

enum place { OUTSIDE, IN_HEADER, IN_BODY };

struct maillog_mailbox {
    const char *file;
    enum maillog_mailbox_kind kind;
    enum place place;
    bool blank; /* the line before was empty, or there was none */
    /* A "From " line without an empty one before it begins a message when a field follows. */
    uint64_t doubtful_line; /* 0: none */
    char from_line[FROM_LINE_MAX];
    /* Content-Length says that so much is body.  What looks like messages in it is kept until it is
       seen whether a message, or the end, follows where it says: the sender may have written it. */
    uint64_t body_left;
    bool body_over;             /* the next line that is not empty shows whether it was right */
    bool owner_waits;           /* the message that has the field is the one under way */
    size_t kept_count;          /* attempts */
    struct maillog_event *kept; /* MAILLOG_DOUBTFUL_MAX, or NULL */
    struct maillog_mailbox_counts counts, kept_counts;
    struct maillog_message message;
};

struct maillog_mailbox *maillog_mailbox_new(bool (*is_ours)(void *arg, const struct ipaddr *addr),
                                            void *arg)
{
    struct maillog_mailbox *mail = calloc(1, sizeof *mail);
    if (mail == NULL)
        return NULL;
    mail->message.is_ours = is_ours;
    mail->message.arg = arg;
    mail->kept = calloc(MAILLOG_DOUBTFUL_MAX, sizeof *mail->kept);
    if (mail->kept != NULL)
        return mail;
    free(mail);
    return NULL;
}

void maillog_mailbox_free(struct maillog_mailbox *mail)
{
    if (mail != NULL)
        free(mail->kept);
    free(mail);
}

bool maillog_mailbox_is_mmdf(const char *text)
{
    return strcmp(text, "\1\1\1\1") == 0;
}

/* --- what Content-Length says ----------------------------------------------------------------- */

static void forget_body(struct maillog_mailbox *mail)
{
    mail->body_left = 0;
    mail->body_over = mail->owner_waits = false;
    mail->kept_count = 0;
    memset(&mail->kept_counts, 0, sizeof mail->kept_counts);
}

/* The length was wrong: what looked like messages are messages. */
static void believe_kept(struct maillog_mailbox *mail, const struct maillog_sink *sink)
{
    for (size_t i = 0; i < mail->kept_count; i++)
        sink->event(sink->arg, &mail->kept[i]);
    mail->counts.messages += mail->kept_counts.messages;
    mail->counts.local += mail->kept_counts.local;
    if (mail->counts.unreadable == 0)
        mail->counts.unreadable_line = mail->kept_counts.unreadable_line;
    mail->counts.unreadable += mail->kept_counts.unreadable;
    forget_body(mail);
}

static bool in_doubt(const struct maillog_mailbox *mail)
{
    return (mail->body_left > 0 || mail->body_over) && !mail->owner_waits;
}

/* --- messages --------------------------------------------------------------------------------- */

static void count(struct maillog_mailbox_counts *counts, enum maillog_message_kind kind,
                  const struct maillog_message *message)
{
    counts->messages++;
    counts->local += kind == MAILLOG_MESSAGE_LOCAL;
    if (kind == MAILLOG_MESSAGE_UNREADABLE && counts->unreadable++ == 0)
        counts->unreadable_line = message->event.line;
    counts->message = counts->message || message->known;
}

/* Tell the message under way, if there is one. */
static void finish(struct maillog_mailbox *mail, const struct maillog_sink *sink)
{
    if (mail->place == OUTSIDE)
        return;
    mail->place = OUTSIDE;
    enum maillog_message_kind kind = maillog_message_end(&mail->message);
    if (in_doubt(mail) && mail->kept_count == MAILLOG_DOUBTFUL_MAX)
        believe_kept(mail, sink);
    bool doubt = in_doubt(mail);
    mail->owner_waits = false;
    count(doubt ? &mail->kept_counts : &mail->counts, kind, &mail->message);
    if (kind != MAILLOG_MESSAGE_ATTEMPT)
        return;
    if (doubt)
        mail->kept[mail->kept_count++] = mail->message.event;
    else
        sink->event(sink->arg, &mail->message.event);
}

static void start(struct maillog_mailbox *mail, uint64_t number)
{
    maillog_message_begin(&mail->message, mail->file, number);
    mail->place = IN_HEADER;
    mail->doubtful_line = 0;
}

void maillog_mailbox_begin(struct maillog_mailbox *mail, const char *file,
                           enum maillog_mailbox_kind kind)
{
    mail->file = file;
    mail->kind = kind;
    mail->blank = true;
    mail->place = OUTSIDE;
    mail->doubtful_line = 0;
    memset(&mail->counts, 0, sizeof mail->counts);
    forget_body(mail);
    if (kind == MAILLOG_MAILBOX_SINGLE)
        start(mail, 1);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void header_ends(struct maillog_mailbox *mail)
{
    mail->place = IN_BODY;
    if (mail->kind != MAILLOG_MAILBOX_MBOX || mail->message.content_length == 0 || in_doubt(mail))
        return;
    forget_body(mail);
    mail->body_left = mail->message.content_length;
    mail->owner_waits = true;
}

/* A line that was, by Content-Length, the last of the body or behind it. */
static void check_length(struct maillog_mailbox *mail, const char *text,
                         const struct maillog_sink *sink)
{
    if (!mail->body_over || text[0] == '\0')
        return;
    if (!maillog_date_is_from_line(text)) {
        believe_kept(mail, sink);
        return;
    }
    /* It was right: what stood in the body is forgotten. */
    if (!mail->owner_waits)
        mail->place = OUTSIDE;
    forget_body(mail);
}

static void count_body(struct maillog_mailbox *mail, size_t bytes)
{
    if (mail->body_left == 0)
        return;
    mail->body_left = mail->body_left > bytes ? mail->body_left - bytes : 0;
    mail->body_over = mail->body_left == 0;
}

/* True: the line was one between messages. */
static bool on_from_line(struct maillog_mailbox *mail, const char *text, bool blank,
                         uint64_t number, const struct maillog_sink *sink)
{
    if (mail->doubtful_line != 0 && maillog_message_is_field(text)) {
        uint64_t line = mail->doubtful_line;
        finish(mail, sink);
        start(mail, line);
        maillog_message_from_line(&mail->message, mail->from_line);
        return false;
    }
    mail->doubtful_line = 0;
    if (!maillog_date_is_from_line(text))
        return false;
    if (blank || mail->place == OUTSIDE) {
        finish(mail, sink);
        start(mail, number);
        maillog_message_from_line(&mail->message, text);
        return true;
    }
    mail->doubtful_line = number;
    maillog_copy(mail->from_line, sizeof mail->from_line, text, strlen(text));
    return mail->place == IN_HEADER;
}

static bool on_mmdf_line(struct maillog_mailbox *mail, const char *text, uint64_t number,
                         const struct maillog_sink *sink)
{
    if (maillog_mailbox_is_mmdf(text)) {
        if (mail->place == OUTSIDE)
            start(mail, number + 1);
        else
            finish(mail, sink);
        return true;
    }
    if (mail->place != IN_HEADER || !maillog_date_is_from_line(text))
        return false;
    maillog_message_from_line(&mail->message, text);
    return true;
}

void maillog_mailbox_line(struct maillog_mailbox *mail, const char *text, size_t bytes,
                          uint64_t number, const struct maillog_sink *sink)
{
    bool blank = mail->blank, done = false, body = mail->body_left > 0;
    mail->blank = text[0] == '\0';
    check_length(mail, text, sink);
    if (mail->kind == MAILLOG_MAILBOX_MBOX)
        done = on_from_line(mail, text, blank, number, sink);
    else if (mail->kind == MAILLOG_MAILBOX_MMDF)
        done = on_mmdf_line(mail, text, number, sink);
    if (body)
        count_body(mail, bytes);
    if (done || mail->place != IN_HEADER)
        return;
    maillog_message_line(&mail->message, text);
    if (mail->blank)
        header_ends(mail);
}

bool maillog_mailbox_has_received(const struct maillog_mailbox *mail)
{
    return mail->message.received;
}

struct maillog_mailbox_counts maillog_mailbox_end(struct maillog_mailbox *mail,
                                                  const struct maillog_sink *sink)
{
    /* Exactly at its end the file is over, too; anything else is a length that is not true. */
    bool right = mail->body_over && !mail->owner_waits;
    if (right) {
        mail->place = OUTSIDE;
        forget_body(mail);
    }
    finish(mail, sink);
    believe_kept(mail, sink);
    return mail->counts;
}

void maillog_mailbox_drop(struct maillog_mailbox *mail)
{
    mail->place = OUTSIDE;
    forget_body(mail);
}
