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

bool background_keep_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

int background_enter(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0) {
        int reason = errno;
        (void)close(ends[0]);
        (void)close(ends[1]);
        errno = reason;
        return -1;
    }
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
    int null = open("/dev/null", O_RDWR); /* none of 0 to 2: background_keep_stdio() */
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)close(null);
    }
    if (chdir("/") != 0 || write(fd, "!", 1) != 1) {
        /* the parent is gone: nobody waits for the word */
    }
    (void)close(fd);
}

static enum result give_up(int fd, int reason)
{
    (void)close(fd);
    errno = reason;
    return RESULT_IO;
}

enum result background_write_pid(const char *path, struct background_pid *out)
{
    *out = (struct background_pid){NULL, -1};
    if (path == NULL)
        return RESULT_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    struct stat st, named;
    if (fd < 0)
        return RESULT_IO;
    /* A second name could be a trap of somebody who may write to the directory. */
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1)
        return give_up(fd, EINVAL);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) != 0)
        return give_up(fd, EEXIST);
    if (lstat(path, &named) != 0 || named.st_dev != st.st_dev || named.st_ino != st.st_ino)
        return give_up(fd, EEXIST); /* its holder is ending at this moment */
    /* Whatever the umask: other programs are to read it. */
    if (ftruncate(fd, 0) != 0 || fchmod(fd, 0644) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        return give_up(fd, errno);
    *out = (struct background_pid){path, fd};
    return RESULT_OK;
}

void background_remove_pid(struct background_pid *pid)
{
    if (pid->path == NULL)
        return;
    if (unlink(pid->path) != 0 && ftruncate(pid->fd, 0) != 0) {
        /* then it names a process that is not there any more */
    }
    (void)close(pid->fd);
    *pid = (struct background_pid){NULL, -1};
}
