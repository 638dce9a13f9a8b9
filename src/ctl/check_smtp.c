/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_smtp.h"

#include "ctl/hostlookup.h"

#include <stdlib.h>
#include <string.h>

static bool is_ptr(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].confirmed && strcmp(facts->names[i].name, name) == 0)
            return true;
    return false;
}

static enum smtp_fit fit_of(const struct host_family *family, const struct ipaddr *client)
{
    if (family->evidence.outcome == DNS_TEMPERROR)
        return SMTP_FIT_UNKNOWN;
    for (size_t i = 0; i < family->count; i++)
        if (ipaddr_equal(&family->addresses[i], client))
            return SMTP_FIT_ADDRESS;
    return family->count > 0 ? SMTP_FIT_ELSEWHERE : SMTP_FIT_UNRESOLVED;
}

enum result check_smtp_ask(struct resolver *resolver, const struct evidence *evidence,
                           unsigned deadline_s, struct smtp_probe *out)
{
    const struct facts *facts = evidence->facts;
    struct host *host = malloc(sizeof *host);
    enum result status = host != NULL ? RESULT_OK : RESULT_NOMEM;
    smtp_probe_run(&facts->client, out);
    for (unsigned i = 0; i < out->count && status == RESULT_OK; i++) {
        int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)deadline_s * 1000;
        if (is_ptr(facts, out->names[i].name)) {
            out->names[i].fit = SMTP_FIT_PTR;
            continue;
        }
        status = hostlookup_host(resolver, out->names[i].name, deadline_ms, host);
        if (status == RESULT_OK)
            out->names[i].fit =
                fit_of(facts->client.family == IP_V6 ? &host->v6 : &host->v4, &facts->client);
    }
    free(host);
    return status == RESULT_NOMEM ? RESULT_NOMEM : RESULT_OK;
}

const char *check_smtp_fit_text(enum smtp_fit fit)
{
    switch (fit) {
    case SMTP_FIT_PTR:
        return "is the PTR name";
    case SMTP_FIT_ADDRESS:
        return "resolves to the address, but is not its confirmed PTR name";
    case SMTP_FIT_ELSEWHERE:
        return "resolves to other addresses";
    case SMTP_FIT_UNRESOLVED:
        return "does not resolve to an address of this family";
    case SMTP_FIT_UNKNOWN:
        break;
    }
    return "could not be looked up";
}

static void put_reply(struct json_writer *json, const char *key, const struct smtp_reply *reply)
{
    if (reply->code == 0) {
        json_writer_text(json, key, NULL);
        return;
    }
    json_writer_begin_object(json, key);
    json_writer_int(json, "code", reply->code);
    json_writer_text(json, "text", reply->text);
    json_writer_end(json);
}

void check_smtp_json(struct json_writer *json, const struct smtp_probe *probe)
{
    static const char *const fits[] = {"ptr", "address", "elsewhere", "unresolved", "unknown"};
    if (probe == NULL) {
        json_writer_text(json, "smtp", NULL);
        return;
    }
    json_writer_begin_object(json, "smtp");
    json_writer_text(json, "failure", probe->failure[0] != '\0' ? probe->failure : NULL);
    put_reply(json, "greeting", &probe->greeting);
    put_reply(json, "ehlo", &probe->ehlo);
    json_writer_begin_list(json, "names");
    for (unsigned i = 0; i < probe->count; i++) {
        json_writer_begin_object(json, NULL);
        json_writer_text(json, "name", probe->names[i].name);
        json_writer_text(json, "fit", fits[probe->names[i].fit]);
        json_writer_end(json);
    }
    json_writer_end(json);
    json_writer_end(json);
}
