/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/service_user.h"

#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX 1024
#define ERRORS_MAX  127 /* that an exit status can say */

struct eyes {
    const char *user;
    const struct conf_report *report;
    unsigned errors;
};

/* The owner's name, to be freed.  NULL: it is not there, root's, or nobody's that has a name. */
static char *owner_of(const char *path)
{
    struct stat st;
    if (path == NULL || stat(path, &st) != 0 || st.st_uid == 0)
        return NULL;
    const struct passwd *passwd = getpwuid(st.st_uid);
    return passwd == NULL ? NULL : strdup(passwd->pw_name);
}

static char *find_user(const struct conf *conf)
{
    struct stat st;
    if (conf->user != NULL)
        return strdup(conf->user);
    if (conf->control != NULL && stat(conf->control, &st) == 0)
        return owner_of(conf->control); /* it may be root's */
    return owner_of(conf->state_dir);
}

static void tell(struct eyes *eyes, bool error, const char *path, int reason, const char *what)
{
    const struct conf_report *report = eyes->report;
    char message[MESSAGE_MAX];
    (void)snprintf(message, sizeof message, "%s: %s: user %s, as which the service runs, cannot %s",
                   path, strerror(reason), eyes->user, what);
    (error ? report->error : report->warning)(report->arg, message);
    eyes->errors += error;
}

/* ProtectHome=yes: empty for the service, whatever its modes are. */
static bool is_hidden(const char *path)
{
    static const char *const homes[] = {"/home/", "/root/", "/run/user/"};
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        if (strncmp(path, homes[i], strlen(homes[i])) == 0)
            return access("/run/systemd/system", F_OK) == 0;
    return false;
}

/* A group's file, of which the unit can make the service a member. */
static bool a_group_may_read(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_gid != 0 && (st.st_mode & S_IRGRP) != 0;
}

/* What is not there was told by whoever read the configuration. */
static void look_at_file(void *arg, const char *path)
{
    struct eyes *eyes = arg;
    int reason = access(path, R_OK) == 0 ? 0 : errno;
    if (reason == EACCES && a_group_may_read(path))
        tell(eyes, false, path, reason,
             "read it, unless the unit's SupplementaryGroups= names the file's group");
    else if (reason != 0 && reason != ENOENT)
        tell(eyes, true, path, reason, "read it");
    else if (is_hidden(path))
        tell(eyes, false, path, EACCES, "read it where the unit has ProtectHome=yes, as packaged");
}

static void look_to_write(struct eyes *eyes, const char *path, int mode, const char *what)
{
    if (access(path, mode) != 0 && errno != ENOENT)
        tell(eyes, false, path, errno, what);
}

/* A log that is there is appended to; else it is made. */
static void look_at_log(struct eyes *eyes, const char *path)
{
    char directory[MESSAGE_MAX];
    const char *slash = strrchr(path, '/');
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        look_to_write(eyes, path, W_OK, "write into it");
        return;
    }
    int length = slash == NULL || slash == path ? 1 : (int)(slash - path);
    (void)snprintf(directory, sizeof directory, "%.*s", length, slash == NULL ? "." : path);
    look_to_write(eyes, directory, W_OK | X_OK, "make the decision log there");
}

/* In a process of its own, which does not come back. */
static unsigned look_as(const struct conf *conf, const struct privileges *privileges,
                        struct eyes *eyes)
{
    char error[PRIVILEGES_ERROR_MAX];
    if (privileges_drop(privileges, error) != RESULT_OK) {
        eyes->report->error(eyes->report->arg, error);
        return 1;
    }
    conf_each_file(conf, look_at_file, eyes);
    if (conf->state_dir != NULL)
        look_to_write(eyes, conf->state_dir, R_OK | W_OK | X_OK, "keep its state there");
    if (conf->decision_log != NULL)
        look_at_log(eyes, conf->decision_log);
    return eyes->errors;
}

/* A name that an option has and this machine does not. */
static void tell_missing(const struct conf *conf, void (*say)(void *arg, const char *message),
                         void *arg, const char *key, const char *kind, const char *name,
                         const char *outcome)
{
    char message[MESSAGE_MAX];
    (void)snprintf(message, sizeof message, "%s: key \"%s\": there is no %s \"%.64s\": %s",
                   conf->path, key, kind, name, outcome);
    say(arg, message);
}

/* A start would log it, and go on. */
static void look_for_group(const struct conf *conf, const struct conf_report *report,
                           const char *key, const char *name, const char *outcome)
{
    if (name != NULL && getgrnam(name) == NULL)
        tell_missing(conf, report->warning, report->arg, key, "group", name, outcome);
}

/* A start would end.  How many are missing. */
static unsigned look_for_names(const struct conf *conf, const struct conf_report *report)
{
    bool user = conf->user == NULL || getpwnam(conf->user) != NULL;
    bool group = conf->user == NULL || conf->group == NULL || getgrnam(conf->group) != NULL;
    if (!user)
        tell_missing(conf, report->error, report->arg, "user", "user", conf->user,
                     "the service does not start");
    if (!group)
        tell_missing(conf, report->error, report->arg, "group", "group", conf->group,
                     "the service does not start");
    return (unsigned)!user + (unsigned)!group;
}

unsigned service_user_test(const struct conf *conf, const struct conf_report *report)
{
    char error[PRIVILEGES_ERROR_MAX];
    struct privileges privileges;
    look_for_group(conf, report, "control-group", conf->control_group,
                   "iprevctl is for root and the service's user");
    if (!conf_listens_on_tcp(conf))
        look_for_group(conf, report, "socket-group", conf->socket_group,
                       "the service does not start");
    unsigned missing = look_for_names(conf, report);
    if (missing > 0)
        return missing;
    char *user = geteuid() == 0 ? find_user(conf) : NULL;
    if (user == NULL)
        return 0;
    struct eyes eyes = {user, report, 0};
    int status = 0;
    if (privileges_find(user, conf->user != NULL ? conf->group : NULL, &privileges, error) !=
        RESULT_OK) {
        report->error(report->arg, error);
        free(user);
        return 1;
    }
    if (privileges.user == NULL) { /* that is who we are */
        free(user);
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        unsigned errors = look_as(conf, &privileges, &eyes);
        _exit(errors > ERRORS_MAX ? ERRORS_MAX : (int)errors);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    free(user);
    if (child > 0 && WIFEXITED(status))
        return (unsigned)WEXITSTATUS(status);
    report->error(report->arg,
                  "what the service's user can read was not looked at: the look ended");
    return 1;
}
