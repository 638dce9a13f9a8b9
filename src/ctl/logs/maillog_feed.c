/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_feed.h"

#include "base/textbuf.h"
#include "ctl/logs/maillog_date.h"
#include "ctl/logs/maillog_input.h"
#include "ctl/logs/maillog_journal.h"
#include "ctl/logs/maillog_mailbox.h"
#include "ctl/logs/maillog_postfix.h"
#include "ctl/logs/maillog_sendmail.h"
#include "ctl/logs/maillog_triples.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROGRESS_LINES 4096 /* between two calls of progress() */

/* What the lines of the file under way are; found out by the first that says something. */
enum shape { SHAPE_UNKNOWN, SHAPE_LOG, SHAPE_JOURNAL, SHAPE_MAIL, SHAPE_TRIPLES };

struct maillog_feed {
    enum maillog_format format;
    const struct maillog_hooks *hooks;
    struct maillog_sink sink;
    struct maillog_postfix *postfix;
    struct maillog_sendmail *sendmail;
    struct maillog_mailbox *mail;
    uint64_t lines, strange;
    uint64_t bytes_before; /* of the files that are done */
    const char *file;
    enum shape shape;
    uint64_t records; /* of this file that were in its form */
    uint64_t messages, local;
    struct maillog_journal journal;
    char value[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

bool maillog_format_parse(const char *text, enum maillog_format *out)
{
    static const char *const names[] = {
        [REPLAY_FORMAT_POSTFIX] = "postfix", [REPLAY_FORMAT_SENDMAIL] = "sendmail",
        [REPLAY_FORMAT_MBOX] = "mbox",       [REPLAY_FORMAT_MAILDIR] = "maildir",
        [REPLAY_FORMAT_TRIPLES] = "triples",
    };
    for (unsigned i = REPLAY_FORMAT_POSTFIX; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum maillog_format)i;
            return true;
        }
    }
    return false;
}

struct maillog_feed *maillog_feed_new(enum maillog_format format, int64_t now_s,
                                      const struct maillog_hooks *hooks)
{
    struct maillog_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return NULL;
    feed->format = format;
    feed->hooks = hooks;
    feed->sink = (struct maillog_sink){hooks->event, hooks->arg};
    feed->postfix = maillog_postfix_new(now_s);
    feed->sendmail = maillog_sendmail_new(now_s);
    feed->mail = maillog_mailbox_new(hooks->is_ours, hooks->arg);
    if (feed->postfix != NULL && feed->sendmail != NULL && feed->mail != NULL)
        return feed;
    maillog_feed_free(feed);
    return NULL;
}

void maillog_feed_free(struct maillog_feed *feed)
{
    if (feed == NULL)
        return;
    maillog_postfix_free(feed->postfix);
    maillog_sendmail_free(feed->sendmail);
    maillog_mailbox_free(feed->mail);
    free(feed);
}

static void complain(const struct maillog_feed *feed, uint64_t line, const char *text)
{
    feed->hooks->problem(feed->hooks->arg, feed->file, line, text);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void on_record(struct maillog_feed *feed, struct maillog_record *record)
{
    record->file = feed->file;
    if (feed->format != REPLAY_FORMAT_SENDMAIL && maillog_postfix_is(record->program))
        maillog_postfix_record(feed->postfix, record, &feed->sink);
    else if (feed->format != REPLAY_FORMAT_POSTFIX && maillog_sendmail_is(record->program))
        maillog_sendmail_record(feed->sendmail, record, &feed->sink);
}

static void on_log_line(struct maillog_feed *feed, const struct maillog_line *line)
{
    struct maillog_record record;
    if (!maillog_syslog_parse(line->text, &record)) {
        feed->strange += line->text[0] != '\0';
        return;
    }
    feed->records++;
    record.line = line->number;
    on_record(feed, &record);
}

/* Bytes that the file has promised. */
static enum result take_bytes(struct maillog_input *input, uint64_t length, char *out, size_t size,
                              char error[REPLAY_ERROR_MAX])
{
    enum result status = maillog_input_take(input, length, out, size, error);
    if (status != RESULT_NOTFOUND)
        return status;
    (void)snprintf(error, REPLAY_ERROR_MAX, "the file ends inside a field");
    return RESULT_IO;
}

/* A value told by its length: the bytes that follow. */
static enum result take_value(struct maillog_feed *feed, struct maillog_input *input,
                              char error[REPLAY_ERROR_MAX])
{
    char raw[9];
    uint64_t length = 0;
    enum result status = take_bytes(input, 8, raw, sizeof raw, error);
    if (status != RESULT_OK)
        return status;
    for (unsigned i = 8; i-- > 0;)
        length = length << 8 | (unsigned char)raw[i];
    status = take_bytes(input, length, feed->value, sizeof feed->value, error);
    if (status != RESULT_OK)
        return status;
    maillog_journal_value(&feed->journal, feed->value);
    return take_bytes(input, 1, raw, sizeof raw, error);
}

static enum result on_journal_line(struct maillog_feed *feed, struct maillog_input *input,
                                   const struct maillog_line *line, char error[REPLAY_ERROR_MAX])
{
    switch (maillog_journal_line(&feed->journal, line->text, line->number)) {
    case REPLAY_JOURNAL_LENGTH:
        return take_value(feed, input, error);
    case REPLAY_JOURNAL_COMPLETE:
        feed->records++;
        on_record(feed, &feed->journal.record);
        break;
    case REPLAY_JOURNAL_MORE:
        break;
    }
    return RESULT_OK;
}

static void on_triple(struct maillog_feed *feed, const struct maillog_line *line)
{
    struct maillog_event event;
    const char *why;
    switch (maillog_triples_parse(line->text, &event, &why)) {
    case REPLAY_TRIPLE:
        feed->records++;
        event.file = feed->file;
        event.line = line->number;
        feed->sink.event(feed->sink.arg, &event);
        break;
    case REPLAY_TRIPLE_BAD:
        complain(feed, line->number, why);
        break;
    case REPLAY_TRIPLE_EMPTY:
        break;
    }
}

/* --- shapes ---------------------------------------------------------------------------------- */

static bool begins_with_address(const char *text)
{
    char address[IPADDR_TEXT_MAX];
    struct ipaddr addr;
    size_t length = strcspn(text, " \t");
    if (length >= sizeof address)
        return false;
    maillog_copy(address, sizeof address, text, length);
    return ipaddr_parse(address, &addr) == RESULT_OK;
}

/* "Received:", "Return-Path:" */
static bool begins_with_field(const char *text)
{
    size_t length = strcspn(text, ": \t");
    return length > 0 && text[length] == ':' && strchr("[", text[length + 1]) == NULL &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") ==
               length;
}

static enum maillog_mailbox_kind mailbox_kind(const struct maillog_feed *feed, const char *text)
{
    if (feed->format == REPLAY_FORMAT_MAILDIR)
        return MAILLOG_MAILBOX_SINGLE;
    if (maillog_mailbox_is_mmdf(text))
        return MAILLOG_MAILBOX_MMDF;
    return strncmp(text, "From ", 5) == 0 ? MAILLOG_MAILBOX_MBOX : MAILLOG_MAILBOX_SINGLE;
}

/* Of the first line that is not empty. */
static enum shape guess(const struct maillog_feed *feed, const char *text)
{
    struct maillog_record record;
    switch (feed->format) {
    case REPLAY_FORMAT_TRIPLES:
        return SHAPE_TRIPLES;
    case REPLAY_FORMAT_MAILDIR:
    case REPLAY_FORMAT_MBOX:
        return SHAPE_MAIL;
    case REPLAY_FORMAT_POSTFIX:
    case REPLAY_FORMAT_SENDMAIL:
        return maillog_journal_begins(text) ? SHAPE_JOURNAL : SHAPE_LOG;
    case REPLAY_FORMAT_GUESS:
        break;
    }
    if (maillog_journal_begins(text))
        return SHAPE_JOURNAL;
    if (maillog_syslog_parse(text, &record))
        return SHAPE_LOG;
    if (maillog_date_is_from_line(text) || maillog_mailbox_is_mmdf(text))
        return SHAPE_MAIL;
    if (begins_with_address(text))
        return SHAPE_TRIPLES;
    return begins_with_field(text) ? SHAPE_MAIL : SHAPE_UNKNOWN;
}

static void settle_shape(struct maillog_feed *feed, const struct maillog_line *line)
{
    bool comment = line->text[0] == '#' && feed->format == REPLAY_FORMAT_GUESS;
    if (line->text[0] == '\0' || comment)
        return;
    feed->shape = guess(feed, line->text);
    if (feed->shape == SHAPE_MAIL)
        maillog_mailbox_begin(feed->mail, feed->file, mailbox_kind(feed, line->text));
}

/* A line that no parser should see, with its place. */
static bool is_hostile(const struct maillog_feed *feed, const struct maillog_line *line)
{
    if (feed->shape == SHAPE_MAIL)
        return false; /* bodies may be anything */
    if (line->cut) {
        complain(feed, line->number, "longer than any line of a log: left out");
        return true;
    }
    if (line->binary) {
        complain(feed, line->number, "holds a NUL byte: left out");
        return true;
    }
    return false;
}

static enum result on_line(struct maillog_feed *feed, struct maillog_input *input,
                           const struct maillog_line *line, char error[REPLAY_ERROR_MAX])
{
    if (is_hostile(feed, line))
        return RESULT_OK;
    if (feed->shape == SHAPE_UNKNOWN)
        settle_shape(feed, line);
    switch (feed->shape) {
    case SHAPE_LOG:
        on_log_line(feed, line);
        break;
    case SHAPE_JOURNAL:
        return on_journal_line(feed, input, line, error);
    case SHAPE_TRIPLES:
        on_triple(feed, line);
        break;
    case SHAPE_MAIL:
        maillog_mailbox_line(feed->mail, line->text, line->bytes, line->number, &feed->sink);
        break;
    case SHAPE_UNKNOWN:
        feed->strange += line->text[0] != '\0' && line->text[0] != '#';
        break;
    }
    return RESULT_OK;
}

/* --- files ----------------------------------------------------------------------------------- */

static void end_mail(struct maillog_feed *feed)
{
    char text[128];
    struct maillog_mailbox_counts counts = maillog_mailbox_end(feed->mail, &feed->sink);
    feed->messages += counts.messages;
    feed->local += counts.local;
    if (counts.unreadable == 0)
        return;
    (void)snprintf(text, sizeof text,
                   "%llu of %llu messages have a Received field that names no client",
                   (unsigned long long)counts.unreadable, (unsigned long long)counts.messages);
    complain(feed, counts.unreadable_line, text);
}

/* The file is over: what did it hold? */
static void on_end(struct maillog_feed *feed, uint64_t lines)
{
    static const struct maillog_line nothing = {.text = ""};
    char error[REPLAY_ERROR_MAX];
    if (feed->shape == SHAPE_JOURNAL) /* the last record may lack its empty line */
        (void)on_journal_line(feed, NULL, &nothing, error);
    if (feed->shape == SHAPE_MAIL) {
        end_mail(feed);
        return;
    }
    if (lines > 0 && feed->records == 0)
        complain(feed, 0, "nothing in it is of the expected form: is --format right?");
}

static enum result read_lines(struct maillog_feed *feed, struct maillog_input *input)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct maillog_line line = {0};
    enum result status;
    while ((status = maillog_input_next(input, &line, error)) == RESULT_OK) {
        feed->lines++;
        status = on_line(feed, input, &line, error);
        if (status != RESULT_OK)
            break;
        if (feed->lines % PROGRESS_LINES == 0)
            feed->hooks->progress(feed->hooks->arg,
                                  feed->bytes_before + maillog_input_position(input));
    }
    feed->bytes_before += maillog_input_position(input);
    feed->hooks->progress(feed->hooks->arg, feed->bytes_before);
    if (status == RESULT_IO) {
        char text[REPLAY_ERROR_MAX];
        struct textbuf buf;
        textbuf_init(&buf, text, sizeof text);
        textbuf_put_untrusted(&buf, error, sizeof text - 1);
        complain(feed, line.number + 1, text);
    }
    on_end(feed, line.number);
    return status == RESULT_NOTFOUND || status == RESULT_IO ? RESULT_OK : status;
}

static enum result read_file(struct maillog_feed *feed, const char *path)
{
    char error[REPLAY_ERROR_MAX];
    struct maillog_input *input;
    feed->file = path;
    feed->shape = SHAPE_UNKNOWN;
    feed->records = 0;
    maillog_journal_init(&feed->journal);
    enum result status = maillog_input_open(path, &input, error);
    if (status == RESULT_IO)
        complain(feed, 0, error);
    if (status != RESULT_OK)
        return status == RESULT_IO ? RESULT_OK : status;
    status = read_lines(feed, input);
    maillog_input_close(input);
    return status;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* "path/name", malloc'ed; NULL: out of memory. */
static char *join(const char *path, const char *name)
{
    size_t size = strlen(path) + strlen(name) + 2;
    char *joined = malloc(size);
    if (joined != NULL)
        (void)snprintf(joined, size, "%s/%s", path, name);
    return joined;
}

/* The messages in one folder of a Maildir, in the order of their names, which begin with the time.
 */
static enum result read_folder(struct maillog_feed *feed, const char *path, const char *folder,
                               bool *found)
{
    char *name = join(path, folder);
    struct dirent **entries = NULL;
    if (name == NULL)
        return RESULT_NOMEM;
    int count = scandir(name, &entries, no_dots, alphasort);
    *found = *found || count >= 0;
    enum result status = RESULT_OK;
    for (int i = 0; i < count; i++) {
        char *file = status == RESULT_OK ? join(name, entries[i]->d_name) : NULL;
        if (file != NULL)
            status = read_file(feed, file);
        else
            status = RESULT_NOMEM;
        free(file);
        free(entries[i]);
    }
    free(entries);
    free(name);
    return status;
}

enum result maillog_feed_read(struct maillog_feed *feed, const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return read_file(feed, path);
    bool found = false;
    enum maillog_format format = feed->format;
    feed->format = REPLAY_FORMAT_MAILDIR; /* whatever a message looks like */
    enum result status = read_folder(feed, path, "cur", &found);
    if (status == RESULT_OK)
        status = read_folder(feed, path, "new", &found);
    feed->format = format;
    feed->file = path;
    if (!found)
        complain(feed, 0, "a directory, and not a Maildir");
    return status;
}

void maillog_feed_end(struct maillog_feed *feed)
{
    maillog_postfix_end(feed->postfix, &feed->sink);
    maillog_sendmail_end(feed->sendmail, &feed->sink);
}

uint64_t maillog_feed_lines(const struct maillog_feed *feed)
{
    return feed->lines;
}

uint64_t maillog_feed_strange(const struct maillog_feed *feed)
{
    return feed->strange;
}
