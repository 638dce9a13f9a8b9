/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/decisionlog.h"

#include "base/log.h"
#include "base/plural.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/uio.h>
#include <unistd.h>

/* Bytes that wait for the disk, and as many again that the thread is writing: a minute of a busy
   server's decisions. */
#define QUEUE_MAX_BYTES (4U << 20)

struct line {
    STAILQ_ENTRY(line) link;
    size_t length;
    char *text;
};

STAILQ_HEAD(lines, line);

struct decisionlog {
    struct metric *count; /* by fate */
    bool started;
    pthread_t thread;
    atomic_bool wanted;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lines waiting; /* guarded, as are the following */
    size_t waiting_bytes;
    uint64_t overflow; /* lines for which there was no room, since it was last said */
    char *path;        /* NULL: off */
    bool reopen;
    bool stop;

    /* The thread's own. */
    int fd;
    bool borrowed; /* it is standard output, whose flags are not ours */
    bool torn;     /* the file ends in a part of a line */
    /* Lines lost since it was last said, and why: said once when it begins and once at its end. */
    uint64_t lost;
    bool reported;
};

enum decisionlog_fate { FATE_WRITTEN, FATE_LOST, FATE_COUNT };

static const char *const fates[FATE_COUNT] = {"written", "lost"};

/* --- the callers' side ---------------------------------------------------------------------- */

struct decisionlog *decisionlog_new(struct metrics *metrics)
{
    static const struct metric_desc count = {"iprevd_decision_log_lines_total",
                                             "Lines for the decision log, written or lost.",
                                             METRIC_COUNTER,
                                             {{"result", fates, FATE_COUNT}}};
    struct decisionlog *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    if (thread_lock_init(&log->lock, &log->changed) != RESULT_OK) {
        free(log);
        return NULL;
    }
    STAILQ_INIT(&log->waiting);
    log->fd = -1;
    log->count = metrics_declare(metrics, &count);
    if (log->count != NULL)
        return log;
    decisionlog_free(log);
    return NULL;
}

enum result decisionlog_set_path(struct decisionlog *log, const char *path)
{
    char *copy = path == NULL ? NULL : strdup(path);
    if (path != NULL && copy == NULL)
        return RESULT_NOMEM;
    pthread_mutex_lock(&log->lock);
    bool same = (path == NULL && log->path == NULL) ||
                (path != NULL && log->path != NULL && strcmp(path, log->path) == 0);
    char *old = same ? copy : log->path;
    if (!same) {
        log->path = copy;
        log->reopen = true;
        atomic_store(&log->wanted, copy != NULL);
        pthread_cond_signal(&log->changed);
    }
    pthread_mutex_unlock(&log->lock);
    free(old);
    return RESULT_OK;
}

bool decisionlog_wanted(const struct decisionlog *log)
{
    return atomic_load_explicit(&log->wanted, memory_order_relaxed);
}

static void line_free(struct line *line)
{
    free(line->text);
    free(line);
}

void decisionlog_put(struct decisionlog *log, char *text)
{
    struct line *line = text == NULL ? NULL : malloc(sizeof *line);
    bool taken = false;
    if (line != NULL) {
        *line = (struct line){.length = strlen(text), .text = text};
        pthread_mutex_lock(&log->lock);
        taken = log->waiting_bytes + line->length <= QUEUE_MAX_BYTES;
        if (taken) {
            STAILQ_INSERT_TAIL(&log->waiting, line, link);
            log->waiting_bytes += line->length;
            pthread_cond_signal(&log->changed);
        } else {
            log->overflow++;
        }
        pthread_mutex_unlock(&log->lock);
    }
    if (taken)
        return;
    metric_add(log->count, FATE_LOST, 0, 1);
    free(line);
    free(text);
}

void decisionlog_reopen(struct decisionlog *log)
{
    pthread_mutex_lock(&log->lock);
    log->reopen = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
}

/* --- the thread ----------------------------------------------------------------------------- */

static void tell_trouble(struct decisionlog *log, const char *path, const char *what, int reason)
{
    if (!log->reported)
        log_error("decision log %s: %s: %s: lines are lost, mail is not", path, what,
                  strerror(reason));
    log->reported = true;
}

static void lose(struct decisionlog *log)
{
    log->lost++;
    metric_add(log->count, FATE_LOST, 0, 1);
}

/* O_NONBLOCK: a pipe without a reader must not hold up the thread. */
static int open_path(struct decisionlog *log, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    log->borrowed = false;
    if (fd < 0 && strcmp(path, "/dev/stdout") == 0) {
        /* A socket, or a pipe of somebody who started us and is somebody else. */
        log->borrowed = true;
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    }
    return fd;
}

/* Would a line be taken at once?  A pipe that is ready takes PIPE_BUF bytes, which are more. */
static bool is_ready(const struct decisionlog *log)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    return !log->borrowed || poll(&ready, 1, 0) != 0;
}

/* Open the file anew.  One that cannot be opened leaves the one that is open, if it has that name.
 */
static void open_file(struct decisionlog *log, const char *path, bool other_file)
{
    int fd = -1;
    if (path != NULL) {
        fd = open_path(log, path);
        if (fd < 0)
            tell_trouble(log, path, "cannot open it", errno);
        if (fd < 0 && !other_file)
            return;
    }
    if (log->fd >= 0)
        (void)close(log->fd);
    log->fd = fd;
    log->torn = false;
}

/*
 * Write one line.  What went before it may be a part of a line, which then gets a line of its own:
 * readers skip it.
 */
static void write_line(struct decisionlog *log, const char *path, const struct line *line)
{
    static char feed[] = "\n";
    struct iovec parts[3] = {{feed, log->torn ? 1 : 0}, {line->text, line->length}, {feed, 1}};
    size_t length = parts[0].iov_len + line->length + 1;
    if (log->fd < 0)
        open_file(log, path, false);
    if (log->fd < 0) {
        lose(log);
        return;
    }
    ssize_t written;
    if (!is_ready(log)) {
        tell_trouble(log, path, "cannot write", EAGAIN);
        lose(log);
        return;
    }
    do
        written = writev(log->fd, parts, 3);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)length) {
        log->torn = false;
        metric_add(log->count, FATE_WRITTEN, 0, 1);
        if (log->reported)
            log_info("decision log %s: written again, %llu line%s lost", path,
                     (unsigned long long)log->lost, plural_of(log->lost, " was", "s were"));
        log->reported = false;
        log->lost = 0;
        return;
    }
    tell_trouble(log, path, "cannot write", written < 0 ? errno : ENOSPC);
    log->torn = log->torn || written > 0;
    lose(log);
}

/* Everything that is to be done next, taken under the lock. */
struct turn {
    struct lines lines;
    char *path; /* a copy; NULL: off */
    uint64_t overflow;
    bool reopen, stop;
};

static void wait_for_turn(struct decisionlog *log, struct turn *turn)
{
    STAILQ_INIT(&turn->lines);
    pthread_mutex_lock(&log->lock);
    while (STAILQ_EMPTY(&log->waiting) && !log->reopen && !log->stop)
        pthread_cond_wait(&log->changed, &log->lock);
    STAILQ_CONCAT(&turn->lines, &log->waiting);
    log->waiting_bytes = 0;
    turn->path = log->path == NULL ? NULL : strdup(log->path);
    turn->overflow = log->overflow;
    log->overflow = 0;
    turn->reopen = log->reopen;
    turn->stop = log->stop;
    log->reopen = false;
    pthread_mutex_unlock(&log->lock);
}

static void *thread_main(void *arg)
{
    struct decisionlog *log = arg;
    char *last_path = NULL;
    for (bool stop = false; !stop;) {
        struct turn turn;
        wait_for_turn(log, &turn);
        stop = turn.stop;
        bool other_file =
            turn.path == NULL || last_path == NULL || strcmp(turn.path, last_path) != 0;
        if (turn.overflow > 0)
            log_warning("decision log: the disk is too slow: %llu line%s lost, mail was not",
                        (unsigned long long)turn.overflow,
                        plural_of(turn.overflow, " was", "s were"));
        if (turn.reopen)
            open_file(log, turn.path, other_file);
        while (!STAILQ_EMPTY(&turn.lines)) {
            struct line *line = STAILQ_FIRST(&turn.lines);
            STAILQ_REMOVE_HEAD(&turn.lines, link);
            if (turn.path != NULL)
                write_line(log, turn.path, line);
            else
                lose(log); /* switched off meanwhile */
            line_free(line);
        }
        free(last_path);
        last_path = turn.path;
    }
    free(last_path);
    return NULL;
}

enum result decisionlog_start(struct decisionlog *log)
{
    enum result status = thread_start(&log->thread, thread_main, log, "iprevd-decision");
    log->started = status == RESULT_OK;
    return status;
}

void decisionlog_free(struct decisionlog *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
    if (log->started)
        (void)pthread_join(log->thread, NULL);
    while (!STAILQ_EMPTY(&log->waiting)) {
        struct line *line = STAILQ_FIRST(&log->waiting);
        STAILQ_REMOVE_HEAD(&log->waiting, link);
        line_free(line);
    }
    if (log->fd >= 0)
        (void)close(log->fd);
    free(log->path);
    (void)pthread_cond_destroy(&log->changed);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}
