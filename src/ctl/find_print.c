/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/find_print.h"

#include "base/textbuf.h"
#include "ctl/report/report_entry.h"
#include "site/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LABEL     "%-11s"
#define SHOWN_MAX 1024 /* bytes of one text */

const char *find_print_time(int64_t wall_s, char out[32])
{
    time_t wall = (time_t)wall_s;
    struct tm tm;
    if (wall_s == 0 || localtime_r(&wall, &tm) == NULL ||
        strftime(out, 32, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
        (void)strcpy(out, "time unknown");
    return out;
}

static void put_shown(FILE *stream, const char *label, const char *text,
                      textbuf_put_shown *put_text)
{
    char memory[SHOWN_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    put_text(&buf, text == NULL || text[0] == '\0' ? "-" : text, SHOWN_MAX);
    (void)fprintf(stream, LABEL "%s\n", label, memory);
}

static void put(FILE *stream, const char *label, const char *text)
{
    put_shown(stream, label, text, textbuf_put_untrusted);
}

/* The same of what this site wrote. */
static void put_own(FILE *stream, const char *label, const char *text)
{
    put_shown(stream, label, text, textbuf_put_own);
}

/* A sentence of the daemon, in which what is untrusted is escaped already. */
static void put_sentence(FILE *stream, const char *label, const char *text)
{
    (void)fprintf(stream, LABEL, label);
    for (; text != NULL && *text != '\0'; text++)
        (void)fputc(*text < ' ' || *text > '~' ? '?' : *text, stream);
    (void)fputc('\n', stream);
}

/* --- what the DNS said ---------------------------------------------------------------------- */

/* "found, cache, ttl 300" or "temperror: SERVFAIL", of a question. */
static void put_question(struct textbuf *buf, const struct json_value *question)
{
    int64_t ttl = 0;
    const char *problem = json_value_text_of(question, "problem"),
               *origin = json_value_text_of(question, "origin");
    (void)json_value_int(json_value_member(question, "ttl"), &ttl);
    textbuf_put_untrusted(buf, json_value_text_of(question, "outcome"), 32);
    if (problem != NULL) {
        textbuf_put(buf, ": ");
        textbuf_put_untrusted(buf, problem, 200);
    }
    if (origin != NULL) {
        textbuf_put(buf, ", ");
        textbuf_put_untrusted(buf, origin, 32);
        textbuf_printf(buf, ", ttl %" PRId64, ttl);
    }
}

/* A name, its addresses, and how its question ended. */
static void put_name(FILE *stream, const char *label, const struct json_value *name)
{
    char memory[SHOWN_MAX];
    struct textbuf buf;
    const struct json_value *addresses = json_value_member(name, "addresses");
    if (json_value_text_of(name, "name") == NULL)
        return;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, json_value_text_of(name, "name"), HOSTNAME_MAX);
    for (size_t i = 0; i < json_value_count(addresses) && i < 8; i++) {
        textbuf_put(&buf, " ");
        textbuf_put_untrusted(&buf, json_value_text(json_value_item(addresses, i)),
                              IPADDR_TEXT_MAX);
    }
    textbuf_put(&buf, json_value_bool_of(name, "confirmed") ? " (confirmed)  [" : "  [");
    put_question(&buf, name);
    (void)fprintf(stream, LABEL "%s]\n", label, memory);
}

static void put_list(FILE *stream, const char *label, const struct json_value *list)
{
    char memory[SHOWN_MAX];
    struct textbuf buf;
    const struct json_value *addresses = json_value_member(list, "addresses");
    if (json_value_text_of(list, "zone") == NULL || json_value_text_of(list, "says") == NULL)
        return;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, json_value_text_of(list, "zone"), HOSTNAME_MAX);
    textbuf_put(&buf, ": ");
    textbuf_put_untrusted(&buf, json_value_text_of(list, "says"), 32);
    for (size_t i = 0; i < json_value_count(addresses) && i < 8; i++) {
        textbuf_put(&buf, " ");
        textbuf_put_untrusted(&buf, json_value_text(json_value_item(addresses, i)),
                              IPADDR_TEXT_MAX);
    }
    textbuf_put(&buf, "  [");
    put_question(&buf, list);
    (void)fprintf(stream, LABEL "%s]\n", label, memory);
}

static void put_lookups(FILE *stream, const struct json_value *json)
{
    char memory[SHOWN_MAX];
    struct textbuf buf;
    const struct json_value *names = json_value_member(json, "names");
    const struct json_value *ptr = json_value_member(json, "ptr_lookup");
    const struct json_value *lists = json_value_member(json, "lists");
    if (json_value_text_of(ptr, "outcome") != NULL) {
        textbuf_init(&buf, memory, sizeof memory);
        put_question(&buf, ptr);
        (void)fprintf(stream, LABEL "%s\n", "PTR", memory);
    }
    for (size_t i = 0; i < json_value_count(names); i++)
        put_name(stream, "", json_value_item(names, i));
    put_name(stream, "EHLO", json_value_member(json, "helo_lookup"));
    for (size_t i = 0; i < json_value_count(lists); i++)
        put_list(stream, i == 0 ? "lists" : "", json_value_item(lists, i));
}

/* --- the checks ----------------------------------------------------------------------------- */

static void put_check(FILE *stream, const struct json_value *check)
{
    double score = 0;
    char memory[SHOWN_MAX];
    struct textbuf buf;
    const char *sentence = json_value_text_of(check, "explanation");
    const char *fix = json_value_text_of(check, "fix") != NULL ? json_value_text_of(check, "fix")
                                                               : json_value_text_of(check, "mend");
    (void)json_value_real(json_value_member(check, "score"), &score);
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, json_value_text_of(check, "check"), 64);
    textbuf_put(&buf, ": ");
    textbuf_put_untrusted(&buf, json_value_text_of(check, "action"), 32);
    textbuf_printf(&buf, ", score %.1f%s", score,
                   json_value_bool_of(check, "enforced") ? "" : " (not enforced)");
    (void)fprintf(stream, LABEL "%s\n", "check", memory);
    put_sentence(stream, "", sentence);
    if (fix != NULL)
        put_sentence(stream, "", fix);
}

/* --- a decision ----------------------------------------------------------------------------- */

static void put_transaction(FILE *stream, const struct report_entry *entry)
{
    char client[IPADDR_TEXT_MAX], when[32];
    (void)fprintf(stream, LABEL "%s\n", "time", find_print_time(entry->wall_s, when));
    (void)fprintf(stream, LABEL "%s\n", "client", ipaddr_format(&entry->client, client));
    put(stream, "names", entry->ptr_names);
    put(stream, "EHLO", entry->helo);
    put(stream, "from", entry->sender[0] != '\0' ? entry->sender : "<>");
    put(stream, "to", entry->recipient);
    if (entry->queue_id[0] != '\0')
        put(stream, "queue ID", entry->queue_id);
    if (entry->mta[0] != '\0')
        put(stream, "server", entry->mta);
}

/* Of a client that was right before. */
static void put_grace(FILE *stream, const struct json_value *json)
{
    static const char *const keys[][2] = {{", right until ", "right_until"},
                                          {", failing since ", "failing_since"},
                                          {", refused from ", "refused_from"}};
    char memory[SHOWN_MAX];
    struct textbuf buf;
    const char *state = json_value_text_of(json, "grace");
    if (state == NULL)
        return;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, state, 32);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        textbuf_put(&buf, keys[i][0]);
        textbuf_put_untrusted(&buf, json_value_text_of(json, keys[i][1]), 32);
    }
    (void)fprintf(stream, LABEL "%s\n", "grace", memory);
}

static void put_verdict(FILE *stream, const struct report_entry *entry)
{
    if (entry->match[0] != '\0')
        put_own(stream, "match", entry->match);
    if (entry->policy[0] != '\0')
        put(stream, "policy", entry->policy);
    (void)fprintf(stream, LABEL "%s", "verdict", action_text(entry->action));
    if (entry->would != entry->action)
        (void)fprintf(stream, " (enforced it would have been %s)", action_text(entry->would));
    (void)fprintf(stream, "%s\n", entry->monitor ? ", mode monitor" : "");
    if (entry->reason[0] != '\0')
        put_sentence(stream, "reason", entry->reason);
}

/* The object of the log; of a line that is no JSON only its keys are known. */
static bool put_json(FILE *stream, const char *object, const struct report_entry *entry)
{
    if (object[0] == '{') {
        (void)fprintf(stream, "%s\n", object);
        return true;
    }
    char client[IPADDR_TEXT_MAX];
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return false;
    json_writer_int(json, "time_s", entry->wall_s);
    json_writer_text(json, "client", ipaddr_format(&entry->client, client));
    json_writer_text(json, "ptr", entry->ptr_names);
    json_writer_text(json, "helo", entry->helo);
    json_writer_text(json, "sender", entry->sender);
    json_writer_text(json, "recipient", entry->recipient);
    json_writer_text(json, "queue_id", entry->queue_id);
    json_writer_text(json, "action", action_text(entry->action));
    json_writer_text(json, "would", action_text(entry->would));
    json_writer_begin_list(json, "checks");
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((entry->checks & CHECK_BIT(i)) != 0)
            json_writer_text(json, NULL, checks[i].name);
    json_writer_end(json);
    json_writer_sentence(json, "reason", entry->reason);
    char *line = json_writer_line(json);
    json_writer_free(json);
    if (line != NULL)
        (void)fprintf(stream, "%s\n", line);
    free(line);
    return line != NULL;
}

static void put_check_names(FILE *stream, const struct report_entry *entry)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((entry->checks & CHECK_BIT(i)) != 0)
            (void)fprintf(stream, LABEL "%s: %s\n", "check", checks[i].name, checks[i].when);
}

bool find_print(FILE *stream, const char *line, int64_t wall_s, bool json)
{
    char error[JSONIN_ERROR_MAX];
    struct report_entry entry;
    struct json_value *record = NULL;
    if (report_entry_parse(line, wall_s, &entry) != REPORT_ENTRY)
        return true;
    if (json)
        return put_json(stream, line, &entry);
    if (line[0] == '{' && json_value_parse(line, strlen(line), &record, error) == RESULT_NOMEM)
        return false;
    const struct json_value *details = json_value_member(record, "check_details");
    put_transaction(stream, &entry);
    put_lookups(stream, record);
    for (size_t i = 0; i < json_value_count(details); i++)
        put_check(stream, json_value_item(details, i));
    if (json_value_count(details) == 0)
        put_check_names(stream, &entry);
    put_grace(stream, record);
    put_verdict(stream, &entry);
    json_value_free(record);
    return true;
}
