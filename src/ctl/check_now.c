/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_now.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct now_asking {
    struct resolver *resolver;
    const struct dns_service_settings *settings;
    const struct facts *facts;
    int64_t deadline_ms;
    struct check_now *out;
};

static enum rrtype type_of(const struct facts *facts)
{
    return facts->client.family == IP_V6 ? RR_AAAA : RR_A;
}

static bool has_text(const struct dns_records *records, const char *text)
{
    for (size_t i = 0; i < records->count; i++)
        if (strcmp(records->texts[i], text) == 0)
            return true;
    return false;
}

/* An answer that is worth comparing. */
static bool is_known(const struct authority_answer *answer)
{
    return answer->asked && answer->records.evidence.outcome != DNS_TEMPERROR;
}

/* Of the PTR names, the one that is said in EHLO; else the first that is a host name. */
static void choose_name(const struct now_asking *asking)
{
    struct check_now *out = asking->out;
    const struct dns_records *records = &out->ptr.records;
    const struct name_facts *helo = &asking->facts->helo_name;
    char name[HOSTNAME_MAX + 1];
    for (size_t i = 0; i < records->count; i++) {
        if (hostname_parse(records->texts[i], name) != HOSTNAME_OK)
            continue;
        bool said = helo->name != NULL && strcmp(helo->name, name) == 0;
        if (out->name[0] == '\0' || said)
            memcpy(out->name, name, sizeof name);
    }
}

static enum result ask_forward(const struct now_asking *asking, const char *name,
                               struct authority_answer *out)
{
    struct dns_name at;
    if (hostlookup_name(name, &at) != RESULT_OK)
        return RESULT_OK;
    return authority_ask(asking->resolver, asking->settings, &at, (uint16_t)type_of(asking->facts),
                         0, asking->deadline_ms, out);
}

/* --- what differs --------------------------------------------------------------------------- */

static bool ptr_differs(const struct facts *facts, const struct authority_answer *answer)
{
    if (!is_known(answer) || facts->ptr.outcome == DNS_TEMPERROR)
        return is_known(answer);
    if (facts->name_count + facts->names_over != answer->records.count + answer->records.over)
        return true;
    for (size_t i = 0; i < facts->name_count; i++)
        if (!has_text(&answer->records, facts->names[i].name))
            return true;
    return false;
}

static bool forward_differs(const struct name_facts *name, const struct authority_answer *answer)
{
    char text[IPADDR_TEXT_MAX];
    if (!is_known(answer) || name->forward.outcome == DNS_TEMPERROR)
        return is_known(answer);
    if (name->address_count != answer->records.count + answer->records.over)
        return true;
    for (size_t i = 0; i < name->address_count; i++)
        if (!has_text(&answer->records, ipaddr_format(&name->addresses[i], text)))
            return true;
    return false;
}

static const struct name_facts *facts_of(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (strcmp(facts->names[i].name, name) == 0)
            return &facts->names[i];
    return NULL;
}

static void note_wait(struct check_now *out, const struct dns_evidence *kept)
{
    if (kept->outcome != DNS_TEMPERROR && kept->ttl_s > out->wait_s)
        out->wait_s = kept->ttl_s;
}

static void compare(const struct facts *facts, struct check_now *out)
{
    char client[IPADDR_TEXT_MAX];
    const struct name_facts *kept = facts_of(facts, out->name);
    out->ptr_differs = ptr_differs(facts, &out->ptr);
    out->forward_differs = kept != NULL && kept->forward.outcome != DNS_NOT_ASKED &&
                           forward_differs(kept, &out->forward);
    out->helo_differs =
        out->helo[0] != '\0' && forward_differs(&facts->helo_name, &out->helo_forward);
    out->leads_back = is_known(&out->forward) &&
                      has_text(&out->forward.records, ipaddr_format(&facts->client, client));
    if (out->ptr_differs)
        note_wait(out, &facts->ptr);
    if (out->forward_differs)
        note_wait(out, &kept->forward);
    if (out->helo_differs)
        note_wait(out, &facts->helo_name.forward);
}

static void put_until(struct check_now *out, int64_t wall_s)
{
    char when[32] = "?";
    struct tm tm;
    time_t at = (time_t)(wall_s + out->wait_s);
    uint32_t s = out->wait_s;
    if (localtime_r(&at, &tm) != NULL)
        (void)strftime(when, sizeof when, s < 86400 ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    if (s >= 3600)
        (void)snprintf(out->until, sizeof out->until, "%" PRIu32 " h %" PRIu32 " min, at %s",
                       s / 3600, s % 3600 / 60, when);
    else if (s >= 60)
        (void)snprintf(out->until, sizeof out->until, "%" PRIu32 " min %" PRIu32 " s, at %s",
                       s / 60, s % 60, when);
    else
        (void)snprintf(out->until, sizeof out->until, "%" PRIu32 " s, at %s", s, when);
}

enum result check_now_ask(struct resolver *resolver, const struct dns_service_settings *settings,
                          const struct evidence *evidence, const char *owner, unsigned skip,
                          int64_t deadline_ms, int64_t wall_s, struct check_now *out)
{
    const struct facts *facts = evidence->facts;
    const struct now_asking asking = {resolver, settings, facts, deadline_ms, out};
    struct dns_name at;
    memset(out, 0, sizeof *out);
    if (hostlookup_name(owner, &at) != RESULT_OK)
        return RESULT_OK;
    enum result status =
        authority_ask(resolver, settings, &at, RR_PTR, skip, deadline_ms, &out->ptr);
    if (status == RESULT_OK)
        choose_name(&asking);
    if (status == RESULT_OK && out->name[0] != '\0')
        status = ask_forward(&asking, out->name, &out->forward);
    if (facts->helo_name.name != NULL && strcmp(facts->helo_name.name, out->name) != 0)
        (void)snprintf(out->helo, sizeof out->helo, "%s", facts->helo_name.name);
    if (status == RESULT_OK && out->helo[0] != '\0')
        status = ask_forward(&asking, out->helo, &out->helo_forward);
    if (status != RESULT_OK)
        return status;
    compare(facts, out);
    if (out->ptr_differs || out->forward_differs || out->helo_differs)
        put_until(out, wall_s);
    return RESULT_OK;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void put_answer(struct json_writer *json, const char *key,
                       const struct authority_answer *answer)
{
    const struct dns_evidence *evidence = &answer->records.evidence;
    json_writer_begin_object(json, key);
    json_writer_sentence(json, "zone", answer->zone[0] != '\0' ? answer->zone : NULL);
    json_writer_text(json, "server", evidence->server);
    json_writer_text(json, "outcome", dns_outcome_key(evidence->outcome));
    json_writer_int(json, "ttl", evidence->ttl_s);
    json_writer_text(json, "problem",
                     answer->failure != NULL ? answer->failure : evidence->problem);
    json_writer_begin_list(json, "data");
    for (size_t i = 0; i < answer->records.count; i++)
        json_writer_sentence(json, NULL, answer->records.texts[i]);
    json_writer_end(json);
    json_writer_end(json);
}

void check_now_json(struct json_writer *json, const struct check_now *now)
{
    if (now == NULL) {
        json_writer_text(json, "authority", NULL);
        return;
    }
    json_writer_begin_object(json, "authority");
    put_answer(json, "ptr", &now->ptr);
    json_writer_text(json, "name", now->name[0] != '\0' ? now->name : NULL);
    put_answer(json, "addresses", &now->forward);
    json_writer_text(json, "helo", now->helo[0] != '\0' ? now->helo : NULL);
    put_answer(json, "helo_addresses", &now->helo_forward);
    json_writer_bool(json, "differs",
                     now->ptr_differs || now->forward_differs || now->helo_differs);
    json_writer_int(json, "expires_in", now->wait_s);
    json_writer_end(json);
}
