/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/running_exemptions.h"

#include "ctl/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct exemptions_loading {
    struct exemptions *exemptions;
    enum result status;
};

/* A line of the daemon's list. */
static void take(void *arg, const char *line, const struct json_value *record)
{
    struct exemptions_loading *loading = arg;
    struct exemption exemption = {0};
    const char *subject = json_value_text_of(record, "subject");
    const char *reason = json_value_text_of(record, "reason");
    const char *by = json_value_text_of(record, "by");
    (void)line;
    if (loading->status != RESULT_OK)
        return;
    if (subject == NULL || exemption_subject(subject, exemption.subject) != RESULT_OK ||
        !json_value_int(json_value_member(record, "until"), &exemption.until_s)) {
        loading->status = RESULT_INVALID;
        return;
    }
    (void)snprintf(exemption.by, sizeof exemption.by, "%s",
                   by != NULL && exemption_is_by(by) ? by : "");
    (void)snprintf(exemption.reason, sizeof exemption.reason, "%s", reason != NULL ? reason : "");
    loading->status = exemptions_add(loading->exemptions, &exemption);
}

/* RESULT_NOTFOUND: no daemon is there to be asked. */
static enum result ask_daemon(const struct conf *conf, struct exemptions *exemptions)
{
    struct exemptions_loading loading = {exemptions, RESULT_OK};
    const struct client_records records = {take, &loading};
    enum result status =
        client_try_running(conf->control, client_request("allowed", NULL, NULL), &records, NULL);
    return status == RESULT_OK ? loading.status : status;
}

static enum result read_file(const struct conf *conf, struct exemptions *exemptions, int64_t wall_s,
                             char path[PATH_MAX], unsigned *line)
{
    if (conf->state_dir == NULL)
        return RESULT_NOTFOUND;
    int length = snprintf(path, PATH_MAX, "%s/%s", conf->state_dir, EXEMPTIONS_FILE);
    if (length <= 0 || length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return RESULT_IO;
    }
    return exemptions_load(exemptions, path, wall_s, line);
}

static void explain(enum result status, const char *path, unsigned line,
                    char note[EXEMPTIONS_NOTE_MAX])
{
    if (status == RESULT_INVALID && line > 0)
        (void)snprintf(note, EXEMPTIONS_NOTE_MAX,
                       "%.200s:%u: damaged: only the exemptions that are whole count", path, line);
    else if (status != RESULT_OK && status != RESULT_NOTFOUND)
        (void)snprintf(
            note, EXEMPTIONS_NOTE_MAX, "exemptions (iprevctl allow) are not known: %.200s: %s",
            path, status == RESULT_IO ? strerror(errno) : "the daemon's answer makes no sense");
}

struct exemptions *running_exemptions_load(const struct conf *conf, int64_t wall_s,
                                           char note[EXEMPTIONS_NOTE_MAX])
{
    char path[PATH_MAX] = "";
    const char *where = conf->control;
    unsigned line = 0;
    struct exemptions *exemptions = exemptions_new();
    note[0] = '\0';
    if (exemptions == NULL)
        return NULL;
    enum result status = ask_daemon(conf, exemptions);
    if (status == RESULT_NOTFOUND) {
        status = read_file(conf, exemptions, wall_s, path, &line);
        where = path;
    }
    if (status == RESULT_NOMEM) {
        exemptions_free(exemptions);
        return NULL;
    }
    explain(status, where, line, note);
    return exemptions;
}
