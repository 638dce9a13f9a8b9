/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".new";

enum result replace_file_begin(struct replace_file *file, const char *path, mode_t mode)
{
    size_t length = strlen(path);
    *file = (struct replace_file){.path = path, .fd = -1};
    file->temporary = malloc(length + sizeof suffix);
    if (file->temporary == NULL)
        return RESULT_NOMEM;
    memcpy(file->temporary, path, length);
    memcpy(file->temporary + length, suffix, sizeof suffix);
    (void)unlink(file->temporary);
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file->fd >= 0)
        return RESULT_OK;
    int reason = errno;
    free(file->temporary);
    errno = reason;
    return RESULT_IO;
}

enum result replace_file_write(struct replace_file *file, const void *bytes, size_t length)
{
    for (const char *at = bytes; length > 0;) {
        ssize_t written = write(file->fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return RESULT_IO;
        at += written;
        length -= (size_t)written;
    }
    return RESULT_OK;
}

/* The directory of `path`, opened; -1 with errno. */
static int open_directory(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -1;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = errno;
    free(copy);
    errno = reason;
    return fd;
}

/* Before the new name is there, and by the descriptor: the directory's owner may rename and link
   whatever he likes meanwhile.  A file that stays root's is better than none. */
static void give_to_owner(int fd, int directory)
{
    struct stat owner;
    if (geteuid() == 0 && fstat(directory, &owner) == 0 && owner.st_uid != 0 &&
        fchown(fd, owner.st_uid, owner.st_gid) != 0)
        return;
}

static enum result put_in_place(struct replace_file *file)
{
    int directory = open_directory(file->path);
    if (directory < 0)
        return RESULT_IO;
    enum result status = RESULT_OK;
    give_to_owner(file->fd, directory);
    if (fsync(file->fd) != 0 || rename(file->temporary, file->path) != 0)
        status = RESULT_IO;
    int reason = errno;
    if (status == RESULT_OK)
        (void)fsync(directory); /* so that the name lasts; a system may not know how to */
    (void)close(directory);
    errno = reason;
    return status;
}

enum result replace_file_end(struct replace_file *file, enum result status)
{
    if (status == RESULT_OK)
        status = put_in_place(file);
    int reason = errno;
    (void)close(file->fd); /* what could be lost by it, fsync() has seen */
    if (status != RESULT_OK)
        (void)unlink(file->temporary);
    free(file->temporary);
    errno = reason;
    return status;
}
