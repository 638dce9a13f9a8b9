/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static enum result fail(const char *what, const char *name, int reason,
                        char error[PRIVILEGES_ERROR_MAX])
{
    (void)snprintf(error, PRIVILEGES_ERROR_MAX, "%s %s: %s", what, name,
                   reason == 0 ? "no such name" : strerror(reason));
    return RESULT_IO;
}

enum result privileges_find(const char *user, const char *group, struct privileges *out,
                            char error[PRIVILEGES_ERROR_MAX])
{
    struct privileges found = {NULL, (uid_t)-1, (gid_t)-1};
    *out = found;
    if (user == NULL)
        return RESULT_OK;
    errno = 0;
    const struct passwd *passwd = getpwnam(user);
    if (passwd == NULL)
        return fail("user", user, errno, error);
    found = (struct privileges){user, passwd->pw_uid, passwd->pw_gid};
    if (group != NULL) {
        errno = 0;
        const struct group *entry = getgrnam(group);
        if (entry == NULL)
            return fail("group", group, errno, error);
        found.gid = entry->gr_gid;
    }
    if (geteuid() != found.uid || getegid() != found.gid)
        *out = found;
    return RESULT_OK;
}

/* Could we still become root, or of root's group? */
static bool can_go_back(uid_t uid, gid_t gid)
{
    if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        return true;
    if (uid != 0 && gid != 0 && (setgid(0) == 0 || setegid(0) == 0))
        return true;
    return getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid;
}

enum result privileges_drop(const struct privileges *privileges, char error[PRIVILEGES_ERROR_MAX])
{
    const char *user = privileges->user;
    if (user == NULL)
        return RESULT_OK;
    if (initgroups(user, privileges->gid) != 0 || setgid(privileges->gid) != 0 ||
        setuid(privileges->uid) != 0)
        return fail("cannot become user", user, errno, error);
    if (can_go_back(privileges->uid, privileges->gid))
        return fail("privileges were not dropped for user", user, EPERM, error);
    return RESULT_OK;
}

void privileges_harden(void)
{
#ifdef __linux__
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
}

/* A limit of 64 bits, such as "none", on a machine of 32. */
static size_t size_of_limit(rlim_t limit)
{
    return limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
}

size_t privileges_raise_descriptors(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur >= wanted)
        return size_of_limit(limit.rlim_cur);
    struct rlimit raised = {.rlim_cur = wanted,
                            .rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return wanted;
    raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
    return size_of_limit(setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur);
}
