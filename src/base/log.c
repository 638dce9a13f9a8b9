/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Until log_start() a line is written by its caller.  From then on a thread writes them, many at a
 * time.  A line a session in a system call of its own is a good part of what a session costs, and
 * a reader that is slow must not hold up mail.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/plural.h"
#include "base/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* One line, longer ones are cut: syslog daemons take at least this much. */
#define LINE_MAX_BYTES 4096

/* What is put around a line: a word of its level, its end. */
#define AROUND_MAX 16

/* Bytes that may wait, and as many again that are being written: some thousand lines. */
#define QUEUE_BYTES (1U << 20)

/* For how long the thread lets lines gather, unless there are many already. */
#define GATHER_MS          10
#define QUEUE_URGENT_BYTES (QUEUE_BYTES / 4)

/* For how long the end waits until what is left is written: who reads at all reads it in less. */
#define CLOSE_MS 3000

/* Lines as put_line() makes them. */
struct queue {
    char *bytes; /* QUEUE_BYTES; NULL: there is no thread */
    size_t used;
};

static struct {
    atomic_int where;    /* enum log_sink */
    atomic_bool journal; /* standard error leads to systemd's journal */
    atomic_int level;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue waiting; /* guarded, as are the following */
    uint64_t lost;        /* lines for which there was no room, since it was last said */
    uint64_t lost_in_all; /* with those that could not be written */
    bool stop;            /* the thread is to end ... */
    bool ended;           /* ... and has */
    bool given_up; /* it has not: it hangs in a write for ever, and so would who follows it */
} sink = {.where = LOG_SINK_STDERR, .level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

static int facility_by_name(const char *name)
{
    static const struct {
        const char *name;
        int facility;
    } names[] = {
        {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},
        {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
        {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
        {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
    };
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].facility;
    return LOG_MAIL;
}

/* Standard error is the stream of the journal that systemd names in $JOURNAL_STREAM
   (systemd.exec(5)): the variable alone is inherited by programs whose standard error is somewhere
   else. */
static bool is_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat stream;
    return named != NULL && sscanf(named, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &stream) == 0 && (uintmax_t)stream.st_dev == device &&
           (uintmax_t)stream.st_ino == inode;
}

void log_open(enum log_sink where, const char *ident, const char *facility)
{
    atomic_store(&sink.journal, is_journal());
    if (where == LOG_SINK_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, facility_by_name(facility));
    atomic_store(&sink.where, (int)where);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&sink.level, (int)level, memory_order_relaxed);
}

/* --- where lines go -------------------------------------------------------------------------- */

static uint64_t count_lines(const char *bytes, size_t length)
{
    uint64_t lines = 0;
    for (const char *end = bytes + length; bytes < end; bytes++)
        lines += *bytes == '\n';
    return lines;
}

/* Nobody reads the log any more: only the counters can say so. */
static void count_lost(uint64_t lines)
{
    pthread_mutex_lock(&sink.lock);
    sink.lost_in_all += lines;
    pthread_mutex_unlock(&sink.lock);
}

static void write_bytes(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) { /* its opener made it non-blocking */
            (void)poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (written <= 0) {
            count_lost(count_lines(bytes, length));
            return;
        }
        bytes += written;
        length -= (size_t)written;
    }
}

static void write_syslog(const char *bytes, size_t length)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    for (size_t used; length > 0; bytes += used, length -= used) {
        syslog(priorities[(unsigned char)bytes[0]], "%s", bytes + 1);
        used = strlen(bytes + 1) + 2;
    }
}

static enum log_sink current_sink(void)
{
    return (enum log_sink)atomic_load_explicit(&sink.where, memory_order_relaxed);
}

/* Lines that put_line() made for that sink. */
static void write_out(enum log_sink where, const char *bytes, size_t length)
{
    if (where == LOG_SINK_SYSLOG)
        write_syslog(bytes, length);
    else
        write_bytes(bytes, length);
}

/* Write a line as it goes out, for syslog between its level in one byte and a NUL.  Returns its
   length, at most AROUND_MAX more than the text's. */
static size_t put_line(char *out, enum log_sink where, enum log_level level, const char *text,
                       size_t length)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    /* With the priorities of syslog(3), which journald takes off the line: sd-daemon(3). */
    static const char *const journal_words[] = {"<3>error: ", "<4>warning: ", "<6>", "<7>debug: "};
    size_t before = 1;
    if (where == LOG_SINK_SYSLOG) {
        out[0] = (char)level;
    } else {
        const char *word = (atomic_load(&sink.journal) ? journal_words : words)[level];
        before = strlen(word);
        memcpy(out, word, before);
    }
    memcpy(out + before, text, length);
    out[before + length] = where == LOG_SINK_SYSLOG ? '\0' : '\n';
    return before + length + 1;
}

uint64_t log_lost(void)
{
    pthread_mutex_lock(&sink.lock);
    uint64_t lost = sink.lost_in_all;
    pthread_mutex_unlock(&sink.lock);
    return lost;
}

/* Leave the line to the thread.  False: there is none. */
static bool enqueue(enum log_level level, const char *text, size_t length)
{
    pthread_mutex_lock(&sink.lock);
    struct queue *queue = &sink.waiting;
    bool running = queue->bytes != NULL, given_up = sink.given_up;
    if (given_up || (running && length + AROUND_MAX > QUEUE_BYTES - queue->used)) {
        sink.lost++;
        sink.lost_in_all++;
    } else if (running) {
        size_t before = queue->used;
        queue->used += put_line(queue->bytes + before, current_sink(), level, text, length);
        if (before == 0 || (before < QUEUE_URGENT_BYTES && queue->used >= QUEUE_URGENT_BYTES))
            (void)pthread_cond_signal(&sink.changed);
    }
    pthread_mutex_unlock(&sink.lock);
    return running || given_up;
}

static bool is_wanted(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

void log_line(enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES + AROUND_MAX];
    size_t length = strnlen(text, LINE_MAX_BYTES);
    if (!is_wanted(level) || enqueue(level, text, length))
        return;
    /* One write a line, so that lines of several threads never mix. */
    enum log_sink where = current_sink();
    write_out(where, line, put_line(line, where, level, text, length));
}

static void PRINTF_LIKE(2, 0) format_line(enum log_level level, const char *format, va_list args)
{
    char text[LINE_MAX_BYTES];
    if (is_wanted(level) && vsnprintf(text, sizeof text, format, args) >= 0)
        log_line(level, text);
}

#define DEFINE_LOG(function, level)                                                                \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        format_line(level, format, args);                                                          \
        va_end(args);                                                                              \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

/* --- the thread ------------------------------------------------------------------------------ */

static struct timespec in_ms(int64_t ms)
{
    return thread_deadline(clock_ms(&clock_system) + ms);
}

/* Exchange an empty queue for one with what has gathered.  False: it is the last one. */
static bool next_queue(struct queue *queue, uint64_t *lost)
{
    int waited = 0;
    pthread_mutex_lock(&sink.lock);
    while (sink.waiting.used == 0 && !sink.stop)
        (void)pthread_cond_wait(&sink.changed, &sink.lock);
    const struct timespec until = in_ms(GATHER_MS);
    while (sink.waiting.used < QUEUE_URGENT_BYTES && !sink.stop && waited == 0)
        waited = pthread_cond_timedwait(&sink.changed, &sink.lock, &until);
    struct queue empty = {.bytes = sink.stop ? NULL : queue->bytes};
    char *spare = sink.stop ? queue->bytes : NULL;
    *queue = sink.waiting;
    sink.waiting = empty;
    *lost = sink.lost;
    sink.lost = 0;
    pthread_mutex_unlock(&sink.lock);
    free(spare);
    return empty.bytes != NULL;
}

/* Not through the queue, which may be full. */
static void tell_lost(uint64_t lost)
{
    char text[128], line[sizeof text + AROUND_MAX];
    int length = snprintf(text, sizeof text, "the log is read too slowly: %" PRIu64 " line%s lost",
                          lost, plural_of(lost, " was", "s were"));
    enum log_sink where = current_sink();
    if (length > 0)
        write_out(where, line, put_line(line, where, LOG_LEVEL_WARNING, text, (size_t)length));
}

static void *thread_main(void *arg)
{
    struct queue queue = {.bytes = arg};
    for (bool more = true; more;) {
        uint64_t lost;
        more = next_queue(&queue, &lost);
        write_out(current_sink(), queue.bytes, queue.used);
        if (lost > 0)
            tell_lost(lost);
    }
    free(queue.bytes);
    pthread_mutex_lock(&sink.lock);
    sink.ended = true;
    (void)pthread_cond_signal(&sink.changed);
    pthread_mutex_unlock(&sink.lock);
    return NULL;
}

static enum result make_thread(char *writing)
{
    enum result status = thread_condition_init(&sink.changed);
    if (status != RESULT_OK)
        return status;
    status = thread_start(&sink.thread, thread_main, writing, "iprevd-log");
    if (status != RESULT_OK)
        (void)pthread_cond_destroy(&sink.changed);
    return status;
}

enum result log_start(void)
{
    char *waiting = malloc(QUEUE_BYTES), *writing = malloc(QUEUE_BYTES);
    if (waiting == NULL || writing == NULL || make_thread(writing) != RESULT_OK) {
        int error = errno;
        free(waiting);
        free(writing);
        errno = error; /* free() may change it */
        return RESULT_IO;
    }
    pthread_mutex_lock(&sink.lock);
    sink.waiting = (struct queue){.bytes = waiting};
    pthread_mutex_unlock(&sink.lock);
    return RESULT_OK;
}

/* False: the reader of the log has stopped, and the thread waits for it. */
static bool end_thread(void)
{
    int waited = 0;
    const struct timespec until = in_ms(CLOSE_MS);
    pthread_mutex_lock(&sink.lock);
    bool running = sink.waiting.bytes != NULL && !sink.given_up;
    sink.stop = sink.stop || running;
    if (running)
        (void)pthread_cond_signal(&sink.changed);
    while (running && !sink.ended && waited == 0)
        waited = pthread_cond_timedwait(&sink.changed, &sink.lock, &until);
    sink.given_up = sink.given_up || (running && !sink.ended);
    bool given_up = sink.given_up;
    pthread_mutex_unlock(&sink.lock);
    if (running && !given_up) {
        (void)pthread_join(sink.thread, NULL);
        (void)pthread_cond_destroy(&sink.changed);
        sink.stop = sink.ended = false;
    }
    return !given_up;
}

void log_close(void)
{
    if (!end_thread())
        return; /* it still uses what would be closed */
    if (current_sink() == LOG_SINK_SYSLOG)
        closelog();
    atomic_store(&sink.where, LOG_SINK_STDERR);
}
