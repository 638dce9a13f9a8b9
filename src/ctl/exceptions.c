/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/exceptions.h"

#include "ctl/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct loading {
    struct exemptions *exemptions;
    enum status status;
};

/* A line of the daemon's list. */
static void take(void *arg, const char *line, const struct jsonin *record)
{
    struct loading *loading = arg;
    struct exemption exemption = {0};
    const char *subject = jsonin_text(jsonin_member(record, "subject"));
    const char *reason = jsonin_text(jsonin_member(record, "reason"));
    (void)line;
    if (loading->status != STATUS_OK)
        return;
    if (subject == NULL || exemption_subject(subject, exemption.subject) != STATUS_OK ||
        !jsonin_int(jsonin_member(record, "until"), &exemption.until_s)) {
        loading->status = STATUS_INVALID;
        return;
    }
    (void)snprintf(exemption.reason, sizeof exemption.reason, "%s", reason != NULL ? reason : "");
    loading->status = exemptions_add(loading->exemptions, &exemption);
}

/* STATUS_NOTFOUND: no daemon is there to be asked. */
static enum status ask_daemon(const struct conf *conf, struct exemptions *exemptions)
{
    struct loading loading = {exemptions, STATUS_OK};
    const struct client_records records = {take, &loading};
    if (conf->control == NULL)
        return STATUS_NOTFOUND;
    enum status status = client_try(conf->control, client_request("allowed", NULL, NULL), &records);
    if (status == STATUS_IO && (errno == ENOENT || errno == ECONNREFUSED))
        return STATUS_NOTFOUND;
    return status == STATUS_OK ? loading.status : status;
}

static enum status read_file(const struct conf *conf, struct exemptions *exemptions, int64_t wall_s,
                             char path[PATH_MAX], unsigned *line)
{
    if (conf->state_dir == NULL)
        return STATUS_NOTFOUND;
    int length = snprintf(path, PATH_MAX, "%s/%s", conf->state_dir, EXEMPTIONS_FILE);
    if (length <= 0 || length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return STATUS_IO;
    }
    return exemptions_load(exemptions, path, wall_s, line);
}

static void explain(enum status status, const char *path, unsigned line,
                    char note[EXCEPTIONS_NOTE_MAX])
{
    if (status == STATUS_INVALID && line > 0)
        (void)snprintf(note, EXCEPTIONS_NOTE_MAX,
                       "%.200s:%u: damaged: only the exceptions that are whole count", path, line);
    else if (status != STATUS_OK && status != STATUS_NOTFOUND)
        (void)snprintf(
            note, EXCEPTIONS_NOTE_MAX, "exceptions (iprevctl allow) are not known: %.200s: %s",
            path, status == STATUS_IO ? strerror(errno) : "the daemon's answer makes no sense");
}

struct exemptions *exceptions_load(const struct conf *conf, int64_t wall_s,
                                   char note[EXCEPTIONS_NOTE_MAX])
{
    char path[PATH_MAX] = "";
    const char *where = conf->control;
    unsigned line = 0;
    struct exemptions *exemptions = exemptions_new();
    note[0] = '\0';
    if (exemptions == NULL)
        return NULL;
    enum status status = ask_daemon(conf, exemptions);
    if (status == STATUS_NOTFOUND) {
        status = read_file(conf, exemptions, wall_s, path, &line);
        where = path;
    }
    if (status == STATUS_NOMEM) {
        exemptions_free(exemptions);
        return NULL;
    }
    explain(status, where, line, note);
    return exemptions;
}
