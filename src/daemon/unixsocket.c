/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH, AT_EMPTY_PATH */
#endif

#include "daemon/unixsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/*
 * How long the lock is waited for.  Its holders bind and go; but the directory may belong to the
 * user that we become, who could hold it for ever: a start must not hang on that.
 */
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 10000000

_Static_assert(UNIXSOCKET_PATH_MAX < sizeof(((struct sockaddr_un *)0)->sun_path), "a path fits");

/* Does the name still belong to the file that is open? */
static bool is_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* Lock it, if nobody else has.  0, or errno: EWOULDBLOCK somebody has, or had until its name went.
 */
static int try_lock(int fd, const char *path)
{
    int result;
    do
        result = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    while (result == EINTR);
    return result == 0 && !is_named(fd, path) ? EWOULDBLOCK : result;
}

/* A locked descriptor of the lock file, or -1 with errno.  Readable by nobody else, who could hold
   it. */
static int open_lock(const char *path)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    int reason = EWOULDBLOCK;
    for (int i = 0; i < LOCK_TRIES && reason == EWOULDBLOCK; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
            return -1;
        reason = try_lock(fd, path);
        if (reason == 0)
            return fd;
        (void)close(fd);
    }
    errno = reason == EWOULDBLOCK ? EBUSY : reason;
    return -1;
}

/* 0: nobody answers at the socket `path`; else errno. */
static int probe(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int result = connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 ? 0 : errno;
    (void)close(fd);
    if (result == 0 || result == EAGAIN || result == EINPROGRESS)
        return EADDRINUSE; /* EAGAIN: so many wait already that there is no room for us */
    return result == ECONNREFUSED || result == ENOENT ? 0 : result;
}

/* 0: nothing lies in the way any more; else errno. */
static int clear_way(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(st.st_mode))
        return EEXIST;
    int reason = probe(path);
    if (reason != 0)
        return reason;
    return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
}

enum result unixsocket_claim(const char *path, struct unixsocket_claim *out)
{
    struct unixsocket_claim claim;
    if (strlen(path) > UNIXSOCKET_PATH_MAX) {
        errno = ENAMETOOLONG;
        return RESULT_IO;
    }
    (void)snprintf(claim.lock_path, sizeof claim.lock_path, "%s.lock", path);
    claim.lock = open_lock(claim.lock_path);
    if (claim.lock < 0)
        return RESULT_IO;
    int reason = clear_way(path);
    if (reason != 0) {
        unixsocket_release(&claim);
        errno = reason;
        return RESULT_IO;
    }
    *out = claim;
    return RESULT_OK;
}

void unixsocket_release(struct unixsocket_claim *claim)
{
    (void)unlink(claim->lock_path); /* first: who waits for the lock sees that its name is gone */
    (void)close(claim->lock);
    claim->lock = -1;
}

/* The fresh socket of ours, and nothing that was put in its place. */
static bool is_ours(const struct stat *st)
{
    if (S_ISSOCK(st->st_mode) && st->st_nlink == 1 && st->st_uid == geteuid())
        return true;
    errno = ENOTSOCK;
    return false;
}

static bool is_given(const struct stat *st, uid_t uid, gid_t gid)
{
    return (uid == (uid_t)-1 || uid == st->st_uid) && (gid == (gid_t)-1 || gid == st->st_gid);
}

#if defined(O_PATH) && defined(AT_EMPTY_PATH)

/* What was looked at is what is given away, whatever the name means meanwhile. */
enum result unixsocket_give(const char *path, uid_t uid, gid_t gid)
{
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return RESULT_IO;
    bool good =
        fstat(fd, &st) == 0 && (is_given(&st, uid, gid) ||
                                (is_ours(&st) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0));
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return good ? RESULT_OK : RESULT_IO;
}

#else

enum result unixsocket_give(const char *path, uid_t uid, gid_t gid)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return RESULT_IO;
    if (is_given(&st, uid, gid))
        return RESULT_OK;
    return is_ours(&st) && lchown(path, uid, gid) == 0 ? RESULT_OK : RESULT_IO;
}

#endif

enum result unixsocket_give_to_group(const char *path, const char *group)
{
    errno = 0;
    const struct group *entry = getgrnam(group);
    if (entry != NULL)
        return unixsocket_give(path, (uid_t)-1, entry->gr_gid);
    errno = errno != 0 ? errno : ENOENT;
    return RESULT_IO;
}

/*
 * A socket bound to the path; -1 with errno.  It has its mode from its first moment: a chmod() by
 * name, as root, in a directory of the user that we become could be led elsewhere.
 */
static int open_bound(const char *path, unsigned mode)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    mode_t umask_before = umask(0777 & ~(mode_t)mode);
    int reason = bind(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 ? 0 : errno;
    (void)umask(umask_before);
    if (reason == 0)
        return fd;
    (void)close(fd);
    errno = reason;
    return -1;
}

enum result unixsocket_listen(const char *path, unsigned mode, int backlog, int *out)
{
    struct unixsocket_claim claim;
    if (unixsocket_claim(path, &claim) != RESULT_OK)
        return RESULT_IO;
    int fd = open_bound(path, mode);
    int reason = fd < 0 ? errno : 0;
    if (fd >= 0 && listen(fd, backlog) != 0) {
        reason = errno;
        (void)unlink(path);
        (void)close(fd);
    }
    unixsocket_release(&claim);
    if (reason != 0) {
        errno = reason;
        return RESULT_IO;
    }
    *out = fd;
    return RESULT_OK;
}
