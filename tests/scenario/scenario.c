/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays scenario files through the real session, lookup, resolver and cache with a clock that is
 * moved by hand.  The format is told in tests/scenario/README.
 */
#include "play.h"
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACROS_MAX  32
#define LOGS_MAX    64
#define EDITS_MAX   64
#define STEP_MS     10
#define WAIT_MAX_MS 60000

struct play {
    const char *path;
    unsigned line;
    bool failed;
    FILE *out;
    struct play_report *report;
    char *config, *zone;

    struct world *world;
    struct cache *cache;
    struct resolver *resolver;
    struct conf *conf;
    struct client_memory *memory;
    struct greylist_table *greylist;
    struct helo_domains *helo_domains;
    struct session_services services;
    struct session *session;

    enum session_answer answer;
    struct {
        char name[64];
        char value[256];
    } macros[MACROS_MAX];
    size_t macro_count;
    char logs[LOGS_MAX][DECISION_LINE_MAX];
    size_t log_count;
    char edits[EDITS_MAX][DECISION_HEADER_MAX + 64];
    size_t edit_count;
    char *json;
    struct ipaddr exempt; /* client with an exemption at run time; IP_NONE: none */
    char exempt_reason[256];
};

static void PRINTF_LIKE(2, 3) fail(struct play *play, const char *format, ...)
{
    va_list args;
    fprintf(play->out, "%s:%u: ", play->path, play->line);
    va_start(args, format);
    vfprintf(play->out, format, args);
    va_end(args);
    fprintf(play->out, "\n");
    play->failed = true;
}

/* --- what the session sees ------------------------------------------------------------------ */

static const char *get_macro(void *arg, const char *name)
{
    struct play *play = arg;
    for (size_t i = 0; i < play->macro_count; i++)
        if (strcmp(play->macros[i].name, name) == 0)
            return play->macros[i].value;
    return NULL;
}

static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    struct play *play = arg;
    if (play->log_count < LOGS_MAX)
        decision_log_line(decision, transaction, play->logs[play->log_count++]);
    free(play->json);
    play->json = decision_json(decision, transaction);
}

static bool is_exempt(void *arg, const struct facts *facts, int64_t wall_s, char *out, size_t size)
{
    const struct play *play = arg;
    (void)wall_s;
    if (play->exempt.family == IP_NONE || !ipaddr_equal(&play->exempt, &facts->client))
        return false;
    (void)snprintf(out, size, "%s", play->exempt_reason);
    return true;
}

static void left_alone(void *arg, const char *line)
{
    struct play *play = arg;
    if (play->log_count < LOGS_MAX)
        (void)snprintf(play->logs[play->log_count++], sizeof play->logs[0], "%s", line);
}

static void PRINTF_LIKE(2, 3) add_edit(struct play *play, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (play->edit_count < EDITS_MAX)
        vsnprintf(play->edits[play->edit_count++], sizeof play->edits[0], format, args);
    va_end(args);
}

static void removed(void *arg, const char *name, unsigned index)
{
    add_edit(arg, "removed %s %u", name, index);
}

static void inserted(void *arg, const char *name, const char *value)
{
    add_edit(arg, "inserted %s: %s", name, value);
}

static void quarantined(void *arg, const char *reason)
{
    add_edit(arg, "quarantined %s", reason);
}

/* --- setting up ----------------------------------------------------------------------------- */

static void report_message(void *arg, const char *message)
{
    fail(arg, "%s", message);
}

static void ignore_message(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static struct conf *load_config(struct play *play, const char *text)
{
    char path[] = "/tmp/iprevd-scenario-XXXXXX";
    const struct conf_report report = {report_message, ignore_message, NULL, play};
    /* A story that says nothing of it is of a site that enforces. */
    const char *mode = strstr(text, "mode =") == NULL ? "mode = enforce\n" : "";
    int fd = mkstemp(path);
    if (fd < 0 || dprintf(fd, "%s%s", text, mode) < 0) {
        fail(play, "cannot write %s", path);
        return NULL;
    }
    (void)close(fd);
    struct conf *conf = conf_load(path, clock_wall_s(world_clock(play->world)), &report);
    (void)unlink(path);
    return conf;
}

static void new_session(struct play *play)
{
    session_free(play->session);
    play->session = session_new(&play->services, play->conf);
    play->report->set_up = play->session != NULL;
    if (play->session == NULL)
        fail(play, "out of memory");
}

static struct client_memory *new_memory(struct play *play)
{
    static const uint8_t key[SIPHASH_KEY_LENGTH] = {1};
    struct client_memory_limits limits = play->conf->clients;
    limits.size_bytes = CLIENT_MEMORY_SIZE_MIN;
    struct client_memory *memory = client_memory_new(&limits, key);
    if (memory == NULL)
        fail(play, "out of memory");
    return memory;
}

static struct greylist_table *new_greylist(struct play *play)
{
    const uint8_t key[SIPHASH_KEY_LENGTH] = {1};
    struct greylist_table *greylist = greylist_table_new(0, play->conf->clients.keep_s, key);
    if (greylist == NULL)
        fail(play, "out of memory");
    return greylist;
}

static bool set_up(struct play *play)
{
    char error[512] = "out of memory";
    play->world = world_new(play->zone, error, sizeof error);
    if (play->world == NULL) {
        fail(play, "%s", error);
        return false;
    }
    play->conf = load_config(play, play->config);
    if (play->conf == NULL)
        return false;
    play->cache = cache_new(&play->conf->cache, 1);
    play->resolver = resolver_new(world_source(play->world), play->cache, world_loop(play->world),
                                  &play->conf->resolver, NULL);
    if (play->cache == NULL || play->resolver == NULL) {
        fail(play, "out of memory");
        return false;
    }
    play->memory = new_memory(play);
    play->greylist = new_greylist(play);
    const uint8_t key[SIPHASH_KEY_LENGTH] = {2};
    play->helo_domains = helo_domains_new(0, key);
    if (play->helo_domains == NULL)
        fail(play, "out of memory");
    if (play->memory == NULL || play->greylist == NULL || play->helo_domains == NULL)
        return false;
    play->services = (struct session_services){.resolver = play->resolver,
                                               .greylist = play->greylist,
                                               .helo_domains = play->helo_domains,
                                               .clock = world_clock(play->world),
                                               .memory = play->memory,
                                               .exempt = is_exempt,
                                               .decided = decided,
                                               .left_alone = left_alone,
                                               .arg = play};
    new_session(play);
    return play->session != NULL;
}

static void tear_down(struct play *play)
{
    session_free(play->session);
    if (play->world != NULL)
        loop_stop(world_loop(play->world));
    resolver_free(play->resolver);
    cache_free(play->cache);
    client_memory_free(play->memory);
    greylist_table_free(play->greylist);
    helo_domains_free(play->helo_domains);
    conf_unref(play->conf);
    world_free(play->world);
    free(play->config);
    free(play->zone);
    free(play->json);
}

/* --- events --------------------------------------------------------------------------------- */

static void advance(struct play *play, int64_t ms)
{
    world_advance(play->world, ms);
}

/* What libmilter.c does by lookup_wait_for_news(), with a clock that is moved by hand. */
static void settle(struct play *play, enum session_answer answer)
{
    int64_t waited = 0;
    while (answer == SESSION_PENDING) {
        advance(play, 0);
        while (!lookup_has_news(session_lookup(play->session)) && waited < WAIT_MAX_MS) {
            advance(play, STEP_MS);
            waited += STEP_MS;
        }
        if (waited >= WAIT_MAX_MS)
            fail(play, "the lookup never became ready");
        answer = session_resume(play->session);
    }
    play->answer = answer;
    if (play->report->answer_count < PLAY_ANSWERS_MAX)
        play->report->answers[play->report->answer_count++] = answer;
}

/* "\xNN" to bytes, and "*N" repeats the byte before it N times: for hostile texts. */
static char *unescape(const char *text)
{
    size_t size = 65536, used = 0;
    char *out = malloc(size);
    if (out == NULL)
        abort();
    while (*text != '\0' && used + 1 < size) {
        unsigned byte;
        int skip = 0;
        unsigned times;
        if (sscanf(text, "\\x%2x%n", &byte, &skip) == 1 && skip == 4) {
            out[used++] = (char)byte;
        } else if (used > 0 && sscanf(text, "\\*%u%n", &times, &skip) == 1) {
            for (; times > 1 && used + 1 < size; times--, used++)
                out[used] = out[used - 1];
        } else {
            out[used++] = *text;
            skip = 1;
        }
        text += skip;
    }
    out[used] = '\0';
    return out;
}

static void on_connect(struct play *play, char *argument)
{
    struct ipaddr client = {0};
    if (strcmp(argument, "local") != 0 && ipaddr_parse(argument, &client) != RESULT_OK)
        fail(play, "not an address: %s", argument);
    struct session_macros macros = {get_macro, play};
    settle(play, session_connect(play->session, &client, &macros));
}

static void on_ehlo(struct play *play, char *argument)
{
    char *helo = unescape(argument);
    settle(play, session_helo(play->session, helo));
    free(helo);
}

static void on_mail(struct play *play, char *argument)
{
    struct session_macros macros = {get_macro, play};
    char *sender = unescape(argument);
    settle(play, session_mail(play->session, sender, &macros));
    free(sender);
}

static void on_rcpt(struct play *play, char *argument)
{
    struct session_macros macros = {get_macro, play};
    char *recipient = unescape(argument);
    settle(play, session_rcpt(play->session, recipient, &macros));
    free(recipient);
}

static void on_header(struct play *play, char *argument)
{
    char *value = strchr(argument, ':');
    if (value == NULL) {
        fail(play, "header without a colon");
        return;
    }
    *value++ = '\0';
    char *text = unescape(value + strspn(value, " "));
    session_header(play->session, argument, text);
    free(text);
}

static void on_end(struct play *play, char *argument)
{
    (void)argument;
    struct session_macros macros = {get_macro, play};
    struct session_edits edits = {removed, inserted, quarantined, play};
    play->edit_count = 0;
    settle(play, session_end_of_message(play->session, &edits, &macros));
    session_reset(play->session);
}

/* "allow ADDRESS REASON", as iprevctl allow; without arguments it ends. */
static void on_allow(struct play *play, char *argument)
{
    char address[IPADDR_TEXT_MAX];
    play->exempt = (struct ipaddr){0};
    if (*argument == '\0')
        return;
    if (sscanf(argument, "%45s %255[^\n]", address, play->exempt_reason) != 2 ||
        ipaddr_parse(address, &play->exempt) != RESULT_OK)
        fail(play, "cannot do: allow %s", argument);
}

static void on_reset(struct play *play, char *argument)
{
    (void)argument;
    session_reset(play->session);
}

static void on_quit(struct play *play, char *argument)
{
    (void)argument;
    new_session(play);
}

/* Saved by one and loaded by the next, unless the file is lost. */
static void on_restart(struct play *play, char *argument)
{
    char path[] = "/tmp/iprevd-scenario-XXXXXX";
    const char *why = "";
    int64_t wall_s = clock_wall_s(world_clock(play->world));
    bool lost = strcmp(argument, "lost") == 0;
    int fd = mkstemp(path);
    bool ok =
        fd >= 0 && close(fd) == 0 && client_memory_save(play->memory, path, wall_s) == RESULT_OK;
    client_memory_free(play->memory);
    play->services.memory = play->memory = new_memory(play);
    ok = ok && (lost || client_memory_load(play->memory, path, wall_s, &why) == RESULT_OK);
    ok = ok && greylist_table_save(play->greylist, path, wall_s) == RESULT_OK;
    greylist_table_free(play->greylist);
    play->services.greylist = play->greylist = new_greylist(play);
    ok = ok && (lost || greylist_table_load(play->greylist, path, wall_s, &why) == RESULT_OK);
    (void)unlink(path);
    if (!ok)
        fail(play, "what is remembered could not be saved and read: %s", why);
    new_session(play);
}

static void on_macro(struct play *play, char *argument)
{
    char *value = strchr(argument, ' ');
    if (value != NULL)
        *value++ = '\0';
    size_t i = 0;
    while (i < play->macro_count && strcmp(play->macros[i].name, argument) != 0)
        i++;
    if (i == MACROS_MAX) {
        fail(play, "too many macros");
        return;
    }
    (void)snprintf(play->macros[i].name, sizeof play->macros[i].name, "%s", argument);
    (void)snprintf(play->macros[i].value, sizeof play->macros[i].value, "%s",
                   value == NULL ? "" : value);
    if (i == play->macro_count)
        play->macro_count++;
}

/* "500ms", "3s", "2h" in milliseconds. */
static int64_t parse_time(struct play *play, const char *text)
{
    char *unit;
    long number = strtol(text, &unit, 10);
    if (strcmp(unit, "ms") == 0)
        return number;
    if (strcmp(unit, "s") == 0)
        return number * INT64_C(1000);
    if (strcmp(unit, "h") == 0)
        return number * INT64_C(3600000);
    fail(play, "not a time: %s", text);
    return 0;
}

static void on_clock(struct play *play, char *argument)
{
    world_step_clock(play->world, parse_time(play, argument) / 1000);
}

static void on_wait(struct play *play, char *argument)
{
    int64_t left = parse_time(play, argument);
    while (left > 0) {
        int64_t step = left > 1000 ? left / 100 : STEP_MS;
        advance(play, step);
        left -= step;
    }
}

static void on_dns(struct play *play, char *argument)
{
    char name[300], fate[32], detail[32] = "";
    bool ok = false;
    if (sscanf(argument, "%299s %31s %31s", name, fate, detail) >= 2) {
        if (strcmp(fate, "slow") == 0)
            ok = world_slow(play->world, name, parse_time(play, detail));
        else if (strcmp(fate, "silent") == 0)
            ok = world_silent(play->world, name);
        else if (strcmp(fate, "denied") == 0)
            ok = world_deny(play->world, name);
        else if (strcmp(fate, "fails") == 0)
            ok = world_fail(play->world, name, detail);
        else if (strcmp(fate, "answers") == 0)
            ok = world_mend(play->world, name);
    }
    if (!ok)
        fail(play, "cannot do: dns %s", argument);
}

/* --- expectations --------------------------------------------------------------------------- */

static void expect_answer(struct play *play, enum session_answer want, const char *text)
{
    static const char *const names[] = {"continue", "accept", "tempfail", "reject", "pending"};
    if (play->answer != want) {
        fail(play, "expected %s, got %s", names[want], names[play->answer]);
        return;
    }
    if (text == NULL || *text == '\0')
        return;
    const struct reply *reply = session_reply(play->session);
    char got[REPLY_LINES_MAX * (REPLY_LINE_MAX + 16)];
    struct textbuf buf;
    textbuf_init(&buf, got, sizeof got);
    if (reply != NULL) {
        textbuf_printf(&buf, "%s %s", reply->code, reply->xcode);
        for (size_t i = 0; i < reply->line_count; i++)
            textbuf_printf(&buf, " %s", reply->lines[i]);
    }
    if (strstr(got, text) == NULL)
        fail(play, "expected \"%s\" in the reply, got \"%s\"", text, got);
}

/* The number-th line of a reply, from 1. */
static void expect_line(struct play *play, size_t number, const char *wanted)
{
    const struct reply *reply = session_reply(play->session);
    const char *line =
        reply != NULL && number >= 1 && number <= reply->line_count ? reply->lines[number - 1] : "";
    if (strcmp(line, wanted) != 0)
        fail(play, "expected \"%s\" in line %zu of the reply, got \"%s\"", wanted, number, line);
}

static void expect_edit(struct play *play, const char *wanted)
{
    char *text = unescape(wanted);
    for (size_t i = 0; i < play->edit_count; i++)
        if (strstr(play->edits[i], text) == play->edits[i]) {
            free(text);
            return;
        }
    fail(play, "expected \"%s\" among %zu changes:", text, play->edit_count);
    for (size_t i = 0; i < play->edit_count; i++)
        fprintf(play->out, "    %s\n", play->edits[i]);
    free(text);
}

/* The number-th log line, from 1; 0: the last one. */
static const char *log_line(const struct play *play, size_t number)
{
    if (number == 0)
        number = play->log_count;
    return number == 0 || number > play->log_count ? "" : play->logs[number - 1];
}

/* Every word of `wanted` must stand in that log line ("!word": must not). */
static void expect_log(struct play *play, size_t number, char *wanted)
{
    const char *line = log_line(play, number);
    for (char *word = strtok(wanted, " "); word != NULL; word = strtok(NULL, " ")) {
        bool want = *word != '!';
        if ((strstr(line, word + !want) != NULL) != want)
            fail(play, "expected %s in the log line: %s", word, line);
    }
}

static void expect_number(struct play *play, const char *what, unsigned long want,
                          unsigned long got)
{
    if (want != got)
        fail(play, "expected %lu %s, got %lu", want, what, got);
}

static void on_expect(struct play *play, char *argument)
{
    static const struct {
        const char *word;
        enum session_answer answer;
    } answers[] = {{"continue", SESSION_CONTINUE},
                   {"accept", SESSION_ACCEPT},
                   {"tempfail", SESSION_TEMPFAIL},
                   {"reject", SESSION_REJECT}};
    char *rest = argument + strcspn(argument, " ");
    if (*rest != '\0')
        *rest++ = '\0';
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (strcmp(argument, answers[i].word) == 0) {
            expect_answer(play, answers[i].answer, rest);
            return;
        }
    if (strcmp(argument, "log") == 0) {
        expect_log(play, 0, rest);
    } else if (strncmp(argument, "log@", 4) == 0) {
        expect_log(play, strtoul(argument + 4, NULL, 10), rest);
    } else if (strncmp(argument, "line@", 5) == 0) {
        expect_line(play, strtoul(argument + 5, NULL, 10), rest);
    } else if (strcmp(argument, "logged") == 0) {
        if (strstr(log_line(play, 0), rest) == NULL)
            fail(play, "expected %s in the log line: %s", rest, log_line(play, 0));
    } else if (strcmp(argument, "json") == 0) {
        play->report->counts_differ = play->json == NULL;
        if (play->json == NULL || strstr(play->json, rest) == NULL)
            fail(play, "expected %s in %s", rest, play->json == NULL ? "nothing" : play->json);
    } else if (strcmp(argument, "decisions") == 0) {
        expect_number(play, "decisions", strtoul(rest, NULL, 10), play->log_count);
    } else if (strcmp(argument, "questions") == 0) {
        play->report->counts_differ = strtoul(rest, NULL, 10) != world_questions(play->world);
        expect_number(play, "questions", strtoul(rest, NULL, 10), world_questions(play->world));
    } else if (strcmp(argument, "changes") == 0) {
        expect_number(play, "changes", strtoul(rest, NULL, 10), play->edit_count);
    } else {
        if (*rest != '\0')
            rest[-1] = ' ';
        expect_edit(play, argument);
    }
}

static void on_repeat(struct play *play, char *argument);

static const struct {
    const char *word;
    void (*run)(struct play *play, char *argument);
} events[] = {
    {"connect", on_connect}, {"ehlo", on_ehlo},     {"helo", on_ehlo},   {"mail", on_mail},
    {"rcpt", on_rcpt},       {"header", on_header}, {"end", on_end},     {"reset", on_reset},
    {"quit", on_quit},       {"macro", on_macro},   {"wait", on_wait},   {"clock", on_clock},
    {"dns", on_dns},         {"expect", on_expect}, {"allow", on_allow}, {"repeat", on_repeat},
    {"restart", on_restart},
};

static void run_line(struct play *play, char *line)
{
    size_t length = strcspn(line, " ");
    char *argument = line + length + strspn(line + length, " ");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (strlen(events[i].word) == length && strncmp(events[i].word, line, length) == 0) {
            events[i].run(play, argument);
            advance(play, 0); /* what the event asked of the DNS thread */
            return;
        }
    fail(play, "unknown event: %s", line);
}

/* "repeat N EVENT" */
static void on_repeat(struct play *play, char *argument)
{
    char *event;
    unsigned long times = strtoul(argument, &event, 10);
    event += strspn(event, " ");
    while (times-- > 0 && !play->failed) {
        char *copy = strdup(event);
        if (copy == NULL)
            abort();
        run_line(play, copy);
        free(copy);
    }
}

/* --- files ---------------------------------------------------------------------------------- */

static void append_line(char **text, const char *line)
{
    size_t before = *text == NULL ? 0 : strlen(*text);
    char *grown = realloc(*text, before + strlen(line) + 2);
    if (grown == NULL)
        abort();
    (void)sprintf(grown + before, "%s\n", line);
    *text = grown;
}

/* Indented lines under "config:" and "zone:" are theirs; the rest are events. */
bool play_file(const char *path, FILE *out, struct play_report *report)
{
    static char line[65536];
    struct play_report ignored;
    struct play play = {.path = path, .out = out, .report = report != NULL ? report : &ignored};
    memset(play.report, 0, sizeof *play.report);
    char **section = NULL;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail(&play, "cannot be read");
        return false;
    }
    append_line(&play.config, "");
    append_line(&play.zone, "$ORIGIN .\n$TTL 3600");
    while (!play.failed && fgets(line, sizeof line, file) != NULL) {
        play.line++;
        line[strcspn(line, "\n")] = '\0';
        if (section != NULL && (line[0] == ' ' || line[0] == '\0')) {
            append_line(section, line + strspn(line, " "));
            continue;
        }
        section = NULL;
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (strcmp(line, "config:") == 0)
            section = &play.config;
        else if (strcmp(line, "zone:") == 0)
            section = &play.zone;
        else if (play.session != NULL || set_up(&play))
            run_line(&play, line);
    }
    (void)fclose(file);
    if (play.session == NULL && !play.failed)
        fail(&play, "nothing happens in this scenario");
    tear_down(&play);
    return !play.failed;
}
