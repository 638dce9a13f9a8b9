/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/network.h"

#include "base/log.h"
#include "base/plural.h"
#include "dns/query.h"
#include "dns/resolvconf.h"
#include "dns/servers.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* resolv.conf is looked at this often at most, when somebody asks. */
#define NETWORK_CHECK_MS 3000
/* Servers whose text is kept for answer.server; enough for years of changes. */
#define NETWORK_LABELS SERVER_NO_LABEL

struct network {
    struct source source;
    struct network_settings settings; /* resolv_conf: owned copy */
    struct network_settings wanted;   /* of network_set(), its caller's; likewise */
    struct query_pool *pool;
    struct loop *loop;
    struct servers servers; /* the pool is locked where others may read */
    unsigned most_ms;       /* options of the resolv.conf that has the servers; else none */
    bool use_vc, rotate;
    struct resolvconf_stamp stamp;
    unsigned absent; /* servers of resolv.conf whose interface is not there */
    int64_t check_ms;
    char labels[NETWORK_LABELS][SERVER_TEXT_MAX]; /* written once, then read by any thread */
    atomic_uint label_count;
};

static struct network *of(const struct source *source)
{
    return (struct network *)source;
}

/* ---- settings ---- */

/* The settings with a copy of their path; none where servers are given. */
static enum result copy_settings(struct network_settings *out,
                                 const struct network_settings *settings)
{
    const char *path = settings->resolv_conf;
    struct network_settings copy = *settings;
    copy.resolv_conf =
        settings->server_count > 0 ? NULL : strdup(path != NULL ? path : "/etc/resolv.conf");
    if (settings->server_count == 0 && copy.resolv_conf == NULL)
        return RESULT_NOMEM;
    *out = copy;
    return RESULT_OK;
}

static void free_settings(struct network_settings *settings)
{
    free((void *)(uintptr_t)settings->resolv_conf); /* our copy */
    settings->resolv_conf = NULL;
}

/* ---- the list of servers ---- */

/* The number under which a server's text stays known; SERVER_NO_LABEL when the table is full. */
static uint8_t label_of(struct network *network, const struct network_server *where)
{
    unsigned count = atomic_load_explicit(&network->label_count, memory_order_relaxed);
    char text[SERVER_TEXT_MAX];

    network_server_format(where, text);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(network->labels[i], text) == 0)
            return (uint8_t)i;
    if (count == NETWORK_LABELS)
        return SERVER_NO_LABEL;
    memcpy(network->labels[count], text, sizeof text);
    atomic_store_explicit(&network->label_count, count + 1, memory_order_release);
    return (uint8_t)count;
}

/* Those that stay keep their health.  RESULT_NOMEM: the list is as it was. */
static enum result set_servers(struct network *network, const struct network_server *list,
                               unsigned count, bool trust_ad)
{
    struct servers fresh = {.next = network->servers.next}, old = network->servers;

    for (unsigned i = 0; i < count && fresh.count < NETWORK_SERVERS_MAX; i++) {
        bool trusted = trust_ad || ipaddr_is_loopback(&list[i].addr);
        struct server *server = servers_find(&old, &list[i]);

        if (servers_find(&fresh, &list[i]) != NULL)
            continue;
        if (server != NULL)
            server_ref(server);
        else
            server = server_new(&list[i], label_of(network, &list[i]), trusted);
        if (server == NULL) {
            servers_clear(&fresh);
            return RESULT_NOMEM;
        }
        server->trusted = trusted;
        fresh.list[fresh.count++] = server;
    }
    query_pool_lock(network->pool);
    network->servers = fresh;
    query_pool_unlock(network->pool);
    servers_clear(&old);
    return RESULT_OK;
}

/* ---- resolv.conf ---- */

/* What the configuration does not say, resolv.conf does. */
static void apply_settings(struct network *network)
{
    const struct query_settings settings = {.timeout_ms = network->settings.timeout_ms,
                                            .most_ms = network->most_ms,
                                            .attempts = network->settings.attempts,
                                            .use_tcp = network->use_vc,
                                            .authoritative = network->settings.authoritative,
                                            .tcp_max = network->settings.max_tcp};
    query_pool_set(network->pool, &settings);
}

static enum result apply_resolvconf(struct network *network, const struct resolvconf *conf)
{
    const struct network_settings *settings = &network->settings;
    enum result status =
        set_servers(network, conf->servers, conf->count, settings->trust_ad || conf->trust_ad);

    if (status != RESULT_OK)
        return status;
    network->most_ms = conf->timeout_ms;
    network->use_vc = conf->use_vc;
    network->rotate = conf->rotate;
    apply_settings(network);
    if (conf->ignored > 0)
        log_warning("%s: %u nameserver line%s not used", network->settings.resolv_conf,
                    conf->ignored, plural_of(conf->ignored, " is", "s are"));
    return RESULT_OK;
}

/* Has the file changed, or come an interface that it names? */
static bool wants_reading(const struct network *network)
{
    struct resolvconf conf;
    struct resolvconf_stamp stamp;
    if (resolvconf_changed(network->settings.resolv_conf, &network->stamp))
        return true;
    return network->absent > 0 &&
           resolvconf_read(network->settings.resolv_conf, &conf, &stamp) == RESULT_OK &&
           conf.absent != network->absent;
}

/* What the file says now.  Of one without servers *conf has the default (resolv.conf(5)). */
static enum result read_resolvconf(struct network *network, struct resolvconf *conf)
{
    const char *path = network->settings.resolv_conf;
    struct resolvconf_stamp stamp;
    enum result status = resolvconf_read(path, conf, &stamp);
    bool missing = status == RESULT_IO || (status == RESULT_OK && conf->none);
    if (status != RESULT_OK && !missing)
        return status;
    if (missing)
        log_warning(
            "%s: %s: the DNS %s", path, status == RESULT_IO ? strerror(errno) : "no nameserver",
            network->servers.count > 0 ? "servers stay as they are" : "server is 127.0.0.1");
    /*
     * A file that went away, or has no servers now, keeps the last ones: it is being replaced or
     * written, most likely.
     */
    if (!missing || network->servers.count == 0)
        status = apply_resolvconf(network, conf);
    else
        status = RESULT_OK;
    if (status != RESULT_OK)
        return status; /* out of memory: the next look sees the change again */
    network->stamp = stamp;
    network->absent = conf->absent;
    return RESULT_OK;
}

static void watch_resolvconf(struct network *network)
{
    struct resolvconf conf;
    int64_t now_ms = loop_now_ms(network->loop);
    if (network->settings.resolv_conf == NULL || now_ms < network->check_ms)
        return;
    network->check_ms = now_ms + NETWORK_CHECK_MS;
    if (wants_reading(network) && read_resolvconf(network, &conf) == RESULT_OK && !conf.none)
        log_info("%s was read again: %u DNS servers", network->settings.resolv_conf,
                 network->servers.count);
}

static enum result first_resolvconf(struct network *network)
{
    struct resolvconf conf;
    network->check_ms = loop_now_ms(network->loop) + NETWORK_CHECK_MS;
    return read_resolvconf(network, &conf);
}

/* ---- the source ---- */

static void *network_ask(struct source *source, const struct question *question,
                         int64_t deadline_ms, source_done *done, void *arg)
{
    struct network *network = of(source);
    struct server *order[NETWORK_SERVERS_MAX];
    unsigned up;

    watch_resolvconf(network);
    up = servers_order(&network->servers, network->rotate, order);
    if (up > 0) { /* with none up the question itself goes to all of them */
        struct server *server = servers_probe(&network->servers, loop_now_ms(network->loop));

        if (server != NULL)
            query_probe(network->pool, question, server);
    }
    return query_start(network->pool, question, order, up, network->servers.count, deadline_ms,
                       done, arg);
}

static void network_cancel(struct source *source, void *handle)
{
    (void)source;
    query_cancel(handle);
}

static void network_nudge(struct source *source, void *handle, int64_t deadline_ms)
{
    (void)source;
    query_nudge(handle, deadline_ms);
}

static bool network_came_back(struct source *source)
{
    return query_pool_came_back(of(source)->pool);
}

static const char *network_server_text(const struct source *source, unsigned server)
{
    const struct network *network = of(source);

    return server < atomic_load_explicit(&network->label_count, memory_order_acquire)
               ? network->labels[server]
               : NULL;
}

static void network_free(struct source *source)
{
    struct network *network = of(source);

    query_pool_free(network->pool);
    servers_clear(&network->servers);
    free_settings(&network->settings);
    free_settings(&network->wanted);
    free(network);
}

static const struct source_ops network_ops = {
    .ask = network_ask,
    .cancel = network_cancel,
    .nudge = network_nudge,
    .came_back = network_came_back,
    .server_text = network_server_text,
    .free = network_free,
};

/* ---- life cycle ---- */

/* Go by network->settings.  RESULT_NOMEM: the servers are as they were. */
static enum result configure(struct network *network)
{
    const struct network_settings *settings = &network->settings;

    enum result status;

    if (settings->server_count == 0) {
        apply_settings(network); /* where the file has no servers now, its options stay with them */
        return first_resolvconf(network);
    }
    status = set_servers(network, settings->servers, settings->server_count, settings->trust_ad);
    if (status == RESULT_OK) {
        network->most_ms = 0;
        network->use_vc = network->rotate = false;
    }
    apply_settings(network);
    return status;
}

struct source *network_new(struct loop *loop, const struct network_settings *settings,
                           struct metrics *metrics)
{
    struct network *network = calloc(1, sizeof *network);

    if (network == NULL)
        return NULL;
    network->source.ops = &network_ops;
    network->loop = loop;
    network->pool = query_pool_new(loop, metrics);
    if (network->pool == NULL || copy_settings(&network->settings, settings) != RESULT_OK ||
        copy_settings(&network->wanted, settings) != RESULT_OK || configure(network) != RESULT_OK) {
        network_free(&network->source);
        return NULL;
    }
    return &network->source;
}

struct change {
    struct network *network;
    struct network_settings settings;
};

static void change_settings(void *arg)
{
    struct change *change = arg;
    struct network *network = change->network;
    free_settings(&network->settings);
    network->settings = change->settings;
    free(change);
    if (configure(network) != RESULT_OK)
        log_error("out of memory: the DNS servers stay as they were");
}

enum result network_set(struct source *source, const struct network_settings *settings)
{
    struct network *network = of(source);
    struct network_settings wanted;
    if (copy_settings(&wanted, settings) != RESULT_OK)
        return RESULT_NOMEM;
    if (network_settings_equal(&wanted, &network->wanted)) {
        free_settings(&wanted);
        return RESULT_OK;
    }
    struct change *change = malloc(sizeof *change);
    enum result status = RESULT_NOMEM;
    if (change != NULL) {
        change->network = network;
        status = copy_settings(&change->settings, settings);
        if (status == RESULT_OK) {
            status = loop_post(network->loop, change_settings, change);
            if (status != RESULT_OK)
                free_settings(&change->settings);
        }
    }
    if (status != RESULT_OK) {
        free(change);
        free_settings(&wanted);
        return status;
    }
    free_settings(&network->wanted);
    network->wanted = wanted;
    return RESULT_OK;
}

size_t network_health(const struct source *source, struct network_server_health *out, size_t max)
{
    struct network *network = of(source);
    size_t count = 0;

    if (source->ops != &network_ops)
        return 0;
    query_pool_lock(network->pool);
    for (; count < network->servers.count && count < max; count++) {
        const struct server *server = network->servers.list[count];
        int64_t rtt_ms = server->rtt_us / 1000;

        memcpy(out[count].text, server->text, sizeof server->text);
        out[count].up = server->fault == SERVER_UP;
        out[count].rtt_ms = !server->measured ? 0 : rtt_ms > 0 ? (unsigned)rtt_ms : 1;
        out[count].queries = server->queries;
        out[count].answers = server->answers;
        out[count].timeouts = server->timeouts;
        out[count].failures = server->failures;
        out[count].mismatched = server->mismatched;
    }
    query_pool_unlock(network->pool);
    return count;
}
