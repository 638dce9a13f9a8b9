/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/service.h"

#include "base/log.h"
#include "daemon/libmilter.h"
#include "daemon/listener.h"
#include "daemon/notify.h"
#include "daemon/signals.h"
#include "daemon/statistics.h"
#include "daemon/tools.h"
#include "site/dns_settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* How long sessions under way may take to end after SIGTERM: well below systemd's 90 s. */
#define DRAIN_MS 10000

/* How often libmilter's listener is woken while it is to end. */
#define WAKE_MS 10

/* How often table files are looked at for changes. */
#define TABLES_MS 10000

struct service {
    pthread_mutex_t lock; /* guards conf */
    struct conf *conf;

    struct metrics *metrics;
    struct statistics *statistics;
    struct dns_service *dns;
    struct tools *tools;
    struct session_services session;
    struct libmilter_services milter;
    struct listener *listener;
    struct libmilter_wakeup wakeup; /* of the listener */

    atomic_uint sessions;
    atomic_uint max_sessions;
    uint64_t broken_tables; /* versions of tables that could not be read; signal thread only */
    bool told_full; /* a session was deferred since the last time there was room; signal thread only
                     */
    atomic_uint deferred;

    atomic_bool draining; /* set by the signal thread */
    int64_t
        expired_until_s; /* match blocks that expired until then were told; signal thread only */
    /* The signal thread's own. */
    int64_t drain_until_ms;
    int64_t tables_due_ms;

    struct loop_timer *wake_timer; /* the DNS thread's own */
};

/* --- what sessions see ---------------------------------------------------------------------- */

static struct conf *current_conf(void *arg)
{
    struct service *service = arg;
    pthread_mutex_lock(&service->lock);
    struct conf *conf = conf_ref(service->conf);
    pthread_mutex_unlock(&service->lock);
    return conf;
}

static bool session_opened(void *arg)
{
    struct service *service = arg;
    if (atomic_fetch_add(&service->sessions, 1) >= atomic_load(&service->max_sessions)) {
        atomic_fetch_sub(&service->sessions, 1);
        atomic_fetch_add(&service->deferred, 1);
        statistics_session_deferred(service->statistics);
        return false;
    }
    statistics_session_opened(service->statistics);
    return true;
}

static void session_closed(void *arg)
{
    struct service *service = arg;
    atomic_fetch_sub(&service->sessions, 1);
    statistics_session_closed(service->statistics);
    if (atomic_load(&service->draining))
        signals_errand(); /* this may have been the last one */
}

static void session_waits(void *arg, int64_t since_ms)
{
    struct service *service = arg;
    libmilter_wake_worker(&service->wakeup, since_ms, clock_ms(&clock_system));
}

static void session_decided(void *arg, const struct decision *decision,
                            const struct transaction *transaction)
{
    struct service *service = arg;
    char line[DECISION_LINE_MAX];
    decision_log_line(decision, transaction, line);
    log_line(LOG_LEVEL_INFO, line);
    statistics_decided(service->statistics, decision, transaction);
    tools_decided(service->tools, decision, transaction);
}

static bool session_exempt(void *arg, const struct facts *facts, int64_t wall_s, char *out,
                           size_t size)
{
    struct service *service = arg;
    return tools_exempt(service->tools, facts, wall_s, out, size);
}

/* A message from a trusted relay behind which nobody is judged. */
static void session_left_alone(void *arg, const char *line)
{
    (void)arg;
    log_line(LOG_LEVEL_INFO, line);
}

static void session_left(void *arg, enum session_left reason)
{
    struct service *service = arg;
    if (statistics_left(service->statistics, reason))
        log_warning(
            "all of the first %u clients are in local-networks, and none is judged: is there a "
            "proxy or NAT that hides their addresses from the mail server?",
            STATISTICS_LOCAL_ONLY);
}

/* --- life ----------------------------------------------------------------------------------- */

static bool is_stopping(void *arg)
{
    struct service *service = arg;
    return atomic_load(&service->draining);
}

static bool reload_for_tools(void *arg, char error[TOOLS_ERROR_MAX]);

static bool build(struct service *service, char error[SERVICE_ERROR_MAX])
{
    (void)snprintf(error, SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    service->metrics = metrics_new();
    if (service->metrics == NULL)
        return false;
    service->statistics = statistics_new(service->metrics);
    if (service->statistics == NULL)
        return false;
    const struct dns_service_settings dns = dns_settings(service->conf);
    service->dns = dns_service_new(&dns, service->metrics, error);
    if (service->dns == NULL)
        return false;
    const struct tools_services services = {
        .dns = service->dns,
        .metrics = service->metrics,
        .conf = current_conf,
        .stopping = is_stopping,
        .reload = reload_for_tools,
        .wake = signals_errand,
        .arg = service,
    };
    (void)snprintf(error, SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    service->tools = tools_new(&services, service->conf);
    return service->tools != NULL;
}

struct service *service_new(struct conf *conf, char error[SERVICE_ERROR_MAX])
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        (void)snprintf(error, SERVICE_ERROR_MAX, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&service->lock, NULL);
    service->conf = conf_ref(conf);
    atomic_store(&service->max_sessions, conf->max_sessions);
    if (!build(service, error)) {
        service_free(service);
        return NULL;
    }
    statistics_reloaded(service->statistics, true, clock_wall_s(&clock_system));
    service->session = (struct session_services){
        .resolver = dns_service_resolver(service->dns),
        .clock = &clock_system,
        .exempt = session_exempt,
        .decided = session_decided,
        .left_alone = session_left_alone,
        .left = session_left,
        .arg = service,
    };
    service->milter = (struct libmilter_services){
        .session = &service->session,
        .conf = current_conf,
        .opened = session_opened,
        .closed = session_closed,
        .waits = session_waits,
        .arg = service,
    };
    return service;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    if (service->dns != NULL)
        loop_stop(dns_service_loop(service->dns)); /* nothing runs any more that uses the tools */
    tools_free(service->tools);
    dns_service_free(service->dns);
    statistics_free(service->statistics);
    metrics_free(service->metrics);
    conf_unref(service->conf);
    if (service->listener != NULL)
        libmilter_wakeup_clear(&service->wakeup);
    (void)pthread_mutex_destroy(&service->lock);
    free(service);
}

/* --- reload --------------------------------------------------------------------------------- */

/* The first message is the answer to whoever asked for the reload; the log has all of them. */
static void reload_error(void *arg, const char *message)
{
    char *first = arg;
    if (first[0] == '\0')
        (void)snprintf(first, TOOLS_ERROR_MAX, "%s", message);
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
        {"control-group", old->control_group, new->control_group},
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

static bool reload(struct service *service, char first[TOOLS_ERROR_MAX])
{
    char error[SERVICE_ERROR_MAX];
    const struct conf_report report = {reload_error, reload_warning, NULL, first};
    first[0] = '\0';
    struct conf *old = service->conf; /* only this thread replaces it */
    struct conf *conf = conf_load(old->path, clock_wall_s(&clock_system), &report);
    if (conf == NULL)
        return false;
    const struct dns_service_settings dns = dns_settings(conf);
    if (dns_service_set_source(service->dns, &dns, error) != RESULT_OK) {
        reload_error(first, error);
        conf_unref(conf);
        return false;
    }
    dns_service_set_limits(service->dns, &dns);
    warn_of_fixed_settings(old, conf);
    atomic_store(&service->max_sessions, conf->max_sessions);
    pthread_mutex_lock(&service->lock);
    service->conf = conf;
    pthread_mutex_unlock(&service->lock);
    tools_reloaded(service->tools, conf);
    conf_unref(old);
    return true;
}

static bool reload_and_tell(struct service *service, const char *why, char first[TOOLS_ERROR_MAX])
{
    notify_reloading();
    bool ok = reload(service, first);
    statistics_reloaded(service->statistics, ok, clock_wall_s(&clock_system));
    if (ok)
        log_info("configuration %s read again (%s)", service->conf->path, why);
    else
        log_error("the configuration was not read again (%s): the running one stays", why);
    notify_ready(ok ? "running" : "running with an earlier configuration");
    return ok;
}

static bool reload_for_tools(void *arg, char error[TOOLS_ERROR_MAX])
{
    struct service *service = arg;
    if (!atomic_load(&service->draining))
        return reload_and_tell(service, "iprevctl", error);
    (void)snprintf(error, TOOLS_ERROR_MAX, "the daemon is stopping");
    return false;
}

/* --- the signal thread ---------------------------------------------------------------------- */

static void begin_draining(struct service *service)
{
    if (service->draining) { /* asked twice: at once */
        service->drain_until_ms = 0;
        return;
    }
    service->draining = true;
    service->drain_until_ms = clock_ms(&clock_system) + DRAIN_MS;
    notify_stopping();
    listener_quiesce(service->listener);
    signals_wake();
    log_info("stopping: %u sessions are under way", atomic_load(&service->sessions));
}

static void tell_expired(void *arg, const struct match *match)
{
    (void)arg;
    log_warning("match \"%s\" (line %u) has expired: it matches nobody any more", match->name,
                match->line);
}

static void say_nothing(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static bool can_be_read(const struct service *service)
{
    const struct conf_report report = {say_nothing, say_nothing, NULL, NULL};
    struct conf *conf = conf_load(service->conf->path, clock_wall_s(&clock_system), &report);
    conf_unref(conf);
    return conf != NULL;
}

/* What could not be read is told of once, not at every look; what was wrong with it may have been
   elsewhere, in the configuration or for want of memory. */
static void look_at_tables(struct service *service)
{
    char first[TOOLS_ERROR_MAX];
    uint64_t version = conf_tables_changed(service->conf);
    if (version == 0 || (version == service->broken_tables && !can_be_read(service)))
        return;
    if (!reload_and_tell(service, "a table file changed", first))
        service->broken_tables = version;
}

static void tick(struct service *service)
{
    int64_t wall_s = clock_wall_s(&clock_system);
    conf_each_expired(service->conf, service->expired_until_s, wall_s, tell_expired, NULL);
    service->expired_until_s = wall_s;
    int64_t now_ms = clock_ms(&clock_system);
    notify_alive();
    tools_tick(service->tools);
    unsigned deferred = atomic_exchange(&service->deferred, 0);
    if (deferred > 0 && !service->told_full)
        log_warning("max-sessions = %u is reached: further sessions are deferred",
                    atomic_load(&service->max_sessions));
    service->told_full = deferred > 0;
    if (service->draining || now_ms < service->tables_due_ms)
        return;
    service->tables_due_ms = now_ms + TABLES_MS;
    look_at_tables(service);
}

/*
 * libmilter's listener looks only every 5 seconds whether it is to end, and libmilter_stop() waits
 * for it: so the DNS thread wakes it until it has ended.
 */
static void keep_waking(void *arg)
{
    struct service *service = arg;
    signals_wake();
    if (service->wake_timer == NULL)
        service->wake_timer = loop_timer_new(dns_service_loop(service->dns), keep_waking, service);
    if (service->wake_timer != NULL &&
        loop_timer_arm(service->wake_timer, clock_ms(&clock_system) + WAKE_MS) != RESULT_OK)
        log_debug("libmilter takes its time to end");
}

static bool handle_signal(void *arg, enum signal_event event)
{
    struct service *service = arg;
    char first[TOOLS_ERROR_MAX];
    switch (event) {
    case SIGNAL_RELOAD:
        if (!service->draining)
            (void)reload_and_tell(service, "SIGHUP", first);
        break;
    case SIGNAL_ROTATE:
        tools_rotate(service->tools);
        break;
    case SIGNAL_ERRAND:
        tools_errands(service->tools);
        break;
    case SIGNAL_STOP:
        begin_draining(service);
        break;
    case SIGNAL_TICK:
        tick(service);
        break;
    }
    if (!service->draining ||
        (atomic_load(&service->sessions) > 0 && clock_ms(&clock_system) < service->drain_until_ms))
        return false;
    if (loop_post(dns_service_loop(service->dns), keep_waking, service) != RESULT_OK)
        log_debug("libmilter takes its time to end");
    libmilter_stop();
    return true;
}

enum result service_start(struct service *service, struct listener *listener,
                          const struct toolsockets *sockets, char error[SERVICE_ERROR_MAX])
{
    service->listener = listener;
    libmilter_wakeup_init(&service->wakeup, listener->fd);
    service->tables_due_ms = clock_ms(&clock_system) + TABLES_MS;
    service->expired_until_s = clock_wall_s(&clock_system);
    signals_init(handle_signal, service);
    tools_serve(service->tools, sockets);
    tools_start(service->tools);
    enum result status = dns_service_start(service->dns);
    if (status != RESULT_OK)
        (void)snprintf(error, SERVICE_ERROR_MAX, "the DNS thread cannot be started: %s",
                       result_text(status));
    return status;
}

bool service_run(struct service *service)
{
    notify_ready("running");
    /* While it is to end, libmilter may find its closed listener before it sees that it is to end.
     */
    bool ok = libmilter_run(&service->milter) || service->draining;
    unsigned left = atomic_load(&service->sessions);
    loop_stop(dns_service_loop(service->dns));
    loop_timer_free(service->wake_timer);
    service->wake_timer = NULL;
    log_info(ok ? "stopped: %u sessions were cut off"
                : "libmilter gave up: %u sessions were cut off",
             left);
    return ok && service->draining;
}
