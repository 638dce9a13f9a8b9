/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* One line, longer ones are cut: syslog daemons take at least this much. */
#define LINE_MAX_BYTES 4096

static struct {
    enum log_sink sink;
    atomic_int level;
} sink = {.sink = LOG_SINK_STDERR, .level = LOG_LEVEL_INFO};

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

void log_open(enum log_sink where, const char *ident, const char *facility)
{
    sink.sink = where;
    if (where == LOG_SINK_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, facility_by_name(facility));
}

void log_close(void)
{
    if (sink.sink == LOG_SINK_SYSLOG)
        closelog();
    sink.sink = LOG_SINK_STDERR;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&sink.level, (int)level, memory_order_relaxed);
}

static void PRINTF_LIKE(2, 0) write_line(enum log_level level, const char *format, va_list args)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    if ((int)level > atomic_load_explicit(&sink.level, memory_order_relaxed))
        return;
    char line[LINE_MAX_BYTES];
    int written = vsnprintf(line, sizeof line - 1, format, args);
    if (written < 0)
        return;
    if (sink.sink == LOG_SINK_SYSLOG) {
        syslog(priorities[level], "%s", line);
        return;
    }
    /* One write a line, so that lines of several threads never mix. */
    char out[LINE_MAX_BYTES + 16];
    int length = snprintf(out, sizeof out, "%s%s\n", words[level], line);
    if (length > 0 && write(STDERR_FILENO, out, (size_t)length) < 0)
        return; /* there is nowhere left to say so */
}

#define DEFINE_LOG(function, level)                                                                \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        write_line(level, format, args);                                                           \
        va_end(args);                                                                              \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
