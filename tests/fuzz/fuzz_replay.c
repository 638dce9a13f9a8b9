/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recorded traffic in every form that `iprevctl replay` reads, judged without DNS and printed in
 * every way.  The first byte says the form, and how it is printed; the rest is the file.
 */
#include "fuzz.h"

#include "ctl/logs/maillog_feed.h"
#include "ctl/replay/replay_print.h"
#include "site/json.h"

#include <string.h>

#define NOW_S INT64_C(1790000000)

enum place {
    EVENTS,
    PROBLEMS,
    DECIDED,
    SKIPPED,
    POSTFIX,
    SENDMAIL,
    MESSAGES,
    TRIPLES,
    GUESSED,
    REFUSED,
    PTR_KNOWN,
    HELO_KNOWN,
    AUTHENTICATED,
    NOTES,
};

FUZZ_PLACES([EVENTS] = "attempts", [PROBLEMS] = "problems", [DECIDED] = "decided",
            [SKIPPED] = "skipped", [POSTFIX] = "postfix", [SENDMAIL] = "sendmail",
            [MESSAGES] = "messages", [TRIPLES] = "triples", [GUESSED] = "guessed",
            [REFUSED] = "refused-then", [PTR_KNOWN] = "ptr", [HELO_KNOWN] = "helo",
            [AUTHENTICATED] = "authenticated", [NOTES] = "notes");

struct run {
    struct replay_judge *judge;
    struct replay_tally tally;
    FILE *rows;
    enum maillog_format format;
    bool json;
    uint64_t events, decided, skipped;
};

static void ignore(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static struct conf *configuration(void)
{
    static const char text[] = "mode = enforce\ntrusted-relays = {\"203.0.113.25\"}\n"
                               "match \"m\" { helo = {\"*.example.com\"} sender = {\"\"} "
                               "policy = \"none\" reason = \"r\" }\n";
    static struct conf *conf;
    const struct conf_report report = {ignore, ignore, NULL, NULL};
    struct fuzz_file file;
    if (conf != NULL)
        return conf;
    fuzz_file_open(&file, text, sizeof text - 1);
    conf = conf_load(file.path, NOW_S, &report);
    fuzz_file_close(&file);
    CHECK(conf != NULL);
    return conf;
}

/* --- what was read ---------------------------------------------------------------------------- */

#define CHECK_TERMINATED(member) CHECK(memchr(member, '\0', sizeof member) != NULL)

static void on_event(void *arg, const struct maillog_event *event)
{
    static const enum place places[] = {
        [REPLAY_FORMAT_GUESS] = GUESSED,     [REPLAY_FORMAT_POSTFIX] = POSTFIX,
        [REPLAY_FORMAT_SENDMAIL] = SENDMAIL, [REPLAY_FORMAT_MBOX] = MESSAGES,
        [REPLAY_FORMAT_MAILDIR] = MESSAGES,  [REPLAY_FORMAT_TRIPLES] = TRIPLES};
    struct run *run = arg;
    CHECK(event->client.family == IP_V4 || event->client.family == IP_V6);
    CHECK(event->file != NULL && event->line >= 1);
    CHECK(event->outcome < REPLAY_OUTCOME_COUNT);
    CHECK_TERMINATED(event->ptr);
    CHECK_TERMINATED(event->helo);
    CHECK_TERMINATED(event->sender);
    CHECK_TERMINATED(event->recipient);
    CHECK_TERMINATED(event->queue_id);
    CHECK((event->ptr[0] != '\0') <= (event->ptr_state >= REPLAY_PTR_CONFIRMED));
    run->events++;
    fuzz_reach(EVENTS);
    fuzz_reach(places[run->format]);
    if (event->outcome == REPLAY_REFUSED)
        fuzz_reach(REFUSED);
    if (event->ptr[0] != '\0')
        fuzz_reach(PTR_KNOWN);
    if (event->helo[0] != '\0')
        fuzz_reach(HELO_KNOWN);
    if (event->authenticated)
        fuzz_reach(AUTHENTICATED);
    replay_judge_event(run->judge, event);
}

static void on_problem(void *arg, const char *file, uint64_t line, const char *text)
{
    (void)arg;
    (void)line;
    CHECK(file != NULL && text[0] != '\0' && fuzz_printable(text, strlen(text), false));
    fuzz_reach(PROBLEMS);
}

static void on_note(void *arg, const char *file, uint64_t line, const char *text)
{
    (void)arg;
    (void)line;
    CHECK(file != NULL && fuzz_printable(text, strlen(text), false));
    fuzz_reach(NOTES);
}

static void on_delivered(void *arg, const char *recipient)
{
    struct run *run = arg;
    CHECK(strlen(recipient) <= REPLAY_ADDRESS_MAX);
    replay_tally_delivered(&run->tally, configuration()->orgdomains, recipient);
}

static void on_progress(void *arg, uint64_t bytes)
{
    (void)arg;
    (void)bytes;
}

static bool is_ours(void *arg, const struct ipaddr *addr)
{
    (void)arg;
    return conf_is_local(configuration(), addr) || conf_is_trusted_relay(configuration(), addr);
}

/* --- what was decided ------------------------------------------------------------------------- */

static void on_decided(void *arg, const struct maillog_event *event,
                       const struct decision *decision, const struct transaction *transaction)
{
    struct run *run = arg;
    CHECK(decision->verdict.done.action < ACTION_COUNT);
    CHECK(fuzz_printable(decision->reason, strlen(decision->reason), false));
    replay_tally_add(&run->tally, event, decision);
    if (run->json)
        CHECK(replay_print_json(run->rows, event, decision, transaction));
    else
        replay_print_row(run->rows, event, decision);
    run->decided++;
    fuzz_reach(DECIDED);
}

static void on_skipped(void *arg, enum replay_skip why)
{
    struct run *run = arg;
    CHECK(why < REPLAY_SKIP_COUNT);
    run->tally.skipped[why]++;
    run->skipped++;
    fuzz_reach(SKIPPED);
}

/* Rows are printable lines, JSON rows are objects. */
static void check_rows(const struct run *run, char *text, size_t length)
{
    CHECK(strlen(text) == length);
    if (!run->json) {
        CHECK(fuzz_printable(text, length, true));
        return;
    }
    struct fuzz_lines lines = {(const uint8_t *)text, (const uint8_t *)text + length};
    char error[JSONIN_ERROR_MAX], *line;
    uint64_t count = 0;
    for (; (line = fuzz_line(&lines)) != NULL; count++) {
        struct json_value *json = NULL;
        CHECK(json_value_parse(line, strlen(line), &json, error) == RESULT_OK);
        json_value_free(json);
        free(line);
    }
    CHECK(count == run->decided + 1); /* and the sums */
}

static void print_sums(struct run *run, const struct maillog_feed *feed)
{
    const struct replay_run whole = {
        .no_dns = true, .files = 1, .counts = maillog_feed_counts(feed)};
    if (run->json)
        CHECK(replay_print_summary_json(run->rows, &run->tally, &whole));
    else
        replay_print_summary(run->rows, &run->tally, &whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    const struct maillog_hooks hooks = {.event = on_event,
                                        .problem = on_problem,
                                        .note = on_note,
                                        .delivered = on_delivered,
                                        .progress = on_progress,
                                        .is_ours = is_ours,
                                        .arg = &run};
    const struct replay_visitor visitor = {on_decided, on_skipped, NULL, &run};
    struct fuzz_file file;
    char *rows = NULL;
    size_t length = 0;
    if (size == 0)
        return 0;
    run = (struct run){.format = (enum maillog_format)((data[0] & 0x7f) % 6),
                       .json = (data[0] & 0x80) != 0};
    CHECK(replay_tally_init(&run.tally, 1));
    run.judge = replay_judge_new(configuration(), NULL, NULL, 0, NOW_S, &visitor);
    struct maillog_feed *feed = maillog_feed_new(run.format, NOW_S, &hooks);
    run.rows = open_memstream(&rows, &length);
    CHECK(run.judge != NULL && feed != NULL && run.rows != NULL);
    fuzz_file_open(&file, data + 1, size - 1);
    CHECK(maillog_feed_read(feed, file.path) == RESULT_OK);
    maillog_feed_end(feed);
    CHECK(replay_judge_finish(run.judge) == RESULT_OK);
    print_sums(&run, feed);
    CHECK(fclose(run.rows) == 0);
    check_rows(&run, rows, length);
    CHECK(run.events == run.decided + run.skipped && run.tally.total == run.decided);
    fuzz_file_close(&file);
    replay_judge_free(run.judge);
    maillog_feed_free(feed);
    replay_tally_clear(&run.tally);
    free(rows);
    return 0;
}
