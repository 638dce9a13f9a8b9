/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tools.h"

#include "base/log.h"
#include "daemon/control.h"
#include "daemon/decisionlog.h"
#include "daemon/exporter.h"
#include "daemon/state.h"
#include "daemon/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often the cache is saved: so much of it is lost when the machine is switched off. */
#define SAVE_CACHE_MS 600000

struct tools {
    struct tools_services services;
    int64_t started_ms;
    char *state_dir;    /* as at the start; NULL: none */
    char *control_path; /* removed at the end; NULL: none */
    struct exemptions *exemptions;
    struct decisionlog *decisionlog;
    struct errands *errands;
    struct control *control;
    struct exporter *exporter;
    int64_t save_due_ms; /* signal thread */
};

_Static_assert(CONTROL_ERROR_MAX >= STATE_ERROR_MAX && CONTROL_ERROR_MAX == TOOLS_ERROR_MAX,
               "errors are handed through");

/* --- life ----------------------------------------------------------------------------------- */

static bool build(struct tools *tools, const struct conf *conf)
{
    if (conf->state_dir != NULL && (tools->state_dir = strdup(conf->state_dir)) == NULL)
        return false;
    tools->exemptions = exemptions_new();
    tools->decisionlog = decisionlog_new(tools->services.metrics);
    tools->errands = errands_new(dns_service_loop(tools->services.dns), tools->services.wake);
    return tools->exemptions != NULL && tools->decisionlog != NULL && tools->errands != NULL &&
           decisionlog_set_path(tools->decisionlog, conf->decision_log) == RESULT_OK;
}

struct tools *tools_new(const struct tools_services *services, const struct conf *conf)
{
    struct tools *tools = calloc(1, sizeof *tools);
    if (tools == NULL)
        return NULL;
    tools->services = *services;
    tools->started_ms = clock_ms(&clock_system);
    tools->save_due_ms = tools->started_ms + SAVE_CACHE_MS;
    if (!build(tools, conf)) {
        free(tools->state_dir); /* nothing was read: nothing is to be saved */
        tools->state_dir = NULL;
        tools_free(tools);
        return NULL;
    }
    state_load(tools->state_dir, tools->exemptions, dns_service_cache(services->dns),
               &clock_system);
    return tools;
}

void tools_start(struct tools *tools)
{
    if (decisionlog_start(tools->decisionlog) != RESULT_OK)
        log_error("the decision log has no thread: nothing is written");
}

void tools_free(struct tools *tools)
{
    if (tools == NULL)
        return;
    control_free(tools->control);
    exporter_free(tools->exporter);
    if (tools->control_path != NULL)
        (void)unlink(tools->control_path);
    state_save_cache(tools->state_dir, dns_service_cache(tools->services.dns), &clock_system);
    errands_free(tools->errands);
    decisionlog_free(tools->decisionlog);
    exemptions_free(tools->exemptions);
    free(tools->control_path);
    free(tools->state_dir);
    free(tools);
}

/* --- what sessions use ---------------------------------------------------------------------- */

bool tools_exempt(struct tools *tools, const struct facts *facts, int64_t wall_s, char *out,
                  size_t size)
{
    return exemptions_find(tools->exemptions, facts, wall_s, out, size);
}

void tools_decided(struct tools *tools, const struct decision *decision,
                   const struct transaction *transaction)
{
    if (decisionlog_wanted(tools->decisionlog))
        decisionlog_put(tools->decisionlog, decision_json(decision, transaction));
}

/* --- what control and exporter ask ---------------------------------------------------------- */

static void put_status(void *arg, struct json_writer *json)
{
    struct tools *tools = arg;
    const struct tools_services *services = &tools->services;
    struct conf *conf = services->conf(services->arg);
    const struct status_sources sources = {
        .conf = conf,
        .metrics = services->metrics,
        .resolver = dns_service_resolver(services->dns),
        .uptime_ms = clock_ms(&clock_system) - tools->started_ms,
        .exemptions = exemptions_count(tools->exemptions),
        .stopping = services->stopping(services->arg),
    };
    status_put(json, &sources);
    conf_unref(conf);
}

static bool reload(void *arg, char error[CONTROL_ERROR_MAX])
{
    struct tools *tools = arg;
    return tools->services.reload(tools->services.arg, error);
}

static bool save_exemptions(void *arg, char error[CONTROL_ERROR_MAX])
{
    struct tools *tools = arg;
    return state_save_exemptions(tools->state_dir, tools->exemptions, error);
}

static size_t cache_size(void *arg)
{
    struct tools *tools = arg;
    struct conf *conf = tools->services.conf(tools->services.arg);
    size_t size = conf->cache.size_bytes;
    conf_unref(conf);
    return size;
}

static size_t exemption_count(void *arg)
{
    struct tools *tools = arg;
    return exemptions_count(tools->exemptions);
}

static uint64_t table_limit_hits(void *arg)
{
    struct tools *tools = arg;
    struct conf *conf = tools->services.conf(tools->services.arg);
    uint64_t hits = conf_table_limit_hits(conf);
    conf_unref(conf);
    return hits;
}

static void serve_control(struct tools *tools, int fd)
{
    const struct control_services services = {
        .loop = dns_service_loop(tools->services.dns),
        .errands = tools->errands,
        .resolver = dns_service_resolver(tools->services.dns),
        .exemptions = tools->exemptions,
        .clock = &clock_system,
        .status = put_status,
        .reload = reload,
        .save_exemptions = save_exemptions,
        .arg = tools,
    };
    struct conf *conf = tools->services.conf(tools->services.arg);
    tools->control_path = conf->control == NULL ? NULL : strdup(conf->control);
    conf_unref(conf);
    tools->control = control_new(&services, fd);
    if (tools->control == NULL)
        log_error("control socket: out of memory");
}

static void serve_metrics(struct tools *tools, int fd)
{
    const struct exporter_services services = {
        .loop = dns_service_loop(tools->services.dns),
        .metrics = tools->services.metrics,
        .resolver = dns_service_resolver(tools->services.dns),
        .cache_size = cache_size,
        .exemptions = exemption_count,
        .table_limit_hits = table_limit_hits,
        .arg = tools,
        .start_s = clock_wall_s(&clock_system),
    };
    tools->exporter = exporter_new(&services, fd);
    if (tools->exporter == NULL)
        log_error("metrics: out of memory");
}

void tools_serve(struct tools *tools, const struct toolsockets *sockets)
{
    if (sockets->control >= 0)
        serve_control(tools, sockets->control);
    if (sockets->metrics >= 0)
        serve_metrics(tools, sockets->metrics);
}

/* --- the signal thread ---------------------------------------------------------------------- */

void tools_reloaded(struct tools *tools, const struct conf *conf)
{
    if (decisionlog_set_path(tools->decisionlog, conf->decision_log) != RESULT_OK)
        log_error("decision log: out of memory: the file stays the one that it was");
}

void tools_rotate(struct tools *tools)
{
    decisionlog_reopen(tools->decisionlog);
    log_info("files are opened again (SIGUSR1)");
}

void tools_errands(struct tools *tools)
{
    errands_run(tools->errands);
}

void tools_tick(struct tools *tools)
{
    int64_t now_ms = clock_ms(&clock_system);
    if (now_ms < tools->save_due_ms)
        return;
    tools->save_due_ms = now_ms + SAVE_CACHE_MS;
    state_save_cache(tools->state_dir, dns_service_cache(tools->services.dns), &clock_system);
}
