/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int background_enter(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        (void)close(ends[0]);
        (void)setsid();
        return ends[1];
    }
    (void)close(ends[1]);
    char ready = 0;
    ssize_t got;
    do
        got = read(ends[0], &ready, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(EXIT_SUCCESS);
    int status = 0;
    (void)waitpid(child, &status, 0);
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

void background_ready(int fd)
{
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        if (null > STDERR_FILENO)
            (void)close(null);
    }
    if (chdir("/") != 0 || write(fd, "!", 1) != 1) {
        /* the parent is gone: nobody waits for the word */
    }
    (void)close(fd);
}

/* Does the file name a process that holds it locked? */
static bool is_held(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

enum status background_write_pid(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return STATUS_IO;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (is_held(fd) || fcntl(fd, F_SETLK, &lock) != 0) {
        (void)close(fd);
        errno = EEXIST;
        return STATUS_IO;
    }
    /* The descriptor stays open for the daemon's life: it holds the lock. */
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        int reason = errno;
        (void)close(fd);
        errno = reason;
        return STATUS_IO;
    }
    return STATUS_OK;
}

void background_remove_pid(const char *path)
{
    (void)unlink(path);
}
