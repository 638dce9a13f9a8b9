/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_entry.h"

#include "base/utf8.h"
#include "ctl/logs/maillog_stamp.h"
#include "site/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUE_MAX 2560 /* of one key=value, the reason being the longest */

/* Members whose texts are kept. */
static const struct {
    const char *key;
    size_t offset, size;
} texts[] = {
#define KEPT(member)                                                                               \
    {                                                                                              \
#member, offsetof(struct report_entry, member), sizeof((struct report_entry *)0)->member   \
    }
    KEPT(ptr), KEPT(helo),   KEPT(sender), KEPT(recipient), KEPT(queue_id),
    KEPT(mta), KEPT(policy), KEPT(match),  KEPT(reason),
#undef KEPT
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the log has as \xNN is that byte again: who shows it escapes it, once.  A NUL stays. */
static void unescape(char *text)
{
    char *to = text;
    while (*text != '\0') {
        bool escape = text[0] == '\\' && text[1] == 'x' && hex_digit(text[2]) >= 0 &&
                      hex_digit(text[3]) >= 0 && hex_digit(text[2]) + hex_digit(text[3]) > 0;
        *to++ = escape ? (char)(hex_digit(text[2]) << 4 | hex_digit(text[3])) : *text;
        text += escape ? 4 : 1;
    }
    *to = '\0';
}

static bool take_text(struct report_entry *out, const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i].key) != 0)
            continue;
        /* Of several PTR names the confirmed one is the first. */
        size_t length = strcmp(key, "ptr") == 0 ? strcspn(value, ",") : strlen(value);
        maillog_copy((char *)out + texts[i].offset, texts[i].size, value, length);
        if (strcmp(key, "reason") != 0) /* a sentence is shown as it is */
            unescape((char *)out + texts[i].offset);
        return true;
    }
    return false;
}

static enum report_cache cache_of(const char *value)
{
    if (strcmp(value, "hit") == 0)
        return REPORT_CACHE_HIT;
    return strcmp(value, "stale") == 0 ? REPORT_CACHE_STALE : REPORT_CACHE_MISS;
}

/* A sentence may hold UTF-8, of a reason that the site wrote. */
static void make_printable(char *text)
{
    while (*text != '\0') {
        size_t length = utf8_printable(text);
        if (length > 0)
            text += length;
        else
            *text++ = '?';
    }
}

/* "hit", "pass", "a,b": the members that both forms share, as text; others change nothing. */
static bool take(struct report_entry *out, const char *key, const char *value)
{
    enum check_id id;
    if (strcmp(key, "client") == 0)
        return ipaddr_parse(value, &out->client) == RESULT_OK;
    if (strcmp(key, "action") == 0)
        return action_parse(value, &out->action);
    if (strcmp(key, "would") == 0)
        return action_parse(value, &out->would);
    if (strcmp(key, "grace") == 0)
        out->grace = strcmp(value, "given") == 0     ? GRACE_GIVEN
                     : strcmp(value, "over") == 0    ? GRACE_OVER
                     : strcmp(value, "unknown") == 0 ? GRACE_UNKNOWN
                                                     : GRACE_NONE;
    else if (strcmp(key, "mode") == 0)
        out->monitor = strcmp(value, "monitor") == 0;
    else if (strcmp(key, "iprev") == 0)
        out->confirmed = strcmp(value, "pass") == 0;
    else if (strcmp(key, "check") == 0 && check_by_name(value, &id))
        out->checks |= CHECK_BIT(id);
    else if (strcmp(key, "cache") == 0)
        out->cache = cache_of(value);
    else
        (void)take_text(out, key, value);
    /* A sentence is escaped already and shown as it is: make sure of it. */
    if (strcmp(key, "reason") == 0)
        make_printable(out->reason);
    if (strcmp(key, "ptr") == 0)
        maillog_copy(out->ptr_names, sizeof out->ptr_names, value, strlen(value));
    return true;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static int64_t parse_time(const char *text, int64_t wall_s)
{
    char stamp[40];
    struct maillog_stamp parsed;
    if (text == NULL)
        return wall_s;
    (void)snprintf(stamp, sizeof stamp, "%s ", text);
    return maillog_stamp_parse(stamp, &parsed) != NULL ? maillog_stamp_time(&parsed, 0, 0) : wall_s;
}

/* What each true check would have done, as the record has it. */
static void take_details(struct report_entry *out, const struct json_value *list)
{
    enum check_id id;
    enum action action;
    for (size_t i = 0; i < json_value_count(list); i++) {
        const struct json_value *row = json_value_item(list, i);
        const char *name = json_value_text_of(row, "check");
        const char *text = json_value_text_of(row, "action");
        if (name == NULL || text == NULL || !check_by_name(name, &id) ||
            !action_parse(text, &action))
            continue;
        out->rules[id] = action;
        out->rules_known = true;
    }
}

static enum report_parsed parse_json(const char *text, int64_t wall_s, struct report_entry *out)
{
    static const char *const keys[] = {
        "client", "action",    "would",    "mode", "iprev",  "cache", "ptr",   "helo",
        "sender", "recipient", "queue_id", "mta",  "policy", "match", "grace", "reason"};
    char error[JSONIN_ERROR_MAX];
    struct json_value *json;
    if (json_value_parse(text, strlen(text), &json, error) != RESULT_OK)
        return REPORT_BAD;
    bool other =
        json_value_member(json, "client") == NULL && json_value_member(json, "action") == NULL;
    bool ok =
        json_value_text_of(json, "client") != NULL && json_value_text_of(json, "action") != NULL;
    bool would = false;
    for (size_t i = 0; ok && i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = json_value_text_of(json, keys[i]);
        would = would || (value != NULL && strcmp(keys[i], "would") == 0);
        ok = value == NULL || take(out, keys[i], value);
    }
    const struct json_value *list = json_value_member(json, "checks");
    for (size_t i = 0; ok && i < json_value_count(list); i++) {
        const char *name = json_value_text(json_value_item(list, i));
        ok = name != NULL && take(out, "check", name);
    }
    take_details(out, json_value_member(json, "check_details"));
    out->wall_s = parse_time(json_value_text_of(json, "time"), wall_s);
    (void)json_value_int(json_value_member(json, "dns_ms"), &out->dns_ms);
    if (!would)
        out->would = out->action;
    if (out->dns_ms < 0)
        out->dns_ms = 0;
    json_value_free(json);
    return ok ? REPORT_ENTRY : other ? REPORT_OTHER : REPORT_BAD;
}

/* --- key=value ------------------------------------------------------------------------------- */

/* The next " key=value"; returns what follows, NULL at the end or when there is none. */
static const char *next_field(const char *text, char key[32], char value[VALUE_MAX])
{
    text += strspn(text, " ");
    size_t length = strcspn(text, "= ");
    if (length == 0 || length > 31 || text[length] != '=')
        return NULL;
    maillog_copy(key, 32, text, length);
    text += length + 1;
    bool quoted = *text == '"';
    size_t used = 0;
    for (text += quoted; *text != '\0' && *text != (quoted ? '"' : ' '); text++) {
        if (quoted && text[0] == '\\' && text[1] == '"')
            text++;
        if (used + 1 < VALUE_MAX)
            value[used++] = *text;
    }
    value[used] = '\0';
    return text + (quoted && *text == '"');
}

static bool take_list(struct report_entry *out, const char *list)
{
    char name[64];
    for (; *list != '\0'; list += list[0] == ',') {
        size_t length = strcspn(list, ",");
        maillog_copy(name, sizeof name, list, length);
        if (!take(out, "check", name))
            return false;
        list += length;
    }
    return true;
}

static enum report_parsed parse_fields(const char *text, struct report_entry *out)
{
    char key[32], value[VALUE_MAX];
    bool action = false, would = false;
    while ((text = next_field(text, key, value)) != NULL) {
        bool ok = true;
        if (strcmp(key, "dns_ms") == 0)
            out->dns_ms = strtoll(value, NULL, 10);
        else if (strcmp(key, "checks") == 0)
            ok = take_list(out, value);
        else if (strcmp(value, "-") != 0)
            ok = take(out, key, value);
        if (!ok)
            return REPORT_BAD;
        action = action || strcmp(key, "action") == 0;
        would = would || strcmp(key, "would") == 0;
    }
    if (!would)
        out->would = out->action;
    if (out->dns_ms < 0)
        out->dns_ms = 0;
    return action && out->client.family != IP_NONE ? REPORT_ENTRY : REPORT_BAD;
}

/* --- decisions ------------------------------------------------------------------------------- */

enum report_parsed report_entry_parse(const char *text, int64_t wall_s, struct report_entry *out)
{
    memset(out, 0, sizeof *out);
    if (text[0] == '{')
        return parse_json(text, wall_s, out);
    if (strncmp(text, "client=", 7) != 0)
        return REPORT_OTHER;
    out->wall_s = wall_s;
    return parse_fields(text, out);
}

/* "<6>", which is the journal's to take off. */
static const char *skip_level(const char *text)
{
    return text[0] == '<' && text[1] >= '0' && text[1] <= '7' && text[2] == '>' ? text + 3 : text;
}

/* "iprevd"; its unit (journalctl -o with-unit) or a container, by its name or number, which
   Docker's drivers for syslog and the journal write in the place of the program. */
static bool is_iprevd(const char *program)
{
    return strstr(program, "iprevd") != NULL ||
           (strlen(program) == 12 && strspn(program, "0123456789abcdef") == 12);
}

enum report_parsed report_entry_of(const struct maillog_item *item, struct report_entry *out,
                                   const char **text)
{
    const struct maillog_record *record = &item->record;
    bool tagged = item->kind == MAILLOG_ITEM_RECORD;
    const char *message = skip_level(record->message);
    if (text != NULL)
        *text = message;
    if (tagged && (!is_iprevd(record->program) || message[0] == '{'))
        return REPORT_OTHER;
    return report_entry_parse(message, record->wall_s, out);
}

/* What a rule's action comes to: of a refusal in grace, whatever would be done. */
static bool is_behind(const struct report_entry *entry, enum check_id id, enum action action)
{
    bool spared = grace_spares(entry->grace) && action == ACTION_REJECT &&
                  (POLICY_GRACE_CHECKS & CHECK_BIT(id)) != 0;
    return spared || action == entry->would;
}

enum check_id report_entry_decided(const struct report_entry *entry, const struct policy *policy)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if ((entry->checks & CHECK_BIT(i)) == 0 || entry->would == ACTION_ACCEPT)
            continue;
        enum check_id id = (enum check_id)i;
        if (entry->rules_known ? is_behind(entry, id, entry->rules[i])
                               : policy != NULL && is_behind(entry, id, policy->rules[i].action))
            return (enum check_id)i;
    }
    return CHECK_COUNT;
}
