/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/server.h"

#include "base/log.h"
#include "daemon/listener.h"
#include "daemon/mfapi.h"
#include "daemon/notify.h"
#include "daemon/signals.h"
#include "daemon/statistics.h"
#include "site/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* How long sessions under way may take to end after SIGTERM: well below systemd's 90 s. */
#define DRAIN_MS 10000

/* How often table files are looked at for changes. */
#define TABLES_MS 10000

struct server {
    pthread_mutex_t lock; /* guards conf */
    struct conf *conf;

    struct metrics *metrics;
    struct statistics *statistics;
    struct engine *engine;
    struct session_services session;
    struct mfapi_services mfapi;
    struct listener *listener;

    atomic_uint sessions;
    atomic_uint max_sessions;
    bool told_full; /* a session was deferred since the last time there was room; signal thread only
                     */
    atomic_uint deferred;

    /* The signal thread's own. */
    bool draining;
    int64_t drain_until_ms;
    int64_t tables_due_ms;
};

/* --- what sessions see ---------------------------------------------------------------------- */

static struct conf *current_conf(void *arg)
{
    struct server *server = arg;
    pthread_mutex_lock(&server->lock);
    struct conf *conf = conf_ref(server->conf);
    pthread_mutex_unlock(&server->lock);
    return conf;
}

static bool session_opened(void *arg)
{
    struct server *server = arg;
    if (atomic_fetch_add(&server->sessions, 1) >= atomic_load(&server->max_sessions)) {
        atomic_fetch_sub(&server->sessions, 1);
        atomic_fetch_add(&server->deferred, 1);
        statistics_session_deferred(server->statistics);
        return false;
    }
    statistics_session_opened(server->statistics);
    return true;
}

static void session_closed(void *arg)
{
    struct server *server = arg;
    atomic_fetch_sub(&server->sessions, 1);
    statistics_session_closed(server->statistics);
}

static void session_decided(void *arg, const struct decision *decision,
                            const struct occasion *occasion)
{
    struct server *server = arg;
    char line[DECISION_LINE_MAX];
    decision_log_line(decision, occasion, line);
    log_info("%s", line);
    statistics_decided(server->statistics, decision, occasion);
}

/* --- life ----------------------------------------------------------------------------------- */

static bool build(struct server *server, char error[SERVER_ERROR_MAX])
{
    (void)snprintf(error, SERVER_ERROR_MAX, "%s", status_text(STATUS_NOMEM));
    server->metrics = metrics_new();
    if (server->metrics == NULL)
        return false;
    server->statistics = statistics_new(server->metrics);
    if (server->statistics == NULL)
        return false;
    server->engine = engine_new(server->conf, server->metrics, error);
    return server->engine != NULL;
}

struct server *server_new(struct conf *conf, char error[SERVER_ERROR_MAX])
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        (void)snprintf(error, SERVER_ERROR_MAX, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&server->lock, NULL);
    server->conf = conf_ref(conf);
    atomic_store(&server->max_sessions, conf->max_sessions);
    if (!build(server, error)) {
        server_free(server);
        return NULL;
    }
    statistics_reloaded(server->statistics, true, clock_wall_s(&clock_system));
    server->session = (struct session_services){
        .resolver = engine_resolver(server->engine),
        .clock = &clock_system,
        .decided = session_decided,
        .arg = server,
    };
    server->mfapi = (struct mfapi_services){
        .session = &server->session,
        .conf = current_conf,
        .opened = session_opened,
        .closed = session_closed,
        .arg = server,
    };
    return server;
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    engine_free(server->engine);
    statistics_free(server->statistics);
    metrics_free(server->metrics);
    conf_unref(server->conf);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

/* --- reload --------------------------------------------------------------------------------- */

static void reload_error(void *arg, const char *message)
{
    (void)arg;
    log_error("%s", message);
}

static void reload_warning(void *arg, const char *message)
{
    (void)arg;
    log_warning("%s", message);
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Say which changes wait for a restart. */
static void warn_of_fixed_settings(const struct conf *old, const struct conf *new)
{
    const struct {
        const char *key, *old, *new;
    } fixed[] = {
        {"listen", old->listen, new->listen},
        {"user", old->user, new->user},
        {"group", old->group, new->group},
        {"socket-group", old->socket_group, new->socket_group},
        {"pid-file", old->pid_file, new->pid_file},
        {"control", old->control, new->control},
        {"metrics", old->metrics, new->metrics},
        {"state-dir", old->state_dir, new->state_dir},
        {"syslog-facility", old->syslog_facility, new->syslog_facility},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (!text_equal(fixed[i].old, fixed[i].new))
            log_warning("%s changed from \"%s\" to \"%s\": this takes effect at the next start",
                        fixed[i].key, fixed[i].old == NULL ? "" : fixed[i].old,
                        fixed[i].new == NULL ? "" : fixed[i].new);
}

static bool reload(struct server *server)
{
    char error[SERVER_ERROR_MAX];
    const struct conf_report report = {reload_error, reload_warning, NULL};
    struct conf *old = server->conf; /* only this thread replaces it */
    struct conf *conf = conf_load(old->path, clock_wall_s(&clock_system), &report);
    if (conf == NULL)
        return false;
    if (engine_reload(server->engine, conf, error) != STATUS_OK) {
        log_error("%s", error);
        conf_unref(conf);
        return false;
    }
    warn_of_fixed_settings(old, conf);
    atomic_store(&server->max_sessions, conf->max_sessions);
    pthread_mutex_lock(&server->lock);
    server->conf = conf;
    pthread_mutex_unlock(&server->lock);
    conf_unref(old);
    return true;
}

static void reload_and_tell(struct server *server, const char *why)
{
    notify_reloading();
    bool ok = reload(server);
    statistics_reloaded(server->statistics, ok, clock_wall_s(&clock_system));
    if (ok)
        log_info("configuration %s read again (%s)", server->conf->path, why);
    else
        log_error("the configuration was not read again (%s): the running one stays", why);
    notify_ready(ok ? "running" : "running with an earlier configuration");
}

/* --- the signal thread ---------------------------------------------------------------------- */

static void begin_draining(struct server *server)
{
    if (server->draining) { /* asked twice: at once */
        server->drain_until_ms = 0;
        return;
    }
    server->draining = true;
    server->drain_until_ms = clock_ms(&clock_system) + DRAIN_MS;
    notify_stopping();
    listener_quiesce(server->listener);
    log_info("stopping: %u sessions are under way", atomic_load(&server->sessions));
}

static void tick(struct server *server)
{
    int64_t now_ms = clock_ms(&clock_system);
    notify_alive();
    unsigned deferred = atomic_exchange(&server->deferred, 0);
    if (deferred > 0 && !server->told_full)
        log_warning("max-sessions = %u is reached: further sessions are deferred",
                    atomic_load(&server->max_sessions));
    server->told_full = deferred > 0;
    if (server->draining || now_ms < server->tables_due_ms)
        return;
    server->tables_due_ms = now_ms + TABLES_MS;
    if (conf_tables_changed(server->conf))
        reload_and_tell(server, "a table file changed");
}

static bool handle_signal(void *arg, enum signal_event event)
{
    struct server *server = arg;
    switch (event) {
    case SIGNAL_RELOAD:
        if (!server->draining)
            reload_and_tell(server, "SIGHUP");
        break;
    case SIGNAL_ROTATE:
        break;
    case SIGNAL_STOP:
        begin_draining(server);
        break;
    case SIGNAL_TICK:
        tick(server);
        break;
    }
    return server->draining && (atomic_load(&server->sessions) == 0 ||
                                clock_ms(&clock_system) >= server->drain_until_ms);
}

bool server_run(struct server *server, struct listener *listener)
{
    server->listener = listener;
    server->tables_due_ms = clock_ms(&clock_system) + TABLES_MS;
    signals_init(handle_signal, server);
    if (engine_start(server->engine) != STATUS_OK) {
        log_error("the DNS thread cannot be started");
        return false;
    }
    notify_ready("running");
    bool ok = mfapi_run(&server->mfapi);
    unsigned left = atomic_load(&server->sessions);
    log_info(ok ? "stopped: %u sessions were cut off"
                : "libmilter gave up: %u sessions were cut off",
             left);
    return ok && server->draining;
}
