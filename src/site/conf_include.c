/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_include.h"

#include "site/conf_text.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The text that is put together, and where its pieces come from. */
struct assembly {
    char *text; /* room for CONF_SIZE_MAX and a NUL */
    size_t length;
    unsigned line; /* of the text, the one that is written */
    struct conf_files *files;
    struct conf_messages *messages;
};

void conf_files_clear(struct conf_files *files)
{
    for (size_t i = 0; i < files->path_count; i++)
        free(files->paths[i]);
    free(files->paths);
    free(files->sources);
    *files = (struct conf_files){0};
}

static enum result out_of_memory(const struct assembly *assembly)
{
    conf_nomem(assembly->messages);
    return RESULT_NOMEM;
}

/* The name as one of the files'; NULL: no memory. */
static const char *add_path(struct assembly *assembly, const char *path)
{
    struct conf_files *files = assembly->files;
    char **paths = reallocarray(files->paths, files->path_count + 1, sizeof *paths);
    if (paths == NULL)
        return NULL;
    files->paths = paths;
    paths[files->path_count] = strdup(path);
    return paths[files->path_count] == NULL ? NULL : paths[files->path_count++];
}

/* A piece of a file, from its line `line` on, begins a line of the text. */
static enum result add_piece(struct assembly *assembly, const char *path, unsigned line,
                             const char *piece, size_t length)
{
    struct conf_files *files = assembly->files;
    if (length + 1 > CONF_SIZE_MAX - assembly->length) {
        conf_error(assembly->messages, 0, "larger than 1 MiB with what it includes");
        return RESULT_LIMIT;
    }
    struct conf_source *sources =
        reallocarray(files->sources, files->source_count + 1, sizeof *sources);
    if (sources == NULL)
        return out_of_memory(assembly);
    files->sources = sources;
    sources[files->source_count++] = (struct conf_source){assembly->line, line, path};
    memcpy(assembly->text + assembly->length, piece, length);
    assembly->length += length;
    assembly->text[assembly->length++] = '\n';
    assembly->line++;
    for (size_t i = 0; i < length; i++)
        assembly->line += piece[i] == '\n';
    return RESULT_OK;
}

static enum result include_file(struct assembly *assembly, const char *path, unsigned line)
{
    char *text = NULL;
    size_t length = 0;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        conf_error(
            assembly->messages, line,
            "include(): found \"%.100s\", a directory; allowed: a file, or a pattern such as "
            "\"%.100s/*.conf\"",
            path, path);
        return RESULT_INVALID;
    }
    const char *kept = add_path(assembly, path);
    if (kept == NULL)
        return out_of_memory(assembly);
    struct conf_messages messages = {.report = assembly->messages->report, .path = kept};
    enum result status = conf_text_read(kept, &text, &length, NULL, &messages);
    assembly->messages->errors += messages.errors;
    if (status == RESULT_OK)
        status = add_piece(assembly, kept, 1, text, length);
    free(text);
    return status;
}

/* Where the first component of a path with a wildcard begins; its end where there is none. */
static size_t wild_at(const char *path)
{
    size_t wild = strcspn(path, "*?[");
    if (path[wild] != '\0')
        while (wild > 0 && path[wild - 1] != '/')
            wild--;
    return wild;
}

/*
 * A pattern that names no file: a directory that is empty is none of an administrator's errors.
 * `own`: where the pattern as it was written begins in the path.
 */
static enum result check_nothing(struct assembly *assembly, const char *path, size_t own,
                                 unsigned line)
{
    struct stat st;
    size_t wild = own + wild_at(path + own);
    bool named = path[wild] == '\0';
    char *place = wild == 0 ? strdup(".") : strndup(path, wild);
    if (place == NULL)
        return out_of_memory(assembly);
    enum result status = !named && stat(place, &st) == 0 ? RESULT_OK : RESULT_INVALID;
    if (status != RESULT_OK)
        conf_error(assembly->messages, line, "include(\"%.100s\"): %s: %s", path, place,
                   strerror(named ? ENOENT : errno));
    free(place);
    return status;
}

static int refuse(const char *path, int error)
{
    (void)path;
    errno = error;
    return 1;
}

/* `pattern`: the path for glob(). */
static enum result include_pattern(struct assembly *assembly, const char *pattern, const char *path,
                                   size_t own, unsigned line)
{
    glob_t found = {0};
    enum result status = RESULT_OK;
    switch (glob(pattern, 0, refuse, &found)) {
    case 0:
        for (size_t i = 0; i < found.gl_pathc && status == RESULT_OK; i++)
            status = include_file(assembly, found.gl_pathv[i], line);
        break;
    case GLOB_NOMATCH:
        status = check_nothing(assembly, path, own, line);
        break;
    case GLOB_NOSPACE:
        status = out_of_memory(assembly);
        break;
    default:
        conf_error(assembly->messages, line, "include(\"%.100s\"): %s", path, strerror(errno));
        status = RESULT_IO;
    }
    globfree(&found);
    return status;
}

/* Of the directory's name nothing is a wildcard.  NULL: out of memory. */
static char *escape(const char *path, size_t directory)
{
    size_t length = strlen(path);
    char *pattern = malloc(length + directory + 1), *to = pattern;
    for (size_t i = 0; pattern != NULL && i <= length; i++) {
        if (i < directory && strchr("*?[\\", path[i]) != NULL)
            *to++ = '\\';
        *to++ = path[i];
    }
    return pattern;
}

/* Relative patterns start from the directory of the configuration. */
static enum result include(struct assembly *assembly, const struct conf_text_include *include)
{
    const char *from = assembly->messages->path;
    const char *slash = strrchr(from, '/');
    size_t directory = include->pattern[0] == '/' || slash == NULL ? 0 : (size_t)(slash - from) + 1;
    char *path = NULL;
    if (asprintf(&path, "%.*s%s", (int)directory, from, include->pattern) < 0)
        return out_of_memory(assembly);
    char *pattern = escape(path, directory);
    enum result status = pattern == NULL
                             ? out_of_memory(assembly)
                             : include_pattern(assembly, pattern, path, directory, include->line);
    free(pattern);
    free(path);
    return status;
}

/* The pieces of the file, and between them what it includes. */
static enum result assemble(struct assembly *assembly, const char *text, size_t length,
                            const struct conf_text_includes *includes)
{
    const char *path = add_path(assembly, assembly->messages->path);
    size_t at = 0;
    unsigned line = 1;
    enum result status = path == NULL ? out_of_memory(assembly) : RESULT_OK;
    for (size_t i = 0; i < includes->count && status == RESULT_OK; i++) {
        const struct conf_text_include *one = &includes->list[i];
        status = add_piece(assembly, path, line, text + at, one->at - at);
        if (status == RESULT_OK)
            status = include(assembly, one);
        at = one->at;
        line = one->line;
    }
    return status == RESULT_OK ? add_piece(assembly, path, line, text + at, length - at) : status;
}

enum result conf_include_read(const char *path, char **text, size_t *length,
                              struct conf_files *files, struct conf_messages *messages)
{
    char *first = NULL;
    size_t first_length = 0;
    struct assembly assembly = {.line = 1, .files = files, .messages = messages};
    struct conf_text_includes *includes = calloc(1, sizeof *includes);
    *files = (struct conf_files){0};
    if (includes == NULL)
        return out_of_memory(&assembly);
    enum result status = conf_text_read(path, &first, &first_length, includes, messages);
    if (status == RESULT_OK && includes->count == 0) {
        *text = first;
        *length = first_length;
        free(includes);
        return RESULT_OK;
    }
    if (status == RESULT_OK) {
        assembly.text = malloc(CONF_SIZE_MAX + 1);
        status = assembly.text == NULL ? out_of_memory(&assembly)
                                       : assemble(&assembly, first, first_length, includes);
    }
    free(first);
    free(includes);
    if (status != RESULT_OK) {
        free(assembly.text);
        conf_files_clear(files);
        return status;
    }
    assembly.text[assembly.length] = '\0';
    *text = assembly.text;
    *length = assembly.length;
    return RESULT_OK;
}
