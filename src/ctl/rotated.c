/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/rotated.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DATE_DIGITS 8 /* the least that dateformat has: %Y%m%d */
#define DIGITS_MAX  16

static const char *const compressed[] = {".gz",  ".bz2",  ".xz", ".zst",
                                         ".lz4", ".lzma", ".lz", ".Z"};

/* The length of `name` without an extension of a compressed file. */
static size_t plain_length(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof compressed / sizeof compressed[0]; i++) {
        size_t end = strlen(compressed[i]);
        if (length > end && strcmp(name + length - end, compressed[i]) == 0)
            return length - end;
    }
    return length;
}

/* ".7"; "-20261128", "_20261128", ".2026-11-28" and what a dateformat may put behind: digits,
   hyphens, underscores; ".20261128T030000" of FreeBSD's newsyslog -t. */
static bool is_mark(const char *text, size_t length)
{
    size_t digits = 0;
    if (length < 2 || length > DIGITS_MAX + 4 || strchr(".-_", text[0]) == NULL)
        return false;
    for (size_t i = 1; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        digits += digit;
        if (!digit && text[i] != '-' && text[i] != '_' && (text[i] != 'T' || digits < DATE_DIGITS))
            return false;
    }
    bool number = text[0] == '.' && digits == length - 1;
    return digits >= DATE_DIGITS ? !number || digits <= DIGITS_MAX : number;
}

bool rotated_is_sibling(const char *base, const char *name)
{
    size_t whole = strlen(base), length = plain_length(name);
    if (length > whole && strncmp(name, base, whole) == 0 && is_mark(name + whole, length - whole))
        return true;
    const char *extension = strrchr(base, '.');
    if (extension == NULL || extension == base || length <= whole)
        return false;
    size_t stem = (size_t)(extension - base), tail = whole - stem;
    return strncmp(name, base, stem) == 0 && strncmp(name + length - tail, extension, tail) == 0 &&
           is_mark(name + stem, length - whole);
}

struct candidate {
    char *path;
    struct timespec written;
};

struct collection {
    struct candidate *rows;
    size_t count, size;
};

static void clear(struct collection *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->rows[i].path);
    free(all->rows);
}

static bool add(struct collection *all, const char *path, struct timespec written)
{
    if (all->count == all->size) {
        size_t size = all->size == 0 ? 32 : 2 * all->size;
        struct candidate *rows = reallocarray(all->rows, size, sizeof *rows);
        if (rows == NULL)
            return false;
        all->rows = rows;
        all->size = size;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    all->rows[all->count++] = (struct candidate){copy, written};
    return true;
}

/* While logrotate compresses a file both are there: the plain one is whole. */
static bool is_being_compressed(const char *path)
{
    struct stat info;
    char *plain = strndup(path, plain_length(path));
    bool both = plain != NULL && strcmp(plain, path) != 0 && stat(plain, &info) == 0;
    free(plain);
    return both;
}

static enum result take(struct collection *all, const char *directory, const char *name,
                        int64_t since_s)
{
    char *path = NULL;
    struct stat info;
    enum result result = RESULT_OK;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return RESULT_NOMEM;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && (int64_t)info.st_mtime >= since_s &&
        !is_being_compressed(path) && !add(all, path, info.st_mtim))
        result = RESULT_NOMEM;
    free(path);
    return result;
}

static int by_time(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->written.tv_sec != right->written.tv_sec)
        return left->written.tv_sec < right->written.tv_sec ? -1 : 1;
    if (left->written.tv_nsec != right->written.tv_nsec)
        return left->written.tv_nsec < right->written.tv_nsec ? -1 : 1;
    return strcmp(right->path, left->path); /* NAME.2 is older than NAME.1 */
}

static enum result read_directory(const char *directory, const char *base, int64_t since_s,
                                  struct collection *all)
{
    enum result result = RESULT_OK;
    DIR *dir = opendir(directory);
    if (dir == NULL)
        return RESULT_IO;
    for (struct dirent *entry; result == RESULT_OK && (entry = readdir(dir)) != NULL;)
        if (rotated_is_sibling(base, entry->d_name))
            result = take(all, directory, entry->d_name, since_s);
    (void)closedir(dir);
    return result;
}

static enum result give(struct collection *all, const char *path, struct rotated *out)
{
    if (all->count > 1)
        qsort(all->rows, all->count, sizeof all->rows[0], by_time);
    out->paths = calloc(all->count + 1, sizeof *out->paths);
    if (out->paths == NULL)
        return RESULT_NOMEM;
    for (size_t i = 0; i < all->count; i++) {
        out->paths[out->count++] = all->rows[i].path;
        all->rows[i].path = NULL;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return RESULT_NOMEM;
    out->paths[out->count++] = copy;
    return RESULT_OK;
}

enum result rotated_find(const char *path, int64_t since_s, struct rotated *out)
{
    struct collection all = {0};
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    memset(out, 0, sizeof *out);
    char *directory = slash == NULL   ? strdup(".")
                      : slash == path ? strdup("/")
                                      : strndup(path, (size_t)(slash - path));
    if (directory == NULL)
        return RESULT_NOMEM;
    enum result result = read_directory(directory, base, since_s, &all);
    int reason = errno;
    free(directory);
    if (result == RESULT_OK)
        result = give(&all, path, out);
    clear(&all);
    errno = reason;
    return result;
}

void rotated_free(struct rotated *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    memset(files, 0, sizeof *files);
}
