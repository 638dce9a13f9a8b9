/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sharing.h"

#include "config.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/plural.h"
#include "base/textbuf.h"
#include "daemon/cacheview.h"
#include "daemon/service_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of what another host flushed, as it is shown. */
#define TARGET_SHOWN 100

/* --- what the farm asks of us ---------------------------------------------------------------- */

static void changed(void *arg)
{
    saving_exemptions(arg);
}

/* Signed by a host of ours, and still checked as a request is. */
static void flush(void *arg, const char *target, const char *host)
{
    struct service *service = arg;
    struct ipaddr addr = {0};
    enum hostname_flaw flaw = HOSTNAME_OK;
    char name[HOSTNAME_MAX + 1] = "", text[4 * TARGET_SHOWN];
    if (strcmp(target, "all") != 0 && ipaddr_parse(target, &addr) != RESULT_OK)
        flaw = hostname_parse(target, name);
    if (flaw != HOSTNAME_OK && flaw != HOSTNAME_ONE_LABEL)
        return;
    struct textbuf shown;
    textbuf_init(&shown, text, sizeof text);
    textbuf_put_untrusted(&shown, target, TARGET_SHOWN);
    size_t gone = cacheview_flush(dns_service_resolver(service->dns), &addr, name);
    log_info("farm: %s has flushed %s: %zu record%s forgotten here, too", host, text, gone,
             plural_of(gone, " is", "s are"));
}

static int64_t counted(const struct service *service, const char *name, size_t first)
{
    const struct metric *metric = metrics_find(service->metrics, name);
    const struct metric_desc *desc = metric_description(metric);
    size_t second = desc == NULL || desc->labels[1].name == NULL ? 1 : desc->labels[1].count;
    int64_t sum = 0;
    for (size_t i = 0; i < second; i++)
        sum += metric_value(metric, first, i);
    return sum;
}

static void asks(void *arg, bool can)
{
    struct service *service = arg;
    atomic_store(&service->sharing.asks, can);
}

static void put_heartbeat(void *arg, struct json_writer *json)
{
    struct service *service = arg;
    json_writer_text(json, "version", PACKAGE_VERSION);
    json_writer_text(json, "mode", service->conf->monitor ? "monitor" : "enforce");
    json_writer_text(json, "configuration", service->sharing.configuration);
    json_writer_bool(json, "outage", resolver_health(dns_service_resolver(service->dns)).down);
    json_writer_int(json, "exemptions", (int64_t)exemptions_count(service->exemptions));
    json_writer_int(json, "sessions", counted(service, "iprevd_sessions_total", 0));
    json_writer_int(json, "rejected", counted(service, "iprevd_verdicts_total", ACTION_REJECT));
}

/* --- making ---------------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same(const struct conf *old, const struct conf *fresh)
{
    const struct conf_farm *a = &old->farm, *b = &fresh->farm;
    if (a->server_count != b->server_count || !texts_equal(a->name, b->name) ||
        !texts_equal(a->host, b->host) || !texts_equal(a->user, b->user) ||
        a->timeout_ms != b->timeout_ms || old->clients.keep_s != fresh->clients.keep_s ||
        conf_greylists(old) != conf_greylists(fresh))
        return false;
    for (size_t i = 0; i < a->server_count; i++)
        if (strcmp(a->servers[i], b->servers[i]) != 0)
            return false;
    return true;
}

static bool secrets_equal(const struct farm_secrets *a, const struct farm_secrets *b)
{
    return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0 &&
           strcmp(a->password, b->password) == 0;
}

/* "" when it cannot be told, which is no drift. */
static void name_configuration(const struct conf *conf, char out[17])
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    out[0] = '\0';
    if (stream == NULL)
        return;
    bool printed = conf_print_deciding(conf, stream) == RESULT_OK;
    if (fclose(stream) == 0 && printed)
        (void)snprintf(out, 17, "%016" PRIx64, hash64_bytes(HASH64_START, text, length));
    free(text);
}

bool sharing_set(struct service *service, const struct conf *old,
                 const struct farm_secrets *secrets)
{
    struct sharing *sharing = &service->sharing;
    const struct conf *conf = service->conf;
    bool wanted = conf->farm.server_count > 0;
    if (wanted)
        name_configuration(conf, sharing->configuration);
    if (wanted && sharing->farm != NULL && old != NULL && is_same(old, conf) &&
        secrets_equal(secrets, &sharing->secrets)) {
        farm_configuration_changed(sharing->farm);
        return true;
    }
    farm_free(sharing->farm);
    sharing->farm = NULL;
    atomic_store(&sharing->exists, false);
    if (!wanted)
        return true;
    const struct farm_services services = {
        .loop = service->management.loop,
        .clock = &clock_system,
        .exemptions = service->exemptions,
        .memory = service->memory,
        .greylist = service->greylist,
        .metrics = service->metrics,
        .configuration = sharing->configuration,
        .changed = changed,
        .flush = flush,
        .asks = asks,
        .put_heartbeat = put_heartbeat,
        .arg = service,
    };
    sharing->secrets = *secrets;
    sharing->farm = farm_new(conf, secrets, &services);
    atomic_store(&sharing->exists, sharing->farm != NULL);
    if (sharing->farm != NULL && sharing->started)
        farm_start(sharing->farm);
    return sharing->farm != NULL;
}

void sharing_start(struct service *service)
{
    service->sharing.started = true;
    if (service->sharing.farm != NULL)
        farm_start(service->sharing.farm);
}

void sharing_tick(struct service *service)
{
    if (service->sharing.farm != NULL && service->sharing.started)
        farm_tick(service->sharing.farm);
}

void sharing_put_status(const struct service *service, struct json_writer *json)
{
    if (service->sharing.farm == NULL)
        return;
    json_writer_begin_object(json, "farm");
    farm_put_status(service->sharing.farm, json);
    json_writer_end(json);
}

/* --- what is remembered of clients ----------------------------------------------------------- */

/* Other hosts have so long to answer, beside the PTR. */
#define PATIENCE_MS 100

/* From a session's thread to the management loop's: ask about the client. */
struct memo {
    struct service *service;
    struct ipaddr client;
    struct lookup *lookup; /* that waits; NULL: it has changed here */
};

static void came(void *arg, bool answered)
{
    lookup_elsewhere_came(arg, answered);
}

/* To be asked again is to be told: what is remembered here and not there is written then. */
static void deliver(void *arg)
{
    struct memo *memo = arg;
    struct farm *farm = memo->service->sharing.farm;
    if (farm != NULL)
        farm_ask_about(farm, &memo->client, memo->lookup != NULL ? came : NULL, memo->lookup);
    else if (memo->lookup != NULL)
        came(memo->lookup, false);
    free(memo);
}

/* False: out of memory, or it is the end. */
static bool send_memo(const struct memo *like)
{
    struct memo *memo = malloc(sizeof *memo);
    if (memo == NULL)
        return false;
    *memo = *like;
    if (loop_post(like->service->management.loop, deliver, memo) == RESULT_OK)
        return true;
    free(memo);
    return false;
}

bool sharing_ask(void *service, struct lookup *lookup, const struct ipaddr *client)
{
    const struct memo memo = {.service = service, .client = *client, .lookup = lookup};
    const struct sharing *sharing = &memo.service->sharing;
    if (!atomic_load(&sharing->exists))
        return false;
    lookup_await_elsewhere(lookup, PATIENCE_MS);
    if (!atomic_load(&sharing->asks) || !send_memo(&memo))
        lookup_elsewhere_came(lookup, false);
    return true;
}

void sharing_tell(void *service, const struct ipaddr *client)
{
    const struct memo memo = {.service = service, .client = *client};
    if (atomic_load(&memo.service->sharing.asks))
        (void)send_memo(&memo);
}
