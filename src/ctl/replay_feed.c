/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_feed.h"

#include "base/textbuf.h"
#include "ctl/replay_input.h"
#include "ctl/replay_journal.h"
#include "ctl/replay_mail.h"
#include "ctl/replay_postfix.h"
#include "ctl/replay_sendmail.h"
#include "ctl/replay_triples.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROGRESS_LINES 4096 /* between two calls of progress() */

/* What the lines of the file under way are; found out by the first that says something. */
enum shape { SHAPE_UNKNOWN, SHAPE_LOG, SHAPE_JOURNAL, SHAPE_MBOX, SHAPE_MESSAGE, SHAPE_TRIPLES };

struct replay_feed {
    enum replay_format format;
    const struct replay_hooks *hooks;
    struct replay_sink sink;
    struct replay_postfix *postfix;
    struct replay_sendmail *sendmail;
    struct replay_mail *mail;
    uint64_t lines, strange;
    uint64_t bytes_before; /* of the files that are done */
    const char *file;
    enum shape shape;
    uint64_t records; /* of this file that were in its form */
    struct replay_journal journal;
    char value[REPLAY_JOURNAL_MESSAGE_MAX + 1];
};

bool replayformat_parse(const char *text, enum replay_format *out)
{
    static const char *const names[] = {
        [REPLAY_FORMAT_POSTFIX] = "postfix", [REPLAY_FORMAT_SENDMAIL] = "sendmail",
        [REPLAY_FORMAT_MBOX] = "mbox",       [REPLAY_FORMAT_MAILDIR] = "maildir",
        [REPLAY_FORMAT_TRIPLES] = "triples",
    };
    for (unsigned i = REPLAY_FORMAT_POSTFIX; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum replay_format)i;
            return true;
        }
    }
    return false;
}

struct replay_feed *replayfeed_new(enum replay_format format, int64_t now_s,
                                   const struct replay_hooks *hooks)
{
    struct replay_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return NULL;
    feed->format = format;
    feed->hooks = hooks;
    feed->sink = (struct replay_sink){hooks->event, hooks->arg};
    feed->postfix = replaypostfix_new(now_s);
    feed->sendmail = replaysendmail_new(now_s);
    feed->mail = replaymail_new(hooks->is_ours, hooks->arg);
    if (feed->postfix != NULL && feed->sendmail != NULL && feed->mail != NULL)
        return feed;
    replayfeed_free(feed);
    return NULL;
}

void replayfeed_free(struct replay_feed *feed)
{
    if (feed == NULL)
        return;
    replaypostfix_free(feed->postfix);
    replaysendmail_free(feed->sendmail);
    replaymail_free(feed->mail);
    free(feed);
}

static void complain(const struct replay_feed *feed, uint64_t line, const char *text)
{
    feed->hooks->problem(feed->hooks->arg, feed->file, line, text);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void on_record(struct replay_feed *feed, struct replay_record *record)
{
    record->file = feed->file;
    if (feed->format != REPLAY_FORMAT_SENDMAIL && replaypostfix_is(record->program))
        replaypostfix_record(feed->postfix, record, &feed->sink);
    else if (feed->format != REPLAY_FORMAT_POSTFIX && replaysendmail_is(record->program))
        replaysendmail_record(feed->sendmail, record, &feed->sink);
}

static void on_log_line(struct replay_feed *feed, const struct replay_line *line)
{
    struct replay_record record;
    if (!replaysyslog_parse(line->text, &record)) {
        feed->strange += line->text[0] != '\0';
        return;
    }
    feed->records++;
    record.line = line->number;
    on_record(feed, &record);
}

/* Bytes that the file has promised. */
static enum status take_bytes(struct replay_input *input, uint64_t length, char *out, size_t size,
                              char error[REPLAY_ERROR_MAX])
{
    enum status status = replayinput_take(input, length, out, size, error);
    if (status != STATUS_NOTFOUND)
        return status;
    (void)snprintf(error, REPLAY_ERROR_MAX, "the file ends inside a field");
    return STATUS_IO;
}

/* A value told by its length: the bytes that follow. */
static enum status take_value(struct replay_feed *feed, struct replay_input *input,
                              char error[REPLAY_ERROR_MAX])
{
    char raw[9];
    uint64_t length = 0;
    enum status status = take_bytes(input, 8, raw, sizeof raw, error);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 8; i-- > 0;)
        length = length << 8 | (unsigned char)raw[i];
    status = take_bytes(input, length, feed->value, sizeof feed->value, error);
    if (status != STATUS_OK)
        return status;
    replayjournal_value(&feed->journal, feed->value);
    return take_bytes(input, 1, raw, sizeof raw, error);
}

static enum status on_journal_line(struct replay_feed *feed, struct replay_input *input,
                                   const struct replay_line *line, char error[REPLAY_ERROR_MAX])
{
    switch (replayjournal_line(&feed->journal, line->text, line->number)) {
    case REPLAY_JOURNAL_LENGTH:
        return take_value(feed, input, error);
    case REPLAY_JOURNAL_COMPLETE:
        feed->records++;
        on_record(feed, &feed->journal.record);
        break;
    case REPLAY_JOURNAL_MORE:
        break;
    }
    return STATUS_OK;
}

static void on_triple(struct replay_feed *feed, const struct replay_line *line)
{
    struct replay_event event;
    const char *why;
    switch (replaytriples_parse(line->text, &event, &why)) {
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
    replay_copy(address, sizeof address, text, length);
    return ipaddr_parse(address, &addr) == STATUS_OK;
}

/* "Received:", "Return-Path:" */
static bool begins_with_field(const char *text)
{
    size_t length = strcspn(text, ": \t");
    return length > 0 && text[length] == ':' && strchr("[", text[length + 1]) == NULL &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") ==
               length;
}

/* Of the first line that is not empty. */
static enum shape guess(const struct replay_feed *feed, const char *text)
{
    struct replay_record record;
    switch (feed->format) {
    case REPLAY_FORMAT_TRIPLES:
        return SHAPE_TRIPLES;
    case REPLAY_FORMAT_MAILDIR:
        return SHAPE_MESSAGE;
    case REPLAY_FORMAT_MBOX:
        return strncmp(text, "From ", 5) == 0 ? SHAPE_MBOX : SHAPE_MESSAGE;
    case REPLAY_FORMAT_POSTFIX:
    case REPLAY_FORMAT_SENDMAIL:
        return replayjournal_begins(text) ? SHAPE_JOURNAL : SHAPE_LOG;
    case REPLAY_FORMAT_GUESS:
        break;
    }
    if (replayjournal_begins(text))
        return SHAPE_JOURNAL;
    if (replaysyslog_parse(text, &record))
        return SHAPE_LOG;
    if (strncmp(text, "From ", 5) == 0)
        return SHAPE_MBOX;
    if (begins_with_address(text))
        return SHAPE_TRIPLES;
    return begins_with_field(text) ? SHAPE_MESSAGE : SHAPE_UNKNOWN;
}

static void settle_shape(struct replay_feed *feed, const struct replay_line *line)
{
    bool comment = line->text[0] == '#' && feed->format == REPLAY_FORMAT_GUESS;
    if (line->text[0] == '\0' || comment)
        return;
    feed->shape = guess(feed, line->text);
    if (feed->shape == SHAPE_MBOX || feed->shape == SHAPE_MESSAGE)
        replaymail_begin(feed->mail, feed->file, feed->shape == SHAPE_MBOX);
}

/* A line that no parser should see, with its place. */
static bool is_hostile(const struct replay_feed *feed, const struct replay_line *line)
{
    if (feed->shape == SHAPE_MBOX || feed->shape == SHAPE_MESSAGE)
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

static enum status on_line(struct replay_feed *feed, struct replay_input *input,
                           const struct replay_line *line, char error[REPLAY_ERROR_MAX])
{
    if (is_hostile(feed, line))
        return STATUS_OK;
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
    case SHAPE_MBOX:
    case SHAPE_MESSAGE:
        replaymail_line(feed->mail, line->text, line->number, &feed->sink);
        break;
    case SHAPE_UNKNOWN:
        feed->strange += line->text[0] != '\0' && line->text[0] != '#';
        break;
    }
    return STATUS_OK;
}

/* --- files ----------------------------------------------------------------------------------- */

/* The file is over: what did it hold? */
static void on_end(struct replay_feed *feed, uint64_t lines)
{
    static const struct replay_line nothing = {.text = ""};
    char error[REPLAY_ERROR_MAX], text[96];
    if (feed->shape == SHAPE_JOURNAL) /* the last record may lack its empty line */
        (void)on_journal_line(feed, NULL, &nothing, error);
    if (feed->shape == SHAPE_MBOX || feed->shape == SHAPE_MESSAGE) {
        uint64_t without = replaymail_end(feed->mail, &feed->sink);
        if (without > 0) {
            (void)snprintf(text, sizeof text,
                           "%llu messages without a Received field that names a client",
                           (unsigned long long)without);
            complain(feed, 0, feed->shape == SHAPE_MBOX ? text : strchr(text, 'w'));
        }
        return;
    }
    if (lines > 0 && feed->records == 0)
        complain(feed, 0, "nothing in it is of the expected form: is --format right?");
}

static enum status read_lines(struct replay_feed *feed, struct replay_input *input)
{
    char error[REPLAY_ERROR_MAX] = "";
    struct replay_line line = {0};
    enum status status;
    while ((status = replayinput_next(input, &line, error)) == STATUS_OK) {
        feed->lines++;
        status = on_line(feed, input, &line, error);
        if (status != STATUS_OK)
            break;
        if (feed->lines % PROGRESS_LINES == 0)
            feed->hooks->progress(feed->hooks->arg,
                                  feed->bytes_before + replayinput_position(input));
    }
    feed->bytes_before += replayinput_position(input);
    feed->hooks->progress(feed->hooks->arg, feed->bytes_before);
    if (status == STATUS_IO) {
        char text[REPLAY_ERROR_MAX];
        struct textbuf buf;
        textbuf_init(&buf, text, sizeof text);
        textbuf_put_foreign(&buf, error, sizeof text - 1);
        complain(feed, line.number + 1, text);
    }
    on_end(feed, line.number);
    return status == STATUS_NOTFOUND || status == STATUS_IO ? STATUS_OK : status;
}

static enum status read_file(struct replay_feed *feed, const char *path)
{
    char error[REPLAY_ERROR_MAX];
    struct replay_input *input;
    feed->file = path;
    feed->shape = SHAPE_UNKNOWN;
    feed->records = 0;
    replayjournal_init(&feed->journal);
    enum status status = replayinput_open(path, &input, error);
    if (status == STATUS_IO)
        complain(feed, 0, error);
    if (status != STATUS_OK)
        return status == STATUS_IO ? STATUS_OK : status;
    status = read_lines(feed, input);
    replayinput_close(input);
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
static enum status read_folder(struct replay_feed *feed, const char *path, const char *folder,
                               bool *found)
{
    char *name = join(path, folder);
    struct dirent **entries = NULL;
    if (name == NULL)
        return STATUS_NOMEM;
    int count = scandir(name, &entries, no_dots, alphasort);
    *found = *found || count >= 0;
    enum status status = STATUS_OK;
    for (int i = 0; i < count; i++) {
        char *file = status == STATUS_OK ? join(name, entries[i]->d_name) : NULL;
        if (file != NULL)
            status = read_file(feed, file);
        else
            status = STATUS_NOMEM;
        free(file);
        free(entries[i]);
    }
    free(entries);
    free(name);
    return status;
}

enum status replayfeed_read(struct replay_feed *feed, const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return read_file(feed, path);
    bool found = false;
    enum replay_format format = feed->format;
    feed->format = REPLAY_FORMAT_MAILDIR; /* whatever a message looks like */
    enum status status = read_folder(feed, path, "cur", &found);
    if (status == STATUS_OK)
        status = read_folder(feed, path, "new", &found);
    feed->format = format;
    feed->file = path;
    if (!found)
        complain(feed, 0, "a directory, and not a Maildir");
    return status;
}

void replayfeed_end(struct replay_feed *feed)
{
    replaypostfix_end(feed->postfix, &feed->sink);
    replaysendmail_end(feed->sendmail, &feed->sink);
}

uint64_t replayfeed_lines(const struct replay_feed *feed)
{
    return feed->lines;
}

uint64_t replayfeed_strange(const struct replay_feed *feed)
{
    return feed->strange;
}
