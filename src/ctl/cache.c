/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl cache: what the running daemon's cache has, and to forget it. */
#include "ctl/client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct cache_request {
    bool json;
};

static void put_values(const struct json_value *record)
{
    const struct json_value *values = json_value_member(record, "values");
    const char *outcome = json_value_text_of(record, "outcome");
    const char *problem = json_value_text_of(record, "problem");
    if (json_value_count(values) == 0) {
        client_put(outcome);
        if (problem != NULL) {
            (void)fputs(": ", stdout);
            client_put(problem);
        }
    }
    for (size_t i = 0; i < json_value_count(values); i++) {
        if (i > 0)
            (void)fputs(", ", stdout);
        client_put(json_value_text(json_value_item(values, i)));
    }
}

/* "mail.example.org A 192.0.2.1  [ttl 300, 127.0.0.1:53]" */
static void put_record(void *arg, const char *line, const struct json_value *record)
{
    const struct cache_request *wanted = arg;
    const char *server = json_value_text_of(record, "server");
    int64_t ttl = 0;
    bool stale = false, secure = false;
    if (wanted->json) {
        (void)puts(line);
        return;
    }
    (void)json_value_int(json_value_member(record, "ttl"), &ttl);
    (void)json_value_bool(json_value_member(record, "stale"), &stale);
    (void)json_value_bool(json_value_member(record, "secure"), &secure);
    client_put(json_value_text_of(record, "name"));
    (void)putchar(' ');
    client_put(json_value_text_of(record, "type"));
    (void)putchar(' ');
    put_values(record);
    if (stale)
        (void)fputs("  [stale", stdout);
    else
        (void)printf("  [ttl %" PRId64, ttl);
    if (server != NULL) {
        (void)fputs(", ", stdout);
        client_put(server);
    }
    (void)fputs(secure ? ", DNSSEC]\n" : "]\n", stdout);
}

static int ask(const struct command *command, const char *conf_path,
               const struct cache_request *wanted, const char *request, const char *name)
{
    const struct client_records records = {put_record, (void *)(uintptr_t)wanted};
    struct json_value *last = NULL;
    int64_t count = 0;
    int status;
    char *path = client_socket(command, conf_path, &status);
    if (path == NULL)
        return status;
    status = client_ask(command, path, client_request(request, name == NULL ? NULL : "name", name),
                        &records, &last);
    free(path);
    if (status == EX_OK && strcmp(request, "cache-flush") == 0 &&
        json_value_int(json_value_member(last, "records"), &count)) {
        if (wanted->json)
            (void)printf("{\"records\":%" PRId64 "}\n", count);
        else
            (void)printf("%" PRId64 " record%s forgotten\n", count, count == 1 ? " is" : "s are");
    }
    json_value_free(last);
    return command_finish(command, status);
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct {
        const char *name, *request;
        int arguments;
    } verbs[] = {{"get", "cache-get", 1}, {"flush", "cache-flush", 1}, {"dump", "cache-dump", 0}};
    struct cache_request wanted = {0};
    const char *conf_path = NULL;
    int status = command_parse(command, argc, argv, &wanted, &conf_path);
    if (status >= 0)
        return status;
    if (optind >= argc)
        return command_misused(command, "get, flush or dump?");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[optind], verbs[i].name) != 0)
            continue;
        if (argc - optind - 1 != verbs[i].arguments)
            return command_misused(command,
                                   verbs[i].arguments == 0 ? "dump takes no argument"
                                                           : "%s takes one name or address",
                                   verbs[i].name);
        return ask(command, conf_path, &wanted, verbs[i].request,
                   verbs[i].arguments == 0 ? NULL : argv[optind + 1]);
    }
    return command_misused(command, "there is no \"%s\": get, flush or dump?", argv[optind]);
}

static const struct command_word words[] = {
    {"get NAME|IP", "what is known of a host name; or an address' PTR names and\n"
                    "their addresses"},
    {"flush NAME|IP|all", "forget the same, so that it is asked for anew"},
    {"dump", "everything, one record a line"},
    {NULL, NULL},
};

static const struct command_option options[] = {
    {"json", NULL, offsetof(struct cache_request, json), "one JSON object a line instead of text"},
    {NULL, NULL, 0, NULL},
};

const struct command command_cache = {
    .name = "cache",
    .operands = "get NAME|IP | flush NAME|IP|all | dump",
    .summary = "show or forget what the running daemon's cache has",
    .words = words,
    .options = options,
    .notes = "Exit status: 0; 1 the cache has nothing about it or is busy, 64 usage, 69 the\n"
             "daemon cannot be reached, 78 configuration error.\n",
    .run = run,
};
