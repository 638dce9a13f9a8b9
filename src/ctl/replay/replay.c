/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl replay: recorded traffic through the policy, before it is enforced. */
#include "ctl/command.h"
#include "ctl/logs/maillog_feed.h"
#include "ctl/progress.h"
#include "ctl/replay/replay_compare_print.h"
#include "ctl/replay/replay_judge.h"
#include "ctl/replay/replay_print.h"
#include "ctl/running_names.h"
#include "site/dns_settings.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#define PROBLEMS_SHOWN 20 /* the rest is counted */
#define NOTES_SHOWN    20
#define RATE_MAX       100000

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_SUMMARY, OUTPUT_SUMMARY_JSON };

struct replay_request {
    const char *conf_path, *policy_name, *format_name, *rate_text, *compare;
    enum maillog_format format;
    bool no_dns, json, summary;
    unsigned rate;
};

static const struct command_option options[] = {
    {"format", "postfix|sendmail|mbox|maildir|triples",
     offsetof(struct replay_request, format_name), "what the files are; else guessed"},
    {"no-dns", NULL, offsetof(struct replay_request, no_dns),
     "take the recorded PTR name as confirmed, ask no server"},
    {"policy", "NAME", offsetof(struct replay_request, policy_name),
     "judge by this policy, whatever the match blocks say"},
    {"compare", "FILE", offsetof(struct replay_request, compare),
     "what changes with that configuration instead"},
    {"json", NULL, offsetof(struct replay_request, json),
     "one JSON object an attempt; with --summary one for all"},
    {"summary", NULL, offsetof(struct replay_request, summary), "only the sums"},
    {"rate", "N", offsetof(struct replay_request, rate_text), "look up at most N clients a second"},
    {NULL, NULL, 0, NULL},
};

/* All that one run holds. */
struct replay {
    struct replay_request request;
    enum output output;
    struct replay_tally tally;
    struct replay_judge *judge;
    struct replay_compare compare;
    struct conf *conf, *other; /* other: of --compare, or NULL */
    struct progress progress;
    uint64_t bytes, problems, notes;
    bool nomem;
};

/* As command_parse(). */
static int parse(const struct command *command, int argc, char **argv,
                 struct replay_request *request)
{
    int status = command_parse(command, argc, argv, request, &request->conf_path);
    if (status >= 0)
        return status;
    if (request->format_name != NULL &&
        !maillog_format_parse(request->format_name, &request->format))
        return command_misused(command,
                               "--format \"%s\": postfix, sendmail, mbox, maildir or triples is "
                               "wanted",
                               request->format_name);
    if (request->rate_text != NULL &&
        (request->rate = command_count(request->rate_text, RATE_MAX)) == 0)
        return command_misused(command, "--rate \"%s\": 1 to %d is wanted", request->rate_text,
                               RATE_MAX);
    return optind < argc ? -1 : command_misused(command, "which file?");
}

/* --- what feed and judge call ---------------------------------------------------------------- */

static void on_event(void *arg, const struct maillog_event *event)
{
    struct replay *replay = arg;
    replay_judge_event(replay->judge, event);
}

static void on_problem(void *arg, const char *file, uint64_t line, const char *text)
{
    struct replay *replay = arg;
    progress_end(&replay->progress);
    if (++replay->problems > PROBLEMS_SHOWN)
        return;
    if (line > 0)
        (void)fprintf(stderr, "%s:%llu: %s\n", file, (unsigned long long)line, text);
    else
        (void)fprintf(stderr, "%s: %s\n", file, text);
    if (replay->problems == PROBLEMS_SHOWN)
        (void)fputs("Further problems are counted only.\n", stderr);
}

static void on_note(void *arg, const char *file, uint64_t line, const char *text)
{
    struct replay *replay = arg;
    progress_end(&replay->progress);
    if (replay->problems >= PROBLEMS_SHOWN || ++replay->notes > NOTES_SHOWN)
        return;
    if (line > 0)
        (void)fprintf(stderr, "%s:%llu: %s\n", file, (unsigned long long)line, text);
    else
        (void)fprintf(stderr, "%s\n", text);
}

static void on_delivered(void *arg, const char *recipient)
{
    struct replay *replay = arg;
    replay_tally_delivered(&replay->tally, replay->conf->orgdomains, recipient);
}

static void on_progress(void *arg, uint64_t bytes)
{
    struct replay *replay = arg;
    replay->bytes = bytes;
    progress_show(&replay->progress, bytes, replay->tally.total, "attempts");
}

static bool is_ours(void *arg, const struct ipaddr *addr)
{
    const struct replay *replay = arg;
    return conf_is_local(replay->conf, addr) || conf_is_trusted_relay(replay->conf, addr);
}

static void on_decided(void *arg, const struct maillog_event *event,
                       const struct decision *decision, const struct transaction *transaction)
{
    struct replay *replay = arg;
    replay_tally_add(&replay->tally, event, decision);
    bool rows = replay->other == NULL; /* else only what changes */
    if (rows && replay->output == OUTPUT_TABLE)
        replay_print_row(stdout, event, decision);
    else if (rows && replay->output == OUTPUT_JSON &&
             !replay_print_json(stdout, event, decision, transaction))
        replay->nomem = true;
    if (!replay->request.no_dns)
        progress_show(&replay->progress, replay->bytes, replay->tally.total, "attempts");
}

static void on_compared(void *arg, const struct maillog_event *event,
                        const struct decision *decision, const struct decision *other,
                        const struct transaction *transaction)
{
    struct replay *replay = arg;
    if (!replay_compare_add(&replay->compare, event, decision, other))
        return;
    if (replay->output == OUTPUT_TABLE)
        replay_compare_print_row(stdout, event, decision, other);
    else if (replay->output == OUTPUT_JSON &&
             !replay_compare_print_json(stdout, event, decision, other, transaction))
        replay->nomem = true;
}

static void on_skipped(void *arg, enum replay_skip why)
{
    struct replay *replay = arg;
    replay->tally.skipped[why]++;
}

/* --- a run ----------------------------------------------------------------------------------- */

/* Bytes of all files; 0 when one of them is no file. */
static uint64_t total_size(int count, char **paths)
{
    uint64_t total = 0;
    for (int i = 0; i < count; i++) {
        struct stat info;
        if (stat(paths[i], &info) != 0 || !S_ISREG(info.st_mode))
            return 0;
        total += (uint64_t)info.st_size;
    }
    return total;
}

static bool print_end(const struct replay *replay, const struct replay_run *run)
{
    switch (replay->output) {
    case OUTPUT_TABLE:
        (void)putchar('\n');
        replay_print_summary(stdout, &replay->tally, run);
        break;
    case OUTPUT_SUMMARY:
        replay_print_summary(stdout, &replay->tally, run);
        break;
    case OUTPUT_SUMMARY_JSON:
        return replay_print_summary_json(stdout, &replay->tally, run);
    case OUTPUT_JSON:
        break;
    }
    return true;
}

/* Read everything; false: out of memory. */
static bool read_all(struct replay *replay, struct maillog_feed *feed, int count, char **paths)
{
    progress_begin(&replay->progress, total_size(count, paths));
    if (replay->output == OUTPUT_TABLE && replay->other != NULL)
        replay_compare_print_head(stdout);
    else if (replay->output == OUTPUT_TABLE)
        replay_print_head(stdout);
    bool ok = true;
    for (int i = 0; i < count && ok; i++)
        ok = maillog_feed_read(feed, paths[i]) == RESULT_OK;
    maillog_feed_end(feed);
    ok = replay_judge_finish(replay->judge) == RESULT_OK && ok;
    progress_end(&replay->progress);
    return ok;
}

/* `other`: as `policy`, of the configuration that is compared. */
static int replay_files(struct replay *replay, const struct policy *policy,
                        const struct policy *other, struct dns_service *dns, int count,
                        char **paths)
{
    const struct maillog_hooks hooks = {.event = on_event,
                                        .problem = on_problem,
                                        .note = on_note,
                                        .delivered = on_delivered,
                                        .progress = on_progress,
                                        .is_ours = is_ours,
                                        .arg = replay};
    const struct replay_visitor visitor = {on_decided, on_skipped, on_compared, replay};
    int64_t now_s = (int64_t)time(NULL);
    struct maillog_feed *feed = maillog_feed_new(replay->request.format, now_s, &hooks);
    replay->judge =
        replay_judge_new(replay->conf, policy, dns, replay->request.rate, now_s, &visitor);
    if (replay->judge != NULL && replay->other != NULL)
        replay_judge_compare(replay->judge, replay->other, other);
    bool ok = feed != NULL && replay->judge != NULL &&
              replay_tally_init(&replay->tally, command_seed()) &&
              replay_compare_init(&replay->compare, command_seed()) &&
              read_all(replay, feed, count, paths) && !replay->nomem;
    if (ok) {
        const struct replay_run run = {
            .policy = policy,
            .no_dns = replay->request.no_dns,
            .lists = policy == NULL && replay->conf->matches_lists,
            .compare = replay->other != NULL ? &replay->compare : NULL,
            .compared = replay->request.compare,
            .files = (uint64_t)count,
            .counts = maillog_feed_counts(feed),
            .problems = replay->problems,
        };
        ok = print_end(replay, &run);
    }
    replay_judge_free(replay->judge);
    maillog_feed_free(feed);
    replay_tally_clear(&replay->tally);
    replay_compare_clear(&replay->compare);
    if (!ok) {
        (void)fputs("iprevctl replay: out of memory\n", stderr);
        return EX_OSERR;
    }
    return replay->problems > 0 ? EX_DATAERR : EX_OK;
}

/* The policy of --policy in that configuration, or NULL.  False: it is said what is wrong. */
static bool find_policy(const struct command *command, const char *name, const struct conf *conf,
                        const struct policy **out)
{
    *out = name != NULL ? conf_policy(conf, name) : NULL;
    if (name == NULL || *out != NULL)
        return true;
    (void)command_misused(command, "there is no policy \"%s\" in %s", name, conf->path);
    return false;
}

static int replay_conf(const struct command *command, struct replay *replay, int count,
                       char **paths)
{
    char error[DNS_SERVICE_ERROR_MAX];
    struct dns_service *dns = NULL;
    const struct policy *policy = NULL, *other = NULL;
    const char *name = replay->request.policy_name;
    if (!find_policy(command, name, replay->conf, &policy) ||
        (replay->other != NULL && !find_policy(command, name, replay->other, &other)))
        return EX_USAGE;
    if (!replay->request.no_dns) {
        const struct dns_service_settings settings = dns_settings(replay->conf);
        dns = dns_service_new(&settings, NULL, error);
        if (dns == NULL || dns_service_start(dns) != RESULT_OK) {
            (void)fprintf(stderr, "iprevctl replay: %s\n", dns == NULL ? error : "no thread");
            dns_service_free(dns);
            return EX_UNAVAILABLE;
        }
    }
    int status = replay_files(replay, policy, other, dns, count, paths);
    dns_service_free(dns);
    return command_finish(command, status);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct replay replay = {0};
    int status = parse(command, argc, argv, &replay.request);
    if (status >= 0)
        return status;
    if (replay.request.summary)
        replay.output = replay.request.json ? OUTPUT_SUMMARY_JSON : OUTPUT_SUMMARY;
    else
        replay.output = replay.request.json ? OUTPUT_JSON : OUTPUT_TABLE;
    replay.conf = command_conf(replay.request.conf_path);
    if (replay.conf != NULL && replay.request.compare != NULL)
        replay.other = command_conf(replay.request.compare);
    if (replay.conf == NULL || (replay.request.compare != NULL && replay.other == NULL))
        status = EX_CONFIG;
    else if (running_names_add(replay.conf, replay.other) != RESULT_OK)
        status = command_failed(command, EX_OSERR, "out of memory");
    else
        status = replay_conf(command, &replay, argc - optind, argv + optind);
    conf_unref(replay.conf);
    conf_unref(replay.other);
    return status;
}

const struct command command_replay = {
    .name = "replay",
    .operands = "FILE...",
    .summary = "run recorded traffic through the policy: what would have become of it",
    .options = options,
    .notes = "FILE may be compressed (gzip, bzip2, xz, zstd), a Maildir, or - for standard\n"
             "input. Exit status: 0, 65 if a file could not be read as a whole (standard\n"
             "error says where), 64 usage, 69 unavailable, 78 configuration error.\n",
    .run = run,
};
