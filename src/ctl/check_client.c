/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_client.h"

#include "core/mailpath.h"
#include "ctl/advice.h"
#include "ctl/command.h"
#include "ctl/evidence.h"
#include "ctl/running_exemptions.h"
#include "ctl/running_memory.h"
#include "site/dns_settings.h"
#include "site/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

/* --- a run ---------------------------------------------------------------------------------- */

static struct dns_service_settings settings_of(const struct check_run *run)
{
    struct dns_service_settings dns = dns_settings(run->conf);
    if (run->server != NULL) {
        dns.zone_file = NULL;
        dns.network.servers[0] = *run->server;
        dns.network.server_count = 1;
    }
    return dns;
}

int check_client_open(struct check_run *run, const struct command *command)
{
    char note[EXEMPTIONS_NOTE_MAX], error[DNS_SERVICE_ERROR_MAX];
    run->command = command;
    run->exemptions = running_exemptions_load(run->conf, (int64_t)time(NULL), note);
    if (run->exemptions == NULL)
        return command_failed(command, EX_OSERR, "out of memory");
    const struct dns_service_settings dns = settings_of(run);
    run->dns = dns_service_new(&dns, NULL, error);
    if (run->dns == NULL || dns_service_start(run->dns) != RESULT_OK)
        return command_failed(command, EX_UNAVAILABLE, "%s",
                              run->dns == NULL ? error : "no thread");
    if (note[0] != '\0')
        (void)fprintf(stderr, "note: %s\n", note);
    return -1;
}

void check_client_close(struct check_run *run)
{
    dns_service_free(run->dns);
    exemptions_free(run->exemptions);
}

/* --- facts ---------------------------------------------------------------------------------- */

/*
 * One of our own names, said by somebody who is not us.  Seen from the sender's side (a host was
 * given) a client that the name leads to is the host itself.
 */
static bool helo_is_ours(const struct check_run *run, const struct check_target *target,
                         const struct facts *facts)
{
    if (target->host != NULL && facts->helo_name.name != NULL && facts->helo_name.confirmed)
        return false;
    return conf_is_own_name(run->conf, facts->helo.name);
}

/* The DNS lists that the daemon would ask. */
static enum result ask_lists(const struct check_run *run, const struct check_target *target,
                             struct lookup *lookup, int64_t deadline_ms)
{
    const char *zones[LISTED_ZONES_MAX];
    const struct facts facts = {.client = target->client};
    const struct match_subject subject = {.facts = &facts};
    size_t count = match_list_zones(run->conf->matches, run->conf->match_count, &subject,
                                    (int64_t)time(NULL), zones);
    return lookup_lists(lookup, zones, count, deadline_ms);
}

/* Everything the DNS says about the client; the facts borrow from *lookup. */
static enum result gather(const struct check_run *run, const struct check_target *target,
                          struct lookup **lookup, struct facts *facts)
{
    struct helo helo;
    int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
    memset(facts, 0, sizeof *facts);
    helo_parse(target->helo, &helo);
    *lookup = lookup_start(dns_service_resolver(run->dns), &target->client, run->conf->max_ptr, "",
                           deadline_ms);
    if (*lookup == NULL)
        return RESULT_NOMEM;
    enum result status = ask_lists(run, target, *lookup, deadline_ms);
    if (status == RESULT_OK)
        status = lookup_helo(*lookup, &helo, true, deadline_ms);
    if (status != RESULT_OK)
        return status;
    lookup_wait_for_all(*lookup);
    status = lookup_facts(*lookup, facts);
    facts->client = target->client;
    facts->helo = helo;
    facts->helo_is_ours = helo_is_ours(run, target, facts);
    (void)mailpath_domain(run->sender != NULL ? run->sender : "", facts->sender_domain);
    return status;
}

/* --- what exempts, or nearly --------------------------------------------------------------- */

struct fitting {
    const struct exemption *exemption; /* NULL: none */
    struct almost almost;
};

/* Would it be otherwise with these facts?  Into *out, less its name. */
static bool is_other(const struct check_run *run, const struct transaction *transaction,
                     const struct decision *decision, const struct facts *facts, struct almost *out)
{
    struct decision other;
    if (exemptions_look(run->exemptions, facts, transaction->wall_s, &out->exemption))
        return true;
    decision_make(run->conf, facts, transaction, &other);
    out->match = other.match;
    return other.match != NULL && other.match != decision->match && other.match->ptr != NULL;
}

/* The first PTR name that makes a difference if it is taken as confirmed. */
static void find_almost(const struct check_run *run, const struct transaction *transaction,
                        const struct decision *decision, struct almost *out)
{
    struct facts facts = *decision->evidence.facts;
    *out = (struct almost){.name = NULL};
    if (transaction->exempt != NULL || facts.name_count == 0)
        return;
    struct name_facts *names = calloc(facts.name_count, sizeof *names);
    for (size_t i = 0; names != NULL && i < facts.name_count && out->name == NULL; i++) {
        memcpy(names, decision->evidence.facts->names, facts.name_count * sizeof *names);
        facts.names = names;
        if (names[i].confirmed || names[i].flaw != HOSTNAME_OK)
            continue;
        names[i].confirmed = true;
        struct almost almost = {.match = NULL};
        if (is_other(run, transaction, decision, &facts, &almost)) {
            *out = almost;
            out->name = names[i].name;
        }
    }
    free(names);
}

/* --- printing ------------------------------------------------------------------------------- */

/* Why the daemon would not judge this client at all; NULL: it would. */
static const char *passed_over(const struct check_run *run, const struct ipaddr *client)
{
    if (conf_is_trusted_relay(run->conf, client))
        return "trusted-relays";
    return conf_is_local(run->conf, client) ? "local-networks" : NULL;
}

static void put_exemption(struct json_writer *json, const struct exemption *exemption)
{
    if (exemption == NULL) {
        json_writer_text(json, "exemption", NULL);
        return;
    }
    json_writer_begin_object(json, "exemption");
    json_writer_text(json, "subject", exemption->subject);
    json_writer_text(json, "reason", exemption->reason);
    json_writer_int(json, "until", exemption->until_s);
    if (exemption->by[0] != '\0')
        json_writer_text(json, "by", exemption->by);
    json_writer_end(json);
}

static void put_almost(struct json_writer *json, const struct almost *almost)
{
    if (almost->name == NULL) {
        json_writer_text(json, "unconfirmed", NULL);
        return;
    }
    json_writer_begin_object(json, "unconfirmed");
    json_writer_text(json, "ptr", almost->name);
    json_writer_text(json, "exemption", almost->match == NULL ? almost->exemption.subject : NULL);
    json_writer_text(json, "match", almost->match != NULL ? almost->match->name : NULL);
    json_writer_end(json);
}

/* What was asked besides, and what is advised. */
struct findings {
    struct inquiry more;
    struct advice advice;
    struct smtp_probe smtp; /* if asked */
    struct check_now now;   /* likewise */
};

/* The checks of what would be done that decide it or count: only they are worth advice. */
static check_set checks_that_matter(const struct decision *decision)
{
    check_set set = 0;
    if (decision->policy == NULL)
        return 0;
    bool scored = decision->policy->tag_score > 0 || decision->policy->reject_score > 0;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct check_rule *rule = &decision->policy->rules[i];
        if (rule->action > ACTION_ACCEPT || (scored && rule->score > 0))
            set |= CHECK_BIT(i);
    }
    return set & decision->verdict.would.checks;
}

/* What is asked only by an option. */
static enum result ask_options(const struct check_run *run, const struct evidence *evidence,
                               int64_t deadline_ms, struct findings *findings)
{
    struct resolver *resolver = dns_service_resolver(run->dns);
    const struct ipaddr *client = &evidence->facts->client;
    struct inquiry *more = &findings->more;
    enum result status = RESULT_OK;
    if (run->smtp)
        status = check_smtp_ask(resolver, evidence, run->conf->deadline_s, &findings->smtp);
    if (run->authoritative && status == RESULT_OK) {
        const struct dns_service_settings settings = settings_of(run);
        char reverse[IPADDR_REVERSE_MAX];
        const char *owner = inquiry_owner(more, ipaddr_reverse_name(client, reverse));
        unsigned skip = client->family == IP_V6 && more->chain_count == 0 ? INQUIRY_V6_SKIP : 0;
        status = check_now_ask(resolver, &settings, evidence, owner, skip, deadline_ms,
                               (int64_t)time(NULL), &findings->now);
        more->now = &findings->now;
    }
    return status;
}

/* Caller frees.  NULL: out of memory. */
static struct findings *find_more(const struct check_run *run, const struct decision *decision)
{
    struct findings *findings = malloc(sizeof *findings);
    int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
    if (findings == NULL ||
        inquiry_make(dns_service_resolver(run->dns), &decision->evidence, run->conf->orgdomains,
                     deadline_ms, &findings->more) != RESULT_OK ||
        ask_options(run, &decision->evidence, deadline_ms, findings) != RESULT_OK) {
        free(findings);
        return NULL;
    }
    advice_make(&decision->evidence, checks_that_matter(decision), &findings->more,
                &findings->advice);
    return findings;
}

/* The keys that only check has. */
static char *more_json(const struct check_run *run, const struct check_target *target,
                       const struct decision *decision, const struct fitting *fitting)
{
    struct json_writer *json = json_writer_new();
    struct findings *findings = find_more(run, decision);
    char *line = NULL;
    if (json != NULL && findings != NULL) {
        json_writer_text(json, "host", target->host);
        json_writer_text(json, "mx_of", target->mx);
        json_writer_text(json, "source", target->source);
        check_now_json(json, findings->more.now);
        check_smtp_json(json, run->smtp ? &findings->smtp : NULL);
        json_writer_text(json, "passed_over", passed_over(run, &target->client));
        put_exemption(json, fitting->exemption);
        put_almost(json, &fitting->almost);
        json_writer_begin_list(json, "ptr_aliases");
        for (size_t i = 0; i < findings->more.chain_count; i++)
            json_writer_sentence(json, NULL, findings->more.chain[i]);
        json_writer_end(json);
        json_writer_begin_list(json, "advice");
        for (size_t i = 0; i < findings->advice.count; i++)
            json_writer_sentence(json, NULL, findings->advice.lines[i].text);
        json_writer_end(json);
        line = json_writer_line(json);
    }
    free(findings);
    json_writer_free(json);
    return line;
}

static bool print_json(const struct check_part *part, const struct check_target *target,
                       const struct decision *decision, const struct transaction *transaction,
                       const struct fitting *fitting)
{
    char *line = decision_json(decision, transaction);
    char *more = more_json(part->run, target, decision, fitting);
    bool ok = line != NULL && more != NULL;
    if (ok) /* both are objects with members: "{...}" */
        ok = fprintf(part->out, "%.*s,%s\n", (int)strlen(line) - 1, line, more + 1) > 0;
    free(more);
    free(line);
    return ok;
}

static bool print_text(struct check_part *part, const struct check_target *target,
                       const struct decision *decision, const struct transaction *transaction,
                       const struct fitting *fitting)
{
    const struct check_run *run = part->run;
    struct reply reply;
    struct findings *findings = find_more(run, decision);
    bool refused = action_refuses(decision->verdict.done.action);
    if (findings == NULL)
        return false;
    if (refused)
        decision_reply(decision, 0, &reply);
    const struct evidence_page page = {
        .stream = part->out,
        .colour = run->colour,
        .columns = run->columns,
        .host = target->host,
        .source = target->source,
        .passed_over = passed_over(run, &target->client),
        .exemption = fitting->exemption,
        .almost = &fitting->almost,
        .reply = refused ? &reply : NULL,
        .more = &findings->more,
        .smtp = run->smtp ? &findings->smtp : NULL,
        .advice = &findings->advice,
    };
    check_client_block(part);
    evidence_print(&page, decision, transaction);
    free(findings);
    return ferror(part->out) == 0;
}

void check_client_block(struct check_part *part)
{
    if (part->begun)
        (void)fputc('\n', part->out);
    part->begun = true;
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
    case ACTION_GREYLIST:
    case ACTION_TEMPFAIL:
        return EXIT_VERDICT_TEMPFAIL;
    case ACTION_REJECT:
        break;
    }
    return EXIT_VERDICT_REJECT;
}

static void count(struct check_sums *sums, const struct check_target *target,
                  const struct decision *decision)
{
    enum action action = decision->verdict.done.action;
    if (sums->clients < CHECK_ROWS_MAX) {
        struct check_row *row = &sums->rows[sums->clients];
        *row = (struct check_row){target->client, action,
                                  verdict_reported(&decision->verdict)->reason, ""};
        if (target->host != NULL)
            (void)snprintf(row->host, sizeof row->host, "%s", target->host);
    }
    sums->clients++;
    sums->by_action[action]++;
    if (exit_status(action) > sums->worst)
        sums->worst = exit_status(action);
}

void check_client_failed(struct check_part *part, int status)
{
    part->sums.failed++;
    if (status > part->sums.worst)
        part->sums.worst = status;
}

static void complain(struct check_part *part, const char *kind, const char *format, va_list args)
    PRINTF_LIKE(3, 0);
static void complain(struct check_part *part, const char *kind, const char *format, va_list args)
{
    (void)fprintf(part->err, "iprevctl check: %s", kind);
    (void)vfprintf(part->err, format, args);
    (void)fputc('\n', part->err);
}

void check_client_fail(struct check_part *part, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(part, "", format, args);
    va_end(args);
    check_client_failed(part, status);
}

void check_client_warn(struct check_part *part, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(part, "warning: ", format, args);
    va_end(args);
}

bool check_client_decide(struct check_part *part, const struct check_target *target)
{
    const struct check_run *run = part->run;
    struct lookup *lookup = NULL;
    struct facts facts;
    struct decision decision;
    struct exemption exemption;
    struct history history;
    bool others_silent;
    bool ok = gather(run, target, &lookup, &facts) == RESULT_OK &&
              running_memory_ask(run->conf, &target->client, &history, &others_silent) == RESULT_OK;
    if (ok) {
        int64_t wall_s = (int64_t)time(NULL);
        bool exempt = exemptions_look(run->exemptions, &facts, wall_s, &exemption);
        if (exempt && exemption.reason[0] == '\0')
            (void)snprintf(exemption.reason, sizeof exemption.reason, "no reason given");
        struct transaction transaction = {
            .dialogue = target->helo != NULL ? DIALOGUE_MAIL : DIALOGUE_CONNECT,
            .sender = run->sender,
            .recipient = run->recipient,
            .stage = "check",
            .wall_s = wall_s,
            .dns_ms = lookup_took_ms(lookup),
            .all_cached = lookup_all_cached(lookup),
            .exempt = exempt ? exemption.reason : NULL,
            .history = &history,
            .others_silent = others_silent,
            .as_enforced = true,
        };
        struct fitting fitting = {.exemption = exempt ? &exemption : NULL};
        decision_make(run->conf, &facts, &transaction, &decision);
        find_almost(run, &transaction, &decision, &fitting.almost);
        count(&part->sums, target, &decision);
        ok = run->json ? print_json(part, target, &decision, &transaction, &fitting)
                       : print_text(part, target, &decision, &transaction, &fitting);
    }
    lookup_free(lookup);
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

void check_client_add(struct check_sums *sums, const struct check_sums *later)
{
    for (uint64_t i = 0; i < later->clients && i < CHECK_ROWS_MAX; i++)
        if (sums->clients + i < CHECK_ROWS_MAX)
            sums->rows[sums->clients + i] = later->rows[i];
    sums->clients += later->clients;
    sums->failed += later->failed;
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        sums->by_action[i] += later->by_action[i];
    if (later->worst > sums->worst)
        sums->worst = later->worst;
}

void check_client_summary(const struct check_run *run, const struct check_sums *sums)
{
    (void)printf("\n%" PRIu64 " client%s:", sums->clients, sums->clients == 1 ? "" : "s");
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        (void)printf("%s %s %" PRIu64, i > 0 ? "," : "", action_text((enum action)i),
                     sums->by_action[i]);
    if (sums->failed > 0)
        (void)printf("; %" PRIu64 " could not be checked", sums->failed);
    (void)putchar('\n');
    for (uint64_t i = 0; i < sums->clients && sums->clients <= CHECK_ROWS_MAX; i++)
        put_row(run, &sums->rows[i]);
    if (run->conf->monitor && sums->by_action[ACTION_ACCEPT] < sums->clients)
        (void)puts(
            "mode is monitor: at present nothing is done.  This is what mode = enforce would "
            "do.");
}
