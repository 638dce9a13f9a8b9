/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_feed.h"

#include "base/plural.h"
#include "base/textbuf.h"
#include "ctl/logs/maillog_date.h"
#include "ctl/logs/maillog_mailbox.h"
#include "ctl/logs/maillog_message.h"
#include "ctl/logs/maillog_order.h"
#include "ctl/logs/maillog_reader.h"
#include "ctl/logs/maillog_system.h"
#include "ctl/logs/maillog_triples.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROGRESS_LINES  4096 /* between two calls of progress() */
#define FIRST_SHOWN_MAX 120  /* bytes of a line that nobody knows */

/* What the lines of the file under way are; found out by the first that says something. */
enum feed_shape { SHAPE_UNKNOWN, SHAPE_LOG, SHAPE_MAIL, SHAPE_TRIPLES };

struct maillog_feed {
    enum maillog_format format;
    const struct maillog_hooks *hooks;
    struct maillog_sink sink, ordered;
    struct maillog_order *order;
    struct maillog_system *system;
    struct maillog_mailbox *mail;
    struct maillog_counts counts;
    int64_t now_s;
    uint64_t bytes_before; /* of the files that are done */
    /* The file under way. */
    const char *file;
    enum feed_shape shape;
    bool doubtful;    /* a message by its first line only, which a log may begin with, too */
    uint64_t records; /* that were in its form */
    uint64_t of_mail; /* by mail servers */
    uint64_t strange, strange_line;
    char first[FIRST_SHOWN_MAX + 1]; /* strange line, or other program */
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

static void on_ordered(void *arg, const struct maillog_event *event)
{
    struct maillog_feed *feed = arg;
    maillog_order_add(feed->order, event, &feed->sink);
}

static void on_delivered(void *arg, const char *recipient, const struct ipaddr *relay)
{
    const struct maillog_feed *feed = arg;
    if (!feed->hooks->is_ours(feed->hooks->arg, relay))
        feed->hooks->delivered(feed->hooks->arg, recipient);
}

static bool is_ours(void *arg, const struct ipaddr *client)
{
    const struct maillog_feed *feed = arg;
    return feed->hooks->is_ours(feed->hooks->arg, client);
}

struct maillog_feed *maillog_feed_new(enum maillog_format format, int64_t now_s,
                                      const struct maillog_hooks *hooks)
{
    struct maillog_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return NULL;
    feed->format = format;
    feed->hooks = hooks;
    feed->now_s = now_s;
    feed->sink = (struct maillog_sink){.event = hooks->event, .arg = hooks->arg};
    feed->ordered =
        (struct maillog_sink){.event = on_ordered,
                              .delivered = hooks->delivered != NULL ? on_delivered : NULL,
                              .is_ours = is_ours,
                              .arg = feed};
    feed->order = maillog_order_new();
    feed->system = maillog_system_new(format == REPLAY_FORMAT_POSTFIX    ? MAILLOG_SYSTEM_POSTFIX
                                      : format == REPLAY_FORMAT_SENDMAIL ? MAILLOG_SYSTEM_SENDMAIL
                                                                         : MAILLOG_SYSTEM_BOTH);
    feed->mail = maillog_mailbox_new(hooks->is_ours, hooks->arg);
    if (feed->order != NULL && feed->system != NULL && feed->mail != NULL)
        return feed;
    maillog_feed_free(feed);
    return NULL;
}

void maillog_feed_free(struct maillog_feed *feed)
{
    if (feed == NULL)
        return;
    maillog_order_free(feed->order);
    maillog_system_free(feed->system);
    maillog_mailbox_free(feed->mail);
    free(feed);
}

static void complain(const struct maillog_feed *feed, uint64_t line, const char *text)
{
    feed->hooks->problem(feed->hooks->arg, feed->file, line, text);
}

static void note(const struct maillog_feed *feed, uint64_t line, const char *text)
{
    if (feed->hooks->note != NULL)
        feed->hooks->note(feed->hooks->arg, feed->file, line, text);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void keep_first(struct maillog_feed *feed, const char *text)
{
    struct textbuf buf;
    if (feed->first[0] != '\0')
        return;
    textbuf_init(&buf, feed->first, sizeof feed->first);
    textbuf_put_untrusted(&buf, text, sizeof feed->first - 1);
}

static void on_strange(struct maillog_feed *feed, const struct maillog_line *line)
{
    /* "-- Boot 0123... --": journalctl's own. */
    if (line->text[0] == '\0' || strncmp(line->text, "-- ", 3) == 0)
        return;
    if (feed->strange++ == 0)
        feed->strange_line = line->number;
    if (feed->records == 0)
        keep_first(feed, line->text);
}

static void on_record(struct maillog_feed *feed, const struct maillog_record *record)
{
    feed->records++;
    if (maillog_system_record(feed->system, record, &feed->ordered)) {
        feed->of_mail++;
    } else {
        feed->counts.others++;
        keep_first(feed, record->program);
    }
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

static bool is_log_format(enum maillog_format format)
{
    return format == REPLAY_FORMAT_POSTFIX || format == REPLAY_FORMAT_SENDMAIL;
}

static void begin_mail(struct maillog_feed *feed, const char *text, bool doubtful)
{
    enum maillog_mailbox_kind kind = MAILLOG_MAILBOX_SINGLE;
    if (feed->format != REPLAY_FORMAT_MAILDIR && maillog_mailbox_is_mmdf(text))
        kind = MAILLOG_MAILBOX_MMDF;
    else if (feed->format != REPLAY_FORMAT_MAILDIR && strncmp(text, "From ", 5) == 0)
        kind = MAILLOG_MAILBOX_MBOX;
    feed->shape = SHAPE_MAIL;
    feed->doubtful = doubtful;
    keep_first(feed, text);
    maillog_mailbox_begin(feed->mail, feed->file, kind);
}

/* Of a line that says something. */
static void settle_shape(struct maillog_feed *feed, const struct maillog_item *item)
{
    const char *text = item->line.text;
    bool record = item->kind == MAILLOG_ITEM_RECORD;
    if (feed->format == REPLAY_FORMAT_TRIPLES)
        feed->shape = SHAPE_TRIPLES;
    else if (feed->format == REPLAY_FORMAT_MAILDIR || feed->format == REPLAY_FORMAT_MBOX)
        begin_mail(feed, text, false);
    else if (record || is_log_format(feed->format))
        feed->shape = SHAPE_LOG;
    else if (maillog_date_is_from_line(text) || maillog_mailbox_is_mmdf(text))
        begin_mail(feed, text, false);
    else if (begins_with_address(text))
        feed->shape = SHAPE_TRIPLES;
    else if (maillog_message_is_field(text))
        begin_mail(feed, text, true);
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

/* "INFO: starting mail server" looked like a field; what follows is a log. */
static bool is_log_after_all(struct maillog_feed *feed, const struct maillog_item *item)
{
    if (item->kind != MAILLOG_ITEM_RECORD || maillog_mailbox_has_received(feed->mail))
        return false;
    feed->strange += item->line.number - 1;
    feed->strange_line = 1;
    feed->shape = SHAPE_LOG;
    maillog_mailbox_drop(feed->mail);
    return true;
}

static void on_item(struct maillog_feed *feed, const struct maillog_item *item)
{
    const struct maillog_line *line = &item->line;
    bool comment = line->text[0] == '#' && feed->format == REPLAY_FORMAT_GUESS;
    if (item->kind == MAILLOG_ITEM_LINE && is_hostile(feed, line))
        return;
    if (feed->shape == SHAPE_UNKNOWN &&
        (item->kind == MAILLOG_ITEM_RECORD || (line->text[0] != '\0' && !comment)))
        settle_shape(feed, item);
    if (feed->shape == SHAPE_MAIL && feed->doubtful)
        (void)is_log_after_all(feed, item);
    switch (feed->shape) {
    case SHAPE_LOG:
        if (item->kind == MAILLOG_ITEM_RECORD)
            on_record(feed, &item->record);
        else
            on_strange(feed, line);
        break;
    case SHAPE_TRIPLES:
        on_triple(feed, line);
        break;
    case SHAPE_MAIL:
        maillog_mailbox_line(feed->mail, line->text, line->bytes, line->number, &feed->sink);
        break;
    case SHAPE_UNKNOWN:
        if (!comment)
            on_strange(feed, line);
        break;
    }
}

/* --- files ----------------------------------------------------------------------------------- */

/* Nothing was understood: show what it looks like and what would do. */
static void complain_of_all(struct maillog_feed *feed)
{
    char text[FIRST_SHOWN_MAX + 128];
    if (feed->records > 0) {
        (void)snprintf(text, sizeof text,
                       "%llu records, none of Postfix or Sendmail; the first is of \"%s\"",
                       (unsigned long long)feed->records, feed->first);
        complain(feed, 0, text);
        return;
    }
    (void)snprintf(text, sizeof text,
                   "nothing in it is of the expected form: is --format right? It begins: \"%s\"",
                   feed->first);
    complain(feed, 0, text);
    note(feed, 0, "Known forms are:");
    for (const char *at = maillog_syslog_forms; *at != '\0'; at += strcspn(at, "\n") + 1) {
        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\n"), at);
        note(feed, 0, text);
    }
}

static void end_mail(struct maillog_feed *feed)
{
    char text[128];
    struct maillog_mailbox_counts counts = maillog_mailbox_end(feed->mail, &feed->sink);
    feed->counts.messages += counts.messages;
    feed->counts.local += counts.local;
    feed->counts.unreadable += counts.unreadable;
    if ((feed->doubtful || feed->format == REPLAY_FORMAT_MBOX) && !counts.message) {
        feed->counts.messages -= counts.messages;
        feed->counts.local -= counts.local;
        complain_of_all(feed);
    }
    if (counts.unreadable == 0)
        return;
    (void)snprintf(text, sizeof text,
                   "%llu of %llu messages have a Received field in no form that is known",
                   (unsigned long long)counts.unreadable, (unsigned long long)counts.messages);
    if (counts.unreadable == counts.messages && feed->format != REPLAY_FORMAT_MAILDIR)
        complain(feed, counts.unreadable_line, text);
    else
        note(feed, counts.unreadable_line, text);
}

/* The file is over: what did it hold? */
static void on_end(struct maillog_feed *feed, uint64_t lines)
{
    char text[128];
    feed->counts.strange += feed->strange;
    if (feed->shape == SHAPE_MAIL) {
        end_mail(feed);
        return;
    }
    if (lines > 0 && (feed->records == 0 || (feed->shape == SHAPE_LOG && feed->of_mail == 0))) {
        complain_of_all(feed);
    } else if (feed->strange > 0) {
        (void)snprintf(text, sizeof text,
                       "%llu of %llu lines %s in no form that is known; this is the first",
                       (unsigned long long)feed->strange, (unsigned long long)lines,
                       plural_of(feed->strange, "is", "are"));
        note(feed, feed->strange_line, text);
    }
}

static enum result read_lines(struct maillog_feed *feed, struct maillog_reader *reader)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct maillog_item item = {.line = {.text = ""}};
    enum result status;
    /* Of a mailbox lines are lines, but where it may be a log. */
    while ((status = feed->shape == SHAPE_TRIPLES || (feed->shape == SHAPE_MAIL && !feed->doubtful)
                         ? maillog_reader_line(reader, &item, error)
                         : maillog_reader_next(reader, &item, error)) == RESULT_OK) {
        feed->counts.lines++;
        on_item(feed, &item);
        if (feed->counts.lines % PROGRESS_LINES == 0)
            feed->hooks->progress(feed->hooks->arg,
                                  feed->bytes_before + maillog_reader_position(reader));
    }
    feed->bytes_before += maillog_reader_position(reader);
    feed->hooks->progress(feed->hooks->arg, feed->bytes_before);
    if (status == RESULT_IO) {
        char text[REPLAY_ERROR_MAX];
        struct textbuf buf;
        textbuf_init(&buf, text, sizeof text);
        textbuf_put_untrusted(&buf, error, sizeof text - 1);
        complain(feed, item.line.number + 1, text);
    }
    on_end(feed, item.line.number);
    return status == RESULT_NOTFOUND || status == RESULT_IO ? RESULT_OK : status;
}

static enum result read_file(struct maillog_feed *feed, const char *path)
{
    char error[REPLAY_ERROR_MAX];
    struct maillog_reader *reader;
    feed->file = path;
    feed->shape = SHAPE_UNKNOWN;
    feed->doubtful = false;
    feed->records = feed->of_mail = feed->strange = 0;
    feed->first[0] = '\0';
    enum result status = maillog_reader_open(path, feed->now_s, &reader, error);
    if (status == RESULT_IO)
        complain(feed, 0, error);
    if (status != RESULT_OK)
        return status == RESULT_IO ? RESULT_OK : status;
    maillog_order_flush(feed->order, &feed->sink); /* lines are counted anew */
    status = read_lines(feed, reader);
    maillog_reader_close(reader);
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

/* The messages in one directory of a Maildir, in the order of their names, which begin with the
   time. */
static enum result read_directory(struct maillog_feed *feed, const char *path,
                                  const char *directory, bool *found)
{
    char *name = join(path, directory);
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
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        enum result status = read_file(feed, path);
        return status;
    }
    bool found = false;
    enum maillog_format format = feed->format;
    feed->format = REPLAY_FORMAT_MAILDIR; /* whatever a message looks like */
    enum result status = read_directory(feed, path, "cur", &found);
    if (status == RESULT_OK)
        status = read_directory(feed, path, "new", &found);
    feed->format = format;
    feed->file = path;
    if (!found)
        complain(feed, 0, "a directory, and not a Maildir");
    return status;
}

void maillog_feed_end(struct maillog_feed *feed)
{
    maillog_system_end(feed->system, &feed->ordered);
    maillog_order_flush(feed->order, &feed->sink);
}

struct maillog_counts maillog_feed_counts(const struct maillog_feed *feed)
{
    return feed->counts;
}
