/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of unix sockets in the file system: a stale one is replaced, one at which somebody answers
 * never, even when two daemons start at the same moment.  Used on the main thread before others
 * exist.
 */
#ifndef IPREVD_UNIXSOCKET_H
#define IPREVD_UNIXSOCKET_H

#include "base/result.h"

#include <sys/types.h>

#define UNIXSOCKET_PATH_MAX 107 /* bytes, without the NUL: what struct sockaddr_un holds */

/* A name that is ours to bind to. */
struct unixsocket_claim {
    int lock;
    char lock_path[UNIXSOCKET_PATH_MAX + 6];
};

/*
 * Keep others of our kind off `path` and free it.  bind() and listen() belong between this and
 * unixsocket_release().  RESULT_IO with errno: EADDRINUSE somebody answers there, EEXIST something
 * that is no socket lies there, EBUSY somebody holds PATH.lock for a second, ENAMETOOLONG; others
 * as the system says.
 */
enum result unixsocket_claim(const char *path, struct unixsocket_claim *out) MUST_CHECK;

/* Bound, or given up: let others try.  The lock file goes. */
void unixsocket_release(struct unixsocket_claim *claim);

/*
 * Give the socket that we made at `path` to an owner and a group; (uid_t)-1 and (gid_t)-1 leave
 * them.  Never follows a symbolic link, nor gives away what somebody put there meanwhile. RESULT_IO
 * with errno.
 */
enum result unixsocket_give(const char *path, uid_t uid, gid_t gid) MUST_CHECK;

/* The same to a group by its name; ENOENT: there is none. */
enum result unixsocket_give_to_group(const char *path, const char *group) MUST_CHECK;

/*
 * All of it: claim, bind, listen.  *out does not block and is not inherited.  RESULT_IO with errno:
 * nothing of ours is left at `path`.
 */
enum result unixsocket_listen(const char *path, unsigned mode, int backlog, int *out) MUST_CHECK;

#endif
