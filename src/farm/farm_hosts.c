/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosts of a farm: each says once a minute how it is; and what is shown of it all. */
#include "farm/farm_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS 60000

/* What the others say is read so often. */
#define READ_MS 10000

/* A host that says nothing for so long is away; after this it is forgotten. */
#define SILENT_S 180
#define FORGET_S INT64_C(604800)

/* --- figures --------------------------------------------------------------------------------- */

bool farm_figures_declare(struct farm *farm)
{
    static const char *const lines[] = {"taken", "unsigned", "ahead", "no-room"};
    static const char *const answers[] = {"known", "unknown", "none"};
    static const char *const states[] = {"seen", "silent", "drifted", "other-key"};
    const struct metric_row rows[] = {
        {&farm->figures.connected,
         {.name = "iprevd_farm_connected",
          .help = "1 while the farm's store serves this host.",
          .kind = METRIC_GAUGE}},
        {&farm->figures.connections,
         {.name = "iprevd_farm_connections_total",
          .help = "Times that a server of the farm's store began to serve.",
          .kind = METRIC_COUNTER}},
        {&farm->figures.lines,
         {.name = "iprevd_farm_lines_total",
          .help = "Lines of the farm's store that were new here, or did not count.",
          .kind = METRIC_COUNTER,
          .labels = {{"result", lines, sizeof lines / sizeof lines[0]}}}},
        {&farm->figures.answers,
         {.name = "iprevd_farm_answers_total",
          .help = "Clients that other hosts of the farm were asked about, by what they said.",
          .kind = METRIC_COUNTER,
          .labels = {{"answer", answers, sizeof answers / sizeof answers[0]}}}},
        {&farm->figures.unsent,
         {.name = "iprevd_farm_unsent",
          .help = "Changes of exemptions that other hosts of the farm have not heard of.",
          .kind = METRIC_GAUGE}},
        {&farm->figures.hosts,
         {.name = "iprevd_farm_hosts",
          .help = "Hosts of the farm, by how they are seen from here.",
          .kind = METRIC_GAUGE,
          .labels = {{"state", states, sizeof states / sizeof states[0]}}}},
    };
    return metrics_declare_all(farm->services.metrics, rows, sizeof rows / sizeof rows[0]);
}

void farm_count_line(struct farm *farm, enum farm_line_kind kind)
{
    metric_add(farm->figures.lines, kind, 0, 1);
    farm->refused_lines += kind == FARM_LINE_UNSIGNED;
    farm->ahead_lines += kind == FARM_LINE_AHEAD;
}

static size_t unsent(const struct farm *farm)
{
    return farm->unsent + farm->puts.count;
}

void farm_show_state(struct farm *farm)
{
    metric_set(farm->figures.connected, 0, 0, farm->state == FARM_SERVES);
    metric_set(farm->figures.unsent, 0, 0, (int64_t)unsent(farm));
}

/* --- this host ------------------------------------------------------------------------------- */

/* How this host is, as a JSON object on one line: malloc'ed; NULL: out of memory. */
static char *own_text(const struct farm *farm)
{
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return NULL;
    farm->services.put_heartbeat(farm->services.arg, json);
    char *line = json_writer_line(json);
    json_writer_free(json);
    return line;
}

static void write_heartbeat(struct farm *farm, const char *key)
{
    char line[FARM_LINE_MAX];
    struct farm_note note = {.made_s = clock_wall_s(farm->services.clock)};
    char *text = own_text(farm);
    if (text == NULL || strlen(text) >= sizeof note.text) {
        free(text);
        return;
    }
    (void)snprintf(note.host, sizeof note.host, "%s", farm->host);
    (void)snprintf(note.text, sizeof note.text, "%s", text);
    free(text);
    if (farm_line_note(&farm->key, FARM_HOSTS, farm->host, &note, line))
        farm_ask(farm, FARM_ASK_WRITE, (const char *const[]){"HSET", key, farm->host, line, NULL});
}

void farm_hosts_ask(struct farm *farm, int64_t now_ms)
{
    char key[FARM_STORE_KEY_MAX];
    (void)farm_store_key(farm, FARM_HOSTS, key);
    if (now_ms >= farm->heartbeat_due_ms) {
        farm->heartbeat_due_ms = now_ms + HEARTBEAT_MS;
        write_heartbeat(farm, key);
    } else if (now_ms < farm->hosts_due_ms) {
        return;
    }
    farm->hosts_due_ms = now_ms + READ_MS;
    for (size_t i = 0; i < farm->host_count; i++)
        if (farm->hosts[i].note.made_s + FORGET_S < clock_wall_s(farm->services.clock))
            farm_ask(farm, FARM_ASK_FORGET,
                     (const char *const[]){"HDEL", key, farm->hosts[i].note.host, NULL});
    farm_ask(farm, FARM_ASK_HOSTS, (const char *const[]){"HGETALL", key, NULL});
}

void farm_configuration_changed(struct farm *farm)
{
    farm->heartbeat_due_ms = 0;
}

/* --- the others ------------------------------------------------------------------------------ */

void farm_hosts_clear(struct farm *farm)
{
    for (size_t i = 0; i < farm->host_count; i++)
        json_value_free(farm->hosts[i].said);
    free(farm->hosts);
    farm->hosts = NULL;
    farm->host_count = farm->host_other = 0;
}

static bool take_host(const struct farm *farm, const struct resp_reply *name,
                      const struct resp_reply *line, struct farm_host_known *out)
{
    char error[JSONIN_ERROR_MAX];
    if (!resp_is_text(name) || !resp_is_text(line) ||
        !farm_line_read_note(&farm->key, FARM_HOSTS, name->text, line->text, &out->note) ||
        strcmp(out->note.host, name->text) != 0)
        return false;
    out->said = NULL;
    if (json_value_parse(out->note.text, strlen(out->note.text), &out->said, error) != RESULT_OK)
        out->said = NULL;
    return true;
}

static int compare_hosts(const void *a, const void *b)
{
    const struct farm_host_known *one = a, *other = b;
    return strcmp(one->note.host, other->note.host);
}

static bool is_silent(const struct farm *farm, const struct farm_host_known *host)
{
    return host->note.made_s + SILENT_S < clock_wall_s(farm->services.clock);
}

static bool has_drifted(const struct farm *farm, const struct farm_host_known *host)
{
    const char *word = json_value_text_of(host->said, "configuration");
    const char *own = farm->services.configuration;
    return word != NULL && own[0] != '\0' && strcmp(word, own) != 0;
}

static void count_hosts(struct farm *farm)
{
    int64_t silent = 0, drifted = 0;
    for (size_t i = 0; i < farm->host_count; i++) {
        bool away = is_silent(farm, &farm->hosts[i]);
        silent += away;
        drifted += !away && has_drifted(farm, &farm->hosts[i]);
    }
    metric_set(farm->figures.hosts, 0, 0, (int64_t)farm->host_count - silent);
    metric_set(farm->figures.hosts, 1, 0, silent);
    metric_set(farm->figures.hosts, 2, 0, drifted);
    metric_set(farm->figures.hosts, 3, 0, (int64_t)farm->host_other);
}

void farm_hosts_answer(struct farm *farm, const struct resp_reply *reply)
{
    struct farm_host_known *hosts = calloc(FARM_HOSTS_MAX, sizeof *hosts);
    if (hosts == NULL)
        return; /* those of a minute ago are as good */
    farm_hosts_clear(farm);
    farm->hosts = hosts;
    for (size_t i = 0; i + 1 < reply->count && farm->host_count < FARM_HOSTS_MAX; i += 2) {
        if (take_host(farm, reply->items[i], reply->items[i + 1], &hosts[farm->host_count]))
            farm->host_count++;
        else
            farm->host_other++;
    }
    if (farm->host_count > 0)
        qsort(hosts, farm->host_count, sizeof *hosts, compare_hosts);
    count_hosts(farm);
}

/* --- what is shown --------------------------------------------------------------------------- */

static void put_host(const struct farm *farm, const struct farm_host_known *host,
                     struct json_writer *json)
{
    json_writer_begin_object(json, NULL);
    json_writer_text(json, "host", host->note.host);
    json_writer_bool(json, "here", strcmp(host->note.host, farm->host) == 0);
    json_writer_int(json, "seen", host->note.made_s);
    json_writer_bool(json, "silent", is_silent(farm, host));
    json_writer_text(json, "version", json_value_text_of(host->said, "version"));
    json_writer_text(json, "mode", json_value_text_of(host->said, "mode"));
    json_writer_text(json, "configuration", json_value_text_of(host->said, "configuration"));
    json_writer_bool(json, "drifted", has_drifted(farm, host));
    json_writer_bool(json, "outage", json_value_bool_of(host->said, "outage"));
    json_writer_int(json, "exemptions", json_value_int_of(host->said, "exemptions"));
    json_writer_int(json, "sessions", json_value_int_of(host->said, "sessions"));
    json_writer_int(json, "rejected", json_value_int_of(host->said, "rejected"));
    json_writer_end(json);
}

void farm_put_status(const struct farm *farm, struct json_writer *json)
{
    char why[FARM_WHY_MAX] = "";
    bool serves = farm->state == FARM_SERVES;
    json_writer_text(json, "name", farm->name);
    json_writer_text(json, "host", farm->host);
    json_writer_bool(json, "connected", serves);
    json_writer_int(json, "since", farm->since_s);
    json_writer_text(json, "server", serves ? farm->serving->server : NULL);
    if (!farm_is_well(farm, why))
        json_writer_sentence(json, "why", why);
    json_writer_int(json, "round_trip_ms", farm->round_trip_ms);
    json_writer_int(json, "answered_ms_ago",
                    farm->answered_ms == 0 ? -1
                                           : loop_now_ms(farm->services.loop) - farm->answered_ms);
    json_writer_int(json, "unsent", (int64_t)unsent(farm));
    json_writer_int(json, "unsigned_lines", (int64_t)farm->refused_lines);
    json_writer_int(json, "lines_ahead", (int64_t)farm->ahead_lines);
    json_writer_int(json, "hosts_with_another_key", (int64_t)farm->host_other);
    json_writer_begin_list(json, "hosts");
    for (size_t i = 0; i < farm->host_count; i++)
        put_host(farm, &farm->hosts[i], json);
    json_writer_end(json);
}
