/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl allow: an exemption for a time, in effect at once. */
#include "base/utf8.h"
#include "core/ipaddr.h"
#include "ctl/client.h"
#include "site/exemptions.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define DEFAULT_TIME "24h"

struct allow_request {
    const char *time, *reason;
};

static const struct command_option options[] = {
    {"reason", "TEXT", offsetof(struct allow_request, reason),
     "why: shown in log and list, at most 200 bytes"},
    {"for", "TIME", offsetof(struct allow_request, time),
     "for how long: 90m, 24h, 7d, 2w; 1m to 366d (default " DEFAULT_TIME ")"},
    {NULL, NULL, 0, NULL},
};

/* A slip of the hand that ends all checks is said at once; it is done all the same. */
static void warn_of_everybody(const struct command *command, const char *subject)
{
    struct ipnet net;
    if (ipnet_parse(subject, &net) != RESULT_OK || net.bits >= (net.addr.family == IP_V4 ? 8 : 16))
        return;
    (void)command_failed(command, 0,
                         "warning: %s is %s: nothing is checked for %s.  mode = monitor refuses "
                         "nobody and still logs",
                         subject,
                         net.bits > 0               ? "a large part of all addresses"
                         : net.addr.family == IP_V4 ? "every IPv4 client"
                                                    : "every IPv6 client",
                         net.bits > 0 ? "its clients" : "them");
}

/* What is wrong with it, or NULL: `out` is one line then, as it is kept and shown. */
static const char *take_reason(const char *text, char out[EXEMPTION_REASON_MAX])
{
    const char *at = text;
    for (size_t length; (length = utf8_length(at)) > 0;)
        at += length;
    if (*at != '\0')
        return "the reason is not in UTF-8";
    if (exemption_reason(text, out) != RESULT_OK)
        return "the reason is longer than 200 bytes";
    return out[strspn(out, " ")] == '\0' ? "a reason is required" : NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
    char reason[EXEMPTION_REASON_MAX];
    struct allow_request wanted = {.time = DEFAULT_TIME};
    const char *conf_path = NULL;
    int status = command_parse(command, argc, argv, &wanted, &conf_path);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return command_misused(command, "one address, network or .domain, please");
    int64_t seconds = command_seconds(wanted.time);
    if (seconds < 0)
        return command_misused(command, "\"%s\" is no time such as 90m, 24h, 7d or 2w",
                               wanted.time);
    if (wanted.reason == NULL)
        return command_misused(command, "--reason is required");
    const char *flaw = take_reason(wanted.reason, reason);
    if (flaw != NULL)
        return command_misused(command, "%s", flaw);
    char *path = client_socket(command, conf_path, &status);
    if (path == NULL)
        return status;
    struct json_writer *request = client_request("allow", "subject", argv[optind]);
    if (request != NULL) {
        json_writer_sentence(request, "reason", reason);
        json_writer_int(request, "seconds", seconds);
    }
    status = client_ask(command, path, request, NULL, NULL);
    if (status == EX_OK)
        warn_of_everybody(command, argv[optind]);
    free(path);
    return status;
}

const struct command command_allow = {
    .name = "allow",
    .operands = "IP|NET|.DOMAIN",
    .summary = "let a client through for a time, at once",
    .options = options,
    .notes = "A .DOMAIN is the domain and everything below it, by confirmed PTR names only.\n"
             "What is there already is replaced.  See also match blocks in iprevd.conf(5).\n"
             "\n"
             "Exit status: 0; 1 it could not be done, 64 usage, 69 the daemon cannot be\n"
             "reached, 78 configuration error.\n",
    .run = run,
};
