/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/network.h"

#include "base/log.h"
#include "dns/query.h"
#include "dns/resolvconf.h"

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
    char *resolv_conf;
    struct query_pool pool;
    struct servers servers; /* pool.lock where others may read */
    bool rotate;
    struct resolvconf_stamp stamp;
    int64_t check_ms;
    char labels[NETWORK_LABELS][SERVER_TEXT_MAX]; /* written once, then read by any thread */
    atomic_uint label_count;
};

static struct network *of(const struct source *source)
{
    return (struct network *)source;
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

static bool is_loopback(const struct ipaddr *addr)
{
    static const uint8_t one[16] = {[15] = 1};

    return addr->family == IP_V4 ? addr->bytes[0] == 127 : memcmp(addr->bytes, one, 16) == 0;
}

/* Those that stay keep their health.  RESULT_NOMEM: the list is as it was. */
static enum result set_servers(struct network *network, const struct network_server *list,
                               unsigned count, bool trust_ad)
{
    struct servers fresh = {.next = network->servers.next}, old = network->servers;

    for (unsigned i = 0; i < count && fresh.count < NETWORK_SERVERS_MAX; i++) {
        bool trusted = trust_ad || is_loopback(&list[i].addr);
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
    pthread_mutex_lock(&network->pool.lock);
    network->servers = fresh;
    pthread_mutex_unlock(&network->pool.lock);
    servers_clear(&old);
    return RESULT_OK;
}

/* ---- resolv.conf ---- */

static enum result apply_resolvconf(struct network *network, const struct resolvconf *conf)
{
    const struct network_settings *settings = &network->settings;
    enum result status =
        set_servers(network, conf->servers, conf->count, settings->trust_ad || conf->trust_ad);

    if (status != RESULT_OK)
        return status;
    if (settings->timeout_ms == 0)
        network->pool.timeout_ms = conf->timeout_ms;
    if (settings->attempts == 0)
        network->pool.attempts = conf->attempts > 0 ? conf->attempts : QUERY_ATTEMPTS;
    network->pool.use_tcp = conf->use_vc;
    network->rotate = conf->rotate;
    if (conf->ignored > 0)
        log_warning("%s: %u nameserver lines are not usable", network->resolv_conf, conf->ignored);
    return RESULT_OK;
}

/* A file that went away keeps its last servers: it is being replaced, most likely. */
static void watch_resolvconf(struct network *network)
{
    struct resolvconf conf;
    struct resolvconf_stamp stamp;
    int64_t now_ms = loop_now_ms(network->pool.loop);
    enum result status;

    if (network->resolv_conf == NULL || now_ms < network->check_ms)
        return;
    network->check_ms = now_ms + NETWORK_CHECK_MS;
    if (!resolvconf_changed(network->resolv_conf, &network->stamp))
        return;
    status = resolvconf_read(network->resolv_conf, &conf, &stamp);
    if (status == RESULT_IO) {
        log_warning("%s: %s: the DNS servers stay as they are", network->resolv_conf,
                    strerror(errno));
        network->stamp = stamp;
        return;
    }
    if (status != RESULT_OK || apply_resolvconf(network, &conf) != RESULT_OK)
        return; /* out of memory: the next look sees the change again */
    network->stamp = stamp;
    log_info("%s was read again: %u DNS servers", network->resolv_conf, network->servers.count);
}

static enum result first_resolvconf(struct network *network)
{
    struct resolvconf conf;
    enum result status = resolvconf_read(network->resolv_conf, &conf, &network->stamp);

    if (status == RESULT_IO)
        log_warning("%s: %s: the DNS server is 127.0.0.1", network->resolv_conf, strerror(errno));
    else if (status != RESULT_OK)
        return status;
    network->check_ms = loop_now_ms(network->pool.loop) + NETWORK_CHECK_MS;
    return apply_resolvconf(network, &conf);
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
        struct server *server = servers_probe(&network->servers, loop_now_ms(network->pool.loop));

        if (server != NULL)
            query_probe(&network->pool, question, server);
    }
    return query_start(&network->pool, question, order, up, network->servers.count, deadline_ms,
                       done, arg);
}

static void network_cancel(struct source *source, void *handle)
{
    (void)source;
    query_cancel(handle);
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

    while (!LIST_EMPTY(&network->pool.running))
        query_cancel(LIST_FIRST(&network->pool.running));
    query_pool_clear(&network->pool);
    servers_clear(&network->servers);
    free(network->resolv_conf);
    free(network);
}

static const struct source_ops network_ops = {
    .ask = network_ask,
    .cancel = network_cancel,
    .server_text = network_server_text,
    .free = network_free,
};

/* ---- life cycle ---- */

static bool declare_metrics(struct query_metrics *out, struct metrics *metrics)
{
    static const struct metric_desc mismatched = {
        .name = "iprevd_dns_mismatched_total",
        .help = "DNS packets dropped because they answered no question of ours.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc tcp = {
        .name = "iprevd_dns_tcp_fallbacks_total",
        .help = "DNS questions repeated over TCP because the answer was truncated or forged.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc tcp_waits = {
        .name = "iprevd_dns_tcp_waits_total",
        .help = "DNS questions that had to wait for one of the TCP connections allowed.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc timeouts = {
        .name = "iprevd_dns_timeouts_total",
        .help = "Tries that a DNS server did not answer in time.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc seconds = {
        .name = "iprevd_dns_query_seconds",
        .help = "Time from a question to its answer or failure, over all tries.",
        .kind = METRIC_HISTOGRAM_MS};

    if (metrics == NULL)
        return true;
    out->mismatched = metrics_declare(metrics, &mismatched);
    out->tcp = metrics_declare(metrics, &tcp);
    out->tcp_waits = metrics_declare(metrics, &tcp_waits);
    out->timeouts = metrics_declare(metrics, &timeouts);
    out->seconds = metrics_declare(metrics, &seconds);
    return out->mismatched != NULL && out->tcp != NULL && out->tcp_waits != NULL &&
           out->timeouts != NULL && out->seconds != NULL;
}

static enum result configure(struct network *network, struct metrics *metrics)
{
    const struct network_settings *settings = &network->settings;

    if (!declare_metrics(&network->pool.metrics, metrics))
        return RESULT_NOMEM;
    if (settings->max_tcp > 0)
        network->pool.tcp_max = settings->max_tcp;
    if (settings->attempts > 0)
        network->pool.attempts = settings->attempts;
    network->pool.timeout_ms = settings->timeout_ms;
    if (settings->server_count > 0)
        return set_servers(network, settings->servers, settings->server_count, settings->trust_ad);
    network->resolv_conf =
        strdup(settings->resolv_conf != NULL ? settings->resolv_conf : "/etc/resolv.conf");
    return network->resolv_conf == NULL ? RESULT_NOMEM : first_resolvconf(network);
}

struct source *network_new(struct loop *loop, const struct network_settings *settings,
                           struct metrics *metrics)
{
    struct network *network = calloc(1, sizeof *network);

    if (network == NULL)
        return NULL;
    if (query_pool_init(&network->pool, loop, query_turn) != RESULT_OK) {
        free(network);
        return NULL;
    }
    network->source.ops = &network_ops;
    network->settings = *settings;
    if (configure(network, metrics) != RESULT_OK) {
        network_free(&network->source);
        return NULL;
    }
    return &network->source;
}

size_t network_health(const struct source *source, struct network_server_health *out, size_t max)
{
    struct network *network = of(source);
    size_t count = 0;

    if (source->ops != &network_ops)
        return 0;
    pthread_mutex_lock(&network->pool.lock);
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
    pthread_mutex_unlock(&network->pool.lock);
    return count;
}
