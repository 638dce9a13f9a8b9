/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_mail_log.h"

#include "ctl/logs/maillog_feed.h"
#include "ctl/report/report_correspondents.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

struct mail_log_reading {
    const struct command *command;
    const struct conf *conf;
    struct ranking *known;
    bool failed; /* the file as a whole */
};

static void on_delivered(void *arg, const char *recipient)
{
    struct mail_log_reading *reading = arg;
    char name[HOSTNAME_MAX + 1];
    const char *domain = report_correspondents_domain(reading->conf->orgdomains, recipient, name);
    if (domain != NULL)
        (void)ranking_add(reading->known, domain, ACTION_ACCEPT, 0);
}

static void on_event(void *arg, const struct maillog_event *event)
{
    (void)arg;
    (void)event;
}

static void on_problem(void *arg, const char *file, uint64_t line, const char *text)
{
    struct mail_log_reading *reading = arg;
    reading->failed = reading->failed || line == 0;
    if (line > 0)
        (void)fprintf(stderr, "iprevctl report: %s:%" PRIu64 ": %s\n", file, line, text);
    else
        (void)command_failed(reading->command, 0, "%s: %s", file, text);
}

static void on_progress(void *arg, uint64_t bytes)
{
    (void)arg;
    (void)bytes;
}

static bool is_ours(void *arg, const struct ipaddr *addr)
{
    const struct mail_log_reading *reading = arg;
    return conf_is_local(reading->conf, addr) || conf_is_trusted_relay(reading->conf, addr);
}

int report_mail_log_read(const struct command *command, const struct conf *conf, const char *path,
                         int64_t now_s, struct ranking **out)
{
    struct mail_log_reading reading = {command, conf, ranking_new(command_seed(), 0), false};
    const struct maillog_hooks hooks = {.event = on_event,
                                        .problem = on_problem,
                                        .delivered = on_delivered,
                                        .progress = on_progress,
                                        .is_ours = is_ours,
                                        .arg = &reading};
    struct maillog_feed *feed = maillog_feed_new(REPLAY_FORMAT_GUESS, now_s, &hooks);
    bool ok = reading.known != NULL && feed != NULL && maillog_feed_read(feed, path) == RESULT_OK;
    if (feed != NULL)
        maillog_feed_end(feed);
    maillog_feed_free(feed);
    if (ok && !reading.failed) {
        *out = reading.known;
        return -1;
    }
    ranking_free(reading.known);
    return ok ? EX_DATAERR : command_failed(command, EX_OSERR, "out of memory");
}
