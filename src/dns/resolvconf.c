/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolvconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A word of the text; not terminated. */
struct word {
    const char *text;
    size_t length;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\0';
}

/* The next word of the line, which ends at `end`; its length is 0 when there is none. */
static struct word next_word(const char **at, const char *end)
{
    struct word word;
    while (*at < end && is_space(**at))
        ++*at;
    word.text = *at;
    while (*at < end && !is_space(**at))
        ++*at;
    word.length = (size_t)(*at - word.text);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* "name:number": true and *out, at most `max`; more digits than a number has are `max` too. */
static bool word_number(struct word word, const char *name, unsigned max, unsigned *out)
{
    size_t at = strlen(name);
    unsigned value = 0;
    if (word.length <= at || memcmp(word.text, name, at) != 0)
        return false;
    for (; at < word.length; at++) {
        if (word.text[at] < '0' || word.text[at] > '9')
            return false;
        value = value * 10 + (unsigned)(word.text[at] - '0');
        if (value > max)
            value = max;
    }
    *out = value;
    return true;
}

static void read_option(struct word word, struct resolvconf *out)
{
    unsigned number;
    if (word_number(word, "timeout:", RESOLVCONF_TIMEOUT_MAX_S, &number) && number > 0)
        out->timeout_ms = number * 1000;
    else if (word_is(word, "rotate"))
        out->rotate = true;
    else if (word_is(word, "use-vc"))
        out->use_vc = true;
    else if (word_is(word, "trust-ad"))
        out->trust_ad = true;
}

/* Would the text be an address if its interface were there? */
static bool is_absent(char *text)
{
    struct network_server server;
    char *scope = strchr(text, '%');
    if (scope == NULL || scope[1] == '\0')
        return false;
    scope[1] = '1';
    scope[2] = '\0';
    return network_server_parse(text, &server) == RESULT_OK;
}

/* A port is not part of this file's syntax: only addresses are taken, as by the C library. */
static void read_server(struct word word, struct resolvconf *out)
{
    char text[SERVER_TEXT_MAX + 16]; /* room for an interface's name */
    struct network_server server;
    size_t colons = 0;
    for (size_t i = 0; i < word.length; i++)
        colons += word.text[i] == ':';
    if (word.length >= sizeof text || out->count == RESOLVCONF_SERVERS_MAX || colons == 1) {
        out->ignored++;
        return;
    }
    memcpy(text, word.text, word.length);
    text[word.length] = '\0';
    if (text[0] == '[' || network_server_parse(text, &server) != RESULT_OK) {
        out->ignored++;
        out->absent += text[0] != '[' && is_absent(text);
        return;
    }
    for (unsigned i = 0; i < out->count; i++)
        if (network_server_equal(&out->servers[i], &server))
            return;
    out->servers[out->count++] = server;
}

static void read_line(const char *at, const char *end, struct resolvconf *out)
{
    struct word key = next_word(&at, end);
    if (word_is(key, "nameserver")) {
        read_server(next_word(&at, end), out);
    } else if (word_is(key, "options")) {
        struct word word;
        while ((word = next_word(&at, end)).length > 0)
            read_option(word, out);
    }
}

void resolvconf_parse(const char *text, size_t length, struct resolvconf *out)
{
    const char *at = text, *end = text + length;
    memset(out, 0, sizeof *out);
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        if (eol == NULL)
            eol = end;
        read_line(at, eol, out);
        at = eol < end ? eol + 1 : end;
    }
    out->none = out->count == 0;
    if (out->none)
        out->servers[out->count++] = (struct network_server){
            .addr = {.family = IP_V4, .bytes = {127, 0, 0, 1}}, .port = NETWORK_PORT};
}

static void make_stamp(const struct stat *st, struct resolvconf_stamp *out)
{
    memset(out, 0, sizeof *out);
    out->exists = true;
    out->device = (uint64_t)st->st_dev;
    out->inode = (uint64_t)st->st_ino;
    out->size = (int64_t)st->st_size;
    out->mtime_s = (int64_t)st->st_mtim.tv_sec;
    out->mtime_ns = (int64_t)st->st_mtim.tv_nsec;
}

/* -1 with errno: there is no such file, or it is none: a pipe would hold us up, for ever maybe. */
static int open_plain(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), error = EINVAL;
    if (fd < 0)
        return -1;
    if (fstat(fd, st) != 0)
        error = errno;
    else if (S_ISDIR(st->st_mode))
        error = EISDIR;
    else if (S_ISREG(st->st_mode))
        return fd;
    (void)close(fd);
    errno = error;
    return -1;
}

/* Up to RESOLVCONF_SIZE_MAX bytes; -1 with errno. */
static ssize_t read_text(int fd, char *text)
{
    size_t length = 0;
    while (length < RESOLVCONF_SIZE_MAX) {
        ssize_t got = read(fd, text + length, RESOLVCONF_SIZE_MAX - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

enum result resolvconf_read(const char *path, struct resolvconf *out,
                            struct resolvconf_stamp *stamp)
{
    struct stat st = {0};
    resolvconf_parse("", 0, out);
    memset(stamp, 0, sizeof *stamp);
    char *text = malloc(RESOLVCONF_SIZE_MAX);
    if (text == NULL)
        return RESULT_NOMEM;
    int fd = open_plain(path, &st);
    ssize_t length = fd < 0 ? -1 : read_text(fd, text);
    int error = errno;
    if (st.st_nlink > 0) /* there is something, whatever it is */
        make_stamp(&st, stamp);
    if (length >= 0)
        resolvconf_parse(text, (size_t)length, out);
    if (fd >= 0)
        (void)close(fd);
    free(text);
    errno = error;
    return length >= 0 ? RESULT_OK : RESULT_IO;
}

bool resolvconf_changed(const char *path, const struct resolvconf_stamp *stamp)
{
    struct stat st;
    struct resolvconf_stamp now = {0};
    if (stat(path, &st) == 0)
        make_stamp(&st, &now);
    return now.exists != stamp->exists || now.device != stamp->device ||
           now.inode != stamp->inode || now.size != stamp->size || now.mtime_s != stamp->mtime_s ||
           now.mtime_ns != stamp->mtime_ns;
}
