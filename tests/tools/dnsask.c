/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks questions through the network source (or a zone file) alone, without cache and
 * resolver, and prints what comes back: one JSON object a line.  For tests.
 *
 *   dnsask [-s SERVER]... [-r RESOLV.CONF] [-z ZONEFILE] [-t TIMEOUT_MS] [-a ATTEMPTS] [-c MAX_TCP]
 * [-A] [-d DEADLINE_MS]
 *
 * reads commands from standard input: "ask NAME TYPE [DEADLINE_MS]", which all run at the same
 * time; "wait": until all of them are answered; "cancel", "nudge": the last one; "health";
 * "metrics"; "fds N": lower the limit of descriptors.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/clock.h"
#include "dns/network.h"
#include "dns/zonefile.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

struct driver {
    struct loop *loop;
    struct source *source;
    struct metrics *metrics;
    int deadline_ms;
    unsigned asked;
    struct ask *last; /* the loop's thread */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned open; /* commands under way; guarded by lock */
};

struct ask {
    struct driver *driver;
    unsigned number;
    char name[300];
    struct question question;
    int deadline_ms;
    void *handle;
};

static void driver_begin(struct driver *driver)
{
    pthread_mutex_lock(&driver->lock);
    driver->open++;
    pthread_mutex_unlock(&driver->lock);
}

static void driver_end(struct driver *driver)
{
    pthread_mutex_lock(&driver->lock);
    if (--driver->open == 0)
        pthread_cond_broadcast(&driver->idle);
    pthread_mutex_unlock(&driver->lock);
}

static void driver_wait(struct driver *driver)
{
    pthread_mutex_lock(&driver->lock);
    while (driver->open > 0)
        pthread_cond_wait(&driver->idle, &driver->lock);
    pthread_mutex_unlock(&driver->lock);
}

/* Names may hold backslashes and quotes: their escapes are doubled for JSON. */
static void print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_name(const uint8_t *name, size_t length)
{
    char text[NAME_TEXT_MAX];

    print_string(wirename_text(name, length, text));
}

static void print_records(const struct answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (i > 0)
            putchar(',');
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            struct ipaddr addr;
            char text[IPADDR_TEXT_MAX];

            answer_address(answer, i, &addr);
            print_string(ipaddr_format(&addr, text));
        } else {
            size_t length;
            const uint8_t *name = answer_name(answer, i, &length);

            print_name(name, length);
        }
    }
}

static void print_answer(const struct ask *ask, const struct source_result *result)
{
    static const char *const outcomes[] = {"NOTASKED", "FOUND", "NODATA", "NXDOMAIN", "TEMPERROR"};
    const struct answer *answer = result->answer;
    const struct source *source = ask->driver->source;
    const char *server = answer != NULL ? source->ops->server_text(source, answer->server) : NULL;

    printf("{\"id\":%u,\"name\":", ask->number);
    print_string(ask->name);
    if (answer == NULL) {
        puts(",\"outcome\":\"NOMEM\"}");
        return;
    }
    printf(",\"type\":\"%s\",\"outcome\":\"%s\",\"problem\":", rrtype_text(answer->type),
           outcomes[answer->outcome]);
    if (answer->outcome == DNS_TEMPERROR)
        print_string(answer_problem_text(answer));
    else
        fputs("null", stdout);
    printf(",\"ttl\":%u,\"secure\":%s,\"dropped\":%u,\"took_ms\":%u,\"hops\":%u,\"chained\":%s",
           answer->ttl_s, answer->secure ? "true" : "false", answer->dropped, answer->took_ms,
           result->hops, result->chained ? "true" : "false");
    fputs(",\"target\":", stdout);
    if (result->chained)
        print_name(result->target.name, result->target.length);
    else
        fputs("null", stdout);
    fputs(",\"server\":", stdout);
    if (server != NULL)
        print_string(server);
    else
        fputs("null", stdout);
    fputs(",\"records\":[", stdout);
    print_records(answer);
    puts("]}");
}

static void on_done(void *arg, const struct source_result *result)
{
    struct ask *ask = arg;
    struct driver *driver = ask->driver;

    print_answer(ask, result);
    fflush(stdout);
    answer_unref(result->answer);
    if (driver->last == ask)
        driver->last = NULL;
    free(ask);
    driver_end(driver);
}

static void do_ask(void *arg)
{
    struct ask *ask = arg;
    struct driver *driver = ask->driver;
    void *handle;

    driver->last = ask;
    handle = driver->source->ops->ask(driver->source, &ask->question,
                                      loop_now_ms(driver->loop) + ask->deadline_ms, on_done, ask);
    if (handle != NULL)
        ask->handle = handle;
}

static void do_cancel(void *arg)
{
    struct driver *driver = arg;

    if (driver->last != NULL && driver->last->handle != NULL)
        driver->source->ops->cancel(driver->source, driver->last->handle);
    driver_end(driver);
}

static void do_health(void *arg)
{
    struct driver *driver = arg;
    struct network_server_health health[NETWORK_SERVERS_MAX];
    size_t count = network_health(driver->source, health, NETWORK_SERVERS_MAX);

    fputs("{\"health\":[", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s{\"server\":\"%s\",\"up\":%s,\"rtt_ms\":%u,\"queries\":%llu,\"answers\":%llu,"
               "\"timeouts\":%llu,\"failures\":%llu,\"mismatched\":%llu}",
               i > 0 ? "," : "", health[i].text, health[i].up ? "true" : "false", health[i].rtt_ms,
               (unsigned long long)health[i].queries, (unsigned long long)health[i].answers,
               (unsigned long long)health[i].timeouts, (unsigned long long)health[i].failures,
               (unsigned long long)health[i].mismatched);
    puts("]}");
    fflush(stdout);
    driver_end(driver);
}

static void do_free(void *arg)
{
    struct driver *driver = arg;

    driver->source->ops->free(driver->source);
    driver->source = NULL;
}

static bool parse_type(const char *text, enum rrtype *out)
{
    static const struct {
        const char *text;
        enum rrtype type;
    } types[] = {{"A", RR_A}, {"PTR", RR_PTR}, {"MX", RR_MX}, {"AAAA", RR_AAAA}};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].text, text) == 0) {
            *out = types[i].type;
            return true;
        }
    return false;
}

static void command_ask(struct driver *driver, const char *name, const char *type,
                        const char *deadline)
{
    struct ask *ask = calloc(1, sizeof *ask);
    enum rrtype rrtype;

    if (ask == NULL || name == NULL || type == NULL || !parse_type(type, &rrtype) ||
        question_from_name(name, rrtype, &ask->question) != RESULT_OK) {
        fprintf(stderr, "dnsask: cannot ask that\n");
        free(ask);
        return;
    }
    ask->driver = driver;
    ask->number = ++driver->asked;
    snprintf(ask->name, sizeof ask->name, "%s", name);
    ask->deadline_ms = deadline != NULL ? atoi(deadline) : driver->deadline_ms;
    driver_begin(driver);
    if (loop_post(driver->loop, do_ask, ask) != RESULT_OK) {
        driver_end(driver);
        free(ask);
    }
}

static void command_call(struct driver *driver, void (*call)(void *arg))
{
    driver_begin(driver);
    if (loop_post(driver->loop, call, driver) != RESULT_OK)
        driver_end(driver);
}

static void set_descriptors(unsigned number)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = number < limit.rlim_max ? number : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void do_nudge(void *arg)
{
    struct driver *driver = arg;
    if (driver->last != NULL && driver->last->handle != NULL)
        driver->source->ops->nudge(driver->source, driver->last->handle,
                                   loop_now_ms(driver->loop) + driver->last->deadline_ms);
    driver_end(driver);
}

static void command(struct driver *driver, char *line)
{
    char *save = NULL, *word = strtok_r(line, " \n", &save);

    if (word == NULL)
        return;
    if (strcmp(word, "ask") == 0) {
        const char *name = strtok_r(NULL, " \n", &save);
        const char *type = strtok_r(NULL, " \n", &save);

        command_ask(driver, name, type, strtok_r(NULL, " \n", &save));
    } else if (strcmp(word, "wait") == 0) {
        driver_wait(driver);
    } else if (strcmp(word, "cancel") == 0) {
        command_call(driver, do_cancel);
    } else if (strcmp(word, "nudge") == 0) {
        command_call(driver, do_nudge);
    } else if (strcmp(word, "health") == 0) {
        command_call(driver, do_health);
    } else if (strcmp(word, "metrics") == 0) {
        if (metrics_print(driver->metrics, stdout) == RESULT_OK)
            puts("# end");
        fflush(stdout);
    } else if (strcmp(word, "fds") == 0) {
        const char *number = strtok_r(NULL, " \n", &save);

        set_descriptors(number != NULL ? (unsigned)atoi(number) : 0);
    } else {
        fprintf(stderr, "dnsask: %s: no such command\n", word);
    }
}

static int usage(void)
{
    fputs("usage: dnsask [-A] [-s server] [-r resolv.conf] [-z zonefile] [-t timeout_ms] "
          "[-a attempts] [-c max_tcp] [-d deadline_ms]\n",
          stderr);
    return 64;
}

static bool options(int argc, char **argv, struct network_settings *settings,
                    const char **zone_file, int *deadline_ms)
{
    int option;

    while ((option = getopt(argc, argv, "As:r:z:t:a:c:d:")) != -1) {
        if (option == 'A')
            settings->trust_ad = true;
        else if (option == 's' && settings->server_count < NETWORK_SERVERS_MAX &&
                 network_server_parse(optarg, &settings->servers[settings->server_count]) ==
                     RESULT_OK)
            settings->server_count++;
        else if (option == 'r')
            settings->resolv_conf = optarg;
        else if (option == 'z')
            *zone_file = optarg;
        else if (option == 't')
            settings->timeout_ms = (unsigned)atoi(optarg);
        else if (option == 'a')
            settings->attempts = (unsigned)atoi(optarg);
        else if (option == 'c')
            settings->max_tcp = (unsigned)atoi(optarg);
        else if (option == 'd')
            *deadline_ms = atoi(optarg);
        else
            return false;
    }
    return optind == argc;
}

static bool open_source(struct driver *driver, const struct network_settings *settings,
                        const char *zone_file)
{
    char error[256] = "";
    unsigned line = 0;

    if (zone_file == NULL) {
        driver->source = network_new(driver->loop, settings, driver->metrics);
    } else if (zonefile_load(zone_file, &driver->source, &line, error, sizeof error) != RESULT_OK) {
        fprintf(stderr, "%s:%u: %s\n", zone_file, line, *error != '\0' ? error : strerror(errno));
        return false;
    }
    return driver->source != NULL;
}

int main(int argc, char **argv)
{
    struct network_settings settings = {0};
    struct driver driver = {.deadline_ms = 10000};
    const char *zone_file = NULL;
    char line[512];

    if (!options(argc, argv, &settings, &zone_file, &driver.deadline_ms))
        return usage();
    pthread_mutex_init(&driver.lock, NULL);
    pthread_cond_init(&driver.idle, NULL);
    driver.metrics = metrics_new();
    driver.loop = loop_new();
    if (driver.metrics == NULL || driver.loop == NULL ||
        !open_source(&driver, &settings, zone_file) || loop_start(driver.loop, "dns") != RESULT_OK)
        return 71;
    while (fgets(line, sizeof line, stdin) != NULL)
        command(&driver, line);
    driver_wait(&driver);
    if (loop_post(driver.loop, do_free, &driver) != RESULT_OK)
        return 71;
    loop_stop(driver.loop);
    loop_free(driver.loop);
    metrics_free(driver.metrics);
    pthread_cond_destroy(&driver.idle);
    pthread_mutex_destroy(&driver.lock);
    return 0;
}
