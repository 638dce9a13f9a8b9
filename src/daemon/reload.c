/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration and its tables are read again: on the work queue, as files may be large and
 * disks slow, and put in force on the management loop.
 */
#include "daemon/service_state.h"

#include "base/log.h"
#include "base/textbuf.h"
#include "daemon/descriptors.h"
#include "daemon/notify.h"
#include "site/conf_restart.h"
#include "site/dns_settings.h"

#include <string.h>

/* --- on the work queue's thread -------------------------------------------------------------- */

/* The first message is the answer to the operator who asked; the log has all of them. */
static void report_error(void *arg, const char *message)
{
    struct reload *reload = arg;
    if (reload->first_error[0] == '\0')
        (void)snprintf(reload->first_error, sizeof reload->first_error, "%s", message);
    log_error("%s", message);
}

static void report_warning(void *arg, const char *message)
{
    (void)arg;
    log_warning("%s", message);
}

static void report_nothing(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* Log a change that waits for a restart, and keep its name. */
static void keep_fixed(void *arg, const char *name, const char *was, const char *is)
{
    struct textbuf *names = arg;
    log_warning("%s changed from \"%s\" to \"%s\": this takes effect at the next start", name, was,
                is);
    textbuf_printf(names, "%s%s", names->length == 0 ? "" : ", ", name);
}

static void find_fixed(struct reload *reload)
{
    struct textbuf names;
    textbuf_init(&names, reload->fixed, sizeof reload->fixed);
    conf_restart_each(&reload->started, reload->fresh, keep_fixed, &names);
}

static void read_configuration(struct service *service)
{
    struct reload *reload = &service->reload;
    const struct conf_report report = {report_error, report_warning, NULL, reload};
    char error[SERVICE_ERROR_MAX];
    struct conf *conf = conf_load(reload->old->path, clock_wall_s(&clock_system), &report);
    if (conf == NULL)
        return;
    if (conf->farm.server_count > 0 &&
        farm_secrets_read(conf, &reload->secrets, error) != RESULT_OK) {
        report_error(reload, error);
        conf_unref(conf);
        return;
    }
    const struct dns_service_settings dns = dns_settings(conf);
    if (dns_service_set_source(service->dns, &dns, error) != RESULT_OK) {
        report_error(reload, error);
        conf_unref(conf);
        return;
    }
    dns_service_set_limits(service->dns, &dns);
    if (client_memory_set_limits(service->memory, &conf->clients) != RESULT_OK)
        log_error("memory of clients: out of memory: its size stays what it was");
    greylist_table_keep(service->greylist, conf->clients.keep_s);
    reload->fresh = conf;
    reload->result = RELOAD_DONE;
    reload->broken_tables = 0;
    find_fixed(reload);
}

/* What could not be read is logged once, not at every look. */
static void read_tables(struct service *service)
{
    struct reload *reload = &service->reload;
    bool unseen = false; /* a table that is on its way: neither new nor what it was */
    uint64_t version = conf_tables_changed(reload->old, &unseen);
    if (version == 0) {
        bool restored = reload->broken_tables != 0 && !unseen;
        reload->result = restored ? RELOAD_RESTORED : RELOAD_NOTHING;
        reload->broken_tables = restored ? 0 : reload->broken_tables;
        return;
    }
    const struct conf_report loud = {report_error, report_warning, NULL, reload},
                             quiet = {report_nothing, report_nothing, NULL, NULL};
    bool broken = version == reload->broken_tables;
    reload->fresh = conf_reread_tables(reload->old, broken ? &quiet : &loud);
    bool failed = reload->fresh == NULL;
    reload->result = !failed ? RELOAD_DONE : broken ? RELOAD_NOTHING : RELOAD_FAILED;
    reload->broken_tables = failed ? version : 0;
}

static void run(void *arg)
{
    struct service *service = arg;
    if (service->reload.kind == RELOAD_TABLES)
        read_tables(service);
    else
        read_configuration(service);
}

/* --- on the management loop ------------------------------------------------------------------ */

static void begin(struct service *service, enum reload_kind kind, const char *why)
{
    struct reload *reload = &service->reload;
    reload->kind = kind;
    reload->why = why;
    reload->old = service_conf(service);
    reload->fresh = NULL;
    reload->result = RELOAD_FAILED;
    reload->first_error[0] = reload->fixed[0] = '\0';
    if (kind == RELOAD_CONFIGURATION) {
        notify_reloading();
        control_task_begins(service->management.control, CONTROL_TASK_RELOAD);
    }
    work_queue_give(service->management.queue, &reload->work);
}

static void apply(struct service *service, struct conf *conf)
{
    descriptors_provide(conf);
    atomic_store(&service->max_sessions, conf->max_sessions);
    if (decisionlog_set_path(service->decisionlog, conf->decision_log) != RESULT_OK)
        log_error("decision log: out of memory: the file stays the one that it was");
    service_set_conf(service, conf);
    /* Tables alone leave the secrets unread, and the farm as it is. */
    const struct farm_secrets *secrets = service->reload.kind == RELOAD_TABLES
                                             ? &service->sharing.secrets
                                             : &service->reload.secrets;
    if (!sharing_set(service, service->reload.old, secrets))
        log_error("the farm: out of memory: this host goes on by itself");
}

static void answer(struct service *service, bool ok)
{
    const struct reload *reload = &service->reload;
    char warning[CONTROL_ERROR_MAX + 64];
    (void)snprintf(warning, sizeof warning, "%s: the change takes effect at the next start",
                   reload->fixed);
    control_task_ends(service->management.control, CONTROL_TASK_RELOAD,
                      ok ? NULL : reload->first_error, reload->fixed[0] != '\0' ? warning : NULL);
}

static void log_outcome(const struct service *service, bool ok)
{
    const struct reload *reload = &service->reload;
    char mode[CONF_MODE_TEXT_MAX];
    if (reload->result == RELOAD_RESTORED)
        log_info("the tables are again those in force: there is nothing to read");
    else if (reload->kind == RELOAD_TABLES && ok)
        log_info("tables of %s read again (a table file changed)", service->conf->path);
    else if (reload->kind == RELOAD_TABLES)
        log_error("the tables were not read again: the running ones stay");
    else if (ok)
        log_info("configuration %s read again (%s), mode %s", service->conf->path, reload->why,
                 conf_mode_text(service->conf, mode));
    else
        log_error("the configuration was not read again (%s): the running one stays", reload->why);
}

/* since_s 0: all is well, and with a new configuration so are its tables. */
static void note_failure(struct reload *reload, int64_t since_s)
{
    struct status_failure *failure = &reload->failures[reload->kind];
    failure->since_s = since_s;
    (void)snprintf(failure->error, sizeof failure->error, "%s", reload->first_error);
    if (since_s == 0 && reload->kind == RELOAD_CONFIGURATION)
        reload->failures[RELOAD_TABLES].since_s = 0;
}

static void finish(struct service *service)
{
    struct reload *reload = &service->reload;
    bool ok = reload->result != RELOAD_FAILED;
    int64_t wall_s = clock_wall_s(&clock_system);
    if (reload->result == RELOAD_DONE)
        apply(service, reload->fresh);
    note_failure(reload, ok ? 0 : wall_s);
    if (reload->kind == RELOAD_TABLES && reload->result != RELOAD_RESTORED)
        statistics_tables_read(service->statistics, ok);
    else if (reload->kind == RELOAD_CONFIGURATION)
        statistics_reloaded(service->statistics, ok, wall_s);
    statistics_tables_are(service->statistics, reload->failures[RELOAD_TABLES].since_s == 0);
    log_outcome(service, ok);
    if (reload->kind == RELOAD_CONFIGURATION) {
        notify_ready(ok ? "running" : "running with an earlier configuration");
        answer(service, ok);
    }
}

/* To all who asked and for whom none has begun. */
static void answer_stopping(struct service *service)
{
    control_task_begins(service->management.control, CONTROL_TASK_RELOAD);
    control_task_ends(service->management.control, CONTROL_TASK_RELOAD, "the daemon is stopping",
                      NULL);
}

/* What was asked for before serving began or while another was read. */
static void begin_next(struct service *service)
{
    struct reload *reload = &service->reload;
    bool all = reload->again, tables = reload->tables_again;
    reload->again = reload->tables_again = false;
    if (atomic_load(&service->draining))
        answer_stopping(service);
    else if (all)
        begin(service, RELOAD_CONFIGURATION, reload->again_why);
    else if (tables)
        begin(service, RELOAD_TABLES, NULL);
}

static void done(void *arg)
{
    struct service *service = arg;
    struct reload *reload = &service->reload;
    if (reload->result != RELOAD_NOTHING)
        finish(service);
    conf_unref(reload->old);
    reload->old = reload->fresh = NULL;
    begin_next(service);
}

void reload_request(struct service *service, enum reload_kind kind, const char *why)
{
    struct reload *reload = &service->reload;
    if (kind == RELOAD_TABLES) {
        reload->tables_again = true;
    } else {
        reload->again = true;
        reload->again_why = why;
    }
    if (!reload->work.busy && service->management.serving)
        begin_next(service);
}

void reload_init(struct service *service)
{
    service->reload.work = (struct work){.run = run, .done = done, .arg = service};
    conf_restart_keep(service->conf, &service->reload.started);
}
