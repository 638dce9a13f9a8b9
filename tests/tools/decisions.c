/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays the same session many times, with everything in the cache: what tests/instructions.sh
 * counts the instructions of.
 *
 *     decisions KIND COUNT      KIND: good, tagged, refused
 *
 * The session is the real one, from connect to close, with the daemon's log line and counters; the
 * DNS is a zone, the clock stands still, and there is no libmilter and no output.
 */
#include "daemon/session.h"
#include "daemon/statistics.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char zone[] = "$ORIGIN .\n$TTL 3600\n"
                           "7.113.0.203.in-addr.arpa. PTR mail.good.example.\n"
                           "mail.good.example. A 203.0.113.7\n"
                           "8.113.0.203.in-addr.arpa. PTR host-203-0-113-8.isp.example.\n"
                           "host-203-0-113-8.isp.example. A 203.0.113.8\n"
                           "mail.other.example. A 198.51.100.9\n"
                           "example. SOA ns.example. root.example. 1 2 3 4 300\n"
                           "in-addr.arpa. SOA ns.example. root.example. 1 2 3 4 300\n";

static const char config[] =
    "mode = enforce\n"
    "match \"partners\" { client = {\"198.51.100.0/24\", \"192.0.2.0/24\"} "
    "policy = \"none\" }\n"
    "match \"postmaster\" { recipient = {\"postmaster\", \"abuse\"} "
    "policy = \"none\" }\n";

static const struct kind {
    const char *name;
    struct ipaddr client;
    const char *helo;
    enum session_answer want;
} kinds[] = {
    {"good", {IP_V4, {203, 0, 113, 7}}, "mail.good.example", SESSION_CONTINUE},
    {"tagged", {IP_V4, {203, 0, 113, 8}}, "mail.other.example", SESSION_CONTINUE},
    {"refused", {IP_V4, {203, 0, 113, 9}}, "mail.other.example", SESSION_REJECT},
};

struct stage_set {
    struct conf *conf;
    struct world *world;
    struct cache *cache;
    struct metrics *metrics;
    struct resolver *resolver;
    struct statistics *statistics;
    struct client_memory *memory;
    struct session_services services;
    unsigned decisions;
};

static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    struct stage_set *set = arg;
    char line[DECISION_LINE_MAX];
    decision_log_line(decision, transaction, line);
    statistics_decided(set->statistics, decision, transaction);
    set->decisions++;
}

static const char *get_macro(void *arg, const char *name)
{
    static const struct {
        const char *name, *value;
    } macros[] = {{"j", "mx.site.example"},
                  {"{client_name}", "mail.good.example"},
                  {"{daemon_name}", "smtp"},
                  {"{daemon_addr}", "192.0.2.254"},
                  {"i", "4bQxYz1wTqz2nX"}};
    (void)arg;
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
        if (strcmp(macros[i].name, name) == 0)
            return macros[i].value;
    return NULL;
}

static void remove_field(void *arg, const char *name, unsigned i)
{
    (void)arg;
    (void)name;
    (void)i;
}

static void insert_field(void *arg, const char *name, const char *value)
{
    (void)arg;
    (void)name;
    (void)value;
}

static void quarantine(void *arg, const char *reason)
{
    (void)arg;
    (void)reason;
}

/* The first session of all waits for the DNS. */
static enum session_answer settle(struct stage_set *set, struct session *session,
                                  enum session_answer answer)
{
    if (answer != SESSION_PENDING)
        return answer;
    world_advance(set->world, 0);
    return session_resume(session);
}

/* The function whose instructions are counted.  False: it did not go as it should. */
__attribute__((noinline)) static bool play_session(struct stage_set *set, const struct kind *kind)
{
    const struct session_macros macros = {get_macro, NULL};
    const struct session_edits edits = {remove_field, insert_field, quarantine, NULL};
    struct session *session = session_new(&set->services, set->conf);
    if (session == NULL)
        return false;
    bool ok =
        session_connect(session, &kind->client, &macros) == SESSION_CONTINUE &&
        session_helo(session, kind->helo) == SESSION_CONTINUE &&
        session_mail(session, "<someone@good.example>", &macros) == SESSION_CONTINUE &&
        settle(set, session, session_rcpt(session, "<user@site.example>", &macros)) == kind->want;
    if (ok && kind->want == SESSION_CONTINUE) {
        session_header(session, "From", "Someone <someone@good.example>");
        session_header(session, "Subject", "Hello");
        ok = session_end_of_message(session, &edits, &macros) == SESSION_CONTINUE;
    }
    session_reset(session);
    session_free(session);
    return ok;
}

static void tell(void *arg, const char *message)
{
    (void)arg;
    (void)fprintf(stderr, "%s\n", message);
}

static struct conf *load_config(int64_t wall_s)
{
    char path[] = "/tmp/iprevd-decisions-XXXXXX";
    const struct conf_report report = {tell, tell, NULL, NULL};
    int fd = mkstemp(path);
    if (fd < 0)
        return NULL;
    struct conf *conf = NULL;
    if (write(fd, config, strlen(config)) == (ssize_t)strlen(config))
        conf = conf_load(path, wall_s, &report);
    (void)close(fd);
    (void)unlink(path);
    return conf;
}

static bool set_up(struct stage_set *set)
{
    char error[512] = "";
    set->world = world_new(zone, error, sizeof error);
    if (set->world == NULL) {
        (void)fprintf(stderr, "%s\n", error);
        return false;
    }
    const struct clock *clock = world_clock(set->world);
    set->conf = load_config(clock_wall_s(clock));
    set->metrics = metrics_new();
    if (set->conf == NULL || set->metrics == NULL)
        return false;
    set->statistics = statistics_new(set->metrics);
    set->cache = cache_new(&set->conf->cache, 1);
    if (set->statistics == NULL || set->cache == NULL)
        return false;
    set->resolver = resolver_new(world_source(set->world), set->cache, world_loop(set->world),
                                 &set->conf->resolver, set->metrics);
    static const uint8_t key[SIPHASH_KEY_LENGTH] = {1};
    set->memory = client_memory_new(&set->conf->clients, key);
    set->services = (struct session_services){.resolver = set->resolver,
                                              .clock = clock,
                                              .memory = set->memory,
                                              .decided = decided,
                                              .arg = set};
    return set->resolver != NULL && set->memory != NULL;
}

static void tear_down(struct stage_set *set)
{
    if (set->world != NULL)
        loop_stop(world_loop(set->world));
    resolver_free(set->resolver);
    cache_free(set->cache);
    client_memory_free(set->memory);
    statistics_free(set->statistics);
    metrics_free(set->metrics);
    conf_unref(set->conf);
    world_free(set->world);
}

int main(int argc, char **argv)
{
    const struct kind *kind = NULL;
    struct stage_set set = {0};
    for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kind = &kinds[i];
    unsigned long count = kind == NULL ? 0 : strtoul(argv[2], NULL, 10);
    if (count == 0) {
        (void)fputs("usage: decisions good|tagged|refused COUNT\n", stderr);
        return 64;
    }
    bool ok = set_up(&set);
    for (unsigned long i = 0; ok && i < count; i++)
        ok = play_session(&set, kind);
    /* A session that decides nothing would be cheap. */
    ok = ok && set.decisions == count;
    tear_down(&set);
    if (!ok)
        (void)fputs("decisions: the sessions went wrong\n", stderr);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
