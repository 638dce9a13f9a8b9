/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management loop: signals, the tick, the watchdog, the control and metrics sockets, the end.
 * Nothing that runs here waits for a disk or for DNS.
 */
#include "daemon/management.h"

#include "base/log.h"
#include "base/plural.h"
#include "daemon/notify.h"
#include "daemon/service_state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How long sessions under way may take to end after SIGTERM: see SERVICE_STOP_MAX_S. */
#define DRAIN_MS 10000

/* How often libmilter's listener is woken while it is to end. */
#define WAKE_MS 10

/* The tick; more often where the service manager's watchdog wants to be fed more often. */
#define TICK_MS           1000
#define TICKS_PER_FEEDING 4

/* How often table files are looked at for changes. */
#define TABLES_MS 10000

static const int signals[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

void management_block_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaddset(&set, signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static int64_t now_ms(const struct service *service)
{
    return loop_now_ms(service->management.loop);
}

/* --- the end --------------------------------------------------------------------------------- */

/* libmilter's listener is woken until smfi_main() has returned and the main thread stops us. */
static void keep_waking(void *arg)
{
    struct service *service = arg;
    libmilter_wake_listener();
    if (loop_timer_arm(service->management.end, now_ms(service) + WAKE_MS) != RESULT_OK)
        log_debug("libmilter takes its time to end");
}

static void end_if_drained(struct service *service)
{
    struct management *management = &service->management;
    if (!atomic_load(&service->draining) || management->ending ||
        (atomic_load(&service->sessions) > 0 && now_ms(service) < management->drain_until_ms))
        return;
    management->ending = true;
    libmilter_stop();
    keep_waking(service);
}

static void begin_draining(struct service *service)
{
    struct management *management = &service->management;
    if (atomic_exchange(&service->draining, true)) { /* asked twice: at once */
        management->drain_until_ms = now_ms(service);
        return;
    }
    management->drain_until_ms = now_ms(service) + DRAIN_MS;
    notify_stopping();
    listener_quiesce(service->listener);
    libmilter_wake_listener();
    unsigned sessions = atomic_load(&service->sessions);
    log_info("stopping: %u session%s under way", sessions, plural_of(sessions, " is", "s are"));
}

static void look_at_sessions(void *arg)
{
    end_if_drained(arg);
}

void management_session_closed(struct service *service)
{
    if (loop_post(service->management.loop, look_at_sessions, service) != RESULT_OK)
        return; /* the next tick looks */
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_reload(void *arg)
{
    reload_request(arg, RELOAD_CONFIGURATION, "SIGHUP");
}

static void on_rotate(void *arg)
{
    struct service *service = arg;
    decisionlog_reopen(service->decisionlog);
    log_info("files are opened again (SIGUSR1)");
}

static void on_stop(void *arg)
{
    begin_draining(arg);
    end_if_drained(arg);
}

/* --- the tick -------------------------------------------------------------------------------- */

static void log_expired(void *arg, const struct match *match)
{
    (void)arg;
    log_warning("match \"%s\" (%s:%u) has expired: it matches nobody any more", match->name,
                match->file, match->line);
}

static void look_at_expiry(struct service *service)
{
    int64_t wall_s = clock_wall_s(&clock_system);
    conf_each_expired(service->conf, service->management.expired_until_s, wall_s, log_expired,
                      NULL);
    service->management.expired_until_s = wall_s;
}

static void look_at_deferred(struct service *service)
{
    unsigned deferred = atomic_exchange(&service->deferred, 0);
    if (deferred > 0 && !service->management.full_logged)
        log_warning("max-sessions = %u is reached: further sessions are deferred",
                    atomic_load(&service->max_sessions));
    service->management.full_logged = deferred > 0;
}

static void look_at_tables(struct service *service)
{
    struct management *management = &service->management;
    if (atomic_load(&service->draining) || now_ms(service) < management->tables_due_ms)
        return;
    management->tables_due_ms = now_ms(service) + TABLES_MS;
    reload_request(service, RELOAD_TABLES, NULL);
}

static void on_tick(void *arg)
{
    struct service *service = arg;
    struct management *management = &service->management;
    if (loop_timer_arm(management->tick, now_ms(service) + management->tick_ms) != RESULT_OK)
        log_error("out of memory: there are no more ticks");
    if (watchdog_tick(&management->watchdog))
        notify_alive();
    look_at_expiry(service);
    look_at_deferred(service);
    look_at_tables(service);
    saving_tick(service, now_ms(service));
    sharing_tick(service);
    end_if_drained(service);
}

/* Signals and requests may have come before; what they asked for begins here. */
static void begin_serving(void *arg)
{
    struct service *service = arg;
    service->management.serving = true;
    notify_ready("running");
    watchdog_init(&service->management.watchdog, dns_service_loop(service->dns));
    on_tick(service);
    sharing_start(service);
    if (service->reload.again)
        reload_request(service, RELOAD_CONFIGURATION, service->reload.again_why);
}

/* --- what control and exporter ask ----------------------------------------------------------- */

static void put_status(void *arg, struct json_writer *json)
{
    struct service *service = arg;
    const struct status_sources sources = {
        .conf = service->conf,
        .metrics = service->metrics,
        .resolver = dns_service_resolver(service->dns),
        .uptime_ms = clock_ms(&clock_system) - service->started_ms,
        .exemptions = exemptions_count(service->exemptions),
        .memory = service->memory,
        .greylist = service->greylist,
        .own_names = &service->own_names,
        .stopping = atomic_load(&service->draining),
        .reload = &service->reload.failures[RELOAD_CONFIGURATION],
        .tables = &service->reload.failures[RELOAD_TABLES],
    };
    status_put(json, &sources);
    sharing_put_status(service, json);
}

static void start_reload(void *arg)
{
    reload_request(arg, RELOAD_CONFIGURATION, "iprevctl");
}

static struct farm *farm(void *arg)
{
    const struct service *service = arg;
    return service->sharing.farm;
}

static void start_saving(void *arg)
{
    saving_exemptions(arg);
}

static size_t cache_size(void *arg)
{
    const struct service *service = arg;
    return service->conf->cache.size_bytes;
}

static size_t exemption_count(void *arg)
{
    struct service *service = arg;
    return exemptions_count(service->exemptions);
}

static void memory_stats(void *arg, struct client_memory_stats *out)
{
    struct service *service = arg;
    client_memory_stats(service->memory, out);
}

static uint64_t table_limit_hits(void *arg)
{
    const struct service *service = arg;
    return conf_table_limit_hits(service->conf);
}

static void serve_control(struct service *service, int fd)
{
    const struct control_services services = {
        .loop = service->management.loop,
        .resolver = dns_service_resolver(service->dns),
        .exemptions = service->exemptions,
        .memory = service->memory,
        .clock = &clock_system,
        .status = put_status,
        .reload = start_reload,
        .save_exemptions = start_saving,
        .farm = farm,
        .arg = service,
    };
    service->control_path = service->conf->control == NULL ? NULL : strdup(service->conf->control);
    service->management.control = control_new(&services, fd);
    if (service->management.control == NULL)
        log_error("control socket: out of memory");
}

static void serve_metrics(struct service *service, int fd)
{
    const struct exporter_services services = {
        .loop = service->management.loop,
        .metrics = service->metrics,
        .resolver = dns_service_resolver(service->dns),
        .cache_size = cache_size,
        .exemptions = exemption_count,
        .memory = memory_stats,
        .table_limit_hits = table_limit_hits,
        .arg = service,
        .start_s = clock_wall_s(&clock_system),
    };
    service->management.exporter = exporter_new(&services, fd);
    if (service->management.exporter == NULL)
        log_error("metrics: out of memory");
}

void management_serve(struct service *service, const struct control_sockets *sockets)
{
    if (sockets->control >= 0)
        serve_control(service, sockets->control);
    if (sockets->metrics >= 0)
        serve_metrics(service, sockets->metrics);
}

/* --- life ------------------------------------------------------------------------------------ */

static bool take_signals(struct service *service)
{
    static void (*const calls[SIGNALS])(void *arg) = {on_reload, on_rotate, on_stop, on_stop};
    for (size_t i = 0; i < SIGNALS; i++) {
        service->management.signals[i] =
            loop_signal_new(service->management.loop, signals[i], calls[i], service);
        if (service->management.signals[i] == NULL)
            return false;
    }
    return true;
}

bool management_new(struct service *service)
{
    struct management *management = &service->management;
    management->loop = loop_new();
    if (management->loop == NULL)
        return false;
    management->queue = work_queue_new(management->loop);
    management->tick = loop_timer_new(management->loop, on_tick, service);
    management->end = loop_timer_new(management->loop, keep_waking, service);
    int64_t feeding_ms = notify_watchdog_ms() / TICKS_PER_FEEDING;
    management->tick_ms = feeding_ms > 0 && feeding_ms < TICK_MS ? feeding_ms : TICK_MS;
    return management->queue != NULL && management->tick != NULL && management->end != NULL;
}

enum result management_start(struct service *service)
{
    struct management *management = &service->management;
    management->tables_due_ms = now_ms(service) + TABLES_MS;
    management->expired_until_s = clock_wall_s(&clock_system);
    if (!take_signals(service))
        return RESULT_NOMEM;
    enum result status = work_queue_start(management->queue, "iprevd-files");
    if (status == RESULT_OK)
        status = loop_start(management->loop, "iprevd-manage");
    /* What was posted to a loop that does not start is run by its end, and would say READY. */
    return status == RESULT_OK ? loop_post(management->loop, begin_serving, service) : status;
}

void management_stop(struct service *service)
{
    if (service->management.loop != NULL)
        loop_stop(service->management.loop);
}

void management_free(struct service *service)
{
    struct management *management = &service->management;
    control_free(management->control);
    exporter_free(management->exporter);
    for (size_t i = 0; i < SIGNALS; i++)
        loop_signal_free(management->signals[i]);
    loop_timer_free(management->tick);
    loop_timer_free(management->end);
    work_queue_free(management->queue);
    loop_free(management->loop);
}
