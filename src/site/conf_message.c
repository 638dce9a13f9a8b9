/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_message.h"

#include "base/utf8.h"
#include "site/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 1600
#define FOUND_MAX   100

/* Keep backslashes and UTF-8 as they are: people look for what they wrote. */
static void make_printable(const char *text, char *out, size_t size)
{
    size_t length = 0;
    while (*text != '\0' && length + sizeof "\\xNN" < size) {
        size_t bytes = utf8_printable(text);
        if (bytes > 0) {
            memcpy(out + length, text, bytes);
            length += bytes;
            text += bytes;
        } else {
            length +=
                (size_t)snprintf(out + length, size - length, "\\x%02x", (unsigned char)*text++);
        }
    }
    out[length] = '\0';
}

struct conf_source conf_source_of(const struct conf_messages *messages, unsigned line)
{
    struct conf_source found = {line, line, messages->path};
    for (size_t i = 0; i < messages->source_count && messages->sources[i].first <= line; i++) {
        found = messages->sources[i];
        found.line += line - found.first;
    }
    return found;
}

const char *conf_where(const struct conf_messages *messages, unsigned line, unsigned from,
                       char out[CONF_WHERE_MAX])
{
    const struct conf_source source = conf_source_of(messages, line);
    if (strcmp(source.path, conf_source_of(messages, from).path) == 0)
        (void)snprintf(out, CONF_WHERE_MAX, "line %u", source.line);
    else
        (void)snprintf(out, CONF_WHERE_MAX, "line %u of %.255s", source.line, source.path);
    return out;
}

PRINTF_LIKE(4, 0)
static void tell(const struct conf_messages *messages, unsigned line,
                 void (*call)(void *arg, const char *message), const char *format, va_list args)
{
    char raw[MESSAGE_MAX], out[MESSAGE_MAX];
    const struct conf_source source = conf_source_of(messages, line);
    int at = line > 0 ? snprintf(raw, sizeof raw, "%.255s:%u: ", source.path, source.line)
                      : snprintf(raw, sizeof raw, "%.255s: ", messages->path);
    vsnprintf(raw + at, sizeof raw - (size_t)at, format, args);
    make_printable(raw, out, sizeof out);
    if (call != NULL)
        call(messages->report->arg, out);
}

void conf_error(struct conf_messages *messages, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(messages, line, messages->report->error, format, args);
    va_end(args);
    messages->errors++;
}

void conf_warning(struct conf_messages *messages, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(messages, line, messages->report->warning, format, args);
    va_end(args);
}

void conf_notice(struct conf_messages *messages, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(messages, line, messages->report->notice, format, args);
    va_end(args);
}

void conf_bad_value(struct conf_messages *messages, unsigned line, const char *key,
                    const char *found, const char *allowed)
{
    const char *more = strlen(found) > FOUND_MAX ? "..." : "";
    conf_error(messages, line, "key \"%s\": found \"%.*s%s\"; allowed: %s", key, FOUND_MAX, found,
               more, allowed);
}

void conf_nomem(struct conf_messages *messages)
{
    conf_error(messages, 0, "out of memory");
}
