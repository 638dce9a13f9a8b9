/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_print.h"

#include "site/json.h"

#include <stdlib.h>
#include <time.h>

/* UTC, as in the decision log. */
static void put_time(struct json_writer *json, const char *key, int64_t wall_s)
{
    char text[REPORT_TIME_MAX];
    time_t wall = (time_t)wall_s;
    struct tm tm;
    bool known = wall_s != 0 && gmtime_r(&wall, &tm) != NULL &&
                 strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
    json_writer_text(json, key, known ? text : NULL);
}

static void put_actions(struct json_writer *json, const char *key,
                        const uint64_t by_action[ACTION_COUNT])
{
    json_writer_begin_object(json, key);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        json_writer_int(json, action_text((enum action)i), (int64_t)by_action[i]);
    json_writer_end(json);
}

static void put_title(struct json_writer *json, const struct report_sums *sums,
                      const struct report_origin *origin)
{
    json_writer_begin_list(json, "servers");
    for (size_t i = 0; i < sums->server_count; i++)
        json_writer_text(json, NULL, sums->servers[i].name);
    if (sums->server_count == 0 && origin->host != NULL)
        json_writer_text(json, NULL, origin->host);
    json_writer_end(json);
    json_writer_begin_list(json, "files");
    for (size_t i = 0; i < origin->file_count; i++)
        json_writer_text(json, NULL, origin->files[i]);
    json_writer_end(json);
    put_time(json, "since", origin->since_s);
    put_time(json, "log_begins", origin->oldest_s);
    put_time(json, "first", sums->first_s);
    put_time(json, "last", sums->last_s);
    json_writer_text(json, "only", origin->only);
    json_writer_int(json, "decisions", (int64_t)sums->total);
    json_writer_int(json, "monitored", (int64_t)sums->monitored);
    json_writer_int(json, "unread_lines", (int64_t)origin->bad);
    put_actions(json, "done", sums->by_action);
    put_actions(json, "would", sums->by_would);
    json_writer_int(json, "grace", (int64_t)sums->grace);
}

/* Which mail server said what. */
static void put_servers(struct json_writer *json, const struct report_sums *sums)
{
    json_writer_begin_list(json, "by_server");
    for (size_t i = 0; i < sums->server_count; i++) {
        const struct report_server *server = &sums->servers[i];
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "server", server->name);
        json_writer_int(json, "decisions", (int64_t)server->total);
        put_actions(json, "done", server->by_action);
        put_actions(json, "would", server->by_would);
        put_time(json, "first", server->first_s);
        put_time(json, "last", server->last_s);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_days(struct json_writer *json, const struct report_sums *sums)
{
    char text[REPORT_TIME_MAX];
    json_writer_begin_list(json, "days");
    for (size_t i = 0; i < sums->day_count; i++) {
        const struct report_day *day = &sums->days[i];
        (void)snprintf(text, sizeof text, "%04d-%02d-%02d", day->date / 10000,
                       day->date / 100 % 100, day->date % 100);
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "day", text);
        put_actions(json, "done", day->by_action);
        put_actions(json, "would", day->by_would);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_checks(struct json_writer *json, const struct report_sums *sums)
{
    json_writer_begin_object(json, "checks");
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct report_check *check = &sums->checks[i];
        json_writer_begin_object(json, checks[i].name);
        json_writer_int(json, "true", (int64_t)check->hits);
        json_writer_int(json, "alone", (int64_t)check->alone);
        json_writer_int(json, "decided", (int64_t)check->decided);
        put_time(json, "first", check->first_s);
        put_time(json, "last", check->last_s);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void put_client(struct json_writer *json, const struct report_client *client)
{
    char address[IPADDR_TEXT_MAX];
    json_writer_begin_list(json, "addresses");
    for (size_t i = 0; i < client->address_count; i++)
        json_writer_text(json, NULL, ipaddr_format(&client->addresses[i], address));
    json_writer_end(json);
    json_writer_bool(json, "more_addresses", client->more_addresses);
    json_writer_bool(json, "confirmed", client->confirmed);
    json_writer_text(json, "check",
                     client->check < CHECK_COUNT ? checks[client->check].name : NULL);
    json_writer_text(json, "ptr", or_null(client->ptr));
    json_writer_text(json, "helo", or_null(client->helo));
    json_writer_text(json, "sender", or_null(client->sender));
    json_writer_sentence(json, "reason", or_null(client->reason));
}

/* The rows of a table and how many there are; a client's row has more. */
static void put_ranking(struct json_writer *json, const char *key, const struct report_sums *sums,
                        const struct ranking *ranking, const struct report_origin *origin)
{
    bool clients = ranking == sums->clients;
    size_t count, of = 0, known = 0;
    char all[32];
    const struct ranking_row **rows =
        clients ? report_print_client_rows(sums, origin, &count, &of, &known)
                : report_print_rows(ranking, origin, &count, &of);
    json_writer_begin_list(json, key);
    for (size_t i = 0; i < count; i++) {
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "name", rows[i]->name);
        json_writer_int(json, "decisions", (int64_t)rows[i]->total);
        put_actions(json, "would", rows[i]->by_action);
        put_time(json, "first", rows[i]->first_s);
        put_time(json, "last", rows[i]->last_s);
        if (clients && origin->correspondents != NULL)
            json_writer_bool(json, "correspondent", i < known);
        else if (clients)
            json_writer_text(json, "correspondent", NULL);
        if (clients)
            put_client(json, rows[i]->extra);
        json_writer_end(json);
    }
    json_writer_end(json);
    free(rows);
    (void)snprintf(all, sizeof all, "%s_in_all", key);
    json_writer_int(json, all, (int64_t)of);
}

static void put_uses(struct json_writer *json, const char *key, const struct report_use *uses,
                     size_t count)
{
    json_writer_begin_list(json, key);
    for (size_t i = 0; i < count; i++) {
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "name", uses[i].name);
        json_writer_text(json, "reason", uses[i].reason);
        json_writer_int(json, "decided", (int64_t)uses[i].hits);
        put_time(json, "last", uses[i].last_s);
        json_writer_end(json);
    }
    json_writer_end(json);
}

static void put_waits(struct json_writer *json, const struct report_sums *sums)
{
    json_writer_begin_list(json, "waits");
    for (size_t i = 0; i < REPORT_WAITS; i++) {
        json_writer_begin_object(json, NULL);
        if (i < REPORT_WAITS - 1)
            json_writer_int(json, "under_ms", report_wait_ms[i]);
        else
            json_writer_text(json, "under_ms", NULL);
        json_writer_int(json, "decisions", (int64_t)sums->waits[i]);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_int(json, "from_cache", (int64_t)sums->by_cache[REPORT_CACHE_HIT]);
    json_writer_int(json, "stale", (int64_t)sums->by_cache[REPORT_CACHE_STALE]);
}

bool report_print_json(FILE *stream, const struct report_sums *sums,
                       const struct report_origin *origin)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return false;
    put_title(json, sums, origin);
    put_servers(json, sums);
    put_days(json, sums);
    put_checks(json, sums);
    put_ranking(json, "clients", sums, sums->clients, origin);
    put_ranking(json, "networks", sums, sums->networks, origin);
    put_ranking(json, "domains", sums, sums->domains, origin);
    put_uses(json, "matches", sums->uses.blocks, sums->uses.block_count);
    put_uses(json, "exemptions", sums->uses.exemptions, sums->uses.exemption_count);
    put_waits(json, sums);
    char *line = json_writer_line(json);
    json_writer_free(json);
    if (line != NULL)
        (void)fprintf(stream, "%s\n", line);
    free(line);
    return line != NULL;
}
