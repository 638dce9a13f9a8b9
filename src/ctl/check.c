/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl check: the whole decision for clients, hosts or domains, by the daemon's own code. */
#include "core/mailpath.h"
#include "ctl/check_hosts.h"
#include "ctl/check_lines.h"
#include "ctl/check_message.h"
#include "ctl/check_spf.h"
#include "ctl/command.h"
#include "ctl/running_names.h"
#include "ctl/screen.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct check_request {
    const char *conf_path;
    const char *helo, *sender, *recipient;
    const char *host, *mx, *spf, *message;
    const char *server;
    bool authoritative, smtp, json;
};

static const struct command_word words[] = {
    {"-", "read clients from standard input: IP [HELO], one a line"},
    {NULL, NULL},
};

static const struct command_option options[] = {
    {"host", "NAME", offsetof(struct check_request, host),
     "every address of that host, saying EHLO NAME"},
    {"mx", "DOMAIN", offsetof(struct check_request, mx),
     "every address of every MX host of the domain, likewise"},
    {"spf", "DOMAIN", offsetof(struct check_request, spf),
     "the single hosts that the domain's SPF record names"},
    {"message", "FILE", offsetof(struct check_request, message),
     "the client from which another site took this message,\n"
     "by its topmost Received field; - for standard input"},
    {"authoritative", NULL, offsetof(struct check_request, authoritative),
     "ask the zones' own servers, too: what do they say now?"},
    {"smtp", NULL, offsetof(struct check_request, smtp),
     "connect to port 25 of every client and compare what it says"},
    {"server", "ADDRESS", offsetof(struct check_request, server),
     "ask this resolver: 192.0.2.53, 192.0.2.53:5353, [::1]:5353"},
    {"helo", "NAME", offsetof(struct check_request, helo), "what the client says in EHLO"},
    {"sender", "ADDRESS", offsetof(struct check_request, sender),
     "MAIL FROM, for policies that look at it"},
    {"rcpt", "ADDRESS", offsetof(struct check_request, recipient), "RCPT TO, likewise"},
    {"json", NULL, offsetof(struct check_request, json), "one JSON object a line instead of text"},
    {NULL, NULL, 0, NULL},
};

/* Addresses and names, or one option that says whom to check.  As command_parse(). */
static int check_arguments(const struct command *command, int count, char **texts,
                           const struct check_request *request)
{
    struct ipaddr client;
    char name[HOSTNAME_MAX + 1];
    int asked = (request->host != NULL) + (request->mx != NULL) + (request->spf != NULL) +
                (request->message != NULL);
    if (asked + (count > 0) > 1)
        return command_misused(
            command, "addresses and names, --host, --mx, --spf or --message: one of them");
    if (asked + count == 0)
        return command_misused(command, "give an address, a host name, or --mx DOMAIN");
    for (int i = 0; i < count; i++) {
        if (strcmp(texts[i], "-") == 0 || ipaddr_parse(texts[i], &client) == RESULT_OK)
            continue;
        enum hostname_flaw flaw = hostname_parse(texts[i], name);
        if (flaw == HOSTNAME_ONE_LABEL)
            return command_misused(command, "\"%s\" %s: an address or a host name is wanted",
                                   texts[i], hostname_flaw_text(flaw));
        if (flaw != HOSTNAME_OK) /* "192.0.2.1/24", "[192.0.2.1]", "192.0.2.999" */
            return command_misused(command, "\"%s\" is neither an IP address nor a host name",
                                   texts[i]);
    }
    return -1;
}

/* --- clients -------------------------------------------------------------------------------- */

static bool work(struct check_item *item)
{
    const struct check_target target = {.client = item->client, .helo = check_item_helo(item)};
    return check_client_decide(&item->part, &target);
}

/* As check_queue_add(). */
static bool add_client(struct check_queue *queue, const struct ipaddr *client, const char *helo)
{
    struct check_item *item = check_queue_item(queue);
    if (item != NULL) {
        item->work = work;
        item->client = *client;
        check_item_say(item, helo);
    }
    return check_queue_add(queue, item);
}

static bool add_complaint(struct check_queue *queue, int status, uint64_t number, const char *text)
{
    struct check_item *item = check_queue_item(queue);
    if (item != NULL && number > 0)
        check_client_fail(&item->part, status, "standard input, line %" PRIu64 ": %s", number,
                          text);
    else if (item != NULL)
        check_client_fail(&item->part, status, "standard input: %s", text);
    return check_queue_add(queue, item);
}

static bool check_lines(struct check_queue *queue)
{
    const char *helo = check_queue_run(queue)->helo;
    struct check_line line;
    const char *error = NULL;
    uint64_t number = 0;
    enum check_line_kind kind;
    bool ok = true;
    if (isatty(STDIN_FILENO) != 1)
        check_queue_expect(queue, 0);
    while (ok && (kind = check_lines_next(stdin, &number, &line, &error)) != CHECK_LINE_END) {
        if (kind == CHECK_LINE_FAILED)
            return add_complaint(queue, EX_IOERR, 0, strerror(errno));
        if (kind == CHECK_LINE_BAD)
            ok = add_complaint(queue, EX_DATAERR, number, error);
        else
            ok = add_client(queue, &line.client, line.helo[0] != '\0' ? line.helo : helo);
    }
    return ok;
}

static bool check_clients(struct check_queue *queue, int count, char **texts)
{
    bool ok = true;
    if (count > 1)
        check_queue_expect(queue, (uint64_t)count);
    for (int i = 0; i < count && ok; i++) {
        struct ipaddr client;
        char name[HOSTNAME_MAX + 1];
        if (strcmp(texts[i], "-") == 0)
            ok = check_lines(queue);
        else if (ipaddr_parse(texts[i], &client) == RESULT_OK)
            ok = add_client(queue, &client, check_queue_run(queue)->helo);
        else if (hostname_parse(texts[i], name) == HOSTNAME_OK)
            ok = check_hosts_host(queue, name, "");
    }
    return ok;
}

/* --- a run ---------------------------------------------------------------------------------- */

/* The canonical name of --host, --mx or --spf.  As command_parse(). */
static int parse_name(const struct command *command, const struct check_request *request,
                      char out[HOSTNAME_MAX + 1])
{
    const char *text = request->host != NULL ? request->host
                       : request->mx != NULL ? request->mx
                                             : request->spf;
    enum hostname_flaw flaw = text != NULL ? hostname_parse(text, out) : HOSTNAME_OK;
    if (flaw != HOSTNAME_OK)
        return command_misused(command, "\"%s\" %s: a %s is wanted", text, hostname_flaw_text(flaw),
                               request->host != NULL ? "host name" : "domain");
    return -1;
}

/* The resolver of --server.  As command_parse(). */
static int parse_server(const struct command *command, const struct check_request *request,
                        struct network_server *out)
{
    if (request->server == NULL || network_server_parse(request->server, out) == RESULT_OK)
        return -1;
    return command_misused(command,
                           "--server \"%s\": an address is wanted, with a port behind it or "
                           "without: 192.0.2.53, [2001:db8::53]:5353",
                           request->server);
}

static bool check_all(struct check_queue *queue, const struct check_request *request,
                      const char *name, int count, char **texts)
{
    if (request->host != NULL)
        return check_hosts_host(queue, name, "");
    if (request->mx != NULL)
        return check_hosts_mx(queue, name);
    if (request->spf != NULL)
        return check_spf(queue, name);
    if (request->message != NULL)
        return check_message(queue, request->message);
    return check_clients(queue, count, texts);
}

static int check_with(struct check_run *run, const struct command *command,
                      const struct check_request *request, const char *name, int count,
                      char **texts)
{
    struct check_sums *sums = calloc(1, sizeof *sums);
    struct check_queue *queue = sums != NULL ? check_queue_new(run) : NULL;
    enum result status = RESULT_NOMEM;
    int exit_status = EX_OSERR;
    if (queue != NULL) {
        (void)check_all(queue, request, name, count, texts); /* finish() says what failed */
        status = check_queue_finish(queue, sums);
    }
    if (status == RESULT_OK) {
        if (!run->json && sums->clients + sums->failed > 1)
            check_client_summary(run, sums);
        exit_status = command_finish(command, sums->worst);
    } else if (status == RESULT_IO) {
        exit_status = command_finish(command, EX_IOERR); /* says it */
    } else {
        exit_status = command_failed(command, EX_OSERR, "out of memory");
    }
    free(sums);
    return exit_status;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct check_request request = {0};
    char name[HOSTNAME_MAX + 1] = "";
    struct network_server server;
    int status = command_parse(command, argc, argv, &request, &request.conf_path);
    if (status < 0)
        status = check_arguments(command, argc - optind, argv + optind, &request);
    if (status < 0)
        status = parse_name(command, &request, name);
    if (status < 0)
        status = parse_server(command, &request, &server);
    if (status >= 0)
        return status;
    struct conf *conf = command_conf(request.conf_path);
    if (conf == NULL)
        return EX_CONFIG;
    char sender[MAILPATH_MAX + 1], recipient[MAILPATH_MAX + 1];
    struct check_run *checking = calloc(1, sizeof *checking);
    if (checking != NULL && request.sender != NULL)
        checking->sender = mailpath_canonical(request.sender, sender);
    if (checking != NULL && request.recipient != NULL)
        checking->recipient = mailpath_canonical(request.recipient, recipient);
    /* Without an EHLO name, which lines of standard input may have, nobody can claim one of ours.
     */
    bool claims = request.helo != NULL || request.message != NULL;
    for (int i = optind; i < argc; i++)
        claims = claims || strcmp(argv[i], "-") == 0;
    if (checking != NULL && (!claims || running_names_add(conf, NULL) == RESULT_OK) &&
        !checking->sender == !request.sender && !checking->recipient == !request.recipient) {
        checking->conf = conf;
        checking->helo = request.helo;
        checking->json = request.json;
        checking->smtp = request.smtp;
        checking->authoritative = request.authoritative;
        checking->server = request.server != NULL ? &server : NULL;
        checking->colour = screen_has_colour();
        checking->columns = screen_columns();
        status = check_client_open(checking, command);
        if (status < 0)
            status = check_with(checking, command, &request, name, argc - optind, argv + optind);
        check_client_close(checking);
    } else {
        status = EX_OSERR;
    }
    free(checking);
    conf_unref(conf);
    return status;
}

const struct command command_check = {
    .name = "check",
    .operands = "IP|NAME... | -",
    .summary = "decide about clients as the daemon would, and show all the evidence",
    .words = words,
    .options = options,
    .notes = "A NAME is a host, as in --host NAME.\n"
             "Judged as if mode were enforce; monitor and percent of checks count.\n"
             "Exemptions (iprevctl allow) count as for the daemon.  Exit status: 0 accept, 1\n"
             "tag or quarantine, 75 tempfail or a lookup that failed temporarily, 77 reject;\n"
             "64 usage, 65 a line, message or SPF record that makes no sense, 66 no such\n"
             "file, 68 a host or domain without addresses, 69 unavailable, 78 configuration\n"
             "error.  Of several the highest counts.\n",
    .run = run,
};
