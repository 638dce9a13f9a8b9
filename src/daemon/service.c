/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/service.h"

#include "base/log.h"
#include "base/plural.h"
#include "daemon/own_address.h"
#include "daemon/service_state.h"
#include "site/dns_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* The greylist, and the count of EHLO domains, take that part of memory.size each, beside it. */
#define MEMORY_SHARE 8

/* --- what sessions see ---------------------------------------------------------------------- */

struct conf *service_conf(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct conf *conf = conf_ref(service->conf);
    pthread_mutex_unlock(&service->lock);
    return conf;
}

void service_set_conf(struct service *service, struct conf *conf)
{
    pthread_mutex_lock(&service->lock);
    struct conf *old = service->conf;
    service->conf = conf;
    pthread_mutex_unlock(&service->lock);
    conf_unref(old);
}

static struct conf *current_conf(void *arg)
{
    return service_conf(arg);
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
        management_session_closed(service); /* this may have been the last one */
}

static void session_decided(void *arg, const struct decision *decision,
                            const struct transaction *transaction)
{
    struct service *service = arg;
    char line[DECISION_LINE_MAX];
    decision_log_line(decision, transaction, line);
    log_line(LOG_LEVEL_INFO, line);
    statistics_decided(service->statistics, decision, transaction);
    if (decisionlog_wanted(service->decisionlog))
        decisionlog_put(service->decisionlog, decision_json(decision, transaction));
}

static bool session_exempt(void *arg, const struct facts *facts, int64_t wall_s, char *out,
                           size_t size)
{
    struct service *service = arg;
    return exemptions_find(service->exemptions, facts, wall_s, out, size);
}

static bool session_exempt_awaited(void *arg, const struct facts *facts, int64_t wall_s)
{
    struct service *service = arg;
    return exemptions_await(service->exemptions, facts, wall_s);
}

static void session_capped(void *arg, const struct ipaddr *client)
{
    struct service *service = arg;
    char text[IPADDR_TEXT_MAX];
    statistics_ehlo_limit(service->statistics);
    log_info("client %s has said too many different EHLO names: its mail is deferred",
             ipaddr_format(client, text));
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

static void session_mta_named(void *arg, const char *name)
{
    struct service *service = arg;
    own_names_saw(&service->own_names, name);
}

static void offer_to_sessions(struct service *service)
{
    service->session = (struct session_services){
        .resolver = dns_service_resolver(service->dns),
        .clock = &clock_system,
        .memory = service->memory,
        .greylist = service->greylist,
        .helo_domains = service->helo_domains,
        .ask_others = sharing_ask,
        .tell_others = sharing_tell,
        .exempt = session_exempt,
        .exempt_awaited = session_exempt_awaited,
        .is_own_address = own_address_is,
        .decided = session_decided,
        .capped = session_capped,
        .left_alone = session_left_alone,
        .left = session_left,
        .mta_named = session_mta_named,
        .arg = service,
    };
    service->milter = (struct libmilter_services){
        .session = &service->session,
        .conf = current_conf,
        .opened = session_opened,
        .closed = session_closed,
        .arg = service,
        .wakeup = &service->wakeup,
    };
}

/* --- life ----------------------------------------------------------------------------------- */

/* A file that is loaded brings its own key. */
static void make_key(const char *what, uint8_t out[SIPHASH_KEY_LENGTH])
{
    memset(out, 0, SIPHASH_KEY_LENGTH);
    if (getrandom(out, SIPHASH_KEY_LENGTH, 0) != SIPHASH_KEY_LENGTH)
        log_warning("no random key for %s: %s", what, strerror(errno));
}

/* What is remembered of clients.  False: out of memory. */
static bool build_memories(struct service *service, const struct client_memory_limits *limits)
{
    uint8_t key[SIPHASH_KEY_LENGTH];
    make_key("the memory of clients", key);
    service->memory = client_memory_new(limits, key);
    make_key("the greylist", key);
    service->greylist = greylist_table_new(limits->size_bytes / MEMORY_SHARE, limits->keep_s, key);
    make_key("EHLO domains", key);
    service->helo_domains = helo_domains_new(limits->size_bytes / MEMORY_SHARE, key);
    return service->memory != NULL && service->greylist != NULL && service->helo_domains != NULL;
}

static bool build_own(struct service *service)
{
    const struct conf *conf = service->conf;
    if (conf->state_dir != NULL && (service->state_dir = strdup(conf->state_dir)) == NULL)
        return false;
    service->exemptions = exemptions_new();
    service->decisionlog = decisionlog_new(service->metrics);
    return service->exemptions != NULL && build_memories(service, &conf->clients) &&
           service->decisionlog != NULL &&
           decisionlog_set_path(service->decisionlog, conf->decision_log) == RESULT_OK &&
           management_new(service);
}

/* The service does not start without what its farm's files say. */
static bool build_farm(struct service *service, char error[SERVICE_ERROR_MAX])
{
    struct farm_secrets *secrets = &service->reload.secrets;
    char why[FARM_SECRETS_ERROR_MAX] = "";
    if (service->conf->farm.server_count > 0 &&
        farm_secrets_read(service->conf, secrets, why) != RESULT_OK) {
        (void)snprintf(error, SERVICE_ERROR_MAX, "%s", why);
        return false;
    }
    return sharing_set(service, NULL, secrets);
}

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
    (void)snprintf(error, SERVICE_ERROR_MAX, "%s", result_text(RESULT_NOMEM));
    return build_own(service) && build_farm(service, error);
}

struct service *service_new(struct conf *conf, char error[SERVICE_ERROR_MAX])
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        (void)snprintf(error, SERVICE_ERROR_MAX, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&service->lock, NULL);
    own_names_init(&service->own_names);
    service->conf = conf_ref(conf);
    service->started_ms = clock_ms(&clock_system);
    atomic_store(&service->max_sessions, conf->max_sessions);
    reload_init(service);
    saving_init(service);
    if (!build(service, error)) {
        service_free(service);
        return NULL;
    }
    statistics_reloaded(service->statistics, true, clock_wall_s(&clock_system));
    offer_to_sessions(service);
    saving_load(service);
    return service;
}

enum result service_start(struct service *service, struct listener *listener,
                          const struct control_sockets *sockets, char error[SERVICE_ERROR_MAX])
{
    service->listener = listener;
    libmilter_wakeup_init(&service->wakeup, listener->fd);
    libmilter_signals_init();
    management_serve(service, sockets);
    if (decisionlog_start(service->decisionlog) != RESULT_OK)
        log_error("the decision log has no thread: nothing is written");
    enum result status = dns_service_start(service->dns);
    if (status == RESULT_OK)
        status = management_start(service);
    if (status != RESULT_OK)
        (void)snprintf(error, SERVICE_ERROR_MAX, "the threads cannot be started: %s",
                       result_text(status));
    return status;
}

bool service_run(struct service *service)
{
    /* While it is to end, libmilter may find its closed listener before it sees that it is to end.
     */
    bool ok = libmilter_run(&service->milter) || atomic_load(&service->draining);
    unsigned left = atomic_load(&service->sessions);
    management_stop(service);
    loop_stop(dns_service_loop(service->dns));
    log_info(ok ? "stopped: %u session%s cut off" : "libmilter gave up: %u session%s cut off", left,
             plural_of(left, " was", "s were"));
    return ok && atomic_load(&service->draining);
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    management_stop(service);
    if (service->control_path != NULL)
        (void)unlink(service->control_path);
    if (service->dns != NULL)
        loop_stop(dns_service_loop(service->dns)); /* nothing runs any more that uses the rest */
    if (service->session.arg != NULL && !saving_finish(service))
        return; /* the process ends with its thread */
    farm_free(service->sharing.farm);
    management_free(service);
    decisionlog_free(service->decisionlog);
    exemptions_free(service->exemptions);
    client_memory_free(service->memory);
    greylist_table_free(service->greylist);
    helo_domains_free(service->helo_domains);
    dns_service_free(service->dns);
    statistics_free(service->statistics);
    metrics_free(service->metrics);
    conf_unref(service->reload.old);
    conf_unref(service->reload.fresh);
    conf_unref(service->conf);
    if (service->listener != NULL)
        libmilter_wakeup_clear(&service->wakeup);
    (void)pthread_mutex_destroy(&service->lock);
    own_names_clear(&service->own_names);
    free(service->control_path);
    free(service->state_dir);
    free(service);
}
