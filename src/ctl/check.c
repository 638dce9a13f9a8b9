/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl check: the whole decision for clients, hosts or domains, by the daemon's own code. */
#include "ctl/check_client.h"
#include "ctl/check_hosts.h"
#include "ctl/check_lines.h"
#include "ctl/command.h"
#include "ctl/running_exemptions.h"
#include "ctl/screen.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

struct request {
    const char *conf_path;
    const char *helo, *sender, *recipient;
    const char *host, *mx;
    bool json;
};

enum { OPTION_HELO = 256, OPTION_SENDER, OPTION_RCPT, OPTION_HOST, OPTION_MX, OPTION_JSON };

static const struct option long_options[] = {{"helo", required_argument, NULL, OPTION_HELO},
                                             {"sender", required_argument, NULL, OPTION_SENDER},
                                             {"rcpt", required_argument, NULL, OPTION_RCPT},
                                             {"host", required_argument, NULL, OPTION_HOST},
                                             {"mx", required_argument, NULL, OPTION_MX},
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
        case OPTION_HOST:
            request->host = optarg;
            break;
        case OPTION_MX:
            request->mx = optarg;
            break;
        case OPTION_JSON:
            request->json = true;
            break;
        default:
            return command_usage(command, option == 'h');
        }
    }
    return -1;
}

/* A host or a domain, or addresses: one of the three.  As parse_options(). */
static int check_arguments(const struct command *command, int count, char **texts,
                           const struct request *request)
{
    struct ipaddr client;
    if ((request->host != NULL) + (request->mx != NULL) + (count > 0) > 1)
        return command_misused(command, "addresses, --host or --mx: one of them");
    if (request->host == NULL && request->mx == NULL && count == 0)
        return command_misused(command, "which address?");
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i], "-") != 0 && ipaddr_parse(texts[i], &client) != RESULT_OK)
            return command_misused(command,
                                   "\"%s\" is not an IP address (a host: --host, a "
                                   "domain: --mx)",
                                   texts[i]);
    return -1;
}

/* --- clients -------------------------------------------------------------------------------- */

/* False: memory or the output failed. */
static bool check_lines(struct check_run *run)
{
    struct check_line line;
    const char *error = NULL;
    uint64_t number = 0;
    enum check_line_kind kind;
    bool ok = true;
    while (ok && (kind = check_lines_next(stdin, &number, &line, &error)) != CHECK_LINE_END) {
        if (kind == CHECK_LINE_FAILED) {
            (void)fprintf(stderr, "iprevctl check: standard input: %s\n", strerror(errno));
            check_client_failed(run, EX_IOERR);
            return true;
        }
        if (kind == CHECK_LINE_BAD) {
            (void)fflush(stdout);
            (void)fprintf(stderr, "iprevctl check: standard input, line %" PRIu64 ": %s\n", number,
                          error);
            check_client_failed(run, EX_DATAERR);
            continue;
        }
        const struct check_target target = {.client = line.client,
                                            .helo = line.helo[0] != '\0' ? line.helo : run->helo};
        /* Who writes line by line wants the answers so. */
        ok = check_client_decide(run, &target) && fflush(stdout) == 0;
    }
    return ok;
}

static bool check_clients(struct check_run *run, int count, char **texts)
{
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        struct check_target target = {.helo = run->helo};
        if (strcmp(texts[i], "-") == 0)
            ok = check_lines(run);
        else if (ipaddr_parse(texts[i], &target.client) == RESULT_OK)
            ok = check_client_decide(run, &target);
    }
    return ok;
}

/* --- a run ---------------------------------------------------------------------------------- */

/* The canonical name of --host or --mx.  As parse_options(). */
static int parse_name(const struct command *command, const struct request *request,
                      char out[HOSTNAME_MAX + 1])
{
    const char *text = request->host != NULL ? request->host : request->mx;
    enum hostname_flaw flaw = text != NULL ? hostname_parse(text, out) : HOSTNAME_OK;
    if (flaw != HOSTNAME_OK)
        return command_misused(command, "\"%s\" %s: a %s is wanted", text, hostname_flaw_text(flaw),
                               request->host != NULL ? "host name" : "domain");
    return -1;
}

static bool check_all(struct check_run *run, const struct request *request, const char *name,
                      int count, char **texts)
{
    bool ok;
    if (request->host != NULL)
        ok = check_hosts_host(run, name);
    else if (request->mx != NULL)
        ok = check_hosts_mx(run, name);
    else
        ok = check_clients(run, count, texts);
    if (ok && !run->json && run->clients + run->failed > 1)
        check_client_summary(run);
    return ok;
}

static int check_with(struct check_run *run, const struct request *request, const char *name,
                      int count, char **texts)
{
    char note[EXCEPTIONS_NOTE_MAX], error[ENGINE_ERROR_MAX];
    int status = EX_OSERR;
    run->exceptions = running_exemptions_load(run->conf, (int64_t)time(NULL), note);
    run->engine = run->exceptions == NULL ? NULL : engine_new(run->conf, NULL, error);
    if (run->exceptions == NULL) {
        (void)fputs("iprevctl check: out of memory\n", stderr);
    } else if (run->engine == NULL || engine_start(run->engine) != RESULT_OK) {
        (void)fprintf(stderr, "iprevctl check: %s\n", run->engine == NULL ? error : "no thread");
        status = EX_UNAVAILABLE;
    } else {
        if (note[0] != '\0')
            (void)fprintf(stderr, "note: %s\n", note);
        if (check_all(run, request, name, count, texts))
            status = fflush(stdout) == 0 && ferror(stdout) == 0 ? run->worst : EX_IOERR;
    }
    engine_free(run->engine);
    exemptions_free(run->exceptions);
    return status;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct request request = {0};
    char name[HOSTNAME_MAX + 1] = "";
    int status = parse_options(command, argc, argv, &request);
    if (status < 0)
        status = check_arguments(command, argc - optind, argv + optind, &request);
    if (status < 0)
        status = parse_name(command, &request, name);
    if (status >= 0)
        return status;
    struct conf *conf = command_conf(request.conf_path);
    if (conf == NULL)
        return EX_CONFIG;
    struct check_run *checking = calloc(1, sizeof *checking);
    if (checking != NULL) {
        checking->conf = conf;
        checking->helo = request.helo;
        checking->sender = request.sender;
        checking->recipient = request.recipient;
        checking->json = request.json;
        checking->colour = screen_has_colour();
        checking->columns = screen_columns();
        status = check_with(checking, &request, name, argc - optind, argv + optind);
    } else {
        status = EX_OSERR;
    }
    free(checking);
    conf_unref(conf);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "IP... | - | --host NAME | --mx DOMAIN [--helo NAME]\n"
                 "                      [--sender ADDRESS] [--rcpt ADDRESS] [--json] [-c FILE]",
    .summary = "decide about clients as the daemon would, and show all the evidence",
    .help = "  -                 read clients from standard input: IP [HELO], one a line\n"
            "  --host NAME       every address of that host, saying EHLO NAME\n"
            "  --mx DOMAIN       every address of every MX host of the domain, likewise\n"
            "  --helo NAME       what the client says in EHLO\n"
            "  --sender ADDRESS  MAIL FROM, for policies that look at it\n"
            "  --rcpt ADDRESS    RCPT TO, likewise\n"
            "  --json            one JSON object a line instead of text\n"
            "  -c FILE           read this configuration\n"
            "\n"
            "Exceptions (iprevctl allow) count as for the daemon.  Exit status: 0 accept, 1\n"
            "tag or quarantine, 75 tempfail or a lookup that failed temporarily, 77 reject;\n"
            "64 usage, 65 a line that cannot be read, 68 a host or domain without\n"
            "addresses, 69 unavailable, 78 configuration error.  Of several the highest\n"
            "counts.\n",
    .run = run,
};
