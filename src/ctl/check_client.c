/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_client.h"

#include "ctl/advice.h"
#include "ctl/command.h"
#include "ctl/evidence.h"
#include "site/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- facts ---------------------------------------------------------------------------------- */

/*
 * One of our own names, said by somebody who is not us.  Seen from the sender's side (a host was
 * given) a client that the name leads to is the host itself.
 */
static bool helo_is_ours(const struct check_run *run, const struct check_target *target,
                         const struct facts *facts)
{
    if (target->host != NULL && facts->helo_name.name != NULL &&
        iprev_confirms(facts, &facts->helo_name))
        return false;
    for (size_t i = 0; i < run->conf->own_name_count; i++)
        if (facts->helo.name[0] != '\0' && strcmp(facts->helo.name, run->conf->own_names[i]) == 0)
            return true;
    return false;
}

/* Everything the DNS says about the client; the facts borrow from *lookup. */
static enum status gather(const struct check_run *run, const struct check_target *target,
                          struct lookup **lookup, struct facts *facts)
{
    struct helo helo;
    int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
    memset(facts, 0, sizeof *facts);
    helo_parse(target->helo, &helo);
    *lookup = lookup_start(engine_resolver(run->engine), &target->client, run->conf->max_ptr,
                           deadline_ms);
    if (*lookup == NULL)
        return STATUS_NOMEM;
    enum status status = lookup_helo(*lookup, &helo, deadline_ms);
    if (status != STATUS_OK)
        return status;
    lookup_wait(*lookup);
    status = lookup_facts(*lookup, facts);
    facts->client = target->client;
    facts->helo = helo;
    facts->helo_is_ours = helo_is_ours(run, target, facts);
    const char *at = run->sender == NULL ? NULL : strrchr(run->sender, '@');
    if (at == NULL || hostname_parse(at + 1, facts->sender_domain) != HOSTNAME_OK)
        facts->sender_domain[0] = '\0';
    return status;
}

/* --- printing ------------------------------------------------------------------------------- */

/* Why the daemon would not judge this client at all; NULL: it would. */
static const char *passed_over(const struct check_run *run, const struct ipaddr *client)
{
    if (conf_is_trusted_relay(run->conf, client))
        return "trusted-relays";
    return conf_is_local(run->conf, client) ? "local-networks" : NULL;
}

static void put_exemption(struct jsonout *json, const struct exemption *exemption)
{
    if (exemption == NULL) {
        jsonout_text(json, "exemption", NULL);
        return;
    }
    jsonout_begin_object(json, "exemption");
    jsonout_text(json, "subject", exemption->subject);
    jsonout_text(json, "reason", exemption->reason);
    jsonout_int(json, "until", exemption->until_s);
    jsonout_end(json);
}

/* The keys that only check has. */
static char *more_json(const struct check_run *run, const struct check_target *target,
                       const struct decision *decision, const struct exemption *exemption)
{
    struct jsonout *json = jsonout_new();
    struct advice *advice = malloc(sizeof *advice);
    char *line = NULL;
    if (json != NULL && advice != NULL) {
        jsonout_text(json, "host", target->host);
        jsonout_text(json, "mx_of", target->mx);
        jsonout_text(json, "passed_over", passed_over(run, &target->client));
        put_exemption(json, exemption);
        jsonout_begin_list(json, "advice");
        advice_make(&decision->evidence, decision->verdict.checks, advice);
        for (size_t i = 0; i < advice->count; i++)
            jsonout_sentence(json, NULL, advice->text[i]);
        jsonout_end(json);
        line = jsonout_line(json);
    }
    free(advice);
    jsonout_free(json);
    return line;
}

static bool print_json(const struct check_run *run, const struct check_target *target,
                       const struct decision *decision, const struct occasion *occasion,
                       const struct exemption *exemption)
{
    char *line = decision_json(decision, occasion);
    char *more = more_json(run, target, decision, exemption);
    bool ok = line != NULL && more != NULL;
    if (ok) /* both are objects with members: "{...}" */
        ok = printf("%.*s,%s\n", (int)strlen(line) - 1, line, more + 1) > 0;
    free(more);
    free(line);
    return ok;
}

static bool print_text(struct check_run *run, const struct check_target *target,
                       const struct decision *decision, const struct occasion *occasion,
                       const struct exemption *exemption)
{
    struct reply reply;
    struct advice *advice = malloc(sizeof *advice);
    bool refused = decision->verdict.action >= ACTION_TEMPFAIL;
    if (advice == NULL)
        return false;
    advice_make(&decision->evidence, decision->verdict.checks, advice);
    if (refused)
        decision_reply(decision, &reply);
    const struct evidence_page page = {
        .stream = stdout,
        .colour = run->colour,
        .columns = run->columns,
        .host = target->host,
        .passed_over = passed_over(run, &target->client),
        .exemption = exemption,
        .reply = refused ? &reply : NULL,
        .advice = advice,
    };
    checkclient_block(run);
    evidence_print(&page, decision, occasion);
    free(advice);
    return ferror(stdout) == 0;
}

void checkclient_block(struct check_run *run)
{
    if (run->begun)
        (void)putchar('\n');
    run->begun = true;
}

/* --- deciding ------------------------------------------------------------------------------- */

static int exit_status(enum action action)
{
    switch (action) {
    case ACTION_ACCEPT:
        return EXIT_VERDICT_ACCEPT;
    case ACTION_TAG:
    case ACTION_QUARANTINE:
        return EXIT_VERDICT_TAG;
    case ACTION_TEMPFAIL:
        return EXIT_VERDICT_TEMPFAIL;
    case ACTION_REJECT:
        break;
    }
    return EXIT_VERDICT_REJECT;
}

static void count(struct check_run *run, const struct check_target *target,
                  const struct decision *decision)
{
    enum action action = decision->verdict.action;
    if (run->clients < CHECK_ROWS_MAX) {
        struct check_row *row = &run->rows[run->clients];
        *row = (struct check_row){target->client, action, decision->verdict.reason, ""};
        if (target->host != NULL)
            (void)snprintf(row->host, sizeof row->host, "%s", target->host);
    }
    run->clients++;
    run->by_action[action]++;
    if (exit_status(action) > run->worst)
        run->worst = exit_status(action);
}

void checkclient_failed(struct check_run *run, int status)
{
    run->failed++;
    if (status > run->worst)
        run->worst = status;
}

bool checkclient_decide(struct check_run *run, const struct check_target *target)
{
    struct lookup *lookup = NULL;
    struct facts facts;
    struct decision decision;
    struct exemption exemption;
    bool ok = gather(run, target, &lookup, &facts) == STATUS_OK;
    if (ok) {
        int64_t wall_s = (int64_t)time(NULL);
        bool exempt = exemptions_look(run->exceptions, &facts, wall_s, &exemption);
        if (exempt && exemption.reason[0] == '\0')
            (void)snprintf(exemption.reason, sizeof exemption.reason, "no reason given");
        struct occasion occasion = {
            .dialogue = target->helo != NULL ? DIALOGUE_MAIL : DIALOGUE_CONNECT,
            .sender = run->sender,
            .recipient = run->recipient,
            .stage = "check",
            .wall_s = wall_s,
            .dns_ms = lookup_took_ms(lookup),
            .all_cached = lookup_all_cached(lookup),
            .exempt = exempt ? exemption.reason : NULL,
        };
        const struct exemption *given = exempt ? &exemption : NULL;
        decision_make(run->conf, &facts, &occasion, &decision);
        count(run, target, &decision);
        ok = run->json ? print_json(run, target, &decision, &occasion, given)
                       : print_text(run, target, &decision, &occasion, given);
    }
    lookup_free(lookup);
    if (!ok)
        (void)fprintf(stderr, "iprevctl check: %s\n",
                      ferror(stdout) != 0 ? "the output cannot be written" : "out of memory");
    return ok;
}

/* --- the summary ---------------------------------------------------------------------------- */

static void put_row(const struct check_run *run, const struct check_row *row)
{
    char client[IPADDR_TEXT_MAX];
    (void)printf("  %-22s ", ipaddr_format(&row->client, client));
    if (row->host[0] != '\0')
        (void)printf("%-26s ", row->host);
    evidence_put_action(stdout, row->action, run->colour);
    if (row->action != ACTION_ACCEPT && row->reason < CHECK_COUNT)
        (void)printf(" (%s)", checks[row->reason].name);
    (void)putchar('\n');
}

void checkclient_summary(const struct check_run *run)
{
    (void)printf("\n%" PRIu64 " client%s:", run->clients, run->clients == 1 ? "" : "s");
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        (void)printf("%s %s %" PRIu64, i > 0 ? "," : "", action_text((enum action)i),
                     run->by_action[i]);
    if (run->failed > 0)
        (void)printf("; %" PRIu64 " could not be checked", run->failed);
    (void)putchar('\n');
    for (uint64_t i = 0; i < run->clients && run->clients <= CHECK_ROWS_MAX; i++)
        put_row(run, &run->rows[i]);
}
