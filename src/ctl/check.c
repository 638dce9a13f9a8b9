/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl check: the whole decision for one client, by the daemon's own code. */
#include "ctl/command.h"
#include "ctl/evidence.h"
#include "site/engine.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct request {
    const char *conf_path;
    const char *helo, *sender, *recipient;
    bool json;
};

enum { OPTION_HELO = 256, OPTION_SENDER, OPTION_RCPT, OPTION_JSON };

static const struct option long_options[] = {{"helo", required_argument, NULL, OPTION_HELO},
                                             {"sender", required_argument, NULL, OPTION_SENDER},
                                             {"rcpt", required_argument, NULL, OPTION_RCPT},
                                             {"json", no_argument, NULL, OPTION_JSON},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* Returns -1 to go on, else the exit status. */
static int parse_options(const struct command *command, int argc, char **argv,
                         struct request *request)
{
    int option;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            request->conf_path = optarg;
            break;
        case OPTION_HELO:
            request->helo = optarg;
            break;
        case OPTION_SENDER:
            request->sender = optarg;
            break;
        case OPTION_RCPT:
            request->recipient = optarg;
            break;
        case OPTION_JSON:
            request->json = true;
            break;
        default:
            return command_usage(command, option == 'h');
        }
    }
    return optind < argc ? -1 : command_misused(command, "which address?");
}

/* Everything the DNS says about the client; the facts borrow from *lookup. */
static enum status gather(const struct conf *conf, struct engine *engine,
                          const struct ipaddr *client, const struct request *request,
                          struct lookup **lookup, struct facts *facts)
{
    struct helo helo;
    int64_t deadline_ms = clock_ms(&clock_system) + (int64_t)conf->deadline_s * 1000;
    memset(facts, 0, sizeof *facts);
    helo_parse(request->helo, &helo);
    *lookup = lookup_start(engine_resolver(engine), client, conf->max_ptr, deadline_ms);
    if (*lookup == NULL)
        return STATUS_NOMEM;
    enum status status = lookup_helo(*lookup, &helo, deadline_ms);
    if (status != STATUS_OK)
        return status;
    lookup_wait(*lookup);
    status = lookup_facts(*lookup, facts);
    facts->client = *client;
    facts->helo = helo;
    for (size_t i = 0; i < conf->own_name_count; i++)
        if (helo.name[0] != '\0' && strcmp(helo.name, conf->own_names[i]) == 0)
            facts->helo_is_ours = true;
    const char *at = request->sender == NULL ? NULL : strrchr(request->sender, '@');
    if (at == NULL || hostname_parse(at + 1, facts->sender_domain) != HOSTNAME_OK)
        facts->sender_domain[0] = '\0';
    return status;
}

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

/* Print one decision.  False: memory or the output failed. */
static bool print_decision(const struct decision *decision, const struct occasion *occasion,
                           const struct request *request)
{
    if (request->json) {
        char *json = decision_json(decision, occasion);
        bool ok = json != NULL && puts(json) >= 0;
        free(json);
        return ok;
    }
    struct reply reply;
    bool refused = decision->verdict.action >= ACTION_TEMPFAIL;
    if (refused)
        decision_reply(decision, &reply);
    evidence_print(stdout, decision, occasion, refused ? &reply : NULL,
                   isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
    return true;
}

static int check_client(const struct conf *conf, struct engine *engine, const struct ipaddr *client,
                        const struct request *request)
{
    struct lookup *lookup = NULL;
    struct facts facts;
    int result = EX_OSERR;
    if (gather(conf, engine, client, request, &lookup, &facts) == STATUS_OK) {
        struct occasion occasion = {
            .dialogue = request->helo != NULL ? DIALOGUE_MAIL : DIALOGUE_CONNECT,
            .sender = request->sender,
            .recipient = request->recipient,
            .stage = "check",
            .wall_s = (int64_t)time(NULL),
            .dns_ms = lookup_took_ms(lookup),
            .all_cached = lookup_all_cached(lookup),
        };
        struct decision decision;
        decision_make(conf, &facts, &occasion, &decision);
        if (print_decision(&decision, &occasion, request))
            result = exit_status(decision.verdict.action);
    } else {
        (void)fprintf(stderr, "iprevctl check: out of memory\n");
    }
    lookup_free(lookup);
    return result;
}

static int check_all(const struct command *command, struct conf *conf, int count, char **texts,
                     const struct request *request)
{
    char error[ENGINE_ERROR_MAX];
    struct engine *engine = engine_new(conf, NULL, error);
    if (engine == NULL || engine_start(engine) != STATUS_OK) {
        (void)fprintf(stderr, "iprevctl check: %s\n", engine == NULL ? error : "no thread");
        engine_free(engine);
        return EX_UNAVAILABLE;
    }
    int worst = EX_OK;
    for (int i = 0; i < count; i++) {
        struct ipaddr client;
        int status;
        if (ipaddr_parse(texts[i], &client) != STATUS_OK) {
            status = command_misused(command, "\"%s\" is not an IP address", texts[i]);
        } else {
            if (i > 0 && !request->json)
                (void)putchar('\n');
            status = check_client(conf, engine, &client, request);
        }
        if (status > worst)
            worst = status;
    }
    engine_free(engine);
    return fflush(stdout) == 0 ? worst : EX_IOERR;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct request request = {0};
    int status = parse_options(command, argc, argv, &request);
    if (status >= 0)
        return status;
    struct conf *conf = command_conf(request.conf_path);
    if (conf == NULL)
        return EX_CONFIG;
    status = check_all(command, conf, argc - optind, argv + optind, &request);
    conf_unref(conf);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "IP... [--helo NAME] [--sender ADDRESS] [--rcpt ADDRESS] [--json] [-c FILE]",
    .summary = "decide about a client as the daemon would, and show all the evidence",
    .help = "  --helo NAME       what the client says in EHLO\n"
            "  --sender ADDRESS  MAIL FROM, for policies that look at it\n"
            "  --rcpt ADDRESS    RCPT TO, likewise\n"
            "  --json            one JSON object a line instead of text\n"
            "  -c FILE           read this configuration\n"
            "\n"
            "Exit status: 0 accept, 1 tag or quarantine, 75 tempfail, 77 reject; 64 usage,\n"
            "69 unavailable, 78 configuration error.  Of several clients the worst counts.\n",
    .run = run,
};
